"""Kernel of submission: when the client of one code sends each message, and when the SMSC decides on it.

It simulates the client's queues, the meter, and messages sent again after a cut, span by span. Its array arguments
keep the state between two spans.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simbench.base.units import SECOND_US
from simbench.kernels.jit import kernel
from simbench.kernels.meter import LONG_AGO, conforming
from simbench.simulation.kernels.layout import CLIENT_METER, DELAY, LOST, MONITOR, NEVER, REFUSED, Sent


class Schedule(NamedTuple):
    """The schedule of a code's client: arrays of instants (us).

    Queue k may send in opens[bounds[k] : bounds[k + 1]] until the matching `closes`. Sessions last from `logins` to
    `cuts`. The rate becomes change_rate[n] at change_at[n]. `pacing` is the meter that limits the rate; `patience_us`
    is the longest hold, or the tolerated jitter.
    """

    opens: Any
    closes: Any
    bounds: Any
    logins: Any
    cuts: Any
    change_at: Any
    change_rate: Any
    pacing: int
    patience_us: int


def opening(instant: int, place: int, end: int, opens: Any, closes: Any) -> int:
    """Return the first instant, not before the given one, within the intervals from `place` up to `end`."""
    while place < end and closes[place] <= instant:
        place += 1
    return max(instant, opens[place]) if place < end else NEVER


@kernel
def retune(ring: Any, client: Any, rate: int) -> int:
    """Change the rate; the meter keeps its latest `rate` instants (`Limiter.retuned`)."""
    size = client.rate
    past = np.empty(size, np.int64)
    for place in range(size):
        past[place] = ring[(client.oldest + place) % size]
    for place in range(rate):
        back = rate - place
        ring[place] = past[size - back] if back <= size else LONG_AGO
    client.oldest, client.rate = 0, rate
    return rate


@kernel
def first_to_leave(  # noqa: PLR0913 - arrays in, arrays out: compiled code takes no object
    at: Any, ends: Any, schedule: Schedule, client: Any, queues: Any, resend: Any, meter_due: int
) -> tuple[int, int, bool, int]:
    """Find the next message: its instant, its queue, whether it is sent again, and when another queue could precede it.

    At one instant the first queue sends first, and in a queue the messages to be sent again.
    """
    best, chosen, again, rival, best_free = NEVER, -1, False, NEVER, NEVER
    for k in range(len(ends)):
        last_opening = schedule.bounds[k + 1]
        while queues[k].opening < last_opening and schedule.closes[queues[k].opening] <= client.not_before:
            queues[k].opening += 1
        for other in range(2):
            if other == 0:
                if queues[k].resend_first == queues[k].resend_end:
                    continue
                ready = resend[k, queues[k].resend_first % resend.shape[1]].ready_at
            else:
                if queues[k].next >= ends[k]:
                    continue
                ready = at[queues[k].next]
            free = opening(
                max(ready, client.not_before), queues[k].opening, last_opening, schedule.opens, schedule.closes
            )
            earliest = free
            if meter_due > free:
                earliest = opening(meter_due, queues[k].opening, last_opening, schedule.opens, schedule.closes)
            if earliest < best:
                if chosen >= 0:
                    rival = min(rival, best_free)
                best, chosen, again, best_free = earliest, k, other == 0, free
            else:
                rival = min(rival, free)
    return best, chosen, again, rival


@kernel
def run_on(  # noqa: PLR0913 - arrays in, arrays out: compiled code takes no object
    at: Any, end: int, schedule: Schedule, ring: Any, client: Any, queue: Any, limit: int, sent: Sent, filled: int
) -> int:
    """Send from one queue at the rate of the client's meter while nothing can intervene; return the rows filled."""
    session = client.session
    close = min(limit, schedule.cuts[session], schedule.closes[queue.opening])
    place, size, message, not_before = client.oldest, client.rate, queue.next, client.not_before
    messages, sent_at, decided, sessions = sent
    while message < end and filled < len(messages):
        due = max(conforming(at[message], ring[place]), not_before)
        if due >= close:
            break
        ring[place] = not_before = due
        place += 1
        if place == size:
            place = 0
        messages[filled], sent_at[filled], decided[filled], sessions[filled] = message, due, due, session
        message += 1
        filled += 1
    client.oldest, queue.next, client.not_before = place, message, not_before
    return filled


@kernel
def decide(  # noqa: PLR0913 - arrays in, arrays out: compiled code takes no object
    schedule: Schedule, ring: Any, client: Any, queue: Any, resend: Any, message: int, instant: int
) -> int:
    """Return when the SMSC decides on a message sent at an instant; REFUSED above the rate, LOST if a cut comes first.

    Advances the meter. A LOST message is added to `resend`, the queue's ring of messages to send again.
    """
    due = conforming(instant, ring[client.oldest])
    if schedule.pacing not in (CLIENT_METER, MONITOR) and due - instant > schedule.patience_us:
        return REFUSED
    ring[client.oldest] = due
    client.oldest = (client.oldest + 1) % client.rate
    if schedule.pacing != DELAY:
        return instant
    cut = schedule.cuts[client.session]
    if due <= cut:
        return due
    row = resend[queue.resend_end % len(resend)]
    row.message, row.ready_at = message, cut
    queue.resend_end += 1
    return LOST


@kernel
def submissions(  # noqa: PLR0913 - arrays in, arrays out: compiled code takes no object
    at: Any, ends: Any, schedule: Schedule, ring: Any, client: Any, queues: Any, resend: Any, until: int, sent: Sent
) -> int:
    """Send until everything before `until` was sent or `sent` is full; return the number of messages filled in.

    `at`: instants of requests, queue after queue, in order; `ends[k]`: end of queue k. `ring`: the meter. `client`,
    `queues` and `resend` are rows of CLIENT, QUEUE and, for each queue, RESEND.
    """
    filled = 0
    while filled < len(sent.message):
        meter_due = ring[client.oldest] + SECOND_US if schedule.pacing == CLIENT_METER else LONG_AGO
        best, k, again, rival = first_to_leave(at, ends, schedule, client, queues, resend, meter_due)
        change = schedule.change_at[client.next_change] if client.next_change < len(schedule.change_at) else NEVER
        if change <= min(best, until - 1):
            client.not_before = max(client.not_before, change)
            retune(ring, client, schedule.change_rate[client.next_change])
            client.next_change += 1
            continue
        if best >= until:
            break
        queue = queues[k]
        if again:
            message = resend[k, queue.resend_first % resend.shape[1]].message
            queue.resend_first += 1
        else:
            message = queue.next
            queue.next += 1
        client.not_before = best
        while schedule.cuts[client.session] <= best:
            client.session += 1
        while schedule.closes[queue.opening] <= best:
            queue.opening += 1
        sent.message[filled], sent.sent_at[filled], sent.session[filled] = message, best, client.session
        sent.decided[filled] = decide(schedule, ring, client, queue, resend[k], message, best)
        filled += 1
        if schedule.pacing == CLIENT_METER and rival > best:
            filled = run_on(at, ends[k], schedule, ring, client, queue, min(rival, change, until), sent, filled)
    return filled


@kernel
def consecutive(messages: Any) -> bool:
    """Return whether the numbers are consecutive."""
    for place in range(1, len(messages)):  # noqa: SIM110 - a generator is no kernel
        if messages[place] != messages[place - 1] + 1:
            return False
    return True
