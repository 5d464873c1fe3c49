"""Converts rows to Arrow columns. Import this module late: Arrow takes a while to load.

Columns are made from buffers, because `pyarrow.array` loads pandas if it is installed: 40 MB that a server does not
need.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import accumulate, groupby
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
# `array` accepts only integers in range; Arrow and numpy would silently truncate a float.
_PACKED = {"i64": "q", "i32": "i"}
_NUMPY = {"i64": "i8", "i32": "i4"}
_MOST_OCTETS: Final = (1 << 31) - 1  # in one column of one batch

# The C library's pool returns freed memory sooner than Arrow's own, which keeps 30 MB more in a busy server.
POOL: Final = pa.system_memory_pool()

Misfit = Callable[[Row, str], object]


def schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table, `n` last."""
    return pa.schema([pa.field(column.name, TYPES[column.type]) for column in (*table.columns, ORDINAL)])


def _batch(table: Table, entries: Sequence[Entry], first_n: int) -> pa.RecordBatch:
    counts, columns = _gathered(table, entries)
    size = sum(counts)
    arrays = [_column(column, cells, counts) for column, cells in zip(table.columns, columns, strict=True)]
    arrays.append(_integers(ORDINAL, np.arange(first_n, first_n + size, dtype=np.int64)))
    return pa.RecordBatch.from_arrays(arrays, schema=schema(table))


def _gathered(table: Table, entries: Sequence[Entry]) -> tuple[list[int], list[tuple[Cells, ...]]]:
    """Split entries into pieces: the number of rows of each, and for each column the cells of every piece."""
    counts: list[int] = []
    pieces: list[tuple[Cells, ...]] = []
    for are_blocks, run in groupby(entries, key=lambda entry: type(entry) is Block):
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


def _column(column: Column, pieces: tuple[Cells, ...], counts: list[int]) -> pa.Array:
    """Join the pieces of one column."""
    if any(has_many(cells) and _size(cells) != count for cells, count in zip(pieces, counts, strict=True)):
        raise ValueError(f"the number of values in column {column.name} differs from the number of rows")
    if column.type in _NUMPY:
        return _numbers(column, pieces, counts)
    if column.type == "bool":
        return _truths(column, pieces, counts)
    if any(isinstance(cells, (list, Packed, np.ndarray)) for cells in pieces):
        parts = [_texts(column, cells, count) for cells, count in zip(pieces, counts, strict=True)]
        return parts[0] if len(parts) == 1 else pa.concat_arrays(parts, memory_pool=POOL)
    return _words(column, pieces, counts)


def _size(cells: Cells) -> int:
    if isinstance(cells, Packed):
        return len(cells.offsets) - 1
    return len(cells.index if isinstance(cells, Coded) else cast(list[object], cells))


# Integers --------------------------------------------------------------------------------------------------------


def _numbers(column: Column, pieces: tuple[Cells, ...], counts: list[int]) -> pa.Array:
    numbers, missing, start = np.empty(sum(counts), _NUMPY[column.type]), None, 0
    for cells, count in zip(pieces, counts, strict=True):
        values, lacking = (cells, None) if type(cells) is int else _integers_of(column, cells)
        numbers[start : start + count] = values
        if lacking is not None:
            if not column.nullable:
                raise ValueError(f"None in column {column.name}")
            missing = np.zeros(len(numbers), bool) if missing is None else missing
            missing[start : start + count] = lacking
        start += count
    return _integers(column, numbers, missing)


def _integers_of(column: Column, cells: Cells) -> tuple[Any, Any]:
    """Return the integers of one piece, and which are None: an array of flags, True for all, or None for no row."""
    if cells is None:
        return 0, True
    if isinstance(cells, Coded):
        values, lacking = _integers_of(column, list(cells.names))
        return values[cells.index], None if lacking is None else lacking[cells.index]
    if isinstance(cells, np.ndarray):
        if not np.can_cast(cells.dtype, _NUMPY[column.type], "safe"):
            raise ValueError(f"{cells.dtype} in column {column.name}")
        return (cells.data, np.ma.getmaskarray(cells)) if isinstance(cells, np.ma.MaskedArray) else (cells, None)
    listed: list[Any] = cells if isinstance(cells, list) else [cells]
    lacking = None
    if None in listed:
        lacking = np.array([value is None for value in listed])
        listed = [0 if value is None else value for value in listed]
    packed = array(_PACKED[column.type], listed)
    return np.frombuffer(packed, packed.typecode), lacking


