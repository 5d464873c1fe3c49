"""The advisor: the cheapest code plan that meets the target, the alternatives, and why they lose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec
import numpy as np
from msgspec.structs import replace

from simbench.base.calendar import civil
from simbench.billing.acts import Acts, Month
from simbench.billing.forecast import Forecast
from simbench.billing.invoice import Invoice
from simbench.planning.campaign import CampaignError, Plan
from simbench.planning.evaluate import evaluate, meets
from simbench.planning.forecast_export import forecasts_of
from simbench.planning.loads import Group, Replication, replications
from simbench.planning.messages import send
from simbench.planning.mix import Mix, acts_of, cost, invoices, mix_of
from simbench.planning.optimizer import LADDER, Wish, enough, solve
from simbench.planning.required_rates import Needs, needs_of
from simbench.planning.sensitivity import Curve, Sensitivity, curves, sensitivities

MOST_CANDIDATES, RIVALS, WORST = 20, 2, 5
AGREE_SHARE, AGREE_S = 0.01, 30.0
Progress = Callable[[float], object]


class Candidate(msgspec.Struct, frozen=True):
    """A mix tried in every replication.

    euros: over the period, without messages. kept: share of each demand's occasions in time; whole: share of
    replications without anything late. meets: whether that keeps the promise. why: what it is or why it loses.
    """

    mix: Mix
    words: str
    euros: Decimal
    kept: dict[str, float]
    whole: float
    meets: bool
    proved: bool
    why: str = ""

    @property
    def probability(self) -> float:
        """The least sure of its demands."""
        return min(self.kept.values())


class Confirmed(msgspec.Struct, frozen=True):
    """A candidate's month of a replication message by message: how far the fluid was off, and what was late."""

    words: str
    replication: int
    month: str
    messages: int
    off_s: float
    late: int
    late_by_fluid: int
    agrees: bool


class Advice(msgspec.Struct, frozen=True):
    """What the advisor says."""

    name: str
    title: str
    target: float
    promise: str
    chosen: Candidate
    rivals: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]
    confirmed: tuple[Confirmed, ...]
    sensitivities: tuple[Sensitivity, ...]
    curves: tuple[Curve, ...]
    invoices: tuple[Invoice, ...]
    acts: Acts
    forecasts: tuple[Forecast, ...]
    euros_in_all: Decimal
    requests: tuple[str, ...]
    replications: int
    seed: int
    contract: str
    notes: tuple[str, ...]


def advise(plan: Plan, progress: Progress = lambda _: None) -> Advice:
    """Find the cheapest mix that keeps the promise. Raises CampaignError with what would be needed if none does."""
    groups = [Group(plan, prefix) for prefix in plan.groups]
    futures = replications(plan)
    done = [0]

    def told(_: int) -> None:
        done[0] += 1
        progress(0.4 * done[0] / (len(groups) * len(futures)))

    needs = [needs_of(group, futures, told) for group in groups]
    wished = plan.asked.probability
    candidates = _screened(plan, groups, futures, needs)
    progress(0.6)
    meeting = [one for one in candidates if one.meets]
    if not meeting:
        raise _unattainable(plan, groups, futures, candidates)
    chosen = replace(meeting[0], why="the cheapest that keeps the promise")
    told_why = tuple(_why(one, chosen, wished) for one in candidates if one.mix != chosen.mix)
    rivals = tuple(sorted(told_why, key=lambda one: (not one.meets, abs(one.euros - chosen.euros)))[:RIVALS])
    confirmed = tuple(_confirmed(groups, futures, (chosen, *rivals), lambda share: progress(0.6 + 0.15 * share)))
    rows = tuple(sensitivities(plan, futures, chosen.mix, lambda share: progress(0.75 + 0.2 * share)))
    sent = _sent(plan, groups)
    delivered = {key: round(volume * plan.asked.delivered_share) for key, volume in sent.items()}
    bills = invoices(chosen.mix, plan.months, plan.contract, delivered)
    acts = acts_of(chosen.mix, plan.months, plan.contract)
    forecasts = forecasts_of(acts, plan.months, plan.contract, sent)
    advice = Advice(
        plan.asked.name, plan.asked.title or plan.asked.name, wished, plan.asked.promise, chosen, rivals,
        (chosen, *told_why), confirmed, rows, tuple(curves(groups, futures, chosen.mix)),
        bills, acts, forecasts, sum((bill.total_ht for bill in bills), Decimal(0)), _requests(acts), len(futures),
        plan.asked.seed, f"{plan.contract.name} {plan.contract.digest}", tuple(_notes(plan, chosen, confirmed)),
    )  # fmt: skip
    progress(1.0)
    return advice


