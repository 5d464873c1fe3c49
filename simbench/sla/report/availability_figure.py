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
from simbench.sla.report.key_figures import burn_text, overdrawn_early, seen_worst
from simbench.sla.report.picture import LOOKS, CivilAxis, Panel, Picture, label_beside, picture
from simbench.sla.report.translations import Words
from simbench.sla.report.view import View

CLASSES: tuple[Class, ...] = get_args(Class)
EARLY_DAYS = 30  # with less of a year known, one outage has so much weight that the curve is useless
MOST_SPANS = 4  # below the target, named with their dates
MOST_POINTS = 1500
MOST_LINKED = 400  # the maximum number of incidents that are links in the figure
LINES = ((style.PINK, (0, (5, 2))), (style.AMBER, (0, (3, 1, 1, 1))), (style.GREEN, (0, (1, 1))))
CURVE_IN = (10.2, 2.3)  # the approximate size of the axes of the curve


def draw_availability(view: View, words: Words) -> Picture:
    """Draw incidents by class, rolling availability with the target and the spans below it, and the budget left."""
    axis = CivilAxis(view.service.period, words)
    figure, (top, middle, bottom) = style.canvas((style.WIDE_IN[0], 6.6), (1, 2.4, 1.6))
    lanes(top, view, words, axis, view.service.period.start, view.service.period.end)
    formula = view.year.formula
    others = tuple(name for name in VARIANTS if name != formula)
    spans = below(view)
    chosen = _shown(view)
    _curves(middle, view, words, axis, chosen)
    for since, until in spans:
        middle.axvspan(axis.of(since), axis.of(until), color=style.RED, alpha=0.14, linewidth=0)
    style.legend_above(middle)
    kept = _thinned(view, np.arange(len(view.rolled.at)))
    at, left = view.rolled.at[kept], (view.allowed_h - view.spent_h)[kept]
    _budget_left(bottom, axis.of(at), left)
    _mark_early(bottom, view, axis)
    bottom.set_ylabel(words("availability.budget"))
    bottom.yaxis.set_major_formatter(lambda value, _: words.number(value, 1))
    axis.mark(bottom)
    curve, budget_left = words("availability.curve"), words("availability.budget")
    shares = view.rolled.availability(formula)
    panels = (
        Panel(
            middle, view.rolled.at[chosen].tolist(), {
                curve: [words.share(share) for share in shares[chosen].tolist()],
                budget_left: [words.signed_hours(hours) for hours in (view.allowed_h - view.spent_h)[chosen].tolist()],
            }, axis.period.start,
        ),
        Panel(
            bottom, at.tolist(), {budget_left: [words.signed_hours(hours) for hours in left.tolist()]},
            axis.period.start,
        ),
    )  # fmt: skip
    return picture(
        words, "availability", _heading(view, words), figure, _columns(view, chosen, words), _note(view, words, spans),
        panels=panels, variants=others, formula=formula, lost=words(f"availability.lost_{formula}"),
    )  # fmt: skip


