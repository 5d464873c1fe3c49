"""Calls of a population: a Poisson process by second; each call has a duration, a user and a pool.

Each second is drawn independently, so the calls are the same for any chunks and any number of workers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simbench.base.units import SECOND_US
from simbench.kernels.chance import draw_with, quantile
from simbench.kernels.jit import kernel

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U64 = NDArray[np.uint64]

WORD = 1 << 32
CALLS_BITS = 16  # calls of one second are numbered within its entity


def poisson_thresholds(mean: float) -> list[int]:
    """Return cumulative shares of 2^32 of a Poisson law: a draw below entry k and not below entry k - 1 means k.

    Probabilities below 2^-32 are cut off.
    """
    if mean <= 0:
        return [WORD]
    thresholds: list[int] = []
    total, count = 0.0, 0
    while not thresholds or (thresholds[-1] < WORD and count < mean + 20 * math.sqrt(mean) + 40):
        total += math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
        thresholds.append(min(WORD, round(total * WORD)))
        count += 1
    thresholds[-1] = WORD
    return thresholds


@kernel
def count_arrivals(seconds: I64, row: I32, thresholds: I64, key: int) -> I32:
    """Count the calls that begin in each second from `seconds[0]` until before `seconds[1]`.

    `row` is the line of `thresholds` of each half-hour; half-hours count from `seconds[0]`, which must begin one.
    """
    counts = np.zeros(seconds[1] - seconds[0], np.int32)
    for place in range(len(counts)):
        drawn = np.uint64(draw_with(np.uint64(key), np.uint64(seconds[0] + place)))  # type: ignore[arg-type]  # 64 bits
        share = np.int64(drawn >> np.uint64(32))
        table = thresholds[row[place // 1800]]
        count = 0
        while share >= table[count]:
            count += 1
        counts[place] = count
    return counts


@kernel
def fill_arrivals(
    first_s: int, counts: I32, keys: U64, law: tuple[I64, I64, I64], parts: I64, unit_us: int
) -> tuple[I64, I64, I32, I32]:
    """Return starts and durations (us), users and pools of the counted calls, sorted by start.

    `keys`: of offset, duration and user. `law`: quantiles (us) of two components, and the share of 2^32 of the first.
    `parts`: users below each bound belong to each pool. `unit_us` 1,000,000 gives whole seconds and at least one
    second.
    """
    total = 0
    for place in range(len(counts)):
        total += counts[place]
    start, length = np.empty(total, np.int64), np.empty(total, np.int64)
    user, pool = np.empty(total, np.int32), np.empty(total, np.int32)
    one, other, share = law
    at = 0
    for place in range(len(counts)):
        second = first_s + place
        first = at
        for number in range(counts[place]):
            entity = np.uint64((second << CALLS_BITS) + number)
            began = np.int64(second * SECOND_US)
            if unit_us == 1:
                offset = np.uint64(draw_with(keys[0], entity))  # type: ignore[arg-type]  # 64 unsigned bits
                began += np.int64(offset >> np.uint64(32)) * SECOND_US >> 32
            drawn = np.uint64(draw_with(keys[1], entity))  # type: ignore[arg-type]  # as above
            lasts = np.int64(
                quantile(one, drawn)  # type: ignore[arg-type]  # arrays are sequences to the compiler
                if np.int64(drawn & np.uint64(0xFFFFFFFF)) < share[0]
                else quantile(other, drawn)  # type: ignore[arg-type]  # as above
            )
            if unit_us > 1:
                lasts = np.int64(max(int((lasts + unit_us // 2) // unit_us), 1) * unit_us)
            chosen = np.uint64(draw_with(keys[2], entity))  # type: ignore[arg-type]  # as above
            who = np.int64(chosen >> np.uint64(32)) * parts[-1] >> 32
            spot = at
            while spot > first and start[spot - 1] > began:
                start[spot], length[spot], user[spot] = start[spot - 1], length[spot - 1], user[spot - 1]
                spot -= 1
            start[spot], length[spot], user[spot] = began, lasts, who
            at += 1
    for call in range(total):
        p = 0
        while user[call] >= parts[p]:
            p += 1
        pool[call] = p
    return start, length, user, pool
