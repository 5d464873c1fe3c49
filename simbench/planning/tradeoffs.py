"""The cost of the promise under other deadlines, volumes and probabilities: points of three curves."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec
from msgspec.structs import replace

from simbench.planning.campaign import CampaignError, Plan
from simbench.planning.candidates import Candidate
from simbench.planning.code_plan import CodePlan
from simbench.planning.executors import Where, spread
from simbench.planning.loads import SCORING, Group, Replication, replications
from simbench.planning.progress import Progress
from simbench.planning.required_rates import RequiredRates, required_rates_of
from simbench.planning.sensitivity import SEARCHED, cheapest

DEADLINES, VOLUMES = (0.5, 0.75, 1.0, 1.5, 2.0), (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
PROBABILITIES = (0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999)
POINTS = len(DEADLINES) + len(VOLUMES) + len(PROBABILITIES)
Axis = Literal["deadline", "volume", "probability"]
AXES: tuple[tuple[Axis, tuple[float, ...]], ...] = (("deadline", DEADLINES), ("volume", VOLUMES))


class Tradeoff(msgspec.Struct, frozen=True):
    """One point: deadline or volume as multiples of the requested ones, or the probability; the cheapest code plan that
    keeps the promise there, with its cost (without messages); None if none does.
    """  # fmt: skip

    axis: Axis
    at: float
    euros: Decimal | None
    words: str | None
    asked: bool = False


class Point(msgspec.Struct, frozen=True):
    """One point to evaluate in so many new futures; `needs`: required rates that do not depend on the point."""

    plan: Plan
    axis: Axis
    at: float
    fresh: int
    chosen: CodePlan
    needs: list[RequiredRates] | None = None


def tradeoffs(
    plan: Plan, futures: list[Replication], fresh: int, chosen: Candidate, done: Progress = lambda _: None,
    where: Where = 1,
) -> list[Tradeoff]:  # fmt: skip
    """Return the cheapest code plans along each of the three axes, each measured in so many new futures."""
    as_asked = chosen.euros, chosen.mix
    asked: dict[Axis, float] = {"deadline": 1, "volume": 1, "probability": plan.campaign.probability}
    points = [Point(plan, axis, at, fresh, chosen.mix) for axis, ats in AXES for at in ats]
    groups = [Group(plan, prefix) for prefix in plan.groups]
    try:
        needs = [required_rates_of(group, futures[:SEARCHED]) for group in groups]
        likely = sorted({*PROBABILITIES, plan.campaign.probability})
        points += [Point(plan, "probability", at, fresh, chosen.mix, needs) for at in likely]
    except CampaignError:  # no rate is sufficient in some future, so the cost of other probabilities is unknown
        pass
    others = [one for one in points if one.at != asked[one.axis]]
    found = iter(spread(tried, others, where, lambda share, _: done(share or 0.0)))
    return [
        next(found) if one.at != asked[one.axis] else _row(one.axis, one.at, as_asked, asked=True) for one in points
    ]


def tried(point: Point) -> Tradeoff:
    """Return the cheapest code plan at a point."""
    plan = point.plan
    if point.axis == "probability":
        other = Plan(replace(plan.campaign, probability=point.at), plan.contract)
    else:
        other = _scaled(plan, point.axis, point.at)
    groups = [Group(other, prefix) for prefix in other.groups]
    futures, scored = replications(plan), replications(plan, point.fresh, SCORING)
    return _row(point.axis, point.at, cheapest(other, groups, futures, scored, point.chosen, point.needs))


def _row(axis: Axis, at: float, found: tuple[Decimal, CodePlan] | None, *, asked: bool = False) -> Tradeoff:
    if found is None:
        return Tradeoff(axis, at, None, None, asked)
    return Tradeoff(axis, at, found[0], found[1].words(), asked)


def _scaled(plan: Plan, axis: Axis, by: float) -> Plan:
    sendings, flows = plan.campaign.sendings, plan.campaign.flows
    if axis == "deadline":
        sendings = tuple(replace(one, deadline_h=one.deadline_h * by) for one in sendings)
        flows = tuple(replace(one, within_min=one.within_min * by) for one in flows)
    else:
        sendings = tuple(replace(one, volume=max(1, round(one.volume * by))) for one in sendings)
        flows = tuple(replace(one, per_day=one.per_day * by) for one in flows)
    return Plan(replace(plan.campaign, sendings=sendings, flows=flows), plan.contract)
