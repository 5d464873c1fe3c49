"""Submits per second of each short code against its tier: one panel per code."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes

from simbench.base.text import count
from simbench.bench.report.figures.context import Group, Scene, TimeAxis, time_axis
from simbench.bench.report.measures import (
    Bins,
    Ints,
    Pace,
    bins_over,
    ints,
    pace,
    peak_in,
    rate_in,
    within_window,
)
from simbench.contract import Contract
from simbench.reporting import style
from simbench.reporting.figure import Drawing
from simbench.reporting.format import number, sentence
from simbench.rules.client.throughput import police
from simbench.trace.trace import Limit

METER_READINGS = "rate-meter"  # the ambiguity on counting a rate; it names the clauses about rates
MOST_PANELS = 12


class Traffic(NamedTuple):
    """The submits of one code, in segments, and the limits in force: (from, rate per second, mode)."""

    code: str
    at: Ints
    weights: Ints
    limits: list[Limit]


def rate_clauses(contract: Contract) -> set[str]:
    """Return the clauses about rates."""
    terms = {term.clause for name, term in contract.terms.by_name().items() if name.startswith("throughput.")}
    return terms | set(contract.ambiguity(METER_READINGS).clauses)


def draw(scene: Scene) -> Group | None:
    """Draw a panel for every code with submits, for an exercise with a purpose about rates; None without either."""
    clauses = rate_clauses(scene.contract)
    if not any(finding.clause in clauses for finding in scene.findings):
        return None
    traffic = _traffic(scene)
    if not traffic:
        return None
    end = max(int(one.at[-1]) for one in traffic)
    axis, bins = time_axis(scene.started, end), bins_over(scene.started, end)
    outages = scene.exercise.trace.outages
    paces = {one.code: pace(one.at, one.weights, outages) for one in traffic}
    shown = sorted(traffic, key=lambda one: (-len(one.at), one.code))[:MOST_PANELS]
    drawings = tuple(
        _panel(one, paces[one.code], bins, axis, scene.colours.get(one.code, style.BLUE))
        for one in sorted(shown, key=lambda one: (_tier(one), one.code))
    )
    note = (
        f"Not drawn: {count(len(traffic) - len(shown), 'code')} with less traffic." if len(traffic) > len(shown) else ""
    )
    return Group(_conclusion(traffic, paces, scene.contract), drawings, note)


def _traffic(scene: Scene) -> list[Traffic]:
    trace = scene.exercise.trace
    submits = trace.submits
    found = []
    for code in sorted(set(submits.code.tolist())):
        own = submits.where(submits.code == code)
        found.append(Traffic(code, ints(own.at), ints(own.segments), trace.limits.get(code, [])))
    return found


def _tier(one: Traffic) -> int:
    return max((rate for _, rate, _ in one.limits), default=0)


def _conclusion(traffic: list[Traffic], paces: dict[str, Pace], contract: Contract) -> str:
    """Return the conclusion from all panels; it names a peak within the jitter allowance."""
    limited = [one for one in traffic if one.limits]
    if not limited:
        return "Submits per second; the tier of these codes is unknown"
    jitter_ms = contract.terms.throughput.jitter_ms.value
    above = [one for one in limited if paces[one.code].peak > _tier(one)]
    # The rule's own meter, so that a heading never contradicts a verdict.
    beyond = [one for one in above if police(one.at, one.weights, _tier(one), jitter_ms * 1000).early]
    if beyond:
        codes = [
            f"{style.label(one.code)} ({paces[one.code].peak} in one second, {_tier(one)} allowed)" for one in beyond
        ]
        return f"{sentence(codes)} went above the tier"
    within = f"{'All ' if len(limited) > 1 else ''}{count(len(limited), 'code')} stayed within the tier"
    return f"{within}, except for bunching of at most {jitter_ms} ms" if above else within


def _panel(one: Traffic, measured: Pace, bins: Bins, axis: TimeAxis, colour: str) -> Drawing:
    tier = f"tier {number(_tier(one))}/s" if one.limits else "no tier known"
    heading = (
        f"{style.label(one.code)}: {number(measured.mean, 1)}/s on average, "
        f"at most {number(measured.peak)} in any second, {tier}"
    )
    figure, (axes,) = style.canvas(style.PANEL_IN)
    edges = axis.of(bins.edges)
    mean = "in each second" if bins.width_s == 1 else f"mean of {bins.width_s} s"
    axes.stairs(rate_in(bins, one.at, one.weights), edges, fill=True, color=colour, alpha=0.4, label=mean)
    peaks = peak_in(bins, one.at, within_window(one.at, one.weights))
    axes.stairs(peaks, edges, color=colour, linewidth=1.5, label="peak of any 1 s")
    _tier_line(axes, one, axis, int(bins.edges[-1]))
    axes.set_ylabel("submits per second")
    axis.label(axes)
    axes.set_xlim(edges[0], edges[-1])
    style.whole_numbers(axes)
    axes.set_ylim(0, max(_tier(one), measured.peak) * 1.12)
    style.legend_above(axes)
    return Drawing(heading, style.to_svg(figure, heading, "rates"))


def _tier_line(axes: Axes, one: Traffic, axis: TimeAxis, end: int) -> None:
    """Draw the tier over time: a code's rate may change during the run."""
    if not one.limits:
        return
    begins = [at for at, _, _ in one.limits]
    # The first limit is drawn from the axis's origin, because it may be set just before the clock starts.
    edges = [min(begins[0], axis.started), *begins[1:], max(end, begins[-1] + 1)]
    axes.stairs(
        [rate for _, rate, _ in one.limits],
        [axis.at(edge) for edge in edges],
        baseline=None,
        color=style.INK,
        linestyle=(0, (5, 3)),
        linewidth=1.3,
        label="tier",
    )
