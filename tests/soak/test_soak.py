"""The short soak: it ends with its messages, not with the time, so that a busy machine only makes it longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The log is folded in once or twice while the server gets warm, and more than once after.
SHORT = ("--seconds", "400", "--cut-every", "9", "--frames", "2000", "--warm", "80000", "--messages", "200000")
# So soon, a sound server still grows by up to 15 % (numbers it keeps, the backlog of a busy machine), one that
# leaks by more than 80 %.
GROWN = ("--grown", "0.4")
LEAK = """
from simbench.ledger.buffer import Buffer

drop, kept = Buffer.drop, []


def leaking(self, entries):
    kept.append(entries + [b"row" * 500 * len(entries)])
    drop(self, entries)


Buffer.drop = leaking
"""


def soak(**environment: str) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.soak", *SHORT, *GROWN], env={**os.environ, **environment},
        cwd=ROOT, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    print(ended.stdout, ended.stderr)  # its figures
    return ended


def test_memory_does_not_grow_under_load_and_cuts_once_the_server_is_warm() -> None:
    ended = soak()
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_server_that_keeps_what_it_has_written_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(LEAK)
    ended = soak(PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert ended.returncode == 1
    assert "less than 40% wanted" in ended.stdout
    assert "server ended with status 0" in ended.stdout
