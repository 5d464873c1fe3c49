"""Figures of a roaming run: envelopes by date, states over time, margin by profile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter

from simbench.reporting import style
from simbench.reporting.figure import Drawing
from simbench.reporting.format import number
from simbench.roaming.envelope import Envelope
from simbench.roaming.results import Row, Summary

STATE_COLOURS = {"alerted": style.AMBER, "surcharged": style.RED, "excused": style.SKY}


def draw_envelopes(rows: Sequence[Envelope], what: str, last: date) -> Drawing:
    """Draw the envelope under each cap as labelled steps, and the cap below."""
    figure, (top, bottom) = style.canvas((style.WIDE_IN[0], 4.6), (1.7, 1))
    edges = [row.day.toordinal() - _EPOCH for row in rows] + [last.toordinal() - _EPOCH]
    sizes, caps = [float(row.gb) for row in rows], [float(row.cap_eur_per_gb) for row in rows]
    top.stairs(sizes, edges, fill=True, color=style.BLUE, alpha=0.35)
    top.stairs(sizes, edges, baseline=None, color=style.BLUE, linewidth=1.6)
    bottom.stairs(caps, edges, baseline=None, color=style.AMBER, linewidth=1.8)
    for axes, values in ((top, sizes), (bottom, caps)):
        axes.set_ylim(0, max(values, default=1) * 1.25 or 1)
        for start, end, value, before in zip(edges, edges[1:], values, [None, *values], strict=False):
            if value == before:
                continue
            middle = start + min(end - start, 366) / 2
            text = f"{value:.1f}" if axes is top else f"{value:.2f}"
            axes.annotate(text, (middle, value), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=9)
    top.set_ylabel("envelope (GB)")
    bottom.set_ylabel("cap (€ a GB)")
    _date_axis(bottom)
    bottom.set_xlim(edges[0], edges[-1])
    figure.align_ylabels()
    early, late = (f"{number(float(row.gb), 1)} GB" for row in (rows[0], rows[-1]))
    heading = f"{what}: {early} in {rows[0].day.year}, {late} from {rows[-1].day.year} on"
    if early == late:
        heading = f"{what}: {early} under every cap"
    return Drawing(heading, style.to_svg(figure, heading, "envelopes"))


_EPOCH = date(1970, 1, 1).toordinal()  # matplotlib counts days from there


def draw_states(summary: Summary) -> Drawing:
    """Draw the subscribers outside the normal state, stacked by state, for each day."""
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 3.8))
    first = date.fromisoformat(summary.starts)
    days = [(first + timedelta(days=day)).toordinal() - _EPOCH for day in range(summary.days)]
    shares = {state: [100 * count / summary.subscribers for count in summary.states[state]] for state in STATE_COLOURS}
    axes.stackplot(days, *shares.values(), labels=list(shares), colors=list(STATE_COLOURS.values()), alpha=0.8)
    highest = max((sum(each) for each in zip(*shares.values(), strict=True)), default=0)
    axes.set_ylim(0, highest * 1.15 or 1)
    axes.set_xlim(days[0], days[-1] if len(days) > 1 else days[0] + 1)
    axes.set_ylabel("% of subscribers")
    _date_axis(axes)
    style.legend_above(axes)
    normal = min(summary.states["normal"]) / summary.subscribers
    heading = f"At least {normal:.1%} of subscribers are in the normal state on any day"
    note = (
        "No subscriber can leave the normal state before the first observation window has passed."
        if highest
        else "No subscriber left the normal state."
    )
    return Drawing(heading, style.to_svg(figure, heading, "states"), note)


def draw_margins(summary: Summary) -> Drawing:
    """Draw income, cost and margin per subscriber of each profile."""
    rows = sorted(summary.rows[:-1], key=_margin)
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 1.3 + 0.55 * len(rows)))
    places = list(range(len(rows)))
    left = [0.0] * len(rows)
    for label, colour, name in (
        ("plan", style.BLUE, "plan_eur"),
        ("overage", style.AMBER, "overage_eur"),
        ("surcharge", style.RED, "surcharge_eur"),
    ):
        widths = [getattr(row, name) / row.subscribers for row in rows]
        axes.barh(places, widths, left=left, height=0.55, color=colour, alpha=0.8, label=label)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.barh(
        places, [-_each(row, row.wholesale_eur) for row in rows], height=0.55, color=style.SOFT, label="wholesale"
    )
    axes.scatter([_margin(row) for row in rows], places, color=style.INK, marker="D", s=28, zorder=3, label="margin")
    axes.set_yticks(places, [f"{style.label(row.profile)} ({number(row.subscribers)})" for row in rows])
    axes.axvline(0, color=style.SOFT, linewidth=1)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.set_xlabel(f"euros a subscriber, before VAT, over {summary.days} days")
    style.legend_above(axes, 5)
    heading = _margins_heading(rows)
    return Drawing(
        heading, style.to_svg(figure, heading, "margins"), "Costs of the home operator's own network are not included."
    )


def _margins_heading(rows: Sequence[Row]) -> str:
    worst = rows[0]
    name = style.label(worst.profile)
    if _margin(worst) < 0:
        return f"A {name} subscriber costs the home operator {number(-_margin(worst), 0)} euros more than they pay"
    least = number(_margin(worst), 0)
    return f"Every profile is profitable; the smallest margin is that of {name}, {least} euros a subscriber"


def _margin(row: Row) -> float:
    return _each(row, row.margin_eur)


def _each(row: Row, euros: float) -> float:
    return euros / row.subscribers


def _date_axis(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=5, maxticks=14)  # type: ignore[no-untyped-call]  # matplotlib's own
    axes.xaxis_date()
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]  # as above
    axes.xaxis.set_major_formatter(formatter)
