"""One attempt at delivery: whether it fails and why, how long to wait, and when time stands still. Decides no order.

The live centre asks these for one message; `kernels.delivery` walks millions through them.
"""

from __future__ import annotations

from collections.abc import Sequence

from simbench.kernels.chance import draw_with
from simbench.kernels.words import word

PERMANENT, ABSENT, NETWORK, MEMORY_FULL = -1, 0, 1, 2
"""Kinds of failure: no further attempt, or the ladder (by number) of waits until the next."""
UNKNOWN_SUBSCRIBER, ABSENT_SUBSCRIBER = 101, 107  # Rsn (EMI-UCP 4.0, section 6.3)

ATTEMPT_STRIDE = 0x9E3779B97F4A7C15  # odd: attempts of one message never meet those of a neighbour by accident


def failure(key: int, entity: int, attempt: int, bounds: Sequence[int]) -> int:
    """The place in the table of failures that this attempt (from 1) meets, or -1.

    `bounds` are the cumulated chances of the table (not empty), of 2^32.
    """
    drawn = draw_with(key, word(word(entity) + word(attempt) * word(ATTEMPT_STRIDE))) >> 32
    if drawn >= bounds[-1]:
        return -1
    place = 0
    while drawn >= bounds[place]:
        place += 1
    return place


def wait(ladder: Sequence[int], attempt: int) -> int:
    """How long to wait (us) after attempt number `attempt` (from 1) failed; the last step repeats."""
    return ladder[min(attempt, len(ladder)) - 1]


def running_at(instant: int, starts: Sequence[int], ends: Sequence[int]) -> int:
    """When a deadline at `instant` is met by a platform that is down strictly between starts[i] and ends[i].

    What falls due while it is down is met when it is back; what falls due at the very moment it goes down still is.
    """
    low, high = 0, len(starts)
    while low < high:  # the first outage that ends after the instant
        middle = (low + high) // 2
        if ends[middle] <= instant:
            low = middle + 1
        else:
            high = middle
    if low < len(starts) and starts[low] < instant:
        return ends[low]
    return instant
