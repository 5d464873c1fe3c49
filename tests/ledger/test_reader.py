"""Reading a run: damage is reported in one line, and a table can be taken away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import LedgerError
from simbench.cli.main import cli
from simbench.ledger import Ledger, MemoryLedger, RunInfo, export_parquet, open_run
from simbench.ledger.columns import schema
from simbench.ledger.info import FORMAT, Times, read_info
from simbench.ledger.rows import TABLES
from tests.ledger.samples import BASE, as_rows, child, decided, wire


def read_all(folder: Path) -> list[int]:
    run = open_run(folder)
    return [run.table(name).num_rows for name in TABLES]


def one_line(folder: Path) -> str:
    with pytest.raises(LedgerError) as reported:
        read_all(folder)
    assert "\n" not in str(reported.value)
    return str(reported.value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    with Ledger.create(folder, RunInfo(run="whole")) as ledger:
        for number in range(300):
            ledger.wire.append(wire(BASE + number))
            ledger.centre.append(decided(BASE + number))
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    assert "no such folder" in one_line(tmp_path / "nowhere")


def test_an_empty_folder_is_reported(tmp_path: Path) -> None:
    assert "run.json" in one_line(tmp_path)


def test_a_folder_without_ledger_files_is_refused(copy: Path) -> None:
    for path in copy.glob("*.parquet"):
        path.unlink()
    assert "no ledger file" in one_line(copy)


def test_a_ledger_of_the_older_form_is_refused_as_such(copy: Path) -> None:
    (copy / "run.json").write_text((copy / "run.json").read_text().replace(f'"format": {FORMAT}', '"format": 1'))
    (copy / "ledger-0001.duckdb").write_bytes(b"whatever")
    assert "a ledger of an older form" in one_line(copy)


@pytest.mark.parametrize(
    "columns",
    [
        {"instant": [1]},
        {"at": [1], "session": [1], "direction": ["in"], "octets": [b""]},
        {"at": ["1"], "session": [1], "direction": ["in"], "octets": [b""], "n": [0]},
    ],
)
@pytest.mark.parametrize("kind", [".parquet", ".arrows"])
def test_a_foreign_table_is_refused(copy: Path, columns: dict[str, list[object]], kind: str) -> None:
    foreign = pa.table(columns)
    (copy / "wire-0001.parquet").unlink()
    if kind == ".parquet":
        pq.write_table(foreign, copy / "wire-0001.parquet")
    else:
        with pa.OSFile(str(copy / "wire-0001.arrows"), "wb") as sink, pa.ipc.new_stream(sink, foreign.schema) as stream:
            stream.write_table(foreign)
    assert "does not contain the table wire" in one_line(copy)


@pytest.mark.parametrize("kind", [".parquet", ".arrows"])
@pytest.mark.parametrize("wrong", [{"at": pa.array([None], pa.int64())}, {"direction": b"\xff"}])
def test_a_value_that_no_column_may_hold_is_refused(copy: Path, wrong: dict[str, Any], kind: str) -> None:
    wanted = schema(TABLES["wire"])
    row = dict(zip(wanted.names, ([1], [1], [b"in"], [b""], [0]), strict=True))
    arrays = [
        found
        if isinstance(found := wrong.get(field.name), pa.Array)
        else _text(found)
        if found is not None
        else pa.array(row[field.name]).cast(field.type)
        for field in wanted
    ]
    table = pa.Table.from_arrays(arrays, schema=wanted)
    (copy / "wire-0001.parquet").unlink()
    if kind == ".parquet":
        pq.write_table(table, copy / "wire-0001.parquet")
    else:
        with pa.OSFile(str(copy / "wire-0001.arrows"), "wb") as sink, pa.ipc.new_stream(sink, wanted) as stream:
            stream.write_table(table)
    one_line(copy)


def _text(octets: bytes) -> pa.Array:
    """Return a text column of one row with these octets."""
    edges = pa.py_buffer(np.array([0, len(octets)], np.int32))
    return pa.Array.from_buffers(pa.string(), 1, [None, edges, pa.py_buffer(octets)])


def test_a_file_missing_in_the_middle_is_reported(copy: Path) -> None:
    for name in TABLES:
        shutil.copy(copy / f"{name}-0001.parquet", copy / f"{name}-0003.parquet")
    assert "-0002 is missing" in one_line(copy)


def test_rows_missing_from_a_closed_run_are_reported(copy: Path) -> None:
    path = copy / "wire-0001.parquet"
    found = pq.read_table(path)
    pq.write_table(found.filter(pc.not_equal(found["n"], 17)), path)
    assert "299 rows in wire" in one_line(copy)


def test_a_link_or_a_program_in_a_ledger_is_never_followed(copy: Path, tmp_path: Path) -> None:
    """A foreign run folder: a table that is not one of ours is rejected without reading it."""
    secret = tmp_path / "secret.csv"
    secret.write_text("at,session,direction,octets,n\n1,1,in,secret,0\n")
    (copy / "wire-0001.parquet").unlink()
    (copy / "wire-0001.parquet").symlink_to(secret)
    assert "secret" not in one_line(copy).replace(str(copy), "")
    (copy / "wire-0001.parquet").unlink()
    with duckdb.connect(copy / "wire-0001.parquet") as connection:
        connection.execute(f"create view wire as select * from '{secret}'")  # noqa: S608 - a test's own
    one_line(copy)


def test_a_run_of_another_format_is_reported(copy: Path) -> None:
    text = (copy / "run.json").read_text()
    (copy / "run.json").write_text(text.replace(f'"format": {FORMAT}', '"format": 99'))
    assert "format 99" in one_line(copy)


def test_a_run_that_another_program_is_writing_is_reported(tmp_path: Path) -> None:
    source = (
        "import sys\nfrom pathlib import Path\nfrom simbench.ledger import Ledger, RunInfo\n"
        "ledger = Ledger.create(Path(sys.argv[1]), RunInfo(run='busy'))\nledger.flush()\n"
        "print('ready', flush=True)\nsys.stdin.read()\n"
    )
    process = child(source, str(tmp_path))
    assert process.stdout is not None
    process.stdout.readline()
    try:
        assert "another program is writing it" in one_line(tmp_path)
    finally:
        process.communicate()


def test_a_run_still_being_written_here_points_to_its_snapshot(tmp_path: Path) -> None:
    with Ledger.create(tmp_path, RunInfo(run="own")) as ledger:
        ledger.flush()
        assert "snapshot" in one_line(tmp_path)


SAME_FOLDER = settings(max_examples=40)


@SAME_FOLDER
@given(data=st.data())
def test_a_file_cut_short_is_reported(whole: Path, copy: Path, data: st.DataObject) -> None:
    octets = (whole / "wire-0001.parquet").read_bytes()
    (copy / "wire-0001.parquet").write_bytes(octets[: data.draw(st.integers(0, len(octets) - 1))])
    one_line(copy)


@SAME_FOLDER
@given(data=st.data(), octet=st.integers(1, 255))
def test_a_damaged_octet_is_reported_or_harmless(whole: Path, copy: Path, data: st.DataObject, octet: int) -> None:
    octets = bytearray((whole / "wire-0001.parquet").read_bytes())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= octet
    (copy / "wire-0001.parquet").write_bytes(octets)
    try:
        assert read_all(copy) == read_all(whole)
    except LedgerError as reported:
        assert "\n" not in str(reported)  # noqa: PT017 - both outcomes are right


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of several batches after its process was killed."""
    folder = tmp_path_factory.mktemp("killed")
    process = child(KILLED, str(folder))
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.kill()
    process.communicate()
    return folder


