"""Kernels on relations between operations of one session, or between equal messages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.jit import kernel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Index = NDArray[np.signedinteger]
Counts = NDArray[np.int32]

IN_USE, BEYOND, ASTRAY, SAME = range(1, 5)  # violations of an operation


@kernel
def earlier_alike(order: Ints, keys: Ints, counted: Bools, accepted: Bools, found: Bools) -> int:
    """Mark operations after an earlier one of the same key that counts; return the number of keys with an accepted one.

    `order` sorts the keys, equal ones in order of arrival.
    """
    groups, before, any_accepted = 0, False, False
    for number in range(len(order)):
        place = order[number]
        if number == 0 or keys[place] != keys[order[number - 1]]:
            groups += any_accepted
            before = any_accepted = False
        found[place] = before
        before |= counted[place]
        any_accepted |= accepted[place]
    return groups + any_accepted


@kernel
def unanswered(  # noqa: PLR0913 - a kernel has no objects
    first: int, at: Ints, result_at: Ints, sessions: Index, patience_us: int, heaps: Ints, sizes: Ints, found: Counts
) -> int:
    """Count for each operation from `first` on how many earlier ones of its session wait for a result when it arrives.

    An operation without a result waits for `patience_us`; a result at the same instant counts as earlier. The first
    `sizes` entries of `heaps` [session] are the ends of waiting. Returns the position of an operation for which a heap
    is full, else the number of operations.
    """
    for place in range(first, len(at)):
        session, now = sessions[place], at[place]
        heap, size = heaps[session], sizes[session]
        while size > 0 and heap[0] <= now:
            size -= 1
            heap[0] = heap[size]
            sink(heap, size)
        if size == len(heap):
            sizes[session] = size
            return place
        found[place] = size
        heap[size] = result_at[place] if result_at[place] >= 0 else now + patience_us
        rise(heap, size)
        sizes[session] = size + 1
    return len(at)


def sink(heap: Ints, size: int) -> None:
    """Restore a min-heap after its first entry was replaced."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            return
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= heap[at]:
            return
        heap[at], heap[child] = heap[child], heap[at]
        at = child


def rise(heap: Ints, at: int) -> None:
    """Restore a min-heap after this entry was added."""
    while at > 0 and heap[at] < heap[(at - 1) // 2]:
        heap[at], heap[(at - 1) // 2] = heap[(at - 1) // 2], heap[at]
        at = (at - 1) // 2


@kernel
def most_unanswered(  # noqa: PLR0913 - as above
    at: Ints, result_at: Ints, sessions: Index, trns: Index, sizes: Ints, patience_us: int, waiting: Ints, most: Ints,
    violations: NDArray[np.int8],
) -> None:  # fmt: skip
    """Find the most unanswered operations of each session, and the window at that time: `most` [session, 2].

    `sizes`: the window of each operation; `waiting` [session, TRN]: end of waiting. An operation whose TRN is in use is
    discarded.
    """
    for place in range(len(at)):
        session, trn, now = sessions[place], trns[place], at[place]
        if waiting[session, trn] > now:
            violations[place] = IN_USE
            continue
        until = result_at[place] if result_at[place] >= 0 else now + patience_us
        waiting[session, trn] = until
        count = 0
        for number in range(waiting.shape[1]):
            count += waiting[session, number] > now
        count += until <= now  # the operation itself is unanswered when it arrives
        if count > most[session, 0]:
            most[session, 0], most[session, 1] = count, sizes[place]
        if count > sizes[place]:
            violations[place] = BEYOND


@kernel
def out_of_order(lines: Index, trns: Index, in_use: Bools, last: Ints, violations: NDArray[np.int8]) -> None:
    """Mark operations whose TRN is in use, equals the previous one, or is not among the fifty after the previous one.

    Operations without a TRN (-1) are ignored; `last` [connection] is -1 at first.
    """
    for place in range(len(lines)):
        line, number = lines[place], trns[place]
        if number < 0:
            continue
        before = last[line]
        if in_use[place]:
            violations[place] = IN_USE
        elif number == before:
            violations[place] = SAME
        elif before >= 0 and not 0 < (number - before) % 100 <= 50:
            violations[place] = ASTRAY
        last[line] = number


@kernel
def received(  # noqa: PLR0913 - a kernel has no objects
    at: Ints, sessions: Index, trns: Index, result_at: Ints, windows: Ints, waiting: Ints, heap: Ints,
    counts: Ints, freed_at: Ints,
) -> None:  # fmt: skip
    """Find when the client proved that it had received the result of each operation: instants, or -1.

    Proof is an operation that reuses the TRN of an answered one, or that would exceed the window without the oldest
    results. `waiting` [session, TRN]: position of the operation without proof, -1 for none; `heap` [session, more than
    TRNs]: positions of answered ones by their results, some of which may have proof already; `counts` [session, 2]:
    operations without proof, and entries of the heap.
    """
    for place in range(len(at)):
        session, trn, now = sessions[place], trns[place], at[place]
        surplus = counts[session, 0] + 1 - windows[place]
        while surplus > 0 and counts[session, 1] > 0:
            oldest = heap[session, 0]
            if result_at[oldest] >= now:
                break
            last = counts[session, 1] - 1
            heap[session, 0] = heap[session, last]
            counts[session, 1] = last
            sift_down(heap[session], last, result_at)
            if waiting[session, trns[oldest]] == oldest:
                surplus -= 1
                waiting[session, trns[oldest]] = -1
                counts[session, 0] -= 1
                freed_at[oldest] = now
        again = waiting[session, trn]
        if again >= 0 and 0 <= result_at[again] < now:
            waiting[session, trn] = -1
            counts[session, 0] -= 1
            freed_at[again] = now
            again = -1
        if again < 0:
            waiting[session, trn] = place
            counts[session, 0] += 1
            if result_at[place] >= 0:
                if counts[session, 1] == heap.shape[1]:
                    counts[session, 1] = unshown_only(heap[session], trns, waiting[session], result_at)
                sift_up(heap[session], counts[session, 1], place, result_at)
                counts[session, 1] += 1


def unshown_only(heap: Ints, trns: Index, waiting: Ints, result_at: Ints) -> int:
    """Remove operations with proof from a heap; return its size."""
    size = 0
    for number in range(len(heap)):
        place = heap[number]
        if waiting[trns[place]] == place:
            sift_up(heap, size, place, result_at)
            size += 1
    return size


def is_before(one: int, other: int, result_at: Ints) -> bool:
    """Return whether the result of one operation precedes that of another; ties go to the earlier operation."""
    return bool(result_at[one] < result_at[other] or (result_at[one] == result_at[other] and one < other))


def sift_down(heap: Ints, size: int, result_at: Ints) -> None:
    """Restore a heap, ordered by results, after its first entry was replaced."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            return
        if child + 1 < size and is_before(heap[child + 1], heap[child], result_at):
            child += 1
        if not is_before(heap[child], heap[at], result_at):
            return
        heap[at], heap[child] = heap[child], heap[at]
        at = child


def sift_up(heap: Ints, size: int, place: int, result_at: Ints) -> None:
    """Add a position to a heap of this size."""
    at = size
    heap[at] = place
    while at > 0:
        parent = (at - 1) // 2
        if not is_before(heap[at], heap[parent], result_at):
            return
        heap[at], heap[parent] = heap[parent], heap[at]
        at = parent
