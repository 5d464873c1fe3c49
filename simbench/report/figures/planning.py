"""Pictures of a plan: cost against probability, backlog and completion, tornado of sensitivities. Judges nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import FuncFormatter, PercentFormatter

from simbench.report.figures import style
from simbench.report.figures.scene import Drawing
from simbench.report.words import number

Row = Mapping[str, Any]


def draw_frontier(candidates: Sequence[Row], target: float) -> Drawing:
    """Every candidate by cost and probability, and the frontier of those nothing cheaper surpasses."""
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 4.4))
    points = sorted((float(one["euros"]), 100 * min(one["kept"].values())) for one in candidates)
    frontier: list[tuple[float, float]] = []
    for euros, kept in points:
        if not frontier or kept > frontier[-1][1]:
            frontier.append((euros, kept))
    lowest = min(kept for _, kept in points)
    xs, ys = ([pair[side] for pair in frontier] for side in (0, 1))
    axes.step(xs, ys, where="post", color=style.BLUE, linewidth=1.6, label="frontier")
    axes.scatter(
        [each[0] for each in points], [each[1] for each in points], color=style.SOFT, s=30, zorder=3, label="candidates"
    )
    chosen = float(candidates[0]["euros"]), 100 * min(candidates[0]["kept"].values())
    axes.scatter([chosen[0]], [chosen[1]], color=style.ORANGE, s=90, marker="D", zorder=4, label="chosen")
    axes.axhline(100 * target, color=style.RED, linestyle="--", linewidth=1.2, label=f"promised, {target:.1%}")
    room = max(2.0, (100 - lowest) * 0.1)
    axes.set_ylim(max(-3.0, min(lowest, 100 * target) - room), 100 + room / 2)
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0 if lowest < 90 else 1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.set_xlabel("euros before VAT for codes and tiers over the period")
    axes.set_ylabel("in time, least sure demand")
    style.legend_above(axes, 4)
    heading = f"{number(chosen[0])} euros keep {chosen[1]:.1f} % in time; the promise is {target:.1%}"
    return Drawing(heading, style.to_svg(figure, heading), "Messages cost the same whatever the mix and are left out.")


def draw_curve(curve: Row) -> Drawing:
    """What of a sending still waits, with its band, and how many sendings are complete, by hours from the start."""
    figure, (top, bottom) = style.canvas((style.WIDE_IN[0], 4.8), (1.3, 1))
    hours = curve["hours"]
    low, middle, high = ([100 * value for value in curve[name]] for name in ("low", "middle", "high"))
    top.fill_between(hours, low, high, color=style.BLUE, alpha=0.25, linewidth=0, label="9 of 10 occasions")
    top.plot(hours, middle, color=style.BLUE, linewidth=1.8, label="half of them")
    bottom.plot(hours, [100 * value for value in curve["in_time"]], color=style.GREEN, linewidth=1.8)
    for axes in (top, bottom):
        axes.axvline(curve["deadline_h"], color=style.RED, linestyle="--", linewidth=1.2, label="deadline")
        axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
        axes.set_ylim(0, 105)
    top.set_ylabel("waits")
    bottom.set_ylabel("sendings complete")
    bottom.set_xlabel("hours since a sending began")
    bottom.set_xlim(0, hours[-1])
    figure.align_ylabels()
    style.legend_above(top)
    kept = max((v for h, v in zip(hours, curve["in_time"], strict=True) if h <= curve["deadline_h"]), default=0.0)
    heading = f"{style.label(curve['demand'])}: {kept:.1%} complete {curve['deadline_h']:g} h after their start"
    return Drawing(heading, style.to_svg(figure, heading), "Share of the planned volume; sendings that overlap add up.")


def draw_tornado(rows: Sequence[Row], base: float) -> Drawing:
    """How far each assumption moves the probability, the widest above."""
    ordered = sorted(rows, key=lambda row: abs(row["at_high"] - row["at_low"]))
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 1.4 + 0.6 * len(ordered)))
    for place, row in enumerate(ordered):
        for name, side, colour in (("low", row["at_low"], style.SKY), ("high", row["at_high"], style.ORANGE)):
            axes.barh(place, 100 * (side - base), left=100 * base, height=0.55, color=colour, alpha=0.85)
            axes.annotate(
                f"{row[name]}: {side:.1%}", (100 * side, place), ha="right" if side < base else "left", va="center",
                xytext=(-5 if side < base else 5, 8 if name == "low" else -8), textcoords="offset points", fontsize=9,
            )  # fmt: skip
    axes.axvline(100 * base, color=style.INK, linewidth=1)
    axes.set_yticks(list(range(len(ordered))), [style.label(row["assumption"]) for row in ordered])
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    ends = [100 * base, *(100 * row[side] for row in ordered for side in ("at_low", "at_high"))]
    room = max(1.0, 0.25 * (max(ends) - min(ends)))
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.set_xlabel("in time with the chosen mix, least sure demand (%)")
    widest = ordered[-1]
    heading = f"The promise hangs most on {widest['assumption']}: {widest['at_low']:.1%} to {widest['at_high']:.1%}"
    return Drawing(heading, style.to_svg(figure, heading))