def _screened(plan: Plan, groups: list[Group], futures: list[Replication], needs: list[Needs]) -> list[Candidate]:
    """Every distinct solution of the programme tried in every replication, the cheapest first."""
    target = plan.asked.probability
    best = solve(plan, needs, Wish(target))
    around = best.mix.codes if best else 1
    wishes = [Wish(target, steady=True), *(Wish(step) for step in LADDER)]
    wishes += [Wish(target, codes=around + more) for more in (1, -1, 2, -2, 3, 5, 10, -3) if around + more > 0]
    solutions = [best, *(solve(plan, needs, wish) for wish in wishes)]
    tried = [(one.mix, one.proved) for one in solutions if one is not None]
    if best is not None:
        tried += [(mix, True) for mix in _neighbours(best.mix, plan.tiers)]
    mixes: dict[str, tuple[Mix, bool]] = {}
    for mix, proved in tried:
        if len(mixes) < MOST_CANDIDATES:
            mixes.setdefault(mix.words(), (mix, proved))
    candidates = []
    for words, (mix, proved) in mixes.items():
        kept, whole = evaluate(groups, futures, mix)
        price = cost(mix, plan.months, plan.contract)
        candidates.append(Candidate(mix, words, price, kept, whole, meets(plan, kept, whole), proved))
    return sorted(candidates, key=lambda one: (one.euros, -one.whole))


def _neighbours(mix: Mix, tiers: tuple[int, ...]) -> Iterator[Mix]:
    """The same throughout, with a range's highest code left out or a tier lower or higher, or a standard code more."""
    for prefix, months in mix.held.items():
        for change in ("less", "lower", "higher", "more"):
            changed = [_changed(dict(month), tiers, change) for month in months]
            if any(sum(counts.values()) == 0 for counts in changed):
                continue  # nothing would leave at all
            yield mix_of({**{p: [dict(one) for one in held] for p, held in mix.held.items()}, prefix: changed})


def _changed(counts: dict[int, int], tiers: tuple[int, ...], change: str) -> dict[int, int]:
    top = max(counts, default=tiers[0])
    if counts and change != "more":
        counts[top] -= 1
    if change != "less":
        step = {"lower": -1, "higher": 1, "more": -len(tiers)}[change]
        other = tiers[min(max(0, tiers.index(top) + step), len(tiers) - 1)]
        counts[other] = counts.get(other, 0) + 1
    return counts


def _why(one: Candidate, chosen: Candidate, wished: float) -> Candidate:
    """A rival with the reason why it is not chosen."""
    if one.meets:
        dearer = one.euros - chosen.euros
        gain = f"; it keeps {one.probability:.2%} instead of {chosen.probability:.2%}"
        return replace(
            one, why=f"costs {dearer:,.2f} EUR more" + (gain if one.probability > chosen.probability else "")
        )
    least = min(one.kept, key=lambda name: one.kept[name])
    return replace(one, why=f"keeps only {one.kept[least]:.2%} of {least!r} in time, not {wished:.2%}")


def _unattainable(
    plan: Plan, groups: list[Group], futures: list[Replication], candidates: list[Candidate]
) -> CampaignError:
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
        best = max((one.whole for one in candidates), default=0.0)
        problem, needed = f"no plan of {plan.asked.codes_max} codes keeps the promise; at best {best:.2%} of it", []
    expected = " and ".join(needed) if needed else "a lower probability or more codes_max"
    return CampaignError("probability", problem, expected + (", or a lower probability" if needed else ""))


