"""The advisor: the cheapest mix that keeps the promise, how sure that is, its rivals and why they lose.

Three sets of futures keep the answer honest: mixes are found in the first, one of them is chosen in the second, and
every figure shown is measured in the third.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec
import numpy as np
from msgspec.structs import replace

from simbench.base.calendar import civil
from simbench.billing.acts import Acts, Month
from simbench.billing.forecast import Forecast
from simbench.billing.invoice import Invoice
from simbench.planning.campaign import CampaignError, CampaignPlan, Plan
from simbench.planning.candidates import Candidate, Pool, mixes_of, partial, why, widened
from simbench.planning.confidence import futures_needed
from simbench.planning.confirm import Confirmation, confirm
from simbench.planning.forecast_export import forecasts_of
from simbench.planning.loads import CHOOSING, SCORING, Group, Replication, replications
from simbench.planning.mix import Mix, acts_of, closed_before, invoices
from simbench.planning.optimizer import LADDER, enough
from simbench.planning.orders import Order, orders_of
from simbench.planning.own_mix import held_mix
from simbench.planning.required_rates import needs_of
from simbench.planning.sensitivity import ASSUMPTIONS, Curve, Sensitivity, curves, sensitivities
from simbench.planning.size import check_size

RIVALS = 2
FEWEST, MOST = 1000, 4000
Progress = Callable[[float], object]
First = Callable[[Candidate], object]


class Advice(msgspec.Struct, frozen=True):
    """What the advisor says.

    verdict: whether the promise holds, in sentences. more_futures: how many would settle it, were the share measured
    the true one; one_more: the cheapest wider mix, where it does not hold for sure. replications: futures in which
    mixes were looked for; scored: others, in which the figures were measured. asked: the campaign file.
    """

    name: str
    title: str
    target: float
    promise: str
    verdict: str
    chosen: Candidate
    rivals: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]
    own: tuple[Candidate, ...]
    more_futures: int | None
    one_more: Candidate | None
    confirmation: Confirmation
    sensitivities: tuple[Sensitivity, ...]
    curves: tuple[Curve, ...]
    invoices: tuple[Invoice, ...]
    acts: Acts
    orders: tuple[Order, ...]
    forecasts: tuple[Forecast, ...]
    euros_in_all: Decimal
    replications: int
    scored: int
    seed: int
    contract: str
    asked: CampaignPlan
    notes: tuple[str, ...]


class _Work:
    """Progress by steps that are counted, each weighed by what it costs."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._done, self._total = progress, 0.0, 1.0

    def expect(self, *costs: float) -> None:
        self._total = max(1.0, sum(costs))

    def did(self, cost: float) -> None:
        self._done += cost
        self._progress(min(0.999, self._done / self._total))


def advise(
    plan: Plan, progress: Progress = lambda _: None, first: First = lambda _: None, own: tuple[Mix, ...] = ()
) -> Advice:
    """Find the cheapest mix that keeps the promise; `first` takes it as soon as it is chosen and scored.

    own: mixes to be scored beside it, as are the codes held already. Raises CampaignError with what would be needed
    if no mix keeps the promise.
    """
    fresh = fresh_of(plan)
    check_size(plan, plan.asked.replications + 2 * fresh)
    own += tuple(mix for mix in (held_mix(plan),) if mix is not None and mix not in own)
    groups = [Group(plan, prefix) for prefix in plan.groups]
    futures = replications(plan)
    work = _work_of(groups, futures, fresh, progress)
    needs = [needs_of(group, futures, lambda _: work.did(10)) for group in groups]
    pool = Pool(plan, groups, replications(plan, fresh, CHOOSING), replications(plan, fresh, SCORING))
    found = mixes_of(plan, needs, lambda: work.did(len(futures)))
    first_found = [one for one, _ in found.values()]
    steady = pool.choose([one for one in first_found if all(len(set(held)) == 1 for held in one.held.values())])
    mix = pool.choose([*first_found, *partial(plan, [steady] if steady else [])])
    if mix is None or not pool.first(mix).holds:
        widest = [wide for one, _ in found.values() for wide in widened(plan, one)]
        mix = pool.choose([one for one, _ in found.values()] + widest)
    if mix is None:
        raise _unattainable(plan, groups, futures, [pool.first(one).whole.share for one, _ in found.values()])
    found.setdefault(mix.words(), (mix, False))
    chosen = replace(pool.candidate(mix, proved=found[mix.words()][1]), why="the cheapest that keeps the promise")
    first(chosen)
    others = []
    for one, proved in found.values():
        others.append(pool.candidate(one, proved=proved))
        work.did(fresh / 10)
    told = tuple(sorted((why(one, chosen) for one in others if one.words != chosen.words), key=lambda one: one.euros))
    rivals = tuple(sorted(told, key=lambda one: (not one.holds, abs(one.euros - chosen.euros)))[:RIVALS])
    confirmation = confirm(
        groups, replications(plan, len(futures), SCORING), [(one.words, one.mix) for one in (chosen, *rivals)],
        lambda _: work.did(50),
    )  # fmt: skip
    rows = tuple(sensitivities(plan, futures, fresh_slice(plan), chosen.mix, lambda _: work.did(len(futures) * 20)))
    one_more = None if chosen.holds else _one_more(pool, chosen)
    more_futures = None if chosen.holds else futures_needed(chosen.score.promised, fresh, plan.asked.probability)
    bought = _bought(plan, groups, chosen)
    advice = Advice(
        plan.asked.name, plan.asked.title or plan.asked.name, plan.asked.probability, plan.asked.promise,
        verdict_of(chosen, more_futures, one_more), chosen, rivals, (chosen, *told),
        tuple(why(pool.candidate(one), chosen) for one in own), more_futures, one_more, confirmation, rows,
        tuple(curves(groups, futures, chosen.mix)), *bought, len(futures), fresh, plan.asked.seed,
        f"{plan.contract.name} {plan.contract.digest}", plan.asked, tuple(_notes(plan, chosen, told, confirmation)),
    )  # fmt: skip
    progress(1.0)
    return advice


