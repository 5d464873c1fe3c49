"""Frames, submits and notifications of a wire as columns that grow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.jit import FEW, compiles, give_back
from simbench.trace.kernels.numbering import numbered_in

Array = NDArray[np.signedinteger]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Columns of frames: `order` numbers all frames of a wire, `slot` is the connection, `place` an offset in a piece.
FRAMES: Final = ("order", "at", "slot", "way", "kind", "ot", "trn", "problem", "tolerated", "place", "size", "lower")
# `recipient`, `validity` and `scts` are digits with a 1 before them; `text` and `token` are positions in the frame.
# `word` is the hash of the text, 0 with escapes or outside the alphabet; `common`: only the usual fields are filled.
SUBMITS: Final = (
    "order", "at", "slot", "account", "trn", "recipient", "oadc", "named", "segments", "notify", "validity", "text",
    "letters", "token", "place", "size", "word", "common",
)  # fmt: skip
NOTIFICATIONS: Final = (
    "at", "slot", "account", "trn", "code", "recipient", "scts", "outcome", "reason", "place", "size"
)  # fmt: skip
RESULTS: Final = ("number", "at", "ack", "ec", "scts")
_TABLE: Final = 1 << 20  # widest range of values counted with a table
_AT_ONCE: Final = 1 << 20
_ROOMS: Final = (1 << 12, 1 << 16, 1 << 20)  # numbers of different values for which hash tables are tried
_SHIFT: Final = 16  # 2^16 rows share one base
_NUMBERS: Final = 2
_WIDTHS: Final = (np.int8, np.int16, np.int32)


class Store:
    """Columns of one kind of row; each piece uses the narrowest integer type for its values.

    `others[column][row]` is a value of another form.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.names = columns
        self._pieces: dict[str, list[tuple[int, Array]]] = {name: [] for name in columns}
        self.others: dict[str, dict[int, object]] = {}
        self._packed: dict[str, Packed] = {}
        self._starts: list[int] = []
        self.count = 0

    def add(self, columns: Mapping[str, Array]) -> None:
        """Append rows; `columns` has every column."""
        count = len(columns[self.names[0]])
        if not count:
            return
        for name in self.names:
            self._pieces[name].append(_based(columns[name]))
        self.count += count

    def begin(self) -> None:
        """Begin the next piece of the wire."""
        self._starts.append(self.count)

    def pieces(self, rows: Ints) -> Ints:
        """Return the piece of the wire that each of these rows was read from."""
        return np.searchsorted(self._starts, rows, "right") - 1

    def other(self, column: str, row: int, value: object) -> None:
        """Store a value of another form."""
        self.others.setdefault(column, {})[row] = value

    def column(self, name: str) -> Array:
        """Return a whole column; the pieces of a narrow column are joined once and for all."""
        if name in self._packed:
            return self._packed[name].whole()
        pieces = self._pieces[name]
        if len(pieces) == 1 and not pieces[0][0]:
            return pieces[0][1]
        if any(base for base, _ in pieces):
            found, first = np.empty(sum(len(piece) for _, piece in pieces), np.int64), 0
            for base, piece in pieces:
                found[first : first + len(piece)] = piece
                found[first : first + len(piece)] += base
                first += len(piece)
            return found
        found = np.concatenate([piece for _, piece in pieces]) if pieces else np.zeros(0, np.int64)
        self._pieces[name] = [(0, found)]
        return found

    def flags(self, name: str) -> Bools:
        """Return a whole column of truth values."""
        return self.column(name).view(np.bool_)

    def packed(self, name: str) -> Packed:
        """Return a whole column of 64-bit numbers in compact form; its pieces are joined once and for all."""
        if name not in self._packed:
            self._packed[name] = Packed(self.column(name))
            self._pieces[name] = []
        return self._packed[name]

    def close(self) -> None:
        """Join the pieces of every column after the last row."""
        for name in self.names:
            if any(base or piece.dtype == np.int64 for base, piece in self._pieces[name]):
                self.packed(name)
            else:
                self.column(name)
            if self.count > _AT_ONCE:
                give_back()  # memory of its pieces

    def put(self, name: str, values: Array) -> None:
        """Set a whole column."""
        self.count = len(values)
        if values.dtype == np.int64:
            self._packed[name] = Packed(values)
        else:
            self._pieces[name] = [(0, values)]

    def drop(self, name: str) -> Array:
        """Return a whole column and remove it."""
        found = self.column(name)
        self._pieces[name] = []
        return found


