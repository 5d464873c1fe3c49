"""A table from 64-bit keys to 64-bit values (open addressing, linear probing), shared by plain and compiled code.

Each table has a random multiplier for its hash, so that nobody can choose colliding keys. A key is at most `PROBES`
cells from its hash. The position of a key does not affect results.
"""

from __future__ import annotations

from secrets import randbits
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.chance import MASK

Words = NDArray[np.uint64]

SPARSE: Final = 2  # cells per key, at least
PROBES: Final = 256  # greatest distance of a key from its hash, in cells; not reached by chance at this density
HEAD: Final = 4  # cells before the first key: count of keys, multiplier, shift, unused
_SMALLEST: Final = 10  # bits of the number of cells


class Table:
    """A table of cells by key; key 0 means none, and the value of a new key is 0.

    `cells`: count, multiplier, shift, unused, then pairs of a key and its value, which share a line of the processor's
    cache; compiled code uses it with `cell_of`. Positions are valid until the next call that adds or removes keys.
    """

    __slots__ = ("_head", "_keys", "_multiplier", "_shift", "cells", "values")

    def __init__(self) -> None:
        self.clear()

    @property
    def count(self) -> int:
        """The number of keys."""
        return self._head[0]

    def clear(self) -> None:
        """Remove every key."""
        self._lay(np.zeros(0, np.uint64), np.zeros(0, np.int64), _SMALLEST)

    def place(self, key: int) -> int:
        """Return the place of a key's value in `values`, adding the key if it is new."""
        keys = self._keys
        at = (key * self._multiplier & MASK) >> self._shift
        if keys[at] == key:  # by far the most frequent case
            return at
        last = len(keys) - 1
        for _ in range(PROBES):
            held = keys[at]
            if held == key:
                return at
            if not held:
                if self.is_full():
                    break
                keys[at] = key
                self._head[0] += 1
                return at
            at = at + 1 & last
        self.grow()
        return self.place(key)

    def put(self, key: int, value: int) -> None:
        """Set the value of a key."""
        place = self.place(key)  # first, because it may move the values
        self.values[place] = value

    def is_full(self) -> bool:
        """Return whether another key needs more cells."""
        return (self.count + 1) * SPARSE > len(self._keys)

    def keep(self, least: int) -> None:
        """Remove the keys whose value is below `least`."""
        keys, values = self._held()
        kept = values >= least
        self._lay(keys[kept], values[kept], _SMALLEST)

    def grow(self) -> None:
        """Make room for twice as many keys, with another multiplier."""
        self._lay(*self._held(), len(self._keys).bit_length())

    def _held(self) -> tuple[Words, NDArray[np.int64]]:
        keys, values = np.asarray(self._keys), np.asarray(self.values)
        held = keys != 0
        return keys[held], values[held]

    def _lay(self, keys: Words, values: NDArray[np.int64], bits: int) -> None:
        """Put all keys into at least 2^bits cells, each at its hash or, in order of hashes, in the next free cell."""
        while (len(keys) + 1) * SPARSE > 1 << bits:
            bits += 1
        size = 1 << bits
        while True:
            multiplier = np.uint64(randbits(64) | 1)
            homes = ((keys * multiplier) >> np.uint64(64 - bits)).astype(np.intp)
            order, ranks = np.argsort(homes, kind="stable"), np.arange(len(keys))
            places = np.maximum.accumulate(homes[order] - ranks) + ranks
            if not len(keys) or (places[-1] < size and int((places - homes[order]).max()) < PROBES):
                break
        self.cells = np.zeros(HEAD + 2 * size, np.uint64)
        self.cells[: HEAD - 1] = len(keys), multiplier, 64 - bits
        at = HEAD + 2 * places
        self.cells[at], self.cells[at + 1] = keys[order], values[order].view(np.uint64)
        self._multiplier, self._shift = int(multiplier), 64 - bits
        # Memory views read single cells several times faster than the array.
        self._head: memoryview = self.cells[:HEAD].data
        self._keys: memoryview = self.cells[HEAD::2].data
        self.values: memoryview = self.cells.view(np.int64)[HEAD + 1 :: 2].data


def home_of(cells: Any, key: Any) -> Any:
    """Return the index in `cells` at which the search for a key (a word) begins."""
    return HEAD + 2 * np.int64((key * cells[1]) >> cells[2])


def cell_of(cells: Any, key: Any) -> Any:
    """Return the index in `cells` of a key (a word), or the index of the cell for it, negated; 0: no cell near enough.

    For compiled code. The value is in the next cell.
    """
    at = home_of(cells, key)
    for _ in range(PROBES):
        held = cells[at]
        if held == key:
            return at
        if held == 0:
            return -at
        at += 2
        if at == len(cells):
            at = HEAD
    return 0


def held_at(cells: Any, key: Any) -> Any:
    """Return the value of a key (a word), 0 if there is none. For compiled code."""
    cell = cell_of(cells, key)
    return np.int64(cells[cell + 1]) if cell > 0 else np.int64(0)


def is_full(cells: Any) -> Any:
    """Return whether another key needs more cells. For compiled code."""
    return (np.int64(cells[0]) + 1) * SPARSE > (len(cells) - HEAD) // 2
