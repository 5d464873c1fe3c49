"""A code plan run message by message: one month of one replication, in the vectorised engine.

Messages are followed until they leave the client: a sending is complete when its last message has been submitted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.calendar import civil
from simbench.base.units import HOUR_US, SECOND_US
from simbench.planning.campaign import FIRST, LEGAL, Plan, Sending, Steady
from simbench.planning.loads import Group, Occasion, Replication
from simbench.planning.mix import Mix, acts_of
from simbench.simulation.bulk import spans_of
from simbench.simulation.plan import STREAM_SHIFT, World
from simbench.simulation.plan import plan as world_plan
from simbench.simulation.scenario import WorldScenario

Floats = NDArray[np.float64]


class Sent(msgspec.Struct, frozen=True):
    """What one month came to, seconds after the period's start: completion of each of the month's occasions of a
    group, in their order; of each flow the longest wait of what arose on each day of the month (by day of period).
    """  # fmt: skip

    done: tuple[float, ...]
    waits: dict[str, dict[int, float]]
    messages: int


def send(group: Group, mix: Mix, replication: Replication, month: int) -> Sent:
    """Send everything a group is asked for in a month (by its place in the period), message by message."""
    plan = group.plan
    rates = _rates(plan, mix, group.prefix, month)
    chosen = [one for one in group.occasions if one.month == month]
    world, streams = _world(group, rates, replication, month)
    start = plan.span[0]
    last = np.zeros(len(world.streams) + 1, np.int64)
    waits: dict[str, dict[int, float]] = {flow.name: {} for flow in group.flows}
    messages, steady = 0, len(rates) * len(group.flows)
    for code in rates:
        asked_at: list[tuple[Any, Any]] = []
        sent_at: list[tuple[Any, Any]] = []
        for asked, batches in spans_of(world, code):
            if group.flows:
                asked_at += [_steady(steady, queue.entity, queue.at) for queue in asked]
            for batch in batches:
                np.maximum.at(last, batch.entity >> STREAM_SHIFT, batch.sent.sent_at)
                messages += len(batch)
                if group.flows:
                    sent_at.append(_steady(steady, batch.entity, batch.sent.sent_at))
        for flow, numbers in streams.items():
            if isinstance(flow, Steady):
                _waits(waits[flow.name], numbers, asked_at, sent_at, start)
    done = []
    for one in chosen:
        numbers = [number for key, all_of in streams.items() if key is one for number in all_of]
        done.append((max(int(last[number]) for number in numbers) - start) / SECOND_US)
    return Sent(tuple(done), waits, messages)


def _rates(plan: Plan, mix: Mix, prefix: str, month: int) -> dict[str, int]:
    """Each code of a range that is open in a month, and its rate then."""
    found = {}
    one_month = Mix({prefix: (mix.held[prefix][month],)})
    for code in acts_of(one_month, plan.months[month : month + 1], plan.contract).codes:
        standard = plan.contract.terms.throughput.default_per_s.value
        found[code.code] = code.tiers[0].rate_per_s if code.tiers else standard
    return found


def _world(
    group: Group, rates: dict[str, int], replication: Replication, month: int
) -> tuple[World, dict[Occasion | Steady, list[int]]]:
    """The world of a month, and the numbers of the streams that make up each occasion and flow."""
    plan, total = group.plan, sum(rates.values())
    first, after = plan.months[month], plan.months[month].following
    campaigns: list[dict[str, Any]] = []
    flows: list[dict[str, Any]] = []
    owners: list[tuple[str, Occasion | Steady]] = []
    for flow in group.flows:
        for code, rate in rates.items():
            per_day = flow.per_day * replication.factors[flow.name] * rate / total
            flows.append(
                _common(flow, code) | {"name": f"{flow.name} {code}", "per_day": per_day, "daily": flow.daily,
                                       "weekly": flow.weekly}
            )  # fmt: skip
            owners.append((flow.name, flow))
    for one in group.occasions:
        if one.month != month:
            continue
        volume = round(one.demand.volume * replication.factors[one.demand.name])
        for code, part in _split(volume, rates).items():
            if part:
                at = f"{civil(one.start):%Y-%m-%dT%H:%M:%S}"
                campaigns.append(
                    _common(one.demand, code) | {"name": f"{one.demand.name[:30]} {at} {code}", "start": at,
                                                 "volume": part, "spread_min": one.demand.spread_min}
                )  # fmt: skip
                owners.append((one.demand.name, one))
    config = {
        "period": {"from": f"{first.first}", "to": f"{after.first}"},
        "codes": [{"code": code, "rate_per_s": rate, "request_id": "plan"} for code, rate in rates.items()],
        "seed": plan.asked.seed + replication.number, "campaigns": campaigns, "flows": flows,
    }  # fmt: skip
    world = world_plan(msgspec.convert(config, WorldScenario), plan.contract)
    happening = tuple(
        one for one in replication.incidents if one.start < world.end and (one.end or world.end) > world.start
    )
    world = replace(world, incidents=happening)
    numbers: dict[Occasion | Steady, list[int]] = {}
    for number, (_, owner) in enumerate(owners, 1):
        numbers.setdefault(owner, []).append(number)
    return world, numbers


def _common(demand: Sending | Steady, code: str) -> dict[str, Any]:
    hours = "legal" if demand.kind in LEGAL else "any"
    return {"code": code, "priority": FIRST[demand.kind], "hours": hours, "parts": demand.parts}


def _split(volume: int, rates: dict[str, int]) -> dict[str, int]:
    """A volume over codes in proportion to their rates, to the message."""
    total, found, done = sum(rates.values()), {}, 0
    so_far = 0
    for code, rate in rates.items():
        so_far += rate
        found[code] = volume * so_far // total - done
        done += found[code]
    return found


def _steady(streams: int, entity: Any, at: Any) -> tuple[Any, Any]:
    """What belongs to flows: their streams come first."""
    mine = entity >> STREAM_SHIFT <= streams
    return entity[mine], at[mine]


def _waits(
    found: dict[int, float], numbers: list[int], asked: list[tuple[Any, Any]], sent: list[tuple[Any, Any]], start: int
) -> None:
    """The longest wait of each day, of the streams given."""
    wanted = np.array(numbers)
    entity, at = (np.concatenate(parts) for parts in zip(*asked, strict=True))
    mine = np.isin(entity >> STREAM_SHIFT, wanted)
    entity, at = entity[mine], at[mine]
    order = np.argsort(entity, kind="stable")
    entity, at = entity[order], at[order]
    sent_entity, sent_at = (np.concatenate(parts) for parts in zip(*sent, strict=True))
    mine = np.isin(sent_entity >> STREAM_SHIFT, wanted)
    places = np.searchsorted(entity, sent_entity[mine])
    waited = (sent_at[mine] - at[places]) / SECOND_US
    first = civil(start).date()
    hours = (at[places] // HOUR_US).astype(np.int64)
    if not len(hours):
        return
    longest = np.zeros(int(hours.max() - hours.min()) + 1)
    np.maximum.at(longest, hours - hours.min(), waited)
    for place, wait in enumerate(longest):
        day = (civil((int(hours.min()) + place) * HOUR_US).date() - first).days
        found[day] = max(found.get(day, 0.0), float(wait))
