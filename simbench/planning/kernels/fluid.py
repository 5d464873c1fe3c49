"""Kernel of the fluid model: the messages of a group of short codes as a flow in steps of ten seconds.

The codes of a group share the demand in proportion to their rates, so one run at the sum of their rates represents
each of them. Equal steps are computed at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simbench.kernels.jit import kernel_whole

STEP_S, HOUR_S = 10, 3600
NEVER_S = 1e18
LITTLE = 1e-6  # messages: rounding error of sums of fractions


class Load(NamedTuple):
    """The demand on a group; seconds count from the start of the period, in whole steps.

    sent: (5, sendings) start, spread, rank, 1 if bound to legal hours, number of its demand; by start. flows: (flows,
    hours) messages per second. flow_is: (2, flows) rank and 1 if bound to legal hours. day_of: the civil day of each
    hour.
    """

    sent: Any
    flows: Any
    flow_is: Any
    day_of: Any
    ranks: int
    end_s: int


class Supply(NamedTuple):
    """The capacity: rates (messages per second) up to each of `until`; intervals (2, n) of connection and hours."""

    rates: Any
    until: Any
    up: Any
    legal: Any


def overlap(start: float, end: float, place: int, intervals: Any) -> tuple[float, float]:
    """Return the part of [start, end) within the intervals from index `place` on, and its first instant."""
    total, first = 0.0, end
    while place < intervals.shape[1] and intervals[0, place] < end:
        begins, ends = max(start, intervals[0, place]), min(end, intervals[1, place])
        if ends > begins:
            total += ends - begins
            first = min(first, begins)
        place += 1
    return total, first


def unchanged(load: Load, supply: Supply, t: int, places: tuple[int, int, int, int], seconds: float) -> float:
    """Return the instant until which hour, month, legal hours and connection do not change and no sending begins.

    places: indices of the month, the opening interval, the interval of connection, the next sending.
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
    """Return the index of the first waiting sending that may leave; -1 for none."""
    best = -1
    for i in range(first, entered):
        may = left[i] > LITTLE and (is_open or load.sent[3, i] == 0)
        if may and (best < 0 or load.sent[2, i] < load.sent[2, best]):
            best = i
    return best


class Queues(NamedTuple):
    """The queue of each flow: messages, the part of the step at its head that has left, the start of that step (s)."""

    waiting: Any
    partial: Any
    head: Any


def arising(load: Load, factors: Any, f: int, at: int) -> float:
    """Return the messages of a flow requested in a step."""
    hour = at // HOUR_S
    arose: float = load.flows[f, hour] * factors[f, load.day_of[hour]] * STEP_S
    return arose


def stride(load: Load, queues: Queues, factors: Any, now: tuple[int, int, bool, int], room: float, served: Any) -> int:
    """Return the number of equal steps. `served` receives the messages of each flow that leave in each step.

    now: the instant, the first sending or -1, whether the hours are open, the maximum number of steps. room: capacity
    of a step in messages. A waiting flow, or one with more requests than capacity, uses the complete capacity.
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
            rest = 0.0  # the sending uses the rest
    return steps


def advance(load: Load, queues: Queues, factors: Any, now: tuple[int, int, int], served: float, waits: Any) -> None:
    """Compute several equal steps of a flow at once; `waits` receives the longest wait of the messages at its head.

    now: the flow, the instant, the steps. The head stays within its hour, so its wait only increases or only decreases.
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


class Sendings(NamedTuple):
    """Messages of each sending: all, those left, those requested so far; and its completion (s)."""

    volumes: Any
    left: Any
    came: Any
    done: Any


def moved(load: Load, supply: Supply, left: Any, t: int, places: Any) -> tuple[int, int, int, int, int]:
    """Return the indices at an instant: month, opening interval, interval of connection, next and first sending."""
    month, legal, up, entered, first = places
    while month < len(supply.until) - 1 and supply.until[month] <= t:
        month += 1
    while up < supply.up.shape[1] and supply.up[1, up] <= t:
        up += 1
    while legal < supply.legal.shape[1] and supply.legal[1, legal] <= t:
        legal += 1
    while entered < load.sent.shape[1] and load.sent[0, entered] < t + STEP_S:
        entered += 1
    while first < entered and left[first] <= LITTLE:
        first += 1
    return month, legal, up, entered, first


