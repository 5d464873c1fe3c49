"""Figures of a plan: cost against probability, the course of each demand, sensitivities, costs of other promises."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simbench.planning.candidates import Candidate
from simbench.planning.curves import STEPS, Curve, Waits
from simbench.planning.sensitivity import Sensitivity
from simbench.planning.tradeoffs import Axis, Tradeoff
from simbench.planning.wording import assumption, percent, promised, scale
from simbench.reporting import style
from simbench.reporting.figure import Drawing
from simbench.reporting.translations import Translations

Bar = tuple[str, float | None, str]
AXES: tuple[Axis, ...] = ("deadline", "volume", "probability")


def draw_frontier(t: Translations, candidates: Sequence[Candidate], target: float) -> Drawing:
    """Draw every candidate by cost and probability, and the frontier of those that no cheaper one surpasses."""
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 4.4))
    points = sorted((float(one.euros), 100 * one.probability) for one in candidates)
    frontier: list[tuple[float, float]] = []
    for euros, kept in points:
        if not frontier or kept > frontier[-1][1]:
            frontier.append((euros, kept))
    lowest = min(kept for _, kept in points)
    xs, ys = ([pair[side] for pair in frontier] for side in (0, 1))
    axes.step(xs, ys, where="post", color=style.BLUE, linewidth=1.6, label=t("figure.line"))
    axes.scatter(
        [each[0] for each in points], [each[1] for each in points], color=style.SOFT, s=30, zorder=3,
        label=t("figure.mixes"),
    )  # fmt: skip
    chosen = candidates[0]
    axes.scatter(
        [float(chosen.euros)], [100 * chosen.probability], color=style.AMBER, s=90, marker="D", zorder=4,
        label=t("figure.chosen"),
    )  # fmt: skip
    line = t("figure.promised", asked=promised(t, target))
    axes.axhline(100 * target, color=style.RED, linestyle="--", linewidth=1.2, label=line)
    room = max(2.0, (100 - lowest) * 0.1)
    axes.set_ylim(max(-3.0, min(lowest, 100 * target) - room), 100 + room / 2)
    _percents(t, axes, 0 if lowest < 90 else 1)
    _numbers(t, axes, "x")
    axes.set_xlabel(t("figure.frontier-x"))
    axes.set_ylabel(t("figure.frontier-y"))
    style.legend_above(axes, 4)
    heading = t(
        "figure.frontier", euros=t.money(chosen.euros), share=percent(t, chosen.probability), asked=promised(t, target)
    )
    return Drawing(heading, style.to_svg(figure, heading, "frontier"), t("figure.frontier-note"))


def draw_curve(t: Translations, curve: Curve) -> Drawing:
    """Draw a sending's waiting share, with its band, and the number of complete sendings, by hours from the start."""
    figure, (top, bottom) = style.canvas((style.WIDE_IN[0], 4.8), (1.3, 1))
    hours = curve.hours
    low, middle, high, worst = ([100 * v for v in each] for each in (curve.low, curve.middle, curve.high, curve.worst))
    top.fill_between(hours, low, high, color=style.BLUE, alpha=0.25, linewidth=0, label=t("figure.nine"))
    top.plot(hours, middle, color=style.BLUE, linewidth=1.8, label=t("figure.half"))
    top.plot(hours, worst, color=style.SOFT, linewidth=1.2, linestyle=":", label=t("figure.worst"))
    bottom.plot(hours, [100 * value for value in curve.in_time], color=style.GREEN, linewidth=1.8)
    for axes in (top, bottom):
        axes.axvline(curve.deadline_h, color=style.RED, linestyle="--", linewidth=1.2, label=t("figure.deadline"))
        axes.set_ylim(0, 105)
        axes.set_yticks([0, 25, 50, 75, 100])
        _percents(t, axes, 0)
    if max(worst) > 105:  # another occasion overlaps
        top.set_ylim(0, 1.05 * max(worst))
    top.set_ylabel(t("figure.waits"))
    bottom.set_ylabel(t("figure.complete"))
    bottom.set_xlabel(t("figure.hours"))
    bottom.set_xlim(0, hours[-1])
    figure.align_ylabels()
    style.legend_above(top, 4)
    heading = t(
        "figure.curve", demand=style.label(curve.demand), share=percent(t, curve.in_time[STEPS]),
        deadline=t.number(curve.deadline_h, 2),
    )  # fmt: skip
    return Drawing(heading, style.to_svg(figure, heading, "curve"), t("figure.curve-note"))


def draw_waits(t: Translations, one: Waits) -> Drawing:
    """Draw the share of days on which no message of a flow waited longer than so many minutes."""
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 3.2))
    axes.plot(one.minutes, [100 * value for value in one.in_time], color=style.GREEN, linewidth=1.8)
    axes.axvline(one.within_min, color=style.RED, linestyle="--", linewidth=1.2, label=t("figure.deadline"))
    lowest = 100 * min(one.in_time)
    axes.set_ylim(max(0.0, lowest - 0.1 * (100 - lowest) - 0.5), 100)
    _percents(t, axes, 0 if lowest < 95 else 1)
    axes.set_xlim(0, one.minutes[-1])
    axes.set_xlabel(t("figure.flow-x"))
    axes.set_ylabel(t("figure.flow-y"))
    style.legend_above(axes, 1)
    heading = t(
        "figure.flow", demand=style.label(one.demand), share=percent(t, one.in_time[STEPS]),
        within=t.number(one.within_min, 2),
    )  # fmt: skip
    return Drawing(heading, style.to_svg(figure, heading, "waits"))


