"""How many messages of each short code were delivered and accepted in each calendar month. Prices nothing.

Months are those of Paris. A message counts in the month it was delivered in, a long one by its segments.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simbench.base.calendar import civil, instant
from simbench.base.errors import BadInput, LedgerError
from simbench.base.units import HOUR_US
from simbench.billing.acts import Month
from simbench.ledger import open_run

if TYPE_CHECKING:
    from simbench.ledger import Run

COLUMNS = ("month", "code", "delivered", "accepted")
LARGEST = 10**12
BY_MINUTE = "cast(sum(delivered) as bigint) as delivered, cast(sum(accepted) as bigint) as accepted"
BY_MESSAGE = ", ".join(
    f"cast(coalesce(sum(segments) filter (where kind = '{kind}'), 0) as bigint) as {kind}"
    for kind in ("delivered", "accepted")
)


class Count(NamedTuple):
    """Messages, by segment, of one code in one month."""

    delivered: int = 0
    accepted: int = 0


class Counts:
    """(month, code) to what was counted; nothing counted is zero. `source` says what it was counted from."""

    def __init__(self, source: str, counted: dict[tuple[Month, str], Count]) -> None:
        self.source, self._counted = source, counted

    def of(self, month: Month, code: str) -> Count:
        """What one code had in one month."""
        return self._counted.get((month, code), Count())

    def codes(self, month: Month) -> tuple[str, ...]:
        """Codes that had anything in a month, sorted."""
        return tuple(sorted(code for counted, code in self._counted if counted == month))

    @property
    def months(self) -> tuple[Month, ...]:
        """Months in which anything was counted, in order."""
        return tuple(sorted({month for month, _ in self._counted}))


def read_counts(source: Path) -> Counts:
    """Counts from a CSV file (month,code,delivered[,accepted]) or from the folder of a run.

    Raises BadInput naming file, line, value and expectation, LedgerError for a run that cannot be read.
    """
    return count_run(open_run(source), str(source)) if source.is_dir() else _read_csv(source)


def count_run(run: Run, source: str = "run") -> Counts:
    """Counts from a ledger: its minutes where it keeps those, else the centre's rows, message by message.

    Raises LedgerError for a ledger that cannot be read or has lost rows.
    """
    return Counts(source, _gathered(run, source, "minute", BY_MINUTE) or _gathered(run, source, "centre", BY_MESSAGE))


def _gathered(run: Run, source: str, table: str, sums: str) -> dict[tuple[Month, str], Count]:
    """Sums by month and code. The ledger adds up the hours, since every month of Paris begins with one of them."""
    from simbench.ledger.query import query  # noqa: PLC0415 - beside its only use

    found = query(run, f'select "at" // {HOUR_US} as hour, code, {sums}, count(*) as n from ledger group by all', table)  # noqa: S608 - our own words
    counted = int(found["n"].sum())
    if run.files and run.info.closed and counted != run.info.rows.get(table):
        problem = f"{counted} rows in {table}"
        raise LedgerError(source, problem, f"the {run.info.rows.get(table)} rows it was closed with")
    which = (found["delivered"] > 0) | (found["accepted"] > 0)
    if not which.any():
        return {}
    hours, codes = found["hour"][which] * HOUR_US, found["code"][which].astype(str)
    months = list(_months(civil(int(hours.min())).date(), civil(int(hours.max())).date()))
    starts = np.array([instant(month.year, month.month, 1) for month in months])
    names, of_code = np.unique(codes, return_inverse=True)
    place = (np.searchsorted(starts, hours, side="right") - 1) * len(names) + of_code
    delivered, accepted = (np.zeros(len(months) * len(names), np.int64) for _ in range(2))
    np.add.at(delivered, place, found["delivered"][which])
    np.add.at(accepted, place, found["accepted"][which])
    return {
        (months[at // len(names)], str(names[at % len(names)])): Count(int(delivered[at]), int(accepted[at]))
        for at in np.flatnonzero(delivered + accepted).tolist()
    }


def _months(first: date, last: date) -> Iterator[Month]:
    month = Month(first.year, first.month)
    while month.first <= last:
        yield month
        month = month.following


def _read_csv(path: Path) -> Counts:
    counted: dict[tuple[Month, str], Count] = {}
    for line, row in csv_rows(path, COLUMNS, optional=("accepted",)):
        place = f"{path}: line {line}"
        try:
            month = Month.parse(row["month"])
        except ValueError:
            raise BadInput(f"{place}: month", f"{row['month']!r}", "a month such as 2016-10") from None
        delivered = whole(row["delivered"], f"{place}: delivered")
        accepted = whole(row["accepted"], f"{place}: accepted") if row.get("accepted") else delivered
        if (month, row["code"]) in counted:
            raise BadInput(place, f"{month} of {row['code']} appears twice", "one line a month and code")
        counted[month, row["code"]] = Count(delivered, accepted)
    return Counts(str(path), counted)


def csv_rows(
    path: Path, columns: Iterable[str], *, optional: tuple[str, ...] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with a header, each with its line number. Raises BadInput for what is not such a file."""
    known = tuple(columns)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or "cannot be read", "a CSV file") from None
    except UnicodeDecodeError as problem:
        raise BadInput(str(path), f"not UTF-8 (octet {problem.start})", "a CSV file in UTF-8") from None
    if "\0" in text:
        raise BadInput(str(path), "holds a zero octet", "a CSV file")
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in known if name not in header and name not in optional]
        unknown = [name for name in header if name not in known]
        if missing or unknown or len(set(header)) != len(header):
            raise BadInput(f"{path}: line 1", f"columns {','.join(header)!r:.80}", ",".join(known))
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise BadInput(f"{path}: line {reader.line_num}", f"{len(row)} values", f"{len(header)}")
            yield reader.line_num, {name: value.strip() for name, value in zip(header, row, strict=True)}
    except csv.Error as problem:
        raise BadInput(f"{path}: line {reader.line_num}", str(problem), "a line of CSV") from None


def whole(text: str, place: str) -> int:
    """A count as written. Raises BadInput."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST)):
        raise BadInput(place, f"{text!r:.40}", "a whole number from 0 on")
    return int(text)
