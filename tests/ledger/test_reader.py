"""Facts about reading a run: damage is told in one line, and a table can be taken away."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import LedgerError
from simbench.ledger import Ledger, MemoryLedger, RunInfo, export_parquet, open_run
from simbench.ledger.rows import TABLES
from tests.ledger.samples import BASE, as_rows, child, decided, wire


def read_all(folder: Path) -> list[int]:
    run = open_run(folder)
    return [run.table(name).num_rows for name in TABLES]


def one_line(folder: Path) -> str:
    with pytest.raises(LedgerError) as told:
        read_all(folder)
    assert "\n" not in str(told.value)
    return str(told.value)


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


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    assert "no such folder" in one_line(tmp_path / "nowhere")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    assert "run.json" in one_line(tmp_path)


def test_a_folder_without_ledger_files_is_told(copy: Path) -> None:
    (copy / "ledger-0001.duckdb").unlink()
    assert "no ledger file" in one_line(copy)


def test_a_foreign_duckdb_file_is_told(copy: Path) -> None:
    (copy / "ledger-0001.duckdb").unlink()
    with duckdb.connect(copy / "ledger-0001.duckdb") as connection:
        connection.execute("create table wire (instant bigint)")
    assert "no table wire of ours" in one_line(copy)


def test_a_file_missing_in_the_middle_is_told(copy: Path) -> None:
    shutil.copy(copy / "ledger-0001.duckdb", copy / "ledger-0003.duckdb")
    assert "without ledger-0002.duckdb" in one_line(copy)


def test_rows_missing_from_a_closed_run_are_told(copy: Path) -> None:
    with duckdb.connect(copy / "ledger-0001.duckdb") as connection:
        connection.execute("delete from wire where n = 17")
    assert "299 rows in wire" in one_line(copy)


def test_a_run_of_another_format_is_told(copy: Path) -> None:
    text = (copy / "run.json").read_text()
    (copy / "run.json").write_text(text.replace('"format": 1', '"format": 99'))
    assert "format 99" in one_line(copy)


def test_a_run_that_another_program_is_writing_is_told(tmp_path: Path) -> None:
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
def test_a_file_cut_short_is_told(whole: Path, copy: Path, data: st.DataObject) -> None:
    octets = (whole / "ledger-0001.duckdb").read_bytes()
    (copy / "ledger-0001.duckdb").write_bytes(octets[: data.draw(st.integers(0, len(octets) - 1))])
    one_line(copy)


@SAME_FOLDER
@given(data=st.data(), octet=st.integers(1, 255))
def test_a_damaged_octet_is_told_or_harmless(whole: Path, copy: Path, data: st.DataObject, octet: int) -> None:
    octets = bytearray((whole / "ledger-0001.duckdb").read_bytes())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= octet
    (copy / "ledger-0001.duckdb").write_bytes(octets)
    try:
        assert read_all(copy) == read_all(whole)
    except LedgerError as told:
        assert "\n" not in str(told)  # noqa: PT017 - both outcomes are right


@SAME_FOLDER
@given(octets=st.binary(max_size=200) | st.text().map(str.encode))
def test_a_run_json_that_is_none_is_told(copy: Path, octets: bytes) -> None:
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
    assert [path.stem for path in paths] == list(TABLES)
    for path in paths:
        assert pq.read_table(path).equals(run.table(path.stem))
    assert (tmp_path / "export" / "run.json").exists()


def test_parquet_into_a_place_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError):
        export_parquet(open_run(MemoryLedger()), tmp_path / "file")


def test_an_empty_ledger_has_six_empty_tables(tmp_path: Path) -> None:
    Ledger.create(tmp_path, RunInfo(run="empty")).close()
    assert read_all(tmp_path) == [0, 0, 0, 0, 0, 0]
    assert as_rows(open_run(tmp_path), "wire") == []
