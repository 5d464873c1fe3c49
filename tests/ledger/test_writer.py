"""Writing a ledger: nothing confirmed is lost, nothing is lost in silence."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from simbench.base.calendar import UTC_CALENDAR
from simbench.base.errors import LedgerError, Trouble
from simbench.base.outputs import MANIFEST
from simbench.ledger import Ledger, MemoryLedger, RunInfo, open_run
from simbench.ledger.buffer import Cells, Coded, Packed
from simbench.ledger.rows import TABLES, Row
from tests.ledger.samples import BASE, as_rows, child, decided, rows_of_all, wire

INFO = RunInfo(run="r1", scenario="01_first", seed=7, versions={"simbench": "0"})


def test_creating_a_ledger_loads_no_database_and_writes_its_description_only(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from simbench.ledger import Ledger, RunInfo\n"
        "Ledger.create(Path(sys.argv[1]), RunInfo(run='r1'))\n"
        "print(*{'duckdb', 'pyarrow'} & sys.modules.keys(), *(path.name for path in Path(sys.argv[1]).iterdir()))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "run")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert sorted(ended.stdout.split()) == [MANIFEST, "run.json", "run.lock"]


@settings(max_examples=15)
@given(rows=rows_of_all())
def test_a_folder_and_memory_give_back_the_same_rows_sorted_by_instant_then_order(rows: dict[str, list[Row]]) -> None:
    memory = MemoryLedger()
    with tempfile.TemporaryDirectory() as folder:
        with Ledger.create(Path(folder), INFO) as ledger:
            for name, given_rows in rows.items():
                for row in given_rows:
                    getattr(ledger, name).append(row)
                    getattr(memory, name).append(row)
        from_disk, from_memory = open_run(Path(folder)), open_run(memory)
        for name, given_rows in rows.items():
            assert as_rows(from_disk, name) == sorted(given_rows, key=lambda row: row[0])  # type: ignore[arg-type, return-value] # instants are ints
            assert from_disk.table(name).equals(from_memory.table(name))


def test_run_json_describes_the_run_while_it_is_written_and_after_closing(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path, INFO)
    ledger.wire.append(wire(BASE))
    ledger.flush()
    begun = ledger.snapshot().info
    assert (begun.run, begun.seed, begun.closed) == ("r1", 7, False)
    assert begun.times.created_at.endswith("Z")
    ledger.close()
    ended = open_run(tmp_path).info
    assert ended.closed
    assert ended.rows == dict.fromkeys(TABLES, 0) | {"wire": 1}
    assert ended.times.wall_ended >= ended.times.wall_started > 0


def test_a_folder_that_holds_a_ledger_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    with Ledger.create(tmp_path, INFO) as ledger:
        ledger.wire.append(wire(BASE))
    with pytest.raises(LedgerError, match="holds a ledger already"):
        Ledger.create(tmp_path, RunInfo(run="r2"))
    assert open_run(tmp_path).info.run == "r1"


def test_a_closed_ledger_is_unlocked_although_a_process_that_starts_has_its_lock_open(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path, INFO)
    inherited = os.dup(ledger._lock._descriptor)  # as between the fork of a process and its own program
    try:
        ledger.close()
        assert open_run(tmp_path).info.closed
    finally:
        os.close(inherited)


def test_a_path_that_cannot_be_a_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(LedgerError) as reported:
            Ledger.create(folder, INFO)
        assert "\n" not in str(reported.value)


def test_a_snapshot_holds_what_was_appended_before_it_and_nothing_later(tmp_path: Path) -> None:
    with Ledger.create(tmp_path, INFO) as ledger:
        ledger.centre.append(decided(BASE + 1))
        early = open_run(ledger)
        ledger.centre.append(decided(BASE))
        late = open_run(ledger)
        assert as_rows(early, "centre") == [decided(BASE + 1)]
        assert as_rows(late, "centre") == [decided(BASE), decided(BASE + 1)]


def test_a_snapshot_of_memory_is_not_moved_by_later_rows() -> None:
    ledger = MemoryLedger()
    ledger.wire.append(wire(BASE))
    early = ledger.snapshot()
    ledger.wire.append(wire(BASE + 1))
    assert early.wire.num_rows == 1


def test_a_callback_comes_only_when_its_rows_are_committed(tmp_path: Path) -> None:
    called: queue.Queue[Callable[[], object]] = queue.Queue()
    with Ledger.create(tmp_path, INFO) as ledger:
        for number in range(20):
            ledger.centre.append(decided(BASE, number))
            ledger.durable_after(lambda: 1, called.put)
            called.get(timeout=300)
            assert ledger.backlog == 0


def test_callbacks_are_handed_over_in_the_order_asked(tmp_path: Path) -> None:
    called: queue.Queue[object] = queue.Queue()
    with Ledger.create(tmp_path, INFO) as ledger:
        for number in range(5):
            ledger.durable_after(lambda number=number: number, lambda callback: called.put(callback()))  # type: ignore[misc] # a lambda with a default
        assert [called.get(timeout=300) for _ in range(5)] == [0, 1, 2, 3, 4]


def test_a_new_file_begins_at_midnight_universal_time(tmp_path: Path) -> None:
    midnight = UTC_CALENDAR.instant(2016, 10, 30)
    with Ledger.create(tmp_path, INFO) as ledger:
        for at in (midnight - 1, midnight, midnight + 1, midnight + 25 * 3600 * 1_000_000):
            ledger.wire.append(wire(at))
            ledger.events.append((at, "tier", "36050", None, "{}"))
            ledger.flush()
    days = [pq.read_table(path)["at"].to_pylist() for path in sorted(tmp_path.glob("wire-*.parquet"))]
    assert days == [[midnight - 1], [midnight, midnight + 1], [midnight + 25 * 3600 * 1_000_000]]
    assert open_run(tmp_path).events["at"].to_pylist() == [at for day in days for at in day]


def test_one_batch_is_cut_at_midnight(tmp_path: Path) -> None:
    midnight = UTC_CALENDAR.instant(2016, 10, 4)
    with Ledger.create(tmp_path, INFO) as ledger:
        ledger.wire.extend(wire(midnight + offset) for offset in range(-50, 50))
    assert len(list(tmp_path.glob("wire-*.parquet"))) == 2
    assert open_run(tmp_path).wire["n"].to_pylist() == list(range(100))


@pytest.mark.parametrize("on_disk", [True, False])
def test_whoever_follows_gets_the_rows_in_pieces_across_files_and_none_twice(tmp_path: Path, on_disk: bool) -> None:
    ledger = Ledger.create(tmp_path, INFO, max_bytes=10_000) if on_disk else MemoryLedger()
    for first in range(0, 30, 10):
        ledger.wire.extend(wire(BASE + first + number, bytes(2_000)) for number in range(10))
        ledger.flush()
    got: list[int] = []
    while piece := ledger.tail("wire", len(got), ["at"], 7).column("at").to_pylist():
        assert len(piece) <= 7
        got += piece
    assert got == [BASE + number for number in range(30)]
    assert ledger.tail("wire", 25, ["at"]).num_rows == 5
    ledger.close()
    assert len(list(tmp_path.glob("wire-*.parquet"))) == (3 if on_disk else 0)


def test_a_new_file_begins_when_one_is_full(tmp_path: Path) -> None:
    with Ledger.create(tmp_path, INFO, max_bytes=10_000) as ledger:
        for number in range(3):
            ledger.wire.append(wire(BASE + number, bytes([number]) * 20_000))
            ledger.flush()
        assert ledger.snapshot().wire.num_rows == 3
    assert len(list(tmp_path.glob("wire-*.parquet"))) == 3
    assert open_run(tmp_path).wire["at"].to_pylist() == [BASE, BASE + 1, BASE + 2]


@pytest.mark.parametrize(
    "row",
    [
        (BASE, 1, "in"),
        (BASE, 1, "in", b"x", "more"),
        (BASE, "one", "in", b"x"),
        (BASE, 1 << 40, "in", b"x"),
        (BASE + 0.5, 1, "in", b"x"),
        (None, 1, "in", b"x"),
        (BASE, 1, None, b"x"),
        (BASE, 1, "\ud800", b"x"),
    ],
    ids=["short", "long", "text-for-number", "too-large", "fraction", "no-instant", "no-direction", "surrogate"],
)
def test_a_row_that_fits_no_column_is_reported_and_the_others_are_kept(tmp_path: Path, row: Row) -> None:
    reported: list[Trouble] = []
    ledger = Ledger.create(tmp_path, INFO, on_trouble=reported.append)
    ledger.wire.extend([wire(BASE), row, wire(BASE + 1)])
    with pytest.raises(Trouble, match="does not fit"):
        ledger.flush()
    ledger.wire.append(wire(BASE + 2))
    ledger.close()
    assert len(reported) == 1
    assert open_run(tmp_path).wire["at"].to_pylist() == [BASE, BASE + 1, BASE + 2]


def test_a_fraction_is_reported_in_a_column_that_may_be_empty_too(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path, INFO, on_trouble=lambda _: None)
    ledger.events.extend((BASE, "outage", "all", until, "{}") for until in (None, BASE + 0.5, BASE + 1))
    with pytest.raises(Trouble, match="does not fit"):
        ledger.flush()
    ledger.close()
    assert open_run(tmp_path).events["until"].to_pylist() == [None, BASE + 1]


def test_a_row_in_memory_that_fits_no_column_is_reported_when_read() -> None:
    ledger = MemoryLedger()
    ledger.timing_error.append((BASE, BASE))
    with pytest.raises(Trouble, match="does not fit"):
        _ = ledger.snapshot().timing_error


def test_rows_appended_after_closing_are_reported(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path, INFO)
    ledger.close()
    ledger.close()
    ledger.wire.append(wire(BASE))
    with pytest.raises(Trouble, match="after the ledger was closed"):
        ledger.close()


def test_a_closed_ledger_promises_no_more_callbacks_and_is_still_read(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path, INFO)
    ledger.wire.append(wire(BASE))
    ledger.close()
    ledger.flush()
    assert ledger.snapshot().wire.num_rows == 1
    with pytest.raises(Trouble, match="closed"):
        ledger.durable_after(lambda: None, lambda _: None)


def test_an_instant_beyond_the_calendar_is_kept(tmp_path: Path) -> None:
    with Ledger.create(tmp_path, INFO) as ledger:
        ledger.wire.append(wire(1 << 61))
    assert open_run(tmp_path).wire["at"].to_pylist() == [1 << 61]


def test_two_hundred_thousand_rows_arrive_numbered_without_a_gap(tmp_path: Path) -> None:
    with Ledger.create(tmp_path, INFO) as ledger:
        append = ledger.centre.append
        for number in range(200_000):
            append(decided(BASE + number // 7, number))
    centre = open_run(tmp_path).centre
    assert centre["n"].to_pylist() == centre["message"].to_pylist() == list(range(200_000))


def block_of(count: int, first: int = 0) -> tuple[int, tuple[Cells, ...]]:
    """Decisions of one instant that have in common what `decided` fixes."""
    numbers = list(range(first, first + count))
    return (count, (BASE, "accepted", 1, "36050", "33639980012", numbers, 0, 0, None, 1, 0, 0))


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_block_leaves_the_rows_it_stands_for_among_others(tmp_path: Path, on_disk: bool) -> None:
    ledger = Ledger.create(tmp_path, INFO) if on_disk else MemoryLedger()
    ledger.centre.append(decided(BASE, 0))
    ledger.centre.append_columns(*block_of(5_000, 1))
    ledger.centre.append_columns(*block_of(1, 5_001))
    ledger.centre.append(decided(BASE, 5_002))
    run = open_run(ledger)
    assert as_rows(run, "centre") == [decided(BASE, number) for number in range(5_003)]
    assert run.centre["n"].to_pylist() == list(range(5_003))
    ledger.close()


@pytest.mark.parametrize("on_disk", [True, False])
def test_columns_of_arrays_leave_the_rows_that_lists_leave(tmp_path: Path, on_disk: bool) -> None:
    numbers, recipients = np.arange(4), np.array([b"33639980012", b"0639980012", b"1", b""])
    codes, sessions = np.array([b"36050", b"36010"])[[0, 1, 1, 0]], np.arange(4, dtype=np.int32)
    cells = (numbers + BASE, "delivered", sessions, codes, recipients, numbers, 1, 0, numbers, 1, 7, numbers)
    listed = [column if not isinstance(column, np.ndarray) else column.tolist() for column in cells]
    listed[3:5] = [[text.decode() for text in column] for column in (codes.tolist(), recipients.tolist())]
    found = []
    for place, columns in ((tmp_path / "arrays", cells), (tmp_path / "lists", tuple(listed))):
        ledger = Ledger.create(place, INFO) if on_disk else MemoryLedger()
        ledger.centre.append_columns(4, columns)
        ledger.centre.append_columns(*block_of(2))
        ledger.centre.append(decided(BASE, 1))
        ledger.flush()
        ledger.centre.append_columns(4, columns)
        ledger.centre.append((BASE, "refused", 1, "36010", "caf\u00e9\0", 0, 0, 4, None, 1, 0, 0))
        found.append(as_rows(open_run(ledger), "centre"))
        ledger.close()
    assert found[0] == found[1]
    assert len(found[0]) == 12


@pytest.mark.parametrize("on_disk", [True, False])
def test_packed_and_coded_columns_leave_the_rows_they_stand_for(tmp_path: Path, on_disk: bool) -> None:
    ledger = Ledger.create(tmp_path, INFO) if on_disk else MemoryLedger()
    octets = np.frombuffer(b"..abc\x00\xff", np.uint8)
    ledger.wire.append(wire(BASE, b"first"))
    ways = Coded(("in", "out"), np.array([1, 0, 0], np.uint8))
    ledger.wire.append_columns(3, (np.arange(3) + BASE, 7, ways, Packed(octets, np.array([2, 5, 5, 7], np.int32))))
    ledger.wire.append_columns(1, (BASE, 8, "in", b"last"))
    names = "é36050".encode()
    kinds = Coded(("accepted", "délivré"), np.array([1, 0]))
    codes = Packed(np.frombuffer(names, np.uint8), np.array([0, 2, 7], np.int32))
    ledger.centre.append_columns(2, (BASE, kinds, 1, codes, "1", 0, 0, 0, Coded((None, 5), np.array([0, 1])), 1, 0, 0))
    run = open_run(ledger)
    assert [row[1:] for row in as_rows(run, "wire")] == [
        (1, "in", b"first"), (7, "out", b"abc"), (8, "in", b"last"), (7, "in", b""), (7, "in", b"\x00\xff")
    ]  # fmt: skip
    assert [(row[1], row[3], row[8]) for row in as_rows(run, "centre")] == [
        ("délivré", "é", None), ("accepted", "36050", 5)
    ]  # fmt: skip
    ledger.close()


@pytest.mark.parametrize("edges", [[0, 9], [1, 0], [-1, 1], [0, 1, 2]])
def test_packed_octets_beyond_their_array_are_reported_and_kept_out(tmp_path: Path, edges: list[int]) -> None:
    ledger = Ledger.create(tmp_path, INFO, on_trouble=lambda _trouble: None)
    packed = Packed(np.frombuffer(b"abc", np.uint8), np.array(edges, np.int32))
    ledger.wire.append_columns(1, (BASE, 1, "in", packed))
    ledger.wire.append(wire(BASE))
    with pytest.raises(Trouble, match="does not fit"):
        ledger.flush()
    ledger.close()
    assert open_run(tmp_path).wire.num_rows == 1


@pytest.mark.parametrize("wrong", [np.array([1.5]), np.array([b"1"])])
def test_an_array_that_does_not_fit_its_column_is_reported_and_kept_out(tmp_path: Path, wrong: np.ndarray) -> None:
    ledger = Ledger.create(tmp_path, INFO, on_trouble=lambda _trouble: None)
    ledger.centre.append(decided(BASE))
    ledger.centre.append_columns(1, (BASE, "accepted", wrong, "36050", "33639980012", 1, 0, 0, None, 1, 0, 0))
    with pytest.raises(Trouble, match="does not fit"):
        ledger.flush()
    ledger.close()


def test_the_backlog_counts_the_rows_of_blocks(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path, INFO)
    ledger.close()
    ledger.centre.append_columns(*block_of(70))
    ledger.centre.append(decided(BASE))
    assert ledger.backlog == 71
    with pytest.raises(Trouble, match="71 rows"):
        ledger.flush()


def test_of_a_block_with_a_misfit_the_other_rows_are_kept(tmp_path: Path) -> None:
    reported: list[Trouble] = []
    ledger = Ledger.create(tmp_path, INFO, on_trouble=reported.append)
    ledger.centre.append_columns(3, (BASE, "accepted", 1, "36050", "33639980012", [1, "two", 3], 0, 0, None, 1, 0, 0))
    with pytest.raises(Trouble, match="does not fit"):
        ledger.flush()
    ledger.close()
    assert len(reported) == 1
    assert open_run(tmp_path).centre["message"].to_pylist() == [1, 3]


def test_a_ledger_is_written_without_pandas(tmp_path: Path) -> None:
    source = """
