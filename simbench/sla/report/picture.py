"""A figure of the SLA report, and its axes in civil time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simbench.base.units import DAY_US, MINUTE_US
from simbench.ledger.incidents import Period
from simbench.reporting import style
from simbench.sla.classification import Class
from simbench.sla.report.translations import Words
from simbench.sla.rolling_window import month_starts

MOST_MARKS: Final = 16
LABEL_PT: Final = 9.0
CLOCK_DAYS: Final = 3  # an axis up to this length shows times of the day
STEPS_MIN: Final = (1, 5, 10, 15, 30, 60, 120, 180, 360, 720)
Columns = Mapping[str, Sequence[Any]]

# Class: (colour, hatch). Hatches and lanes distinguish classes when colours alone do not.
LOOKS: Final[dict[Class, tuple[str, str]]] = {
    "unplanned": (style.RED, ""),
    "planned": (style.BLUE, "///"),
    "partial": (style.AMBER, "..."),
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
    """One figure: its conclusion, its drawing, the formula of its values, and the values.

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


def picture(  # noqa: PLR0913 - the parts of a figure
    words: Words, name: str, heading: str, figure: Figure, columns: Columns, note: str = "", *,
    panels: tuple[Panel, ...] = (), variants: tuple[str, ...] = (), **values: Any,
) -> Picture:  # fmt: skip
    """Return a figure with the title and the formula of its name; the formula's text takes the `values`."""
    formula = words(f"{name}.formula", **values)
    return Picture(name, words(f"{name}.title"), heading, figure, formula, columns, note, panels, variants)


def label_beside(
    axes: Axes, text: str, point: tuple[float, float], curves: Sequence[tuple[Any, Any]],
    size_in: tuple[float, float],
) -> None:  # fmt: skip
    """Write a text beside a point where it hides least of the curves (x, y) and stays within axes of the given size."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    scale = 72 * size_in[0] / (right - left), 72 * size_in[1] / (high - low)
    lines = [
        (
            (np.asarray(x, dtype=np.float64) - point[0]) * scale[0],
            (np.asarray(y, dtype=np.float64) - point[1]) * scale[1],
        )
        for x, y in curves
    ]  # offsets in points from the labelled point
    edges = ((left - point[0]) * scale[0], (right - point[0]) * scale[0],
             (low - point[1]) * scale[1], (high - point[1]) * scale[1])  # fmt: skip
    width, height = LABEL_PT * 0.56 * len(text) + 4, LABEL_PT * 1.4

    def hidden(place: tuple[str, float, float]) -> float:
        side, x, y = place
        begin = x if side == "left" else x - width
        box = begin, begin + width, y - height / 2, y + height / 2
        outside = max(0.0, edges[0] - box[0]) + max(0.0, box[1] - edges[1])
        outside += max(0.0, edges[2] - box[2]) + max(0.0, box[3] - edges[3])
        steps = np.linspace(box[0], box[1], 60)
        met = [np.interp(steps, x, y, left=np.nan, right=np.nan) for x, y in lines if len(x)]
        return outside * 10 + sum(int(((y > box[2]) & (y < box[3])).sum()) for y in met)

    places = [
        (side, 8.0 if side == "left" else -8.0, rise)
        for rise in (0.0, -14.0, 14.0, -24.0, 24.0, -36.0, 36.0, -50.0, 50.0) for side in ("left", "right")
    ]  # fmt: skip
    side, x, y = min(places, key=hidden)  # the nearest of the positions that hide least
    axes.annotate(
        text, point, xytext=(x, y), textcoords="offset points", ha=side, va="center", color=style.INK,
        fontsize=LABEL_PT, bbox={"facecolor": style.PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
    )  # fmt: skip


@dataclass(frozen=True)
class CivilAxis:
    """Time axis in days since the period began, marked at civil minutes, hours, days or months."""

    period: Period
    words: Words
    most: int = MOST_MARKS

    def of(self, at: Any) -> Any:
        """Convert instants (us) to values on this axis; arrays and single ones."""
        return (at - self.period.start) / DAY_US

    def mark(self, axes: Axes) -> None:
        """Label the marks of the x axis in the report's language."""
        marks, name = self._marks()
        marks = marks[:: max(1, -(-len(marks) // self.most))]
        axes.set_xlim(0, self.of(self.period.end))
        axes.set_xticks([self.of(at) for at in marks], name(marks))

    def _marks(self) -> tuple[list[int], Callable[[list[int]], list[str]]]:
        start, end, calendar = self.period.start, self.period.end, self.words.calendar
        days = (end - start) / DAY_US
        if days <= CLOCK_DAYS:
            return self._clock_marks(), self._clocks
        if days <= 62:
            midnights = [start] if calendar.midnight_after(start - 1) == start else []
            while (at := calendar.midnight_after(midnights[-1] if midnights else start)) < end:
                midnights.append(at)
            return midnights, self._days
        firsts = list(month_starts(calendar, start, end))
        return [start] * (firsts[0] - start > 10 * DAY_US) + firsts, self._months

    def _clock_marks(self) -> list[int]:
        """Return the instants whose civil time is a whole number of steps after midnight."""
        start, end, civil = self.period.start, self.period.end, self.words.calendar.civil
        step = next(
            (size for size in STEPS_MIN if (end - start) / MINUTE_US / size <= self.most), STEPS_MIN[-1]
        )  # fmt: skip
        least = min(step, 5) * MINUTE_US
        marks = range(-(-start // least) * least, end, least)
        return [at for at in marks if (civil(at).hour * 60 + civil(at).minute) % step == 0] or [start]

    def _clocks(self, marks: list[int]) -> list[str]:
        """Return times of the day, with the day at the first mark and at the first mark of each other day."""
        found, before = [], None
        for at in marks:
            then = self.words.calendar.civil(at)
            dated = f"\n{then.day} {self.words.month(then.month)}" if then.date() != before else ""
            found.append(f"{then:%H:%M}{dated}")
            before = then.date()
        return found

    def _days(self, marks: list[int]) -> list[str]:
        days = [self.words.calendar.civil(at) for at in marks]
        return [f"{day.day} {self.words.month(day.month)}" for day in days]

    def _months(self, marks: list[int]) -> list[str]:
        found, before = [], None
        for at in marks:
            then = self.words.calendar.civil(at)
            found.append(self.words.month(then.month) + (f"\n{then.year}" if then.year != before else ""))
            before = then.year
        return found
