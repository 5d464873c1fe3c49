"""Columns that become objects only where somebody looks: ten million texts would not fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from simbench.ucp import alphabet

Ints = NDArray[np.int64]
Objects = NDArray[np.object_]
LONGEST: Final = 17  # digits that a number with a 1 before them holds
_POWERS: Final = np.array([10**size for size in range(LONGEST + 1)], np.int64)


class Lazy(Protocol):
    """A column whose values are made when they are asked for."""

    def __len__(self) -> int: ...

    def at(self, places: Ints) -> NDArray[Any]:
        """Return the values at these places."""
        ...


class Coded:
    """Few different values: value `i` is `names[index[i]]`."""

    def __init__(self, names: Sequence[object], index: NDArray[Any]) -> None:
        self.names = np.empty(len(names), dtype=object)
        self.names[:] = names
        self.index = index

    def __len__(self) -> int:
        return len(self.index)

    def at(self, places: Ints) -> NDArray[Any]:
        """Return the values at these places."""
        found: NDArray[Any] = self.names[self.index[places]]
        return found

    def equal(self, value: object) -> NDArray[np.bool_]:
        """Return which rows have this value."""
        found: NDArray[np.bool_] = np.array([each == value for each in self.names.tolist()], np.bool_)[self.index]
        return found


class Gathered:
    """Values of another array by their place in it."""

    def __init__(self, base: NDArray[Any], index: NDArray[Any]) -> None:
        self._base, self._index = base, index

    def __len__(self) -> int:
        return len(self._index)

    def at(self, places: Ints) -> NDArray[Any]:
        """Return the values at these places."""
        found: NDArray[Any] = self._base[self._index[places]]
        return found


class Made:
    """Values made one by one from their place; what is not of the usual form stands in `others` by its place."""

    def __init__(self, size: int, make: Callable[[Ints], Sequence[object]], others: dict[int, object]) -> None:
        self._size, self._make, self._others = size, make, others
        self._odd = np.array(sorted(others), np.int64)

    def __len__(self) -> int:
        return self._size

    def at(self, places: Ints) -> NDArray[Any]:
        """Return the values at these places."""
        found = np.empty(len(places), dtype=object)
        found[:] = self._make(places)
        for place in np.flatnonzero(np.isin(places, self._odd)).tolist() if len(self._odd) else ():
            found[place] = self._others[int(places[place])]
        return found


class Spelt(Made):
    """Texts of digits, each kept as one number with a 1 before them."""

    def __init__(self, numbers: Ints, others: dict[int, object]) -> None:
        super().__init__(len(numbers), lambda places: [str(number)[1:] for number in numbers[places].tolist()], others)
        self._numbers = numbers

    def keys(self) -> Ints:
        """Return a number for each text, the same for the same text."""
        if not self._others:
            return self._numbers
        keys, known = self._numbers.copy(), dict[object, int]()
        for place, text in self._others.items():
            keys[place] = -1 - known.setdefault(text, len(known))
        return keys

    def among(self, texts: Collection[str]) -> NDArray[np.bool_]:
        """Return which rows have one of these texts."""
        numbers = [int("1" + text) for text in texts if text.isdigit() and text.isascii() and len(text) <= LONGEST]
        found = np.isin(self._numbers, np.array(numbers, np.int64))
        for place, text in self._others.items():
            found[place] = text in texts
        return found

    def heads(self, digits: int) -> tuple[list[str], Ints]:
        """Return a text of each group of the same length and the same first digits, and the group of each row."""
        sizes = np.searchsorted(_POWERS, self._numbers, "right") - 1
        heads = self._numbers // _POWERS[np.maximum(sizes - digits, 0)] * (LONGEST + 1) + sizes
        for place, number in enumerate(self._others):
            heads[number] = -1 - place
        _, firsts, which = np.unique(heads, return_index=True, return_inverse=True)
        return [str(text) for text in self.at(firsts).tolist()], which


class Octets:
    """The octets of a wire, in pieces that nobody copies; a place counts through all of them."""

    def __init__(self) -> None:
        self._pieces: list[NDArray[np.uint8]] = []
        self._ends: list[int] = []

    def add(self, piece: NDArray[np.uint8]) -> int:
        """Add a piece; return its place."""
        place = self._ends[-1] if self._ends else 0
        self._pieces.append(piece)
        self._ends.append(place + len(piece))
        return place

    def get(self, places: Ints, sizes: NDArray[Any]) -> list[bytes]:
        """Return the octets at these places."""
        which = np.searchsorted(self._ends, places, "right").tolist()
        found = []
        for piece, place, size in zip(which, places.tolist(), sizes.tolist(), strict=True):
            if not size:
                found.append(b"")
                continue
            start = place - (self._ends[piece] - len(self._pieces[piece]))
            found.append(self._pieces[piece][start : start + size].tobytes())
        return found


def texts_of(octets: Octets, places: Ints, sizes: NDArray[Any], others: dict[int, object]) -> Made:
    """A column of texts in the alphabet of the network, written in hexadecimal."""

    def make(chosen: Ints) -> list[object]:
        pieces = octets.get(places[chosen], sizes[chosen])
        return [alphabet.decode(bytes.fromhex(piece.decode("ascii"))) for piece in pieces]

    return Made(len(places), make, others)
