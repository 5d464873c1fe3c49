"""Presence: whether a subscriber can be reached at an instant, as a function of law, subscriber and instant.

Keeps nothing of any subscriber. Time is cut into slots of twelve hours; in each a subscriber draws whether an absence
begins, when, and how long it lasts, all from one number. Whoever asks looks at the slot and at the one before.

Absences are of two kinds: short ones with a law of lengths, at most a slot long, and those that begin after noon and
end the next morning. Hours are reckoned in UTC, so they come later by the clock in summer.
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
PURPOSE = 0x70726573  # of the draws


def presence_key(seed: int) -> int:
    """What all draws of presence under one seed have in common."""
    return key_of(seed, PURPOSE)


def absent_until(
    key: int, subscriber: int, slot: int, at: int, chances: Sequence[int], lengths: Sequence[int]
) -> int:  # fmt: skip
    """When the absence ends that begins in a slot and not after `at` (us); `at` without one, or less when it is over.

    `chances`: how many in 2^16 slots have an absence, and how many in 2^8 of those after noon last until the morning.
    `lengths`: the others as a quantile table in us, none beyond LONGEST_US.
    """
    drawn = draw_with(key, word((subscriber << SLOT_BITS) + slot))
    start = slot * SLOT_US + (((drawn >> 28) & 0xFFFFF) * SLOT_US >> 20)
    # Reckoned without a branch: a processor that guesses wrong half the time loses more than all of this takes.
    short = start + quantile(lengths, (drawn << 44) & MASK)
    morning = (slot + 1) * SLOT_US + MORNING_US + ((drawn & 0xFFFFF) * MORNING_SPREAD_US >> 20)
    until_morning = (slot & 1) * ((drawn >> 20) & 0xFF < chances[1])
    begun = ((drawn >> 48) < chances[0]) & (start <= at)
    return at + begun * (short + until_morning * (morning - short) - at)


def back_at(key: int, subscriber: int, now: int, limit: int, chances: Sequence[int], lengths: Sequence[int]) -> int:
    """When the subscriber can be reached: `now` if attached, else the end of the absence.

    Absences that overlap or touch are one. An answer at or beyond `limit` only says: not before `limit`.
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
