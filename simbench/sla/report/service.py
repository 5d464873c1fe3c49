"""Figures of the service: availability with incidents and error budget, restoration, calendar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from simbench.base.calendar import civil, midnight_after
from simbench.base.units import HOUR_US
from simbench.report import style
from simbench.sla.availability import VARIANTS, timeline
from simbench.sla.classification import Class
from simbench.sla.report.picture import LOOKS, CivilAxis, Picture, iso
from simbench.sla.report.translations import Words
from simbench.sla.report.view import View
from simbench.sla.restoration import restoration_times, restored_within

CLASSES: tuple[Class, ...] = get_args(Class)
DEEPEST = 5.0  # percentage points below the target shown at most
MOST_BARS = 60


def draw_availability(view: View, words: Words) -> Picture:
    """Incidents by class, rolling availability with the target, and the error budget left."""
    quality = view.case.contract.terms.quality
    promised = quality.availability.value
    axis = CivilAxis(view.service.period, words)
    figure, (top, middle, bottom) = style.canvas((style.WIDE_IN[0], 6.4), (1, 2.4, 1.6))
    _lanes(top, view, words, axis)
    shares, x = 100 * view.rolled.availability("V1"), axis.of(view.rolled.at)
    full = view.rolled.full
    for known, key, look in ((False, "part", (0, (3, 2))), (True, "full", "-")):
        if (full == known).sum() > 1:
            chosen = np.where(full == known, shares, np.nan)
            middle.plot(x, chosen, color=style.BLUE, linewidth=1.8, linestyle=look, label=words(f"availability.{key}"))
    label = words("availability.promised", limit=words.share(promised))
    middle.axhline(100 * promised, color=style.INK, linestyle=(0, (6, 3)), linewidth=1.2, label=label)
    seen = shares[view.rolled.at >= view.service.period.start]
    low = max(float(seen.min(initial=100)), 100 * promised - DEEPEST)
    middle.set_ylim(min(low, 100 * promised) - 0.25, 100.15)
    middle.set_ylabel(words("availability.curve"))
    middle.yaxis.set_major_formatter(lambda value, _: words.number(value, 2))
    style.legend_above(middle)
    left = view.allowed_h - view.spent_h
    bottom.plot(x, left, color=style.INK, linewidth=1.4)
    bottom.fill_between(x, left, 0, where=left >= 0, color=style.GREEN, alpha=0.35)
    bottom.fill_between(x, left, 0, where=left < 0, color=style.RED, alpha=0.6, hatch="///")
    bottom.axhline(0, color=style.SOFT, linewidth=1)
    bottom.set_ylabel(words("availability.budget"))
    bottom.yaxis.set_major_formatter(lambda value, _: words.number(value, 1))
    axis.mark(bottom)
    return Picture(
        "availability", words("availability.title"), _availability_heading(view, words), figure,
        words("availability.formula"), _availability_columns(view), words("availability.note"),
    )  # fmt: skip


def _lanes(axes: Axes, view: View, words: Words, axis: CivilAxis) -> None:
    """One lane per class; a very short incident is drawn wider, to be visible."""
    starts, ends, classes = timeline(view.service)
    period = view.service.period
    least = axis.of(period.end) / 500
    for lane, name in enumerate(CLASSES):
        colour, hatch = LOOKS[name]
        own = np.array([each == name for each in classes], dtype=bool)
        begins = axis.of(np.maximum(starts[own], period.start))
        widths = np.maximum(axis.of(np.minimum(ends[own], period.end)) - begins, least)
        axes.broken_barh(
            list(zip(begins.tolist(), widths.tolist(), strict=True)), (lane - 0.38, 0.76), facecolor=colour, hatch=hatch
        )
    axes.set_yticks(range(len(CLASSES)), [words(f"class.{name}") for name in CLASSES])
    axes.set_ylim(len(CLASSES) - 0.5, -0.5)


def _availability_heading(view: View, words: Words) -> str:
    finding = next(one for one in view.findings if one.clause == "OPS-QOS-01")
    least = words.share(finding.measured)
    if finding.outcome in {"fail", "weak"}:
        return words("availability.fail", least=least, limit=words.share(finding.limit))
    left = words.hours(max(0.0, float((view.allowed_h - view.spent_h)[-1]))) if len(view.allowed_h) else "–"
    return words("availability.pass", least=least, left=left)


def _availability_columns(view: View) -> dict[str, list[Any]]:
    rolled = view.rolled
    shares = {name: np.round(rolled.availability(name), 9).tolist() for name in VARIANTS}
    return {
        "window_ends": [iso(at) for at in rolled.at.tolist()],
        "window_h": np.round(rolled.length / HOUR_US, 6).tolist(),
        "twelve_months": rolled.full.tolist(),
        "unplanned_h": np.round(rolled.unplanned / HOUR_US, 6).tolist(),
        "planned_h": np.round(rolled.planned / HOUR_US, 6).tolist(),
        **shares,
        "budget_h": np.round(view.allowed_h, 6).tolist(),
        "spent_h": np.round(view.spent_h, 6).tolist(),
    }


def draw_restoration(view: View, words: Words) -> Picture | None:
    """Hours until restoration after each total, unplanned outage (if many, the longest ones), with the limit."""
    starts, hours, tickets = restoration_times(view.service)
    if not len(starts):
        return None
    limit_h = view.case.contract.terms.quality.restoration_h.value
    until = view.service.period.end
    late = [restored_within(one, limit_h * HOUR_US, until) is False for one in view.outages]
    shown = np.sort(np.argsort(-hours, kind="stable")[:MOST_BARS])
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 3.6))
    places = np.arange(len(shown))
    colours = [style.RED if late[place] else style.BLUE for place in shown.tolist()]
    bars = axes.bar(places, hours[shown], width=0.6, color=colours)
    for bar, place in zip(bars, shown.tolist(), strict=True):
        bar.set_hatch("///" if late[place] else "")
    axes.axhline(limit_h, color=style.INK, linestyle=(0, (6, 3)), linewidth=1.2)
    axes.annotate(
        words("restoration.limit", limit=words.hours(limit_h)), (1, limit_h), xycoords=("axes fraction", "data"),
        xytext=(0, 4), textcoords="offset points", ha="right", va="bottom", color=style.INK,
    )  # fmt: skip
    names = [f"{style.label(tickets[place], 12)}\n{_day(words, int(starts[place]))}" for place in shown.tolist()]
    step = max(1, -(-len(names) // 20))
    axes.set_xticks(places[::step], names[::step], fontsize=8.5)
    axes.set_xlim(-0.7, max(4, len(shown)) - 0.3)
    axes.set_ylim(0, max(float(hours.max()), limit_h) * 1.18)
    axes.set_ylabel(words("restoration.axis"))
    axes.yaxis.set_major_formatter(lambda value, _: words.number(value, 1))
    values = {
        "limit": words.hours(limit_h), "longest": words.hours(float(hours.max()), exact=True),
        "late": words.number(sum(late)), "count": words.number(len(late)),
    }  # fmt: skip
    columns = {
        "ticket": list(tickets), "start": [iso(at) for at in starts.tolist()], "hours": np.round(hours, 6).tolist(),
        "promised_h": [limit_h] * len(hours), "late": late,
    }  # fmt: skip
    heading = words(_restoration_key(late), **values)
    return Picture(
        "restoration", words("restoration.title"), heading, figure, words("restoration.formula"), columns
    )  # fmt: skip


def _restoration_key(late: list[bool]) -> str:
    """The text of the heading: all in time, the only outage late, one of several, or several."""
    if not any(late):
        return "restoration.pass"
    if len(late) == 1:
        return "restoration.fail_only"
    return "restoration.fail_one" if sum(late) == 1 else "restoration.fail"


def _day(words: Words, at: int) -> str:
    return f"{civil(at).day} {words.month(civil(at).month)}"


def draw_calendar(view: View, words: Words) -> Picture:
    """Every day of the period, coloured by the worst class that touches it; a row per month."""
    days = list(_days(view))
    rows = sorted({(first.year, first.month) for first, _ in days})
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 1.0 + 0.3 * len(rows)))
    for counted_as in dict.fromkeys(counted_as for _, counted_as in days):
        colour, hatch = LOOKS[counted_as] if counted_as else (style.GRID, "")
        for row, month in enumerate(rows):
            bars = [(day.day - 0.45, 0.9) for day, own in days if own == counted_as and (day.year, day.month) == month]
            axes.broken_barh(bars, (row - 0.41, 0.82), facecolor=colour, alpha=1 if counted_as else 0.55, hatch=hatch)
    axes.set_yticks(range(len(rows)), [f"{words.month(month)} {year}" for year, month in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xticks(range(1, 32))
    axes.set_xlim(0.4, 31.6)
    axes.set_xlabel(words("calendar.day"))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    shown = [name for name in CLASSES if any(counted_as == name for _, counted_as in days)]
    handles = [Patch(facecolor=LOOKS[name][0], hatch=LOOKS[name][1], label=words(f"class.{name}")) for name in shown]
    handles.append(Patch(facecolor=style.GRID, alpha=0.55, label=words("calendar.up")))
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.01), ncols=5)
    hit = sum(bool(counted_as) for _, counted_as in days)
    heading = words("calendar.heading", days=words.number(hit), all=words.number(len(days)))
    columns: dict[str, list[Any]] = {
        "day": [first.isoformat() for first, _ in days],
        "class": [counted_as or "" for _, counted_as in days],
    }
    return Picture("calendar", words("calendar.title"), heading, figure, words("calendar.formula"), columns)


def _days(view: View) -> Iterator[tuple[date, Class | None]]:
    """Days of the period with the worst class that touches them."""
    starts, ends, classes = timeline(view.service)
    kinds = {name: np.array([each == name for each in classes], dtype=bool) for name in CLASSES}
    at, end = view.service.period.start, view.service.period.end
    while at < end:
        after = min(midnight_after(at), end)
        touched = (starts < after) & (ends > at)
        yield civil(at).date(), next((name for name in CLASSES if (touched & kinds[name]).any()), None)
        at = after
