"""Randomness as a function: the same seed, entity and purpose give the same number, in any order and process.

Only integer arithmetic converts a draw to an instant.

A draw is a counter-based hash of three 64-bit numbers. Seed and purpose are mixed into a key, so that neighbouring
seeds and purposes have unrelated draws; the entity is combined by exclusive or and mixed again. The mixing step is the
finalizer of SplitMix64 (Steele, Lea and Flood 2014, constants after Stafford's variant 13), a bijection: two entities
with one seed and purpose never draw the same number.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from hashlib import blake2b
from statistics import NormalDist

MASK = 0xFFFFFFFFFFFFFFFF
GAMMA = 0x9E3779B97F4A7C15  # odd, 2^64 divided by the golden ratio; prevents zeros from being mixed into zero
FIRST = 0xBF58476D1CE4E5B9
SECOND = 0x94D049BB133111EB
MILLION = 1_000_000


def mixed(word: int) -> int:
    """Mix a 64-bit number: a bijection."""
    word = (word + GAMMA) & MASK
    word = ((word ^ (word >> 30)) * FIRST) & MASK
    word = ((word ^ (word >> 27)) * SECOND) & MASK
    return word ^ (word >> 31)


def draw(seed: int, entity: int, purpose: int) -> int:
    """Return a number from 0 to 2^64 - 1, uniformly distributed. Inputs are taken modulo 2^64.

    `entity` identifies the object of the draw (a message, a subscriber), `purpose` its use: `entity_of("presence")`.
    """
    return draw_with(key_of(seed, purpose), entity)


def key_of(seed: int, purpose: int) -> int:
    """Return the part of a draw that depends on seed and purpose only, for code that draws often."""
    return mixed(mixed(seed & MASK) ^ (purpose & MASK))


def draw_with(key: int, entity: int) -> int:
    """Return a draw with a key of `key_of`."""
    return mixed(key ^ (entity & MASK))


def entity_of(*parts: str) -> int:
    """Return a 64-bit number for any texts, the same in every process (BLAKE2b, 8 octets).

    Parts are separated by U+001F, which they must not contain. Identifying numbers are entities themselves and need no
    hash.
    """
    return int.from_bytes(blake2b("\x1f".join(parts).encode(), digest_size=8).digest(), "little")


def share(seed: int, entity: int, purpose: int, share_ppm: int) -> bool:
    """Return True for `share_ppm` of a million entities: none at 0, all at 1,000,000."""
    return (draw(seed, entity, purpose) >> 32) * MILLION >> 32 < share_ppm


def quantile(table: Sequence[int], drawn: int) -> int:
    """Return the value of a distribution at a draw: linear interpolation in its table at draw / 2^64 of its length.

    `table` has at least one entry and does not decrease; with entries below 2^46 (two years in microseconds) all steps
    fit into 64 bits.
    """
    place = (drawn >> 32) * (len(table) - 1)
    index, fraction = place >> 32, (place >> 16) & 0xFFFF
    low = table[index]
    return low if fraction == 0 else low + ((table[index + 1] - low) * fraction >> 16)


@functools.lru_cache(maxsize=256)
def lognormal_table(median_us: int, sigma: float, n: int = 1024) -> tuple[int, ...]:
    """Return a log-normal distribution as `n` quantiles in microseconds, at the middles of `n` equal shares.

    `sigma` is the standard deviation of the natural logarithm. The outermost 1 / 2n at either end are cut off, which
    at n = 1024 lowers the mean by 0.2 percent for sigma = 1.
    """
    inverse = NormalDist().inv_cdf
    return tuple(round(median_us * math.exp(sigma * inverse((place + 0.5) / n))) for place in range(n))
