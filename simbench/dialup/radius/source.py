"""Which kind of file calls stand in, by its first octets, and plain call records. Judges and corrects nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from simbench.dialup.calls import SECOND, Call, Calls, calls_of
from simbench.errors import BadInput

Kind = Literal["capture", "parquet", "detail", "csv"]

_LOOKED_AT: Final = 4_096  # octets
_CAPTURES: Final = (
    b"\xa1\xb2\xc3\xd4",
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x4d\x3c\xb2\xa1",
    b"\x0a\x0d\x0d\x0a",
)
_MOST_US: Final = 253_402_300_800 * SECOND  # the year 10000


def kind_of(path: Path) -> Kind:
    """What a file is: a detail file's second line is indented. Raises BadInput: it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_LOOKED_AT)
    except OSError as problem:
        raise BadInput(
            str(path), problem.strerror or str(problem), "calls: records, a detail file, a capture"
        ) from None
    if head[:4] in _CAPTURES:
        return "capture"
    if head[:4] == b"PAR1":
        return "parquet"
    lines = head.lstrip(b"\r\n").split(b"\n")
    return "detail" if len(lines) > 1 and lines[1][:1] == b"\t" else "csv"


def plain_records(path: Path, kind: Kind) -> Calls:
    """Calls of a table with the columns start_us and duration_us, and nas, port, user, session, cause if it has them.

    Raises BadInput: not such a table, or a call that ends before it starts or lies outside all time, by its row.
    """
    import pyarrow as pa  # noqa: PLC0415 - slow to load
    from pyarrow import csv, parquet  # noqa: PLC0415 - as above

    try:
        table: Any = parquet.read_table(path) if kind == "parquet" else csv.read_csv(path)
        columns = {name: table[name] for name in table.column_names}
        integers = ("start_us", "duration_us", "port", "cause")
        taken = {
            name: columns[name].cast(pa.int64() if name in integers else pa.string()).to_pylist()
            for name in (*integers, "nas", "user", "session")
            if name in columns
        }
    except (pa.ArrowException, OSError) as problem:
        raise BadInput(str(path), str(problem).splitlines()[0][:200], "call records as CSV or Parquet") from None
    for name in ("start_us", "duration_us"):
        if name not in taken:
            raise BadInput(str(path), f"has no column `{name}`", "call records with start_us and duration_us")
    rows = []
    for line, values in enumerate(zip(*taken.values(), strict=True), start=1):
        row = {name: value for name, value in zip(taken, values, strict=True) if value is not None}
        start, lasts = row.get("start_us", -1), row.get("duration_us", -1)
        if not (0 <= start < _MOST_US and 0 <= lasts < _MOST_US and 0 <= row.get("cause", 0) <= 18):
            raise BadInput(f"{path}, row {line}", f"starts at {start} us, lasts {lasts} us", "a call")
        row.setdefault("session", f"{line:08X}")
        rows.append(Call(line=line, **row))
    return calls_of(rows)
