"""The delays of results and notifications: cumulative shares of all messages."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from simbench.base.units import SECOND_US
from simbench.bench.report.figures.context import Group, Scene
from simbench.bench.report.measures import Floats, Ints, notice_waits, result_waits
from simbench.reporting import style
from simbench.reporting.figure import Drawing
from simbench.reporting.format import duration, number

FEWEST = 20  # with fewer waits a distribution is not shown
POINTS = 200
MARKS = ((0.50, "median", "o"), (0.95, "95%", "D"))
DECADES = 30.0  # ratio of the longest to the shortest wait from which the axis is logarithmic
FASTEST_S = 1e-6


def draw(scene: Scene) -> Group | None:
    """Draw the distributions of one exercise; None with too few waits."""
    trace = scene.exercise.trace
    kinds = (
        ("submit to result", result_waits(trace.submits), style.BLUE),
        ("result to notification", notice_waits(trace), style.AMBER),
    )
    waits = [(name, found, colour) for name, found, colour in kinds if len(found) >= FEWEST]
    if not waits:
        return None
    heading = _conclusion({name: found for name, found, _ in waits})
    figure, (axes,) = style.canvas((style.PANEL_IN[0], 3.2))
    curves = [np.quantile(np.maximum(found / SECOND_US, FASTEST_S), _shares()) for _, found, _ in waits]
    _scale(axes, np.concatenate(curves))
    for (name, found, colour), curve in zip(waits, curves, strict=True):
        axes.plot(curve, _shares(), color=colour, linewidth=1.8, drawstyle="steps-post", label=_named(name, found))
        for share, _, marker in MARKS:
            axes.plot(np.interp(share, _shares(), curve), share, marker, color=colour, markersize=6, clip_on=False)
    _finish(axes)
    note = "Messages: " + ", ".join(f"{number(len(found))} {name}" for name, found, _ in waits) + "."
    return Group(heading, (Drawing("", style.to_svg(figure, heading, "latency"), note),))


def _shares() -> Floats:
    return np.linspace(0.0, 1.0, POINTS + 1)


def _at(found: Ints, share: float) -> str:
    return duration(float(np.quantile(found, share)))


def _named(name: str, found: Ints) -> str:
    return f"{name}: median {_at(found, 0.5)}, 95% within {_at(found, 0.95)}"


def _conclusion(waits: dict[str, Ints]) -> str:
    sentences = []
    if "submit to result" in waits:
        half = _at(waits["submit to result"], 0.5)
        sentences.append(f"half of the submits were answered {'at once' if half == '0 s' else f'within {half}'}")
    if "result to notification" in waits:
        half = _at(waits["result to notification"], 0.5)
        sentences.append(f"half of the notifications came within {half} of the result")
    joined = "; ".join(sentences)
    return joined[0].upper() + joined[1:]


def _scale(axes: Axes, values: Floats) -> None:
    least, most = float(values.min()), float(values.max())
    if most / least < DECADES:
        axes.set_xlim(0, most * 1.05)
        unit, size = ("ms", 1000) if most < 1 else ("s", 1)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * size:g}")
        axes.set_xlabel(f"waiting time ({unit})")
        return
    axes.set_xscale("log")
    axes.set_xlabel("waiting time (s, logarithmic)")
    axes.set_xlim(least / 1.5, most * 1.5)
    axes.xaxis.set_major_locator(LogLocator(10, numticks=9))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _finish(axes: Axes) -> None:
    axes.set_ylabel("share of messages")
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(visible=True, axis="both")
    for share, name, _ in MARKS:
        axes.axhline(share, color=style.SOFT, linewidth=0.9, linestyle=(0, (2, 3)))
        axes.annotate(
            name, (1.0, share), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=9, color=style.SOFT,
        )  # fmt: skip
    style.legend_above(axes, 1)
