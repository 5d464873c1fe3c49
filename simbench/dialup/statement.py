"""The provider's own statement, read and written: one CSV line per month and period.

Columns: `month` (2000-09), `period` (peak, off-peak, total), `calls`, `minutes`; on total lines also `share_ff`,
`vat_ff`, `share_ttc_ff`, `share_eur`, `share_ttc_eur`. Fields are separated by comma or semicolon; with semicolons
amounts may have a decimal comma. Unreadable lines are passed to the rules and are not errors of the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from simbench.base.errors import BadInput
from simbench.base.inputs import read_octets
from simbench.base.outputs import replacing
from simbench.dialup.minutes import Month
from simbench.dialup.settlement import Settled
from simbench.tables.writer import Cell, csv_lines

PERIODS: Final = ("peak", "off-peak", "total")
COUNTS: Final = ("calls", "minutes")
AMOUNTS: Final = ("share_ff", "vat_ff", "share_ttc_ff", "share_eur", "share_ttc_eur")
COLUMNS: Final = ("month", "period", *COUNTS, *AMOUNTS)
MOST_OCTETS: Final = 1 << 24

_AMOUNT: Final = re.compile(r"-?\d{1,15}(\.\d{1,6})?")


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a statement: `number` in the file; None for missing values."""

    number: int
    month: str
    period: str
    calls: int | None = None
    minutes: int | None = None
    amounts: dict[str, Decimal] = {}


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement: its lines, and the unreadable ones as (number, problem)."""

    source: str
    lines: tuple[Line, ...]
    unreadable: tuple[tuple[int, str], ...] = ()


def read_statement(path: Path) -> Statement:
    """Read a statement. Raises BadInput if it is missing, not UTF-8, too large, or lacks columns in the header."""
    try:
        octets = read_octets(path, MOST_OCTETS)
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or str(problem), "a statement as CSV") from None
    rows = octets.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    header, delimiter = _header(rows[0], str(path))
    lines, unreadable = [], []
    for number, row in enumerate(rows[1:], 2):
        if not row.strip():
            continue
        try:
            lines.append(_line(row, header, delimiter, number))
        except (ValueError, csv.Error) as problem:
            unreadable.append((number, " ".join(str(problem).split())[:100]))
    return Statement(str(path), tuple(lines), tuple(unreadable))


def write_statement(path: Path, months: Iterable[Month], settled: Iterable[Settled]) -> None:
    """Write the statement of these months. Raises the errors of `outputs.replacing`."""
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(COLUMNS, _rows(months, settled), end="\r\n"))


def _rows(months: Iterable[Month], settled: Iterable[Settled]) -> Iterator[tuple[Cell, ...]]:
    for month, owed in zip(months, settled, strict=True):
        none = ("",) * len(AMOUNTS)
        yield month.month, "peak", month.peak_calls, month.peak_minutes, *none
        yield month.month, "off-peak", month.calls - month.peak_calls, month.off_peak_minutes, *none
        yield month.month, "total", month.calls, month.minutes, *(getattr(owed, name) for name in AMOUNTS)


def _header(row: bytes, path: str) -> tuple[list[str], str]:
    try:
        text = row.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise BadInput(f"{path}: line 1", "is not UTF-8", "a header with names of columns") from None
    delimiter = max(";,", key=text.count)
    header = [name.strip().strip('"').lower() for name in text.split(delimiter)]
    if missing := [name for name in ("month", "period", "minutes", "share_ff") if name not in header]:
        raise BadInput(f"{path}: line 1", f"has no column `{missing[0]}`", "a header with " + ", ".join(COLUMNS))
    if len(set(header)) < len(header):
        raise BadInput(f"{path}: line 1", "names a column twice", "each column once")
    return header, delimiter


def _line(row: bytes, header: list[str], delimiter: str, number: int) -> Line:
    fields = next(csv.reader([row.decode("utf-8").rstrip("\r")], delimiter=delimiter, strict=True))
    if len(fields) != len(header):
        raise ValueError(f"{len(fields)} fields, {len(header)} names")
    cells = dict(zip(header, (field.strip() for field in fields), strict=True))
    if not re.fullmatch(r"\d{4}-\d\d", cells["month"]) or cells["period"] not in PERIODS:
        raise ValueError(f"month {cells['month']!r}, period {cells['period']!r}")
    counts = {name: int(_plain(cells[name], delimiter)) for name in COUNTS if cells.get(name)}
    amounts = {name: Decimal(_plain(cells[name], delimiter)) for name in AMOUNTS if cells.get(name)}
    return Line(number, cells["month"], cells["period"], counts.get("calls"), counts.get("minutes"), amounts)


def _plain(text: str, delimiter: str) -> str:
    """Return a number without spaces between thousands and with a decimal point."""
    plain = re.sub(r"[\s\u00a0\u202f]", "", text)
    plain = plain.replace(",", ".") if delimiter == ";" else plain
    if not _AMOUNT.fullmatch(plain):
        raise ValueError(f"{text!r} is not a number")
    return plain
