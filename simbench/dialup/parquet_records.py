"""Call records as Parquet, column by column; `records` describes the columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simbench.base.calendar import Calendar
from simbench.base.errors import BadInput
from simbench.base.parquet_files import open_parquet
from simbench.base.units import SECOND_US
from simbench.dialup.calls import CAUSES, UNKNOWN_CAUSE, Calls, SetAside, cause_of
from simbench.dialup.columns import MOST_PORT, NAMES, TIMES, check_columns
from simbench.dialup.kernels.row_checks import MISSING
from simbench.dialup.validation import Ends, RejectedRows, durations_of

NAMED: Final = frozenset({"nas", "user", "session", "cause"})
MOST_CODE: Final = (1 << 31) - 1


def read_parquet(path: Path, calendar: Calendar, aside: RejectedRows) -> tuple[int, Calls]:
    """Read call records from columns: the number of rows, and the calls they support. Raises BadInput."""

    try:
        texts = {field.name for field in pq.read_schema(path) if pa.types.is_string(field.type)}
        file = open_parquet(path, read_dictionary=sorted(texts & {"nas", "user"}))
        wanted = [name for name in file.schema_arrow.names if name in TIMES + NAMES]
        check_columns(wanted, str(path))
        for name in NAMED & set(wanted):
            _check_type(file.schema_arrow.field(name), path)
        table = file.read(columns=wanted).combine_chunks()
    except (pa.ArrowException, OSError, ValueError) as problem:
        if isinstance(problem, BadInput):
            raise
        why = " ".join(str(problem).split())
        raise BadInput(str(path), f"is not a valid Parquet file: {why:.100}", "call records") from None
    rows = table.num_rows
    line = np.arange(1, rows + 1)
    readable = np.ones(rows, dtype=np.bool_)
    columns = {name: _one(table[name]) for name in wanted}
    for name in set(wanted) & {"nas", "user", "session"}:
        columns[name] = _texts(columns[name], name, readable, aside)
    start, end = (_instants(columns, name, rows, path, calendar) for name in ("start", "end"))
    port = _small(columns, "port", (-1, MOST_PORT - 1), readable, aside)
    sound, lasting = durations_of(Ends(start, end, _durations(columns, rows, path), line), aside, calendar, readable)
    nas, nas_names = _codes(columns.get("nas"), rows)
    user, user_names = _codes(columns.get("user"), rows)
    calls = Calls(
        start_us=start, duration_us=lasting, nas=nas, port=port, user=user,
        cause=_causes(columns.get("cause"), rows), line=line, nas_names=nas_names, user_names=user_names,
        session=_sessions(columns.get("session")),
    )  # fmt: skip
    return rows, calls if sound.all() else calls.take(sound)


def _one(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _instants(columns: dict[str, Any], name: str, rows: int, path: Path, calendar: Calendar) -> Any:
    """Return the microseconds of `start` or `end` from either kind of column."""

    if f"{name}_us" in columns:
        return _whole(columns[f"{name}_us"], rows, MISSING, f"{path}: {name}_us")
    if name not in columns:
        return np.zeros(0, np.int64)
    column = columns[name]
    if not pa.types.is_timestamp(column.type):
        raise BadInput(f"{path}: {name}", f"is a column of {column.type}", f"timestamps, or {name}_us as integers")
    if column.type.tz is None:
        column = pc.assume_timezone(column, calendar.zone, ambiguous="earliest", nonexistent="earliest")
    try:  # of nanoseconds the rest goes; larger units may not fit
        cast = column.cast(pa.timestamp("us", "UTC"), safe=column.type.unit != "ns").cast(pa.int64())
    except pa.ArrowInvalid:
        raise BadInput(f"{path}: {name}", "holds times beyond 63 bits of microseconds", "timestamps") from None
    return _whole(cast, rows, MISSING, f"{path}: {name}")


def _durations(columns: dict[str, Any], rows: int, path: Path) -> Any:
    if "duration_us" in columns:
        return _whole(columns["duration_us"], rows, MISSING, f"{path}: duration_us")
    if "duration_s" not in columns:
        return np.zeros(0, np.int64)
    seconds = _whole(columns["duration_s"], rows, MISSING, f"{path}: duration_s")
    fits = np.abs(seconds) < 1 << 40
    return np.where(seconds == MISSING, MISSING, np.where(fits, seconds, 1 << 41) * SECOND_US)


def _whole(column: Any, rows: int, absent: int, place: str) -> Any:
    """Return a column of whole numbers as a new array, `absent` for null or a missing column."""

    if column is None:
        return np.full(rows, absent)
    if not pa.types.is_integer(column.type):
        raise BadInput(place, f"is a column of {column.type}", "whole numbers")
    try:
        values = column.cast(pa.int64())
    except pa.ArrowInvalid:
        raise BadInput(place, "holds numbers beyond 63 bits", "whole numbers") from None
    return np.array((values.fill_null(absent) if values.null_count else values).to_numpy(zero_copy_only=False))


def _small(columns: dict[str, Any], name: str, bounds: tuple[int, int], readable: Any, aside: RejectedRows) -> Any:
    """Return a column of small numbers, the lower bound for missing values; rows beyond the bounds are set aside."""
    low, high = bounds
    if name not in columns:
        return np.full(len(readable), low, dtype=np.int32)
    column = columns[name]
    if not pa.types.is_integer(column.type):
        raise BadInput(name, f"is a column of {column.type}", "whole numbers")
    found = pc.min_max(column)
    if column.null_count or not low <= (found["min"].as_py() or 0) <= (found["max"].as_py() or 0) <= high:
        column = _signed(column, high + 1).fill_null(low)
        fits = pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))
        for place in np.flatnonzero(~fits.to_numpy(zero_copy_only=False)).tolist():
            if readable[place]:
                readable[place] = False
                aside.add(SetAside(place + 1, "unreadable", f"{name} {columns[name][place]}"))
        column = pc.if_else(fits, column, max(low, 0))
    return np.array(column.cast(pa.int32()).to_numpy(zero_copy_only=False))


def _causes(column: Any, rows: int) -> Any:
    """Return causes given by number or by name; a row with an unknown cause is kept."""
    if column is None or pa.types.is_null(column.type):
        return np.zeros(rows, np.uint8)
    if pa.types.is_integer(column.type):
        found = pc.min_max(column)
        if not 0 <= (found["min"].as_py() or 0) <= (found["max"].as_py() or 0) < len(CAUSES):
            column = _signed(column, len(CAUSES))
            known = pc.and_(pc.greater_equal(column, 0), pc.less(column, len(CAUSES)))
            column = pc.if_else(known, column, UNKNOWN_CAUSE)
        return np.array(column.fill_null(0).cast(pa.uint8()).to_numpy(zero_copy_only=False))
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.binary())  # a name in another encoding is an unknown cause; the row is kept
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    numbers = np.array([_cause(word) for word in coded.dictionary.to_pylist()] or [0], dtype=np.uint8)
    places = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.where(places < 0, 0, numbers[places]).astype(np.uint8)


def _cause(word: Any) -> int:
    text = word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word or "")
    return cause_of(text) if text else 0


def _signed(column: Any, beyond: int) -> Any:
    """Whole numbers as int64; those that it cannot hold become `beyond`."""
    if column.type == pa.uint64():
        column = pc.min_element_wise(column, pa.scalar(beyond, pa.uint64()), skip_nulls=False)
    return column.cast(pa.int64())


def _check_type(field: Any, path: Path) -> None:
    """Raise BadInput unless a column has names: texts, octets, whole numbers, or nothing."""
    type_ = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    kinds = ("string", "large_string", "binary", "large_binary", "integer", "floating", "boolean", "null")
    if not any(getattr(pa.types, f"is_{kind}")(type_) for kind in kinds):
        raise BadInput(f"{path}: {field.name}", f"is a column of {field.type}", "texts or whole numbers")


def _texts(column: Any, name: str, readable: Any, aside: RejectedRows) -> Any:
    """Return a column of texts; rows that are not UTF-8 are set aside without their text. Numbers are not changed."""
    coded = pa.types.is_dictionary(column.type)
    words = column.dictionary if coded else column
    if pa.types.is_integer(words.type):
        return column
    try:
        if pa.types.is_binary(words.type) or pa.types.is_large_binary(words.type):
            words.cast(pa.string())
        else:
            words.validate(full=True)
    except pa.ArrowInvalid:
        return _mended(column, name, readable, aside)
    return column


def _mended(column: Any, name: str, readable: Any, aside: RejectedRows) -> Any:

    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    kept: list[str] = []
    for place, octets in enumerate(plain.cast(pa.binary()).to_pylist()):
        try:
            kept.append((octets or b"").decode("utf-8"))
        except UnicodeDecodeError:
            kept.append("")
            if readable[place]:
                readable[place] = False
                aside.add(SetAside(place + 1, "encoding", f"{name} {octets[:30]!r}"))
    return pa.array(kept, type=pa.string())


def _codes(column: Any, rows: int) -> tuple[Any, tuple[str, ...]]:
    """Return indices in a list of names; whole numbers of subscribers have no names."""
    if column is None:
        return np.full(rows, -1, dtype=np.int32), ()
    if pa.types.is_integer(column.type):
        ends = pc.min_max(column)
        if 0 <= (ends["min"].as_py() or 0) <= (ends["max"].as_py() or 0) <= MOST_CODE:
            return column.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32), ()
        column = column.cast(pa.string())  # as names, for the columns of calls have 32 bits
    column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    words = column.dictionary.cast(pa.string()).to_pylist()
    return codes, tuple(word or "" for word in words)


def _sessions(column: Any) -> Any:
    if column is None:
        return None
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    texts = plain.cast(pa.string())
    return pc.fill_null(texts, "") if texts.null_count else texts
