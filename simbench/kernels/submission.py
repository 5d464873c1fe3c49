"""Kernel of submission: when the messages of one code leave the client, and when the centre decides on them.

Knows no recipient. It walks the client's queues, the meter and what a cut makes the client send again, one code at a
time and one span after another; everything it must remember lies in the arrays it is given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simbench.kernels.jit import kernel
from simbench.kernels.meter import LONG_AGO, conforming

NEVER = 1 << 62
OWN_RING, DELAY, MONITOR, REFUSE = 0, 1, 2, 3
"""Who paces: the client itself, or the centre's meter by its way of answering."""
REFUSED, LOST = -1, -2
"""Instead of the instant of the decision: beyond the rate; held and forgotten by a cut."""
RING_AT, RATE, CHANGE, UP, FLOOR, QUEUES = 0, 1, 2, 3, 4, 5
"""Places of the state; from QUEUES on, four for each queue."""
NEXT, OPENING, LOST_FIRST, LOST_END = 0, 1, 2, 3
"""Of each queue: its next message, its opening interval, and what is to be sent again (a ring of numbers)."""


def opening(instant: int, place: int, end: int, opens: Any, closes: Any) -> int:
    """The first instant, not before the given one, within the intervals from `place` up to `end`."""
    while place < end and closes[place] <= instant:
        place += 1
    return max(instant, opens[place]) if place < end else NEVER


@kernel
def retuned(ring: Any, state: Any, rate: int) -> int:
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
def submissions(
    at: Any, ends: Any, hours: Any, up: Any, changes: Any, policy: Any, ring: Any, state: Any, lost: Any,
    until: int, sent: Any,
) -> int:  # fmt: skip
    """Walk until everything before `until` is sent or `sent` is full; give how many rows of `sent` are filled.

    at: instants the messages were asked for, queue after queue, each queue by instant; ends[k]: where queue k ends.
    hours: (opens, closes, bounds) of each queue's opening intervals, bounds[k]:bounds[k+1] being queue k's.
    up: 2 rows, login and cut of each session. changes: 2 rows, instant and rate of each change of tier.
    policy: who paces, longest hold or jitter in us. ring: the meter, state: what is remembered (see above).
    lost: for each queue a ring of (message, ready from) to be sent again.
    sent: rows (message, sent at, decided at or REFUSED or LOST, session).
    """
    opens, closes, bounds = hours
    queues, filled, paces, patience = len(ends), 0, policy[0], policy[1]
    room = lost.shape[1]
    while filled < len(sent):
        # The earliest that any queue may send; of several the first queue, and in it what is sent again first.
        ring_due = ring[state[RING_AT]] + 1_000_000 if paces == OWN_RING else LONG_AGO
        best, chosen, again = NEVER, -1, False
        for k in range(queues):
            mine = QUEUES + 4 * k
            while state[mine + OPENING] < bounds[k + 1] and closes[state[mine + OPENING]] <= state[FLOOR]:
                state[mine + OPENING] += 1
            if state[mine + LOST_FIRST] != state[mine + LOST_END]:
                ready = max(lost[k, state[mine + LOST_FIRST] % room, 1], state[FLOOR], ring_due)
                earliest = opening(ready, state[mine + OPENING], bounds[k + 1], opens, closes)
                if earliest < best:
                    best, chosen, again = earliest, k, True
            if state[mine + NEXT] < ends[k]:
                ready = max(at[state[mine + NEXT]], state[FLOOR], ring_due)
                if ready < best:
                    earliest = opening(ready, state[mine + OPENING], bounds[k + 1], opens, closes)
                    if earliest < best:
                        best, chosen, again = earliest, k, False
        if state[CHANGE] < changes.shape[1] and changes[0, state[CHANGE]] <= min(best, until - 1):
            state[FLOOR] = max(state[FLOOR], changes[0, state[CHANGE]])
            retuned(ring, state, changes[1, state[CHANGE]])
            state[CHANGE] += 1
            continue
        if best >= until:
            break
        mine = QUEUES + 4 * chosen
        if again:
            message = lost[chosen, state[mine + LOST_FIRST] % room, 0]
            state[mine + LOST_FIRST] += 1
        else:
            message = state[mine + NEXT]
            state[mine + NEXT] += 1
        state[FLOOR] = best
        while up[1, state[UP]] <= best:
            state[UP] += 1
        due = conforming(best, ring[state[RING_AT]])
        decided = best
        if (paces == DELAY or paces == REFUSE) and due - best > patience:
            decided = REFUSED
        else:
            ring[state[RING_AT]] = due
            state[RING_AT] = (state[RING_AT] + 1) % state[RATE]
            if paces == DELAY:
                decided = due
                if due > up[1, state[UP]]:
                    decided = LOST
                    if state[mine + LOST_END] - state[mine + LOST_FIRST] == room:
                        return -1
                    lost[chosen, state[mine + LOST_END] % room, 0] = message
                    lost[chosen, state[mine + LOST_END] % room, 1] = up[1, state[UP]]
                    state[mine + LOST_END] += 1
        sent[filled, 0], sent[filled, 1], sent[filled, 2], sent[filled, 3] = message, best, decided, state[UP]
        filled += 1
    return filled