def is_idle(load: Load, queues: Queues, factors: Any, t: int, is_open: bool, rate: float) -> bool:
    """Tell whether no flow waits and all new messages may leave at once."""
    asked = 0.0
    for f in range(load.flows.shape[0]):
        asked += load.flows[f, t // HOUR_S] * factors[f, load.day_of[t // HOUR_S]]
        bound_now = load.flow_is[1, f] == 1 and not is_open and load.flows[f, t // HOUR_S] > 0
        if queues.waiting[f] > LITTLE or bound_now:
            return False
    return asked <= rate


def next_change(load: Load, supply: Supply, t: int, places: Any, is_open: bool) -> int:
    """Return the next step in which an idle group may have messages again."""
    month, legal, up, _, first = places
    until = float(min((t // HOUR_S + 1) * HOUR_S, load.end_s))
    if first < load.sent.shape[1]:
        until = min(until, load.sent[0, first])
    until = min(until, supply.up[1, up], float(supply.until[month]))
    if is_open:
        until = min(until, supply.legal[1, legal])
    return max(t + STEP_S, int(until) // STEP_S * STEP_S)


def leap(  # noqa: PLR0913 - compiled code takes no object
    load: Load, supply: Supply, sendings: Sendings, queues: Queues, factors: Any, now: tuple[int, bool, float, float],
    places: Any, taken: Any, waits: Any,
) -> int:  # fmt: skip
    """Compute the equal steps from now on, and return their number; 0 changes nothing.

    now: the instant, whether the hours are open, the connected part of a step (all or nothing), the rate.
    """
    t, is_open, seconds, rate = now
    month, legal, up, entered, first = places
    lead = leading(load, sendings.left, first, entered, is_open) if seconds > 0 else -1
    steps = int(unchanged(load, supply, t, (month, legal, up, entered), seconds) - t) // STEP_S
    rest = rate * seconds
    steps = stride(load, queues, factors, (t, lead, is_open, steps), rest, taken)
    if lead >= 0:
        rest -= taken.sum()
        if rest > LITTLE:
            steps = min(steps, int(sendings.left[lead] / rest) - 1)
            if load.sent[0, lead] + load.sent[1, lead] > t + STEP_S:
                steps = 0
    if steps <= 1:
        return 0
    if lead >= 0 and rest > LITTLE:
        sendings.left[lead] -= rest * steps
        sendings.came[lead] += rest * steps
    for f in range(load.flows.shape[0]):
        advance(load, queues, factors, (f, t, steps), taken[f], waits)
    return steps


def leave(load: Load, queues: Queues, factors: Any, now: tuple[int, int], served: float, waits: Any) -> None:
    """Move the head of a flow past the messages that leave in a step. now: the flow, the instant."""
    f, t = now
    while served > LITTLE and queues.head[f] <= t:
        of_head = arising(load, factors, f, queues.head[f]) - queues.partial[f]
        if served < of_head - LITTLE:
            queues.partial[f] += served
            return
        served = max(0.0, served - of_head)
        queues.head[f] += STEP_S
        queues.partial[f] = 0.0
        at = queues.head[f] // HOUR_S
        if queues.head[f] % HOUR_S == 0 and queues.head[f] < t and load.flows[f, at] > 0:  # may belong to another day
            of = load.day_of[at]
            waits[f, of] = max(waits[f, of], float(t + STEP_S - queues.head[f]))


def carry_flow(
    load: Load, queues: Queues, factors: Any, now: tuple[int, int, bool], room: float, waits: Any
) -> float:  # fmt: skip
    """Compute one step of a flow: new messages wait, and up to `room` messages leave; return their number.

    now: the flow, the instant, whether the hours are open.
    """
    f, t, is_open = now
    served = 0.0
    queues.waiting[f] += arising(load, factors, f, t)
    if load.flow_is[1, f] == 0 or is_open:
        served = min(queues.waiting[f], room)
        queues.waiting[f] -= served
        leave(load, queues, factors, (f, t), served, waits)
    if queues.waiting[f] <= LITTLE:
        queues.head[f], queues.partial[f], queues.waiting[f] = t + STEP_S, 0.0, 0.0
    else:
        of = load.day_of[min(queues.head[f], load.end_s - 1) // HOUR_S]
        waits[f, of] = max(waits[f, of], float(t + STEP_S - queues.head[f]))
    return served


def carry_sendings(
    load: Load, sendings: Sendings, which: tuple[int, int, int, bool], now: tuple[int, float, float], room: float,
    used: float,
) -> float:  # fmt: skip
    """Compute one step of the sendings of a rank; return the capacity used so far.

    which: rank, first and end of the waiting sendings, whether the hours are open. now: the instant, the beginning of
    the connection in this step, the rate.
    """
    rank, first, entered, is_open = which
    t, begins, rate = now
    for i in range(first, entered):
        if used >= room:
            break
        if load.sent[2, i] != rank or sendings.left[i] <= LITTLE or (load.sent[3, i] == 1 and not is_open):
            continue
        spread = max(load.sent[1, i], 1e-9)
        share = min(1.0, (t + STEP_S - load.sent[0, i]) / spread)
        served = min(sendings.volumes[i] * share - sendings.came[i], room - used)
        used += served
        sendings.came[i] += served
        sendings.left[i] -= served
        if sendings.left[i] <= LITTLE:
            whole = load.sent[0, i] + load.sent[1, i]
            sendings.done[i] = min(max(begins + used / rate, whole), float(t + STEP_S))
    return used


def draw_waiting(load: Load, left: Any, which: tuple[int, int], curve: Any, place: int, waiting: Any) -> None:
    """Write each demand's waiting messages to a point of the curve; which: first and end of the waiting sendings."""
    waiting[:] = 0
    for i in range(which[0], which[1]):
        waiting[int(load.sent[4, i])] += left[i]
    for demand in range(curve.shape[0]):
        curve[demand, place] = max(curve[demand, place], waiting[demand])


def wait_to_the_end(load: Load, queues: Queues, factors: Any, waits: Any) -> None:
    """Record that all traffic after the head of a flow waits at least until the end."""
    for f in range(load.flows.shape[0]):
        if queues.waiting[f] > LITTLE:
            for hour in range(queues.head[f] // HOUR_S + 1, load.end_s // HOUR_S):
                of = load.day_of[hour]
                if load.flows[f, hour] * factors[f, of] > 0:
                    waits[f, of] = max(waits[f, of], float(load.end_s - hour * HOUR_S))


def fluid(load: Load, supply: Supply, volumes: Any, factors: Any, waits: Any, curve: Any) -> Any:
    """Return the completion of each sending (s, NEVER_S if not within the period).

    volumes: messages of each sending. factors: (flows, days) multiplier of each flow on a day. waits: (flows, days),
    receives the longest wait (s) of a day's messages. curve: (demands, points), receives the waiting messages of each
    demand's sendings, evenly over the period; may have no points.
    """
    count, flows = load.sent.shape[1], load.flows.shape[0]
    left = volumes.astype(np.float64)
    sendings = Sendings(volumes, left, np.zeros(count), np.full(count, NEVER_S))
    queues = Queues(np.zeros(flows), np.zeros(flows), np.zeros(flows, np.int64))
    carry(load, supply, sendings, queues, factors, waits, curve, np.zeros(flows), np.zeros(curve.shape[0]))
    return sendings.done


@kernel_whole
def carry(  # noqa: PLR0913 - compiled code takes no object
    load: Load, supply: Supply, sendings: Sendings, queues: Queues, factors: Any, waits: Any, curve: Any, taken: Any,
    waiting: Any,
) -> int:  # fmt: skip
    """Compute all steps up to the end of the period; return the instant of the end."""
    points, places, t = curve.shape[1], (0, 0, 0, 0, 0), 0
    while t < load.end_s:
        places = moved(load, supply, sendings.left, t, places)
        month, legal, up, entered, first = places
        rate = float(supply.rates[month])
        is_open = legal < supply.legal.shape[1] and supply.legal[0, legal] <= t
        seconds, begins = overlap(float(t), float(t + STEP_S), up, supply.up)
        if first == entered and seconds >= STEP_S and is_idle(load, queues, factors, t, is_open, rate):
            t = next_change(load, supply, t, places, is_open)
            queues.head[:], queues.partial[:], queues.waiting[:] = t, 0.0, 0.0
            continue
        if points == 0 and (seconds >= STEP_S or seconds <= 0):
            now = (t, is_open, seconds, rate)
            steps = leap(load, supply, sendings, queues, factors, now, places, taken, waits)
            if steps:
                t += steps * STEP_S
                continue
        room, used = rate * seconds, 0.0
        for rank in range(load.ranks):
            for f in range(load.flows.shape[0]):
                if load.flow_is[0, f] == rank:
                    used += carry_flow(load, queues, factors, (f, t, is_open), room - used, waits)
            which = (rank, first, entered, is_open)
            used = carry_sendings(load, sendings, which, (t, begins, rate), room, used)
        if points:
            place = min(int(t / (load.end_s / points)), points - 1)
            draw_waiting(load, sendings.left, (first, entered), curve, place, waiting)
        t += STEP_S
    wait_to_the_end(load, queues, factors, waits)
    return t
