"""Segments: the files a run is written to, one append-only Arrow IPC stream for each table and segment.

An incomplete segment is read up to its last complete batch. Import late: Arrow takes a while to load.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from simbench.base.bus_errors import before_mapping
from simbench.base.errors import LedgerError
from simbench.base.inputs import open_input
from simbench.base.text import count
from simbench.ledger.columns import schema
from simbench.ledger.rows import TABLES, Table

SEGMENT, PACKED = ".arrows", ".parquet"
_NAME: Final = re.compile(rf"({'|'.join(TABLES)})-(\d{{4,9}})({re.escape(SEGMENT)}|{re.escape(PACKED)})")
_TOKEN: Final = b"\xff\xff\xff\xff"  # every message of a stream begins with this and the length of its header
_HEAD: Final = 8
MOST_METADATA: Final = 1 << 20  # octets of the header of a batch; those of our tables take less than a kilobyte
SEGMENT_OCTETS: Final = 1_200_000_000  # before it is packed, with its last batch: equal frames of a flood pack well


def segment_name(table: str, number: int, kind: str = SEGMENT) -> str:
    """Return the file name of a table's n-th segment, counted from 1."""
    return f"{table}-{number:04}{kind}"


def parts_of(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each table in the order of their numbers; a packed file replaces its segment.

    Raises LedgerError if a number is missing, or if a table has fewer files than the others.
    """
    found: dict[str, dict[int, Path]] = {name: {} for name in TABLES}
    for path in sorted(folder.iterdir()):  # .arrows before .parquet
        if match := _NAME.fullmatch(path.name):
            found[match[1]][int(match[2])] = path
    last = max((number for parts in found.values() for number in parts), default=0)
    for name, parts in found.items():
        for number in range(1, last + 1):
            if number not in parts and not (number == last and _may_lack(found, last)):
                missing = segment_name(name, number, "")
                raise LedgerError(str(folder), f"{missing} is missing", f"{count(last, 'file')} of each table")
    return {name: [parts[number] for number in sorted(parts)] for name, parts in found.items()}


def _may_lack(found: dict[str, dict[int, Path]], last: int) -> bool:
    """Return whether the last number had only been begun: none of its files contains a row."""
    return all(
        parts[last].suffix == SEGMENT and parts[last].stat().st_size <= len(stream_head(TABLES[name]))
        for name, parts in found.items()
        if last in parts
    )


def stream_head(table: Table) -> bytes:
    """Return the octets that a table's stream begins with."""
    return bytes(schema(table).serialize())


class Segment(msgspec.Struct, frozen=True):
    """The readable part of a segment: its complete batches, the octet at which they end, and the octets after it."""

    batches: list[pa.RecordBatch]
    whole: int
    torn: int

    @property
    def rows(self) -> int:
        """The number of rows of all batches."""
        return sum(batch.num_rows for batch in self.batches)


def read_segment(path: Path, table: Table, *, values: bool = True) -> Segment:
    """Read every complete batch of a segment, mapped from the file; `values` checks their values.

    Raises LedgerError if the file is not a segment of this table, or if a value is invalid.
    """
    size = read_head(path)
    if not size:
        return Segment([], 0, path.stat().st_size)
    before_mapping()
    try:
        with pa.memory_map(str(path)) as source:
            segment = _read(path, table, source, size)
    except OSError as problem:
        raise LedgerError(str(path), problem.strerror or str(problem), "a file that can be read") from None
    for batch in segment.batches if values else ():
        check_batch(path, table, batch)
    return segment


def read_head(path: Path) -> int:
    """Return the octets of a segment, 0 if it ends within its head. Raises LedgerError if it is not a segment."""
    try:
        size = path.stat().st_size
        with open_input(path) as file:
            head = file.read(_HEAD)
    except OSError as problem:
        raise LedgerError(str(path), problem.strerror or str(problem), "a file that can be read") from None
    length = int.from_bytes(head[len(_TOKEN) :], "little")
    if head[: len(_TOKEN)] != _TOKEN[: len(head)] or length > MOST_METADATA:
        raise _foreign(path)
    if len(head) == _HEAD and size >= _HEAD + length:
        return size
    return 0


def _read(path: Path, table: Table, source: pa.MemoryMappedFile, size: int) -> Segment:
    stream = _stream(path, table, source)
    batches: list[pa.RecordBatch] = []
    whole = source.tell()
    with suppress(pa.ArrowException, OSError, EOFError):  # the segment ends within a batch
        for batch in stream:
            batches.append(batch)
            whole = source.tell()
    return Segment(batches, whole, size - whole)


def _stream(path: Path, table: Table, source: pa.NativeFile) -> Iterator[pa.RecordBatch]:
    """Read the head of a stream; return its batches. LedgerError if it is of another table, or like `_batches`."""
    try:
        _check_length(path, source)
        found = pa.ipc.open_stream(source).schema
    except (pa.ArrowException, OSError, EOFError):
        raise _foreign(path) from None
    if not found.equals(schema(table)):
        raise LedgerError(str(path), f"does not contain the table {table.name}", "a ledger file of this version")
    return _batches(path, found, source)


def _batches(path: Path, found: pa.Schema, source: pa.NativeFile) -> Iterator[pa.RecordBatch]:
    """Yield the batches. Raises LedgerError for one that could fill the memory from a few kilobytes of a file.

    Such batches are compressed, or claim more octets than a segment has; the file may hold these as a hole.
    """
    with suppress(EOFError):
        while True:
            _check_length(path, source)
            message = pa.ipc.read_message(source)
            if message.type != "record batch" or is_packed(message.metadata.to_pybytes()):
                raise LedgerError(str(path), f"holds a packed {message.type}", "batches as this version writes them")
            yield pa.ipc.read_record_batch(message, found)


def _check_length(path: Path, source: pa.NativeFile) -> None:
    """Check the length of the next message before it is read. Raises ArrowInvalid if it has no valid header."""
    at = source.tell()
    length = int.from_bytes(source.read(_HEAD)[len(_TOKEN) :], "little")
    octets = source.read(min(length, MOST_METADATA))
    source.seek(at)
    if length > MOST_METADATA:
        raise pa.ArrowInvalid("no message of a record batch")
    if len(octets) == length > 0 and (body := _body_length(octets)) > SEGMENT_OCTETS:
        raise LedgerError(str(path), f"holds a message of {body:,} octets", f"at most {SEGMENT_OCTETS:,}")


def is_packed(metadata: bytes) -> bool:
    """Tell whether a message's record batch is compressed: the fourth field of its header, by Arrow's Message.fbs.

    Raises ArrowInvalid if it is not such a message.
    """
    with _as_arrow_says():
        (message,) = struct.unpack_from("<I", metadata)
        header = _field(metadata, message, 2)
        batch = header + struct.unpack_from("<I", metadata, header)[0]
        return bool(_field(metadata, batch, 3) != batch)


def _body_length(metadata: bytes) -> int:
    """Return the length of a message's body, the fourth field of a message. Raises ArrowInvalid like `is_packed`."""
    with _as_arrow_says():
        (message,) = struct.unpack_from("<I", metadata)
        place = _field(metadata, message, 3)
        return int(struct.unpack_from("<q", metadata, place)[0]) if place != message else 0


def _field(metadata: bytes, table: int, number: int) -> int:
    """Return the place of a table's field, or of the table if it lacks the field."""
    (back,) = struct.unpack_from("<i", metadata, table)
    (size,) = struct.unpack_from("<H", metadata, table - back)
    at = 4 + 2 * number
    return table + int(struct.unpack_from("<H", metadata, table - back + at)[0]) if at < size else table


@contextmanager
def _as_arrow_says() -> Iterator[None]:
    try:
        yield
    except struct.error:
        raise pa.ArrowInvalid("no message of a record batch") from None


def check_batch(path: Path, table: Table, batch: pa.RecordBatch) -> None:
    """Raise LedgerError unless every value of a batch is valid for its column."""
    try:
        check_values(table, batch)
    except (pa.ArrowException, ValueError) as problem:
        text = str(problem).strip().splitlines()[0]
        raise LedgerError(str(path), f"damaged: {text:.200}", "a complete ledger file") from None


def check_values(table: Table, batch: pa.RecordBatch | pa.Table) -> None:
    """Raise ValueError unless every value is valid for its column: offsets in range, UTF-8, no null."""
    batch.validate(full=True)
    for column in table.columns:
        if column.name in batch.schema.names and not column.nullable and batch.column(column.name).null_count:
            raise ValueError(f"column {column.name} lacks a value")


@contextmanager
def open_segment(path: Path, table: Table) -> Iterator[tuple[pa.NativeFile, Iterator[pa.RecordBatch] | None]]:
    """Open a segment: its file, and the stream of its batches (None if the segment ends within its head).

    Raises LedgerError like `read_segment`.
    """
    size = read_head(path)
    try:
        with pa.OSFile(str(path)) as source:
            yield source, _stream(path, table, source) if size else None
    except OSError as problem:
        raise LedgerError(str(path), problem.strerror or str(problem), "a file that can be read") from None


def stream_segment(path: Path, table: Table) -> Iterator[pa.RecordBatch]:
    """Yield the complete batches of a segment, checked, without keeping them.

    Raises LedgerError like `read_segment`.
    """
    with open_segment(path, table) as (_, stream), suppress(pa.ArrowException, OSError, EOFError):
        for batch in stream or ():
            check_batch(path, table, batch)
            yield batch


def batches_from(path: Path, table: Table, start: int, end: int, *, mapped: bool = True) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a segment between the offsets of two batches, mapped from the file or read."""
    if start >= end:
        return
    with pa.memory_map(str(path)) if mapped else pa.OSFile(str(path)) as source:
        source.seek(start)
        while source.tell() < end:
            yield pa.ipc.read_record_batch(pa.ipc.read_message(source), schema(table))


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that its file names survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _foreign(path: Path) -> LedgerError:
    return LedgerError(str(path), "is not an Arrow stream", "a ledger file of this version")
