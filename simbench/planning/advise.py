"""The advisor: the cheapest code plan that keeps the promise, its certainty, and the alternatives with reasons.

Three sets of futures avoid a bias: code plans are found in the first, one of them is chosen in the second, and every
figure shown is measured in the third.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from simbench.billing.acts import Acts, Month
from simbench.billing.forecast import Forecast
from simbench.billing.invoice import Invoice
from simbench.planning.campaign import CampaignPlan, Plan
from simbench.planning.candidates import Candidate, Pool, code_plans_of, partial, widened
from simbench.planning.code_plan import CodePlan, acts_of, closed_before, invoices
from simbench.planning.confidence import futures_needed
from simbench.planning.confirm import BUDGET, DAYS_LIKELY, WORST, Confirmation, confirm, daily
from simbench.planning.curves import Curve, Waits, curves
from simbench.planning.executors import Where, check_executor, shared
from simbench.planning.forecast_export import forecasts_of
from simbench.planning.impossible import unattainable
from simbench.planning.loads import CHOOSING, SCORING, Group, Replication, replications
from simbench.planning.optimizer import LADDER
from simbench.planning.orders import Order, orders_of
from simbench.planning.own_code_plan import held_code_plan
from simbench.planning.progress import Phases, Progress, steps
from simbench.planning.required_rates import required_rates_of
from simbench.planning.sensitivity import ASSUMPTIONS, Sensitivity, sensitivities
from simbench.planning.size import check_size
from simbench.planning.tradeoffs import POINTS, Tradeoff, tradeoffs
from simbench.planning.wording import Note, english, notes_in_words, verdict, why

RIVALS = 2
FEWEST, MOST = 1000, 4000
SHOWN = 300  # futures in which points of the cost curves are evaluated
MESSAGES_A_RUN = 1000  # messages that take as long as one future, for progress only
First = Callable[[Candidate], object]


class Advice(msgspec.Struct, frozen=True):
    """The answer of the advisor.

    verdict: sentences on whether the promise is kept. own: code plans named by the planner; current: the codes
    already held; both are scored like the others. more_futures: the number of futures that would decide it if the
    measured share were exact. one_more: the cheapest larger code plan, if the promise is not certainly kept.
    replications: futures in which code plans were searched; scored: other futures, in which the figures were measured.
    asked: the campaign file. closings: the cost of closing held codes on the day before the period. remarks: the notes,
    as data.
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
    current: Candidate | None
    more_futures: int | None
    one_more: Candidate | None
    confirmation: Confirmation
    sensitivities: tuple[Sensitivity, ...]
    tradeoffs: tuple[Tradeoff, ...]
    curves: tuple[Curve, ...]
    waits: tuple[Waits, ...]
    invoices: tuple[Invoice, ...]
    acts: Acts
    orders: tuple[Order, ...]
    forecasts: tuple[Forecast, ...]
    closings: Decimal
    euros_in_all: Decimal
    replications: int
    scored: int
    seed: int
    contract: str
    asked: CampaignPlan
    notes: tuple[str, ...]
    remarks: tuple[Note, ...]
    currency: str = ""