def _curves(axes: Axes, view: View, words: Words, axis: CivilAxis, chosen: NDArray[np.int64]) -> None:
    """Draw the contract's variant, dashed where its window is incomplete, the other variants, and the lowest point."""
    promised, formula = view.case.contract.terms.quality.availability.value, view.year.formula
    rolled, full = view.rolled, view.rolled.full[chosen]
    shares, x = 100 * rolled.availability(formula)[chosen], axis.of(rolled.at[chosen])
    for known, key, look in ((False, "part", (0, (3, 2))), (True, "full", "-")):
        if (full == known).sum() > 1:
            curve = np.where(full == known, shares, np.nan)
            axes.plot(x, curve, color=style.BLUE, linewidth=1.8, linestyle=look, label=words(f"availability.{key}"))
    lowest = [100 * promised, float(shares.min(initial=100))]
    for variant, (colour, dashes) in zip([name for name in VARIANTS if name != formula], LINES, strict=True):
        other = 100 * rolled.availability(variant)[chosen]
        if np.abs(other - shares).max(initial=0) > 0:
            lowest.append(float(other.min(initial=100)))
            (line,) = axes.plot(x, other, color=colour, linewidth=1.3, linestyle=dashes)
            line.set_gid(f"class:variant {variant}")
    label = words("availability.promised", limit=words.share(promised))
    axes.axhline(100 * promised, color=style.INK, linestyle=(0, (6, 3)), linewidth=1.2, label=label)
    room = max(0.05, (100 - min(lowest)) * 0.16)
    axes.set_ylim(min(lowest) - room, 100 + room * 0.6)
    axes.set_xlim(0, axis.of(view.service.period.end))
    axes.set_ylabel(words("availability.curve"))
    axes.yaxis.set_major_formatter(lambda value, _: words.number(value, 2))
    worst = seen_worst(view)
    if worst is not None and worst[1] < 1 and worst[0] >= view.service.period.start:
        point = axis.of(worst[0]), 100 * worst[1]
        axes.plot(*point, marker="o", markersize=6, color=style.RED, linestyle="none")
        target = ([0, axis.of(view.service.period.end)], [100 * promised, 100 * promised])
        text = f"{words.share(worst[1])}, {words.moment(worst[0])}"
        label_beside(axes, text, point, [(x, shares), target], CURVE_IN)


def _budget_left(axes: Axes, x: NDArray[np.float64], left: NDArray[np.float64]) -> None:
    axes.plot(x, left, color=style.INK, linewidth=1.4)
    axes.fill_between(x, left, 0, where=left >= 0, color=style.GREEN, alpha=0.35, interpolate=True)
    axes.fill_between(x, left, 0, where=left < 0, color=style.RED, alpha=0.6, hatch="///", interpolate=True)
    axes.axhline(0, color=style.SOFT, linewidth=1)


def _mark_early(axes: Axes, view: View, axis: CivilAxis) -> None:
    """Mark the time with more lost than a complete window may lose, before a complete one was known."""
    early = overdrawn_early(view)
    if early is not None and early[0] >= view.service.period.start:
        at_early = np.array([early[0]])
        allowed, spent = budget(view.year, at_early)
        axes.plot(axis.of(at_early), allowed - spent, marker="o", markersize=6, color=style.RED, linestyle="none")


def _early_days(view: View) -> float:
    return min(EARLY_DAYS, float(view.year.windows.length.min()) / DAY_US / 12)


def _shown(view: View) -> NDArray[np.int64]:
    """Return the indices of the windows to draw: not those with too little history, and not too many."""
    places = _enough(view)
    return _thinned(view, places if len(places) else np.arange(len(view.rolled.at)))


def _enough(view: View) -> NDArray[np.int64]:
    rolled = view.rolled
    return np.flatnonzero(rolled.full | (rolled.length >= _early_days(view) * DAY_US))


