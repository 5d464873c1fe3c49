"""The DuckDB files of a run folder: one being written, the full ones closed. Imported late, for DuckDB's sake.

Starts no thread and decides no moment of writing; `Store` is called by one writer, and by readers at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simbench.base.calendar import midnight_after
from simbench.base.errors import LedgerError
from simbench.base.outputs import grow, remove
from simbench.ledger.buffer import Entry
from simbench.ledger.columns import Misfit, schema, to_batch
from simbench.ledger.rows import ORDINAL, TABLES, Table

PATTERN = "ledger-*.duckdb"
_SQL_TYPES = {"i64": "BIGINT", "i32": "INTEGER", "str": "VARCHAR", "octets": "BLOB", "bool": "BOOLEAN"}
Config = dict[str, str | bool | int | float | list[str]]
_CONFIG: Config = {"threads": 1}  # the other core belongs to the run
# What is not folded in and what was touched of the file stay in memory, so a server folds in often. That writes the
# last group of rows anew, all of it: with DuckDB's own 122,880 half a gigabyte of octets. Whole columns of a run in
# virtual time are written faster, and packed better, the other way.
_SERVED: Config = {**_CONFIG, "checkpoint_threshold": "24MB", "memory_limit": "64MB"}
_BULK: Config = {**_CONFIG, "checkpoint_threshold": "512MB"}
_SERVED_GROUP, _BULK_GROUP = 4_096, 122_880
_NEVER = 1 << 62


def file_name(number: int) -> str:
    """Name of the n-th file of a run, counted from 1."""
    return f"ledger-{number:04}.duckdb"


class Store:
    """The files of one run while it is being written: rows are added, then committed together.

    What a failed commit could not write stays pending and goes out with the next.
    """

    def __init__(self, folder: Path, max_bytes: int, *, daily: bool = True) -> None:
        self._folder, self._max_bytes, self._daily = folder, max_bytes, daily
        self._pending: dict[str, list[pa.RecordBatch]] = {name: [] for name in TABLES}
        self._numbered = dict.fromkeys(TABLES, 0)
        self._lock = threading.Lock()  # held while a file is opened, closed or read; not while one is written
        self._closed = sorted(folder.glob(PATTERN))  # a run that is resumed goes on in a file of its own
        for path in self._closed:
            self._fold(path)
        self.rows = dict(self._numbered)
        """Rows committed of each table; replaced as a whole, so that any thread may read it."""
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._reading: duckdb.DuckDBPyConnection | None = None
        self._edge: int | None = None
        self._open()

    def _fold(self, path: Path) -> None:
        """Close a file of a run that is resumed: its log folded in, its rows counted on from."""
        with _writing(path, daily=self._daily) as connection:
            connection.execute("checkpoint")
            for name, counted in self._numbered.items():
                found = connection.execute(f"select coalesce(max(n) + 1, 0) from {name}").fetchone()  # noqa: S608
                self._numbered[name] = max(counted, *(found or (0,)))

    def add(self, table: Table, entries: Sequence[Entry], misfit: Misfit) -> None:
        """Take rows and blocks into the next commit; a row that does not fit is told to `misfit` and left out."""
        batch = to_batch(table, entries, self._numbered[table.name], misfit)
        self._numbered[table.name] += batch.num_rows
        self._pending[table.name].append(batch)

    def add_table(self, table: Table, rows: pa.Table) -> None:
        """Take whole columns into the next commit; Arrow's own errors when they are not the table's."""
        first = self._numbered[table.name]
        rows = rows.append_column(ORDINAL.name, pa.array(np.arange(first, first + len(rows))))
        self._pending[table.name].extend(rows.select(schema(table).names).cast(schema(table)).to_batches())
        self._numbered[table.name] += len(rows)

    def commit(self) -> None:
        """Write all pending rows; those from midnight (Paris) on go to a new file. Raises what DuckDB raises."""
        # In one piece DuckDB takes them half again as fast.
        tables = {name: pa.Table.from_batches(parts).combine_chunks() for name, parts in self._pending.items() if parts}
        instants = [pc.min_max(found.column(0)).as_py() for found in tables.values() if found.num_rows]
        if not instants:
            return
        earliest, latest = min(each["min"] for each in instants), max(each["max"] for each in instants)
        if self._connection is None:
            self._open()
        if self._edge is None:
            self._edge = _midnight_after(earliest) if self._daily else _NEVER
        if latest >= self._edge:
            edge = self._edge
            self._write({name: found.filter(pc.less(found.column(0), edge)) for name, found in tables.items()})
            tables = {name: found.filter(pc.greater_equal(found.column(0), edge)) for name, found in tables.items()}
            self._pending = {name: tables[name].to_batches() if name in tables else [] for name in TABLES}
            self._roll()
            self._open()
            self._edge = _midnight_after(latest)
        self._write(tables)
        self._pending = {name: [] for name in TABLES}
        self.rows = dict(self._numbered)
        if self._size() > self._max_bytes:
            self._roll()

    def read(self, table: Table, below: int) -> pa.Table:
        """The committed rows of a table with `n` less than `below`, in no particular order."""
        with self._lock:
            parts = [read_file(path, table) for path in self._closed]
            if self._reading is not None:
                parts.append(_select(self._reading, table))
        found = pa.concat_tables([schema(table).empty_table(), *parts])
        return found.filter(pc.less(found.column(ORDINAL.name), below))

    def tail(self, table: Table, first: int, columns: Sequence[str], most: int) -> pa.Table:
        """These columns of the committed rows with `n` from `first` on, as added; older files are left alone."""
        wanted = max(0, min(self.rows[table.name] - first, most))
        parts: list[pa.Table] = []
        with self._lock:
            if self._reading is not None:
                parts.append(_tail(self._reading, table, (first, first + most), columns))
            for path in reversed(self._closed):
                if sum(part.num_rows for part in parts) >= wanted:
                    break
                with _opened(path) as connection:
                    parts.append(_tail(connection, table, (first, first + most), columns))
        return pa.concat_tables(reversed(parts)) if parts else schema(table).empty_table().select(columns)

    def tally(self, table: Table, first: int, by: Sequence[str]) -> list[tuple[Any, ...]]:
        """How many rows with `n` from `first` on there are of each combination of these columns, the count last."""
        names = ", ".join(f'"{name}"' for name in by)
        query = f"select {names}, count(*) from {table.name} where n >= {int(first)} group by all"  # noqa: S608 - our own names
        counted: list[tuple[Any, ...]] = []
        with self._lock:
            wanted = max(0, self.rows[table.name] - first)
            if self._reading is not None:
                counted += self._reading.execute(query).fetchall()
            for path in reversed(self._closed):
                if sum(each[-1] for each in counted) >= wanted:
                    break
                with _opened(path) as connection:
                    counted += connection.execute(query).fetchall()
        return counted

    def close(self) -> None:
        """Close the file being written, its log folded in."""
        self._roll()

    def _open(self) -> None:
        path = self._folder / file_name(len(self._closed) + 1)
        if not path.exists():
            # Under another name until its tables are in it: a file that bears the name can always be read.
            part = path.with_suffix(".part")
            for leftover in (part, part.with_suffix(".part.wal")):
                remove(leftover)
                grow(leftover)
            grow(path)
            with _writing(part, daily=self._daily) as fresh:
                for table in TABLES.values():
                    fresh.execute(_create(table))
                fresh.execute("checkpoint")
            part.rename(path)
        with self._lock:
            self._connection = _writing(path, daily=self._daily)
            self._reading = self._connection.cursor()
            self._reading.execute("use run")
            self._edge = None

    def _roll(self) -> None:
        if self._connection is None or self._reading is None:
            return
        with self._lock:
            self._connection.execute("checkpoint")
            self._reading.close()
            self._connection.close()
            self._connection = self._reading = None
            self._closed.append(self._folder / file_name(len(self._closed) + 1))

    def _write(self, tables: dict[str, pa.Table]) -> None:
        assert self._connection is not None
        self._connection.execute("begin")
        try:
            for name, found in tables.items():
                self._connection.register("incoming", found)
                self._connection.execute(f"insert into {name} select * from incoming")  # noqa: S608 - our own names
                self._connection.unregister("incoming")
            self._connection.execute("commit")
        except BaseException:
            with suppress(duckdb.Error):
                self._connection.execute("rollback")
            raise

    def _size(self) -> int:
        path = self._folder / file_name(len(self._closed) + 1)
        log = path.with_name(path.name + ".wal")
        return sum(each.stat().st_size for each in (path, log) if each.exists())


def _writing(path: Path, *, daily: bool) -> duckdb.DuckDBPyConnection:
    """A file opened for writing as `run`; made where there is none."""
    config, group = (_SERVED, _SERVED_GROUP) if daily else (_BULK, _BULK_GROUP)
    connection = duckdb.connect(config={**config, "temp_directory": f"{path}.tmp"})
    try:
        connection.execute(f"attach {_quoted(path)} as run (row_group_size {group})")
        connection.execute("use run")
        connection.execute("set enable_progress_bar = false")  # as below
    except BaseException:
        connection.close()
        raise
    return connection


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def querying(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """All files of a run that is not being written as one database: a view a table. LedgerError as `open_run`."""
    paths = sorted(folder.glob(PATTERN))
    try:
        with duckdb.connect(config=_CONFIG) as connection:
            for number, path in enumerate(paths):
                connection.execute(f"attach {_quoted(path)} as f{number} (read_only)")
            for name in TABLES:
                parts = " union all ".join(f"select * from f{number}.{name}" for number in range(len(paths)))  # noqa: S608
                connection.execute(f"create view {name} as {parts}")
            yield connection
    except duckdb.Error as problem:
        raise _told(folder, str(problem).strip().splitlines()[0]) from None


def check_file(path: Path) -> None:
    """LedgerError unless the file is a ledger that can be opened now."""
    with _opened(path) as connection:
        for table in TABLES.values():
            found = connection.execute(
                "select column_name, data_type from duckdb_columns() where table_name = ? order by column_index",
                [table.name],
            ).fetchall()
            if found != [(column.name, _SQL_TYPES[column.type]) for column in (*table.columns, ORDINAL)]:
                raise LedgerError(str(path), f"no table {table.name} of ours in it", "a ledger file of this version")


def read_file(path: Path, table: Table) -> pa.Table:
    """All rows of a table in a closed file; LedgerError if the file cannot be read to its end."""
    with _opened(path) as connection:
        return _select(connection, table)


@contextmanager
def _opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A closed file opened for reading; what DuckDB cannot read becomes a LedgerError of one line."""
    try:
        with duckdb.connect(path, read_only=True, config=_CONFIG) as connection:
            connection.execute("set enable_progress_bar = false")  # it would stand amid what a command prints
            yield connection
    except duckdb.Error as problem:
        raise _told(path, str(problem).strip().splitlines()[0]) from None


