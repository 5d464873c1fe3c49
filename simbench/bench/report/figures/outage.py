"""An outage on one time axis: platform, return of the client, connections, backlog."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from simbench.base.text import count
from simbench.bench.report.figures.context import Group, Scene, TimeAxis, time_axis
from simbench.bench.report.measures import Floats, Ints, cumulative, grid_over, ints, sends, settled_first
from simbench.reporting import style
from simbench.reporting.figure import Drawing
from simbench.reporting.format import duration
from simbench.trace.trace import Trace

MOST_TICKS = 400
MOST_LABELS = 4  # outages labelled beside their bar; more labels would overlap
LANES = ("platform", "client's return", "connection attempts")
REFUSED = "A closed listener sees no attempt: connections refused during the outage leave no tick."


class Return(NamedTuple):
    """One outage and the first acceptance after it (-1: none)."""

    start: int
    end: int
    scope: str
    mode: str
    back: int


def draw(scene: Scene) -> Group | None:
    """Draw the timeline of an exercise with an outage; None without one."""
    trace = scene.exercise.trace
    if not trace.outages:
        return None
    returns = _returns(trace)
    begin, end = min(scene.started, returns[0].start), max(trace.span[1], returns[-1].end)
    axis = time_axis(scene.started, end)
    asked, settled = ints(np.array([one.at for one in sends(trace)], dtype=np.int64)), settled_first(trace)
    heading = _conclusion(returns, asked, settled)
    figure, (lanes, sessions, backlog) = style.canvas(style.WIDE_IN, (1.15, 1, 1.25))
    _draw_lanes(lanes, trace, returns, axis, (begin, end))
    grid = grid_over(begin, end)
    _draw_sessions(sessions, trace, axis, grid)
    _draw_backlog(backlog, axis, grid, asked, settled)
    for axes in (lanes, sessions, backlog):
        axes.set_xlim(axis.at(begin), axis.at(end))
        for one in returns:
            axes.axvspan(axis.at(one.start), axis.at(one.end), color=style.RED, alpha=0.09, linewidth=0)
    axis.label(backlog)
    note = REFUSED if any(one.mode in {"cut", "reset", "refuse"} for one in returns) else ""
    return Group(heading, (Drawing("", style.to_svg(figure, heading, "outage"), note),), wide=True)


def _returns(trace: Trace) -> list[Return]:
    submits = trace.submits
    positive = np.sort(ints(submits.where(submits.ack == "A").result_at))
    found = []
    for start, end, scope, mode in trace.outages:
        place = int(np.searchsorted(positive, end))
        found.append(Return(start, end, scope, mode, int(positive[place]) if place < len(positive) else -1))
    return found


def _conclusion(returns: list[Return], asked: Ints, settled: Ints) -> str:
    down = duration(sum(one.end - one.start for one in returns))
    times = "" if len(returns) == 1 else f" in {count(len(returns), 'outage')}"
    backs = [one.back - one.end for one in returns if one.back >= 0]
    if len(backs) < len(returns):
        back = "nothing was accepted after its return"
    else:
        back = f"the first message was accepted {duration(max(backs))} after its return"
        back += " at the latest" if len(backs) > 1 else ""
    left = len(asked) - len(settled)
    settled_all = "every message was settled" if left <= 0 else f"{count(left, 'message')} not settled"
    rest = f"; {settled_all}" if len(asked) else ""
    return f"The platform was down for {down}{times}; {back}{rest}"


def _draw_lanes(axes: Axes, trace: Trace, returns: list[Return], axis: TimeAxis, span: tuple[int, int]) -> None:
    platform, back, attempts = (len(LANES) - 1 - lane for lane in range(len(LANES)))
    begin, end = (axis.at(instant) for instant in span)
    axes.broken_barh([(begin, end - begin)], (platform - 0.32, 0.64), color=style.GREEN, alpha=0.55, label="up")
    for place, one in enumerate(returns):
        left, width = axis.at(one.start), axis.at(one.end) - axis.at(one.start)
        named = "down" if place == 0 else ""
        axes.broken_barh([(left, width)], (platform - 0.32, 0.64), facecolor=style.PAPER)
        axes.broken_barh(
            [(left, width)], (platform - 0.32, 0.64), facecolor="none", edgecolor=style.RED, hatch="////", label=named
        )
        _draw_return(axes, one, axis, back, end)
        if len(returns) <= MOST_LABELS:
            _label_return(axes, one, axis, back, (begin, end))
    _draw_attempts(axes, trace, axis, attempts)
    axes.set_ylim(-0.6, len(LANES) - 0.4)
    axes.set_yticks(range(len(LANES)), LANES[::-1])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    style.legend_above(axes, 5)


def _draw_return(axes: Axes, one: Return, axis: TimeAxis, lane: int, end: float) -> None:
    """Draw a bar from the platform's return to the first acceptance, or to the end if there is none."""
    left, right = axis.at(one.end), axis.at(one.back) if one.back >= 0 else end
    axes.broken_barh([(left, right - left)], (lane - 0.32, 0.64), facecolor=style.AMBER)