def score_own(plan: Plan, mixes: tuple[Mix, ...]) -> list[Candidate]:
    """Mixes of one's own, scored in the futures in which an advice is; nothing is looked for."""
    fresh = fresh_of(plan)
    check_size(plan, 2 * fresh)
    groups = [Group(plan, prefix) for prefix in plan.groups]
    pool = Pool(plan, groups, replications(plan, fresh, CHOOSING), replications(plan, fresh, SCORING))
    return [pool.candidate(mix) for mix in mixes]


def fresh_of(plan: Plan) -> int:
    """How many futures choose and how many score: the more, the rarer lateness may be."""
    rare = 20 / max(1e-6, 1 - plan.asked.probability)
    return max(plan.asked.replications, min(MOST, max(FEWEST, math.ceil(rare))))


def fresh_slice(plan: Plan) -> int:
    """How many of the scoring futures other assumptions are tried in."""
    return min(FEWEST, fresh_of(plan))


def _work_of(groups: list[Group], futures: list[Replication], fresh: int, progress: Progress) -> _Work:
    work = _Work(progress)
    solving = (2 + len(LADDER) + 8) * len(futures)
    assumptions = len(ASSUMPTIONS) * len(futures) * 20
    work.expect(10 * len(groups) * len(futures), solving, 24 * fresh / 10, 15 * 50, assumptions)
    return work


def verdict_of(chosen: Candidate, more: int | None, one_more: Candidate | None) -> str:
    """Whether the promise holds, how sure that is, and what would make it surer."""
    score, mine = chosen.score, chosen.score.promised
    measured = (
        f"{mine.share:.2%} of {score.subject} in time (95 % interval {mine.low:.2%} to {mine.high:.2%}) in "
        f"{score.futures:,} futures the plan was not found in"
    )
    if chosen.holds:
        return f"The promise of {score.asked:.2%} holds: {measured}."
    text = f"The promise of {score.asked:.2%} is {_percent(mine.sure)} sure to hold: {measured}."
    if more is not None and more > score.futures:
        text += (
            f" About {more:,} futures (replications = {more}) would settle it if the true share is the one measured."
        )
    if one_more is not None:
        other = one_more.score.promised
        surely = "holds" if one_more.holds else f"is {_percent(other.sure)} sure to hold"
        dearer = one_more.euros - chosen.euros
        text += f" With {one_more.words}, {dearer:,.2f} EUR more, it {surely}: "
        text += f"{other.share:.2%} ({other.low:.2%} to {other.high:.2%})."
    return text


def _percent(sure: float) -> str:
    return "more than 99.9 %" if sure > 0.999 else "less than 0.1 %" if sure < 0.001 else f"{100 * sure:.1f} %"


