"""Kernel of the fluid model: what a group of short codes sends, as a flow in steps of ten seconds.

The codes of a group share the demand in proportion to their rates, so all are equally far at any instant and one run at
the sum of their rates stands for each of them. Steps that are all alike are taken at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simbench.kernels.jit import kernel

STEP_S, HOUR_S = 10, 3600
NEVER_S = 1e18
LITTLE = 1e-6  # of a message: what remains of sums of fractions


class Load(NamedTuple):
    """What a group is asked for; seconds count from the start of the period, whole steps.

    sent: (5, sendings) start, spread, rank, 1 if bound to legal hours, number of its demand; by start. flows: (flows,
    hours) messages a second. flow_is: (2, flows) rank and 1 if bound to legal hours. day_of: the civil day of each
    hour.
    """

    sent: Any
    flows: Any
    flow_is: Any
    day_of: Any
    ranks: int
    end_s: int


class Supply(NamedTuple):
    """What may carry it: rates (messages a second) up to each of `until`; intervals (2, n) of connection and hours."""

    rates: Any
    until: Any
    up: Any
    legal: Any


def overlap(start: float, end: float, place: int, intervals: Any) -> tuple[float, float]:
    """How much of [start, end) lies within the intervals from `place` on, and where it first does."""
    total, first = 0.0, end
    while place < intervals.shape[1] and intervals[0, place] < end:
        begins, ends = max(start, intervals[0, place]), min(end, intervals[1, place])
        if ends > begins:
            total += ends - begins
            first = min(first, begins)
        place += 1
    return total, first


def unchanged(load: Load, supply: Supply, t: int, places: tuple[int, int, int, int], seconds: float) -> float:
    """Until when hour, month, hours and connection stay as they are and no sending begins.

    places: of the month, the opening interval, the interval of connection, the next sending.
    """
    month, legal, up, entered = places
    until = min(float((t // HOUR_S + 1) * HOUR_S), float(load.end_s))
    if month < len(supply.until) - 1:
        until = min(until, float(supply.until[month]))
    if legal < supply.legal.shape[1]:
        until = min(until, supply.legal[1, legal] if supply.legal[0, legal] <= t else supply.legal[0, legal])
    if up < supply.up.shape[1]:
        until = min(until, supply.up[1, up] if seconds > 0 else supply.up[0, up])
    if entered < load.sent.shape[1]:
        until = min(until, load.sent[0, entered])
    return until


def leading(load: Load, left: Any, first: int, entered: int, is_open: bool) -> int:
    """Which of the sendings that wait and may leave comes first; -1 for none."""
    best = -1
    for i in range(first, entered):
        may = left[i] > LITTLE and (is_open or load.sent[3, i] == 0)
        if may and (best < 0 or load.sent[2, i] < load.sent[2, best]):
            best = i
    return best


class Queues(NamedTuple):
    """What waits of each flow: messages, how much of the step at its head has left, when that step begins (s)."""

    waiting: Any
    partial: Any
    head: Any


def arising(load: Load, factors: Any, f: int, at: int) -> float:
    """Messages of a flow that arise in a step."""
    hour = at // HOUR_S
    arose: float = load.flows[f, hour] * factors[f, load.day_of[hour]] * STEP_S
    return arose


def stride(load: Load, queues: Queues, factors: Any, now: tuple[int, int, bool, int], room: float, served: Any) -> int:
    """How many steps are alike. `served` takes what of each flow leaves in each of them.

    now: the instant, the sending that leads or -1, whether the hours are open, the most steps. room: messages a step
    may carry. A flow that waits, or that arises faster than it may leave, takes all the room there is.
    """
    t, lead, is_open, steps = now
    rest = room
    for rank in range(load.ranks):
        for f in range(load.flows.shape[0]):
            if load.flow_is[0, f] != rank:
                continue
            came, waits = arising(load, factors, f, t), queues.waiting[f] > LITTLE
            may = load.flow_is[1, f] == 0 or is_open
            served[f] = 0.0 if not may else rest if waits or came > rest else came
            rest -= served[f]
            if waits and served[f] > came:
                steps = min(steps, int(queues.waiting[f] / (served[f] - came)) - 1)
            if served[f] > 0 and (waits or came > served[f]):
                at_head = arising(load, factors, f, queues.head[f])
                hour_left = (queues.head[f] // HOUR_S + 1) * HOUR_S - queues.head[f]
                of_hour = at_head * (hour_left // STEP_S) - queues.partial[f]
                steps = min(steps, int(of_hour / served[f]) - 1)
        if lead >= 0 and load.sent[2, lead] == rank:
            rest = 0.0  # the sending takes it all
    return steps


def advance(load: Load, queues: Queues, factors: Any, now: tuple[int, int, int], served: float, waits: Any) -> None:
    """Take so many equal steps of a flow at once; `waits` takes the longest wait of what is at its head meanwhile.

    now: the flow, the instant, the steps. The head stays within its hour, so that its wait only grows or only shrinks.
    """
    f, t, steps = now
    queues.waiting[f] += (arising(load, factors, f, t) - served) * steps
    end = t + steps * STEP_S
    if queues.waiting[f] <= LITTLE:
        queues.waiting[f], queues.partial[f], queues.head[f] = 0.0, 0.0, end
        return
    of = load.day_of[queues.head[f] // HOUR_S]
    at_head = arising(load, factors, f, queues.head[f])
    if served > 0:
        once = int((queues.partial[f] + served + LITTLE) / at_head)
        waits[f, of] = max(waits[f, of], float(t + STEP_S - (queues.head[f] + once * STEP_S)))
        gone = queues.partial[f] + served * steps
        passed = int((gone + LITTLE) / at_head)
        queues.partial[f] = max(0.0, gone - passed * at_head)
        queues.head[f] += passed * STEP_S
    waits[f, of] = max(waits[f, of], float(end - queues.head[f]))


@kernel
def fluid(  # noqa: C901, PLR0912, PLR0915 - one loop over time: compiled code takes no object
    load: Load, supply: Supply, volumes: Any, factors: Any, waits: Any, curve: Any
) -> Any:
    """When each sending is complete (s, NEVER_S if not within the period).

    volumes: messages of each sending. factors: (flows, days) what each flow is multiplied with on a
    day. waits: (flows, days), takes the
    longest wait (s) of what arises on a day. curve: (demands, points), takes what waits of the sendings of each demand,
    evenly over the period; may have no points.
    """
    sendings, flows = load.sent.shape[1], load.flows.shape[0]
    done = np.full(sendings, NEVER_S)
    left, came = volumes.astype(np.float64), np.zeros(sendings)
    waiting, partial, head = np.zeros(flows), np.zeros(flows), np.zeros(flows, np.int64)
    first, entered, up, legal, month, t = 0, 0, 0, 0, 0, 0
    points, taken = curve.shape[1], np.zeros(flows)
    each_s, waits_now = load.end_s / max(1, points), np.zeros(curve.shape[0])
    while t < load.end_s:
        while month < len(supply.until) - 1 and supply.until[month] <= t:
            month += 1
        while up < supply.up.shape[1] and supply.up[1, up] <= t:
            up += 1
        while legal < supply.legal.shape[1] and supply.legal[1, legal] <= t:
            legal += 1
        while entered < sendings and load.sent[0, entered] < t + STEP_S:
            entered += 1
        while first < entered and left[first] <= LITTLE:
            first += 1
        rate, hour = float(supply.rates[month]), t // HOUR_S
        day = load.day_of[hour]
        is_open = legal < supply.legal.shape[1] and supply.legal[0, legal] <= t
        seconds, begins = overlap(float(t), float(t + STEP_S), up, supply.up)
        idle, asked = first == entered and seconds >= STEP_S, 0.0
        for f in range(flows):
            asked += load.flows[f, hour] * factors[f, day]
            bound_now = load.flow_is[1, f] == 1 and not is_open and load.flows[f, hour] > 0
            idle = idle and waiting[f] <= LITTLE and not bound_now
        if idle and asked <= rate:  # nothing waits until something changes
            until = float(min((hour + 1) * HOUR_S, load.end_s))
            if first < sendings:
                until = min(until, load.sent[0, first])
            until = min(until, supply.up[1, up], float(supply.until[month]))
            if is_open:
                until = min(until, supply.legal[1, legal])
            t = max(t + STEP_S, int(until) // STEP_S * STEP_S)
            for f in range(flows):
                head[f], partial[f], waiting[f] = t, 0.0, 0.0
            continue
        if points == 0 and (seconds >= STEP_S or seconds <= 0):
            lead = leading(load, left, first, entered, is_open) if seconds > 0 else -1
            steps = int(unchanged(load, supply, t, (month, legal, up, entered), seconds) - t) // STEP_S
            rest = rate * seconds
            steps = stride(load, Queues(waiting, partial, head), factors, (t, lead, is_open, steps), rest, taken)
            if lead >= 0:
                rest -= taken.sum()
                if rest > LITTLE:
                    steps = min(steps, int(left[lead] / rest) - 1)
                    if load.sent[0, lead] + load.sent[1, lead] > t + STEP_S:
                        steps = 0
            if steps > 1:
                if lead >= 0 and rest > LITTLE:
                    left[lead] -= rest * steps
                    came[lead] += rest * steps
                for f in range(flows):
                    advance(load, Queues(waiting, partial, head), factors, (f, t, steps), taken[f], waits)
                t += steps * STEP_S
                continue
        room, used = rate * seconds, 0.0
        for rank in range(load.ranks):
            for f in range(flows):
                if load.flow_is[0, f] != rank:
                    continue
                waiting[f] += load.flows[f, hour] * factors[f, day] * STEP_S
                if load.flow_is[1, f] == 0 or is_open:
                    served = min(waiting[f], room - used)
                    used += served
                    waiting[f] -= served
                    while served > LITTLE and head[f] <= t:
                        hour_of = head[f] // HOUR_S
                        of_head = load.flows[f, hour_of] * factors[f, load.day_of[hour_of]] * STEP_S - partial[f]
                        if served >= of_head - LITTLE:
                            served = max(0.0, served - of_head)
                            head[f] += STEP_S
                            partial[f] = 0.0
                            at = head[f] // HOUR_S
                            if head[f] % HOUR_S == 0 and head[f] < t and load.flows[f, at] > 0:  # may be another day's
                                of = load.day_of[at]
                                waits[f, of] = max(waits[f, of], float(t + STEP_S - head[f]))
                        else:
                            partial[f] += served
                            served = 0.0
                if waiting[f] <= LITTLE:
                    head[f], partial[f], waiting[f] = t + STEP_S, 0.0, 0.0
                else:
                    of = load.day_of[min(head[f], load.end_s - 1) // HOUR_S]
                    waits[f, of] = max(waits[f, of], float(t + STEP_S - head[f]))
            for i in range(first, entered):
                if used >= room:
                    break
                if load.sent[2, i] != rank or left[i] <= LITTLE:
                    continue
                spread = max(load.sent[1, i], 1e-9)
                share = min(1.0, (t + STEP_S - load.sent[0, i]) / spread)
                here = volumes[i] * share - came[i]
                if load.sent[3, i] == 1 and not is_open:
                    continue
                served = min(here, room - used)
                used += served
                came[i] += served
                left[i] -= served
                if left[i] <= LITTLE:
                    done[i] = min(max(begins + used / rate, load.sent[0, i] + load.sent[1, i]), float(t + STEP_S))
        if points:
            place = min(int(t / each_s), points - 1)
            waits_now[:] = 0
            for i in range(first, entered):
                waits_now[int(load.sent[4, i])] += left[i]
            for demand in range(curve.shape[0]):
                curve[demand, place] = max(curve[demand, place], waits_now[demand])
        t += STEP_S
    for f in range(flows):  # whatever arose after the head waits until the end at least
        if waiting[f] > LITTLE:
            for hour in range(head[f] // HOUR_S + 1, load.end_s // HOUR_S):
                of = load.day_of[hour]
                if load.flows[f, hour] * factors[f, of] > 0:
                    waits[f, of] = max(waits[f, of], float(load.end_s - hour * HOUR_S))
    return done
