"""Pictures of a plan: cost against probability, backlog and completion, tornado of sensitivities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from simbench.report import style
from simbench.report.figure import Drawing
from simbench.report.format import number

Row = Mapping[str, Any]


def draw_frontier(candidates: Sequence[Row], target: float) -> Drawing:
    """Every candidate by cost and probability, and the frontier of those nothing cheaper surpasses."""
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 4.4))
    points = sorted((float(one["euros"]), 100 * promised_share(one)) for one in candidates)
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
    chosen = float(candidates[0]["euros"]), 100 * promised_share(candidates[0])
    axes.scatter([chosen[0]], [chosen[1]], color=style.ORANGE, s=90, marker="D", zorder=4, label="chosen")
    axes.axhline(100 * target, color=style.RED, linestyle="--", linewidth=1.2, label=f"promised, {target:.1%}")
    room = max(2.0, (100 - lowest) * 0.1)
    axes.set_ylim(max(-3.0, min(lowest, 100 * target) - room), 100 + room / 2)
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0 if lowest < 90 else 1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.set_xlabel("euros before VAT for codes and tiers over the period")
    axes.set_ylabel("in time, least sure demand")
    style.legend_above(axes, 4)
    heading = f"{number(chosen[0])} euros keep {chosen[1]:.2f} % in time; {target:.2%} are asked for"
    return Drawing(heading, style.to_svg(figure, heading), "Messages cost the same whatever the mix and are left out.")


def draw_curve(curve: Row) -> Drawing:
    """What of a sending still waits, with its band, and how many sendings are complete, by hours from the start."""
    figure, (top, bottom) = style.canvas((style.WIDE_IN[0], 4.8), (1.3, 1))
    hours = curve["hours"]
    low, middle, high = ([100 * value for value in curve[name]] for name in ("low", "middle", "high"))
    top.fill_between(hours, low, high, color=style.BLUE, alpha=0.25, linewidth=0, label="9 of 10 occasions")
    top.plot(hours, middle, color=style.BLUE, linewidth=1.8, label="half of them")
    worst = [100 * value for value in curve["worst"]]
    top.plot(hours, worst, color=style.SOFT, linewidth=1.2, linestyle=":", label="the worst of each hour")
    bottom.plot(hours, [100 * value for value in curve["in_time"]], color=style.GREEN, linewidth=1.8)
    for axes in (top, bottom):
        axes.axvline(curve["deadline_h"], color=style.RED, linestyle="--", linewidth=1.2, label="deadline")
        axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
        axes.set_ylim(0, 105)
    top.set_ylim(0, max(105, 1.05 * max(worst)))
    top.set_ylabel("waits")
    bottom.set_ylabel("sendings complete")
    bottom.set_xlabel("hours since a sending began")
    bottom.set_xlim(0, hours[-1])
    figure.align_ylabels()
    style.legend_above(top, 4)
    kept = max((v for h, v in zip(hours, curve["in_time"], strict=True) if h <= curve["deadline_h"]), default=0.0)
    heading = f"{style.label(curve['demand'])}: {kept:.1%} complete {curve['deadline_h']:g} h after their start"
    return Drawing(heading, style.to_svg(figure, heading), "Share of the planned volume; sendings that overlap add up.")


def draw_tornado(rows: Sequence[Row], base: float, euros: float) -> Drawing:
    """How far each assumption moves the chosen mix's probability, and what the promise costs then; the widest above."""
    ordered = sorted(rows, key=lambda row: abs(row["at_high"] - row["at_low"]))
    figure, (left, right) = style.beside((style.WIDE_IN[0], 1.6 + 0.75 * len(ordered)), 2)
    said = [[(row[side], row[f"at_{side}"]) for side in ("low", "high")] for row in ordered]
    _bars(left, [[(name, 100 * value, f"{value:.1%}") for name, value in each] for each in said], 100 * base, 100)
    costs = [[(row[side], row[f"euros_at_{side}"]) for side in ("low", "high")] for row in ordered]
    told = [[(name, _euros(value), _said(value)) for name, value in each] for each in costs]
    _bars(right, told, euros)
    left.set_yticks(list(range(len(ordered))), [style.label(row["assumption"]) for row in ordered])
    left.set_ylim(-0.6, len(ordered) - 0.4)
    left.set_xlabel("in time with the chosen mix, least sure demand (%)")
    right.tick_params(left=False)
    right.spines["left"].set_visible(False)
    right.set_xlabel("euros of the cheapest mix that keeps the promise then")
    right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    widest = ordered[-1]
    heading = f"The promise hangs most on {widest['assumption']}: {widest['at_low']:.1%} to {widest['at_high']:.1%}"
    return Drawing(
        heading, style.to_svg(figure, heading),
        "Left the chosen mix, right whatever mix would be chosen. The upright line is the plan as it stands.",
    )  # fmt: skip


def promised_share(candidate: Row) -> float:
    """The share a candidate's promise is about."""
    score = candidate["score"]
    shares = [score["whole"]] if score["by_period"] else list(score["kept"].values())
    return float(min(shares, key=lambda one: (one["low"], one["share"]))["share"])


def _bars(
    axes: Axes, rows: Sequence[Sequence[tuple[str, float | None, str]]], base: float, most: float | None = None
) -> None:
    """A bar from `base` to each value, the low one above the high one; without a value only what is said."""
    ends = [base, *(value for row in rows for _, value, _ in row if value is not None)]
    room = max(0.35 * (max(ends) - min(ends)), 0.01 * abs(base), 0.5)
    for place, row in enumerate(rows):
        for (name, value, told), up, colour in zip(row, (0.2, -0.2), (style.SKY, style.ORANGE), strict=True):
            end = base if value is None else value
            axes.barh(place + up, end - base, left=base, height=0.36, color=colour)
            before = end < base
            axes.annotate(
                f"{name}: {told}", (end, place + up), ha="right" if before else "left", va="center", fontsize=9,
                xytext=(-5 if before else 5, 0), textcoords="offset points",
            )  # fmt: skip
    axes.axvline(base, color=style.INK, linewidth=1)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlim(min(ends) - room, max(ends) + room)
    if most is not None:  # no share is more than all
        axes.set_xlim(max(-0.4 * most, min(ends) - room), max(ends) + room)
        axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick <= most])


def _euros(value: str | float | None) -> float | None:
    return None if value is None else float(value)


def _said(value: str | float | None) -> str:
    return "no mix keeps it" if value is None else number(float(value))
