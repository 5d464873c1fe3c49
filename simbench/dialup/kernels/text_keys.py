"""Hashes of texts in bulk, to find candidates for equality. Texts with equal hashes must be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.chance import draw_with
from simbench.kernels.jit import kernel


@kernel
def number_texts(offsets: NDArray[np.int64], octets: NDArray[np.uint8], salt: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each text `octets[offsets[n]:offsets[n + 1]]` with its salt."""
    numbers = np.empty(len(offsets) - 1, np.uint64)
    for place in range(len(numbers)):
        word = np.uint64(salt[place])
        part, shift = np.uint64(0), np.uint64(0)
        for at in range(offsets[place], offsets[place + 1]):
            part |= np.uint64(octets[at]) << shift
            shift += np.uint64(8)
            if shift == np.uint64(64):
                word = np.uint64(draw_with(word, part))  # type: ignore[arg-type]  # 64 unsigned bits, as jit.py asks
                part, shift = np.uint64(0), np.uint64(0)
        length = np.uint64(offsets[place + 1] - offsets[place])
        word = np.uint64(draw_with(word, part))  # type: ignore[arg-type]  # as above
        numbers[place] = np.uint64(draw_with(word, length))  # type: ignore[arg-type]  # as above
    return numbers


@kernel
def seen_before(numbers: NDArray[np.uint64], bits: int) -> NDArray[np.bool_]:
    """Mark numbers that occurred before, with a table of 2^`bits` entries, more than numbers.

    0 and 1 count as equal.
    """
    table, before = np.zeros(1 << bits, np.uint64), np.zeros(len(numbers), np.bool_)
    mask = (1 << bits) - 1
    for place in range(len(numbers)):
        number = max(numbers[place], np.uint64(1))
        at = np.int64(number >> np.uint64(64 - bits))
        while table[at] != 0 and table[at] != number:
            at = (at + 1) & mask
        before[place] = table[at] == number
        table[at] = number
    return before
