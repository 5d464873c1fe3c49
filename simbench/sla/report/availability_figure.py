"""The figure of availability: incidents by class, the rolling curve, and the error budget."""

from __future__ import annotations

from itertools import groupby
from typing import Any, get_args

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from simbench.base.units import DAY_US, HOUR_US
from simbench.reporting import style
from simbench.sla.availability import VARIANTS, budget, timeline
from simbench.sla.classification import Class
from simbench.sla.report.key_figures import burn, overdrawn_early, seen_worst
from simbench.sla.report.picture import LOOKS, CivilAxis, Panel, Picture
from simbench.sla.report.translations import Words
from simbench.sla.report.view import View
from simbench.sla.rolling_window import Instants

CLASSES: tuple[Class, ...] = get_args(Class)
EARLY_DAYS = 30  # with less of a year known, one outage weighs so heavily that the curve says nothing
MOST_SPANS = 4  # below the target, named with their dates
MOST_POINTS = 1500
MOST_LINKED = 400  # incidents that are links in the figure
LINES = {"V2": (style.PINK, (0, (5, 2))), "V3": (style.ORANGE, (0, (3, 1, 1, 1))), "V4": (style.GREEN, (0, (1, 1)))}


def draw_availability(view: View, words: Words) -> Picture:
    """Incidents by class, rolling availability with the target and the spans below it, and the error budget left."""
    promised = view.case.contract.terms.quality.availability.value
    axis = CivilAxis(view.service.period, words)
    figure, (top, middle, bottom) = style.canvas((style.WIDE_IN[0], 6.6), (1, 2.4, 1.6))
    lanes(top, view, words, axis, view.service.period.start, view.service.period.end)
    chosen = _shown(view)
    shares, at, full = 100 * view.rolled.availability("V1")[chosen], view.rolled.at[chosen], view.rolled.full[chosen]
    x = axis.of(at)
    for known, key, look in ((False, "part", (0, (3, 2))), (True, "full", "-")):
        if (full == known).sum() > 1:
            curve = np.where(full == known, shares, np.nan)
            middle.plot(x, curve, color=style.BLUE, linewidth=1.8, linestyle=look, label=words(f"availability.{key}"))
    lowest = [shares]
    for variant, (colour, dashes) in LINES.items():
        other = 100 * view.rolled.availability(variant)[chosen]
        lowest.append(other)
        if np.abs(other - shares).max(initial=0) > 0:
            (line,) = middle.plot(x, other, color=colour, linewidth=1.3, linestyle=dashes)
            line.set_gid(f"class:variant {variant}")
    label = words("availability.promised", limit=words.share(promised))
    middle.axhline(100 * promised, color=style.INK, linestyle=(0, (6, 3)), linewidth=1.2, label=label)
    spans = below(at, shares, full, 100 * promised)
    for since, until in spans:
        middle.axvspan(axis.of(since), axis.of(until), color=style.RED, alpha=0.14, linewidth=0)
    low = min([100 * promised, *(float(curve.min(initial=100)) for curve in lowest)])
    room = max(0.05, (100 - low) * 0.12)
    middle.set_ylim(low - room, 100 + room * 0.6)
    middle.set_ylabel(words("availability.curve"))
    middle.yaxis.set_major_formatter(lambda value, _: words.number(value, 2))
    _mark_worst(middle, view, words, axis)
    style.legend_above(middle)
    left = (view.allowed_h - view.spent_h)[chosen]
    bottom.plot(x, left, color=style.INK, linewidth=1.4)
    bottom.fill_between(x, left, 0, where=left >= 0, color=style.GREEN, alpha=0.35)
    bottom.fill_between(x, left, 0, where=left < 0, color=style.RED, alpha=0.6, hatch="///")
    bottom.axhline(0, color=style.SOFT, linewidth=1)
    early = overdrawn_early(view)
    if early is not None and early[0] >= view.service.period.start:
        at_early = np.array([early[0]])
        allowed, spent = budget(view.year, view.case.contract, at_early)
        bottom.plot(axis.of(at_early), allowed - spent, marker="o", markersize=6, color=style.RED, linestyle="none")
    bottom.set_ylabel(words("availability.budget"))
    bottom.yaxis.set_major_formatter(lambda value, _: words.number(value, 1))
    axis.mark(bottom)
    values = {words("availability.curve"): [words.share(share / 100) for share in shares.tolist()]}
    values[words("availability.budget")] = [words.signed_hours(hours) for hours in left.tolist()]
    return Picture(
        "availability", words("availability.title"), _heading(view, words), figure, words("availability.formula"),
        _columns(view, chosen), _note(view, words, spans),
        panels=tuple(Panel(axes, at.tolist(), values, axis.period.start) for axes in (middle, bottom)),
        variants=tuple(LINES),
    )  # fmt: skip


