"""Different values among many, numbered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.jit import kernel

Ints = NDArray[np.int64]


@kernel
def numbered_in(values: Ints, table: Ints, numbers: Ints, firsts: Ints, which: NDArray[np.signedinteger]) -> int:
    """Number the different values in order of appearance; return how many there are, -1 where `firsts` is too short.

    `table` (a power of two, -1 throughout) has at least twice the room of `firsts`; `numbers` goes with it.
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
