"""A table from 64-bit keys to 64-bit values (open addressing, linear probing), shared by plain and compiled code.

Each table has a random multiplier for its hash, so that nobody can choose colliding keys. A key is at most `PROBES`
cells from its hash. The position of a key does not affect results. A table that never grows does without numpy.
"""

from __future__ import annotations

from secrets import randbits
from typing import TYPE_CHECKING, Final

from simbench.kernels.chance import MASK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]
    Values = NDArray[np.int64]

SPARSE: Final = 2  # cells per key, at least
PROBES: Final = 256  # greatest distance of a key from its hash, in cells; not reached by chance at this density
HEAD: Final = 4  # cells before the first key: count of keys, multiplier, shift, unused
_SMALLEST: Final = 10  # bits of the number of cells


class Table:
    """Cells by key; key 0 means none. A new cell holds 0. Places are valid until the next call that adds or removes
    keys.
    """

    __slots__ = ("_cells", "_head", "_keys", "_multiplier", "_octets", "_shift", "values")

    _cells: Words | None

    def __init__(self) -> None:
        self.clear()

    @property
    def count(self) -> int:
        """The number of keys."""
        return self._head[0]

    @property
    def cells(self) -> Words:
        """Count, multiplier, shift, nothing, then pairs of a key and its value, which share a line of the processor's
        cache: for compiled code, with `cell_of`.
        """
        if self._cells is None:
            import numpy as np  # noqa: PLC0415 - slow to load, and needed by large tables only

            self._cells = np.frombuffer(self._octets, np.uint64)
        return self._cells

    def clear(self) -> None:
        """Remove every key."""
        self._empty(_SMALLEST, randbits(64) | 1)

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

    def _held(self) -> tuple[Words, Values]:
        keys = self.cells[HEAD::2]
        held = keys != 0
        return keys[held], self.cells.view("int64")[HEAD + 1 :: 2][held]

    def _empty(self, bits: int, multiplier: int) -> None:
        """Take 2^bits empty cells."""
        self._multiplier, self._shift = multiplier, 64 - bits
        self._octets = bytearray(8 * (HEAD + (2 << bits)))
        self._cells = None
        words = memoryview(self._octets).cast("Q")  # for single cells, several times faster than an array
        words[1], words[2] = multiplier, 64 - bits
        self._head: memoryview = words[:HEAD]
        self._keys: memoryview = words[HEAD::2]
        self.values: memoryview = memoryview(self._octets).cast("q")[HEAD + 1 :: 2]

    def _lay(self, keys: Words, values: Values, bits: int) -> None:
        """Put all keys into at least 2^bits cells, each at its hash or, in order of hashes, in the next free cell."""
        import numpy as np  # noqa: PLC0415 - as above

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
        self._empty(bits, int(multiplier))
        self._head[0] = len(keys)
        at = HEAD + 2 * places
        self.cells[at], self.cells[at + 1] = keys[order], values[order].view(np.uint64)
