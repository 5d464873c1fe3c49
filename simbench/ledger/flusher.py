"""The thread that writes rows from memory to the segments of a run, in batches.

It also reports whether writing succeeds and how many received octets wait to be written, so that a server can stop
reading before its memory is full.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401 - what Arrow needs of it cannot be loaded once the interpreter ends
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from simbench.base.errors import Trouble
from simbench.ledger.buffer import Buffer
from simbench.ledger.rows import TABLES, Row, Table, octet_columns

if TYPE_CHECKING:
    import pyarrow as pa

    from simbench.ledger.store import Store

PERIOD_S = 0.1  # with the time a round takes, rows are on disk within 200 ms
BATCH_ROWS = 20_000
_LOOK_S = 0.025  # interval for checking the number of waiting rows
# Limits of one conversion: small enough for the processor's cache, and the main thread waits for one at most.
_CHUNK_ENTRIES, _CHUNK_ROWS, _CHUNK_OCTETS = 1_000, 4_000, 1_000_000
_BREAK_S = 50e-6
MOST_WAITING = 2_000_000  # rows in whole columns
_HURRY_ROWS = 4 * BATCH_ROWS  # if more rows wait, no breaks: memory matters more than delays of the main thread

MOST_OCTETS = 32_000_000  # received but not yet written; above this a server should stop reading
READ_OCTETS = 1_500  # counted for each read besides its octets: the memory of the rows of one frame
_ENOUGH_OCTETS = MOST_OCTETS // 2  # reading may continue when the octets not yet written fall to this

Buffers = dict[str, Buffer]
CallSoon = Callable[[Callable[[], object]], object]


class Flusher:
    """A background thread between the buffers and the store.

    Every caller that waits draws a numbered ticket; a round of writing settles all tickets drawn before it began.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        buffers: Buffers,
        on_trouble: Callable[[Trouble], object],
        *,
        daily: bool = True,
    ) -> None:
        self._folder, self._max_bytes, self._buffers, self._on_trouble = folder, max_bytes, buffers, on_trouble
        self._daily = daily
        self._tables: deque[tuple[Table, pa.Table]] = deque()
        self._store: Store | None = None
        self._changed = threading.Condition()
        self._drawn = self._settled = 0
        self._callbacks: deque[tuple[int, Callable[[], object], CallSoon]] = deque()
        self._trouble: Trouble | None = None  # the last round failed; its rows are kept
        self._arrived = self._settled_octets = 0  # octets received, and those of them that are written
        self._strained = False
        self._on_change: Callable[[], object] = lambda: None
        self._lost: Trouble | None = None  # rows that fit no column, reported once
        self._stopping = self._ended = False
        self._sync = False  # whether a caller waits for rows to be synced to disk
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def backlog(self) -> int:
        """Return the number of rows appended and not yet taken by the thread."""
        return sum(buffer.waiting() for buffer in self._buffers.values())

    def took(self, octets: int) -> bool:
        """Count octets that were received and appended as rows; return whether the server should pause reading."""
        self._arrived += octets + READ_OCTETS
        if self._arrived - self._settled_octets > MOST_OCTETS:
            self._strained = True
        return self._strained

    def strained(self) -> bool:
        """Return whether too many received octets wait to be written."""
        return self._strained

    def failing(self) -> str:
        """Return the reason why rows cannot be written at present, "" if they can."""
        return str(self._trouble) if self._trouble is not None else ""

    def watch(self, on_change: Callable[[], object]) -> None:
        """Call `on_change`, in the ledger's thread, whenever `failing` or `strained` changes."""
        self._on_change = on_change

    def take(self, table: Table, rows: pa.Table) -> None:
        """Take whole columns (without `n`) to be written; blocks while more than `MOST_WAITING` of their rows wait."""
        self._tables.append((table, rows))
        if sum(len(waiting) for _, waiting in tuple(self._tables)) > MOST_WAITING:
            self.wait()

    def rows(self) -> dict[str, int]:
        """Return the number of committed rows of each table."""
        return self._store.rows if self._store is not None else dict.fromkeys(TABLES, 0)

    @property
    def store(self) -> Store:
        """The store, which exists once a `wait` has returned."""
        assert self._store is not None
        return self._store

    def after(self, callback: Callable[[], object], call_soon: CallSoon) -> None:
        """Pass `callback` to `call_soon`, in the ledger's thread, once all rows appended before are committed."""
        with self._changed:
            if self._stopping:
                raise Trouble(f"{self._folder}: the ledger is closed")
            self._drawn += 1
            self._callbacks.append((self._drawn, callback, call_soon))
            self._changed.notify_all()

    def wait(self) -> None:
        """Block until all rows appended before are committed. Raises Trouble if they cannot be."""
        with self._changed:
            self._drawn += 1
            mine = self._drawn
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._settled >= mine or self._ended)
            self._raise_trouble()
            if self._settled < mine:
                raise Trouble(f"{self._folder}: the ledger's thread has ended")

    def stop(self) -> None:
        """Write the remaining rows, close the files and end the thread. Raises Trouble if a row cannot be written."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()
        self._raise_trouble()

    def _raise_trouble(self) -> None:
        trouble = self._trouble or self._lost
        self._lost = None
        if trouble is not None:
            raise trouble

    def _run(self) -> None:
        last_round = time.monotonic()
        try:
            while not self._ended:
                with self._changed:
                    self._pause(last_round)
                    ticket, stopping = self._drawn, self._stopping
                    self._sync = bool(self._callbacks)
                last_round, arrived = time.monotonic(), self._arrived
                self._settle(ticket, self._round(stopping), arrived)
                self._ended = stopping
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _pause(self, last_round: float) -> None:
        """Wait for a caller, the end of the period, or enough rows (after a failure: for a caller or the period)."""
        while not self._stopping and self._drawn <= self._settled:
            left_s = last_round + PERIOD_S - time.monotonic()
            if left_s <= 0 or (self.backlog() >= BATCH_ROWS and self._trouble is None):
                return
            self._changed.wait(min(left_s, _LOOK_S))

    def _round(self, last: bool) -> Trouble | None:
        try:
            if self._store is None:
                from simbench.ledger.store import Store  # noqa: PLC0415 - Arrow is slow to load, off the driver's thread

                self._store = Store(self._folder, self._max_bytes, daily=self._daily)
            self._drain(self._store)
            self._store.commit(sync=self._sync)
            if last:
                self._store.close()
        except Exception as problem:
            text = problem.strerror if isinstance(problem, OSError) else str(problem)
            text = (text or type(problem).__name__).strip().splitlines()[0]
            return Trouble(f"{self._folder}: the ledger cannot be written: {text}")
        return None

    def _drain(self, store: Store) -> None:
        while self._tables:
            store.add_table(*self._tables.popleft())
        # One call in C: the lengths of all buffers are taken at the same moment.
        counts = tuple(map(len, self._buffers.values()))
        for (name, _), count in zip(self._buffers.items(), counts, strict=True):
            table = TABLES[name]
            buffer, left, octets = self._buffers[table.name], count, max(octet_columns(table), default=-1)
            while left:
                entries = buffer.head(min(left, _CHUNK_ENTRIES), _CHUNK_ROWS, octets, _CHUNK_OCTETS)
                store.add(table, entries, self._misfit)
                buffer.drop(entries)
                left -= len(entries)
                if self.backlog() < _HURRY_ROWS:
                    time.sleep(_BREAK_S)  # lets the main thread run

    def _misfit(self, row: Row, problem: str) -> None:
        self._lost = Trouble(f"{self._folder}: a row does not fit its table and is lost: {problem}: {row!r:.200}")
        self._on_trouble(self._lost)

    def _settle(self, ticket: int, trouble: Trouble | None, arrived: int) -> None:
        earlier, strained = self._trouble, self._strained
        self._trouble = trouble
        if trouble is None:
            with self._changed:
                self._settled_octets = arrived
                self._strained = self._strained and self._arrived - arrived > _ENOUGH_OCTETS
        if (earlier is None, strained) != (trouble is None, self._strained):
            self._on_change()
        # After the change, as whoever reads the line may ask for the state, and before callers are woken.
        if trouble is not None and str(trouble) != str(earlier):
            self._on_trouble(trouble)
        elif trouble is None and earlier is not None:
            self._on_trouble(Trouble(f"{self._folder}: the ledger can be written again; nothing was lost"))
        with self._changed:
            self._settled = ticket
            due = []
            while trouble is None and self._callbacks and self._callbacks[0][0] <= ticket:
                due.append(self._callbacks.popleft())
            self._changed.notify_all()
        for _, callback, call_soon in due:
            with suppress(RuntimeError):  # the loop is closed
                call_soon(callback)