def _early_days(view: View) -> float:
    return min(EARLY_DAYS, float(view.year.windows.length.min()) / DAY_US / 12)


def _shown(view: View) -> NDArray[np.int64]:
    """Places of the windows drawn: not those with so little known that they say nothing, and not too many."""
    rolled = view.rolled
    enough = np.flatnonzero(rolled.full | (rolled.length >= _early_days(view) * DAY_US))
    places = enough if len(enough) else np.arange(len(rolled.at))
    if len(places) > MOST_POINTS:
        even = places[np.linspace(0, len(places) - 1, MOST_POINTS).astype(np.int64)]
        lost = rolled.unplanned[places] / np.maximum(1, rolled.length[places])
        deep = places[np.argsort(-lost, kind="stable")[:50]]
        places = np.union1d(even, deep)
    return places


def below(at: Instants, shares: NDArray[np.float64], full: NDArray[np.bool_], target: float) -> list[tuple[int, int]]:
    """Spans of whole windows whose availability is below the target, longest first."""
    low = (shares < target - 1e-12) & (full | ~full.any())
    spans, place = [], 0
    for is_low, members in groupby(low.tolist()):
        size = len(list(members))
        if is_low:
            spans.append((int(at[place]), int(at[min(place + size, len(at) - 1)])))
        place += size
    return sorted(spans, key=lambda span: span[0] - span[1])


def lanes(axes: Axes, view: View, words: Words, axis: CivilAxis, since: int, until: int) -> None:
    """One lane a class; a very short incident is drawn wider, to be visible. A click leads to its row."""
    starts, ends, classes = timeline(view.service)
    places = [number for number, one in enumerate(view.service.counted) if _touches(one, view)]
    least = (until - since) / DAY_US / 500
    for lane, name in enumerate(CLASSES):
        colour, hatch = LOOKS[name]
        own = np.array([each == name for each in classes], dtype=bool) & (starts < until) & (ends > since)
        begins = axis.of(np.maximum(starts[own], since))
        widths = np.maximum(axis.of(np.minimum(ends[own], until)) - begins, least)
        spans = list(zip(begins.tolist(), widths.tolist(), strict=True))
        bars = axes.broken_barh(
            spans if len(spans) <= MOST_LINKED else _close_ones_joined(spans, least), (lane - 0.38, 0.76),
            facecolor=colour, hatch=hatch,
        )  # fmt: skip
        if len(places) == len(own) and own.sum() <= MOST_LINKED:
            bars.set_urls([f"row:{places[place]}" for place in np.flatnonzero(own).tolist()])
    axes.set_yticks(range(len(CLASSES)), [words(f"class.{name}") for name in CLASSES])
    axes.set_ylim(len(CLASSES) - 0.5, -0.5)


def _close_ones_joined(spans: list[tuple[float, float]], least: float) -> list[tuple[float, float]]:
    """Bars that touch, or have less between them than can be seen, made one."""
    found: list[tuple[float, float]] = []
    for begin, width in sorted(spans):
        if found and begin <= found[-1][0] + found[-1][1] + least / 2:
            found[-1] = (found[-1][0], max(found[-1][1], begin + width - found[-1][0]))
        else:
            found.append((begin, width))
    return found