def draw_tornado(t: Translations, rows: Sequence[Sensitivity], base: float, euros: Decimal) -> Drawing:
    """Draw the effect of each assumption on the chosen code plan's probability and on the cost, the largest on top."""
    ordered = sorted(rows, key=lambda row: abs(row.at_high - row.at_low))
    figure, (left, right) = style.beside((style.WIDE_IN[0], 1.6 + 0.75 * len(ordered)), 2)
    shares = [
        [(scale(t, side), 100 * at, percent(t, at, 1)) for side, at in ((row.low, row.at_low), (row.high, row.at_high))]
        for row in ordered
    ]
    costs = [
        [_price(t, scale(t, side), at) for side, at in ((row.low, row.euros_at_low), (row.high, row.euros_at_high))]
        for row in ordered
    ]
    _bars(left, shares, 100 * base, 100)
    _bars(right, costs, float(euros))
    left.set_yticks(list(range(len(ordered))), [style.label(assumption(t, row.assumption)) for row in ordered])
    left.set_ylim(-0.6, len(ordered) - 0.4)
    left.set_xlabel(t("figure.tornado-left"))
    right.tick_params(left=False)
    right.spines["left"].set_visible(False)
    right.set_xlabel(t("figure.tornado-right"))
    _numbers(t, right, "x")
    widest = ordered[-1]
    heading = t(
        "figure.tornado", assumption=assumption(t, widest.assumption), low=percent(t, widest.at_low, 1),
        high=percent(t, widest.at_high, 1),
    )  # fmt: skip
    return Drawing(heading, style.to_svg(figure, heading, "sensitivities"), t("figure.tornado-note"))


def _price(t: Translations, name: str, euros: Decimal | None) -> Bar:
    if euros is None:
        return name, None, t("figure.no-mix")
    return name, float(euros), t.number(float(euros))


def draw_tradeoffs(t: Translations, points: Sequence[Tradeoff]) -> Drawing:
    """Draw the cost of the cheapest code plan by deadline, volume and probability."""
    figure, panels = style.beside((style.WIDE_IN[0], 3.4), len(AXES))
    for axes, name in zip(panels, AXES, strict=True):
        mine = sorted((one.at, one.euros, one.asked) for one in points if one.axis == name and one.euros is not None)
        by = 100 if name == "probability" else 1
        places = range(len(mine)) if name == "probability" else [at for at, _, _ in mine]
        axes.plot(places, [float(euros) for _, euros, _ in mine], color=style.BLUE, marker="o", markersize=4)
        for place, (_, euros, asked) in zip(places, mine, strict=True):
            if asked:
                axes.scatter([place], [float(euros)], color=style.AMBER, s=80, marker="D", zorder=4)
        if name == "probability":  # probabilities are too close to each other for a scale
            axes.set_xticks(list(places), [t.number(by * at, 2) for at, _, _ in mine])
        else:
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: t.number(value, 2)))
        axes.set_xlabel(t(f"figure.{name}-x"))
    panels[0].set_ylabel(t("figure.euros-y"))
    panels[0].set_ylim(bottom=0)
    _numbers(t, panels[0], "y")
    heading = t("figure.tradeoffs")
    return Drawing(heading, style.to_svg(figure, heading, "tradeoffs"), t("figure.tradeoffs-note"))


def _percents(t: Translations, axes: Axes, digits: int) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{t.number(value, digits)}\u00a0%"))


def _numbers(t: Translations, axes: Axes, side: str) -> None:
    axis = axes.yaxis if side == "y" else axes.xaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: t.number(value)))


def _bars(axes: Axes, rows: Sequence[Sequence[Bar]], base: float, most: float | None = None) -> None:
    """Draw a bar from `base` to each value, the low one above the high one; without a value only its text."""
    ends = [base, *(value for row in rows for _, value, _ in row if value is not None)]
    room = max(0.35 * (max(ends) - min(ends)), 0.01 * abs(base), 0.5)
    for place, row in enumerate(rows):
        for (name, value, shown), up, colour in zip(row, (0.2, -0.2), (style.SKY, style.AMBER), strict=True):
            end = base if value is None else value
            axes.barh(place + up, end - base, left=base, height=0.36, color=colour)
            before = end < base or (most is not None and end > most - room)
            axes.annotate(
                f"{name}: {shown}", (end, place + up), ha="right" if before else "left", va="center", fontsize=9,
                xytext=(-5 if before else 5, 0), textcoords="offset points",
            )  # fmt: skip
    axes.axvline(base, color=style.INK, linewidth=1)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if most is None:
        axes.set_xlim(min(ends) - room, max(ends) + room)
        return
    axes.set_xlim(max(0.0, min(ends) - 2 * room), most)  # no share exceeds 100 %