def _told(path: Path, text: str) -> LedgerError:
    if "already attached" in text:
        return LedgerError(str(path), "it is still being written here", "a snapshot of its ledger")
    if "set lock on file" in text:
        return LedgerError(str(path), "another program is writing it", "a run that has ended")
    return LedgerError(str(path), text, "a whole ledger file")


def _select(connection: duckdb.DuckDBPyConnection, table: Table) -> pa.Table:
    return connection.sql(f"select * from {table.name}").to_arrow_table().cast(schema(table))  # noqa: S608 - our own names


def _tail(
    connection: duckdb.DuckDBPyConnection, table: Table, span: tuple[int, int], columns: Sequence[str]
) -> pa.Table:
    names = ", ".join(f'"{name}"' for name in columns)
    query = f"select {names} from {table.name} where n >= {int(span[0])} and n < {int(span[1])}"  # noqa: S608 - our own names
    return connection.sql(query).to_arrow_table().cast(pa.schema([schema(table).field(name) for name in columns]))


def _create(table: Table) -> str:
    columns = (
        f'"{column.name}" {_SQL_TYPES[column.type]}{"" if column.nullable else " not null"}'
        for column in (*table.columns, ORDINAL)
    )
    return f"create table {table.name} ({', '.join(columns)})"


def _midnight_after(us: int) -> int:
    try:
        return midnight_after(us)
    except (OverflowError, ValueError):  # beyond the years of the calendar: no midnight will come
        return _NEVER