def _confirmed(
    groups: list[Group], futures: list[Replication], candidates: tuple[Candidate, ...], progress: Progress
) -> Iterator[Confirmed]:
    """The worst replications of each, each in its tightest month, message by message."""
    for place, one in enumerate(candidates):
        for number, (group, future, month) in enumerate(_worst(groups, futures, one.mix)):
            done, waits = group.run(one.mix.rates(group.prefix), future)
            sendings, days = group.late(done, waits)
            sent = send(group, one.mix, future, month)
            mine = [at for at, occasion in enumerate(group.occasions) if occasion.month == month]
            start, off, late, agrees = group.plan.span[0], 0.0, 0, True
            for at, real in zip(mine, sent.done, strict=True):
                occasion = group.occasions[at]
                late += real > (occasion.due - start) / 1e6
                if done[at] < 1e17:
                    gap, took = abs(done[at] - real), real - (occasion.start - start) / 1e6
                    off, agrees = max(off, gap), agrees and (gap <= max(AGREE_S, AGREE_SHARE * took))
            for flow in group.flows:
                late += sum(wait > flow.within_min * 60 for wait in sent.waits[flow.name].values())
            by_fluid = int(sendings[mine].sum()) + int(days[:, [at == month for at in group.days]].sum())
            yield Confirmed(
                one.words, future.number, str(group.plan.months[month]), sent.messages, round(off, 1), late, by_fluid,
                bool(agrees),
            )  # fmt: skip
            progress((place + (number + 1) / WORST) / len(candidates))


def _worst(groups: list[Group], futures: list[Replication], mix: Mix) -> list[tuple[Group, Replication, int]]:
    """The replications in which something comes closest to its deadline, or most past it, and in which month."""
    slack: list[tuple[float, int, int, int]] = []
    for which, group in enumerate(groups):
        due = np.array([(one.due - group.plan.span[0]) / 1e6 for one in group.occasions])
        for future in futures:
            done, waits = group.run(mix.rates(group.prefix), future)
            left = [(float(d - at), one.month) for d, at, one in zip(due, done, group.occasions, strict=True)]
            for flow, row in zip(group.flows, waits, strict=True):
                left += [(flow.within_min * 60 - wait, group.days[day]) for day, wait in enumerate(row)]
            least, month = min(left)
            slack.append((least, which, future.number, month))
    return [(groups[which], futures[number], month) for _, which, number, month in sorted(slack)[:WORST]]


def _sent(plan: Plan, groups: list[Group]) -> dict[tuple[Month, str], int]:
    """Segments asked for by month and range of codes."""
    return {
        (plan.months[month], group.prefix): volume for group in groups for month, volume in group.messages().items()
    }


def _requests(acts: Acts) -> tuple[str, ...]:
    """What must be asked of Orange (OPS-ACH-06)."""
    return tuple(
        f"{code.code}: {tier.rate_per_s}/s from {tier.month} on"
        for code in acts.codes
        for tier in code.tiers
        if tier.request_id
    )


def _notes(plan: Plan, chosen: Candidate, confirmed: tuple[Confirmed, ...]) -> Iterator[str]:
    """What a reader must know."""
    if not chosen.proved:
        yield "the programme was stopped by its time limit: a cheaper mix may exist"
    own = [one for one in confirmed if one.words == chosen.words]
    if any(not one.agrees or one.late != one.late_by_fluid for one in own):
        yield "message by message something else came out than by the fluid: see the confirmation"
    if plan.contract.reading("AMB-07") == "quotation":
        yield "tiers above the lowest are by quotation (AMB-07) and were left out"
    first = civil(plan.span[0])
    yield f"every code is opened on {first:%Y-%m-%d} or later; nothing is assumed to be held before"
