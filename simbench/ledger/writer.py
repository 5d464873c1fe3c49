"""The ledger for its writers: six tables with an `append` that never waits, and calls that wait for the disk."""

from __future__ import annotations

import atexit
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from simbench.base.errors import LedgerError, SimbenchError, Trouble
from simbench.base.outputs import ROOMLESS, claim
from simbench.base.text import count
from simbench.ledger.buffer import Buffer, Memory
from simbench.ledger.flusher import CallSoon, Flusher
from simbench.ledger.info import FORMAT, NAME, RunInfo, Times, write_info
from simbench.ledger.lock import FolderLock, take_lock
from simbench.ledger.rows import TABLES, Row, octet_columns

if TYPE_CHECKING:
    import pyarrow as pa

    from simbench.ledger.reader import Run

MAX_BYTES = 10**9
ROOM = 65_536  # octets that must be free on the disk when a run begins
EVERY = 1 << 60  # rows: above any possible number


def _tell(trouble: Trouble) -> None:
    print(trouble, file=sys.stderr)  # noqa: T201 - trouble with the ledger is always reported


def not_writable(folder: Path, problem: OSError) -> SimbenchError:
    """Return the error for a run folder that cannot be written: Trouble if a resource is lacking, else LedgerError."""
    text = problem.strerror or str(problem)
    if problem.errno in ROOMLESS:
        return Trouble(f"{folder}: {text}; the ledger needs room on this disk")
    return LedgerError(str(folder), text, "a folder that can be written")


def _check_room(folder: Path) -> None:
    """Write and remove a small file, so that a full disk is found before the server answers. Raises OSError."""
    with TemporaryFile(dir=folder) as file:
        file.write(bytes(ROOM))


