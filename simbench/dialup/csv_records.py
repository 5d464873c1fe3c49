"""Call records as text or workbooks, row by row, through the reader of tables; `records` describes the columns."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from simbench.base.calendar import Calendar
from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.dialup.calls import Call, Calls, SetAside, calls_of, cause_of
from simbench.dialup.columns import KINDS, MOST_PORT, TIMES, Progress, check_columns
from simbench.dialup.kernels.row_checks import MISSING
from simbench.dialup.validation import Ends, RejectedRows, durations_of
from simbench.tables.cells import digits_of, number_of, text_of
from simbench.tables.instants import Moment, moment_of
from simbench.tables.reader import read_table
from simbench.tables.rows import RejectedRow, Row, closing_on_error

FRENCH: Final = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")  # formats of French spreadsheets
STEP: Final = 50_000  # rows after which progress is reported


def read_csv(path: Path, calendar: Calendar, aside: RejectedRows, progress: Progress) -> tuple[int, Calls]:
    """Read call records from a table: the number of rows, and the calls that the rows support. Raises BadInput."""
    size, rows = path.stat().st_size, 0
    table = read_table(path, KINDS, whole_rows=True)
    sound: list[Call] = []
    with closing_on_error(table.rows, table.source):
        check_columns(list(table.columns), str(path))
        for row in table.rows:
            rows += 1
            if rows % STEP == 0:
                progress(table.octets_read(), size)
            if isinstance(row, RejectedRow):
                aside.add(SetAside(row.line, row.kind, row.reason[:80]))
                continue
            try:
                sound.append(_call(row, calendar))
            except _Unfit as unfit:
                aside.add(SetAside(row.line, unfit.reason, unfit.text, unfit.duration_us))
    progress(size, size)
    return rows, calls_of(sound)


class _Unfit(Exception):
    """A line that is not a call: the reason, and an excerpt."""

    def __init__(self, reason: str, text: str, duration_us: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.text, self.duration_us = reason, text[:80], duration_us


def _call(row: Row, calendar: Calendar) -> Call:
    """Read one row. Raises _Unfit if it does not describe a call."""
    cells = row.cells
    start, end, lasts = _times(row, calendar)
    port, cause = _numbers(cells)
    if _odd(start, end, lasts):
        one = RejectedRows()
        durations_of(Ends(*(np.array([value]) for value in (start, end, lasts, row.line))), one, calendar)
        if one.rows:
            raise _Unfit(one.rows[0].reason, one.rows[0].text, one.rows[0].duration_us)
    names = {name: text_of(cells.get(name, "")) for name in ("nas", "user", "session")}
    return Call(start_us=start, duration_us=_lasting(start, end, lasts), port=port, cause=cause, line=row.line, **names)


def _times(row: Row, calendar: Calendar) -> tuple[int, int, int]:
    cells = row.cells
    times: dict[str, tuple[int, ...]] = {}
    for name in TIMES:
        if name in cells:
            try:
                times[name.partition("_")[0]] = _time(name, row, calendar)
            except (BadInput, OverflowError):
                raise _Unfit("unreadable", f"{name} {str(cells[name])!r}") from None
    starts, ends, lasts = (times.get(name, (MISSING,)) for name in ("start", "end", "duration"))
    if len(starts) + len(ends) > len(("start", "end")) and MISSING not in {starts[0], ends[0]}:
        starts, ends = _fitting(starts, ends, lasts[0], cells)
    return starts[0], ends[0], lasts[0]


def _fitting(
    starts: tuple[int, ...], ends: tuple[int, ...], lasts: int, cells: Mapping[str, Any]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the reading of times in the repeated hour that gives a call.

    Raises _Unfit if two durations are possible.
    """
    fit = [(end - start, start, end) for start in starts for end in ends if end >= start]
    if lasts != MISSING:
        fit = [one for one in fit if abs(one[0] - lasts) < SECOND_US]
    if len({length for length, *_ in fit}) > 1:
        lengths = " or ".join(f"{length // SECOND_US} s" for length in sorted({one[0] for one in fit}))
        raise _Unfit("ambiguous", f"{cells.get('start')} to {cells.get('end')}: {lengths}", min(fit)[0])
    return ((fit[0][1],), (fit[0][2],)) if fit else (starts, ends)


def _numbers(cells: Mapping[str, Any]) -> tuple[int, int]:
    try:
        port = int(digits_of(cells.get("port", -1)))
        if not -1 <= port < MOST_PORT:
            raise ValueError(port)
    except ValueError:
        raise _Unfit("unreadable", f"port {str(cells.get('port', ''))!r}") from None
    return port, cause_of(digits_of(cells["cause"])) if "cause" in cells else 0


def _odd(start: int, end: int, lasts: int) -> bool:
    """Tell whether the times of a row need a detailed check; those of most rows do not."""
    if start == MISSING or (end == MISSING) == (lasts == MISSING):
        return True
    return not 0 <= start < 1 << 60 or not 0 <= _lasting(start, end, lasts) < 1 << 60


def _lasting(start: int, end: int, lasts: int) -> int:
    return lasts if lasts != MISSING else end - start


def _moment(cell: Any, name: str, calendar: Calendar) -> Moment:
    """Read a start or an end: ISO 8601, a number since 1970, or day, month and year. Raises BadInput."""
    try:
        return moment_of(cell, calendar.tz, name)
    except BadInput:
        for pattern in FRENCH if "/" in str(cell) else ():
            with suppress(BadInput):
                return moment_of(cell, calendar.tz, name, pattern)
        raise


def _time(name: str, row: Row, calendar: Calendar) -> tuple[int, ...]:
    """Return microseconds; two instants for a repeated civil time. Raises BadInput."""
    cell = row.cells[name]
    if name in {"start", "end"}:
        moment = _moment(cell, name, calendar)
        return (moment.first,) if moment.skipped else moment.readings
    value = number_of(cell, name, decimal_comma=row.decimal_comma)
    us = int(value * (SECOND_US if name == "duration_s" else 1))
    if abs(us) >= 1 << 62:
        raise OverflowError
    return (us,)
