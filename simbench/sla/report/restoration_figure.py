"""The figures of restoration: duration of each outage, causes, and times at which outages begin."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from simbench.base.units import HOUR_US
from simbench.reporting import style
from simbench.sla.report.picture import Picture, picture
from simbench.sla.report.translations import Words
from simbench.sla.report.view import View
from simbench.sla.restoration import restoration_times, restored_within

MOST_BARS = 60
MOST_CAUSES = 8


def draw_restoration(view: View, words: Words) -> Picture | None:
    """Draw hours until restoration after each total, unplanned outage (if many, the longest), and hours by cause."""
    starts, hours, tickets = restoration_times(view.service)
    if not len(starts):
        return None
    limit_h = view.case.contract.terms.quality.restoration_h.value
    until = view.service.period.end
    late = [restored_within(one, limit_h * HOUR_US, until) is False for one in view.outages]
    shown = np.sort(np.argsort(-hours, kind="stable")[:MOST_BARS])
    figure, (axes, beside) = style.unequal((style.WIDE_IN[0], 3.9), (2.1, 1))
    places = np.arange(len(shown))
    bars = axes.bar(
        places, hours[shown], width=0.6, color=[style.RED if late[place] else style.BLUE for place in shown.tolist()]
    )
    rows = {one.incident.ticket.split("+")[0]: number for number, one in enumerate(view.service.counted)}
    for bar, place in zip(bars, shown.tolist(), strict=True):
        bar.set_hatch("///" if late[place] else "")
        bar.set_url(f"row:{rows.get(tickets[place].split('+')[0], 0)}")
    label = words("restoration.limit", limit=words.hours(limit_h))
    axes.axhline(limit_h, color=style.INK, linestyle=(0, (6, 3)), linewidth=1.2, label=label)
    style.legend_above(axes)
    longest = int(np.argmax(hours))
    at = int(np.flatnonzero(shown == longest)[0])
    axes.annotate(
        words.hours(float(hours[longest]), exact=True), (at, float(hours[longest])), xytext=(0, 4),
        textcoords="offset points", ha=_aligned(at, len(shown)), va="bottom", fontsize=9, fontweight="bold",
    )  # fmt: skip
    names = [f"{words.short(tickets[place], 9)}\n{_day(words, int(starts[place]))}" for place in shown.tolist()]
    step = max(1, -(-len(names) // 8))
    axes.set_xticks(places[::step], names[::step], fontsize=8.5)
    axes.set_xlim(-0.7, max(4, len(shown)) - 0.3)
    axes.set_ylim(0, max(float(hours.max()), limit_h) * 1.22)
    axes.set_ylabel(words("restoration.axis"))
    axes.yaxis.set_major_formatter(lambda value, _: words.number(value, 1))
    causes = _causes(view, words)
    _pareto(beside, causes, words)
    values = {
        "limit": words.hours(limit_h), "longest": words.hours(float(hours.max()), exact=True),
        "late": words.number(sum(late)), "count": words.number(len(late)),
    }  # fmt: skip
    columns = {
        "ticket": list(tickets), "start": [words.iso(at) for at in starts.tolist()],
        "hours": np.round(hours, 6).tolist(), "promised_h": [limit_h] * len(hours), "late": late,
        "cause": [one.incident.cause for one in view.outages],
    }  # fmt: skip
    note = words("restoration.shown", shown=words.number(len(shown)), all=words.number(len(hours)))
    heading = words(_key(late), **values)
    return picture(words, "restoration", heading, figure, columns, note if len(shown) < len(hours) else "")


def _causes(view: View, words: Words) -> list[tuple[str, float, int]]:
    """Return the causes of the outages with hours lost and number, most hours first; the rest combined."""
    end = view.service.period.end
    hours: Counter[str] = Counter()
    number: Counter[str] = Counter()
    for one in view.outages:
        name = words.cause(one.incident.cause) or words("restoration.no_cause")
        hours[name] += one.incident.lasted(end) / HOUR_US  # type: ignore[assignment]  # hours
        number[name] += 1
    ranked = [(name, float(value), number[name]) for name, value in hours.most_common()]
    rest = ranked[MOST_CAUSES - 1 :] if len(ranked) > MOST_CAUSES else []
    if not rest:
        return ranked
    others = words("restoration.other_causes", count=words.number(len(rest)))
    return [*ranked[: MOST_CAUSES - 1], (others, sum(h for _, h, _ in rest), sum(n for _, _, n in rest))]


def _pareto(axes: Any, causes: list[tuple[str, float, int]], words: Words) -> None:
    """Draw bars of hours by cause, with their cumulative share."""
    places = np.arange(len(causes))
    total, reached = sum(hours for _, hours, _ in causes), 0.0
    axes.barh(places, [hours for _, hours, _ in causes], color=style.SKY, height=0.6)
    widest = max(hours for _, hours, _ in causes)
    for place, (_, hours, number) in enumerate(causes):
        reached += hours
        text = f"{words.number(hours, 1)}\u00a0h · {number}× · {words.share(reached / total if total else 0, 0)}"
        axes.annotate(text, (hours, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(places, [style.label(name, 22) for name, _, _ in causes], fontsize=8.5)
    axes.set_ylim(max(len(causes), 3) - 0.4, -0.6)
    axes.set_xlim(0, widest * 1.75)
    axes.grid(visible=False)
    axes.xaxis.set_major_formatter(lambda value, _: words.number(value, 1))
    axes.set_title(words("restoration.causes"), loc="left", fontsize=10)


def _key(late: list[bool]) -> str:
    """Return the key of the heading: all in time, the only outage late, one of several, or several."""
    if not any(late):
        return "restoration.pass"
    if len(late) == 1:
        return "restoration.fail_only"
    return "restoration.fail_one" if sum(late) == 1 else "restoration.fail"


def _aligned(place: int, bars: int) -> str:
    """Return the alignment of a bar's label that keeps it within the axes."""
    if bars < 8:
        return "center"
    return "left" if place < bars * 0.15 else "right" if place > bars * 0.85 else "center"


