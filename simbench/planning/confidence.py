"""Confidence in a share measured in a number of futures: its interval, and the probability that it is enough.

Occasions of one future share its outages and volumes, so that they count as fewer than they are: the spread between
futures says for how many (the effective sample of Korn and Graubard, with the exact interval of Clopper and Pearson).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
MOST_FUTURES = 10_000_000


class Share(msgspec.Struct, frozen=True):
    """A share of occasions in time, with its 95 % interval.

    sure: the probability that the true share is at least the one asked for. occasions: how many were looked at, in
    all futures; effective: how many independent ones they are worth.
    """

    share: float
    low: float
    high: float
    sure: float
    occasions: int
    effective: float


def share_of(late: NDArray[np.bool_], target: float) -> Share:
    """The share in time out of (futures, occasions) that are late or not."""
    futures, _wide = late.shape
    kept, total = 1 - float(late.mean()), late.size
    effective = float(futures)  # of what never, or always, happens nobody knows how it clusters
    if 0 < kept < 1 and futures > 1:
        between = float(late.mean(axis=1).var(ddof=1)) / futures
        effective = min(float(total), max(1.0, kept * (1 - kept) / between)) if between > 0 else float(futures)
    low, high, sure = bounds(kept, effective, target)
    return Share(kept, low, high, sure, total, round(effective, 1))


def bounds(kept: float, effective: float, target: float) -> tuple[float, float, float]:
    """The 95 % interval of a share of independent occasions, and the probability that it is at least `target`.

    The probability is the posterior one under the prior of Jeffreys.
    """
    from scipy.special import betainc, betaincinv  # noqa: PLC0415 - slow to load

    good, tail = kept * effective, (1 - LEVEL) / 2
    bad = effective - good
    low = float(betaincinv(good, bad + 1, tail)) if good > 0 else 0.0
    high = float(betaincinv(good + 1, bad, 1 - tail)) if bad > 1e-9 else 1.0
    return low, high, 1 - float(betainc(good + 0.5, bad + 0.5, target))


def futures_needed(share: Share, futures: int, target: float) -> int | None:
    """Return the number of futures that would raise the lower bound to the required share; None if none would."""
    if share.share <= target or target >= 1:
        return None
    each = share.effective / futures
    low, high = futures, futures
    while bounds(share.share, each * high, target)[0] < target:
        low, high = high, high * 2
        if high > MOST_FUTURES:
            return None
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (middle, high) if bounds(share.share, each * middle, target)[0] < target else (low, middle)
    digits = int(10 ** max(0, int(math.log10(high)) - 1))
    return -(-high // digits) * digits