import sys
from pathlib import Path
import numpy as np
from simbench.ledger import Ledger, RunInfo
from simbench.ledger.buffer import Coded
ledger = Ledger.create(Path(sys.argv[1]), RunInfo("r"))
ledger.wire.append((1, 1, "in", b"x"))
ledger.events.append((1, "outage", "all", None, "{}"))
ledger.centre.append_columns(
    2, (1, Coded(("accepted", "refused"), np.array([0, 1])), 1, "36050", np.array([b"1", b"2"]), np.arange(2), 0, 0,
        np.ma.array([0, 3], mask=[True, False]), 1, 0, 0))
ledger.flush()
assert ledger.written["centre"] == 2
assert "pandas" not in sys.modules
"""
    process = child(source, str(tmp_path))
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_masked_array_leaves_nothing_where_it_is_masked(tmp_path: Path, on_disk: bool) -> None:
    ledger = Ledger.create(tmp_path, INFO) if on_disk else MemoryLedger()
    stamps = np.ma.array([7, 0, 9], mask=[False, True, False])
    ledger.centre.append_columns(3, (BASE, "accepted", 1, "36050", "1", np.arange(3), 0, 0, stamps, 1, 0, 0))
    assert open_run(ledger).centre["scts"].to_pylist() == [7, None, 9]
    ledger.close()


def test_many_small_reads_strain_a_ledger_as_few_large_ones_do(tmp_path: Path) -> None:
    small, large = Ledger.create(tmp_path / "small", INFO), Ledger.create(tmp_path / "large", INFO)
    for ledger in (small, large):
        ledger.close()  # nothing is written any more
    assert not any(small.took(40) for _ in range(1_000))
    assert not any(large.took(100_000) for _ in range(100))
    assert any(small.took(40) for _ in range(24_000))  # a megabyte of octets, whose rows weigh forty
    assert any(large.took(100_000) for _ in range(300))
