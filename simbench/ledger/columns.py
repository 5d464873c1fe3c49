"""Rows to Arrow columns. Opens no file; imported late, because Arrow takes a while to load."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import groupby, repeat
from typing import cast

import numpy as np
import pyarrow as pa

from simbench.ledger.buffer import Block, Cells, Entry
from simbench.ledger.rows import ORDINAL, Column, Row, Table

TYPES: dict[str, pa.DataType] = {
    "i64": pa.int64(),
    "i32": pa.int32(),
    "str": pa.string(),
    "octets": pa.binary(),
    "bool": pa.bool_(),
}
# `array` takes nothing but integers in range, where Arrow and numpy would cut a float down to one without a word.
_PACKED = {"i64": "q", "i32": "i"}

Misfit = Callable[[Row, str], object]


def schema(table: Table) -> pa.Schema:
    """The Arrow schema of a table, `n` last."""
    return pa.schema([pa.field(column.name, TYPES[column.type]) for column in (*table.columns, ORDINAL)])


def _batch(table: Table, entries: Sequence[Entry], first_n: int) -> pa.RecordBatch:
    counts, columns = _gathered(table, entries)
    size = sum(counts)
    arrays = [_column(column, cells, counts) for column, cells in zip(table.columns, columns, strict=True)]
    arrays.append(pa.array(np.arange(first_n, first_n + size, dtype=np.int64)))
    return pa.RecordBatch.from_arrays(arrays, schema=schema(table))


def _gathered(table: Table, entries: Sequence[Entry]) -> tuple[list[int], list[tuple[Cells, ...]]]:
    """Entries as pieces: how many rows each has, and of each column what each holds."""
    counts: list[int] = []
    pieces: list[tuple[Cells, ...]] = []
    for are_blocks, run in groupby(entries, key=_is_block):
        if are_blocks:
            blocks = cast(list[Block], list(run))
            counts += [block.count for block in blocks]
            pieces += [block.columns for block in blocks]
        else:
            rows = cast(list[Row], list(run))
            counts.append(len(rows))
            pieces.append(tuple(map(list, zip(*rows, strict=True))))
    wrong = next((piece for piece in pieces if len(piece) != len(table.columns)), None)
    if wrong is not None:
        raise ValueError(f"{len(wrong)} values for {len(table.columns)} columns")
    return counts, list(zip(*pieces, strict=True))


def _is_block(entry: Entry) -> bool:
    return type(entry) is Block


def _column(column: Column, pieces: tuple[Cells, ...], counts: list[int]) -> pa.Array:
    """One column out of its pieces; where all are constants, none of them is touched row by row."""
    if not any(isinstance(cells, list) for cells in pieces):
        return _array(column, pieces).take(pa.array(np.repeat(np.arange(len(counts)), counts)))
    values: list[object] = []
    for cells, count in zip(pieces, counts, strict=True):
        values += cells if isinstance(cells, list) else repeat(cells, count)
    if len(values) != sum(counts):
        raise ValueError(f"{len(values)} values in column {column.name} of {sum(counts)} rows")
    return _array(column, values)


def _array(column: Column, values: Sequence[object]) -> pa.Array:
    if column.type in _PACKED:
        return _integers(column, values)
    built = pa.array(values, TYPES[column.type])
    if built.null_count and not column.nullable:
        raise ValueError(f"None in column {column.name}")
    return built


def _integers(column: Column, values: Sequence[object]) -> pa.Array:
    missing = None
    if column.nullable and None in values:
        missing = np.array([value is None for value in values])
        values = [0 if value is None else value for value in values]
    packed = array(_PACKED[column.type], cast(Sequence[int], values))
    return pa.array(np.frombuffer(packed, dtype=packed.typecode), TYPES[column.type], mask=missing)


def to_batch(table: Table, entries: Sequence[Entry], first_n: int, misfit: Misfit) -> pa.RecordBatch:
    """One Arrow batch of these rows and blocks, numbered from `first_n`.

    A row that does not fit the table is told to `misfit` with the reason and left out; the others are kept.
    """
    if not entries:
        return _no_rows(table)
    try:
        return _batch(table, entries, first_n)
    except (ValueError, TypeError, OverflowError):  # Arrow's own errors are kinds of these
        rows = [row for entry in entries for row in (entry.rows() if isinstance(entry, Block) else (entry,))]
        return _batch_of_fitting(table, rows, first_n, misfit)


def _no_rows(table: Table) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema(table))


def _batch_of_fitting(table: Table, rows: Sequence[Row], first_n: int, misfit: Misfit) -> pa.RecordBatch:
    fitting: list[Row] = []
    for row in rows:
        try:
            _batch(table, [row], 0)
        except (ValueError, TypeError, OverflowError) as problem:
            misfit(row, str(problem))
        else:
            fitting.append(row)
    return _batch(table, fitting, first_n) if fitting else _no_rows(table)


def in_order(table: Table, found: pa.Table) -> pa.Table:
    """The same rows sorted by (instant, n); costs nothing when they are in order already, as they mostly are."""
    at, n = (found.column(name).to_numpy() for name in (table.instant, ORDINAL.name))
    later, next_n = np.diff(at), np.diff(n)
    if not np.any((later < 0) | ((later == 0) & (next_n < 0))):
        return found
    return found.take(pa.array(np.lexsort((n, at))))