def advise(
    plan: Plan, progress: Progress = lambda _: None, first: First = lambda _: None, own: tuple[CodePlan, ...] = (),
    where: Where = 1,
) -> Advice:  # fmt: skip
    """Find the cheapest code plan that keeps the promise; `first` is called as soon as it is chosen and scored.

    own: code plans to score as well, like the codes already held. where: the executor of sensitivities and trade-offs;
    it does not change the advice. Raises CampaignError, which names the necessary changes, if no code plan keeps the
    promise.
    """
    fresh = fresh_of(plan)
    check_size(plan, plan.campaign.replications + 2 * fresh)
    groups, futures = [Group(plan, prefix) for prefix in plan.groups], replications(plan)
    phases = Phases(progress, _costs(plan, groups, fresh))
    pool = Pool(plan, groups, replications(plan, fresh, CHOOSING), replications(plan, fresh, SCORING))
    chosen, found = _chosen(pool, futures, phases)
    first(chosen)
    step = steps(phases.phase("scoring"), len(found))
    others = [pool.candidate(one, proved=proved) for one, proved in found.values() if step() is None]
    wording = english(plan.contract.terms.money.currency.value)
    losing = (replace(one, why=why(wording, one, chosen)) for one in others if one.words != chosen.words)
    ranked = tuple(sorted(losing, key=lambda one: one.euros))
    rivals = tuple(sorted(ranked, key=lambda one: (not one.holds, abs(one.euros - chosen.euros)))[:RIVALS])
    confirmation = confirm(
        groups, replications(plan, len(futures), SCORING), [(one.words, one.mix) for one in (chosen, *rivals)],
        phases.phase("confirming"),
    )  # fmt: skip
    check_executor(where)
    with shared(where) as workers:
        rows = tuple(sensitivities(plan, min(FEWEST, fresh), chosen.mix, phases.phase("sensitivities"), workers))
        points = tuple(tradeoffs(plan, futures, min(SHOWN, fresh), chosen, phases.phase("tradeoffs"), workers))
    one_more = None if chosen.holds else _one_more(pool, chosen)
    more_futures = None if chosen.holds else futures_needed(chosen.score.promised, fresh, plan.campaign.probability)
    courses = tuple(curves(groups, replications(plan, fresh, SCORING), chosen.mix))
    mine = [pool.candidate(one) for one in own]
    now = held_code_plan(plan)
    current = None if now is None else pool.candidate(now)
    remarks = tuple(_notes(plan, chosen, ranked, confirmation))
    bills, acts, orders, forecasts, closings = _bought(plan, groups, chosen)
    advice = Advice(
        name=plan.campaign.name, title=plan.campaign.title or plan.campaign.name, target=plan.campaign.probability,
        promise=plan.campaign.promise, verdict=verdict(wording, chosen, more_futures, one_more), chosen=chosen,
        rivals=rivals, candidates=(chosen, *ranked),
        own=tuple(replace(one, why=why(wording, one, chosen)) for one in mine),
        current=None if current is None else replace(current, why=why(wording, current, chosen)),
        more_futures=more_futures, one_more=one_more, confirmation=confirmation, sensitivities=rows, tradeoffs=points,
        curves=tuple(one for one in courses if isinstance(one, Curve)),
        waits=tuple(one for one in courses if isinstance(one, Waits)), invoices=bills, acts=acts, orders=orders,
        forecasts=forecasts, closings=closings,
        euros_in_all=sum((bill.total_ht for bill in bills), Decimal(0)) + closings, replications=len(futures),
        scored=fresh, seed=plan.campaign.seed, contract=f"{plan.contract.name} {plan.contract.digest}",
        asked=plan.campaign, notes=notes_in_words(wording, remarks), remarks=remarks,
        currency=plan.contract.terms.money.currency.value,
    )  # fmt: skip
    progress(1.0)
    return advice


def fresh_of(plan: Plan) -> int:
    """Return the number of futures for choosing and scoring: the rarer lateness may be, the more are needed."""
    rare = 20 / max(1e-6, 1 - plan.campaign.probability)
    return max(plan.campaign.replications, min(MOST, max(FEWEST, math.ceil(rare))))


def _costs(plan: Plan, groups: list[Group], fresh: int) -> dict[str, float]:
    """Return the cost of each phase, in runs of one future."""
    futures = plan.campaign.replications
    needs, search = 8.0 * futures * len(groups), (8 * 20 + 2 * fresh + 400) * len(groups)
    kinds = 2 if plan.campaign.outages.drawn else 1
    sent = min(BUDGET, (1 + RIVALS) * WORST * DAYS_LIKELY * daily(groups))
    return {
        "needs": needs, "solving": 600.0 * len(groups), "choosing": 4.0 * fresh, "scoring": 6.0 * fresh,
        "confirming": sent / MESSAGES_A_RUN, "sensitivities": len(ASSUMPTIONS) * kinds * search,
        "tradeoffs": POINTS * search / 2,
    }  # fmt: skip


