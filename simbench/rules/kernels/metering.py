"""Kernels of the rules' meters, which `simbench.rules.meters` selects, over many operations.

A sliding meter has a ring of its last `most` instants. The others have two numbers: a tumbling meter the current second
and its count, a bucket the instant of its last change and its content. Arrays have one row for each meter.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simbench.base.units import SECOND_US
from simbench.kernels.jit import kernel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Index = NDArray[np.int32]

SLIDING, TUMBLING, BUCKET = range(3)
LONG_AGO: Final = -(10**15)
FORMS: Final = 4  # columns of `forms`: reading, most, window (us), offset of the ring


def due_of(  # noqa: PLR0913 - a kernel has no objects
    reading: int, most: int, window_us: int, oldest: int, one: int, other: int, instant: int
) -> int:
    """Return the earliest instant at which one more operation conforms; `one` and `other` are the meter's numbers."""
    if reading == SLIDING:
        return max(instant, oldest + window_us)
    if reading == TUMBLING:
        if instant // SECOND_US > one:
            return instant
        return max(instant, (one + (1 if other >= most else 0)) * SECOND_US)
    at = max(instant, one)
    full = most * SECOND_US
    held = full if at - one >= SECOND_US else min(full, other + (at - one) * most)
    lacking = SECOND_US - held
    return at + (lacking + most - 1) // most if lacking > 0 else instant


def taken(reading: int, most: int, one: int, other: int, due: int) -> tuple[int, int]:
    """Return the two numbers of a meter after it admitted an operation at `due`."""
    if reading == TUMBLING:
        second = due // SECOND_US
        if second > one:
            return second, 1
        return one, other + (1 if second == one else 0)
    if reading == BUCKET:
        at = max(due, one)
        full = most * SECOND_US
        held = full if at - one >= SECOND_US else min(full, other + (at - one) * most)
        return at, max(0, held - SECOND_US)
    return one, other


def prepared(forms: Ints, rings: Ints, heads: Ints, numbers: Ints) -> None:
    """Reset all meters."""
    rings[:] = LONG_AGO
    heads[:] = 0
    for meter in range(len(forms)):
        numbers[meter, 0] = LONG_AGO
        numbers[meter, 1] = forms[meter, 1] * SECOND_US if forms[meter, 0] == BUCKET else 0


@kernel
def police(  # noqa: PLR0913 - a kernel has no objects
    at: Ints, segments: Ints, form: Ints, tolerance_us: int, late_us: Ints, early: Bools, ring: Ints, head_of: Ints,
    numbers: Ints, dues: Ints,
) -> int:  # fmt: skip
    """Mark operations that are too early for one meter; return the worst earliness (us).

    Each operation counts as early as `late_us` allows; the array is empty without delays. `dues` has room for the
    segments of one operation. Call `prepared` first.
    """
    reading, most, window_us, worst = form[0, 0], form[0, 1], form[0, 2], 0
    head, one, other = head_of[0], numbers[0, 0], numbers[0, 1]
    for place in range(len(at)):
        instant, amount, first, second, due = at[place], segments[place], one, other, 0
        for number in range(max(1, amount)):
            oldest = LONG_AGO
            if reading == SLIDING:
                oldest = ring[(head + number) % most] if number < most else dues[number - most]
            due = due_of(reading, most, window_us, oldest, first, second, instant)
            if number < amount - 1:
                dues[number] = due
                first, second = taken(reading, most, first, second, due)
        if due > instant and len(late_us) > 0:
            due = max(instant, due - late_us[place])
        worst = max(worst, due - instant)
        early[place] = due - instant > tolerance_us
        if early[place]:
            continue
        dues[max(1, amount) - 1] = due
        one, other = taken(reading, most, first, second, due)
        if reading == SLIDING:
            for number in range(max(1, amount)):
                ring[head] = dues[number]
                head = (head + 1) % most
    head_of[0], numbers[0, 0], numbers[0, 1] = head, one, other
    return worst


@kernel
def over_rate(  # noqa: PLR0913 - a kernel has no objects
    at: Ints, segments: Ints, meters: Index, forms: Ints, accepted: Bools, bounds: Ints, found: Bools, rings: Ints,
    heads: Ints, numbers: Ints, dues: Ints,
) -> None:  # fmt: skip
    """Mark operations that arrive earlier than their meter (-1: none) allows, or less than `bounds` later.

    Operations that were accepted or in time consume the meter at their arrival. Call `prepared` first.
    """
    for place in range(len(at)):
        meter = meters[place]
        if meter < 0:
            continue
        reading, most, window_us, base = forms[meter, 0], forms[meter, 1], forms[meter, 2], forms[meter, 3]
        instant, amount = at[place], segments[place]
        first, second, due = numbers[meter, 0], numbers[meter, 1], 0
        for number in range(max(1, amount)):
            oldest = LONG_AGO
            if reading == SLIDING:
                oldest = rings[base + (heads[meter] + number) % most] if number < most else dues[number - most]
            if number < amount - 1:
                dues[number] = due_of(reading, most, window_us, oldest, first, second, instant)
                first, second = taken(reading, most, first, second, dues[number])
            else:  # a second earlier, so that the margin is known too
                due = due_of(reading, most, window_us, oldest, first, second, instant - SECOND_US)
        early = due - instant
        found[place] = early > -bounds[place]
        if early > 0 and not accepted[place]:
            continue
        for _ in range(amount):
            numbers[meter, 0], numbers[meter, 1] = taken(reading, most, numbers[meter, 0], numbers[meter, 1], instant)
            if reading == SLIDING:
                rings[base + heads[meter]] = instant
                heads[meter] = (heads[meter] + 1) % most


@kernel
def dues_of(at: Ints, segments: Ints, form: Ints, found: Ints) -> None:
    """Find the instant at which a meter that accepts all operations allows the last segment of each."""
    reading, most, window_us = form[0], form[1], form[2]
    ring = np.full(most if reading == SLIDING else 1, LONG_AGO)
    head, one, other = 0, LONG_AGO, most * SECOND_US if reading == BUCKET else 0
    for place in range(len(at)):
        due = at[place]
        for _ in range(segments[place]):
            due = due_of(reading, most, window_us, ring[head], one, other, at[place])
            one, other = taken(reading, most, one, other, due)
            if reading == SLIDING:
                ring[head] = due
                head = (head + 1) % most
        found[place] = due