class Ledger:
    """One run being written to its folder.

    `wire`, `events`, `stimuli`, `centre`, `timing_error` and `minute` take tuples in the column order of
    `simbench.ledger.rows` with `append`, or many rows as columns with `append_columns`; both may be bound once and
    must be called from one thread. Rows are written within 200 ms, or later on an overloaded machine; a
    killed process loses the rows not yet written.
    """

    def __init__(
        self,
        lock: FolderLock,
        info: RunInfo,
        max_bytes: int,
        on_trouble: Callable[[Trouble], object],
        *,
        daily: bool = True,
    ) -> None:
        self.folder, self.info = lock.folder, info
        self._lock, self._on_trouble = lock, on_trouble
        self.wire, self.events, self.stimuli, self.centre, self.timing_error, self.minute = (Buffer() for _ in range(6))
        buffers: dict[str, Buffer] = {name: getattr(self, name) for name in TABLES}
        self._flusher = Flusher(self.folder, max_bytes, buffers, on_trouble, daily=daily)
        atexit.register(self._at_exit)

    @classmethod
    def create(
        cls,
        folder: Path,
        info: RunInfo,
        *,
        max_bytes: int = MAX_BYTES,
        on_trouble: Callable[[Trouble], object] = _tell,
        daily: bool = True,
    ) -> Self:
        """Start a ledger in its own folder, which is created if necessary, and lock the folder.

        `on_trouble` gets every failure to write when it happens, in the ledger's thread; `flush` and `close` raise it.
        A segment ends at midnight (UTC) of the rows, or beyond `max_bytes`; with `daily` false, for runs in virtual
        time, only beyond `max_bytes`. Raises LedgerError if the folder contains a ledger or foreign files, or cannot be
        written; Trouble if the disk is full.
        """
        try:
            claim(folder, "run folder", LedgerError)
            lock = take_lock(folder)
        except OSError as problem:
            raise not_writable(folder, problem) from None
        try:
            if (folder / NAME).exists() or any(folder.glob("*-[0-9]*.arrows")) or any(folder.glob("*-[0-9]*.parquet")):
                raise LedgerError(str(folder), "holds a ledger already", "a new or empty folder")
            _check_room(folder)
            now = time.time()
            created_at = info.times.created_at or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
            times = Times(created_at, info.times.wall_started or int(now * 1e6), info.times.wall_ended)
            info = msgspec.structs.replace(info, times=times, closed=False, rows={}, format=FORMAT)
            write_info(folder, info)
        except OSError as problem:
            lock.release()
            raise not_writable(folder, problem) from None
        except BaseException:
            lock.release()
            raise
        return cls(lock, info, max_bytes, on_trouble, daily=daily)

    def write_table(self, name: str, rows: pa.Table) -> None:
        """Write whole columns of a table, without `n`, with the next batch. Blocks while many rows wait.

        `flush` or `close` raises Trouble if they do not fit the table.
        """
        self._flusher.take(TABLES[name], rows)

    @classmethod
    def resume(
        cls,
        folder: Path | FolderLock,
        *,
        max_bytes: int = MAX_BYTES,
        on_trouble: Callable[[Trouble], object] = _tell,
    ) -> Self:
        """Continue the ledger of a run that was closed or killed, in new segments.

        A caller that reads the run first takes the lock itself and passes it. Raises LedgerError if there is no
        readable ledger, or if a program writes it.
        """
        from simbench.ledger.reader import read_run  # noqa: PLC0415 - the reader knows ledgers, not the reverse

        try:
            lock = folder if isinstance(folder, FolderLock) else take_lock(folder)
        except OSError as problem:
            raise not_writable(Path(str(folder)), problem) from None
        try:
            read = read_run(lock.folder).info
            times = msgspec.structs.replace(read.times, wall_ended=0)
            info = msgspec.structs.replace(read, times=times, closed=False, rows={})
            write_info(lock.folder, info)
        except OSError as problem:
            lock.release()
            raise not_writable(lock.folder, problem) from None
        except BaseException:
            lock.release()
            raise
        return cls(lock, info, max_bytes, on_trouble)

    # Room ------------------------------------------------------------------------------------------------------

    def took(self, octets: int) -> bool:
        """Count octets that were received and appended as rows; return whether the server should pause reading.

        True once more than 32 MB of them wait, because the disk is slower than the connections, until half are written.
        """
        return self._flusher.took(octets)

    @property
    def strained(self) -> bool:
        """Whether the server should pause reading, as `took` returns."""
        return self._flusher.strained()

    @property
    def failing(self) -> str:
        """The reason why rows cannot be written at present, "" if they can."""
        return self._flusher.failing()

    def watch(self, on_change: Callable[[], object]) -> None:
        """Call `on_change` whenever `failing` or `strained` changes, in the ledger's thread."""
        self._flusher.watch(on_change)

    @property
    def backlog(self) -> int:
        """The number of rows in memory only. A driver in virtual time flushes when it exceeds its own limit."""
        return self._flusher.backlog()

    def flush(self) -> None:
        """Block until all rows appended before are committed.

        Raises Trouble if they cannot be, or if a row was lost.
        """
        if self.info.closed:
            self._refuse_late_rows()
            return
        self._flusher.wait()

    def durable_after(self, callback: Callable[[], object], call_soon: CallSoon) -> None:
        """Call `call_soon(callback)` once all rows appended before are committed, which happens at once.

        `call_soon` is called in the ledger's thread: pass a loop's `call_soon_threadsafe`. While writing fails the
        callback waits. Raises Trouble if the ledger is closed.
        """
        self._flusher.after(callback, call_soon)

    def snapshot(self) -> Run:
        """Return the rows appended so far as a run to read."""
        from simbench.ledger.reader import Run  # noqa: PLC0415 - the reader knows ledgers, not the reverse

        self.flush()
        rows, store = self._flusher.rows(), self._flusher.store
        return Run(self.info, lambda table: store.read(table, rows[table.name]))

    def tail(self, table: str, first: int, columns: Sequence[str], most: int = EVERY) -> pa.Table:
        """Return these columns of the committed rows of a table from `n` = `first` on, to follow a run that grows.

        May be called from any thread; does not wait. Returns an empty table if no row is committed.
        """
        from simbench.ledger.columns import schema  # noqa: PLC0415 - Arrow is slow to load

        if not self._flusher.rows()[table]:
            return schema(TABLES[table]).empty_table().select(columns)
        return self._flusher.store.tail(TABLES[table], first, columns, most)

    def tally(self, table: str, first: int, by: Sequence[str]) -> list[tuple[Any, ...]]:
        """Count these rows by combination of the columns `by`: (value of each, count)."""
        if not self._flusher.rows()[table]:
            return []
        return self._flusher.store.tally(TABLES[table], first, by)

    @property
    def written(self) -> dict[str, int]:
        """The number of committed rows of each table."""
        return self._flusher.rows()

    def close(self, progress: Callable[[int, int], object] = lambda _done, _all: None) -> None:
        """Write everything, mark the run closed, pack its segments into Parquet and unlock its folder.

        `progress` gets the number of packed segments, and of all. Raises Trouble if a row could not be written. If
        packing fails, `on_trouble` is called, and the segments stay as they are, readable.
        """
        atexit.unregister(self._at_exit)
        if self.info.closed:
            self._refuse_late_rows()
            return
        try:
            self._flusher.stop()
            times = msgspec.structs.replace(self.info.times, wall_ended=int(time.time() * 1e6))
            self.info = msgspec.structs.replace(self.info, times=times, closed=True, rows=self._flusher.rows())
            try:
                write_info(self.folder, self.info)
            except OSError as problem:
                text = problem.strerror or str(problem)
                raise Trouble(f"{self.folder}: all rows are written, but not that the run is closed: {text}") from None
            self._pack(progress)
        finally:
            self._lock.release()

    def _pack(self, progress: Callable[[int, int], object]) -> None:
        from simbench.ledger.packing import pack  # noqa: PLC0415 - Arrow is slow to load

        try:
            pack(self.folder, progress)
        except (OSError, SimbenchError) as problem:
            text = problem.strerror if isinstance(problem, OSError) else str(problem)
            self._on_trouble(
                Trouble(f"{self.folder}: closed, not packed: {text}; `simbench ledger pack` does it once it can be")
            )
        finally:
            self._flusher.store.packed()

    def _refuse_late_rows(self) -> None:
        if self.backlog:
            raise Trouble(f"{self.folder}: {count(self.backlog, 'row')} appended after the ledger was closed")

    def _at_exit(self) -> None:
        try:
            self.close()
        except Trouble as trouble:
            _tell(trouble)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()


