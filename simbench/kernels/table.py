"""A table from 64-bit keys to 64-bit values, for many look-ups at a time.

A hundred dictionary look-ups wait for memory a hundred times in sequence; a hundred cells gathered at once wait
together. Keys are ordered by their hash (open addressing, linear probing).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.chance import GAMMA, MASK
from simbench.kernels.draws import Words

Values = NDArray[np.int64]
Places = NDArray[np.intp]

SPARSE: Final = 4  # cells per key, so that most keys are found at their first cell
_GAMMA: Final = np.uint64(GAMMA)


class Table:
    """Cells by key; key 0 means none. A new cell holds 0.

    Places, and `values`, are valid until the next call that adds or removes keys.
    """

    __slots__ = ("_keys", "_seen", "_shift", "count", "values")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Remove every key."""
        self._lay(np.zeros(0, np.uint64), np.zeros(0, np.int64), 10)

    def place(self, key: int) -> int:
        """Return the place of a key's value, adding the key if it is new."""
        if self.count * SPARSE >= 1 << 64 - self._shift:
            self._grow()
        return self._place(key)

    def places(self, keys: Words) -> Places:
        """`place` of each."""
        while (self.count + len(keys)) * SPARSE > 1 << 64 - self._shift:
            self._grow()
        at = ((keys * _GAMMA) >> np.uint64(self._shift)).astype(np.intp)
        elsewhere = (self._keys[at] != keys).nonzero()[0]
        if len(elsewhere):
            at[elsewhere] = [self._place(key) for key in keys[elsewhere].tolist()]
        return at

    def keep(self, least: int) -> None:
        """Remove the keys whose value is lower."""
        kept = (self.values >= least) & (self._keys != 0)
        self._lay(self._keys[kept], self.values[kept], 10)

    def _place(self, key: int) -> int:
        seen = self._seen
        at, last = (key * GAMMA & MASK) >> self._shift, len(seen) - 1
        while seen[at] != key:
            if not seen[at]:
                seen[at] = key
                self.count += 1
                return at
            at = at + 1 & last
        return at

    def _grow(self) -> None:
        held = self._keys != 0
        self._lay(self._keys[held], self.values[held], 65 - self._shift)

    def _lay(self, keys: Words, values: Values, bits: int) -> None:
        """Put all keys into at least 2^bits cells: each at its hash or, in order of the hashes, right after."""
        while len(keys) * SPARSE >= 1 << bits:
            bits += 1
        self._shift, size = 64 - bits, 1 << bits
        self._keys, self.values = np.zeros(size, np.uint64), np.zeros(size, np.int64)
        self._seen = self._keys.data  # for single cells, several times faster than the array
        homes = ((keys * _GAMMA) >> np.uint64(self._shift)).astype(np.intp)
        order, ranks = np.argsort(homes, kind="stable"), np.arange(len(keys))
        places = np.maximum.accumulate(homes[order] - ranks) + ranks
        inside = int(np.searchsorted(places, size))
        self.count, fitting, beyond = inside, order[:inside], order[inside:]
        self._keys[places[:inside]], self.values[places[:inside]] = keys[fitting], values[fitting]
        for key, value in zip(keys[beyond].tolist(), values[beyond].tolist(), strict=True):  # they begin anew
            self.values[self._place(key)] = value
