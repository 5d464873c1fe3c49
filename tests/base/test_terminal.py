"""External text cannot control the terminal; the drawing of commands still can."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.terminal import OwnOutput, harmless
from tests.cli.child import simbench


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J\x1b[1;1H", "\\x1b[2J\\x1b[1;1H"),
        ("\x9b31m", "\\u009b31m"),
        ("\x1b[8mhidden\x1b[0;8m", "\\x1b[8mhidden\\x1b[0;8m"),
        ("abc\rxyz", "abc\\rxyz"),
        ("right\u202eleft", "right\\u202eleft"),
        ("line\r\n", "line\r\n"),
        ("\r\x1b[Kprogress", "\r\x1b[Kprogress"),
        ("progress  \r", "progress  \r"),
        ("\x1b[1;31mred\x1b[0m\ttab\n", "\x1b[1;31mred\x1b[0m\ttab\n"),
        ("é €", "é €"),
    ],
)
def test_what_steers_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text())
def test_written_out_text_has_no_control_left_and_stays_as_it_is(text: str) -> None:
    shown = harmless(text)
    assert harmless(shown) == shown
    assert not set(shown) & {chr(n) for n in (*range(9), 11, 12, *range(14, 27), *range(28, 32), *range(127, 160))}


def test_octets_are_written_as_they_are() -> None:
    raw = io.BytesIO()
    stream = OwnOutput(io.TextIOWrapper(raw, encoding="utf-8"))
    stream.buffer.write(b"\x02\x1b\x03")
    stream.flush()
    assert raw.getvalue() == b"\x02\x1b\x03"


def test_a_text_from_the_wire_does_not_set_the_title_of_the_window(tmp_path: Path) -> None:
    frame = simbench("encode", "51", "O", "AdC=0639980001", "OAdC=36010", "MT=3", "Msg=1B5D303B7469746C6507").stdout
    (tmp_path / "frames.txt").write_text(frame)
    ended = simbench("decode", tmp_path / "frames.txt")
    assert ended.returncode == 0, ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr
    assert "\x07" not in ended.stdout + ended.stderr


def test_files_and_folders_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    ended = simbench("run", "scenarios/year/01_quiet_day.toml", "-o", tmp_path / "run")
    assert ended.returncode == 0, ended.stderr
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "run").rglob("*")}
    assert modes
    assert not {path: oct(mode) for path, mode in modes.items() if mode & 0o077}
