"""Kernels of delivery: the centre's decision on each message, and its way to its end. Decide as the live centre does.

Because presence, failures and latency are functions, and links take no time, what becomes of a message depends on when
it was accepted and on nothing else that happens; only stamps, and the parts of one message, look at others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simbench.base.units import NEVER, SECOND_US
from simbench.kernels.chance import MILLION, draw_with, quantile
from simbench.kernels.delivery_outcome import PERMANENT, failure, running_at, wait
from simbench.kernels.jit import kernel
from simbench.kernels.presence import back_at
from simbench.kernels.words import word
from simbench.simulation.kernels.submission import REFUSED

UNKNOWN_SUBSCRIBER, ABSENT_SUBSCRIBER = 101, 107
STREAM_SHIFT, PART_MASK = 48, 0xFF  # of a message's number
DISCARDED, FORGOTTEN = -1, -2
"""Codes of what is neither accepted (0) nor refused with an error code."""
END_AT, REASON, ATTEMPT, BUFFERED_AT, BUFFERED_FOR, BUFFERED_TRY, FATE = 0, 1, 2, 3, 4, 5, 6
"""Columns of a fate, and how many. An outcome is "delivered" when its reason is 0."""


class Laws(NamedTuple):
    """What delivery goes by, as arrays.

    Keys and tables of the draws (`kernels.delivery_outcome`, `kernels.presence`); wave_keys and waves (instant, share
    in ppm) of portings; gone_ppm: shares of the unknown and of the ported out; by stream: validity (us, 0: the
    default), queue, notifications requested; downs: starts and ends.
    """

    latency_key: Any
    failure_key: Any
    presence_key: Any
    unknown_key: Any
    out_key: Any
    latency: Any
    ladders: Any
    bounds: Any
    kinds: Any
    reasons: Any
    chances: Any
    lengths: Any
    gone_ppm: Any
    wave_keys: Any
    waves: Any
    validity_us: Any
    queue: Any
    notify: Any
    downs: Any


class Desk(NamedTuple):
    """What the centre admits by: error codes (over the rate, wrong address, elsewhere or 0, time over, too many)."""

    over: int
    wrong: int
    elsewhere: int
    time_over: int
    too_many: int
    first_subscriber: int
    base_second: int
    ahead_max_s: int
    validity_default_us: int
    validity_max_us: int


def chosen(key: int, entity: int, share_ppm: int) -> bool:
    """`chance.share` with the key of its purpose."""
    return share_ppm > 0 and (draw_with(key, word(entity)) >> 32) * MILLION >> 32 < share_ppm


@kernel
def stamp(second: int, subscriber: int, ahead_max_s: int, last: Any) -> int:
    """The next free stamp of a subscriber, -1 for none (`centre.stamps`); `last` holds them, -1 before the first."""
    before: int = last[subscriber]
    if before < second:
        last[subscriber] = second
        return second
    if before >= second + ahead_max_s:
        return -1
    last[subscriber] = before + 1
    return before + 1


@kernel
def decisions(  # noqa: PLR0913 - arrays in, arrays out: compiled code takes no object
    sent: Any, entities: Any, recipients: Any, laws: Laws, desk: Desk, last: Any, codes: Any, scts: Any
) -> int:
    """Decide on what was sent: `codes` 0 for accepted, an error code, DISCARDED or FORGOTTEN; `scts` its stamp."""
    validity_us, first, base_second, ahead_max_s = (
        laws.validity_us, desk.first_subscriber, desk.base_second, desk.ahead_max_s
    )  # fmt: skip
    for place in range(len(entities)):
        decided, recipient = sent[2, place], recipients[place]
        validity = validity_us[entities[place] >> STREAM_SHIFT]
        code, given = 0, -1
        if decided < 0:
            code = desk.over if decided == REFUSED else FORGOTTEN
        elif recipient < first:
            code = desk.wrong
        elif (
            desk.elsewhere > 0
            and not chosen(laws.unknown_key, recipient, laws.gone_ppm[0])
            and chosen(laws.out_key, recipient, laws.gone_ppm[1])
        ):
            code = desk.elsewhere
        elif validity > 0 and sent[1, place] + validity <= decided:
            code = desk.time_over
        else:
            free = stamp(decided // SECOND_US - base_second, recipient - first, ahead_max_s, last)
            code = desk.too_many if free < 0 else 0
            given = free + base_second if free >= 0 else -1
        codes[place], scts[place] = code, given
    return len(entities)


def left(now: int, recipient: int, wave_keys: Any, waves: Any) -> bool:
    """Whether a subscriber was ported away in a wave until now."""
    for wave in range(len(waves)):
        if waves[wave, 0] <= now and chosen(wave_keys[wave], recipient, waves[wave, 1]):
            return True
    return False


@kernel
def fates(  # noqa: C901, PLR0912, PLR0913 - one loop over arrays: compiled code takes no object, and calls cost
    sent: Any, entities: Any, recipients: Any, codes: Any, rules: tuple[Laws, Desk], before: Any, end: int, found: Any
) -> int:
    """Walk each accepted message to its end; a row of `found` for each sent, NEVER for instants not before `end`.

    before[k]: number and end of the last part accepted from queue k, which its next part waits for.
    """
    laws, desk = rules
    # Taken out once: what is handed on as a whole costs its counting of references at every call.
    starts, ends, ladders, bounds, kinds, reasons = (
        laws.downs[0], laws.downs[1], laws.ladders, laws.bounds, laws.kinds, laws.reasons
    )  # fmt: skip
    latency, chances, lengths, wave_keys, waves = laws.latency, laws.chances, laws.lengths, laws.wave_keys, laws.waves
    latency_key, failure_key, presence_key = laws.latency_key, laws.failure_key, laws.presence_key
    unknown_key, out_key, unknown_ppm, out_ppm = laws.unknown_key, laws.out_key, laws.gone_ppm[0], laws.gone_ppm[1]
    next_down = 0
    for place in range(len(entities)):
        found[place, END_AT], found[place, BUFFERED_AT], found[place, REASON] = NEVER, NEVER, 0
        if codes[place] != 0:
            continue
        entity, recipient, accepted = entities[place], recipients[place], sent[2, place]
        stream = entity >> STREAM_SHIFT
        expires = accepted + desk.validity_default_us
        if laws.validity_us[stream] > 0:
            expires = min(sent[1, place] + laws.validity_us[stream], accepted + desk.validity_max_us)
        due = accepted + quantile(latency, draw_with(latency_key, word(entity)))
        queue = laws.queue[stream]
        if entity & PART_MASK and before[queue, 0] == entity - 1 and before[queue, 1] > accepted:
            due = min(max(due, before[queue, 1]), max(due, expires))
        while next_down < len(ends) and ends[next_down] <= accepted:
            next_down += 1
        served = not chosen(unknown_key, recipient, unknown_ppm) and not chosen(out_key, recipient, out_ppm)
        number, why, back = 0, ABSENT_SUBSCRIBER, 0
        while True:
            now = due
            if next_down < len(ends) and starts[next_down] < due:
                now = running_at(due, starts, ends)
            if now >= end:
                break
            number += 1
            final = True
            if served and now < expires and not (len(waves) > 0 and left(now, recipient, wave_keys, waves)):
                due = min(now + wait(ladders[0], number), expires)
                if back <= now and chances[0] > 0:  # else the absence met before still lasts
                    back = back_at(presence_key, recipient, now, expires, chances, lengths)
                if back > now:
                    why, due, final = ABSENT_SUBSCRIBER, min(due, back), False
                else:
                    met = failure(failure_key, entity, number, bounds) if len(bounds) > 0 else -1
                    why = reasons[met] if met >= 0 else 0
                    if met >= 0 and kinds[met] != PERMANENT:
                        due, final = min(now + wait(ladders[kinds[met]], number), expires), False
            elif not served or left(now, recipient, wave_keys, waves):
                why = UNKNOWN_SUBSCRIBER
            if final:
                found[place, END_AT], found[place, REASON], found[place, ATTEMPT] = now, why, number
                break
            if found[place, BUFFERED_AT] == NEVER:
                found[place, BUFFERED_AT], found[place, BUFFERED_FOR], found[place, BUFFERED_TRY] = now, why, number
        before[queue, 0], before[queue, 1] = entity, found[place, END_AT]
    return len(entities)


def carried_in(instant: int, up: Any) -> int:
    """In which session the client takes what is posted at an instant; the number of sessions when in none."""
    low, high = 0, up.shape[1]
    while low < high:  # the first that ends after it
        middle = (low + high) // 2
        if up[1, middle] <= instant:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def carried(instants: Any, up: Any, found: Any) -> int:
    """When a client that is connected in [up[0], up[1]) takes what is posted at each instant, and in which session.

    `found`: rows of instant (NEVER when nobody comes any more) and session.
    """
    for place in range(len(instants)):
        session = carried_in(instants[place], up)
        found[place, 0], found[place, 1] = NEVER, 0
        if session < up.shape[1]:
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
def stamps(instants: Any, subscribers: Any, base_second: int, ahead_max_s: int, last: Any) -> Any:
    """Stamps (seconds) of messages from subscribers, by instant; the present second where none is free."""
    given = np.empty(len(instants), np.int64)
    for place in range(len(instants)):
        second = instants[place] // SECOND_US
        free = stamp(second - base_second, subscribers[place], ahead_max_s, last)
        given[place] = free + base_second if free >= 0 else second
    return given
