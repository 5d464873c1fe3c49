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
_GAMMA: Final = np.uint64(GAMMA)


class Table:
    """Cells by key; key 0 stands for none. A cell that is new holds 0.

    Places, and `values`, are good until the next call of anything but `place` and `places` with keys already held.
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
            at[elsewhere] = [self._place(key) for key in keys[elsewhere].tolist()]
        return at

    def keep(self, least: int) -> None:
        """Forget the keys whose value is less."""
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
        """Put all keys into so many cells, or more: each at its hash or, in order of the hashes, right behind."""
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
