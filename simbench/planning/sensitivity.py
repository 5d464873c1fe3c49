"""Sensitivity of a plan to its assumptions, and the course of its sendings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from simbench.planning.campaign import CampaignError, Plan
from simbench.planning.candidates import neighbours
from simbench.planning.evaluate import screened
from simbench.planning.loads import SCORING, Group, Replication, replications
from simbench.planning.mix import Mix, cost
from simbench.planning.optimizer import LADDER, Wish, solve
from simbench.planning.required_rates import needs_of

CURVE, CURVED = 96, 100  # points of a curve; futures it is drawn from
SEARCHED = 20  # futures in which mixes are looked for under another assumption; fresh ones choose
Told = Callable[[float], object]


class Sensitivity(msgspec.Struct, frozen=True):
    """What becomes of a plan under another assumption.

    at_low, at_high: the chosen mix's probability. euros_at_low, euros_at_high: what the cheapest mix that keeps the
    promise then costs (without messages), None where none does.
    """

    assumption: str
    low: str
    high: str
    at_low: float
    at_high: float
    euros_at_low: Decimal | None
    euros_at_high: Decimal | None


class Curve(msgspec.Struct, frozen=True):
    """A sending's backlog from start to past its deadline: hours, and shares that wait in the 5th, 50th and 95th
    of 100 occasions and in the worst. `in_time` is the share of its occasions complete by each hour.
    """  # fmt: skip

    demand: str
    hours: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]
    worst: tuple[float, ...]
    in_time: tuple[float, ...]
    deadline_h: float


class _Scale(msgspec.Struct, frozen=True):
    """Another assumption: what volumes, times between outages and their lengths are multiplied with."""

    said: str
    volume: float = 1
    between: float = 1
    lasting: float = 1


ASSUMPTIONS: tuple[tuple[str, _Scale, _Scale], ...] = (
    ("volume", _Scale("-20 %", volume=0.8), _Scale("+20 %", volume=1.2)),
    ("volume, a little", _Scale("-5 %", volume=0.95), _Scale("+5 %", volume=1.05)),
    ("time between outages", _Scale("twice", between=2), _Scale("half", between=0.5)),
    ("length of outages", _Scale("half", lasting=0.5), _Scale("twice", lasting=2)),
)


def sensitivities(
    plan: Plan, futures: list[Replication], fresh: int, chosen: Mix, told: Told = lambda _: None
) -> Iterator[Sensitivity]:
    """The chosen mix's probability, and the cost of the promise, when volumes and outages are others than assumed.

    The probability is measured in so many `fresh` futures, as an advice is.
    """
    rows = [row for row in ASSUMPTIONS if "outages" not in row[0] or plan.asked.outages.drawn]
    for place, (name, low, high) in enumerate(rows):
        at = [_under(plan, futures, fresh, chosen, scale) for scale in (low, high)]
        yield Sensitivity(name, low.said, high.said, at[0][0], at[1][0], at[0][1], at[1][1])
        told((place + 1) / len(rows))


def _under(
    plan: Plan, futures: list[Replication], fresh: int, chosen: Mix, scale: _Scale
) -> tuple[float, Decimal | None]:
    other = _scaled(plan, scale)
    if scale.between != 1 or scale.lasting != 1:  # else what happens to the platform is the same
        futures = replications(other)
    groups = [Group(other, prefix) for prefix in other.groups]
    scored = replications(other, fresh, SCORING)
    return screened(groups, scored, chosen).promised.share, cheapest(other, groups, futures, scored, chosen)


def cheapest(
    plan: Plan, groups: list[Group], futures: list[Replication], fresh: list[Replication], chosen: Mix
) -> Decimal | None:
    """What the cheapest mix costs that keeps the promise in fresh futures; None if none does.

    Tried are the programme's mixes for the futures, the mix chosen for what was assumed, and what is next to either.
    """
    try:
        needs = [needs_of(group, futures[:SEARCHED]) for group in groups]
    except CampaignError:
        return None
    asked = plan.asked.probability
    wishes = [Wish(asked, steady=True), *(Wish(each) for each in dict.fromkeys((asked, *LADDER)) if each >= asked)]
    found = [one.mix for one in (solve(plan, needs, wish) for wish in wishes) if one is not None]
    near = [other for mix in (chosen, *found[:2]) for other in neighbours(mix, plan)]
    mixes = {mix.words(): mix for mix in (chosen, *found, *near)}
    priced = sorted((cost(mix, plan.months, plan.contract, plan.held), words) for words, mix in mixes.items())
    return next((euros for euros, words in priced if screened(groups, fresh, mixes[words]).reaches), None)


def _scaled(plan: Plan, scale: _Scale) -> Plan:
    asked = plan.asked
    drawn = tuple(
        replace(
            one,
            between=replace(one.between, mean_h=max(0.1, one.between.mean_h * scale.between)),
            lasting=replace(one.lasting, mean_h=max(0.1, one.lasting.mean_h * scale.lasting)),
        )
        for one in asked.outages.drawn
    )
    return Plan(
        replace(
            asked,
            sendings=tuple(replace(one, volume=max(1, round(one.volume * scale.volume))) for one in asked.sendings),
            flows=tuple(replace(one, per_day=one.per_day * scale.volume) for one in asked.flows),
            outages=replace(asked.outages, drawn=drawn),
        ),
        plan.contract,
    )


def curves(groups: list[Group], futures: list[Replication], chosen: Mix) -> Iterator[Curve]:
    """Backlog and completion of each sending's occasions, with the band of the replications."""
    for group in groups:
        for demand in group.sendings:
            hours = np.linspace(0, demand.deadline_h * 1.5, CURVE)
            step_s = max(10.0, float(hours[1]) * 3600)
            rows, took = [], []
            for future in futures[:CURVED]:
                curve = np.zeros(int(group.load.end_s / step_s))
                done, _ = group.run(chosen.rates(group.prefix), future, curve)
                for at, one in enumerate(group.occasions):
                    if one.demand.name == demand.name:
                        begin = (one.start - group.plan.span[0]) / 1e6
                        places = ((begin + hours * 3600) / group.load.end_s * len(curve)).astype(int)
                        rows.append(curve[np.minimum(places, len(curve) - 1)] / (demand.volume * demand.parts))
                        took.append((done[at] - begin) / 3600)
            low, middle, high, worst = (_rounded(np.quantile(rows, q, axis=0)) for q in (0.05, 0.5, 0.95, 1))
            in_time = _rounded(np.array([(np.array(took) <= hour).mean() for hour in hours]))
            yield Curve(demand.name, _rounded(hours), low, middle, high, worst, in_time, demand.deadline_h)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.round(values, 4).tolist())
