"""Writes the segments of a run: rows are added, then committed. Import late: Arrow takes a while to load.

One thread writes; other threads may read committed rows at any time. Rows that a failed commit could not write stay
pending until the next commit.
"""

from __future__ import annotations

import os
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simbench.base.outputs import grow, remove
from simbench.base.units import DAY_US, NEVER
from simbench.ledger.buffer import Entry
from simbench.ledger.columns import POOL, Misfit, schema, to_batch
from simbench.ledger.rows import ORDINAL, TABLES, Table
from simbench.ledger.segments import (
    SEGMENT,
    batches_from,
    parts_of,
    read_segment,
    segment_name,
    stream_head,
    sync_folder,
)

BULK_BYTES: Final = 300_000_000  # size of a segment of a run in virtual time, which is packed once it is full
_PLACED_OCTETS: Final = 1_000_000  # distance between remembered offsets of a stream
_MOST_BUFFERS: Final = 4  # batches per system call: few enough that they are still in the processor's cache

# Causes before effects, so that a run killed between two tables never contains an effect without its cause.
ORDER: Final = tuple(TABLES[name] for name in ("events", "stimuli", "centre", "minute", "wire", "timing_error"))


class Stream:
    """One segment of one table while it is written."""

    def __init__(self, path: Path, table: Table, first: int) -> None:
        head = stream_head(table)
        self.path, self.table = path, table
        self.first, self.until = first, first  # range of `n` of its rows
        grow(path)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.size = 0  # octets up to the end of the last complete batch
        self.dirty = True
        self._places, self._numbers = array("q"), array("q")
        try:
            self._append([head])
        except OSError:
            self.close()
            remove(path)
            raise
        self.begin = self.size

    def write(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Append batches, all or none. Raises OSError."""
        if not self._places or self.size - self._places[-1] >= _PLACED_OCTETS:
            self._places.append(self.size)
            self._numbers.append(batches[0].column(ORDINAL.name)[0].as_py())
        self._append([batch.serialize(memory_pool=POOL) for batch in batches])
        self.until = batches[-1].column(ORDINAL.name)[-1].as_py() + 1

    def _append(self, pieces: Sequence[Any]) -> None:
        wanted, written = sum(map(len, pieces)), 0
        self.dirty = True
        try:
            written = os.writev(self._descriptor, pieces)
            if written < wanted:  # the disk is nearly full: writing the rest shows whether it is full
                rest = memoryview(b"".join(map(bytes, pieces)))
                while written < wanted:
                    written += os.write(self._descriptor, rest[written:])
        except BaseException:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
            raise
        self.size += written

    def batches(self, span: tuple[int, int], end: int) -> Iterator[pa.RecordBatch]:
        """Yield the committed batches that may contain rows numbered within `span`, up to offset `end`."""
        near, beyond = bisect_right(self._numbers, span[0]) - 1, bisect_left(self._numbers, span[1])
        if beyond < len(self._places):
            end = min(end, self._places[beyond])
        return batches_from(self.path, self.table, self._places[near] if near >= 0 else self.begin, end)

    def sync(self) -> None:
        """Wait until all written octets are on disk. Raises OSError."""
        os.fdatasync(self._descriptor)
        self.dirty = False

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class Store:
    """All segments of one run. `rows`: committed rows of each table, replaced as a whole so any thread may read it."""

    def __init__(self, folder: Path, max_bytes: int, *, daily: bool = True) -> None:
        self._folder, self._daily = folder, daily
        self._max_bytes = max_bytes if daily else min(max_bytes, BULK_BYTES)
        self._pending: dict[str, deque[pa.RecordBatch]] = {name: deque() for name in TABLES}
        self._lock = threading.Lock()  # held while files are renamed or read, not while they are written
        self._closed = parts_of(folder)
        self._ends: dict[str, list[int]] = {
            name: [] for name in TABLES
        }  # for each closed file, the `n` after its last row
        self._numbered = {name: self._counted(TABLES[name]) for name in TABLES}
        self.rows = dict(self._numbered)
        self._written = dict(self._numbered)
        self._number = max(len(paths) for paths in self._closed.values())
        self._open: dict[str, Stream] = {}
        self._edge: int | None = None
        self._syncing: ThreadPoolExecutor | None = None
        self._synced = False  # whether a caller requires rows to be synced to disk

    def _counted(self, table: Table) -> int:
        """Count the rows in the files of a resumed run; octets after a segment's last complete batch are removed."""
        counted = 0
        for path in self._closed[table.name]:
            if path.suffix == SEGMENT:
                segment = read_segment(path, table)
                if segment.whole:
                    os.truncate(path, segment.whole)
                else:
                    path.write_bytes(stream_head(table))
                counted += segment.rows
            else:
                from simbench.ledger.packing import open_packed  # noqa: PLC0415 - Parquet is slow to load, and a server that begins needs none

                with open_packed(path, table) as file:
                    counted += file.metadata.num_rows
            self._ends[table.name].append(counted)
        return counted

    def add(self, table: Table, entries: Sequence[Entry], misfit: Misfit) -> None:
        """Add rows and columns to the next commit; a row that does not fit is passed to `misfit` and left out."""
        batch = to_batch(table, entries, self._numbered[table.name], misfit)
        self._take(table, [batch])

    def add_table(self, table: Table, rows: pa.Table) -> None:
        """Add whole columns to the next commit. Raises Arrow's errors if they are not the columns of the table."""
        first = self._numbered[table.name]
        rows = rows.append_column(ORDINAL.name, pa.array(np.arange(first, first + len(rows))))
        self._take(table, rows.select(schema(table).names).cast(schema(table)).to_batches())

    def _take(self, table: Table, batches: Iterable[pa.RecordBatch]) -> None:
        kept = [batch for batch in batches if batch.num_rows]
        self._pending[table.name].extend(kept)
        self._numbered[table.name] += sum(batch.num_rows for batch in kept)

    def commit(self, *, sync: bool = False) -> None:
        """Write all pending rows, those after midnight (UTC) to a new segment; `sync` also syncs them to disk.

        Raises OSError.
        """
        try:
            self._commit()
            if sync:
                self._synced = True
                self._sync()
        finally:
            self.rows = dict(self._written)

    def _commit(self) -> None:
        pending = [batch for batches in self._pending.values() for batch in batches]
        if not pending and self._number:
            return
        self._begin()
        if not pending:
            return
        bounds = [pc.min_max(batch.column(0)).as_py() for batch in pending]
        latest = max(each["max"] for each in bounds)
        if self._edge is None:
            self._edge = _midnight_after(min(each["min"] for each in bounds)) if self._daily else NEVER
        if latest >= self._edge:
            self._write(self._edge)
            self._roll()
            self._begin()
            self._edge = _midnight_after(latest)
        self._write(NEVER)
        if sum(stream.size for stream in self._open.values()) > self._max_bytes:
            self._roll()

    def _begin(self) -> None:
        """Open the next segment of every table unless one is open."""
        if self._open:
            return
        opened: dict[str, Stream] = {}
        try:
            for table in ORDER:
                path = self._folder / segment_name(table.name, self._number + 1)
                opened[table.name] = Stream(path, table, self._written[table.name])
            sync_folder(self._folder)
        except BaseException:
            for stream in opened.values():
                stream.close()
                remove(stream.path)
            raise
        with self._lock:
            self._open, self._edge = opened, None
            self._number += 1

    def _write(self, below: int) -> None:
        """Write the pending rows before an instant."""
        for table in ORDER:
            batches, stream = self._pending[table.name], self._open[table.name]
            later: deque[pa.RecordBatch] = deque()
            while batches:
                ready = [batches.popleft() for _ in range(min(len(batches), _MOST_BUFFERS))]
                if below < NEVER:
                    ready, after = _cut(ready, below)
                    later.extend(after)
                try:
                    if ready:
                        stream.write(ready)
                except BaseException:
                    batches.extendleft(reversed(ready))
                    batches.extendleft(reversed(later))
                    raise
                self._written[table.name] += sum(batch.num_rows for batch in ready)
            self._pending[table.name] = later

    def _sync(self) -> None:
        dirty = [stream for stream in self._open.values() if stream.dirty]
        if len(dirty) > 1:  # in parallel, a disk syncs them together
            self._syncing = self._syncing or ThreadPoolExecutor(len(TABLES), "ledger-sync")
            list(self._syncing.map(Stream.sync, dirty))
        elif dirty:
            dirty[0].sync()

    def _roll(self) -> None:
        """Close the open segments."""
        if not self._open:
            return
        if self._synced:
            self._sync()
        with self._lock:
            for name, stream in self._open.items():
                stream.close()
                self._closed[name].append(stream.path)
                self._ends[name].append(stream.until)
            ended, self._open, self._edge = self._open, {}, None
        if not self._daily:
            for stream in ended.values():
                self._pack(stream)

    def _pack(self, stream: Stream) -> None:
        from simbench.ledger.packing import pack_segment  # noqa: PLC0415 - Parquet is slow to load, and a server that begins needs none

        pack_segment(stream.path, stream.table)
        with self._lock:
            paths = self._closed[stream.table.name]
            paths[paths.index(stream.path)] = stream.path.with_suffix(".parquet")

    def close(self) -> None:
        """Close the segments; there is at least one of each table."""
        if not self._number:
            self._begin()
        self._roll()
        if self._syncing is not None:
            self._syncing.shutdown()
            self._syncing = None

    def packed(self) -> None:
        """Read the segments under their new names after they were packed."""
        with self._lock:
            self._closed = parts_of(self._folder)

    def read(self, table: Table, below: int) -> pa.Table:
        """Return the committed rows of a table with `n` below `below`, in no particular order."""
        found = self._tail(table, (0, below), schema(table).names)
        return found.filter(pc.less(found.column(ORDINAL.name), below))

    def tail(self, table: Table, first: int, columns: Sequence[str], most: int) -> pa.Table:
        """Return these columns of the committed rows with `n` from `first` on, at most `most` rows."""
        return self._tail(table, (first, min(first + most, self.rows[table.name])), columns)

    def tally(self, table: Table, first: int, by: Sequence[str]) -> list[tuple[Any, ...]]:
        """Count the rows with `n` from `first` on by combination of the columns `by`; the count is last."""
        found = self._tail(table, (first, self.rows[table.name]), by)
        counted: Counter[tuple[Any, ...]] = Counter()
        for row in found.group_by(list(by), use_threads=False).aggregate([([], "count_all")]).to_pylist():
            counted[tuple(row[name] for name in by)] += row["count_all"]
        return [(*values, count) for values, count in counted.items()]

    def _tail(self, table: Table, span: tuple[int, int], columns: Sequence[str]) -> pa.Table:
        first, until = span
        pieces: list[pa.Table] = []
        with self._lock:
            closed = list(zip(self._closed[table.name], self._ends[table.name], strict=True))
            stream = self._open.get(table.name)
            end = stream.size if stream is not None else 0
            for path, last in closed:
                if last > first:
                    pieces.append(_within(read_part(path, table), span, columns))
        if stream is not None and stream.first < until:
            batches = [batch for batch in stream.batches(span, end) if batch.num_rows]
            pieces.append(_within(pa.Table.from_batches(batches, schema(table)), span, columns))
        return pa.concat_tables([schema(table).empty_table().select(columns), *pieces])


def read_part(path: Path, table: Table) -> pa.Table:
    """Return all rows of one file of a table, packed or not. Raises LedgerError if it cannot be read."""
    if path.suffix == SEGMENT:
        return pa.Table.from_batches(read_segment(path, table).batches, schema(table))
    from simbench.ledger.packing import read_packed  # noqa: PLC0415 - Parquet is slow to load, and a server that begins needs none

    return read_packed(path, table)


def _within(found: pa.Table, span: tuple[int, int], columns: Sequence[str]) -> pa.Table:
    """Return the rows numbered within a span; `n` ascends in a file."""
    numbers = found.column(ORDINAL.name).to_numpy()
    start, end = np.searchsorted(numbers, span)
    return found.slice(start, end - start).select(columns)


def _cut(batches: list[pa.RecordBatch], edge: int) -> tuple[list[pa.RecordBatch], list[pa.RecordBatch]]:
    """Split batches into those before an instant and those from it on."""
    before = [batch.filter(pc.less(batch.column(0), edge)) for batch in batches]
    after = [batch.filter(pc.greater_equal(batch.column(0), edge)) for batch in batches]
    return [batch for batch in before if batch.num_rows], [batch for batch in after if batch.num_rows]


def _midnight_after(us: int) -> int:
    return (us // DAY_US + 1) * DAY_US


__all__ = ["ORDER", "Store"]
