"""A code plan simulated message by message: some days of one future, in the vectorised engine of the world.

Only submission by the client is simulated: a promise is met when the last message has been submitted. Codes are
simulated one after another in short spans, so that the memory depends on neither volume nor days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.units import SECOND_US
from simbench.planning.campaign import FIRST, LEGAL, Plan, Sending, Steady
from simbench.planning.code_plan import CodePlan, acts_of
from simbench.planning.loads import Group, Replication
from simbench.simulation.bulk import Batch, spans_of
from simbench.simulation.plan import STREAM_SHIFT, World
from simbench.simulation.plan import plan as world_plan
from simbench.simulation.scenario import WorldScenario

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
SentSoFar = Callable[[int], object]


class Sent(msgspec.Struct, frozen=True):
    """The result of some days (s since the period's start): indices of their occasions among the group's, with the
    completion of each, and for each flow the longest wait of each day's messages (by day of the period).
    """  # fmt: skip

    occasions: tuple[int, ...]
    done: tuple[float, ...]
    waits: dict[str, dict[int, float]]
    messages: int


def volume(group: Group, replication: Replication, first: int, end: int) -> int:
    """Return the approximate number of messages requested on the days [first, end)."""
    volumes = group.volumes(replication)
    sent = sum(float(volumes[at]) for at, one in enumerate(group.occasions) if first <= group.day_at(one.start) < end)
    hours = np.asarray((group.load.day_of >= first) & (group.load.day_of < end))
    days = group.load.day_of[hours]
    for flow, rates in zip(group.flows, group.load.flows, strict=True):
        sent += float((rates[hours] * replication.factors[flow.name][days]).sum()) * 3600
    return round(sent)


def send(
    group: Group, mix: CodePlan, replication: Replication, first: int, end: int, progress: SentSoFar = lambda _: None
) -> Sent:
    """Simulate all messages of a group on the days [first, end) of the period.

    progress: is called with the number of messages newly sent.
    """
    rates = _rates(group.plan, mix, group.prefix, group.days[first])
    places = [at for at, one in enumerate(group.occasions) if first <= group.day_at(one.start) < end]
    world, owners = _world(group, rates, replication, (first, end), places)
    start = group.plan.span[0]
    edges = np.array([start + round(group.midnight(day) * SECOND_US) for day in range(first, end + 1)], np.int64)
    last = np.zeros(len(world.streams) + 1, np.int64)
    longest = np.zeros((len(world.streams) + 1, end - first))
    messages = 0
    for code in rates:
        for _, batches in spans_of(world, code):
            for batch in batches:
                messages += len(batch)
                progress(len(batch))
                _noted(batch, edges, last, longest)
    done = tuple((max(int(last[n]) for n in owners[at]) - start) / SECOND_US for at in places)
    waits = {
        flow.name: {first + day: float(longest[owners[flow.name], day].max()) for day in range(end - first)}
        for flow in group.flows
    }
    return Sent(tuple(places), done, waits, messages)


def _noted(batch: Batch, edges: Integers, last: Integers, longest: Floats) -> None:
    """Record when each stream last sent, and the longest wait (s) of its messages by day."""
    stream = batch.entity >> STREAM_SHIFT
    day = np.clip(np.searchsorted(edges, batch.at, "right") - 1, 0, longest.shape[1] - 1)
    sent_at = batch.sent.sent_at
    waited = (sent_at - batch.at) / SECOND_US
    key = stream * longest.shape[1] + day
    order = np.argsort(key, kind="stable")
    firsts = np.flatnonzero(np.diff(key[order], prepend=-1))
    keys = key[order][firsts]
    np.maximum.at(longest.reshape(-1), keys, np.maximum.reduceat(waited[order], firsts))
    np.maximum.at(last, keys // longest.shape[1], np.maximum.reduceat(sent_at[order], firsts))


def _rates(plan: Plan, mix: CodePlan, prefix: str, month: int) -> dict[str, int]:
    """Return each code of a range that is open in a month, with its rate."""
    found = {}
    one_month = CodePlan({prefix: (mix.held[prefix][month],)})
    for code in acts_of(one_month, plan.months[month : month + 1], plan.contract).codes:
        standard = plan.contract.terms.throughput.default_per_s.value
        found[code.code] = code.tiers[0].rate_per_s if code.tiers else standard
    return found


def _world(
    group: Group, rates: dict[str, int], replication: Replication, days: tuple[int, int], places: list[int]
) -> tuple[World, dict[int | str, list[int]]]:
    """Return the world of some days, and the numbers of the streams of each occasion (by index) and flow."""
    plan, total = group.plan, sum(rates.values())
    campaigns: list[dict[str, Any]] = []
    flows: list[dict[str, Any]] = []
    owners: list[int | str] = []
    for flow in group.flows:
        share, weekly = _weekly(group, flow, replication, days)
        for code, rate in rates.items():
            per_day = flow.per_day * share * rate / total
            flows.append(
                _common(flow, code) | {"name": f"{flow.name} {code}", "per_day": per_day, "daily": flow.daily,
                                       "weekly": weekly}
            )  # fmt: skip
            owners.append(flow.name)
    factors = group.volumes(replication)
    for at in places:
        one = group.occasions[at]
        for code, part in _split(round(factors[at] / one.demand.parts), rates).items():
            if part:
                begins = f"{plan.calendar.civil(one.start):%Y-%m-%dT%H:%M:%S}"
                campaigns.append(
                    _common(one.demand, code) | {"name": f"{one.demand.name[:30]} {begins} {code}", "start": begins,
                                                 "volume": part, "spread_min": one.demand.spread_min}
                )  # fmt: skip
                owners.append(at)
    first, after = (plan.calendar.civil(plan.span[0] + round(group.midnight(day) * SECOND_US)) for day in days)
    config = {
        "period": {"from": f"{first:%Y-%m-%d}", "to": f"{after:%Y-%m-%d}"},
        "codes": [{"code": code, "rate_per_s": rate, "request_id": "plan"} for code, rate in rates.items()],
        "seed": plan.campaign.seed + replication.number, "campaigns": campaigns, "flows": flows,
    }  # fmt: skip
    world = world_plan(msgspec.convert(config, WorldScenario), plan.contract)
    happening = tuple(
        one for one in replication.incidents if one.start < world.end and (one.end or world.end) > world.start
    )
    numbers: dict[int | str, list[int]] = {}
    for number, owner in enumerate(owners, 1):
        numbers.setdefault(owner, []).append(number)
    return replace(world, incidents=happening), numbers


def _weekly(group: Group, flow: Steady, replication: Replication, days: tuple[int, int]) -> tuple[float, list[float]]:
    """Return a flow's volume of each of at most seven days, as a factor and weights of the weekdays."""
    factors = replication.factors[flow.name]
    first = group.plan.calendar.civil(group.plan.span[0]).weekday()
    weights = list(flow.weekly)
    for day in range(*days):
        weights[(first + day) % 7] = flow.weekly[(first + day) % 7] * float(factors[day])
    return sum(weights) / sum(flow.weekly), weights


def _common(demand: Sending | Steady, code: str) -> dict[str, Any]:
    hours = "legal" if demand.kind in LEGAL else "any"
    return {"code": code, "priority": FIRST[demand.kind], "hours": hours, "parts": demand.parts}


def _split(messages: int, rates: dict[str, int]) -> dict[str, int]:
    """Divide messages among codes in proportion to their rates; the sum is exact."""
    total, found, done = sum(rates.values()), {}, 0
    so_far = 0
    for code, rate in rates.items():
        so_far += rate
        found[code] = messages * so_far // total - done
        done += found[code]
    return found
