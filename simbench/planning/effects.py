"""Evaluates a sweep: main effects of parameters, interactions of two, the frontier of points, monthly prices."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from statistics import fmean

import msgspec

from simbench.billing.acts import Month
from simbench.planning.code_plan import code_plan_of, cost
from simbench.planning.runs import Key, Result
from simbench.planning.study import MEASURES, Prepared, Value
from simbench.planning.sweep import student

MOST_VALUES = 12  # a parameter drawn from a range with more values is shown point by point
COSTS = "euros"
LESS_IS_BETTER = frozenset(MEASURES) - {"offered", "accepted", "delivered", "delivered_share"}


class Level(msgspec.Struct, frozen=True):
    """One value of a parameter: the mean of a measure over all other parameters, half its interval's width, runs."""

    value: Value
    mean: float
    half_width: float
    runs: int


class Effect(msgspec.Struct, frozen=True):
    """The effect of a parameter on a measure: by value, or by point for one drawn from a range."""

    parameter: str
    measure: str
    levels: tuple[Level, ...]

    @property
    def span(self) -> float:
        """The difference of the largest and smallest mean."""
        means = [one.mean for one in self.levels]
        return max(means) - min(means)


class Interaction(msgspec.Struct, frozen=True):
    """Means of a measure at each pair of values of two parameters: means[second][first], None without a point.

    gap: the deviation of the lines from parallel, as a share of the range of the means.
    """

    first: str
    second: str
    measure: str
    firsts: tuple[Value, ...]
    seconds: tuple[Value, ...]
    means: tuple[tuple[float | None, ...], ...]
    gap: float


class Placed(msgspec.Struct, frozen=True):
    """A point by two measures, and whether no other point is better in both."""

    point: int
    x: float
    y: float
    best: bool


def effects(prepared: Prepared, done: dict[Key, Result], measure: str) -> list[Effect]:
    """Return the main effect of each parameter with more than one value, the strongest first."""
    found = []
    for place, one in enumerate(prepared.study.parameters):
        values = list(dict.fromkeys(point[place] for point in prepared.points))
        if len(values) > 1:
            levels = [_level(prepared, done, measure, place, value) for value in sorted(values, key=_order)]
            found.append(Effect(one.key, measure, tuple(levels)))
    return sorted(found, key=lambda effect: -effect.span)


def _level(prepared: Prepared, done: dict[Key, Result], measure: str, place: int, value: Value) -> Level:
    """Return the mean over points by future, so that the common variation of futures widens the interval only once."""
    at = MEASURES.index(measure)
    points = {number for number, point in enumerate(prepared.points) if point[place] == value}
    by_future: defaultdict[int, list[float]] = defaultdict(list)
    for (point, replication), result in done.items():
        if point in points:
            by_future[replication].append(result.measures[at])
    whole = [fmean(found) for found in by_future.values() if len(found) == len(points)]
    runs = sum(map(len, by_future.values()))
    if not whole:
        return Level(value, fmean(each for found in by_future.values() for each in found), math.inf, runs)
    return Level(value, fmean(whole), student(whole, prepared.study.confidence), runs)


def interaction(prepared: Prepared, done: dict[Key, Result], measure: str, first: str, second: str) -> Interaction:
    """Return the interaction of two parameters."""
    keys, at = [one.key for one in prepared.study.parameters], MEASURES.index(measure)
    places = keys.index(first), keys.index(second)
    cells: defaultdict[tuple[Value, Value], list[float]] = defaultdict(list)
    for (point, _), result in sorted(done.items()):
        cells[prepared.points[point][places[0]], prepared.points[point][places[1]]].append(result.measures[at])
    firsts, seconds = (tuple(sorted({pair[side] for pair in cells}, key=_order)) for side in (0, 1))
    means = tuple(tuple(fmean(cells[a, b]) if (a, b) in cells else None for a in firsts) for b in seconds)
    return Interaction(first, second, measure, firsts, seconds, means, _gap(means))


def _gap(means: Sequence[Sequence[float | None]]) -> float:
    """Return the largest non-constant difference between lines, divided by the range of all means."""
    known = [value for row in means for value in row if value is not None]
    span = max(known) - min(known)
    worst = 0.0
    for row in means[1:]:
        apart = [b - a for a, b in zip(means[0], row, strict=True) if a is not None and b is not None]
        worst = max(worst, max(apart) - min(apart)) if apart else worst
    return worst / span if span else 0.0


def monthly_euros(prepared: Prepared, point: int) -> Decimal | None:
    """Return the monthly price of a point's codes without openings; None for a rate that is not a tier."""
    codes = prepared.world(point, 0).codes
    tiers = set(prepared.contract.terms.throughput.rates)
    if any(one.rate_per_s not in tiers for one in codes):
        return None
    held: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for one in codes:
        held[one.code[:2]][one.rate_per_s] += 1
    mix = code_plan_of({prefix: [dict(counts)] for prefix, counts in held.items()})
    month = Month.parse(prepared.scenario.period.start[:7])
    return cost(mix, (month,), prepared.contract, {one.code: one.rate_per_s for one in codes})


def axis_of_cost(prepared: Prepared, done: dict[Key, Result]) -> tuple[str, list[float]]:
    """Return the axis of the frontier: the price of the codes if it varies, otherwise the requested messages."""
    euros = [monthly_euros(prepared, point) for point in range(len(prepared.points))]
    known = [float(price) for price in euros if price is not None]
    if len(known) == len(euros) and len(set(known)) > 1:
        return COSTS, known
    return "offered", point_means(prepared, done, "offered")


def point_means(prepared: Prepared, done: dict[Key, Result], measure: str) -> list[float]:
    """Return the mean of a measure at each point."""
    at = MEASURES.index(measure)
    found: defaultdict[int, list[float]] = defaultdict(list)
    for (point, _), result in sorted(done.items()):
        found[point].append(result.measures[at])
    return [fmean(found[point]) for point in range(len(prepared.points))]


def frontier(xs: Sequence[float], ys: Sequence[float], *, more_x: bool, less_y: bool) -> list[Placed]:
    """Mark the points that no other point surpasses in both; more_x: more of x is better; less_y: less of y is."""
    signs = (-1 if more_x else 1), (1 if less_y else -1)
    keyed = [(signs[0] * x, signs[1] * y) for x, y in zip(xs, ys, strict=True)]
    return [
        Placed(number, xs[number], ys[number], not any(a <= x and b <= y and (a, b) != (x, y) for a, b in keyed))
        for number, (x, y) in enumerate(keyed)
    ]


def _order(value: Value) -> tuple[int, float, str]:
    return (1, 0.0, value) if isinstance(value, str) else (0, float(value), "")
