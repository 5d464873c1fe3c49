"""What the promise costs under other deadlines, volumes and probabilities: points of three curves."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec.structs import replace

from simbench.planning.campaign import CampaignError, Plan
from simbench.planning.candidates import Candidate
from simbench.planning.code_plan import CodePlan
from simbench.planning.loads import SCORING, Group, Replication, replications
from simbench.planning.progress import Progress, steps
from simbench.planning.required_rates import required_rates_of
from simbench.planning.sensitivity import SEARCHED, cheapest

DEADLINES, VOLUMES = (0.5, 0.75, 1.0, 1.5, 2.0), (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
PROBABILITIES = (0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999)
POINTS = len(DEADLINES) + len(VOLUMES) + len(PROBABILITIES)
Axis = Literal["deadline", "volume", "probability"]
AXES: tuple[tuple[Axis, tuple[float, ...]], ...] = (("deadline", DEADLINES), ("volume", VOLUMES))


class Tradeoff(msgspec.Struct, frozen=True):
    """One point: deadline or volume as multiples of what was asked for, or the probability; what the cheapest code plan
    costs that keeps the promise there (without messages), and that code plan; None where none does.
    """  # fmt: skip

    axis: Axis
    at: float
    euros: Decimal | None
    words: str | None
    asked: bool = False


def tradeoffs(
    plan: Plan, futures: list[Replication], fresh: int, chosen: Candidate, done: Progress = lambda _: None
) -> Iterator[Tradeoff]:
    """The cheapest code plans along each of the three axes; each is tried in so many fresh futures."""
    step, scored = steps(done, POINTS), replications(plan, fresh, SCORING)
    as_asked = chosen.euros, chosen.mix
    for axis, points in AXES:
        for at in points:
            yield _row(axis, at, as_asked, asked=True) if at == 1 else _point(plan, axis, at, futures, scored, chosen)
            step()
    groups = [Group(plan, prefix) for prefix in plan.groups]
    try:
        needs = [required_rates_of(group, futures[:SEARCHED]) for group in groups]
    except CampaignError:
        return
    for at in sorted({*PROBABILITIES, plan.asked.probability}):
        if at == plan.asked.probability:
            yield _row("probability", at, as_asked, asked=True)
            continue
        other = Plan(replace(plan.asked, probability=at), plan.contract)
        mine = [Group(other, prefix) for prefix in other.groups]
        yield _row("probability", at, cheapest(other, mine, futures, scored, chosen.mix, needs))
        step()


def _point(
    plan: Plan, axis: Axis, at: float, futures: list[Replication], scored: list[Replication], chosen: Candidate
) -> Tradeoff:
    other = _scaled(plan, axis, at)
    groups = [Group(other, prefix) for prefix in other.groups]
    return _row(axis, at, cheapest(other, groups, futures, scored, chosen.mix))


def _row(axis: Axis, at: float, found: tuple[Decimal, CodePlan] | None, *, asked: bool = False) -> Tradeoff:
    if found is None:
        return Tradeoff(axis, at, None, None, asked)
    return Tradeoff(axis, at, found[0], found[1].words(), asked)


def _scaled(plan: Plan, axis: Axis, by: float) -> Plan:
    sendings, flows = plan.asked.sendings, plan.asked.flows
    if axis == "deadline":
        sendings = tuple(replace(one, deadline_h=one.deadline_h * by) for one in sendings)
        flows = tuple(replace(one, within_min=one.within_min * by) for one in flows)
    else:
        sendings = tuple(replace(one, volume=max(1, round(one.volume * by))) for one in sendings)
        flows = tuple(replace(one, per_day=one.per_day * by) for one in flows)
    return Plan(replace(plan.asked, sendings=sendings, flows=flows), plan.contract)