def _thinned(view: View, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Reduce the indices so that the curve looks the same; its lowest points are kept."""
    if len(places) <= MOST_POINTS:
        return places
    rolled = view.rolled
    even = places[np.linspace(0, len(places) - 1, MOST_POINTS).astype(np.int64)]
    lost = rolled.lost(view.year.formula)[places] / np.maximum(1, rolled.length[places])
    return np.union1d(even, places[np.argsort(-lost, kind="stable")[:50]])


def below(view: View) -> list[tuple[int, int]]:
    """Return the spans (us) in which more is lost than a complete window may lose, longest first."""
    rolled, year = view.rolled, view.year
    low = rolled.beyond(year.windows.length_at(rolled.at), year.formula, year.allowed)
    at, left = rolled.at.tolist(), (view.allowed_h - view.spent_h).tolist()
    found, place = [], 0
    for is_low, members in groupby(low.tolist()):
        after = place + len(list(members))
        if is_low:
            found.append((_crossing(at, left, place - 1), _crossing(at, left, after - 1)))
        place = after
    return sorted((span for span in found if span[1] > span[0]), key=lambda span: span[0] - span[1])


def _crossing(at: list[int], left: list[float], place: int) -> int:
    """Return when the budget, linear between two instants, is zero; limited to the first and last instant."""
    if place < 0 or place + 1 >= len(at):
        return at[max(0, place)]
    before, after = left[place], left[place + 1]
    part = before / (before - after) if before != after else 0.0
    return at[place] + round((at[place + 1] - at[place]) * min(1.0, max(0.0, part)))


def lanes(axes: Axes, view: View, words: Words, axis: CivilAxis, since: int, until: int) -> None:
    """Draw one lane per class; a very short incident is drawn wider, to be visible. A click leads to its row."""
    starts, ends, classes = timeline(view.service)
    period = view.service.period
    places = [n for n, one in enumerate(view.service.counted) if one.incident.touches(period.start, period.end)]
    least = (until - since) / DAY_US / 500
    for lane, name in enumerate(CLASSES):
        colour, hatch = LOOKS[name]
        own = np.array([each == name for each in classes], dtype=bool) & (starts < until) & (ends > since)
        begins = axis.of(np.maximum(starts[own], since))
        widths = np.maximum(axis.of(np.minimum(ends[own], until)) - begins, least)
        begins = np.minimum(begins, axis.of(until) - widths)
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
    """Merge bars that touch or have an invisible gap between them."""
    found: list[tuple[float, float]] = []
    for begin, width in sorted(spans):
        if found and begin <= found[-1][0] + found[-1][1] + least / 2:
            found[-1] = (found[-1][0], max(found[-1][1], begin + width - found[-1][0]))
        else:
            found.append((begin, width))
    return found


def _heading(view: View, words: Words) -> str:
    """Return the heading of the curve: its lowest point, and the budget left at its end."""
    quality = view.case.contract.terms.quality
    worst = seen_worst(view)
    if worst is None:
        return words("availability.nothing")
    early = overdrawn_early(view)
    if early is not None:
        at, lost, may = early
        return words("availability.over", date=words.day(at), lost=words.lasting(lost), allowed=words.lasting(may))
    least, left = words.share(worst[1]), words.signed_hours(float((view.allowed_h - view.spent_h)[-1]))
    if not view.rolled.full.any():
        return words("availability.part_open", least=least, left=left)
    if worst[1] < quality.availability.value:
        return words("availability.fail", least=least, limit=words.share(quality.availability.value))
    # Windows that are not yet complete are drawn as well and may be lower.
    return words("availability.pass" if view.rolled.full.all() else "availability.pass_whole", least=least, left=left)


def _note(view: View, words: Words, spans: list[tuple[int, int]]) -> str:
    parts = []
    if spans:
        named = ", ".join(words.days(since, until) for since, until in spans[:MOST_SPANS])
        parts.append(words("availability.below", spans=named, shown=words.number(min(len(spans), MOST_SPANS)),
                           all=words.number(len(spans))))  # fmt: skip
    parts.append(words.sentence(burn_text(view, words)) + ".")
    if not view.rolled.full.all():
        parts.append(words("availability.note"))
        if 0 < len(_enough(view)) < len(view.rolled.at):
            parts.append(words("availability.drawn_from", days=words.number(_early_days(view))))
    return " ".join(parts)


def _columns(view: View, chosen: NDArray[np.int64], words: Words) -> dict[str, list[Any]]:
    rolled = view.rolled.where(chosen)
    shares = {name: np.round(rolled.availability(name), 9).tolist() for name in VARIANTS}
    return {
        "window_ends": [words.iso(at) for at in rolled.at.tolist()],
        "window_h": np.round(rolled.length / HOUR_US, 6).tolist(),
        "twelve_months": rolled.full.tolist(),
        "unplanned_h": np.round(rolled.unplanned / HOUR_US, 6).tolist(),
        "planned_h": np.round(rolled.planned / HOUR_US, 6).tolist(),
        **shares,
        "budget_h": np.round(view.allowed_h[chosen], 6).tolist(),
        "spent_h": np.round(view.spent_h[chosen], 6).tolist(),
    }
