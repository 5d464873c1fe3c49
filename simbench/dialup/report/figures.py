"""Figures of dial-up loads: minutes by hour, load, ports and blocking, durations, revenue."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from simbench.dialup.erlang import GRADES
from simbench.dialup.minutes import LENGTH_EDGES_S
from simbench.dialup.report.model import DialupReport
from simbench.reporting import style
from simbench.reporting.format import number

MILLION = 1_000_000
LEAST = 1e-5  # blocking below this is not drawn
Ports = Sequence[tuple[int, float, Decimal, Decimal]]
"""Rows (ports, blocking in the busy hour, share, share of one more port)."""


class Picture(NamedTuple):
    """A figure with its heading and a note for its reader."""

    heading: str
    svg: str
    note: str = ""
    wide: bool = False


def draw_dialup(report: DialupReport, ports: Ports) -> list[Picture]:
    """Draw every figure for which the report has data."""
    with style.look():
        drawn = [_by_hour(report), _lengths(report), *([_ports(report, ports)] if ports else []), _revenue(report)]
        return [*drawn, _load(report)]


def _by_hour(report: DialupReport) -> Picture:
    """Minutes of an average day by hour, peak and off-peak."""
    inside = report.grid.inside
    hour, peak = report.grid.civil_hour[inside], report.grid.peak[inside]
    days = len(report.erlangs) / 24
    bars = [np.bincount(hour[at], report.erlangs[at] * 60, minlength=24) / days for at in (peak, ~peak)]
    whole = bars[0] + bars[1]
    most = int(whole.argmax())
    share = whole[most] / whole.sum() if whole.sum() else 0.0
    heading = f"The busiest hour is {most}:00 to {most + 1}:00, with {share:.1%} of an average day's minutes"
    scale, unit = (1000, "thousand ") if whole.max() >= 10_000 else (1, "")
    figure, (axes,) = style.canvas((style.PANEL_IN[0], 3.2))
    parts = ((bars[1], 0 * whole, style.BLUE, "off-peak"), (bars[0], bars[1], style.AMBER, "peak"))
    for bar, below, colour, name in parts:
        axes.bar(range(24), bar / scale, bottom=below / scale, width=0.86, align="edge", color=colour, label=name)
    edge = report.offer.terms.hours.peak_to_h.value
    axes.axvline(edge, color=style.INK, linestyle=(0, (5, 3)), linewidth=1)
    axes.set_xticks(range(0, 25, 3))
    axes.set_xlim(0, 24)
    axes.set_xlabel("hour of the day")
    axes.set_ylabel(f"{unit}minutes an hour")
    axes.set_ylim(0, max(whole.max() / scale, 1e-9) * 1.08)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    style.legend_above(axes)
    note = f"Mean of {days:,.0f} days, weekends included; the dashed line is the end of the peak tariff at {edge}:00."
    return Picture(heading, style.to_svg(figure, heading, "by-hour"), note)


def _load(report: DialupReport) -> Picture:
    """Erlangs carried by day and hour, and calls lost, over the months."""
    days = np.arange(len(report.erlangs)) / 24
    most = float(report.erlangs.max()) if len(report.erlangs) else 0.0
    lost = int(report.lost_calls.sum())
    ports = f", on {report.ports:,} ports; {lost:,} calls lost" if report.ports else ""
    heading = f"The highest carried traffic in an hour was {most:,.0f} erlangs{ports}"
    with_losses = bool(report.offered_calls.sum())
    figure, panels = style.canvas((style.WIDE_IN[0], 4.4 if with_losses else 3.0), (2, 1) if with_losses else (1,))
    bins = 24 if len(days) > 1440 else 1  # beyond two months, the busiest hour of each day
    edges, largest = _largest(days, report.erlangs, bins)
    panels[0].stairs(largest, edges, fill=True, color=style.BLUE, alpha=0.55)
    if report.ports:
        panels[0].axhline(report.ports, color=style.INK, linestyle=(0, (5, 3)), linewidth=1.2, label="ports")
        style.legend_above(panels[0])
    panels[0].set_ylabel("erlangs carried")
    style.whole_numbers(panels[0])
    panels[0].set_ylim(0, max(most, report.ports) * 1.08 or 1)
    if with_losses:
        offered = np.maximum(report.offered_calls, 1)
        _, worst = _largest(days, report.lost_calls / offered, bins)
        panels[1].stairs(worst, edges, fill=True, color=style.RED)
        panels[1].set_ylabel("calls lost")
        panels[1].yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        panels[1].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        panels[1].set_ylim(0, max(float(worst.max()), 0.01) * 1.1)
    panels[-1].set_xlim(0, len(days) / 24)
    panels[-1].set_xlabel(f"days since the beginning of {report.months[0].month}")
    note = "Each step is one day: its busiest hour above, its worst hour below." if bins > 1 else ""
    return Picture(heading, style.to_svg(figure, heading, "load"), note, wide=True)


def _largest(days: np.ndarray, values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    starts = np.arange(0, len(values), bins)
    return np.append(days[starts], days[-1] + 1 / 24), np.maximum.reduceat(values, starts)


def _ports(report: DialupReport, ports: Ports) -> Picture:
    """Draw blocking of the busy hour against ports, and the revenue of one more port."""
    sizes = [row[0] for row in ports]
    blocking = [row[1] if row[1] >= LEAST else np.nan for row in ports]
    gains = [float(row[3]) for row in ports]
    place = int(np.searchsorted(sizes, report.ports))
    gain = gains[min(place, len(gains) - 1)]
    heading = f"In {report.busiest_month} one port more than {report.ports:,} would earn {gain:,.0f} FF"
    figure, (upper, lower) = style.canvas((style.PANEL_IN[0], 4.2), (3, 2))
    upper.semilogy(sizes, blocking, color=style.BLUE, linewidth=1.8, label="Erlang B, busy hour")
    for grade, colour in zip(GRADES, (style.GREEN, style.AMBER, style.RED), strict=True):
        upper.axhline(grade, color=colour, linewidth=1, linestyle=(0, (2, 2)), label=f"P{grade:.2f}".replace("0.", "."))
    upper.set_ylabel("calls blocked")
    upper.yaxis.set_major_locator(LogLocator(numticks=6))
    upper.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(value * 100)}%"))
    upper.yaxis.set_minor_formatter(NullFormatter())
    lower.plot(sizes, gains, color=style.PINK, linewidth=1.8)
    lower.set_ylabel("FF a month from\none more port")
    lower.set_ylim(0, max(gains) * 1.1 or 1)
    for axes in (upper, lower):
        if sizes[0] <= report.ports <= sizes[-1]:
            axes.axvline(report.ports, color=style.INK, linewidth=1, linestyle=(0, (5, 3)))
    lower.set_xlim(sizes[0], sizes[-1])
    lower.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    lower.set_xlabel("ports, all pools as one")
    style.legend_above(upper, 4)
    note = "Each hour is treated as a system in equilibrium without redials. Dashed: the installed number of ports."
    return Picture(heading, style.to_svg(figure, heading, "ports"), note)


def _lengths(report: DialupReport) -> Picture:
    """Sessions carried, by length."""
    counts = np.array(report.lengths, dtype=float)
    total = counts.sum() or 1.0
    below = np.cumsum(counts) / total
    median = float(LENGTH_EDGES_S[min(int(np.searchsorted(below, 0.5)), len(counts) - 1)]) / 60
    long = float(counts[LENGTH_EDGES_S >= 3600].sum() / total)
    heading = f"Half of the sessions last {number(median, 0)} min or longer, {long:.1%} an hour or longer"
    figure, (axes,) = style.canvas((style.PANEL_IN[0], 3.2))
    edges = np.append(LENGTH_EDGES_S, LENGTH_EDGES_S[-1] * LENGTH_EDGES_S[-1] / LENGTH_EDGES_S[-2]) / 60
    # Narrow classes of whole seconds hold few values: a share per doubling of length is comparable between them.
    density = counts / total / np.log2(edges[1:] / edges[:-1])
    axes.stairs(density, edges, fill=True, color=style.GREEN, alpha=0.6)
    axes.set_xscale("log")
    axes.set_xlim(0.1, 24 * 60)
    axes.set_xticks([0.1, 1, 5, 20, 60, 240, 720])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(LogLocator(numticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel("share for each doubling")
    axes.set_xlabel("length of a session in minutes")
    note = f"{int(counts.sum()):,} sessions; calls of 12 h or longer are in the last class."
    return Picture(heading, style.to_svg(figure, heading, "lengths"), note)


def _revenue(report: DialupReport) -> Picture:
    """The tariff functions, both published points, and the months of the run."""
    offer, points = report.offer, report.offer.terms.points
    most = max(points.second_minutes.value * 1.2, *(owed.minutes * 1.1 for owed in report.settled))
    grid = np.linspace(0, most, 241).astype(np.int64)
    figure, (axes,) = style.canvas((style.PANEL_IN[0], 4.2))
    colours = dict(zip(sorted(offer.functions), (style.BLUE, style.AMBER, style.GREEN, style.PINK), strict=False))
    for name, colour in colours.items():
        shares = [float(offer.share_ff(int(minutes), name)) / MILLION for minutes in grid]
        own = name == report.tariff
        axes.plot(
            grid / MILLION, shares, color=colour, linewidth=2.4 if own else 1.1, alpha=1 if own else 0.7, label=name
        )
    at = [points.first_minutes.value / MILLION, points.second_minutes.value / MILLION]
    published = [points.first_share_ff.value / MILLION, points.second_share_over_ff.value / MILLION]
    axes.plot(at[:1], published[:1], "o", color=style.INK, markersize=8, zorder=5, label="published")
    axes.plot(at[1:], published[1:], "^", color=style.INK, markersize=9, zorder=5, label="published: more than")
    months = [owed.minutes / MILLION for owed in report.settled]
    axes.plot(months, [float(owed.share_ff) / MILLION for owed in report.settled], "D", color=style.RED, markersize=5,
              zorder=6, label="months settled")  # fmt: skip
    _labelled(axes)
    share = number(float(sum(owed.share_ff for owed in report.settled)), 0)
    minutes = number(sum(owed.minutes for owed in report.settled), 0)
    heading = f"{report.tariff} gives {share} FF for {minutes} minutes"
    note = (
        f"Published: {at[0]:g} million minutes earn {published[0] * MILLION:,.0f} FF, {at[1]:g} million more than "
        f"{published[1]:g} million FF. The thick line is the function in force."
    )
    return Picture(heading, style.to_svg(figure, heading, "revenue"), note)


def _labelled(axes: Axes) -> None:
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("million minutes a month")
    axes.set_ylabel("million FF before VAT")
    style.legend_above(axes, 4)