def _one_more(pool: Pool, chosen: Candidate) -> Candidate | None:
    """The cheapest wider mix whose promise holds; else the widest tried."""
    wider = sorted(widened(pool.plan, chosen.mix), key=pool.price)
    for mix in wider:
        if pool.first(mix).holds:
            return pool.candidate(mix)
    return pool.candidate(wider[-1]) if wider else None


def _bought(
    plan: Plan, groups: list[Group], chosen: Candidate
) -> tuple[tuple[Invoice, ...], Acts, tuple[Order, ...], tuple[Forecast, ...], Decimal]:
    sent = _sent(plan, groups)
    delivered = {key: round(volume * plan.asked.delivered_share) for key, volume in sent.items()}
    bills = invoices(chosen.mix, plan.months, plan.contract, delivered, plan.held)
    acts = acts_of(chosen.mix, plan.months, plan.contract, plan.held)
    forecasts = forecasts_of(acts, plan.months, plan.contract, sent)
    total = sum((bill.total_ht for bill in bills), Decimal(0))
    total += closed_before(chosen.mix, plan.months, plan.contract, plan.held)
    orders = orders_of(acts, plan.contract, plan.months[0].first, plan.asked.lead_days, forecasts)
    return bills, acts, orders, forecasts, total


def _unattainable(plan: Plan, groups: list[Group], futures: list[Replication], wholes: list[float]) -> CampaignError:
    """No rate keeps the promise: what does."""
    target = plan.asked.probability
    rates = (plan.asked.codes_max * plan.tiers[-1],) * len(plan.months)
    problem, needed = "", []
    for group in groups:
        runs = [group.run(rates, future) for future in futures]
        lateness: dict[str, list[float]] = {}
        for done, waits in runs:
            for at, one in zip(done, group.occasions, strict=True):
                took_h = (at * 1e6 + plan.span[0] - one.start) / 3.6e9
                lateness.setdefault(one.demand.name, []).append(took_h - one.demand.deadline_h)
            for flow, row in zip(group.flows, waits, strict=True):
                lateness.setdefault(flow.name, []).extend((row / 3600 - flow.within_min / 60).tolist())
        for name, over in lateness.items():
            late_h = sorted(over)[enough(target, len(over)) - 1]
            kept = float(np.mean(np.array(over) <= 0))
            if kept < target:
                problem = f"even {rates[0]:,}/s keep only {kept:.2%} of {name!r} in time, {target:.2%} are asked for"
                needed.append(f"{late_h:.1f} h more for {name!r}")
    if not problem:
        best = max(wholes, default=0.0)
        problem, needed = f"no plan of {plan.asked.codes_max} codes keeps the promise; at best {best:.2%} of it", []
    expected = " and ".join(needed) if needed else "a lower probability or more codes_max"
    return CampaignError("probability", problem, expected + (", or a lower probability" if needed else ""))


def _sent(plan: Plan, groups: list[Group]) -> dict[tuple[Month, str], int]:
    """Segments asked for by month and range of codes."""
    return {
        (plan.months[month], group.prefix): volume for group in groups for month, volume in group.messages().items()
    }


def _notes(plan: Plan, chosen: Candidate, others: tuple[Candidate, ...], confirmation: Confirmation) -> Iterator[str]:
    """What a reader must know."""
    if not chosen.proved:
        yield "a cheaper mix may exist: the optimiser has not proved this one"
    cheaper = [one for one in others if one.doubt and one.euros <= chosen.euros]
    for one in cheaper:
        mine = one.score.promised
        yield (
            f"{one.words} is within the noise of the promise and {chosen.euros - one.euros:,.2f} EUR cheaper: "
            f"{mine.share:.2%} in time ({mine.low:.2%} to {mine.high:.2%})"
        )
    own = [one for one in confirmation.samples if one.words == chosen.words]
    if any(not one.agrees or one.late != one.late_by_fluid for one in own):
        yield "message by message something else came out than by the fluid: see the confirmation"
    if plan.contract.reading("AMB-07") == "quotation":
        yield "tiers above the lowest are by quotation (AMB-07) and were left out"
    first = civil(plan.span[0])
    if plan.held:
        kept = ", ".join(f"{code} at {rate}/s" for code, rate in plan.held.items())
        yield f"held before {first:%Y-%m-%d}: {kept}; codes of a range are taken as alike"
    else:
        yield f"every code is opened on {first:%Y-%m-%d} or later; nothing is assumed to be held before"
