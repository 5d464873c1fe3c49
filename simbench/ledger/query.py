"""Questions to a ledger in SQL, answered as columns: for what would be too many rows in memory.

DuckDB reads the Parquet files of the run, whose columns were checked, and Arrow tables; no other file is open to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simbench.base.errors import LedgerError
from simbench.ledger.rows import TABLES

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from simbench.ledger.reader import Run

    Connection: TypeAlias = duckdb.DuckDBPyConnection

MEMORY = "2GB"
_PATTERN = frozenset("*?[")
Columns = dict[str, NDArray[Any]]


@contextmanager
def connected(run: Run, tables: Sequence[str] = tuple(TABLES)) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that knows these tables of a run by their names. LedgerError when a file cannot be read."""
    import duckdb  # noqa: PLC0415 - slow to load
    import pyarrow as pa  # noqa: PLC0415 - as above

    place = str(run.files[0].parent) if run.files else "ledger"
    sources = {table: run.sources(table) for table in tables}
    try:
        # What does not fit into memory goes to a folder of its own, not to where the command was given.
        with (
            TemporaryDirectory(prefix="simbench-") as spill,
            duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spill}) as connection,
        ):
            connection.execute("set enable_progress_bar = false")  # it would stand amid what a command prints
            _confine(connection, [path for found in sources.values() for path in found if isinstance(path, Path)])
            for table, found in sources.items():
                parts = [_part(connection, f"{table}_{number}", source) for number, source in enumerate(found)]
                connection.execute(f"create temp view {table} as {' union all '.join(parts)}")
            yield connection
    except (duckdb.Error, pa.ArrowException) as problem:
        raise LedgerError(place, str(problem).strip().splitlines()[0], "a whole ledger") from None


def _confine(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    """From now on the connection reads these files and no other, whatever it is asked."""
    connection.execute(f"set allowed_paths = [{', '.join(map(_quoted, paths))}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _part(connection: duckdb.DuckDBPyConnection, name: str, source: Path | pa.Table) -> str:
    """The rows of one source as a query."""
    if isinstance(source, Path) and not _PATTERN.intersection(str(source)):
        return f"select * from read_parquet({_quoted(source)})"  # noqa: S608 - a file of the run
    if isinstance(source, Path):  # DuckDB would take its name for a pattern
        import pyarrow.dataset as ds  # noqa: PLC0415 - slow to load

        source = ds.dataset(str(source), format="parquet")
    connection.register(name, source)
    return f"select * from {name}"  # noqa: S608 - our own names


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


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


def columns_of(connection: duckdb.DuckDBPyConnection, sql: str) -> Columns:
    """What a query finds, by column. DuckDB masks what is missing, and here nothing may be: LedgerError."""
    found = connection.sql(sql).fetchnumpy()
    for name, column in found.items():
        if np.ma.is_masked(column):
            raise LedgerError("ledger", f"nothing in column {name}", "a value in every row")
    return {name: np.asarray(column) for name, column in found.items()}
