"""Checks of the times of a row, in one pass over the columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.jit import kernel

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

MISSING = -(1 << 63)
FARTHEST = 1 << 61  # above any instant or duration of a call; the sum of two fits in 64 bits
WRONG = ("", "unreadable", "no-start", "missing-stop", "ends-before-start", "negative", "contradiction")
"""Reasons by number; 0: none. The first that applies counts."""


@kernel
def weigh_times(start: I64, end: I64, duration: I64, tolerance: int) -> tuple[U8, I64]:
    """Return the number of the reason against each row, and the duration of its call. Columns may be empty (no values).

    A duration may differ from the distance between start and end by less than `tolerance`.
    """
    reason, lasting = np.zeros(len(start), np.uint8), np.zeros(len(start), np.int64)
    for row in range(len(start)):
        begins = start[row]
        ends = end[row] if len(end) else MISSING
        lasts = duration[row] if len(duration) else MISSING
        far = 0
        for value in (begins, ends, lasts):
            far += value != MISSING and (value > FARTHEST or value < -FARTHEST)
        if far:
            reason[row] = 1
            continue
        spanned = begins != MISSING and ends != MISSING  # noqa: PLR1714 - a set is none of numba's
        span = ends - begins if spanned else 0
        lasting[row] = span if lasts == MISSING else lasts
        if begins == MISSING:
            reason[row] = 2
        elif ends == MISSING and lasts == MISSING:
            reason[row] = 3
        elif span < 0:
            reason[row] = 4
        elif lasting[row] < 0:
            reason[row] = 5
        elif spanned and abs(span - lasting[row]) >= tolerance:
            reason[row] = 6
    return reason, lasting
