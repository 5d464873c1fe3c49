"""Kernels of delivery: the SMSC's decision on each message and the outcome of its delivery, as in the live SMSC.

Presence, failures and latency are functions of the seed, and connections have no latency. The outcome of a message
therefore depends only on when it was accepted, except for time stamps (SCTS) and for the parts of one message.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simbench.base.units import SECOND_US
from simbench.kernels.chance import MILLION, draw_with, quantile
from simbench.kernels.delivery_outcome import (
    ABSENT_SUBSCRIBER,
    PERMANENT,
    UNKNOWN_SUBSCRIBER,
    failure,
    running_at,
    wait,
)
from simbench.kernels.jit import kernel, kernel_lean
from simbench.kernels.presence import back_at
from simbench.kernels.words import word
from simbench.simulation.kernels.layout import FORGOTTEN, NEVER, PART_MASK, REFUSED, STREAM_SHIFT, Sent


class DeliveryTables(NamedTuple):
    """The tables that decide on delivery, as arrays.

    Keys and tables belong to the draws (`kernels.delivery_outcome`, `kernels.presence`). `waves`: rows of WAVE, with
    `wave_keys`. `unknown_ppm`, `out_ppm`: shares of unknown and ported-out subscribers. `validity_us` (0: the default),
    `queue` and `notify` (notifications requested) are indexed by stream. The platform is down from `down_starts` to
    `down_ends`.
    """

    latency_key: Any
    failure_key: Any
    presence_key: Any
    unknown_key: Any
    out_key: Any
    latency: Any
    retry_schedules: Any
    bounds: Any
    kinds: Any
    reasons: Any
    chances: Any
    lengths: Any
    unknown_ppm: int
    out_ppm: int
    wave_keys: Any
    waves: Any
    validity_us: Any
    queue: Any
    notify: Any
    down_starts: Any
    down_ends: Any


class Admission(NamedTuple):
    """The rules of admission: the error code for each reason to refuse (`ported_out` is 0 if accepted), and limits.

    `base_second` is the second from which time stamps are counted; a time stamp is at most `ahead_max_s` ahead of the
    clock.
    """

    over_rate: int
    invalid_address: int
    ported_out: int
    validity_over: int
    no_free_stamp: int
    first_subscriber: int
    base_second: int
    ahead_max_s: int
    validity_default_us: int
    validity_max_us: int


def chosen(key: int, entity: int, share_ppm: int) -> bool:
    """Return `chance.share` with a key."""
    return share_ppm > 0 and (draw_with(key, word(entity)) >> 32) * MILLION >> 32 < share_ppm


@kernel_lean
def stamp(second: int, subscriber: int, ahead_max_s: int, last: Any) -> int:
    """Return the next free time stamp of a subscriber, -1 if none; `last` has the last of each, -1 before the first."""
    before: int = last[subscriber]
    if before < second:
        last[subscriber] = second
        return second
    if before >= second + ahead_max_s:
        return -1
    last[subscriber] = before + 1
    return before + 1


@kernel_lean
def decisions(  # noqa: PLR0913 - arrays in, arrays out: compiled code takes no object
    sent: Sent, entities: Any, recipients: Any, tables: DeliveryTables, admission: Admission, last: Any,
    codes: Any, scts: Any,
) -> int:  # fmt: skip
    """Decide on each message sent: its code (0: accepted, an error code, DISCARDED or FORGOTTEN) and time stamp."""
    validity_us, first, base_second, ahead_max_s = (
        tables.validity_us, admission.first_subscriber, admission.base_second, admission.ahead_max_s
    )  # fmt: skip
    for place in range(len(entities)):
        decided, recipient = sent.decided[place], recipients[place]
        validity = validity_us[entities[place] >> STREAM_SHIFT]
        code, given = 0, -1
        if decided < 0:
            code = admission.over_rate if decided == REFUSED else FORGOTTEN
        elif recipient < first:
            code = admission.invalid_address
        elif (
            admission.ported_out > 0
            and not chosen(tables.unknown_key, recipient, tables.unknown_ppm)
            and chosen(tables.out_key, recipient, tables.out_ppm)
        ):
            code = admission.ported_out
        elif validity > 0 and sent.sent_at[place] + validity <= decided:
            code = admission.validity_over
        else:
            free = stamp(decided // SECOND_US - base_second, recipient - first, ahead_max_s, last)
            code = admission.no_free_stamp if free < 0 else 0
            given = free + base_second if free >= 0 else -1
        codes[place], scts[place] = code, given
    return len(entities)


def left(now: int, recipient: int, wave_keys: Any, waves: Any) -> bool:
    """Return whether a subscriber was ported out in a wave until now."""
    for wave in range(len(waves)):
        if waves[wave].at <= now and chosen(wave_keys[wave], recipient, waves[wave].share_ppm):
            return True
    return False


@kernel_lean
def deliveries(  # noqa: C901, PLR0912, PLR0913, PLR0915 - one loop over arrays: compiled code takes no object
    sent: Sent, entities: Any, recipients: Any, codes: Any, tables: DeliveryTables, admission: Admission,
    last_parts: Any, end: int, outcomes: Any,
) -> int:  # fmt: skip
    """Deliver each accepted message: fill a row of OUTCOME for each, with NEVER for instants from `end` on.

    `last_parts[k]` is the PART accepted last from queue k; the next part of the same message waits for it.
    """
    # Unpacked once: passing the tuple would count references at every call.
    starts, ends, schedules, bounds, kinds, reasons = (
        tables.down_starts, tables.down_ends, tables.retry_schedules, tables.bounds, tables.kinds, tables.reasons
    )  # fmt: skip
    latency, chances, lengths = tables.latency, tables.chances, tables.lengths
    wave_keys, waves, validity_us, queue_of = tables.wave_keys, tables.waves, tables.validity_us, tables.queue
    latency_key, failure_key, presence_key = tables.latency_key, tables.failure_key, tables.presence_key
    unknown_key, out_key, unknown_ppm, out_ppm = (
        tables.unknown_key, tables.out_key, tables.unknown_ppm, tables.out_ppm
    )  # fmt: skip
    next_down = 0
    for place in range(len(entities)):
        outcome = outcomes[place]
        outcome.end_at, outcome.buffered_at, outcome.reason = NEVER, NEVER, 0
        if codes[place] != 0:
            continue
        entity, recipient, accepted = entities[place], recipients[place], sent.decided[place]
        stream = entity >> STREAM_SHIFT
        expires = accepted + admission.validity_default_us
        if validity_us[stream] > 0:
            expires = min(sent.sent_at[place] + validity_us[stream], accepted + admission.validity_max_us)
        due = accepted + quantile(latency, draw_with(latency_key, word(entity)))
        part = last_parts[queue_of[stream]]
        if entity & PART_MASK and part.message == entity - 1 and part.end_at > accepted:
            due = min(max(due, part.end_at), max(due, expires))
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
                due = min(now + wait(schedules[0], number), expires)
                if back <= now and chances[0] > 0:  # otherwise the absence found before still lasts
                    back = back_at(presence_key, recipient, now, expires, chances, lengths)
                if back > now:
                    why, due, final = ABSENT_SUBSCRIBER, min(due, back), False
                else:
                    met = failure(failure_key, entity, number, bounds) if len(bounds) > 0 else -1
                    why = reasons[met] if met >= 0 else 0
                    if met >= 0 and kinds[met] != PERMANENT:
                        due, final = min(now + wait(schedules[kinds[met]], number), expires), False
            elif not served or left(now, recipient, wave_keys, waves):
                why = UNKNOWN_SUBSCRIBER
            if final:
                outcome.end_at, outcome.reason, outcome.attempt = now, why, number
                break
            if outcome.buffered_at == NEVER:
                outcome.buffered_at, outcome.buffered_reason, outcome.buffered_attempt = now, why, number
        part.message, part.end_at = entity, outcome.end_at
    return len(entities)


def session_after(instant: int, cuts: Any) -> int:
    """Return the session in which the client takes a notification posted at an instant; len(cuts) if none."""
    low, high = 0, len(cuts)
    while low < high:  # find the first session that ends after the instant
        middle = (low + high) // 2
        if cuts[middle] <= instant:
            low = middle + 1
        else:
            high = middle
    return low


@kernel_lean
def notifications_taken(instants: Any, logins: Any, cuts: Any, taken: Any) -> int:
    """Fill rows of TAKEN: when a client with sessions [login, cut) takes the notifications posted at `instants`."""
    for place in range(len(instants)):
        session = session_after(instants[place], cuts)
        taken[place].at, taken[place].session = NEVER, 0
        if session < len(cuts):
            taken[place].at, taken[place].session = max(instants[place], logins[session]), session
    return len(instants)


@kernel
def replies(  # noqa: PLR0913 - arrays in, arrays out: compiled code takes no object
    entities: Any, ended: Any, reply_key: Any, delay_key: Any, bound: int, delays: Any, starts: Any, ends: Any
) -> Any:
    """Return when each recipient replies, 0 for no reply (`simulation.replies`). Replies wait during outages."""
    found = np.zeros(len(entities), np.int64)
    for place in range(len(entities)):
        if draw_with(reply_key, word(entities[place])) >> 32 < bound:
            at = ended[place] + quantile(delays, draw_with(delay_key, word(entities[place])))
            found[place] = running_at(at, starts, ends)
    return found


@kernel
def stamps(instants: Any, subscribers: Any, base_second: int, ahead_max_s: int, last: Any) -> Any:
    """Return time stamps (seconds) of messages from subscribers, by instant; the current second if none is free."""
    given = np.empty(len(instants), np.int64)
    for place in range(len(instants)):
        second = instants[place] // SECOND_US
        free = stamp(second - base_second, subscribers[place], ahead_max_s, last)
        given[place] = free + base_second if free >= 0 else second
    return given
