"""Questions to a ledger in SQL, answered as columns: for what would be too many rows in memory.

DuckDB reads Arrow that this process has opened and checked; it opens no file itself and writes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simbench.base.errors import LedgerError
from simbench.ledger.rows import TABLES

if TYPE_CHECKING:
    import duckdb

    from simbench.ledger.reader import Run

    Connection: TypeAlias = duckdb.DuckDBPyConnection

MEMORY = "2GB"
Columns = dict[str, NDArray[Any]]


@contextmanager
def connected(run: Run, tables: Sequence[str] = tuple(TABLES)) -> Iterator[Connection]:
    """A connection that knows these tables of a run by their names. LedgerError when a file cannot be read."""
    import duckdb  # noqa: PLC0415 - slow to load
    import pyarrow as pa  # noqa: PLC0415 - as above

    place = str(run.files[0].parent) if run.files else "ledger"
    try:
        with duckdb.connect(config={"memory_limit": MEMORY, "enable_external_access": False}) as connection:
            connection.execute("set enable_progress_bar = false")  # it would stand amid what a command prints
            for table in tables:
                names = []
                for number, source in enumerate(run.sources(table)):
                    names.append(f"{table}_{number}")
                    connection.register(names[-1], source)
                parts = " union all ".join(f"select * from {name}" for name in names)  # noqa: S608 - our own names
                connection.execute(f"create temp view {table} as {parts}")
            yield connection
    except (duckdb.Error, pa.ArrowException) as problem:
        raise LedgerError(place, str(problem).strip().splitlines()[0], "a whole ledger") from None


def query(run: Run, sql: str, table: str) -> Columns:
    """Run one query over a table of a ledger, which it calls `ledger`; columns by name.

    Of a run folder only the columns that are asked for are read, file by file; rows in memory are asked where they
    are. LedgerError when a file cannot be read.
    """
    if table not in TABLES:
        raise ValueError(f"no table {table!r}; there are {', '.join(TABLES)}")
    with connected(run, (table,)) as connection:
        connection.execute(f"create temp view ledger as select * from {table}")  # noqa: S608 - our own names
        return columns_of(connection, sql)


def columns_of(connection: Connection, sql: str) -> Columns:
    """What a query finds, by column; DuckDB masks what may be missing, and here nothing may be."""
    return {name: np.asarray(column) for name, column in connection.sql(sql).fetchnumpy().items()}
