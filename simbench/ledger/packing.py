"""Packs segments into Parquet, which other tools can read. An interrupted run can be read, and packed again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from simbench.base.errors import LedgerError
from simbench.base.inputs import check_input
from simbench.base.outputs import remove, replacing
from simbench.base.parquet_files import open_parquet
from simbench.ledger.columns import schema
from simbench.ledger.rows import TABLES, Table
from simbench.ledger.segments import (
    PACKED,
    SEGMENT,
    SEGMENT_OCTETS,
    check_values,
    parts_of,
    stream_segment,
    sync_folder,
)

GROUP_ROWS, GROUP_OCTETS = 1_000_000, 16_000_000  # of a row group: what packing holds in memory

# Few different values are kept once; of others a dictionary costs time and saves nothing.
PARQUET: Final[dict[str, Any]] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": ["kind", "code", "direction", "traffic_class", "brand", "place"],
    "write_page_checksum": True,
}

Progress = Callable[[int, int], object]


def pack(folder: Path, progress: Progress = lambda _done, _all: None) -> int:
    """Pack every segment of a closed run into Parquet; return their number. `progress` gets segments done, and all.

    A segment is removed once its Parquet file is complete and on disk. Raises LedgerError, OSError.
    """
    waiting = [(name, path) for name, paths in parts_of(folder).items() for path in paths if path.suffix == SEGMENT]
    for done, (name, path) in enumerate(waiting):
        progress(done, len(waiting))
        pack_segment(path, TABLES[name])
    for leftover in folder.glob(f"*{SEGMENT}"):
        if leftover.with_suffix(PACKED).exists():  # packing was interrupted before the removal
            _drop(leftover)
    return len(waiting)


def pack_segment(path: Path, table: Table) -> None:
    """Pack one segment into Parquet, one row group at a time. Raises LedgerError, OSError."""
    with (
        replacing(path.with_suffix(PACKED), edited=True) as part,
        part.open("wb") as file,
        pq.ParquetWriter(file, schema(table), **PARQUET) as writer,
    ):
        _write(writer, stream_segment(path, table), table)
        writer.close()
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    _drop(path)


def _drop(segment: Path) -> None:
    """Remove a packed segment, even if no manifest lists it, as in a copied run."""
    remove(segment)
    segment.unlink(missing_ok=True)


def _write(writer: pq.ParquetWriter, batches: Iterable[pa.RecordBatch], table: Table) -> None:
    group: list[pa.RecordBatch] = []
    rows = octets = 0
    for batch in batches:
        group.append(batch)
        rows, octets = rows + batch.num_rows, octets + batch.nbytes
        if rows >= GROUP_ROWS or octets >= GROUP_OCTETS:
            writer.write_table(pa.Table.from_batches(group), row_group_size=rows)
            group, rows, octets = [], 0, 0
    if group:
        writer.write_table(pa.Table.from_batches(group, schema(table)), row_group_size=max(rows, 1))


def open_packed(path: Path, table: Table, *, sized: bool = True) -> pq.ParquetFile:
    """Open the Parquet file of a table; columns are checked, values are not. Raises LedgerError for any other file.

    `sized`: the file was opened before, and takes no more memory than its size allows.
    """
    try:
        if sized:
            check_input(path)
            file = pq.ParquetFile(path, page_checksum_verification=True)
        else:
            file = open_parquet(path, few_octets=SEGMENT_OCTETS, page_checksum_verification=True)
        fits = _columns(file.schema_arrow) == _columns(schema(table))
    except (pa.ArrowException, OSError, ValueError) as problem:
        raise _unreadable(path, problem) from None
    if not fits:
        raise LedgerError(str(path), f"does not contain the table {table.name}", "a ledger file of this version")
    return file


def read_packed(path: Path, table: Table) -> pa.Table:
    """Read and check all rows of a table's Parquet file. Raises LedgerError if they cannot be read to the end."""
    with open_packed(path, table) as file:
        return _checked(path, table, file.read)


def read_group(path: Path, file: pq.ParquetFile, table: Table, group: int, columns: Sequence[str]) -> pa.Table:
    """Read and check these columns of one row group. Raises LedgerError if they cannot be read."""
    return _checked(path, table, lambda: file.read_row_group(group, columns=list(columns)))


def _checked(path: Path, table: Table, read: Callable[[], pa.Table]) -> pa.Table:
    try:
        found = read()
        found = found.cast(pa.schema([schema(table).field(name) for name in found.column_names]))
        check_values(table, found)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as problem:
        raise _unreadable(path, problem) from None
    return found


def _columns(found: pa.Schema) -> list[tuple[str, pa.DataType]]:
    """Return names and types; missing values are checked with the values."""
    return [(field.name, field.type) for field in found]


def _unreadable(path: Path, problem: BaseException) -> LedgerError:
    said = problem.strerror if isinstance(problem, OSError) else ""
    text = (said or str(problem) or type(problem).__name__).strip().splitlines()[0]
    return LedgerError(str(path), f"{text:.200}", "a complete ledger file")
