"""Streams that are full, closed or of a narrow encoding, and an interrupt: one line, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.child import DEADLINE_S, SIMBENCH

FRAME = b"00/00019/R/60/A//6D\n"


def ended(command: str, *, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run a line of the shell, in which $S is `simbench`."""
    line = command.replace("$S", f'"{sys.executable}" -c "{SIMBENCH[2]}"')
    return subprocess.run(
        ["/bin/sh", "-c", line], input=FRAME, capture_output=True, timeout=DEADLINE_S, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_the_output_is_one_line_and_status_3() -> None:
    printed = ended("$S decode >/dev/full")
    assert (printed.returncode, printed.stderr) == (3, b"simbench: output cannot be written: No space left on device\n")
    assert ended("$S decode >/dev/full 2>/dev/full").returncode == 3
    assert ended("$S decode nothing 2>/dev/full").returncode == 2


def test_a_stream_that_the_caller_closed_stops_no_command() -> None:
    assert (ended("$S decode >&-").returncode, ended("$S decode >&-").stderr) == (0, b"")
    assert ended("$S decode 2>&-").returncode == 0
    closed = ended("$S decode <&-")
    assert (closed.returncode, b"contains no UCP frame" in closed.stderr) == (2, True)


def test_pipes_that_the_caller_opened_are_decoded(tmp_path: Path) -> None:
    for name in ("-", "/dev/stdin", ""):
        assert ended(f"$S decode {name}").returncode == 0
    assert b"is a pipe" in ended(f"mkfifo {tmp_path}/p && $S decode {tmp_path}/p").stderr


def test_a_narrow_encoding_shows_escapes_and_json_stays_json(tmp_path: Path) -> None:
    row = "\u00e9\u20ac\U0001f600,2026-03-02T01:00:00Z,2026-03-02T09:00:00Z,total,no\n"
    (tmp_path / "t.csv").write_text(f"ticket,start,end,scope,planned\n{row}", "utf-8")
    line = f"$S judge outages {tmp_path}/t.csv --from 2026-03-01 --to 2026-04-01 --tz UTC"
    output = ended(f"{line}", env={"PYTHONIOENCODING": "ascii"})
    assert output.returncode == 1
    assert b"\\u20ac\\ud83d\\ude00" in output.stdout.replace(b"\n", b"").replace(b" ", b"")
    shown = json.loads(ended(f"{line} --json", env={"PYTHONIOENCODING": "ascii"}).stdout)
    assert "\u00e9\u20ac\U0001f600" in json.dumps(shown, ensure_ascii=False)


def test_an_interrupt_is_no_failed_finding() -> None:
    program = (
        "import sys, simbench.cli.main as m\n"
        "def stop(*_, **__): raise KeyboardInterrupt\n"
        "m.cli.commands['decode'].callback = stop\nsys.argv = ['simbench', 'decode']\nm.main()\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], input=FRAME, capture_output=True, timeout=DEADLINE_S, check=False
    )
    assert (output.returncode, output.stderr) == (3, b"simbench: interrupted\n")


def test_names_that_are_no_text_are_written_into_pages_and_json(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff\xfe.csv")
    odd.write_text("month,code,delivered\n2016-10,36010,100000\n")
    (tmp_path / "acts.toml").write_text('[[codes]]\ncode = "36010"\nopened = 2016-10-05\n')
    output = subprocess.run(
        [*SIMBENCH, "bill", str(odd), "--acts", str(tmp_path / "acts.toml"), "-o", str(tmp_path / "out")],
        capture_output=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert output.returncode == 0, output.stderr
    assert "\\\\udcff" in (tmp_path / "out" / "invoices.json").read_text("utf-8")
