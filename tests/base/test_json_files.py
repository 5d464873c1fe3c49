"""Documents: written whole or not at all, through links and into devices, and refused in one line."""

from __future__ import annotations

import os
import resource
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput, LedgerError, Trouble
from simbench.base.json_files import indented, read_json, write_json, write_octets
from simbench.base.outputs import MANIFEST, adopt

JSON = st.recursive(st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.text(), st.lists, max_leaves=9)


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something a run might keep."""

    name: str
    count: int = 0


@given(JSON)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.getbasetemp() / "kept.json"
    path.unlink(missing_ok=True)
    write_json(path, value)
    assert path.read_bytes() == indented(value) + b"\n"
    assert read_json(path, object, "a file", "JSON") == value


def test_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "b.json", Kept("x", 1))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]
    assert read_json(tmp_path / "a" / "b.json", Kept, "a file", "JSON") == Kept("x", 1)


def test_a_link_is_written_through_and_a_pipe_is_written_into(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "file")
    write_octets(tmp_path / "link", b"one")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "far" / "file").read_bytes() == b"one"
    os.mkfifo(tmp_path / "pipe")
    came: list[bytes] = []
    reader = threading.Thread(target=lambda: came.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_octets(tmp_path / "pipe", b"two")
    reader.join(120)
    assert came == [b"two"]


@pytest.mark.parametrize("place", [".", "a folder", "a file/below"])
def test_a_path_that_no_file_can_have_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a folder").mkdir()
    Path("a file").write_text("")
    with pytest.raises(BadInput, match="expected a file that can be written") as refused:
        write_octets(Path(place), b"x")
    assert "\n" not in str(refused.value)


def test_no_room_is_the_machines_fault_and_leaves_the_old_file(tmp_path: Path) -> None:
    adopt(tmp_path)
    path = tmp_path / "kept.json"
    write_octets(path, b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(Trouble, match="File too large"):
            write_octets(path, bytes(100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert {each.name for each in tmp_path.iterdir()} == {path.name, MANIFEST}


@given(st.binary(max_size=7))  # the shortest that is one has ten
def test_octets_that_are_no_such_document_are_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, octets: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(octets)
    with pytest.raises(LedgerError, match="expected what was kept") as refused:
        read_json(path, Kept, "a file", "what was kept", LedgerError)
    assert "\n" not in str(refused.value)
    with pytest.raises(BadInput, match="No such file") as missing:
        read_json(path.with_name("nowhere"), Kept, "a file", "what was kept")
    assert str(missing.value).endswith("expected a file")
