"""Rows to Arrow columns. Opens no file; imported late, because Arrow takes a while to load."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import pyarrow as pa

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


def _array(column: Column, values: tuple[object, ...]) -> pa.Array:
    if column.type in _PACKED:
        return _integers(column, values)
    built = pa.array(values, TYPES[column.type])
    if built.null_count and not column.nullable:
        raise ValueError(f"None in column {column.name}")
    return built


def _integers(column: Column, values: tuple[object, ...]) -> pa.Array:
    missing = None
    if column.nullable and None in values:
        missing = np.array([value is None for value in values])
        values = tuple(0 if value is None else value for value in values)
    packed = array(_PACKED[column.type], cast(tuple[int, ...], values))
    return pa.array(np.frombuffer(packed, dtype=packed.typecode), TYPES[column.type], mask=missing)


def _batch(table: Table, rows: Sequence[Row], first_n: int) -> pa.RecordBatch:
    columns = tuple(zip(*rows, strict=True))
    if len(columns) != len(table.columns):
        raise ValueError(f"{len(columns)} values for {len(table.columns)} columns")
    arrays = [_array(column, values) for column, values in zip(table.columns, columns, strict=True)]
    arrays.append(pa.array(np.arange(first_n, first_n + len(rows), dtype=np.int64)))
    return pa.RecordBatch.from_arrays(arrays, schema=schema(table))


def to_batch(table: Table, rows: Sequence[Row], first_n: int, misfit: Misfit) -> pa.RecordBatch:
    """One Arrow batch of these rows, numbered from `first_n`.

    A row that does not fit the table is told to `misfit` with the reason and left out; the others are kept.
    """
    if not rows:
        return _no_rows(table)
    try:
        return _batch(table, rows, first_n)
    except (ValueError, TypeError, OverflowError):  # Arrow's own errors are kinds of these
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