def _label_return(axes: Axes, one: Return, axis: TimeAxis, lane: int, span: tuple[float, float]) -> None:
    """Write the length of that bar beside it, on the left if the right would leave the figure."""
    begin, end = span
    label = f"{duration(one.back - one.end)} to the first acceptance" if one.back >= 0 else "nothing accepted"
    left, right = axis.at(one.end), axis.at(one.back) if one.back >= 0 else end
    before = right > begin + 0.7 * (end - begin)
    axes.annotate(
        label,
        (left if before else right, lane),
        xytext=(-5 if before else 5, 0),
        textcoords="offset points",
        ha="right" if before else "left",
        va="center",
        fontsize=9.5,
    )


def _draw_attempts(axes: Axes, trace: Trace, axis: TimeAxis, lane: int) -> None:
    sessions = trace.sessions
    opened = ints(sessions.opened_at)
    entered = np.asarray(sessions.login_ack == "A", dtype=np.bool_)
    for name, mask, colour in (("logged in", entered, style.BLUE), ("did not log in", ~entered, style.RED)):
        places = _thinned(np.array(axis.of(opened[mask])))
        if len(places):
            axes.eventplot(places, lineoffsets=lane, linelengths=0.6, linewidths=1.6, colors=colour, label=name)


def _thinned(places: Floats) -> Floats:
    """Return at most MOST_TICKS ticks; of overlapping ones the first is kept."""
    if len(places) <= MOST_TICKS:
        return places
    _, first = np.unique((places - places[0]) // ((places[-1] - places[0]) / MOST_TICKS), return_index=True)
    return places[first]


def _draw_sessions(axes: Axes, trace: Trace, axis: TimeAxis, grid: Ints) -> None:
    sessions = trace.sessions
    entered = sessions.where(np.asarray(sessions.login_ack == "A", dtype=np.bool_))
    closed = ints(entered.closed_at)
    open_now = cumulative(np.sort(ints(entered.login_at)), grid) - cumulative(np.sort(closed[closed >= 0]), grid)
    axes.step(axis.of(grid), open_now, where="post", color=style.BLUE, linewidth=1.6)
    axes.set_ylabel("open sessions")
    style.whole_numbers(axes, 3)
    axes.set_ylim(0, max(1, int(open_now.max(initial=0))) * 1.25)


def _draw_backlog(axes: Axes, axis: TimeAxis, grid: Ints, asked: Ints, settled: Ints) -> None:
    axes.set_ylabel("messages waiting")
    waiting = cumulative(np.sort(asked), grid) - cumulative(settled, grid)
    if not len(asked):
        axes.text(
            0.5, 0.5, "this ledger does not contain the requests to the client", transform=axes.transAxes, ha="center"
        )
        axes.set_yticks([])
        return
    axes.fill_between(axis.of(grid), waiting, step="post", color=style.PINK, alpha=0.35, linewidth=0)
    axes.step(
        axis.of(grid),
        waiting,
        where="post",
        color=style.PINK,
        linewidth=1.5,
        label="requested, neither accepted nor given up",
    )
    style.whole_numbers(axes, 4)
    axes.set_ylim(0, max(1, int(waiting.max())) * 1.15)
    style.legend_above(axes)
