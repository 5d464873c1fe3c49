"""Rows to Arrow columns. Imported late, because Arrow takes a while to load."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import groupby, repeat
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simbench.ledger.buffer import Block, Cells, Coded, Entry, Packed, has_many
from simbench.ledger.rows import ORDINAL, Column, Row, Table, octet_columns

TYPES: dict[str, pa.DataType] = {
    "i64": pa.int64(),
    "i32": pa.int32(),
    "str": pa.string(),
    "octets": pa.binary(),
    "bool": pa.bool_(),
}
# `array` takes nothing but integers in range, where Arrow and numpy would cut a float down to one without a word.
_PACKED = {"i64": "q", "i32": "i"}
_NUMPY = {"i64": "i8", "i32": "i4"}

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
    if not any(map(has_many, pieces)):
        return _array(column, pieces).take(pa.array(np.repeat(np.arange(len(counts)), counts)))
    if any(_size(cells) != count for cells, count in zip(pieces, counts, strict=True) if has_many(cells)):
        raise ValueError(f"another number of values in column {column.name} than rows")
    if any(isinstance(cells, (np.ndarray, Packed, Coded)) for cells in pieces):
        return _filled(column, pieces, counts)
    values: list[object] = []
    for cells, count in zip(pieces, counts, strict=True):
        values += cells if isinstance(cells, list) else repeat(cells, count)
    return _array(column, values)


def _size(cells: Cells) -> int:
    if isinstance(cells, Packed):
        return len(cells.offsets) - 1
    return len(cells.index if isinstance(cells, Coded) else cast(list[object], cells))


def _filled(column: Column, pieces: tuple[Cells, ...], counts: list[int]) -> pa.Array:
    """The same where some pieces are arrays."""
    if column.type == "str":
        octets = [_ascii(cells, count) for cells, count in zip(pieces, counts, strict=True)]
        texts = [cells for cells in octets if cells is not None]
        if len(texts) == len(pieces):
            return _texts(np.concatenate(texts))
    elif all(type(cells) is int or isinstance(cells, np.ndarray) for cells in pieces):
        return _numbers(column, pieces, counts)
    parts = [
        _packed(column, cells) if has_many(cells) else pa.repeat(_array(column, [cells])[0], count)
        for cells, count in zip(pieces, counts, strict=True)
    ]
    return pa.concat_arrays(parts)


def _numbers(column: Column, pieces: tuple[Cells, ...], counts: list[int]) -> pa.Array:
    """The same of nothing but integers."""
    numbers, start = np.empty(sum(counts), _NUMPY.get(column.type, "V")), 0
    for cells, count in zip(pieces, counts, strict=True):
        if isinstance(cells, np.ndarray):
            _check(column, cells)
        numbers[start : start + count] = cells
        start += count
    return pa.array(numbers, TYPES[column.type])


def _packed(column: Column, cells: Cells) -> pa.Array:
    """A value a row, of a list, an array, or what is packed or coded."""
    if isinstance(cells, Packed):
        return _unpacked(column, cells)
    if isinstance(cells, Coded):
        return _array(column, cells.names).take(pa.array(cells.index))
    if not isinstance(cells, np.ndarray):
        return _array(column, cast(list[object], cells))
    if cells.dtype.kind == "S" and column.type == "str":
        return _texts(cells)
    _check(column, cells)
    return pa.array(cells, TYPES[column.type])


def _unpacked(column: Column, cells: Packed) -> pa.Array:
    """Texts or octets out of one array; ValueError where their edges are none, or texts are not UTF-8."""
    if column.type not in {"str", "octets"} or cells.data.dtype != np.uint8 or cells.offsets.dtype != np.int32:
        raise ValueError(f"{cells.data.dtype} by {cells.offsets.dtype} in column {column.name}")
    octets = pa.py_buffer(np.ascontiguousarray(cells.data))
    edges = pa.py_buffer(np.ascontiguousarray(cells.offsets))
    built = pa.Array.from_buffers(TYPES[column.type], len(cells.offsets) - 1, [None, edges, octets])
    built.validate(full=True)
    return built


def _check(column: Column, cells: NDArray[np.generic]) -> None:
    if not np.can_cast(cells.dtype, _NUMPY.get(column.type, "V"), "safe"):
        raise ValueError(f"{cells.dtype} in column {column.name}")


def _ascii(cells: Cells, count: int) -> NDArray[np.bytes_] | None:
    """Texts as an array of octets; None for what is none of ASCII, or holds NUL, with which such an array is filled."""
    if isinstance(cells, np.ndarray):
        return cells if cells.dtype.kind == "S" else None
    if isinstance(cells, str):
        return np.full(count, cells.encode()) if cells.isascii() and "\0" not in cells else None
    return None


def _texts(cells: NDArray[np.bytes_]) -> pa.Array:
    """Texts of ASCII without NUL; the cells of an array are filled up with it."""
    octets = np.ascontiguousarray(cells).view(np.uint8).reshape(len(cells), cells.itemsize)
    used = octets != 0
    ends = np.zeros(len(cells) + 1, np.int32)
    used.sum(axis=1).cumsum(out=ends[1:])
    return pa.StringArray.from_buffers(len(cells), pa.py_buffer(ends), pa.py_buffer(octets[used]))


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

    A row that does not fit the table is passed to `misfit` with the reason and left out; the others are kept.
    """
    if not entries:
        return _no_rows(table)
    try:
        return _batch(table, entries, first_n)
    except (ValueError, TypeError, OverflowError):  # Arrow's own errors are kinds of these
        rows = [row for entry in entries for row in _rows(table, entry, misfit)]
        return _batch_of_fitting(table, rows, first_n, misfit)


def _rows(table: Table, entry: Entry, misfit: Misfit) -> list[Row]:
    if not isinstance(entry, Block):
        return [entry]
    try:
        for column, cells in zip(table.columns, entry.columns, strict=True):
            if has_many(cells) and _size(cells) != entry.count:
                raise ValueError(f"another number of values in column {column.name} than rows")
            if isinstance(cells, Packed):
                _unpacked(column, cells)
        return list(entry.rows(octet_columns(table)))
    except (ValueError, TypeError, IndexError) as problem:
        misfit(entry.columns, f"{entry.count} rows at once: {problem}")
        return []


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
