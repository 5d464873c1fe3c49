"""Sensitivity of a plan to its assumptions: the chosen code plan's probability, and the cost of the promise."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec.structs import replace

from simbench.planning.campaign import CampaignError, Plan
from simbench.planning.candidates import neighbours
from simbench.planning.code_plan import CodePlan, cost
from simbench.planning.evaluate import screened
from simbench.planning.executors import Where, spread
from simbench.planning.loads import SCORING, Group, Replication, replications
from simbench.planning.optimizer import LADDER, Wish, solve
from simbench.planning.progress import Progress
from simbench.planning.required_rates import RequiredRates, required_rates_of

SEARCHED = 20  # futures in which code plans are searched under another assumption; other futures choose


class Sensitivity(msgspec.Struct, frozen=True):
    """The outcome of a plan under another assumption.

    at_low, at_high: the chosen code plan's share in time, of the least certain demand (about_low, about_high; "" for
    the whole period). euros_at_low, euros_at_high: the cost of the cheapest code plan that then keeps the promise
    (without messages), None if none does.
    """

    assumption: str
    low: str
    high: str
    at_low: float
    at_high: float
    euros_at_low: Decimal | None
    euros_at_high: Decimal | None
    about_low: str = ""
    about_high: str = ""


class _Scale(msgspec.Struct, frozen=True):
    """Another assumption: multipliers of volumes, of times between outages and of their durations."""

    words: str
    volume: float = 1
    between: float = 1
    lasting: float = 1


ASSUMPTIONS: tuple[tuple[str, _Scale, _Scale], ...] = (
    ("volume", _Scale("-20 %", volume=0.8), _Scale("+20 %", volume=1.2)),
    ("volume, a little", _Scale("-5 %", volume=0.95), _Scale("+5 %", volume=1.05)),
    ("time between outages", _Scale("twice", between=2), _Scale("half", between=0.5)),
    ("length of outages", _Scale("half", lasting=0.5), _Scale("twice", lasting=2)),
)


class Trial(msgspec.Struct, frozen=True):
    """The chosen code plan under another assumption, to be measured in so many new futures."""

    plan: Plan
    fresh: int
    chosen: CodePlan
    scale: _Scale


def sensitivities(
    plan: Plan, fresh: int, chosen: CodePlan, progress: Progress = lambda _: None, where: Where = 1
) -> list[Sensitivity]:
    """Return the chosen code plan's probability, and the cost of the promise, under other volumes and outages.
    The probability is measured in so many `fresh` futures, as for an advice. `where` is the executor of the trials.
    """
    rows = [row for row in ASSUMPTIONS if "outages" not in row[0] or plan.campaign.outages.drawn]
    trials = [Trial(plan, fresh, chosen, scale) for _, *sides in rows for scale in sides]
    found = spread(tried, trials, where, lambda share, _: progress(share or 0.0))
    return [
        Sensitivity(name, low.words, high.words, first[0], second[0], first[2], second[2], first[1], second[1])
        for (name, low, high), first, second in zip(rows, found[::2], found[1::2], strict=True)
    ]


def tried(trial: Trial) -> tuple[float, str, Decimal | None]:
    """Return the share in time, its demand, and the cost of the cheapest code plan that keeps the promise."""
    other, chosen = _scaled(trial.plan, trial.scale), trial.chosen
    futures = replications(other)
    groups = [Group(other, prefix) for prefix in other.groups]
    scored = replications(other, trial.fresh, SCORING)
    found = cheapest(other, groups, futures, scored, chosen)
    score = screened(groups, scored, chosen)
    return score.promised.share, score.about, None if found is None else found[0]


def cheapest(
    plan: Plan, groups: list[Group], futures: list[Replication], fresh: list[Replication], chosen: CodePlan,
    needs: list[RequiredRates] | None = None,
) -> tuple[Decimal, CodePlan] | None:  # fmt: skip
    """Return the cost of the cheapest code plan that keeps the promise in new futures, and the code plan; None if none
    does.

    Candidates are the program's code plans for the futures (or their `needs`), the chosen code plan, and the neighbours
    of both.
    """
    try:
        needs = needs or [required_rates_of(group, futures[:SEARCHED]) for group in groups]
    except CampaignError:
        return None
    target = plan.campaign.probability
    wishes = [Wish(target, steady=True), *(Wish(each) for each in dict.fromkeys((target, *LADDER)) if each >= target)]
    found = [one.mix for one in (solve(plan, needs, wish) for wish in wishes) if one is not None]
    near = [other for mix in (chosen, *found[:2]) for other in neighbours(mix, plan)]
    mixes = {mix.words(): mix for mix in (chosen, *found, *near)}
    priced = sorted((cost(mix, plan.months, plan.contract, plan.held), words) for words, mix in mixes.items())
    kept = (words for _, words in priced if screened(groups, fresh, mixes[words]).reaches)
    words = next(kept, None)
    prices = {words: euros for euros, words in priced}
    return None if words is None else (prices[words], mixes[words])


def _scaled(plan: Plan, scale: _Scale) -> Plan:
    campaign = plan.campaign
    drawn = tuple(
        replace(
            one,
            between=replace(one.between, mean_h=max(0.1, one.between.mean_h * scale.between)),
            lasting=replace(one.lasting, mean_h=max(0.1, one.lasting.mean_h * scale.lasting)),
        )
        for one in campaign.outages.drawn
    )
    return Plan(
        replace(
            campaign,
            sendings=tuple(replace(one, volume=max(1, round(one.volume * scale.volume))) for one in campaign.sendings),
            flows=tuple(replace(one, per_day=one.per_day * scale.volume) for one in campaign.flows),
            outages=replace(campaign.outages, drawn=drawn),
        ),
        plan.contract,
    )
