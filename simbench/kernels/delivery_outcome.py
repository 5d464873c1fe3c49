"""One delivery attempt: its failure, the wait before the next attempt, and deadlines during outages.

The live centre calls these functions for one message, the simulation's `kernels.delivery` for millions.
"""

from __future__ import annotations

from collections.abc import Sequence

from simbench.kernels.chance import draw_with
from simbench.kernels.words import word

PERMANENT, ABSENT, NETWORK, MEMORY_FULL = -1, 0, 1, 2
"""Kinds of failure: no further attempt, or the retry schedule (by number)."""
UNKNOWN_SUBSCRIBER, ABSENT_SUBSCRIBER = 101, 107  # Rsn (EMI-UCP 4.0, section 6.3)

ATTEMPT_STRIDE = 0x9E3779B97F4A7C15  # odd: separates the draws of one message's attempts from those of its neighbours


def failure(key: int, entity: int, attempt: int, bounds: Sequence[int]) -> int:
    """Return the index of the failure of this attempt (from 1), -1 if it succeeds.

    `bounds` are the cumulative probabilities of the failures (not empty), in units of 2^-32.
    """
    drawn = draw_with(key, word(word(entity) + word(attempt) * word(ATTEMPT_STRIDE))) >> 32
    if drawn >= bounds[-1]:
        return -1
    place = 0
    while drawn >= bounds[place]:
        place += 1
    return place


def wait(ladder: Sequence[int], attempt: int) -> int:
    """Return the wait (us) after the failure of attempt number `attempt` (from 1); the last step repeats."""
    return ladder[min(attempt, len(ladder)) - 1]


def running_at(instant: int, starts: Sequence[int], ends: Sequence[int]) -> int:
    """Return when a deadline at `instant` is served by a platform that is down strictly between starts[i] and ends[i].

    Deadlines during an outage are served at its end; one at the very start of an outage is still served.
    """
    low, high = 0, len(starts)
    while low < high:  # find the first outage that ends after the instant
        middle = (low + high) // 2
        if ends[middle] <= instant:
            low = middle + 1
        else:
            high = middle
    if low < len(starts) and starts[low] < instant:
        return ends[low]
    return instant
