"""The ledger as those see it who write it: five things with an `append`, and a moment when all is on disk.

Interprets no row, and never makes the appending thread wait.
"""

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
ROOM = 65_536  # octets a disk must have room for before a run begins on it
EVERY = 1 << 60  # rows: more than there can be


def _tell(trouble: Trouble) -> None:
    print(trouble, file=sys.stderr)  # noqa: T201 - trouble with the ledger must never pass in silence


def not_writable(folder: Path, problem: OSError) -> SimbenchError:
    """The error to raise for a run folder that cannot be written: Trouble for want of room, else LedgerError."""
    text = problem.strerror or str(problem)
    if problem.errno in ROOMLESS:
        return Trouble(f"{folder}: {text}; the ledger needs room on this disk")
    return LedgerError(str(folder), text, "a folder that can be written")


def _check_room(folder: Path) -> None:
    """Write and remove a little, so that a full disk is found before anything is answered. Raises OSError."""
    with TemporaryFile(dir=folder) as file:
        file.write(bytes(ROOM))


class Ledger:
    """One run being written to its folder.

    `wire`, `events`, `stimuli`, `centre`, `timing_error` and `minute` take tuples in the column order of
    `simbench.ledger.rows` with `append`, and many of them as columns with `append_columns`; both may be bound once and
    called from one thread.
    Rows reach the disk within 200 ms; a process that is killed loses no more than those.
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
        """Start a ledger in a folder of its own, made if need be, and lock the folder.

        `on_trouble` is given every failure to write as it happens, in the ledger's own thread; `flush` and `close`
        raise it. A segment ends at midnight (UTC) of the rows, or beyond `max_bytes`; not `daily`: only beyond
        `max_bytes`, for runs in virtual time. LedgerError if there is a ledger already, or anything that simbench did
        not write, or the folder cannot be written; Trouble if the disk is full.
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
        """Write whole columns of a table, its `n` left out; they go out with the next batch. Blocks when many wait.

        Trouble (from `flush` or `close`) when they do not fit the table.
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
        """Go on, in new segments, with the ledger of a run that was closed or killed.

        Whoever reads the run before it goes on locks it first and gives the lock. LedgerError if there is no ledger
        that can be read, or somebody writes it.
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
        """Octets were read from a line, and rows of them appended; whether nothing more should be read for now.

        True while more than 32 MB of them wait to be written: then memory grows faster than the disk takes rows.
        """
        return self._flusher.took(octets)

    @property
    def strained(self) -> bool:
        """Whether `took` would say so now."""
        return self._flusher.strained()

    @property
    def failing(self) -> str:
        """Why rows cannot be written at present, "" while they can."""
        return self._flusher.failing()

    def watch(self, on_change: Callable[[], object]) -> None:
        """Call `on_change` whenever `failing` or `strained` changes, in the ledger's thread."""
        self._flusher.watch(on_change)

    @property
    def backlog(self) -> int:
        """Rows in memory only. A driver in virtual time flushes when it grows beyond what it wants to hold."""
        return self._flusher.backlog()

    def flush(self) -> None:
        """Block until everything appended before is committed; Trouble if it cannot be, or if a row was lost."""
        if self.info.closed:
            self._refuse_late_rows()
            return
        self._flusher.wait()

    def durable_after(self, callback: Callable[[], object], call_soon: CallSoon) -> None:
        """Call `call_soon(callback)` once everything appended before is committed.

        `call_soon` is called in the ledger's thread: give a loop's `call_soon_threadsafe`. While writing fails the
        callback waits. The batch is written at once, not after its period. Trouble if the ledger is closed.
        """
        self._flusher.after(callback, call_soon)

    def snapshot(self) -> Run:
        """Everything appended so far as a run to read; rows appended later are not in it."""
        from simbench.ledger.reader import Run  # noqa: PLC0415 - the reader knows ledgers, not the reverse

        self.flush()
        rows, store = self._flusher.rows(), self._flusher.store
        return Run(self.info, lambda table: store.read(table, rows[table.name]))

    def tail(self, table: str, first: int, columns: Sequence[str], most: int = EVERY) -> pa.Table:
        """These columns of what is committed of a table from its `n`-th row on: for who follows a run as it grows.

        May be called from any thread; waits for no row. Nothing yet: an empty table.
        """
        from simbench.ledger.columns import schema  # noqa: PLC0415 - Arrow is slow to load

        if not self._flusher.rows()[table]:
            return schema(TABLES[table]).empty_table().select(columns)
        return self._flusher.store.tail(TABLES[table], first, columns, most)

    def tally(self, table: str, first: int, by: Sequence[str]) -> list[tuple[Any, ...]]:
        """How many such rows there are of each combination of these columns: (value of each, count)."""
        if not self._flusher.rows()[table]:
            return []
        return self._flusher.store.tally(TABLES[table], first, by)

    @property
    def written(self) -> dict[str, int]:
        """Rows committed of each table."""
        return self._flusher.rows()

    def close(self, progress: Callable[[int, int], object] = lambda _done, _all: None) -> None:
        """Write everything, mark the run closed, pack its segments into Parquet and unlock its folder.

        `progress` is given segments packed, and all. Trouble if something could not be written. Segments that cannot
        be packed stay as they are, which readers take as well; `on_trouble` is called.
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
    """The same ledger in memory, without thread or file, for tests and runs in virtual time."""

    def __init__(self, info: RunInfo | None = None) -> None:
        self.info = info or RunInfo(run="memory")
        self.wire, self.events, self.stimuli, self.centre, self.timing_error, self.minute = (
            Memory(octet_columns(table)) for table in TABLES.values()
        )

    def write_table(self, name: str, rows: pa.Table) -> None:
        """Take whole columns of a table, its `n` left out."""
        table = TABLES[name]
        columns = [rows.column(column.name).to_pylist() for column in table.columns]
        getattr(self, name).extend(zip(*columns, strict=True))

    failing, strained = "", False

    def took(self, _octets: int) -> bool:
        """Memory is all there is."""
        return False

    def watch(self, on_change: Callable[[], object]) -> None:
        """Nothing ever changes."""

    def flush(self) -> None:
        """Nothing to write."""

    def durable_after(self, callback: Callable[[], object], call_soon: CallSoon) -> None:
        """Call `call_soon(callback)` at once."""
        call_soon(callback)

    def snapshot(self) -> Run:
        """The rows appended so far as a run to read; Trouble when a row does not fit its table."""
        from simbench.ledger.reader import Run, rows_of  # noqa: PLC0415 - the reader knows ledgers, not the reverse

        return Run(self.info, rows_of({name: getattr(self, name)[:] for name in TABLES}))

    def tail(self, table: str, first: int, columns: Sequence[str], most: int = EVERY) -> pa.Table:
        """As a ledger's on disk."""
        from simbench.ledger.reader import rows_of  # noqa: PLC0415 - the reader knows ledgers, not the reverse

        rows: list[Row] = getattr(self, table)[first : first + most]
        return rows_of({table: rows})(TABLES[table]).select(columns)

    def tally(self, table: str, first: int, by: Sequence[str]) -> list[tuple[Any, ...]]:
        """As a ledger's on disk."""
        names = [column.name for column in TABLES[table].columns]
        places = [names.index(name) for name in by]
        rows: list[Row] = getattr(self, table)[first:]
        counted = Counter(tuple(row[place] for place in places) for row in rows)
        return [(*values, count) for values, count in counted.items()]

    @property
    def backlog(self) -> int:
        """Nothing waits for a disk."""
        return 0

    @property
    def written(self) -> dict[str, int]:
        """Rows of each table."""
        return {name: len(getattr(self, name)) for name in TABLES}

    def close(self) -> None:
        """Nothing to close."""


AnyLedger = Ledger | MemoryLedger
