"""Kernels that count messages by minute in an array."""

from __future__ import annotations

from typing import Any, NamedTuple

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.kernels.jit import kernel
from simbench.simulation.kernels.delivery import session_after
from simbench.simulation.kernels.layout import (
    LOST,
    NEVER,
    NOTIFY_BUFFERED,
    NOTIFY_DELIVERED,
    NOTIFY_UNDELIVERED,
    STREAM_SHIFT,
    Sent,
)


class Columns(NamedTuple):
    """The column of the counts for each quantity; `times` is the first of the columns by time to delivery."""

    submitted: int
    accepted: int
    refused: int
    held: int
    delivered: int
    undelivered: int
    buffered: int
    expired: int
    notifications: int
    times: int


@kernel
def tally(instants: Any, column: int, start: int, end: int, counts: Any) -> int:
    """Count the instants in [start, end) by minute, in a column of `counts`."""
    for place in range(len(instants)):
        if start <= instants[place] < end:
            counts[(instants[place] - start) // MINUTE_US, column] += 1
    return len(instants)


@kernel
def tally_batch(  # noqa: C901, PLR0912, PLR0913 - one loop over arrays: compiled code takes no object
    sent: Sent, entities: Any, codes: Any, scts: Any, outcomes: Any, notify_of: Any, logins: Any, cuts: Any,
    columns: Columns, within_s: Any, expired: Any, period: tuple[int, int], counts: Any,
) -> int:  # fmt: skip
    """Count messages sent and their outcomes; `expired[reason]` is 1 for the reasons of an expired message."""
    start, end = period
    notifications, times = columns.notifications, columns.times
    for place in range(len(entities)):
        at, decided, outcome = sent.sent_at[place], sent.decided[place], outcomes[place]
        counts[(at - start) // MINUTE_US, columns.submitted] += 1
        if decided > at or decided == LOST:
            counts[(at - start) // MINUTE_US, columns.held] += 1
        if decided < 0:
            decided = at if decided != LOST else NEVER
        if decided >= end:
            continue
        if codes[place] != 0:
            counts[(decided - start) // MINUTE_US, columns.refused] += 1
            continue
        counts[(decided - start) // MINUTE_US, columns.accepted] += 1
        notify = notify_of[entities[place] >> STREAM_SHIFT]
        buffered = outcome.buffered_at
        if buffered != NEVER:
            counts[(buffered - start) // MINUTE_US, columns.buffered] += 1
            if notify & NOTIFY_BUFFERED:
                count_notification(buffered, logins, cuts, notifications, period, counts)
        ended = outcome.end_at
        if ended == NEVER:
            continue
        minute = (ended - start) // MINUTE_US
        if outcome.reason == 0:
            counts[minute, columns.delivered] += 1
            took, bound = ended // SECOND_US - scts[place], 0
            while bound < len(within_s) and took > within_s[bound]:
                bound += 1
            counts[minute, times + bound] += 1
            if notify & NOTIFY_DELIVERED:
                count_notification(ended, logins, cuts, notifications, period, counts)
        else:
            counts[minute, columns.undelivered] += 1
            counts[minute, columns.expired] += expired[outcome.reason]
            if notify & NOTIFY_UNDELIVERED:
                count_notification(ended, logins, cuts, notifications, period, counts)
    return len(entities)


@kernel
def count_notification(posted: int, logins: Any, cuts: Any, column: int, period: tuple[int, int], counts: Any) -> int:
    """Count a notification in the minute in which the client takes it."""
    session = session_after(posted, cuts)
    if session < len(cuts):
        at = max(posted, logins[session])
        if at < period[1]:
            counts[(at - period[0]) // MINUTE_US, column] += 1
    return session
