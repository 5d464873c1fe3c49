"""Only regular files are opened, and what is read at once is bounded."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from simbench.base.inputs import LONGEST_LINE, bounded_lines, open_input, read_octets


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (a_pipe, "is a pipe"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "is a device"),
    "a socket": (a_socket, "is a socket"),
    "a folder": (Path.mkdir, "Is a directory"),
    "a loop": (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
    "a dangling link": (lambda path: path.symlink_to("none"), "No such file or directory"),
    "nothing": (lambda _: None, "No such file or directory"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_regular_file_is_refused_before_it_is_opened(kind: str, tmp_path: Path) -> None:
    make, problem = KINDS[kind]
    make(tmp_path / "x")
    with pytest.raises(OSError, match=problem):
        open_input(tmp_path / "x")


@pytest.mark.parametrize("name", ["x" * 256, "a\0b", "/".join(["x" * 200] * 30)])
def test_a_name_that_no_file_can_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"too long|null byte"):
        read_octets(tmp_path / name, 10)


@pytest.mark.parametrize("name", ["x" * 255, os.fsdecode(b"\xff\xfe"), "\x1b[2J", " "])
def test_a_name_of_any_octets_is_opened(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"1")
    assert read_octets(tmp_path / name, 1) == b"1"


def test_a_pipe_put_in_the_place_of_a_file_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "x")
    monkeypatch.setattr("simbench.base.inputs.check_input", lambda _: None)
    with pytest.raises(OSError, match="is a pipe"):
        open_input(tmp_path / "x")


def test_descriptors_of_the_caller_are_read_where_a_reader_reads_once() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"secret\n")
    os.close(writing)
    with pytest.raises(OSError, match="is a pipe"):
        open_input(Path(f"/dev/fd/{reading}"))
    assert read_octets(Path(f"/dev/fd/{reading}"), 100, inherited=True) == b"secret\n"
    os.close(reading)


def test_a_pipe_by_its_name_is_refused_even_there(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")
    with pytest.raises(OSError, match="is a pipe"):
        read_octets(tmp_path / "x", 100, inherited=True)


def test_a_file_larger_than_allowed_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 1 << 36)
    with pytest.raises(OSError, match="has more than 10 octets"):
        read_octets(path, 10)


def test_a_file_that_does_not_say_its_size_is_bounded_all_the_same() -> None:
    size = len(read_octets(Path("/proc/self/maps"), 1 << 24))
    with pytest.raises(OSError, match="has more than 10 octets"):
        read_octets(Path("/proc/self/maps"), 10)
    assert size > 10


def test_a_line_without_an_end_is_refused_by_its_number() -> None:
    with pytest.raises(OSError, match="line 3 has more than"):
        list(bounded_lines(io.StringIO("a\nb\n" + "c" * LONGEST_LINE)))
    assert list(bounded_lines(io.BytesIO(b"a\n" + b"b" * (LONGEST_LINE - 1)))) == [b"a\n", b"b" * (LONGEST_LINE - 1)]
