"""The finite loss system: calls that find no free port of their pool are lost, and some are redialled.

There are two clocks with the same rules. For whole seconds a ring contains the number of calls that leave a pool in
each following second; for microseconds a heap per pool contains the ends themselves. Both are exact:

* a port is free again at the instant at which a call ends, before any arrival at that instant;
* a call of zero duration takes no port, and is lost if none is free;
* first attempts at the same instant are processed in the given order, redials after them;
* a failing pool accepts no call from `from` until just before `until`; if it drops, calls in progress end at `from`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simbench.base.units import NEVER
from simbench.kernels.chance import draw_with
from simbench.kernels.jit import kernel

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

Columns = tuple[I64, I32, I64, I64, U8]

BLOCKED, CARRIED, CUT, DROPPED, REFUSED = 0, 1, 2, 3, 4
"""Outcomes of a call: no free port; carried; carried up to the session limit; ended by a failure; pool down."""

TRIES_BITS = 6
MOST_TRIES = 1 << TRIES_BITS  # tries of one call are numbered within its entity


@kernel
def lose_seconds(
    start: I64, hold: I64, pool: I32, ports: I64, ring: I32, conditions: tuple[I64, I64, I64]
) -> tuple[I64, I64, U8, U8]:
    """Carry calls with times in whole seconds, sorted by start; the result is that of `lose_microseconds`.

    `ring` has one row per pool, all zero; its length is a power of two above every duration, after the limit.
    """
    n, mask = len(start), ring.shape[1] - 1
    rules, outages, delays = conditions
    limit = rules[0]
    began, length, outcome, tries = _untouched(start, hold, rules, len(outages) > 0)
    calls = (start, pool, began, length, outcome)
    busy, clock = np.zeros(len(ports), np.int64), np.full(len(ports), start[0] if n else 0)
    failed, (down, due) = len(outages) > 0, _first_outages(outages, len(ports))
    redial_at, redial_of, waiting = _no_redials(n, rules)
    i = 0
    while i < n or waiting > 0:
        if waiting > 0 and (i >= n or redial_at[0] < start[i]):
            now, call = redial_at[0], redial_of[0]
            waiting = _pop(redial_at, redial_of, waiting)
            began[call] = now
            tries[call] += 1
        else:
            now, call = start[i], i
            i += 1
        p = pool[call]
        if failed and now >= due[p] and _fail(p, now, i, rules, outages, down, due, calls):
            ring[p, :] = 0
            busy[p] = 0
        t = clock[p]
        b = busy[p]
        while t < now and b > 0:
            t += 1
            b -= ring[p, t & mask]
            ring[p, t & mask] = 0
        clock[p] = now
        refused = failed and due[p] < NEVER and due[p] == outages[down[p], 2]
        if b < ports[p] and not refused:
            outcome[call] = CUT if hold[call] > limit else CARRIED
            if length[call] > 0:
                b += 1
                ring[p, (now + length[call]) & mask] += 1
        else:
            outcome[call] = REFUSED if refused else BLOCKED
            again = now + _again(call, tries[call], rules, delays)
            if now < again < rules[5]:
                waiting = _push(redial_at, redial_of, waiting, again, call)
        busy[p] = b
    _fail_to_the_end(n, rules, outages, down, due, calls)
    return began, length, outcome, tries


@kernel
def lose_microseconds(
    start: I64, hold: I64, pool: I32, ports: I64, conditions: tuple[I64, I64, I64]
) -> tuple[I64, I64, U8, U8]:
    """Carry calls sorted by start, in any unit of time; return (began, duration, outcome, tries) of each, in order.

    `conditions` are rules, outages and delays, in the unit of `start`. Rules: session limit, key of the redials' draws,
    their share of 2^32 (0: none), most tries, longest span from first to last try, instant from which there are no more
    redials. Outages: rows of pool, from, until, drops (0 or 1), sorted and disjoint within a pool. Delays: two or more
    quantiles, from 1 on, of the wait before a redial. `began` of a lost call is its last attempt.
    Columns that no rule changes are returned without a copy.
    """
    n = len(start)
    rules, outages, delays = conditions
    limit = rules[0]
    began, length, outcome, tries = _untouched(start, hold, rules, len(outages) > 0)
    calls = (start, pool, began, length, outcome)
    first, busy = np.zeros(len(ports) + 1, np.int64), np.zeros(len(ports), np.int64)
    for p in range(len(ports)):
        first[p + 1] = first[p] + ports[p]
    ends = np.empty(first[-1], np.int64)
    failed, (down, due) = len(outages) > 0, _first_outages(outages, len(ports))
    redial_at, redial_of, waiting = _no_redials(n, rules)
    i = 0
    while i < n or waiting > 0:
        if waiting > 0 and (i >= n or redial_at[0] < start[i]):
            now, call = redial_at[0], redial_of[0]
            waiting = _pop(redial_at, redial_of, waiting)
            began[call] = now
            tries[call] += 1
        else:
            now, call = start[i], i
            i += 1
        p = pool[call]
        if failed and now >= due[p] and _fail(p, now, i, rules, outages, down, due, calls):
            busy[p] = 0
        heap, b = ends[first[p] : first[p + 1]], busy[p]
        refused = failed and due[p] < NEVER and due[p] == outages[down[p], 2]
        leaves = now + length[call]
        if b > 0 and heap[0] <= now and not refused and leaves > now:
            _sift(heap, b, leaves)  # one call replaces one that has left: half the work of two steps
            outcome[call] = CUT if hold[call] > limit else CARRIED
            continue
        while b > 0 and heap[0] <= now:
            b -= 1
            _sift(heap, b, heap[b])
        if b < ports[p] and not refused:
            outcome[call] = CUT if hold[call] > limit else CARRIED
            if leaves > now:
                b = _rise(heap, b, leaves)
        else:
            outcome[call] = REFUSED if refused else BLOCKED
            again = now + _again(call, tries[call], rules, delays)
            if now < again < rules[5]:
                waiting = _push(redial_at, redial_of, waiting, again, call)
        busy[p] = b
    _fail_to_the_end(n, rules, outages, down, due, calls)
    return began, length, outcome, tries


@kernel
def _untouched(start: I64, hold: I64, rules: I64, failing: bool) -> tuple[I64, I64, U8, U8]:
    """Return the four result columns in their initial state."""
    n = len(start)
    began = start.copy() if rules[2] > 0 else start
    changed = n > 0 and (failing or hold.max() > rules[0])
    return began, np.minimum(hold, rules[0]) if changed else hold, np.zeros(n, np.uint8), np.ones(n, np.uint8)


@kernel
def _no_redials(calls: int, rules: I64) -> tuple[I64, I64, int]:
    """Return an empty heap of redials: instants, calls, size.

    A call waits at most once; unused memory is not touched.
    """
    room = calls if rules[2] > 0 else 0
    return np.empty(room, np.int64), np.empty(room, np.int64), 0


@kernel
def _again(call: int, tried: int, rules: I64, delays: I64) -> int:
    """Return the time from a failed attempt to the redial; 0: no redial."""
    if rules[2] == 0 or tried >= rules[3]:
        return 0
    key, entity = np.uint64(rules[1]), np.uint64(call * MOST_TRIES + tried)
    drawn = np.uint64(draw_with(key, entity))  # type: ignore[arg-type]  # 64 unsigned bits, as jit.py asks for
    if np.int64(drawn & np.uint64(0xFFFFFFFF)) >= rules[2]:
        return 0
    place = np.int64(drawn >> np.uint64(32)) * (len(delays) - 1)
    index, fraction = place >> 32, (place >> 16) & 0xFFFF
    return int(delays[index] + ((delays[index + 1] - delays[index]) * fraction >> 16))


@kernel
def _first_outages(outages: I64, pools: int) -> tuple[I64, I64]:
    """Return the row of the first outage of each pool, and its start; NEVER if there is none."""
    down, due = np.full(pools, -1), np.full(pools, NEVER)
    for row in range(len(outages) - 1, -1, -1):
        down[outages[row, 0]] = row
        due[outages[row, 0]] = outages[row, 1]
    return down, due


@kernel
def _fail(  # noqa: PLR0913 - the state of a pool is a few arrays
    p: int, now: int, seen: int, rules: I64, outages: I64, down: I64, due: I64, calls: Columns
) -> bool:
    """Process the failures and returns of a pool up to now; return whether its calls were dropped.

    `due` is the next change of each pool: the start of the outage in `down`, then its end.
    """
    dropped = False
    while due[p] <= now:
        row = down[p]
        if due[p] == outages[row, 1]:
            if outages[row, 3]:
                _drop(p, due[p], seen, rules, calls)
                dropped = True
            due[p] = outages[row, 2]
        elif row + 1 < len(outages) and outages[row + 1, 0] == p:
            down[p] = row + 1
            due[p] = outages[row + 1, 1]
        else:
            due[p] = NEVER
    return dropped


@kernel
def _fail_to_the_end(seen: int, rules: I64, outages: I64, down: I64, due: I64, calls: Columns) -> None:
    """Process the failures of every pool after its last call."""
    for p in range(len(due)):
        while due[p] < NEVER:
            _fail(p, due[p], seen, rules, outages, down, due, calls)


@kernel
def _drop(p: int, fails: int, seen: int, rules: I64, calls: Columns) -> None:
    """End every call in progress of a pool that fails. Searches back as far as such a call can have begun."""
    start, pool, began, length, outcome = calls
    for call in range(seen - 1, -1, -1):
        if start[call] <= fails - rules[0] - rules[4]:
            return
        carried = outcome[call] == CARRIED or outcome[call] == CUT
        if carried and pool[call] == p and began[call] < fails < began[call] + length[call]:
            length[call] = fails - began[call]
            outcome[call] = DROPPED


@kernel
def _sift(heap: I64, size: int, value: int) -> None:
    """Replace the least value of the heap."""
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[at] = heap[child]
        at = child
    if size > 0:
        heap[at] = value


@kernel
def _rise(heap: I64, size: int, value: int) -> int:
    at = size
    while at > 0 and heap[(at - 1) // 2] > value:
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = value
    return size + 1


@kernel
def _push(at: I64, of: I64, size: int, when: int, call: int) -> int:
    place = size
    while place > 0:
        above = (place - 1) // 2
        if at[above] < when or (at[above] == when and of[above] < call):
            break
        at[place], of[place] = at[above], of[above]
        place = above
    at[place], of[place] = when, call
    return size + 1


@kernel
def _pop(at: I64, of: I64, size: int) -> int:
    size -= 1
    when, call, place = at[size], of[size], 0
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and (
            at[child + 1] < at[child] or (at[child + 1] == at[child] and of[child + 1] < of[child])
        ):
            child += 1
        if at[child] > when or (at[child] == when and of[child] >= call):
            break
        at[place], of[place] = at[child], of[child]
        place = child
    at[place], of[place] = when, call
    return size
