"""The content of a table that was read: rows with our column names, rejected rows, and remarks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import label
from simbench.tables.instants import NoZone

Kind = Literal["instant", "text", "note", "truth", "number"]
"""The kind of value in a column. A "note" is free text no rule reads: invalid octets in it do not reject the row."""

UNREADABLE = "�"  # replaces octets invalid in the encoding

MOST_REJECTED: Final = 100_000  # rows, unless more are used

T = TypeVar("T")


class RejectedRow(msgspec.Struct, frozen=True):
    """A row that could not be used: its line (0: the whole table), the reason, and the kind of reason."""

    line: int
    reason: str
    kind: Literal["unreadable", "columns", "encoding"] = "unreadable"

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


class Remark(RejectedRow, frozen=True):
    """A remark on a row that was used."""


class Row(msgspec.Struct, frozen=True):
    """One row with our column names: its line, its non-empty cells, and whether it uses a decimal comma."""

    line: int
    cells: Mapping[str, Any]
    decimal_comma: bool = False


class Table(msgspec.Struct, frozen=True):
    """A table being read: its rows in order, remarks on the whole of it, and which of our columns it has.

    `octets_read` returns the progress of reading, as far as it is known. `source` reads the file for the rows.
    """

    path: Path
    rows: Iterator[Row | RejectedRow]
    remarks: tuple[Remark, ...] = ()
    columns: tuple[str, ...] = ()
    octets_read: Callable[[], int] = lambda: 0
    source: object = None


class Collected(msgspec.Struct, Generic[T], frozen=True):
    """The result of reading a table: one item, with its line, per row used, and remarks on the others."""

    items: tuple[tuple[int, T], ...]
    notes: tuple[RejectedRow, ...]
    rows: int


def check_rejected(path: Path, rejected: int, used: int, first: object) -> None:
    """Raise BadInput once most rows of a long file are rejected: each would be kept with its reason, as the `first`."""
    if rejected > max(MOST_REJECTED, used):
        raise BadInput(label(path), f"more than {rejected - 1:,} of its rows cannot be used, the first: {first}")


def collect(table: Table, read: Callable[[Row], T]) -> Collected[T]:
    """Read every row; rows for which `read` raises BadInput are rejected.

    Raises BadInput if a time has no zone, if rows were rejected and none was used, or as `check_rejected`.
    """
    items: list[tuple[int, T]] = []
    notes: list[RejectedRow] = []
    rows = 0
    with closing_on_error(table.rows, table.source):
        for row in table.rows:
            rows += 1
            if isinstance(row, RejectedRow):
                notes.append(row)
                check_rejected(table.path, len(notes), len(items), notes[0])
                continue
            try:
                items.append((row.line, read(row)))
            except NoZone as problem:
                raise BadInput(f"{label(table.path)}: line {row.line}", problem.problem, problem.expected) from None
            except BadInput as problem:
                notes.append(RejectedRow(row.line, str(problem)))
                check_rejected(table.path, len(notes), len(items), notes[0])
    if notes and not items:
        first = notes[0]
        raise BadInput(label(table.path), f"no usable row among {rows}: {first}")
    return Collected(tuple(items), (*table.remarks, *notes), rows)


@contextmanager
def closing_on_error(*rows: object) -> Iterator[None]:
    """Close the files of these rows if their processing fails."""
    try:
        yield
    except BaseException:
        for one in rows:
            if isinstance(one, Generator):
                one.close()
        raise


def rejected(notes: Iterable[RejectedRow]) -> list[RejectedRow]:
    """Return the remarks that are rejected rows."""
    return [one for one in notes if not isinstance(one, Remark)]


def filled(row: Row, *names: str) -> None:
    """Raise BadInput for the first of these columns that is empty in a row."""
    for name in names:
        if name not in row.cells:
            raise BadInput(name, "is empty", "a value")
