"""Figures of a sweep: main effects, the interaction of two parameters, the frontier of points."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from simbench.planning.effects import MOST_VALUES, Effect, Interaction, Placed
from simbench.planning.study import Value
from simbench.reporting import style
from simbench.reporting.figure import Drawing
from simbench.reporting.translations import Translations

PANELS, MOST_LINES = 3, 8
PARALLEL = 0.1  # share of the range below which lines are called parallel


def shown(t: Translations, value: Value) -> str:
    """Return a parameter's value for readers."""
    return value if isinstance(value, str) else t.number(value, 3)


def draw_effects(t: Translations, effects: Sequence[Effect], name: str, confidence: float) -> list[Drawing]:
    """Draw the effect of each parameter on a measure, one panel each; all panels share their scale."""
    found = []
    for first in range(0, len(effects), PANELS):
        some = effects[first : first + PANELS]
        figure, panels = style.beside((style.WIDE_IN[0], 3.4), len(some))
        for axes, effect in zip(panels, some, strict=True):
            _effect(t, axes, effect)
        panels[0].set_ylabel(name)
        _y(t, panels[0])
        heading = "; ".join(_heading(t, one, name) for one in some)
        note = t("sweep.effects-note", confidence=f"{t.number(100 * confidence, 1)}\u00a0%")
        found.append(Drawing(heading, style.to_svg(figure, heading, "effects"), note))
    return found


def _heading(t: Translations, effect: Effect, name: str) -> str:
    means = [one.mean for one in effect.levels]
    low, high = (t.number(each, _digits(max(means))) for each in (min(means), max(means)))
    return t("sweep.effect", parameter=style.label(effect.parameter), measure=name, low=low, high=high)


def _effect(t: Translations, axes: Axes, effect: Effect) -> None:
    levels = effect.levels
    numbers = all(not isinstance(one.value, str) for one in levels)
    xs = [float(one.value) if numbers else place for place, one in enumerate(levels)]
    means = [one.mean for one in levels]
    if len(levels) > MOST_VALUES:
        axes.scatter(xs, means, color=style.BLUE, s=14)
    else:
        bars = [one.half_width if math.isfinite(one.half_width) else 0.0 for one in levels]
        axes.errorbar(xs, means, yerr=bars, color=style.BLUE, marker="o", markersize=5, capsize=3)
        axes.set_xticks(xs, [style.label(shown(t, one.value), 12) for one in levels])
    axes.set_xlabel(style.label(effect.parameter))


def draw_interaction(t: Translations, one: Interaction, name: str) -> Drawing:
    """Draw a line for each value of the second parameter over the first; parallel lines show no interaction."""
    figure, axes = _canvas()
    places = range(len(one.firsts))
    for number, (value, row) in enumerate(zip(one.seconds, one.means, strict=True)):
        if number < MOST_LINES:
            ys = [math.nan if mean is None else mean for mean in row]
            label = f"{style.label(one.second)} = {style.label(shown(t, value), 12)}"
            axes.plot(places, ys, marker="o", color=style.SERIES[number % len(style.SERIES)], label=label)
    axes.set_xticks(list(places), [style.label(shown(t, value), 12) for value in one.firsts])
    axes.set_xlabel(style.label(one.first))
    axes.set_ylabel(name)
    _y(t, axes)
    style.legend_above(axes, 3)
    key = "sweep.interaction-parallel" if one.gap < PARALLEL else "sweep.interaction-crossing"
    heading = t(
        key, first=style.label(one.first), second=style.label(one.second), gap=f"{t.number(100 * one.gap)}\u00a0%"
    )
    return Drawing(heading, style.to_svg(figure, heading, "interaction"))


def draw_frontier(t: Translations, points: Sequence[Placed], x: str, y: str) -> Drawing:
    """Draw every point by two measures, and the line of those that no other point surpasses."""
    figure, axes = _canvas()
    axes.scatter([one.x for one in points], [one.y for one in points], color=style.SOFT, s=26, label=t("figure.mixes"))
    best = sorted((one.x, one.y) for one in points if one.best)
    axes.plot(*zip(*best, strict=True), color=style.BLUE, marker="o", drawstyle="steps-post", label=t("figure.line"))
    for one in [each for each in points if each.best][:12]:
        axes.annotate(str(one.point), (one.x, one.y), xytext=(4, 4), textcoords="offset points", fontsize=8)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    _y(t, axes)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: t.number(value, 2)))
    heading = t("sweep.frontier", best=len(best), points=len(points))
    return Drawing(heading, style.to_svg(figure, heading, "frontier"), t("sweep.frontier-note"))


def _canvas() -> tuple[Figure, Axes]:
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 3.8))
    return figure, axes


def _digits(largest: float) -> int:
    return 0 if abs(largest) >= 100 else 3


def _y(t: Translations, axes: Axes) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: t.number(value, 3)))
