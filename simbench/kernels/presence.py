"""Presence: whether a subscriber can be reached at an instant, as a function of distribution, subscriber and instant.

Time is divided into slots of twelve hours. One number drawn for subscriber and slot gives whether an absence begins in
the slot, when, and its length. A query examines its slot and the one before.

Absences are of two kinds: short ones, at most a slot long with a given distribution, and those that begin after noon
and end the next morning. Hours are in UTC, so they are later by the civil clock in summer.
"""

from __future__ import annotations

from collections.abc import Sequence

from simbench.base.units import HOUR_US
from simbench.kernels.chance import MASK, draw_with, key_of, quantile
from simbench.kernels.words import word

SLOT_US = 12 * HOUR_US
LONGEST_US = SLOT_US
MORNING_US = 5 * HOUR_US  # the earliest morning return, UTC
MORNING_SPREAD_US = 3 * HOUR_US
SLOT_BITS = 20  # slots since the epoch, until the year 3405
PURPOSE = 0x70726573  # the purpose of the draws


def presence_key(seed: int) -> int:
    """Return the key of all presence draws with one seed."""
    return key_of(seed, PURPOSE)


def absent_until(
    key: int, subscriber: int, slot: int, at: int, chances: Sequence[int], lengths: Sequence[int]
) -> int:  # fmt: skip
    """Return when an absence that begins in a slot and not after `at` (us) ends; `at` or less if there is none.

    `chances`: how many in 2^16 slots have an absence, and how many in 2^8 of those after noon last until the morning.
    `lengths`: the other durations as a quantile table in us, none beyond LONGEST_US.
    """
    drawn = draw_with(key, word((subscriber << SLOT_BITS) + slot))
    start = slot * SLOT_US + (((drawn >> 28) & 0xFFFFF) * SLOT_US >> 20)
    # Computed without branches: mispredicted ones would cost more than the whole computation.
    short = start + quantile(lengths, (drawn << 44) & MASK)
    morning = (slot + 1) * SLOT_US + MORNING_US + ((drawn & 0xFFFFF) * MORNING_SPREAD_US >> 20)
    until_morning = (slot & 1) * ((drawn >> 20) & 0xFF < chances[1])
    begun = ((drawn >> 48) < chances[0]) & (start <= at)
    return at + begun * (short + until_morning * (morning - short) - at)


def back_at(key: int, subscriber: int, now: int, limit: int, chances: Sequence[int], lengths: Sequence[int]) -> int:
    """Return when the subscriber can be reached: `now` if attached, else the end of the absence.

    Overlapping or touching absences count as one. A result at or beyond `limit` only means: not before `limit`.
    """
    at = now
    while at <= limit:
        slot = at // SLOT_US
        until = max(
            absent_until(key, subscriber, slot, at, chances, lengths),
            absent_until(key, subscriber, slot - 1, at, chances, lengths),
            at,
        )
        if until == at:
            break
        at = until
    return at
