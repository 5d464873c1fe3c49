"""Kernel of submission: when the messages of one code leave the client, and when the centre decides on them.

Knows no recipient. It walks the client's queues, the meter and what a cut makes the client send again, one code at a
time and one span after another; everything it must remember lies in the arrays it is given.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simbench.base.units import NEVER, SECOND_US
from simbench.kernels.jit import kernel
from simbench.kernels.meter import LONG_AGO, conforming

OWN_RING, DELAY, MONITOR, REFUSE = 0, 1, 2, 3
"""Who paces: the client itself, or the centre's meter by its way of answering."""
REFUSED, LOST = -1, -2
"""Instead of the instant of the decision: beyond the rate; held and forgotten by a cut."""
MESSAGE, SENT_AT, DECIDED, SESSION = 0, 1, 2, 3
"""Rows of what was sent."""
RING_AT, RATE, CHANGE, UP, FLOOR, QUEUES = 0, 1, 2, 3, 4, 5
"""Places of the state; from QUEUES on, STEP for each queue."""
NEXT, OPENING, LOST_FIRST, LOST_END, STEP = 0, 1, 2, 3, 4
"""Of each queue: its next message, its opening interval, and what is to be sent again (a ring of numbers)."""


class Line(NamedTuple):
    """What a code's client goes by: arrays of instants (us).

    Of queue k the opening intervals are opens[bounds[k] : bounds[k + 1]] with their `closes`. up: login and cut of
    each session. changes: instant and rate of each change of tier. paces: who paces; patience_us: the longest hold,
    or the jitter.
    """

    opens: Any
    closes: Any
    bounds: Any
    up: Any
    changes: Any
    paces: int
    patience_us: int


def opening(instant: int, place: int, end: int, opens: Any, closes: Any) -> int:
    """The first instant, not before the given one, within the intervals from `place` up to `end`."""
    while place < end and closes[place] <= instant:
        place += 1
    return max(instant, opens[place]) if place < end else NEVER


@kernel
def retune(ring: Any, state: Any, rate: int) -> int:
    """Go on with another rate: the latest `rate` instants are kept (`centre.limiter.Limiter.retuned`)."""
    size = state[RATE]
    past = np.empty(size, np.int64)
    for place in range(size):
        past[place] = ring[(state[RING_AT] + place) % size]
    for place in range(rate):
        back = rate - place
        ring[place] = past[size - back] if back <= size else LONG_AGO
    state[RING_AT], state[RATE] = 0, rate
    return rate


@kernel
def first_to_leave(at: Any, ends: Any, line: Line, state: Any, lost: Any, ring_due: int) -> tuple[int, int, bool, int]:
    """When the next message leaves, from which queue, whether again; and when another queue could claim its place.

    Of several the first queue, and in it what is sent again first.
    """
    best, chosen, again, rival, best_free = NEVER, -1, False, NEVER, NEVER
    for k in range(len(ends)):
        mine = QUEUES + STEP * k
        while state[mine + OPENING] < line.bounds[k + 1] and line.closes[state[mine + OPENING]] <= state[FLOOR]:
            state[mine + OPENING] += 1
        for other in range(2):
            if other == 0:
                if state[mine + LOST_FIRST] == state[mine + LOST_END]:
                    continue
                ready = lost[k, state[mine + LOST_FIRST] % lost.shape[1], 1]
            else:
                if state[mine + NEXT] >= ends[k]:
                    continue
                ready = at[state[mine + NEXT]]
            free = opening(max(ready, state[FLOOR]), state[mine + OPENING], line.bounds[k + 1], line.opens, line.closes)
            earliest = free
            if ring_due > free:
                earliest = opening(ring_due, state[mine + OPENING], line.bounds[k + 1], line.opens, line.closes)
            if earliest < best:
                if chosen >= 0:
                    rival = min(rival, best_free)
                best, chosen, again, best_free = earliest, k, other == 0, free
            else:
                rival = min(rival, free)
    return best, chosen, again, rival


