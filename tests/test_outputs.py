"""Nothing simbench did not write itself is replaced or removed: the one mechanism, and a fence around the rest."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from stat import S_IMODE

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fake_smsc
import simbench
from simbench.base.errors import BadInput
from simbench.base.json_files import write_octets
from simbench.base.outputs import (
    MANIFEST,
    adopt,
    check_folder,
    claim,
    grow,
    record,
    remove,
    remove_folder,
    replacing,
)


def test_a_folder_with_somebody_elses_file_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput) as refused:
        claim(tmp_path)
    expected = f"-o {tmp_path}: holds thesis.txt, which simbench did not write; expected a new or empty folder"
    assert str(refused.value) == expected
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


def test_new_and_empty_folders_and_simbenchs_own_are_taken(tmp_path: Path) -> None:
    claim(tmp_path)
    claim(tmp_path / "new" / "below")
    write_octets(tmp_path / "report.html", b"one")
    claim(tmp_path)
    write_octets(tmp_path / "report.html", b"two")
    assert (tmp_path / "report.html").read_bytes() == b"two"


def test_a_file_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadInput, match="Not a directory"):
        check_folder(tmp_path / "file")


@pytest.mark.parametrize("claimed", [False, True])
def test_a_file_nobody_recorded_is_not_replaced(tmp_path: Path, claimed: bool) -> None:
    if claimed:
        claim(tmp_path)
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(BadInput, match=r"report.html: exists, and simbench did not write it; expected another name"):
        write_octets(tmp_path / "report.html", b"theirs")
    assert (tmp_path / "report.html").read_text() == "mine"


def test_a_file_changed_by_hand_is_not_replaced(tmp_path: Path) -> None:
    claim(tmp_path)
    write_octets(tmp_path / "report.html", b"theirs")
    (tmp_path / "report.html").write_text("theirs, with my remarks")
    with pytest.raises(BadInput, match="was changed since simbench wrote it"):
        write_octets(tmp_path / "report.html", b"new")
    assert (tmp_path / "report.html").read_text() == "theirs, with my remarks"


def test_what_was_removed_and_made_anew_by_somebody_is_his(tmp_path: Path) -> None:
    claim(tmp_path)
    write_octets(tmp_path / "findings.json", b"{}")
    remove(tmp_path / "findings.json")
    assert not (tmp_path / "findings.json").exists()
    (tmp_path / "findings.json").write_text("{}")
    with pytest.raises(BadInput, match="simbench did not write it"):
        write_octets(tmp_path / "findings.json", b"{}")


def test_a_link_to_somebody_elses_file_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    (tmp_path / "out").mkdir()
    claim(tmp_path / "out")
    (tmp_path / "out" / "report.html").symlink_to(tmp_path / "thesis.txt")
    with pytest.raises(BadInput, match="simbench did not write it"):
        write_octets(tmp_path / "out" / "report.html", b"theirs")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_neighbours_with_names_of_parts_and_copies_stay(tmp_path: Path) -> None:
    neighbours = {name: f"my {name}" for name in ("x.json.part", "x.json.new", "x.json.tmp", f"{MANIFEST}-1-0")}
    for name, text in neighbours.items():
        (tmp_path / name).write_text(text)
    (tmp_path / f"{MANIFEST}-{os.getpid()}-0").write_text("mine")
    write_octets(tmp_path / "x.json", b"{}")
    assert {name: (tmp_path / name).read_text() for name in neighbours} == neighbours
    assert (tmp_path / f"{MANIFEST}-{os.getpid()}-0").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == len(neighbours) + 2


def test_a_file_that_comes_while_another_is_written_stays(tmp_path: Path) -> None:
    replacement = replacing(tmp_path / "x")
    part = replacement.__enter__()
    part.write_text("theirs")
    (tmp_path / "x").write_text("mine")
    with pytest.raises(BadInput, match="File exists"):
        replacement.__exit__(None, None, None)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["mine"]


def test_only_an_empty_file_is_filled_without_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "made by mktemp").touch()
    write_octets(tmp_path / "made by mktemp", b"x")
    assert (tmp_path / "made by mktemp").read_bytes() == b"x"


def test_a_file_that_grows_is_simbenchs_until_it_is_removed(tmp_path: Path) -> None:
    claim(tmp_path)
    grow(tmp_path / "journal")
    (tmp_path / "journal").write_text("line\n")
    grow(tmp_path / "journal")
    remove(tmp_path / "journal")
    (tmp_path / "journal").write_text("mine")
    with pytest.raises(BadInput, match="simbench did not write it"):
        grow(tmp_path / "journal")
    remove(tmp_path / "journal")
    assert (tmp_path / "journal").read_text() == "mine"


def test_a_folder_is_emptied_of_what_it_lists_and_goes_when_nothing_else_is_left(tmp_path: Path) -> None:
    claim(tmp_path / "index")
    for name in ("a", "b"):
        write_octets(tmp_path / "index" / name, name.encode())
    (tmp_path / "index" / "mine").write_text("mine")
    remove_folder(tmp_path / "index")
    assert {each.name for each in (tmp_path / "index").iterdir()} == {MANIFEST, "mine"}
    (tmp_path / "index" / "mine").unlink()
    remove_folder(tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_a_folder_without_a_manifest_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    remove_folder(tmp_path)
    assert (tmp_path / "a").read_text() == "mine"


def test_what_a_library_wrote_can_be_recorded(tmp_path: Path) -> None:
    claim(tmp_path)
    (tmp_path / "junit.xml").write_text("<testsuites/>")
    record(tmp_path / "junit.xml")
    write_octets(tmp_path / "junit.xml", b"<testsuites></testsuites>")
    assert (tmp_path / "junit.xml").read_bytes() == b"<testsuites></testsuites>"


@given(st.binary(max_size=300))
def test_no_manifest_however_torn_lets_somebodys_file_be_replaced(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(octets)
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(BadInput):
        write_octets(tmp_path / "report.html", b"theirs")
    assert (tmp_path / "report.html").read_text() == "mine"


def test_a_manifest_does_not_grow_with_the_same_file_written_again(tmp_path: Path) -> None:
    claim(tmp_path)
    write_octets(tmp_path / "a", b"a")
    before = (tmp_path / MANIFEST).read_text()
    write_octets(tmp_path / "a", b"a")
    assert (tmp_path / MANIFEST).read_text() == before


def test_a_manifest_that_exists_is_not_begun_anew(tmp_path: Path) -> None:
    claim(tmp_path)
    write_octets(tmp_path / "a", b"a")
    adopt(tmp_path)
    assert "  a\n" in (tmp_path / MANIFEST).read_text()


WRITERS = {
    "write_text", "write_bytes", "unlink", "rename", "rmdir", "rmtree", "write_table", "truncate", "copyfile", "copy",
    "copytree", "tofile", "savefig", "new_file", "OSFile",
}  # fmt: skip
OF_MODULES = {"move", "copy", "copy2", "remove", "link", "replace"}  # of os and shutil
GIVEN = {"part", "fresh", "sink", "buffer", "pages"}  # what `replacing` gave, or a buffer
ELSEWHERE = {
    "ledger.write_table('minute', table)": "rows into a ledger, whose folder is claimed",
    "ledger.write_table('minute', minutes_of(world, code, some))": "as above",
    "ledger.write_table('centre', table)": "as above",
    "pq.write_table(pa.table(table), path)": "called with what `replacing` gave",
    "os.truncate(path, whole)": "a sweep's own journal, checked before",
    "owned(folder / JOURNAL, 'ab')": "recorded with `grow` before",
    "owned(folder / '.lock', 'a')": "nothing is written into it",
    "(jit.cache_folder() / _LOCK).open('wb')": "a lock in the cache of compiled kernels; nothing is written into it",
    "os.link(log, here)": "never onto a file that exists",
    "os.replace(new, folder / OFFSET_FILE)": "below runs/, which is new",
    "owned(here, 'xb')": "only a file that is new",
    "owned(path, 'xb', buffering=1 << 16)": "only a file that is new",
    "(folder / NAME).open('x')": "only a file that is new",
    "path.open('x', encoding='utf-8')": "only a file that is new",
    "owned(path, 'a', encoding='utf-8', buffering=1)": "the log somebody named, added to; refused when it is no log",
    "pa.OSFile(str(path))": "read only",
    "writer.write_table(pa.Table.from_batches(group), row_group_size=rows)": "into what `replacing` gave",
    "writer.write_table(pa.Table.from_batches(group, schema(table)), row_group_size=max(rows, 1))": "as above",
    "segment.unlink(missing_ok=True)": "a segment that was read as one, and stands in Parquet now",
    "os.truncate(path, segment.whole)": "a segment that was read as one, of a run that goes on: what a kill cut off",
    "path.write_bytes(stream_head(table))": "as above, where not even its head is whole",
    "self._statuses.tofile(path.with_suffix('.statuses'))": "recorded with `grow` before",
    "(folder / name).rename(aside / name)": "moved into a new folder, all of it kept",
    "(self.plan.folder / RUNS / exercise.name).rename(aside / str(len(earlier)))": "as above",
    "file.write_text(configuration(target, ports, self._secret), 'ascii')": "below runs/, which is new",
    "owned(log, 'ab')": "below runs/, which is new",
    "new.write_text(f'{offset_s:+.6f}\\n', 'ascii')": "below runs/, which is new",
    "(task.folder / name).write_bytes(octets)": "into a folder that was claimed as new in the lines above it",
    "shutil.rmtree(temporary, ignore_errors=True)": "a folder that `tempfile.mkdtemp` made for the same call",
}


def calls_that_write() -> set[str]:
    """Every call in the two packages, `simbench.base.outputs` left out, that could replace or remove a file."""
    found = set()
    for package in (simbench, fake_smsc):
        for path in Path(package.__file__ or "").parent.rglob("*.py"):
            if path.name == "outputs.py":
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and writes(node):
                    found.add(ast.unparse(node))
    return found


def writes(call: ast.Call) -> bool:
    """Tell whether a call could change a file that does not come from `replacing`."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    receiver = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    given = {
        receiver.split(".")[0],
        *(each.id for arg in call.args for each in ast.walk(arg) if isinstance(each, ast.Name)),
    }
    if name in {"open", "owned"}:
        modes = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        return any(set(mode) & set("wax+") and len(mode) < 4 for mode in modes) and not given & GIVEN
    if name in OF_MODULES:
        return receiver in {"os", "shutil"}
    return name in WRITERS and not given & GIVEN and receiver not in {"formatter", "self"}


def test_every_call_that_could_replace_a_file_is_known_with_its_reason() -> None:
    assert calls_that_write() - set(ELSEWHERE) == set()


def test_new_files_are_their_owner_s_whatever_the_caller_s_mask(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        claim(tmp_path / "out")
        write_octets(tmp_path / "out" / "new", b"x")
        write_octets(tmp_path / "evidence" / "purpose" / "new", b"x")
        own = tmp_path / "own.toml"
        own.write_bytes(b"x")
        own.chmod(0o640)
        with replacing(own, edited=True) as part:
            part.write_bytes(b"y")
    finally:
        os.umask(mask)
    modes = [S_IMODE(path.stat().st_mode) for path in (tmp_path / "out", tmp_path / "out" / "new", own)]
    assert modes == [0o700, 0o600, 0o640]
    folders = tmp_path / "evidence", tmp_path / "evidence" / "purpose"
    assert [S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700] * 2
    assert own.read_bytes() == b"y"
