"""The messages a client offered, and those acknowledged, while the platform delayed its answers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from simbench.base.units import SECOND_US
from simbench.bench.report.figures.context import Group, Scene, TimeAxis, time_axis
from simbench.bench.report.measures import Bins, Floats, Ints, bins_over, ints, rate_in
from simbench.reporting import style
from simbench.reporting.figure import Drawing
from simbench.reporting.format import duration, number

MODE = "delay"  # the mode of the meter that this figure shows


class Exchange(NamedTuple):
    """Submits of one delayed code and their answers: instants, and the delay of each."""

    code: str
    offered: Ints
    acknowledged: Ints
    answered: Ints
    waits: Ints
    tier: int


def draw(scene: Scene) -> Group | None:
    """Draw one panel for each code that was delayed and used; None without any."""
    exchanges = [found for code in sorted(scene.exercise.trace.limits) if (found := _exchange(scene, code))]
    if not exchanges:
        return None
    end = max(max(int(one.offered[-1]), int(one.answered.max(initial=0))) for one in exchanges)
    bins, axis = bins_over(scene.started, end), time_axis(scene.started, end)
    drawings = tuple(_panel(one, bins, axis, scene.colours.get(one.code, style.BLUE)) for one in exchanges)
    longest = max((int(one.waits.max(initial=0)) for one in exchanges), default=0)
    return Group(f"Where the platform holds answers back, the longest took {duration(longest)}", drawings)


def _exchange(scene: Scene, code: str) -> Exchange | None:
    trace = scene.exercise.trace
    limits = trace.limits[code]
    submits = trace.submits
    own = submits.where(submits.code == code)
    if not len(own) or all(mode != MODE for _, _, mode in limits):
        return None
    answered = own.where(ints(own.result_at) >= 0)
    positive = own.where(own.ack == "A")
    waits = ints(answered.result_at) - ints(answered.at)
    tier = max(rate for _, rate, mode in limits if mode == MODE)
    return Exchange(code, ints(own.at), np.sort(ints(positive.result_at)), ints(answered.result_at), waits, tier)


def _panel(one: Exchange, bins: Bins, axis: TimeAxis, colour: str) -> Drawing:
    figure, (rates, waits) = style.canvas((style.PANEL_IN[0], 3.7), (1.5, 1))
    edges = axis.of(bins.edges)
    rates.stairs(rate_in(bins, one.offered), edges, color=style.SOFT, linewidth=1.3, label="offered")
    rates.stairs(rate_in(bins, one.acknowledged), edges, fill=True, color=colour, alpha=0.4, label="acknowledged")
    rates.axhline(one.tier, color=style.INK, linestyle=(0, (5, 3)), linewidth=1.3, label="tier")
    rates.set_ylabel("messages per second")
    style.whole_numbers(rates)
    rates.set_ylim(0, max(one.tier, float(rate_in(bins, one.offered).max())) * 1.12)
    style.legend_above(rates)
    _draw_waits(waits, one, bins, axis)
    rates.set_xlim(edges[0], edges[-1])
    axis.label(waits)
    figure.align_ylabels()
    heading = (
        f"{style.label(one.code)}: {_mean(one.offered)} offered, {_mean(one.acknowledged)} acknowledged, "
        f"tier {number(one.tier)}/s"
    )
    return Drawing(heading, style.to_svg(figure, heading, "throttle"))


def _mean(instants: Ints) -> str:
    lasting = int(instants[-1] - instants[0]) if len(instants) else 0
    return f"{number((len(instants) - 1) / lasting * SECOND_US, 1)}/s" if lasting else f"{len(instants)} in all"


def _draw_waits(axes: Axes, one: Exchange, bins: Bins, axis: TimeAxis) -> None:
    """Draw the longest wait of the answers in each bin; a gap if there is none."""
    longest: Floats = np.full(bins.size, np.nan)
    np.fmax.at(longest, bins.of(one.answered), one.waits / SECOND_US)
    middles = axis.of((bins.edges[:-1] + bins.edges[1:]) // 2)
    axes.plot(middles, longest, color=style.RED, linewidth=1.5, marker=".", markersize=3)
    axes.set_ylabel("longest wait (s)")
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=4)
