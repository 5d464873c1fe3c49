"""The course of an endurance run: memory, backlog and rate on one time axis."""

from __future__ import annotations

import numpy as np

from simbench.base.units import SECOND_US
from simbench.bench.report.figures.context import Group, Scene, time_axis
from simbench.reporting import style
from simbench.reporting.figure import Drawing
from simbench.rules.client.endurance import samples

FEWEST = 10
POINTS = 60  # points of the rate; each is a mean over its interval
NOTE = "Shaded: no client could connect."


def draw(scene: Scene) -> Group | None:
    """Draw the course of an endurance run; None for any other exercise."""
    trace = scene.exercise.trace
    view = samples(trace)
    if len(view) < FEWEST:
        return None
    axis = time_axis(scene.started, int(view.at[-1]))
    at = axis.of(view.at)
    memory = view.rss_kib / 1024
    heading = (
        f"Memory from {memory[len(memory) // 10]:.0f} to {memory[-1]:.0f} MiB, backlog at most {view.backlog.max()}"
    )
    figure, panels = style.canvas(style.WIDE_IN, (1, 1, 1))
    step = max(1, len(view) // POINTS)
    places = np.arange(0, len(view), step)
    rates = np.diff(view.accepted[places]) * SECOND_US / np.maximum(1, np.diff(view.at[places]))
    panels[0].plot(at, memory, color=style.BLUE, linewidth=1.6)
    panels[0].set_ylabel("memory (MiB)")
    panels[1].plot(at, view.backlog, color=style.AMBER, linewidth=1.4)
    panels[1].set_ylabel("backlog")
    panels[2].step(axis.of(view.at[places])[1:], rates, color=style.GREEN, linewidth=1.4)
    panels[2].set_ylabel("answered a second")
    for panel in panels:
        panel.set_ylim(bottom=0)
        for start, end, *_ in trace.outages:
            panel.axvspan(axis.at(start), axis.at(end), color=style.RED, alpha=0.09, linewidth=0)
    axis.label(panels[-1])
    figure.align_ylabels()
    return Group(
        heading, (Drawing("", style.to_svg(figure, heading, "endurance"), NOTE if trace.outages else ""),), wide=True
    )
