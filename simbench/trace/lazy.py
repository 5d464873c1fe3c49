"""Lazy columns: values are made only when they are read, as ten million texts would not fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simbench.trace.stores import Packed, numbered
from simbench.ucp import alphabet

Ints = NDArray[np.int64]
Objects = NDArray[np.object_]
Bytes = NDArray[np.uint8]
_KEPT: Final = 2  # pieces of octets kept in memory
LONGEST: Final = 17  # most digits of a text stored as a number with a 1 before it
_SIZES: Final = LONGEST + 1
_POWERS: Final = np.array([10**size for size in range(LONGEST + 1)], np.int64)


class Lazy(Protocol):
    """A column whose values are made when they are read."""

    def __len__(self) -> int: ...

    def at(self, places: Ints) -> NDArray[np.generic]:
        """Return the values at these places."""
        ...


class Coded:
    """A column with few different values: value `i` is `names[index[i]]`."""

    def __init__(self, names: Sequence[object], index: NDArray[np.signedinteger]) -> None:
        self.names = np.empty(len(names), dtype=object)
        self.names[:] = names
        self.index = index

    def __len__(self) -> int:
        return len(self.index)

    def at(self, places: Ints) -> NDArray[np.generic]:
        """Return the values at these places."""
        found: Objects = self.names[self.index[places]]
        return found

    def equal(self, value: object) -> NDArray[np.bool_]:
        """Return which rows have this value."""
        found: NDArray[np.bool_] = np.array([each == value for each in self.names.tolist()], np.bool_)[self.index]
        return found


class Numbers:
    """Integers of 64 bits stored in fewer; with `base`, value `i` is `base[narrow[i]]`."""

    def __init__(self, narrow: NDArray[np.signedinteger], base: Ints | None = None) -> None:
        self.narrow, self.base = narrow, base

    def __len__(self) -> int:
        return len(self.narrow)

    def at(self, places: Ints) -> NDArray[np.generic]:
        """Return the values at these places."""
        found: Ints = self.narrow[places] if self.base is None else self.base[self.narrow[places]]
        return found.astype(np.int64, copy=False)

    def whole(self) -> Ints:
        """Return all values."""
        return self.narrow.astype(np.int64) if self.base is None else self.base[self.narrow]

    def equal(self, value: object) -> NDArray[np.bool_]:
        """Return which rows have this value."""
        if self.base is None:
            return np.asarray(self.narrow == value)
        found: NDArray[np.bool_] = (self.base == value)[self.narrow]
        return found


class Either:
    """The values of two columns, one after the other, reordered by `order`."""

    def __init__(self, one: Lazy, other: Lazy, order: Ints) -> None:
        self._one, self._other, self._order = one, other, order

    def __len__(self) -> int:
        return len(self._order)

    def at(self, places: Ints) -> NDArray[np.generic]:
        """Return the values at these places."""
        chosen = self._order[places]
        first = chosen < len(self._one)
        some, others = self._one.at(chosen[first]), self._other.at(chosen[~first] - len(self._one))
        found = np.empty(len(places), some.dtype)
        found[first], found[~first] = some, others
        return found


class Made:
    """Values made by `make` from their positions; `others` has the values of another form, by position.

    `filled`: which values may be non-empty.
    """

    def __init__(
        self, size: int, make: Callable[[Ints], Sequence[object]], others: Mapping[int, object],
        filled: NDArray[np.bool_] | None = None,
    ) -> None:  # fmt: skip
        self._size, self._make, self._others, self._filled = size, make, others, filled
        self._odd = np.array(sorted(others), np.int64)

    def __len__(self) -> int:
        return self._size

    def at(self, places: Ints) -> NDArray[np.generic]:
        """Return the values at these places."""
        found = np.empty(len(places), dtype=object)
        found[:] = self._make(places)
        for place in np.flatnonzero(np.isin(places, self._odd)).tolist() if len(self._odd) else ():
            found[place] = self._others[int(places[place])]
        return found

    def filled(self) -> NDArray[np.bool_]:
        """Return which rows may have a non-empty value."""
        found = np.ones(self._size, np.bool_) if self._filled is None else self._filled.copy()
        for place in self._odd.tolist():
            found[place] = bool(self._others[place])
        return found


class Spelt(Made):
    """Texts of digits, each stored as one number with a 1 before it."""

    def __init__(self, numbers: Packed, others: Mapping[int, object]) -> None:
        super().__init__(
            len(numbers), lambda places: [str(number)[1:] for number in numbers.at(places).tolist()], others
        )
        self._numbers = numbers

    def keys(self) -> Ints:
        """Return a number for each text, equal for equal texts."""
        keys, known = self._numbers.whole(), dict[object, int]()
        if self._others:
            keys = keys.copy()
        for place, text in self._others.items():
            keys[place] = -1 - known.setdefault(text, len(known))
        return keys

    def among(self, texts: Collection[str]) -> NDArray[np.bool_]:
        """Return which rows have one of these texts."""
        digits = [text for text in texts if not text or (text.isdigit() and text.isascii() and len(text) <= LONGEST)]
        wanted = np.array([int("1" + text) for text in digits], np.int64)
        found = np.zeros(len(self), np.bool_)
        for some, numbers in self._numbers.slices() if len(wanted) else ():
            found[some] = np.isin(numbers, wanted) if len(wanted) > 1 else numbers == wanted[0]
        for place, text in self._others.items():
            found[place] = text in texts
        return found

    def heads(self, digits: int) -> tuple[list[str], NDArray[np.signedinteger]]:
        """Group texts by length and first digits: return one text of each group, and the group of each row."""
        heads = np.empty(len(self), np.int64)
        for some, numbers in self._numbers.slices():
            sizes = np.searchsorted(_POWERS, numbers, "right") - 1
            heads[some] = numbers // _POWERS[np.maximum(sizes - digits, 0)] * _SIZES + sizes
        others = list(self._others)
        heads[others] = -1 - np.arange(len(others))
        known, which = numbered(heads)
        return [self._like(head, digits, others) for head in known.tolist()], which

    def _like(self, head: int, digits: int, others: list[int]) -> str:
        if head < 0:
            return str(self._others[others[-1 - head]])
        number, size = divmod(head, _SIZES)
        return str(number * 10 ** max(size - digits, 0))[1:]

    def equal(self, value: object) -> NDArray[np.bool_]:
        """Return which rows have this value."""
        return self.among([str(value)])

    def taken(self, places: Ints) -> Spelt:
        """Return the column of these rows."""
        chosen = np.flatnonzero(np.isin(places, self._odd)).tolist() if len(self._odd) else []
        return Spelt(Packed(self._numbers.at(places)), {place: self._others[int(places[place])] for place in chosen})

    def distinct(self) -> tuple[list[object], NDArray[np.signedinteger]]:
        """Return the different texts, and the index of each row's text."""
        _, firsts, which = np.unique(self.keys(), return_index=True, return_inverse=True)
        return self.at(firsts).tolist(), which