def _touches(one: Any, view: View) -> bool:
    period = view.service.period
    return one.incident.start < period.end and (one.incident.end is None or one.incident.end > period.start)


def _mark_worst(axes: Axes, view: View, words: Words, axis: CivilAxis) -> None:
    worst = seen_worst(view)
    if worst is None or worst[1] >= 1:
        return
    at, share = worst
    if at < view.service.period.start:
        return
    axes.plot([axis.of(at)], [100 * share], marker="o", markersize=6, color=style.RED, linestyle="none")
    right = axis.of(at) > axis.of(view.service.period.end) * 0.72
    axes.annotate(
        f"{words.share(share)}, {words.moment(at)}", (axis.of(at), 100 * share),
        xytext=(-8 if right else 8, -3), textcoords="offset points", ha="right" if right else "left", va="top",
        color=style.INK, fontsize=9, bbox={"facecolor": style.PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
    )  # fmt: skip


def _heading(view: View, words: Words) -> str:
    """What the curve shows: its lowest point, and what is left at its end."""
    quality = view.case.contract.terms.quality
    worst = seen_worst(view)
    if worst is None:
        return words("availability.nothing")
    early = overdrawn_early(view)
    if early is not None:
        at, lost, may = early
        return words("availability.over", date=words.day(at), lost=words.lasting(lost), allowed=words.lasting(may))
    whole = bool(view.rolled.full.any())
    least, left = words.share(worst[1]), float((view.allowed_h - view.spent_h)[-1])
    if not whole:
        over = bool(((view.allowed_h - view.spent_h) < 0).any())
        key = "availability.part_fail" if over else "availability.part_open"
        return words(key, least=least, left=words.signed_hours(left), limit=words.share(quality.availability.value))
    if worst[1] < quality.availability.value:
        return words("availability.fail", least=least, limit=words.share(quality.availability.value))
    return words("availability.pass", least=least, left=words.signed_hours(left))


def _note(view: View, words: Words, spans: list[tuple[int, int]]) -> str:
    parts = []
    if spans:
        named = ", ".join(words.days(since, until) for since, until in spans[:MOST_SPANS])
        parts.append(words("availability.below", spans=named, shown=words.number(min(len(spans), MOST_SPANS)),
                           all=words.number(len(spans))))  # fmt: skip
    rate, out = burn(view)
    gone = bool(len(view.allowed_h)) and view.spent_h[-1] > view.allowed_h[-1]
    if gone:
        key = "availability.burn_gone"
    elif not rate:
        key = "availability.burn_none"
    else:
        key = "availability.burn_lasts" if out is None else "availability.burn_out"
    parts.append(words(key, rate=words.hours(rate), date=words.day(out) if out else ""))
    if not view.rolled.full.all():
        parts.append(words("availability.note", days=words.number(_early_days(view))))
    return " ".join(parts)


def _columns(view: View, chosen: NDArray[np.int64]) -> dict[str, list[Any]]:
    rolled = view.rolled.where(chosen)
    shares = {name: np.round(rolled.availability(name), 9).tolist() for name in VARIANTS}
    return {
        "window_ends": [view.calendar.iso(at) for at in rolled.at.tolist()],
        "window_h": np.round(rolled.length / HOUR_US, 6).tolist(),
        "twelve_months": rolled.full.tolist(),
        "unplanned_h": np.round(rolled.unplanned / HOUR_US, 6).tolist(),
        "planned_h": np.round(rolled.planned / HOUR_US, 6).tolist(),
        **shares,
        "budget_h": np.round(view.allowed_h[chosen], 6).tolist(),
        "spent_h": np.round(view.spent_h[chosen], 6).tolist(),
    }
