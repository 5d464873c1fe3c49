"""Only regular files are opened, and what is read at once is bounded."""

from __future__ import annotations

import ast
import io
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

import simbench
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


def test_a_file_without_a_size_is_bounded_too() -> None:
    size = len(read_octets(Path("/proc/self/maps"), 1 << 24))
    with pytest.raises(OSError, match="has more than 10 octets"):
        read_octets(Path("/proc/self/maps"), 10)
    assert size > 10


def test_a_line_without_an_end_is_refused_by_its_number() -> None:
    with pytest.raises(OSError, match="line 3 has more than"):
        list(bounded_lines(io.StringIO("a\nb\n" + "c" * LONGEST_LINE)))
    assert list(bounded_lines(io.BytesIO(b"a\n" + b"b" * (LONGEST_LINE - 1)))) == [b"a\n", b"b" * (LONGEST_LINE - 1)]


OPENERS = {"open", "read_bytes", "read_text", "ParquetFile", "read_schema", "memory_map", "OSFile"}
OWN = {  # calls that open something else than what a user named, or something that was opened here before
    "api/reports.py": "a report that was written by the same call",
    "api/runs.py": "a run that was made by the same call",
    "base/inputs.py": "the place itself",
    "base/outputs.py": "the digest of what `is_file` was asked about",
    "base/parquet_files.py": "after `check_input`",
    "base/terminal.py": "the null device",
    "bench/report/evidence_folders.py": "the log of a client that ran",
    "bench/runner/baseline.py": "what `read_baseline` has read",
    "bench/sut/child_process.py": "/proc, and the log of a child",
    "bench/sut/http.py": "a socket",
    "bench/sut/process_tree.py": "/proc",
    "bench/sut/kannel.py": "a socket, and the log of a child",
    "cli/conform.py": "what was written a line above",
    "cli/contract/new.py": "a template of the package",
    "cli/report.py": "what was written a line above",
    "client/__main__.py": "the null device",
    "client/spool.py": "the spool of the reference client",
    "contract/load.py": "a file of the package",
    "dialup/parquet_records.py": "after its first octets were read",
    "kernels/jit.py": "files of the package, and /proc",
    "ledger/lock.py": "does not wait for a pipe, and reads nothing",
    "ledger/packing.py": "after `check_input`",
    "ledger/segments.py": "after `read_head`; a folder",
    "ledger/store.py": "a new file",
    "numbering/plan.py": "a file of the package",
    "planning/sweep.py": "a journal of our own, by `check_file`",
    "reporting/html.py": "a file of the package",
    "reporting/translations.py": "a file of the package",
    "rulebook.py": "a file of the package",
    "service/console.py": "a file of the package",
    "service/log.py": "what `is_file` was asked about",
    "sla/imports/sources.py": "a kind of file, whose reader opens it",
    "sla/report/page.py": "a file of the package",
}


def opened(path: Path) -> list[str]:
    """The calls of a file that open something for reading."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            modes = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            writes = any(set(mode) & set("wxa") and len(mode) < 4 for mode in modes)
            found += [ast.unparse(node)] * (name in OPENERS and not writes)
    return found


def test_files_are_opened_in_one_place() -> None:
    home = Path(simbench.__file__).parent
    found = {str(path.relative_to(home)): opened(path) for path in home.rglob("*.py")}
    assert {name for name, calls in found.items() if calls} == set(OWN)