KILLED = """
import sys
from pathlib import Path
from simbench.ledger import Ledger, RunInfo
ledger = Ledger.create(Path(sys.argv[1]), RunInfo(run="killed"))
for number in range(10):
    ledger.wire.extend((1_475_474_400_000_000 + number, 1, "in", bytes([number]) * 30) for _ in range(10))
    ledger.flush()
print("written", flush=True)
sys.stdin.read()
"""


@SAME_FOLDER
@given(data=st.data())
def test_a_segment_cut_anywhere_is_read_to_its_last_whole_batch_and_the_rest_is_counted(
    killed: Path, tmp_path: Path, data: st.DataObject
) -> None:
    shutil.copytree(killed, tmp_path / "cut", dirs_exist_ok=True)
    path = tmp_path / "cut" / "wire-0001.arrows"
    octets, problems = path.read_bytes(), list[str]()
    cut = data.draw(st.integers(0, len(octets)))
    path.write_bytes(octets[:cut])
    run = open_run(tmp_path / "cut", problems.append)
    assert run.wire["octets"].to_pylist() == [bytes([row // 10]) * 30 for row in range(run.wire.num_rows)]
    assert run.wire.num_rows % 10 == 0
    left_out = int(problems[0].split("killed; ")[1].split()[0]) if problems else 0
    path.write_bytes(octets[: cut - left_out])
    whole = open_run(tmp_path / "cut", problems.append)
    assert (whole.wire.num_rows, len(problems)) == (run.wire.num_rows, min(left_out, 1))


@SAME_FOLDER
@given(data=st.data(), octet=st.integers(1, 255))
def test_a_damaged_octet_of_a_segment_is_reported_or_harmless(
    killed: Path, tmp_path: Path, data: st.DataObject, octet: int
) -> None:
    shutil.copytree(killed, tmp_path / "bad", dirs_exist_ok=True)
    path = tmp_path / "bad" / "wire-0001.arrows"
    octets, problems = bytearray(path.read_bytes()), list[str]()
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= octet
    path.write_bytes(octets)
    try:
        run = open_run(tmp_path / "bad", problems.append)
        assert run.wire.num_rows <= 100
        run.wire.to_pylist()
        assert run.wire.num_rows == 100 or problems
    except LedgerError as refused:
        assert "\n" not in str(refused)  # noqa: PT017 - both outcomes are right


def test_a_killed_run_reads_the_same_packed(killed: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(killed, tmp_path / "packed"))
    before = open_run(folder).wire
    assert CliRunner().invoke(cli, ["ledger", "pack", str(folder)]).output == f"6 segments packed: {folder}\n"
    assert not list(folder.glob("*.arrows"))
    assert open_run(folder).wire.equals(before)
    assert pq.read_table(folder / "wire-0001.parquet").equals(before)
    assert CliRunner().invoke(cli, ["ledger", "pack", str(folder)]).output == f"packed already: {folder}\n"


@SAME_FOLDER
@given(octets=st.binary(max_size=200) | st.text().map(str.encode))
def test_a_run_json_that_is_none_is_reported(copy: Path, octets: bytes) -> None:
    (copy / "run.json").write_bytes(octets)
    one_line(copy)


def test_without_empties_one_table_and_leaves_the_others(whole: Path) -> None:
    run = open_run(whole)
    stripped = run.without("centre")
    assert stripped.centre.num_rows == 0
    assert stripped.centre.schema == run.centre.schema
    assert stripped.wire.equals(run.wire)
    assert stripped.without("wire").wire.num_rows == 0
    assert run.centre.num_rows == 300


def test_a_table_that_does_not_exist_is_a_mistake_of_the_caller() -> None:
    run = open_run(MemoryLedger())
    with pytest.raises(ValueError, match="no table"):
        run.without("center")
    with pytest.raises(ValueError, match="no table"):
        run.table("center")


def test_rows_of_one_instant_keep_the_order_of_appending() -> None:
    ledger = MemoryLedger()
    for at, message in ((5, 0), (3, 1), (5, 2), (3, 3), (4, 4)):
        ledger.centre.append(decided(at, message))
    assert open_run(ledger).centre["message"].to_pylist() == [1, 3, 4, 0, 2]


def test_tables_are_read_once_and_kept(whole: Path) -> None:
    run = open_run(whole)
    assert run.wire is run.wire


def test_parquet_holds_the_same_tables(whole: Path, tmp_path: Path) -> None:
    run = open_run(whole)
    paths = export_parquet(run, tmp_path / "export")
    again = open_run(tmp_path / "export")
    assert again.info == run.info
    for path, name in zip(paths, TABLES, strict=True):
        assert pq.read_table(path).equals(run.table(name))
        assert again.table(name).equals(run.table(name))


def test_parquet_into_a_place_that_is_no_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError):
        export_parquet(open_run(MemoryLedger()), tmp_path / "file")


def test_an_empty_ledger_has_six_empty_tables(tmp_path: Path) -> None:
    Ledger.create(tmp_path, RunInfo(run="empty")).close()
    assert read_all(tmp_path) == [0, 0, 0, 0, 0, 0]
    assert as_rows(open_run(tmp_path), "wire") == []


def test_the_times_of_an_older_run_stand_beside_its_other_keys(tmp_path: Path) -> None:
    times = Times("2026-11-29T10:00:00Z", 5, 7)
    (tmp_path / "run.json").write_text(json.dumps({"run": "old", **msgspec.structs.asdict(times), "format": FORMAT}))
    assert read_info(tmp_path) == RunInfo(run="old", times=times)
