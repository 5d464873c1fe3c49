"""Reads a table in pieces that fit in memory and can be read again. Import late: Arrow takes a while to load."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from simbench.ledger.packing import open_packed, read_group
from simbench.ledger.reader import Run, check_count
from simbench.ledger.rows import TABLES, Table
from simbench.ledger.scan import field, is_in_order, scan
from simbench.ledger.segments import SEGMENT, batches_from, check_batch, open_segment

PIECE_ROWS: Final = 200_000
PIECE_OCTETS: Final = 32_000_000  # of a piece out of small batches; row groups are somewhat larger


class Piece(msgspec.Struct, frozen=True):
    """Consecutive rows of a table; `again` reads one of their columns again."""

    rows: pa.RecordBatch
    again: Callable[[str], pa.Array]


class Extent(msgspec.Struct, frozen=True):
    """The number of rows of a table, and its first and last instant; 0 without rows."""

    rows: int
    first: int = 0
    last: int = 0


def extent_of(run: Run, table: str) -> Extent:
    """Return the number of rows of a table and the time they cover. Raises LedgerError if a file cannot be read."""
    instant, rows, first, last = TABLES[table].instant, 0, 0, 0
    for batch in scan(run, table, field(instant)):
        if batch.num_rows:
            ends = pc.min_max(batch.column(0)).as_py()
            first = min(first, ends["min"]) if rows else ends["min"]
            last = max(last, ends["max"]) if rows else ends["max"]
            rows += batch.num_rows
    return Extent(rows, first, last)


def pieces_of(run: Run, table: str, columns: Sequence[str]) -> Iterator[Piece]:
    """Yield these columns of a table in the order of (instant, n). Raises LedgerError if a file cannot be read.

    A table whose clock was set back, which is rare, is sorted in memory.
    """
    if table not in run.parts or run.holds(table) or not is_in_order(run, table):
        for batch in run.table(table).select(columns).to_batches(max_chunksize=PIECE_ROWS):
            yield Piece(batch, batch.column)
        return
    counted, place = 0, ""
    for path in run.parts[table]:
        place = str(path.parent)
        read = _of_segment if path.suffix == SEGMENT else _of_packed
        for piece in read(path, TABLES[table], columns):
            counted += piece.rows.num_rows
            yield piece
    check_count(run.info, table, counted, place)


def _of_packed(path: Path, table: Table, columns: Sequence[str]) -> Iterator[Piece]:
    with open_packed(path, table) as file:
        for group in range(file.num_row_groups):
            rows = _one(read_group(path, file, table, group, columns))
            yield Piece(rows, partial(_again_packed, path, table, group))


def _again_packed(path: Path, table: Table, group: int, column: str) -> pa.Array:
    with open_packed(path, table) as file:
        return _one(read_group(path, file, table, group, [column])).column(0)


def _of_segment(path: Path, table: Table, columns: Sequence[str]) -> Iterator[Piece]:
    """Yield the batches of a segment, several small ones joined."""
    with open_segment(path, table) as (source, stream):
        if stream is None:
            return
        waiting: list[pa.RecordBatch] = []
        start = end = source.tell()
        with suppress(pa.ArrowException, OSError, EOFError):  # the segment ends within a batch
            for batch in stream:
                check_batch(path, table, batch)
                waiting.append(batch.select(columns))
                end = source.tell()
                if end - start >= PIECE_OCTETS or sum(each.num_rows for each in waiting) >= PIECE_ROWS:
                    yield _together(waiting, path, table, (start, end))
                    waiting, start = [], end
        if waiting:
            yield _together(waiting, path, table, (start, end))


def _together(batches: list[pa.RecordBatch], path: Path, table: Table, span: tuple[int, int]) -> Piece:
    return Piece(_one(pa.Table.from_batches(batches)), partial(_again_segment, path, table, span))


def _again_segment(path: Path, table: Table, span: tuple[int, int], column: str) -> pa.Array:
    found = [batch.select([column]) for batch in batches_from(path, table, *span, mapped=False)]
    return _one(pa.Table.from_batches(found)).column(0)


def _one(found: pa.Table) -> pa.RecordBatch:
    batches = found.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=found.schema)