def _day(words: Words, at: int) -> str:
    then = words.calendar.civil(at)
    return f"{then.day} {words.month(then.month)}"


def draw_pattern(view: View, words: Words) -> Picture | None:
    """Draw when total, unplanned outages begin: by hour of the day and day of the week, with MTTR and MTBF."""
    starts, hours, _ = restoration_times(view.service)
    if not len(starts):
        return None
    period = view.service.period
    then = [words.calendar.civil(at) for at in starts.tolist()]
    by_hour = np.bincount([at.hour for at in then], minlength=24)
    by_day = np.bincount([at.weekday() for at in then], minlength=7)
    figure, (left, right) = style.unequal((style.WIDE_IN[0], 2.7), (2.1, 1))
    left.bar(np.arange(24), by_hour, width=0.75, color=style.BLUE)
    left.set_xticks(range(0, 24, 3), [str(hour) for hour in range(0, 24, 3)])
    left.set_xlabel(words("pattern.hour", zone=words.calendar.zone))
    right.bar(np.arange(7), by_day, width=0.7, color=style.BLUE)
    right.set_xticks(range(7), words("pattern.days").split())
    for axes in (left, right):
        style.whole_numbers(axes)
        axes.set_ylim(0, max(1, axes.get_ylim()[1]))
    left.set_ylabel(words("pattern.axis"))
    up_h = max(0.0, (period.end - period.start) / HOUR_US - float(hours.sum()))
    columns: dict[str, list[Any]] = {
        "of": ["hour"] * 24 + ["weekday"] * 7, "number": [*range(24), *range(1, 8)],
        "outages": [*by_hour.tolist(), *by_day.tolist()],
    }  # fmt: skip
    heading = words(
        "pattern.heading", mttr=words.hours(float(hours.mean()), exact=bool(hours.mean() < 1)),
        mtbf=words.hours(up_h / len(hours)), count=words.count(len(hours), "count.outage"),
    )  # fmt: skip
    return picture(words, "pattern", heading, figure, columns)
