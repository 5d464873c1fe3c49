"""Kernels that count by minute. Keep nothing but the counts they are given."""

from __future__ import annotations

from typing import Any, NamedTuple

from simbench.base.units import MINUTE_US, NEVER, SECOND_US
from simbench.kernels.jit import kernel
from simbench.simulation.kernels.delivery import BUFFERED_AT, END_AT, REASON, STREAM_SHIFT, Laws, carried_in
from simbench.simulation.kernels.submission import LOST


class Columns(NamedTuple):
    """Which column of the counts is what; `times` is the first of those by time taken."""

    submitted: int
    accepted: int
    refused: int
    held: int
    delivered: int
    undelivered: int
    buffered: int
    expired: int
    notices: int
    times: int


@kernel
def tally(instants: Any, column: int, start: int, end: int, counts: Any) -> int:
    """Count what happens in [start, end) by minute, in a column of `counts`."""
    for place in range(len(instants)):
        if start <= instants[place] < end:
            counts[(instants[place] - start) // MINUTE_US, column] += 1
    return len(instants)


@kernel
def tally_batch(  # noqa: C901, PLR0912, PLR0913 - one loop over arrays: compiled code takes no object
    sent: Any, entities: Any, codes: Any, scts: Any, found: Any, laws: Laws, up: Any, columns: Columns,
    within_s: Any, temporary: Any, period: tuple[int, int], counts: Any,
) -> int:  # fmt: skip
    """Count what was sent and what became of it; `temporary[reason]` is 1 for those that only time ended."""
    start, end = period
    notices, times, notify_of, shift = columns.notices, columns.times, laws.notify, STREAM_SHIFT
    for place in range(len(entities)):
        at, decided = sent[1, place], sent[2, place]
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
        notify = notify_of[entities[place] >> shift]
        buffered = found[place, BUFFERED_AT]
        if buffered != NEVER:
            counts[(buffered - start) // MINUTE_US, columns.buffered] += 1
            if notify & 4:
                notice(buffered, up, notices, period, counts)
        ended = found[place, END_AT]
        if ended == NEVER:
            continue
        minute = (ended - start) // MINUTE_US
        if found[place, REASON] == 0:
            counts[minute, columns.delivered] += 1
            took, bound = ended // SECOND_US - scts[place], 0
            while bound < len(within_s) and took > within_s[bound]:
                bound += 1
            counts[minute, times + bound] += 1
            if notify & 1:
                notice(ended, up, notices, period, counts)
        else:
            counts[minute, columns.undelivered] += 1
            counts[minute, columns.expired] += temporary[found[place, REASON]]
            if notify & 2:
                notice(ended, up, notices, period, counts)
    return len(entities)


@kernel
def notice(posted: int, up: Any, column: int, period: tuple[int, int], counts: Any) -> int:
    """Count a notice in the minute in which the client takes it."""
    session = carried_in(posted, up)
    if session < up.shape[1]:
        at = max(posted, up[0, session])
        if at < period[1]:
            counts[(at - period[0]) // MINUTE_US, column] += 1
    return session
