"""Reads rows of a ledger in pieces and sums over them, for tables too large for memory.

Filters and columns are Arrow expressions (`pyarrow.compute.field`). Import late: Arrow takes a while to load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray
from pyarrow import acero
from pyarrow.fs import LocalFileSystem

from simbench.base.errors import LedgerError
from simbench.ledger.columns import schema
from simbench.ledger.reader import Run
from simbench.ledger.rows import ORDINAL, TABLES

Columns = dict[str, NDArray[Any]]
Expression: TypeAlias = pc.Expression
Named = Mapping[str, Expression]
NONE: Final[Named] = MappingProxyType({})
SMALL: Final = {"batch_size": 16_384, "batch_readahead": 4, "fragment_readahead": 1}  # octets may be many
FEWER: Final = {"batch_readahead": 4, "fragment_readahead": 1}
ONE: Final = pc.scalar(1)  # to count rows


def field(*names: str) -> dict[str, Expression]:
    """Return columns of a table under their own names."""
    return {name: pc.field(name) for name in names}


def floor(column: str, unit_us: int) -> Expression:
    """Return the start (us) of the unit of time that contains an instant: its minute, for example."""
    return pc.multiply(pc.divide(pc.field(column), unit_us), unit_us)


def start_of(column: str, length: int) -> Expression:
    """Return the first `length` characters of a column of text."""
    return pc.utf8_slice_codeunits(pc.field(column), 0, length)


def among(column: str, *values: str | int) -> Expression:
    """Return the condition that a column has one of these values."""
    return pc.is_in(pc.field(column), pa.array(values))


def where_else_0(condition: Expression, value: Expression = ONE) -> Expression:
    """Return `value` if the condition holds, else 0; without a value, the sum counts rows."""
    return pc.if_else(pc.coalesce(condition, pc.scalar(False)), value, pc.scalar(0))  # null counts as false


def segments(kind: str) -> Expression:
    """Return the segments of a row of table `centre` of this kind, 0 for other kinds."""
    return where_else_0(among("kind", kind), pc.field("segments"))


def scan(run: Run, table: str, columns: Named, where: Expression | None = None) -> Iterator[pa.RecordBatch]:
    """Yield batches of these columns in the order of the files. Raises LedgerError if a file cannot be read."""
    try:
        yield from _dataset(run, table).scanner(columns=dict(columns), filter=where, **SMALL).to_batches()
    except (pa.ArrowException, OSError) as problem:
        raise _unreadable(run, problem) from None


def in_order(run: Run, table: str, columns: Named, where: Expression | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows in the order of (instant, n).

    A table whose clock was set back, which is rare, is sorted in memory.
    """
    if is_in_order(run, table):
        yield from scan(run, table, columns, where)
    else:
        found = run.table(table)
        yield from scan(Run(run.info, lambda _: found), table, columns, where)


def is_in_order(run: Run, table: str) -> bool:
    """Return whether the files hold the rows in the order of (instant, n)."""
    instant, last = TABLES[table].instant, (-(2**63), -1)
    for batch in scan(run, table, field(instant, ORDINAL.name)):
        if not batch.num_rows:
            continue
        at, n = (batch.column(name).to_numpy() for name in (instant, ORDINAL.name))
        first, end = (int(at[0]), int(n[0])), (int(at[-1]), int(n[-1]))
        if first < last or np.any((at[1:] < at[:-1]) | ((at[1:] == at[:-1]) & (n[1:] < n[:-1]))):
            return False
        last = end
    return True


def rows(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of batches as tuples."""
    for batch in batches:
        for start in range(0, batch.num_rows, 10_000):
            yield from zip(*(column.to_pylist() for column in batch.slice(start, 10_000).columns), strict=True)


def columns_of(
    run: Run, table: str, columns: Named, where: Expression | None = None, *, by: tuple[str, ...] = ()
) -> Columns:
    """Return whole columns, sorted by `by`. Raises LedgerError if a file cannot be read or a value is missing."""
    try:
        found = _dataset(run, table).scanner(columns=dict(columns), filter=where).to_table()
    except (pa.ArrowException, OSError) as problem:
        raise _unreadable(run, problem) from None
    return _arrays(found.sort_by([(name, "ascending") for name in by]) if by else found)


def sums_of(
    run: Run, table: str, by: Named, sums: Named, where: Expression | None = None, *, maxima: Named = NONE
) -> Columns:
    """Return sums and maxima for each group of `by`, sorted by group: the columns `by`, `sums` and `maxima`.

    Raises LedgerError if a file cannot be read.
    """
    try:
        return _arrays(_grouped(_dataset(run, table), by, sums, maxima, where))
    except (pa.ArrowException, OSError) as problem:
        raise _unreadable(run, problem) from None


def sums_again(found: Columns, by: Named, sums: Named, *, maxima: Named = NONE) -> Columns:
    """Do the same as `sums_of` over columns in memory."""
    return _arrays(_grouped(ds.dataset(pa.table(found)), by, sums, maxima, None))


def has_rows(run: Run, table: str) -> bool:
    """Return whether a table has any row."""
    return any(batch.num_rows for batch in scan(run, table, field(ORDINAL.name)))


def _grouped(source: ds.Dataset, by: Named, sums: Named, maxima: Named, where: Expression | None) -> pa.Table:
    reader = source.scanner(columns={**by, **sums, **maxima}, filter=where, **FEWER).to_reader()
    functions = [(name, "hash_sum", None, name) for name in sums]
    functions += [(name, "hash_max", None, name) for name in maxima]
    steps = [
        acero.Declaration("record_batch_reader_source", acero.RecordBatchReaderSourceNodeOptions(reader)),
        acero.Declaration("aggregate", acero.AggregateNodeOptions(functions, keys=list(by))),
    ]
    found = acero.Declaration.from_sequence(steps).to_table()
    return found.sort_by([(name, "ascending") for name in by])


def _dataset(run: Run, table: str) -> ds.Dataset:
    if table not in TABLES:
        raise ValueError(f"no table {table!r}; there are {', '.join(TABLES)}")
    wanted = schema(TABLES[table])
    parts = [
        ds.dataset([str(source)], schema=wanted, format="parquet", filesystem=LocalFileSystem())
        if isinstance(source, Path)
        else ds.dataset(source)
        for source in run.sources(table)
    ]
    return ds.dataset(parts)


def _arrays(found: pa.Table) -> Columns:
    for name in found.column_names:
        if found[name].null_count:
            raise LedgerError("ledger", f"column {name} lacks a value", "a value in every row")
    return {name: found[name].to_numpy() for name in found.column_names}


def _unreadable(run: Run, problem: BaseException) -> LedgerError:
    place = str(run.files[0].parent) if run.files else "ledger"
    return LedgerError(place, f"{str(problem).strip().splitlines()[0]:.200}", "a complete ledger")