@kernel
def run_on(  # noqa: PLR0913 - arrays in, arrays out: compiled code takes no object
    at: Any, end: int, line: Line, ring: Any, state: Any, mine: int, limit: int, sent: Any, filled: int
) -> int:
    """Go on sending from one queue by the client's own ring while nothing else can come between; rows filled then."""
    close = min(limit, line.up[1, state[UP]], line.closes[state[mine + OPENING]])
    place, size, message = state[RING_AT], state[RATE], state[mine + NEXT]
    floor, session = state[FLOOR], state[UP]
    while message < end and filled < sent.shape[1]:
        due = max(conforming(at[message], ring[place]), floor)
        if due >= close:
            break
        ring[place] = floor = due
        place += 1
        if place == size:
            place = 0
        sent[MESSAGE, filled], sent[SENT_AT, filled], sent[DECIDED, filled] = message, due, due
        sent[SESSION, filled] = session
        message += 1
        filled += 1
    state[RING_AT], state[mine + NEXT], state[FLOOR] = place, message, floor
    return filled


@kernel
def decide(line: Line, ring: Any, state: Any, lost: Any, entry: tuple[int, int, int]) -> int:
    """The centre's answer to a message of a queue sent at an instant: when it is decided on, REFUSED or LOST.

    Advances the meter. What is held beyond the cut of its session is LOST and waits in `lost`.
    """
    message, queue, instant = entry
    due = conforming(instant, ring[state[RING_AT]])
    if line.paces not in (OWN_RING, MONITOR) and due - instant > line.patience_us:
        return REFUSED
    ring[state[RING_AT]] = due
    state[RING_AT] = (state[RING_AT] + 1) % state[RATE]
    if line.paces != DELAY:
        return instant
    cut, mine = line.up[1, state[UP]], QUEUES + STEP * queue
    if due <= cut:
        return due
    place = state[mine + LOST_END] % lost.shape[1]
    lost[queue, place, 0], lost[queue, place, 1] = message, cut
    state[mine + LOST_END] += 1
    return LOST


@kernel
def submissions(  # noqa: PLR0913 - arrays in, arrays out: compiled code takes no object
    at: Any, ends: Any, line: Line, ring: Any, state: Any, lost: Any, until: int, sent: Any
) -> int:
    """Walk until everything before `until` is sent or `sent` is full; give how many columns of `sent` are filled.

    at: instants the messages were asked for, queue after queue, each queue by instant; ends[k]: where queue k ends.
    ring: the meter. state: what is remembered. lost: for each queue a ring of (message, ready from) to be sent again.
    """
    filled = 0
    while filled < sent.shape[1]:
        ring_due = ring[state[RING_AT]] + SECOND_US if line.paces == OWN_RING else LONG_AGO
        best, queue, again, rival = first_to_leave(at, ends, line, state, lost, ring_due)
        change = line.changes[0, state[CHANGE]] if state[CHANGE] < line.changes.shape[1] else NEVER
        if change <= min(best, until - 1):
            state[FLOOR] = max(state[FLOOR], change)
            retune(ring, state, line.changes[1, state[CHANGE]])
            state[CHANGE] += 1
            continue
        if best >= until:
            break
        mine = QUEUES + STEP * queue
        if again:
            message = lost[queue, state[mine + LOST_FIRST] % lost.shape[1], 0]
            state[mine + LOST_FIRST] += 1
        else:
            message = state[mine + NEXT]
            state[mine + NEXT] += 1
        state[FLOOR] = best
        while line.up[1, state[UP]] <= best:
            state[UP] += 1
        while line.closes[state[mine + OPENING]] <= best:
            state[mine + OPENING] += 1
        sent[MESSAGE, filled], sent[SENT_AT, filled] = message, best
        sent[DECIDED, filled] = decide(line, ring, state, lost, (message, queue, best))
        sent[SESSION, filled] = state[UP]
        filled += 1
        if line.paces == OWN_RING and rival > best:
            filled = run_on(at, ends[queue], line, ring, state, mine, min(rival, change, until), sent, filled)
    return filled
