"""Kernels of demand: the instants, numbers and recipients of generated messages."""

from __future__ import annotations

from typing import Any

import numpy as np

from simbench.kernels.chance import draw_with
from simbench.kernels.jit import kernel
from simbench.kernels.words import word

RANK_BITS = 20  # of a flow's index: rank within its slot, below the slot


def drawn_share(drawn: int, size: int) -> int:
    """Return an integer from 0 to size - 1 (size below 2^31)."""
    return (drawn >> 32) * size >> 32


@kernel
def poisson_counts(key: Any, entity: int, slots: Any, laws: Any, cumulated: Any) -> Any:
    """Return the number of messages in each slot.

    `slots`: their numbers; `laws`: the row of `cumulated` (probabilities of at most n, in units of 2^-32) of each slot.
    """
    counts = np.empty(len(slots), np.int64)
    for place in range(len(slots)):
        drawn = draw_with(key, word(entity + slots[place])) >> 32
        counts[place] = np.searchsorted(cumulated[laws[place]], np.int64(drawn), side="right")
    return counts


@kernel
def poisson_instants(key: Any, entity: int, slots: Any, counts: Any, start: int, slot_us: int) -> Any:
    """Return instants (us, sorted) and indexes of the messages of these slots; slot 0 begins at `start`."""
    total = counts.sum()
    at, index = np.empty(total, np.int64), np.empty(total, np.int64)
    done = 0
    for place in range(len(slots)):
        first = slots[place] << RANK_BITS
        for rank in range(counts[place]):
            index[done + rank] = first + rank
            offset = drawn_share(draw_with(key, word(entity + ((first + rank) << 8))), slot_us)
            at[done + rank] = start + slots[place] * slot_us + offset
        at[done : done + counts[place]].sort()
        done += counts[place]
    return at, index


@kernel
def recipients_at_random(key: Any, entity: int, index: Any, size: int, first: int) -> Any:
    """Return a recipient for each message, from `first` to `first + size - 1`."""
    found = np.empty(len(index), np.int64)
    for place in range(len(index)):
        found[place] = first + drawn_share(draw_with(key, word(entity + (index[place] << 8))), size)
    return found


@kernel
def wrong_recipients(key: Any, entity: int, index: Any, bound: int, recipients: Any, first: int) -> Any:
    """Replace the recipients of `bound` in 2^32 messages by numbers from `first` on."""
    for place in range(len(index)):
        drawn = draw_with(key, word(entity + (index[place] << 8)))
        if (drawn >> 32) < bound:
            recipients[place] = first + drawn % 10_000
    return recipients
