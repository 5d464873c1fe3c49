"""Opens Parquet files from untrusted sources only if reading them takes memory in proportion to their size.

A file of some kilobytes can hold a billion rows of one value, or one long text a million times. Its metadata and
dictionaries show this before any values are read. Import this module late: Arrow takes a while to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simbench.base.inputs import check_input

ROWS_AN_OCTET: Final = 10  # rows allowed per octet of the file; recorded data takes an octet or more per row
FEW_ROWS: Final = 1_000_000  # rows allowed in a file of any size
OCTETS_AN_OCTET: Final = 200  # octets of memory allowed per octet of the file
FEW_OCTETS: Final = 64_000_000  # octets of memory allowed for a file of any size
_LITTLE: Final = 1_000_000  # octets; columns up to this size are not examined


def open_parquet(path: Path, *, few_octets: int = FEW_OCTETS, **options: Any) -> pq.ParquetFile:
    """Open a Parquet file; `options` are those of `pyarrow.parquet.ParquetFile`.

    `few_octets` of memory are allowed for a file of any size. Raises ValueError, in one line, for a file that would
    take more memory than its size allows, and Arrow's errors.
    """
    check_input(path)
    file = pq.ParquetFile(path, **options)
    try:
        check_size(path, file, few_octets)
    except BaseException:
        file.close()
        raise
    return file


def check_size(path: Path, file: pq.ParquetFile, few_octets: int) -> None:
    """Raise ValueError if a file would take more memory than its size allows."""
    found, size = file.metadata, path.stat().st_size
    most_rows, most = FEW_ROWS + ROWS_AN_OCTET * size, few_octets + OCTETS_AN_OCTET * size
    if found.num_rows > most_rows:
        raise ValueError(f"holds {found.num_rows:,} rows in {size:,} octets; at most {most_rows:,} are read")
    texts = _texts(file.schema_arrow)
    octets = 0
    for number in range(found.num_row_groups):
        group = found.row_group(number)
        octets += group.total_byte_size
        doubtful = [name for name in texts if _may_swell(group, name)]
        if doubtful:
            octets += _swollen(path, number, doubtful, most - octets)
        if octets > most:
            raise ValueError(f"holds more than {most:,} octets of values in {size:,}")


def _texts(schema: pa.Schema) -> list[str]:
    """Return the names of columns of texts and octets, the only types of unlimited length."""
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    plain = {
        field.name: field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in schema
    }
    return [name for name, type_ in plain.items() if any(kind(type_) for kind in kinds)]


def _may_swell(group: Any, name: str) -> bool:
    """Return whether a column that stores each text once could be large when every row has its own copy."""
    for place in range(group.num_columns):
        column = group.column(place)
        if column.path_in_schema == name:
            return bool(column.num_values * column.total_uncompressed_size > _LITTLE)
    return False


def _swollen(path: Path, group: int, names: Sequence[str], room: int) -> int:
    """Return the octets of memory for the texts of these columns: an upper bound, or the sum if that exceeds `room`."""
    total = 0
    with pq.ParquetFile(path, read_dictionary=list(names)) as file:
        rows = file.metadata.row_group(group).num_rows
        for name in names:
            longest = 0
            for batch in file.iter_batches(1, row_groups=[group], columns=[name]):
                longest = pc.max(pc.binary_length(_words(batch.column(0)))).as_py() or 0
                break
            total += rows * longest if rows * longest <= room - total else _exact(file, group, name, room)
    return total


def _exact(file: pq.ParquetFile, group: int, name: str, room: int) -> int:
    total = 0
    for batch in file.iter_batches(65_536, row_groups=[group], columns=[name]):
        column = batch.column(0)
        lengths = pc.binary_length(_words(column))
        if pa.types.is_dictionary(column.type):
            lengths = pc.take(lengths, column.indices)
        total += pc.sum(pc.cast(lengths, pa.int64())).as_py() or 0
        if total > room:
            break
    return total


def _words(column: pa.Array) -> pa.Array:
    return column.dictionary if pa.types.is_dictionary(column.type) else column