class Packed:
    """Integers of 64 bits, stored in 32 bits as the distance from the least of each 65,536 rows, if that fits.

    Numbers below 2 mean a missing value and are stored apart from the distances, as negative numbers.
    """

    def __init__(self, values: Array) -> None:
        self._narrow, self._bases = values, np.zeros(0, np.int64)
        if values.dtype != np.int64 or not len(values) or values.min() < -1:
            return
        starts = np.arange(0, len(values), 1 << _SHIFT)
        bases = np.array([_least(values[at : at + (1 << _SHIFT)]) for at in starts.tolist()], np.int64)
        narrow = np.empty(len(values), np.int32)
        for number, at in enumerate(starts.tolist()):
            some = values[at : at + (1 << _SHIFT)]
            far = np.where(some < _NUMBERS, some - _NUMBERS, some - bases[number])
            if far.max() > np.iinfo(np.int32).max:
                return
            narrow[at : at + len(some)] = far
        self._narrow, self._bases = narrow, bases

    def __len__(self) -> int:
        return len(self._narrow)

    def at(self, places: Ints) -> Ints:
        """Return the numbers at these places."""
        found = self._narrow[places].astype(np.int64)
        if len(self._bases):
            found += np.where(found < 0, _NUMBERS, self._bases[places >> _SHIFT])
        return found

    def slices(self) -> Iterator[tuple[slice, Ints]]:
        """Yield all numbers in slices."""
        for first in range(0, len(self), _AT_ONCE):
            some = slice(first, min(first + _AT_ONCE, len(self)))
            yield (
                some,
                self.at(np.arange(some.start, some.stop)) if len(self._bases) else self._narrow[some].astype(np.int64),
            )

    def whole(self) -> Ints:
        """Return all numbers."""
        if self._narrow.dtype == np.int64:
            return self._narrow
        found = np.empty(len(self), np.int64)
        for some, numbers in self.slices():
            found[some] = numbers
        return found


def _least(values: Array) -> int:
    known = values[values >= _NUMBERS]
    return int(known.min()) if len(known) else _NUMBERS


def _based(values: Array) -> tuple[int, Array]:
    """Return integers in the narrowest type, with a base to add: the least value, if distances fit in 32 bits."""
    found = narrowed(values)
    if found.dtype != np.int64 or not len(found):
        return 0, found
    low, high = int(found.min()), int(found.max())
    return (low, (found - low).astype(np.int32)) if high - low < 1 << 31 else (0, found)


def narrowed(values: Array) -> Array:
    """Return integers in the narrowest type that holds them; other arrays are unchanged."""
    if values.dtype not in (np.int64, np.int32) or not len(values):
        return values
    low, high = int(values.min()), int(values.max())
    for kind in _WIDTHS:
        if kind is values.dtype.type:
            break
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


def numbered(values: NDArray[np.signedinteger]) -> tuple[Ints, NDArray[np.signedinteger]]:
    """Return the different integers of a column, and the index of each row's value in the narrowest type."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    if high - low > _TABLE:
        return _hashed(values) or _sorted(values)
    counts = np.zeros(high - low + 1, np.int64)
    pieces = [slice(first, first + _AT_ONCE) for first in range(0, len(values), _AT_ONCE)]
    for piece in pieces:
        counts += np.bincount(values[piece].astype(np.int64) - low, minlength=len(counts))
    known = np.flatnonzero(counts)
    places = np.zeros(len(counts), np.int64)
    places[known] = np.arange(len(known))
    places = narrowed(places)
    which = np.empty(len(values), places.dtype)
    for piece in pieces:
        which[piece] = places[values[piece].astype(np.int64) - low]
    return known + low, which


def _hashed(values: Array) -> tuple[Ints, Array] | None:
    """Do the same as `numbered` with a hash table; None for few values or too many different ones."""
    if len(values) < FEW or not compiles():
        return None
    which = np.empty(len(values), np.int32)
    for room in _ROOMS:
        table, numbers, firsts = np.empty(4 * room, np.int64), np.full(4 * room, -1), np.empty(room, np.int64)
        count = numbered_in(values, table, numbers, firsts, which)
        if count >= 0:
            return values[firsts[:count]].astype(np.int64), narrowed(which)
    return None


def _sorted(values: Array) -> tuple[Ints, Array]:
    known, which = np.unique(values, return_inverse=True)
    return known.astype(np.int64), narrowed(which)


class Names:
    """Numbers texts that occur repeatedly."""

    def __init__(self, *first: str) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        for name in first:
            self.number(name)

    def number(self, name: str) -> int:
        """Return the number of a text."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.names)
            self.names.append(name)
        return number
