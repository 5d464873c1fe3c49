"""Questions put to a ledger in SQL, answered as columns: for what would be too many rows in memory. Changes no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simbench.base.errors import LedgerError
from simbench.ledger.rows import TABLES

if TYPE_CHECKING:
    from simbench.ledger.reader import Run

MEMORY = "2GB"
Columns = dict[str, NDArray[Any]]


def query(run: Run, sql: str, table: str) -> Columns:
    """Run one query over a table of a ledger, which it calls `ledger`; columns by name.

    Of a run folder only the columns that are asked for are read, file by file; rows in memory are asked where they
    are. LedgerError when a file cannot be read.
    """
    import duckdb  # noqa: PLC0415 - slow to load

    if table not in TABLES:
        raise ValueError(f"no table {table!r}; there are {', '.join(TABLES)}")
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        connection.execute("set enable_progress_bar = false")  # it would stand amid what a command prints
        if run.files:
            try:
                for number, path in enumerate(run.files):
                    place = str(path).replace("'", "''")
                    connection.execute(f"attach '{place}' as f{number} (read_only)")
                parts = " union all ".join(f"select * from f{n}.{table}" for n in range(len(run.files)))  # noqa: S608 - our own names
                connection.execute(f"create temp view ledger as {parts}")
                return _columns(connection.sql(sql).fetchnumpy())
            except duckdb.Error as problem:
                raise LedgerError(str(run.files[0].parent), str(problem).splitlines()[0], "a whole ledger") from None
        connection.register("ledger", run.table(table))
        return _columns(connection.sql(sql).fetchnumpy())


def _columns(found: dict[str, Any]) -> Columns:
    """DuckDB masks what may be missing; here nothing may be."""
    return {name: np.asarray(column) for name, column in found.items()}
