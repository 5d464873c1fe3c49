"""The advisor: the cheapest mix that keeps the promise, its rivals and why they lose. Draws and prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from simbench.billing.acts import Acts, Month
from simbench.billing.invoice import Invoice
from simbench.contract.calendar import civil
from simbench.planning.campaign import CampaignError, Plan
from simbench.planning.loads import Group, Replication, replications
from simbench.planning.messages import send
from simbench.planning.mix import Mix, acts_of, cost, invoices, mix_of
from simbench.planning.needs import Needs, needs_of
from simbench.planning.programme import Wish, enough, solve

LADDER = (0.5, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 1.0)
MOST_CANDIDATES, RIVALS, WORST = 20, 2, 5
AGREE_SHARE, AGREE_S = 0.01, 30.0
CURVE, CURVED = 96, 100  # points of a curve; replications it is drawn from
Progress = Callable[[float], object]
Bools = NDArray[np.bool_]


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


class Sensitivity(msgspec.Struct, frozen=True):
    """What becomes of the chosen mix's probability under another assumption."""

    assumption: str
    low: str
    high: str
    at_low: float
    at_high: float


class Curve(msgspec.Struct, frozen=True):
    """A sending's backlog from start to past its deadline: hours, and shares that wait in the 5th, 50th, 95th of 100
    replications' worst. `in_time` is the share of its occasions complete by each hour.
    """  # fmt: skip

    demand: str
    hours: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]
    in_time: tuple[float, ...]
    deadline_h: float


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
        progress(0.6 * done[0] / (len(groups) * len(futures)))

    needs = [needs_of(group, futures, told) for group in groups]
    wished = plan.asked.probability
    candidates = _screened(plan, groups, futures, needs)
    progress(0.7)
    meeting = [one for one in candidates if one.meets]
    if not meeting:
        raise _unattainable(plan, groups, futures, candidates)
    chosen = replace(meeting[0], why="the cheapest that keeps the promise")
    told_why = tuple(_why(one, chosen, wished) for one in candidates if one.mix != chosen.mix)
    rivals = tuple(sorted(told_why, key=lambda one: (not one.meets, abs(one.euros - chosen.euros)))[:RIVALS])
    confirmed = tuple(_confirmed(groups, futures, (chosen, *rivals), lambda share: progress(0.7 + 0.25 * share)))
    bills = invoices(chosen.mix, plan.months, plan.contract, _delivered(plan, groups))
    acts = acts_of(chosen.mix, plan.months, plan.contract)
    advice = Advice(
        plan.asked.name, plan.asked.title or plan.asked.name, wished, plan.asked.promise, chosen, rivals,
        (chosen, *told_why), confirmed, tuple(_sensitivities(plan, chosen)), tuple(_curves(groups, futures, chosen)),
        bills, acts, sum((bill.total_ht for bill in bills), Decimal(0)), _requests(acts), len(futures),
        plan.asked.seed, f"{plan.contract.name} {plan.contract.digest}", tuple(_notes(plan, chosen, confirmed)),
    )  # fmt: skip
    progress(1.0)
    return advice


def evaluate(groups: list[Group], futures: list[Replication], mix: Mix) -> tuple[dict[str, float], float]:
    """Share of each demand's occasions in time, and of replications without anything late."""
    late: dict[str, list[Bools]] = {}
    whole = np.ones(len(futures), bool)
    for group in groups:
        rates = mix.rates(group.prefix)
        for number, future in enumerate(futures):
            sendings, days = group.late(*group.run(rates, future))
            whole[number] &= not (sendings.any() or days.any())
            for demand in group.sendings:
                mine = np.array([one.demand.name == demand.name for one in group.occasions])
                late.setdefault(demand.name, []).append(sendings[mine])
            for flow, each in zip(group.flows, days, strict=True):
                late.setdefault(flow.name, []).append(each)
    kept = {name: 1 - float(np.concatenate(parts).mean()) for name, parts in late.items()}
    return kept, float(whole.mean())


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
        sure = whole if plan.asked.promise == "period" else min(kept.values())
        price = cost(mix, plan.months, plan.contract)
        candidates.append(Candidate(mix, words, price, kept, whole, sure >= target - 1e-9, proved))
    return sorted(candidates, key=lambda one: (one.euros, -one.whole))


