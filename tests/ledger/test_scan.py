"""Reading a ledger piece by piece and summing it up; DuckDB is the oracle of sums."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import LedgerError
from simbench.base.units import MINUTE_US
from simbench.ledger import Ledger, MemoryLedger, Run, RunInfo, open_run, scan
from simbench.ledger.rows import Row
from tests.ledger.samples import BASE, child, decided, wire

KINDS = ("accepted", "refused", "held")
DECIDED = st.tuples(
    st.integers(BASE, BASE + 5 * MINUTE_US), st.sampled_from(KINDS), st.just(1), st.sampled_from(["36010", "36020"]),
    st.just("33639980012"), st.integers(0, 9), st.just(0), st.integers(0, 200), st.none() | st.integers(0, 9),
    st.integers(1, 2**31 - 1), st.just(0), st.just(0),
)  # fmt: skip
SUMS = f"""select "at" // {MINUTE_US} * {MINUTE_US} as "at", left(code, 2) as prefix,
    coalesce(sum(segments) filter (kind = 'accepted'), 0)::bigint as accepted,
    count(*) filter (value > 100 and scts > 3)::bigint as late, count(*) as n, max(value) as highest
    from centre where kind <> 'held' group by 1, 2 order by 1, 2"""  # noqa: S608 - a test's own


def batches(found: Any) -> list[Any]:
    return list(scan.rows(found))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    with Ledger.create(folder, RunInfo(run="whole")) as ledger:
        for number in range(300):
            ledger.wire.append(wire(BASE + number, str(number).encode()))
            ledger.centre.append(decided(BASE + number))
    return folder


@settings(max_examples=50)
@given(rows=st.lists(DECIDED, max_size=40))
def test_sums_by_group_are_those_of_sql(rows: list[Row]) -> None:
    ledger = MemoryLedger()
    ledger.centre.extend(rows)
    run = open_run(ledger)
    column = scan.field("value", "scts")
    found = scan.sums_of(
        run, "centre", {"at": scan.floor("at", MINUTE_US), "prefix": scan.start_of("code", 2)},
        {
            "accepted": scan.segments("accepted"),
            "late": scan.where_else_0((column["value"] > 100) & (column["scts"] > 3)),
            "n": scan.ONE,
        },
        ~scan.among("kind", "held"), maxima={"highest": column["value"]},
    )  # fmt: skip
    with duckdb.connect() as connection:
        connection.register("centre", run.centre)
        expected = connection.execute(SUMS).fetchall()
    names = ("at", "prefix", "accepted", "late", "n", "highest")
    assert list(zip(*(found[name].tolist() for name in names), strict=True)) == expected


@given(rows=st.lists(DECIDED, max_size=40))
def test_rows_in_order_are_those_of_the_table_however_the_clock_was_set(rows: list[Row]) -> None:
    ledger = MemoryLedger()
    ledger.centre.extend(rows)
    run = open_run(ledger)
    unsorted = run.centre.sort_by("n")

    class Stored(Run):
        """As files are: in the order of writing."""

        def sources(self, origin: str) -> list[Path | pa.Table]:
            return [unsorted.slice(0, 7), unsorted.slice(7)] if origin == "centre" else super().sources(origin)

    stored = Stored(run.info, lambda _: run.centre, {"centre": ()})
    expected = list(zip(run.centre["at"].to_pylist(), run.centre["n"].to_pylist(), strict=True))
    assert batches(scan.in_order(stored, "centre", scan.field("at", "n"))) == expected


def test_segments_and_parquet_are_read_alike(tmp_path: Path) -> None:
    source = """
import os, sys
from pathlib import Path
from simbench.ledger import Ledger, RunInfo
from tests.ledger.samples import BASE, wire
ledger = Ledger.create(Path(sys.argv[1]), RunInfo(run="killed"))
for number in range(100):
    ledger.wire.append(wire(BASE + number, str(number).encode()))
ledger.flush()
os._exit(0)
"""
    with child(source, str(tmp_path / "killed")) as process:
        assert not process.communicate()[1]
    packed = Path(shutil.copytree(tmp_path / "killed", tmp_path / "packed"))
    Ledger.resume(packed).close()  # packs
    expected = [(number, str(number).encode()) for number in range(100)]
    for folder in (packed, tmp_path / "killed"):
        assert batches(scan.scan(open_run(folder), "wire", scan.field("n", "octets"))) == expected


@pytest.mark.parametrize("name", ["plain", "it's", "a*b", "[ab]", "q?", "s3:x"])
def test_a_run_is_read_wherever_it_lies(whole: Path, tmp_path: Path, name: str) -> None:
    run = open_run(Path(shutil.copytree(whole, tmp_path / name)))
    assert scan.sums_of(run, "wire", scan.field("session"), {"n": scan.ONE})["n"].tolist() == [300]


def test_a_file_cut_off_after_it_was_opened_is_one_line(whole: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "cut"))
    run = open_run(folder)
    sources = run.sources("wire")
    path = folder / "wire-0001.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    run.sources = {"wire": sources}.__getitem__  # type: ignore[method-assign,assignment]
    for read in (
        lambda: batches(scan.scan(run, "wire", scan.field("octets"))),
        lambda: scan.columns_of(run, "wire", scan.field("octets")),
        lambda: scan.sums_of(run, "wire", scan.field("session"), {"n": scan.ONE}),
    ):
        with pytest.raises(LedgerError, match="expected a complete ledger") as refused:
            read()
        assert "\n" not in str(refused.value)


def test_a_value_that_is_missing_is_no_number(whole: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "holes"))
    found = pq.read_table(folder / "centre-0001.parquet")
    values = pa.array([None, *found["value"].to_pylist()[1:]], pa.int32())
    pq.write_table(
        found.set_column(found.schema.get_field_index("value"), "value", values), folder / "centre-0001.parquet"
    )
    with pytest.raises(LedgerError, match="column value lacks a value"):
        scan.columns_of(open_run(folder), "centre", scan.field("value"))


def test_columns_can_be_sorted_by_some_of_them() -> None:
    ledger = MemoryLedger()
    for at, message in ((5, 0), (3, 9), (4, 4)):
        ledger.centre.append(decided(BASE + at, message))
    found = scan.columns_of(open_run(ledger), "centre", scan.field("message", "at"), by=("message",))
    assert np.array_equal(found["message"], [0, 4, 9])


def test_a_table_that_does_not_exist_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no table"):
        scan.columns_of(open_run(MemoryLedger()), "center", scan.field("at"))