class Octets:
    """The octets of a wire in pieces, each read again from the file when needed; the last few stay in memory.

    Offsets count from the beginning of a piece. Octets that no piece contains as a whole, such as a frame that arrived
    in two of them, are kept after the piece's own octets.
    """

    def __init__(self) -> None:
        self._again: list[Callable[[str], pa.Array]] = []
        self._sizes: list[int] = []
        self._more: list[bytearray] = []
        self._read: dict[int, Bytes] = {}

    def begin(self, again: Callable[[str], pa.Array], size: int) -> int:
        """Begin a piece of `size` octets, which `again` reads; return its number."""
        self._again.append(again)
        self._sizes.append(size)
        self._more.append(bytearray())
        return len(self._again) - 1

    def keep(self, octets: Bytes | bytes) -> int:
        """Keep octets after those of the last piece; return their offset."""
        more = self._more[-1]
        place = self._sizes[-1] + len(more)
        more += octets if isinstance(octets, bytes) else octets.tobytes()
        return place

    def get(self, pieces: Ints, places: Ints, sizes: NDArray[np.signedinteger]) -> list[bytes]:
        """Return the octets at these offsets of their pieces."""
        found = [b""] * len(places)
        wanted = np.flatnonzero(sizes)
        for piece in np.unique(pieces[wanted]).tolist():
            chosen = wanted[pieces[wanted] == piece]
            whole, more, edge = self._piece(piece), self._more[piece], self._sizes[piece]
            for number, place, size in zip(
                chosen.tolist(), places[chosen].tolist(), sizes[chosen].tolist(), strict=True
            ):
                here, at = (whole, place) if place < edge else (more, place - edge)
                found[number] = bytes(here[at : at + size])
        return found

    def _piece(self, number: int) -> Bytes:
        if number not in self._read:
            if len(self._read) >= _KEPT:
                del self._read[next(iter(self._read))]
            self._read[number] = octets_of(self._again[number]("octets"))[0]
        return self._read[number]


def octets_of(column: pa.Array) -> tuple[Bytes, Ints]:
    """Return the concatenated octets of a column, and the offset of each value, with the end of the last one."""
    _, offsets, data = column.buffers()
    edges = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    if data is None or not len(edges):
        return np.zeros(0, np.uint8), np.zeros(len(column) + 1, np.int64)
    octets = np.frombuffer(data, np.uint8)
    octets.flags.writeable = False  # for arrays that can be written, kernels would be compiled again
    return octets[edges[0] : edges[-1]], edges - edges[0]


def decoded(texts: Iterable[bytes]) -> list[object]:
    """Decode hexadecimal texts in the GSM alphabet."""
    return [alphabet.decode(bytes.fromhex(text.decode("ascii"))) for text in texts]
