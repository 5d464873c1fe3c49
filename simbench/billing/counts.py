"""Messages of each short code delivered and accepted in each calendar month of the contract's zone.

A message counts in the month of its delivery; a long message counts by its segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from simbench.base.calendar import Calendar
from simbench.base.errors import BadInput, LedgerError
from simbench.base.text import count
from simbench.base.units import HOUR_US
from simbench.billing.acts import Acts, Month
from simbench.billing.words import words
from simbench.contract import Contract
from simbench.ledger import open_run
from simbench.tables.cells import digits_of, text_of, whole_of
from simbench.tables.frames import Frame, place_of
from simbench.tables.reader import read_table
from simbench.tables.rows import Kind, RejectedRow, Row, closing_on_error

if TYPE_CHECKING:
    from simbench.ledger import Run

KINDS: Final[Mapping[str, Kind]] = {"month": "text", "code": "text", "delivered": "number", "accepted": "number"}
COLUMNS = tuple(KINDS)
LARGEST = 10**12


class Count(NamedTuple):
    """Messages (segments) of one code in one month."""

    delivered: int = 0
    accepted: int = 0


class Counts:
    """Counts by (month, code), zero by default. `source` describes their origin."""

    def __init__(self, source: str, counted: dict[tuple[Month, str], Count]) -> None:
        self.source, self._counted = source, counted

    def of(self, month: Month, code: str) -> Count:
        """Return the counts of one code in one month."""
        return self._counted.get((month, code), Count())

    def codes(self, month: Month) -> tuple[str, ...]:
        """Return the codes with counts in a month, sorted."""
        return tuple(sorted(code for counted, code in self._counted if counted == month))

    @property
    def months(self) -> tuple[Month, ...]:
        """The months with counts, in order."""
        return tuple(sorted({month for month, _ in self._counted}))


def read_counts(source: Path | Frame, calendar: Calendar) -> Counts:
    """Read counts from a table (month,code,delivered[,accepted]) or from the folder of a run.

    Raises BadInput, which names file, line, value and expectation; LedgerError for a run that cannot be read.
    """
    if isinstance(source, Path) and source.is_dir():
        return count_run(open_run(source), calendar, str(source))
    return _read_table(source)


def count_run(run: Run, calendar: Calendar, source: str = "run") -> Counts:
    """Count the messages of a ledger: its minutes if it keeps them, otherwise the centre's rows, message by message.

    Raises LedgerError for a ledger that cannot be read or has lost rows.
    """
    return Counts(source, _gathered(run, calendar, source, "minute") or _gathered(run, calendar, source, "centre"))


def _gathered(run: Run, calendar: Calendar, source: str, table: str) -> dict[tuple[Month, str], Count]:
    """Return sums by month and code. The ledger adds up hours, because every month begins at a full hour."""
    from simbench.ledger import scan  # noqa: PLC0415 - Arrow is slow to load

    sums = scan.field(*Count._fields) if table == "minute" else {name: scan.segments(name) for name in Count._fields}
    by = {"hour": scan.floor("at", HOUR_US), **scan.field("code")}
    found = scan.sums_of(run, table, by, {**sums, "n": scan.ONE})
    counted = int(found["n"].sum())
    if run.files and run.info.closed and counted != run.info.rows.get(table):
        problem = f"{count(counted, 'row')} in {table}"
        raise LedgerError(source, problem, f"the {run.info.rows.get(table)} rows it was closed with")
    which = (found["delivered"] > 0) | (found["accepted"] > 0)
    if not which.any():
        return {}
    hours, codes = found["hour"][which], found["code"][which].astype(str)
    months = list(_months(*(calendar.civil(int(at)).date() for at in (hours.min(), hours.max()))))
    starts = np.array([calendar.instant(month.year, month.month, 1) for month in months])
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


def _read_table(path: Path | Frame) -> Counts:
    counted: dict[tuple[Month, str], Count] = {}
    for row in all_rows(path, KINDS, COLUMNS[:3]):
        place = f"{place_of(path)}: line {row.line}"
        month, code = _month(row, place), digits_of(row.cells["code"])
        delivered = whole(row, "delivered", place)
        accepted = whole(row, "accepted", place) if "accepted" in row.cells else delivered
        if (month, code) in counted:
            raise BadInput(place, f"{month} of {code} appears twice", "one line a month and code")
        counted[month, code] = Count(delivered, accepted)
    return Counts(place_of(path), counted)


def _month(row: Row, place: str) -> Month:
    """Read a month as text, or as the date that a spreadsheet stores for a month."""
    cell = row.cells["month"]
    text = cell.strftime("%Y-%m") if isinstance(cell, date) else text_of(cell)
    try:
        return Month.parse(text)
    except ValueError:
        raise BadInput(f"{place}: month", f"{text!r}", "a month such as 2016-10") from None


def oddly_counted(acts: Acts, counts: Counts, month: Month, contract: Contract, language: str = "en") -> Iterator[str]:
    """Describe messages of a month that do not fit the acts: of a code before its opening or after its closing, or
    more delivered than were accepted up to then.
    """
    t = words(language, contract)
    first, last = month.first, month.following.first - timedelta(days=1)
    until = [one for one in counts.months if one <= month]
    for code in acts.codes:
        had = counts.of(month, code.code)
        if had == Count():
            continue
        facts = {"count": t.number(had.delivered), "code": code.code, "month": month}
        if code.opened > last:
            yield t("note.before", day=code.opened, **facts)
        elif code.closed is not None and code.closed < first:
            yield t("note.after", day=code.closed, **facts)
        delivered, accepted = (
            sum(getattr(counts.of(one, code.code), name) for one in until) for name in ("delivered", "accepted")
        )
        if delivered > accepted:
            yield t("note.more", delivered=t.number(delivered), accepted=t.number(accepted), **facts)


def all_rows(path: Path | Frame, kinds: Mapping[str, Kind], needed: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a table. Raises BadInput if a row is malformed or lacks a needed cell."""
    table = read_table(path, kinds, needed=needed)
    with closing_on_error(table.rows, table.source):
        for row in table.rows:
            if isinstance(row, RejectedRow):
                raise BadInput(f"{place_of(path)}: line {row.line}", row.reason, "a row of the table")
            missing = [name for name in needed if name not in row.cells]
            if missing:
                raise BadInput(f"{place_of(path)}: line {row.line}: {missing[0]}", "is empty", "a value")
            yield row


def whole(row: Row, name: str, place: str, least: int = 0) -> int:
    """Read a count in a row. Raises BadInput."""
    return whole_of(row.cells.get(name, ""), f"{place}: {name}", least, LARGEST, decimal_comma=row.decimal_comma)
