"""The calendar: every day shaded by its lost minutes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch

from simbench.base.units import MINUTE_US
from simbench.reporting import style
from simbench.sla.availability import timeline
from simbench.sla.report.availability_figure import CLASSES
from simbench.sla.report.picture import LOOKS, Picture, picture
from simbench.sla.report.translations import Words
from simbench.sla.report.view import View
from simbench.sla.rolling_window import Instants

STEPS_MIN = (1, 15, 60, 240, 720)  # minutes lost per day from which a darker shade is used
PALEST, DARKEST = 0.22, 1.0
MOST_MONTHS = 36


def draw_calendar(view: View, words: Words) -> Picture:
    """Draw every day of the period, red by the minutes of unplanned down time; other incidents by their class."""
    edges = _midnights(view, words)
    lost, _, _ = view.year.downtime.until(edges)
    minutes = np.diff(lost) / MINUTE_US
    starts, ends, classes = timeline(view.service)
    touched = []
    for name in CLASSES[1:]:
        own = np.array([each == name for each in classes], dtype=bool)
        begun, ended = np.sort(starts[own]), np.sort(ends[own])
        touched.append(np.searchsorted(begun, edges[1:]) > np.searchsorted(ended, edges[:-1], side="right"))
    days = [words.calendar.civil(at).date() for at in edges[:-1].tolist()]
    months = sorted({(day.year, day.month) for day in days})[-MOST_MONTHS:]
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 1.2 + 0.3 * len(months)))
    row_of = {month: row for row, month in enumerate(months)}
    for place, day in enumerate(days):
        row = row_of.get((day.year, day.month))
        if row is None:
            continue
        kind = next((name for name, own in zip(CLASSES[1:], touched, strict=True) if own[place]), None)
        if minutes[place] > 0:
            colour: Any = to_rgba(style.RED, _shade(float(minutes[place])))
            hatch = ""
        elif kind:
            colour, hatch = to_rgba(LOOKS[kind][0], 0.8), LOOKS[kind][1]
        else:
            colour, hatch = to_rgba(style.GRID, 0.55), ""
        axes.broken_barh([(day.day - 0.45, 0.9)], (row - 0.41, 0.82), facecolor=colour, hatch=hatch)
    axes.set_yticks(range(len(months)), [f"{words.month(month)} {year}" for year, month in months])
    axes.set_ylim(len(months) - 0.4, -0.6)
    axes.set_xticks(range(1, 32))
    axes.set_xlim(0.4, 31.6)
    axes.set_xlabel(words("calendar.day"))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.legend(handles=_legend(touched, words), loc="lower left", bbox_to_anchor=(0.0, 1.01), ncols=9, fontsize=8.5)
    hit = int((minutes > 0).sum())
    worst = int(np.argmax(minutes)) if hit else 0
    heading = words("calendar.none") if not hit else words(
        "calendar.heading", days=words.number(hit), all=words.number(len(days)),
        worst=words.day(int(edges[worst])), time=words.lasting(round(float(minutes[worst]) * MINUTE_US)),
    )  # fmt: skip
    columns: dict[str, list[Any]] = {
        "day": [day.isoformat() for day in days],
        "unplanned_min": np.round(minutes, 3).tolist(),
        **{name: own.tolist() for name, own in zip(CLASSES[1:], touched, strict=True)},
    }
    cut = words("calendar.cut", shown=words.number(MOST_MONTHS)) if len(months) == MOST_MONTHS else ""
    return picture(words, "calendar", heading, figure, columns, cut)


def _shade(minutes: float) -> float:
    step = sum(minutes >= least for least in STEPS_MIN)
    return PALEST + (DARKEST - PALEST) * step / len(STEPS_MIN)


def _legend(touched: list[Any], words: Words) -> list[Patch]:
    found = [Patch(facecolor=style.GRID, alpha=0.55, label=words("calendar.up"))]
    found += [
        Patch(facecolor=to_rgba(style.RED, _shade(least)), label=f"≥ {words.lasting(least * MINUTE_US)}")
        for least in STEPS_MIN[1:]
    ]
    for name, own in zip(CLASSES[1:], touched, strict=True):
        if own.any():
            colour, hatch = LOOKS[name]
            found.append(Patch(facecolor=colour, alpha=0.8, hatch=hatch, label=words(f"class.{name}")))
    return found


def _midnights(view: View, words: Words) -> Instants:
    at, end = view.service.period.start, view.service.period.end
    found = [at]
    while at < end:
        at = min(words.calendar.midnight_after(at), end)
        found.append(at)
    return np.array(found, dtype=np.int64)