class MemoryLedger:
    """A ledger in memory, without thread or file, for tests and runs in virtual time, with the methods of `Ledger`."""

    def __init__(self, info: RunInfo | None = None) -> None:
        self.info = info or RunInfo(run="memory")
        self.wire, self.events, self.stimuli, self.centre, self.timing_error, self.minute = (
            Memory(octet_columns(table)) for table in TABLES.values()
        )

    def write_table(self, name: str, rows: pa.Table) -> None:
        """Append whole columns of a table, without `n`."""
        table = TABLES[name]
        columns = [rows.column(column.name).to_pylist() for column in table.columns]
        getattr(self, name).extend(zip(*columns, strict=True))

    failing, strained = "", False

    def took(self, _octets: int) -> bool:
        """Return False: there is no disk to wait for."""
        return False

    def watch(self, on_change: Callable[[], object]) -> None:
        """Do nothing: the state never changes."""

    def flush(self) -> None:
        """Do nothing: there is no disk."""

    def durable_after(self, callback: Callable[[], object], call_soon: CallSoon) -> None:
        """Call `call_soon(callback)` at once."""
        call_soon(callback)

    def snapshot(self) -> Run:
        """Return the rows appended so far as a run to read. Raises Trouble for a row that does not fit its table."""
        from simbench.ledger.reader import Run, rows_of  # noqa: PLC0415 - the reader knows ledgers, not the reverse

        return Run(self.info, rows_of({name: getattr(self, name)[:] for name in TABLES}))

    def tail(self, table: str, first: int, columns: Sequence[str], most: int = EVERY) -> pa.Table:
        """Return rows like `Ledger.tail`."""
        from simbench.ledger.reader import rows_of  # noqa: PLC0415 - the reader knows ledgers, not the reverse

        rows: list[Row] = getattr(self, table)[first : first + most]
        return rows_of({table: rows})(TABLES[table]).select(columns)

    def tally(self, table: str, first: int, by: Sequence[str]) -> list[tuple[Any, ...]]:
        """Count rows like `Ledger.tally`."""
        names = [column.name for column in TABLES[table].columns]
        places = [names.index(name) for name in by]
        rows: list[Row] = getattr(self, table)[first:]
        counted = Counter(tuple(row[place] for place in places) for row in rows)
        return [(*values, count) for values, count in counted.items()]

    @property
    def backlog(self) -> int:
        """0: no row waits for a disk."""
        return 0

    @property
    def written(self) -> dict[str, int]:
        """The number of rows of each table."""
        return {name: len(getattr(self, name)) for name in TABLES}

    def close(self) -> None:
        """Do nothing: there is no file."""


AnyLedger = Ledger | MemoryLedger