def _neighbours(mix: Mix, tiers: tuple[int, ...]) -> Iterator[Mix]:
    """The same with the highest code of a range one tier lower or higher, or one standard code more, throughout."""
    for prefix, months in mix.held.items():
        for step in (-1, 1, 0):
            changed: list[dict[int, int]] = []
            for month in months:
                counts = dict(month)
                top = max(counts, default=tiers[0])
                other = tiers[min(max(0, tiers.index(top) + step), len(tiers) - 1)]
                if step and counts:
                    counts[top] -= 1
                counts[other if step else tiers[0]] = counts.get(other if step else tiers[0], 0) + 1
                changed.append(counts)
            yield mix_of({**{p: [dict(one) for one in held] for p, held in mix.held.items()}, prefix: changed})


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


def _sensitivities(plan: Plan, chosen: Candidate) -> Iterator[Sensitivity]:
    """The chosen mix's probability when volumes and outages are others than assumed."""
    rows: tuple[tuple[str, str, str, Plan, Plan], ...] = (
        ("volume", "-20 %", "+20 %", _scaled(plan, 0.8, 1, 1), _scaled(plan, 1.2, 1, 1)),
        ("volume, a little", "-5 %", "+5 %", _scaled(plan, 0.95, 1, 1), _scaled(plan, 1.05, 1, 1)),
        ("time between outages", "twice", "half", _scaled(plan, 1, 2, 1), _scaled(plan, 1, 0.5, 1)),
        ("length of outages", "half", "twice", _scaled(plan, 1, 1, 0.5), _scaled(plan, 1, 1, 2)),
    )
    for name, low, high, lower, higher in rows:
        if "outages" in name and not plan.asked.outages.drawn:
            continue
        sure = []
        for other in (lower, higher):
            groups = [Group(other, prefix) for prefix in other.groups]
            kept, whole = evaluate(groups, replications(other), chosen.mix)
            sure.append(whole if plan.asked.promise == "period" else min(kept.values()))
        yield Sensitivity(name, low, high, sure[0], sure[1])


def _scaled(plan: Plan, volume: float, between: float, lasting: float) -> Plan:
    asked = plan.asked
    drawn = tuple(
        replace(
            one,
            between=replace(one.between, mean_h=max(0.1, one.between.mean_h * between)),
            lasting=replace(one.lasting, mean_h=max(0.1, one.lasting.mean_h * lasting)),
        )
        for one in asked.outages.drawn
    )
    return Plan(
        replace(
            asked,
            sendings=tuple(replace(one, volume=max(1, round(one.volume * volume))) for one in asked.sendings),
            flows=tuple(replace(one, per_day=one.per_day * volume) for one in asked.flows),
            outages=replace(asked.outages, drawn=drawn),
        ),
        plan.contract,
    )


def _curves(groups: list[Group], futures: list[Replication], chosen: Candidate) -> Iterator[Curve]:
    """Backlog and completion of each sending's occasions, with the band of the replications."""
    for group in groups:
        for demand in group.sendings:
            hours = np.linspace(0, demand.deadline_h * 1.5, CURVE)
            step_s = max(10.0, float(hours[1]) * 3600)
            rows, took = [], []
            for future in futures[:CURVED]:
                curve = np.zeros(int(group.load.end_s / step_s))
                done, _ = group.run(chosen.mix.rates(group.prefix), future, curve)
                for at, one in enumerate(group.occasions):
                    if one.demand.name == demand.name:
                        begin = (one.start - group.plan.span[0]) / 1e6
                        places = ((begin + hours * 3600) / group.load.end_s * len(curve)).astype(int)
                        rows.append(curve[np.minimum(places, len(curve) - 1)] / (demand.volume * demand.parts))
                        took.append((done[at] - begin) / 3600)
            low, middle, high = (_rounded(np.quantile(rows, q, axis=0)) for q in (0.05, 0.5, 0.95))
            in_time = _rounded(np.array([(np.array(took) <= hour).mean() for hour in hours]))
            yield Curve(demand.name, _rounded(hours), low, middle, high, in_time, demand.deadline_h)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.round(values, 4).tolist())


def _delivered(plan: Plan, groups: list[Group]) -> dict[tuple[Month, str], int]:
    share = plan.asked.delivered_share
    return {
        (plan.months[month], group.prefix): round(volume * share)
        for group in groups
        for month, volume in group.messages().items()
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