def _integers(column: Column, numbers: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> pa.Array:
    valid = None if missing is None else _bits(~missing)
    return pa.Array.from_buffers(TYPES[column.type], len(numbers), [valid, pa.py_buffer(numbers)])


def _truths(column: Column, pieces: tuple[Cells, ...], counts: list[int]) -> pa.Array:
    values: list[object] = []
    for cells, count in zip(pieces, counts, strict=True):
        values += cells if isinstance(cells, list) else _rows_of(cells, count)
    if not all(isinstance(value, (bool, np.bool_)) for value in values):
        raise ValueError(f"a value other than true or false in column {column.name}")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(np.array(values, bool))])


def _rows_of(cells: Cells, count: int) -> list[object]:
    if isinstance(cells, Coded):
        return [cells.names[index] for index in cells.index.tolist()]
    return cast(NDArray[Any], cells).tolist() if isinstance(cells, np.ndarray) else [cells] * count


def _bits(flags: NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


# Texts and octets ------------------------------------------------------------------------------------------------


def _words(column: Column, pieces: tuple[Cells, ...], counts: list[int]) -> pa.Array:
    """Build a column of few different values, from constants and coded columns."""
    places: dict[object, int] = {}
    index, start = np.empty(sum(counts), np.int32), 0
    for cells, count in zip(pieces, counts, strict=True):
        if isinstance(cells, Coded):
            known = np.array([places.setdefault(name, len(places)) for name in cells.names], np.int32)
            index[start : start + count] = known[cells.index]
        else:
            index[start : start + count] = places.setdefault(cells, len(places))
        start += count
    return pc.take(_listed(column, list(places)), _integers(Column("", "i32"), index), memory_pool=POOL)


def _texts(column: Column, cells: Cells, count: int) -> pa.Array:
    if isinstance(cells, Packed):
        return _unpacked(column, cells)
    if isinstance(cells, list):
        return _listed(column, cells)
    if isinstance(cells, np.ndarray):
        if cells.dtype.kind != "S" or column.type != "str":
            raise ValueError(f"{cells.dtype} in column {column.name}")
        return _cut_out(cells)
    return _words(column, (cells,), [count])


def _listed(column: Column, values: Sequence[Any]) -> pa.Array:
    if column.type == "str":
        texts = "".join(values)
        octets = texts.encode()
        if len(octets) != len(texts):
            values = [text.encode() for text in values]
    else:
        octets = b"".join(values)
    edges = np.fromiter(accumulate(map(len, values), initial=0), np.int64, len(values) + 1)
    if edges[-1] > _MOST_OCTETS:
        raise ValueError(f"{edges[-1]} octets at once in column {column.name}")
    return pa.Array.from_buffers(
        TYPES[column.type], len(values), [None, pa.py_buffer(edges.astype(np.int32)), pa.py_buffer(octets)]
    )


def _unpacked(column: Column, cells: Packed) -> pa.Array:
    """Return texts or octets from one array. Raises ValueError for invalid offsets and for texts that are not UTF-8."""
    if column.type not in {"str", "octets"} or cells.data.dtype != np.uint8 or cells.offsets.dtype != np.int32:
        raise ValueError(f"{cells.data.dtype} by {cells.offsets.dtype} in column {column.name}")
    octets = pa.py_buffer(np.ascontiguousarray(cells.data))
    edges = pa.py_buffer(np.ascontiguousarray(cells.offsets))
    built = pa.Array.from_buffers(TYPES[column.type], len(cells.offsets) - 1, [None, edges, octets])
    built.validate(full=True)
    return built


def _cut_out(cells: NDArray[np.bytes_]) -> pa.Array:
    """Return ASCII texts from an array whose cells are padded with NUL."""
    octets = np.ascontiguousarray(cells).view(np.uint8).reshape(len(cells), cells.itemsize)
    used = octets != 0
    ends = np.zeros(len(cells) + 1, np.int32)
    used.sum(axis=1).cumsum(out=ends[1:])
    return pa.StringArray.from_buffers(len(cells), pa.py_buffer(ends), pa.py_buffer(octets[used]))


def to_batch(table: Table, entries: Sequence[Entry], first_n: int, misfit: Misfit) -> pa.RecordBatch:
    """Return one Arrow batch of these rows and blocks, numbered from `first_n`.

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
                raise ValueError(f"the number of values in column {column.name} differs from the number of rows")
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
    """Return the rows sorted by (instant, n); the table itself if it is already sorted, which is usual."""
    at, n = (found.column(name).to_numpy() for name in (table.instant, ORDINAL.name))
    later, next_n = np.diff(at), np.diff(n)
    if not np.any((later < 0) | ((later == 0) & (next_n < 0))):
        return found
    return found.take(pa.array(np.lexsort((n, at))))
