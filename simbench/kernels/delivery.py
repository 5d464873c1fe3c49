"""Kernels of delivery: stamps, and the way of each accepted message to its end. Decide as the live centre does.

Because presence, failures and latency are functions, and links take no time, what becomes of a message depends on when
it was accepted and on nothing else that happens; only stamps, and the parts of one message, look at others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simbench.kernels.chance import MILLION, draw_with, quantile
from simbench.kernels.fate import PERMANENT, failure, running_at, wait
from simbench.kernels.jit import kernel
from simbench.kernels.presence import back_at
from simbench.kernels.submission import NEVER
from simbench.kernels.words import word

UNKNOWN_SUBSCRIBER, ABSENT_SUBSCRIBER = 101, 107
PART_MASK = 0xFF
END_AT, REASON, ATTEMPT, BUFFERED_AT, BUFFERED_FOR, BUFFERED_TRY = 0, 1, 2, 3, 4, 5
"""Columns of a fate. An outcome is "delivered" when its reason is 0."""


def chosen(key: int, entity: int, share_ppm: int) -> bool:
    """`chance.share` with the key of its purpose."""
    return share_ppm > 0 and (draw_with(key, word(entity)) >> 32) * MILLION >> 32 < share_ppm


@kernel
def stamps(instants: Any, subscribers: Any, base_second: int, ahead_max_s: int, last: Any) -> Any:
    """The stamp (seconds) of each message in the order of decision, -1 for one refused.

    `last`: for each subscriber the last stamp given, in seconds after `base_second`, less than 0 for none.
    """
    given = np.empty(len(instants), np.int64)
    for place in range(len(instants)):
        second = instants[place] // 1_000_000 - base_second
        before = last[subscribers[place]]
        if before < second:
            given[place] = second
        elif before >= second + ahead_max_s:
            given[place] = -1
            continue
        else:
            given[place] = before + 1
        last[subscribers[place]] = given[place]
        given[place] += base_second
    return given


@kernel
def gone(subscribers: Any, keys: Any, shares: Any) -> Any:
    """Which subscribers are unknown (1), ported out from the start (2) or served here (0); keys and shares of each."""
    found = np.zeros(len(subscribers), np.int8)
    for place in range(len(subscribers)):
        if chosen(keys[0], subscribers[place], shares[0]):
            found[place] = 1
        elif chosen(keys[1], subscribers[place], shares[1]):
            found[place] = 2
    return found


@kernel
def has_left(now: int, subscriber: int, wave_keys: Any, waves: Any) -> bool:
    """Whether a subscriber was ported away in a wave until now; waves: rows of instant and share in ppm."""
    for wave in range(len(waves)):
        if waves[wave, 0] <= now and chosen(wave_keys[wave], subscriber, waves[wave, 1]):
            return True
    return False


@kernel
def fates(
    accepted: Any, expires: Any, entities: Any, subscribers: Any, served: Any, queues: Any, keys: Any, tables: Any,
    wave_keys: Any, waves: Any, downs: Any, before: Any, end: int, found: Any,
) -> int:  # fmt: skip
    """Walk each message to its end; `found` gets six columns (see above), NEVER where an instant is not before `end`.

    served: 0 for subscribers the base serves. queues: each message's queue; before[k]: number and end of the last
    part accepted from queue k. keys: of latency, failure, presence. tables: latency, ladders, bounds, kinds, reasons,
    chances, lengths. downs: 2 rows, starts and ends.
    """
    latency, ladders, bounds, kinds, reasons, chances, lengths = tables
    latency_key, failure_key, presence_key = keys[0], keys[1], keys[2]
    starts, ends = downs[0], downs[1]
    troubled = len(starts) > 0
    for place in range(len(accepted)):
        entity, subscriber, last = entities[place], subscribers[place], expires[place]
        due = accepted[place] + quantile(latency, draw_with(latency_key, word(entity)))
        queue = queues[place]
        if entity & PART_MASK and before[queue, 0] == entity - 1 and before[queue, 1] > accepted[place]:
            due = min(max(due, before[queue, 1]), max(due, last))
        ended, reason, attempt = NEVER, 0, 0
        told, told_for, told_try = NEVER, 0, 0
        why = ABSENT_SUBSCRIBER
        while True:
            now = running_at(due, starts, ends) if troubled else due
            if now >= end:
                break
            attempt += 1
            if served[place] != 0 or (len(waves) > 0 and has_left(now, subscriber, wave_keys, waves)):
                ended, reason = now, UNKNOWN_SUBSCRIBER
                break
            if now >= last:
                ended, reason = now, why
                break
            due = min(now + wait(ladders[0], attempt), last)
            back = back_at(presence_key, subscriber, now, due, chances, lengths) if chances[0] > 0 else now
            if back > now:
                why, due = ABSENT_SUBSCRIBER, min(due, back)
            else:
                met = failure(failure_key, entity, attempt, bounds) if len(bounds) > 0 else -1
                if met < 0:
                    ended = now
                    break
                if kinds[met] == PERMANENT:
                    ended, reason = now, reasons[met]
                    break
                why, due = reasons[met], min(now + wait(ladders[kinds[met]], attempt), last)
            if told == NEVER:
                told, told_for, told_try = now, why, attempt
        found[place, END_AT], found[place, REASON], found[place, ATTEMPT] = ended, reason, attempt
        found[place, BUFFERED_AT], found[place, BUFFERED_FOR], found[place, BUFFERED_TRY] = told, told_for, told_try
        before[queue, 0], before[queue, 1] = entity, ended
    return len(accepted)


@kernel
def carried(instants: Any, up: Any, found: Any) -> int:
    """When a client that is connected in [up[0], up[1]) takes what is posted at each instant, and in which session.

    `found`: rows of instant (NEVER when nobody comes any more) and session.
    """
    for place in range(len(instants)):
        session = np.searchsorted(up[1], instants[place], side="right")  # the first that ends after it
        if instants[place] == NEVER or session == up.shape[1]:
            found[place, 0], found[place, 1] = NEVER, 0
        else:
            found[place, 0], found[place, 1] = max(instants[place], up[0, session]), session
    return len(instants)


@kernel
def answers(entities: Any, ended: Any, keys: Any, bound: int, table: Any, downs: Any) -> Any:
    """When those who got a message answer, 0 for not at all (`world.replies`); while the platform is down it waits."""
    found = np.zeros(len(entities), np.int64)
    for place in range(len(entities)):
        if draw_with(keys[0], word(entities[place])) >> 32 < bound:
            at = ended[place] + quantile(table, draw_with(keys[1], word(entities[place])))
            found[place] = running_at(at, downs[0], downs[1])
    return found


@kernel
def tally(instants: Any, column: int, start: int, end: int, counts: Any) -> int:
    """Count what happens in [start, end) by minute, in a column of `counts`."""
    for place in range(len(instants)):
        if start <= instants[place] < end:
            counts[(instants[place] - start) // 60_000_000, column] += 1
    return len(instants)


@kernel
def tally_times(ended: Any, scts: Any, within_s: Any, column: int, start: int, counts: Any) -> int:
    """Count deliveries by minute and by how long they took; the first column of the bounds is `column`."""
    for place in range(len(ended)):
        took = ended[place] // 1_000_000 - scts[place]
        bound = 0
        while bound < len(within_s) and took > within_s[bound]:
            bound += 1
        counts[(ended[place] - start) // 60_000_000, column + bound] += 1
    return len(ended)
