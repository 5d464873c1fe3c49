"""Kernel that numbers the different values of a column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.jit import kernel

Ints = NDArray[np.int64]


@kernel
def numbered_in(values: Ints, table: Ints, numbers: Ints, firsts: Ints, which: NDArray[np.signedinteger]) -> int:
    """Number the different values in order of appearance; return their count, -1 if `firsts` is too short.

    `table` (length a power of two) is at least twice as long as `firsts`; `numbers` has the same length, filled with
    -1.
    """
    mask, count = len(table) - 1, 0
    for place in range(len(values)):
        value = values[place]
        slot = (value * 0x1E3779B97F4A7C15 >> 20) & mask
        while numbers[slot] >= 0 and table[slot] != value:
            slot = (slot + 1) & mask
        if numbers[slot] < 0:
            if count == len(firsts):
                return -1
            table[slot], numbers[slot], firsts[count] = value, count, place
            count += 1
        which[place] = numbers[slot]
    return count