def _chosen(
    pool: Pool, futures: list[Replication], phases: Phases
) -> tuple[Candidate, dict[str, tuple[CodePlan, bool]]]:
    """Return the advised code plan, and every code plan found, by text. Raises CampaignError if none is sufficient."""
    plan = pool.plan
    step = steps(phases.phase("needs"), len(futures) * len(pool.groups))
    needs = [required_rates_of(group, futures, lambda _: step()) for group in pool.groups]
    found = code_plans_of(plan, needs, steps(phases.phase("solving"), 2 * len(LADDER)))
    choosing = phases.phase("choosing")
    mixes = [one for one, _ in found.values()]
    steady = pool.choose([one for one in mixes if all(len(set(held)) == 1 for held in one.held.values())])
    choosing(0.5)
    mix = pool.choose([*mixes, *partial(plan, [steady] if steady else [])])
    if mix is None or not pool.first(mix).holds:
        mix = pool.choose(mixes + [wide for one in mixes for wide in widened(plan, one)])
    if mix is None:
        raise unattainable(plan, pool.groups, futures, [pool.first(one).whole.share for one in mixes])
    choosing(1)
    found.setdefault(mix.words(), (mix, False))
    proved = found[mix.words()][1]
    return replace(pool.candidate(mix, proved=proved), why="the cheapest that keeps the promise"), found


def _one_more(pool: Pool, chosen: Candidate) -> Candidate | None:
    """Return the cheapest larger code plan that keeps the promise, otherwise the largest one tried."""
    wider = sorted(widened(pool.plan, chosen.mix), key=pool.price)
    for mix in wider:
        if pool.first(mix).holds:
            return pool.candidate(mix)
    return pool.candidate(wider[-1]) if wider else None


def _bought(
    plan: Plan, groups: list[Group], chosen: Candidate
) -> tuple[tuple[Invoice, ...], Acts, tuple[Order, ...], tuple[Forecast, ...], Decimal]:
    sent = _sent(plan, groups)
    delivered = {key: round(volume * plan.campaign.delivered_share) for key, volume in sent.items()}
    bills = invoices(chosen.mix, plan.months, plan.contract, delivered, plan.held)
    acts = acts_of(chosen.mix, plan.months, plan.contract, plan.held)
    forecasts = forecasts_of(acts, plan.months, plan.contract, sent)
    orders = orders_of(acts, plan.contract, plan.months[0].first, plan.campaign.lead_days, forecasts)
    return bills, acts, orders, forecasts, closed_before(chosen.mix, plan.months, plan.contract, plan.held)


def _sent(plan: Plan, groups: list[Group]) -> dict[tuple[Month, str], int]:
    """Return the requested segments by month and range of codes."""
    return {
        (plan.months[month], group.prefix): volume for group in groups for month, volume in group.messages().items()
    }


def _notes(plan: Plan, chosen: Candidate, others: tuple[Candidate, ...], confirmation: Confirmation) -> Iterator[Note]:
    """Yield the notes for the reader."""
    if not chosen.proved:
        yield Note("unproved")
    for one in others:
        if one.doubt and one.euros <= chosen.euros:
            mine, less = one.score.promised, float(chosen.euros - one.euros)
            figures = {"euros": less, "share": mine.share, "low": mine.low, "high": mine.high}
            yield Note("noise", {"mix": one.words, **figures})
    own = [one for one in confirmation.samples if one.words == chosen.words]
    if any(not one.agrees or one.late != one.late_by_fluid for one in own):
        yield Note("unlike")
    if plan.contract.reading("high-rates") == "quotation":
        yield Note("quotation")
    first = plan.months[0].first.isoformat()
    if plan.held:
        codes = ", ".join(f"{code}: {rate}/s" for code, rate in plan.held.items())
        yield Note("held", {"first": first, "codes": codes})
    else:
        yield Note("opened", {"first": first})
