"""A figure of the SLA report, and its axes in civil time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from simbench.base.calendar import Calendar
from simbench.base.units import DAY_US, HOUR_US, MINUTE_US
from simbench.ledger.incidents import Period
from simbench.reporting import style
from simbench.sla.classification import Class
from simbench.sla.report.translations import Words

Columns = Mapping[str, Sequence[Any]]

# Class: (colour, hatch). Hatches and lanes tell apart what colours alone may not.
LOOKS: Final[dict[Class, tuple[str, str]]] = {
    "unplanned": (style.RED, ""),
    "planned": (style.BLUE, "///"),
    "partial": (style.ORANGE, "..."),
    "excluded": (style.SOFT, "xxx"),
}


@dataclass(frozen=True)
class Panel:
    """Axes with curves over time: their instants (us), and the values of each curve as texts."""

    axes: Axes
    at: Sequence[int]
    values: Mapping[str, Sequence[str]]
    start: int  # the instant at the left end of the axes


@dataclass(frozen=True)
class Picture:
    """One figure: its conclusion, the drawing, the formula of its values, and the values.

    `panels`: the axes that show values under the pointer; `variants`: curves that are shown on demand.
    """

    name: str
    title: str
    heading: str
    figure: Figure
    formula: str
    columns: Columns
    note: str = ""
    panels: tuple[Panel, ...] = ()
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class CivilAxis:
    """Instants as days since the period began, marked at civil hours, days or months."""

    period: Period
    words: Words

    def of(self, at: Any) -> Any:
        """Instants (us) as values on this axis; arrays and single ones."""
        return (at - self.period.start) / DAY_US

    def mark(self, axes: Axes) -> None:
        """Name the marks of the x axis in the report's language."""
        edges = list(self._edges())
        if len(edges) > 2 and (edges[1][0] - edges[0][0]) * 2 < edges[2][0] - edges[1][0]:
            del edges[0]  # the period's begin, too near the first hour or day
        axes.set_xlim(0, self.of(self.period.end))
        step = max(1, -(-len(edges) // 16))
        axes.set_xticks([self.of(at) for at, _ in edges[::step]], [text for _, text in edges[::step]])

    def _edges(self) -> Iterator[tuple[int, str]]:
        start, end, calendar = self.period.start, self.period.end, self.words.calendar
        days = (end - start) / DAY_US
        at = start
        if days <= 0.5:
            step = next(size for size in (5, 10, 15, 30, 60) if (end - start) / MINUTE_US / size <= 16 or size == 60)
            at = -(-start // (step * MINUTE_US)) * step * MINUTE_US
            for number, minute in enumerate(range(at, end, step * MINUTE_US)):
                day = (
                    f"\n{calendar.civil(minute).day} {self.words.month(calendar.civil(minute).month)}"
                    if not number
                    else ""
                )
                yield minute, f"{calendar.civil(minute):%H:%M}{day}"
        elif days <= 3:
            while at < end:
                dated = at == start or not calendar.civil(at).hour
                day = f"\n{calendar.civil(at).day} {self.words.month(calendar.civil(at).month)}" if dated else ""
                yield at, f"{calendar.civil(at):%H:%M}{day}"
                at = at // HOUR_US * HOUR_US + HOUR_US
        elif days <= 62:
            while at < end:
                yield at, f"{calendar.civil(at).day} {self.words.month(calendar.civil(at).month)}"
                at = calendar.midnight_after(at)
        else:
            for first in months(start, end, calendar):
                month = self.words.month(calendar.civil(first).month)
                yield (
                    first,
                    f"{month}\n{calendar.civil(first).year}"
                    if calendar.civil(first).month == 1 or first == start
                    else month,
                )


def months(start: int, end: int, calendar: Calendar) -> Iterator[int]:
    """First instants of calendar months in [start, end)."""
    year, month = calendar.civil(start).year, calendar.civil(start).month
    while (at := calendar.instant(year, month, 1)) < end:
        if at >= start:
            yield at
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def days_of(at: NDArray[np.int64], calendar: Calendar) -> list[str]:
    """Days of instants, ISO 8601."""
    return [calendar.civil(one).date().isoformat() for one in at.tolist()]
