"""Rows to write, and child processes that write them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import strategies as st

from simbench.ledger import Run
from simbench.ledger.rows import TABLES, Column, Row, Table

ROOT = Path(__file__).parents[2]
BASE = 1_475_474_400_000_000  # 2016-10-03 06:00 UTC

INSTANTS = st.integers(min_value=BASE, max_value=BASE + 3 * 86_400_000_000)
VALUES: dict[str, st.SearchStrategy[object]] = {
    "i64": st.integers(-(1 << 63), (1 << 63) - 1),
    "i32": st.integers(-(1 << 31), (1 << 31) - 1),
    "str": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    "octets": st.binary(max_size=40),
    "bool": st.booleans(),
}


def values(column: Column) -> st.SearchStrategy[object]:
    found = VALUES[column.type]
    return st.none() | found if column.nullable else found


def row_of(table: Table) -> st.SearchStrategy[Row]:
    return st.tuples(INSTANTS, *(values(column) for column in table.columns[1:]))


def rows_of_all() -> st.SearchStrategy[dict[str, list[Row]]]:
    return st.fixed_dictionaries({name: st.lists(row_of(table), max_size=8) for name, table in TABLES.items()})


def wire(at: int, octets: bytes = b"x") -> Row:
    return (at, 1, "in", octets)


def decided(at: int, message: int = 0) -> Row:
    return (at, "accepted", 1, "36050", "33639980012", message, 0, 0, None, 1, 0, 0)


def as_rows(run: Run, origin: str) -> list[Row]:
    """The rows of a table as tuples without `n`, in the order in which the reader gives them."""
    return [tuple(each.values())[:-1] for each in run.table(origin).to_pylist()]


def child(source: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", source, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=pipe)
