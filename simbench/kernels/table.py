"""A table from 64-bit keys to 64-bit values, looked up many at a time. Knows nothing of what the numbers mean.

It exists because a hundred look-ups in dictionaries wait for memory a hundred times, one after the other, while a
hundred cells gathered at once wait together. Keys stand in order of their hash (open addressing, linear probing).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.chance import GAMMA, MASK
from simbench.kernels.draws import Words

Values = NDArray[np.int64]
Places = NDArray[np.intp]

SPARSE: Final = 4  # cells a key: most keys are where they are looked for first
_TAIL: Final = 256  # cells beyond the last hash, so that nothing wraps around
_GAMMA: Final = np.uint64(GAMMA)


class Table:
    """Cells by key; key 0 stands for none. A cell that is new holds 0.

    Places are good until the next call of anything but `place` and `places` with keys the table holds already.
    """

    __slots__ = ("_keys", "_seen", "_shift", "count", "values")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every key."""
        self._lay(np.zeros(0, np.uint64), np.zeros(0, np.int64), 10)

    def place(self, key: int) -> int:
        """Where the value of a key stands; made when there is none."""
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
            size = len(self._keys)
            found = [self._place(key) for key in keys[elsewhere].tolist()]
            if len(self._keys) != size:
                return self.places(keys)
            at[elsewhere] = found
        return at

    def keep(self, least: int) -> None:
        """Forget the keys whose value is less."""
        kept = (self.values >= least) & (self._keys != 0)
        self._lay(self._keys[kept], self.values[kept], 10)

    def _place(self, key: int) -> int:
        seen = self._seen
        at = (key * GAMMA & MASK) >> self._shift
        while True:
            found = seen[at]
            if found == key:
                return at
            if not found:
                break
            at += 1
        if at + 1 == len(seen):  # the last cell stays empty: it ends every search
            self._grow()
            return self._place(key)
        seen[at] = key
        self.count += 1
        return at

    def _grow(self) -> None:
        held = self._keys != 0
        self._lay(self._keys[held], self.values[held], 65 - self._shift)

    def _lay(self, keys: Words, values: Values, bits: int) -> None:
        """Put all keys into so many cells, or more: each at its hash or, in order of the hashes, right behind."""
        while len(keys) * SPARSE >= 1 << bits:
            bits += 1
        while True:
            homes = ((keys * _GAMMA) >> np.uint64(64 - bits)).astype(np.intp)
            order, ranks = np.argsort(homes, kind="stable"), np.arange(len(keys))
            places = np.maximum.accumulate(homes[order] - ranks) + ranks
            size = (1 << bits) + _TAIL
            if not len(keys) or places[-1] + 1 < size:
                break
            bits += 1
        self._shift, self.count = 64 - bits, len(keys)
        self._keys, self.values = np.zeros(size, np.uint64), np.zeros(size, np.int64)
        self._keys[places], self.values[places] = keys[order], values[order]
        self._seen = self._keys.data  # for single cells, several times faster than the array
