"""What is read of a wire, as columns that grow: frames, submits, notifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.jit import FEW, compiles
from simbench.trace.kernels.numbering import numbered_in

Array = NDArray[Any]
Ints = NDArray[np.int64]

# Columns of frames: `order` numbers all frames of a wire, `slot` is the line, `place` counts in a piece of the wire.
FRAMES: Final = ("order", "at", "slot", "way", "kind", "ot", "trn", "problem", "tolerated", "place", "size", "lower")
# `recipient`, `validity`, `scts` are texts of digits with a 1 before them; `text` and `token` are places in the frame.
# `word` is of the text, 0 for one with escapes or beyond the alphabet; `common`: no field but those most clients fill.
SUBMITS: Final = (
    "order", "at", "slot", "account", "trn", "recipient", "oadc", "named", "segments", "notify", "validity", "text",
    "letters", "token", "place", "size", "word", "common",
)  # fmt: skip
NOTIFICATIONS: Final = (
    "at", "slot", "account", "trn", "code", "recipient", "scts", "outcome", "reason", "place", "size"
)  # fmt: skip
RESULTS: Final = ("number", "at", "ack", "ec", "scts")
_TABLE: Final = 1 << 20  # different values that a table of counts is made for
_AT_ONCE: Final = 1 << 20
_ROOMS: Final = (1 << 12, 1 << 16, 1 << 20)  # different values that tables of hashes are made for
_WIDTHS: Final = (np.int8, np.int16, np.int32)


class Store:
    """Columns of one kind, each piece in as few octets as its values need.

    `others[column][row]` is a value that has not the usual form.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.names = columns
        self._pieces: dict[str, list[Array]] = {name: [] for name in columns}
        self.others: dict[str, dict[int, object]] = {}
        self._starts: list[int] = []
        self.count = 0

    def add(self, columns: Mapping[str, Array]) -> None:
        """Append rows: every column of them."""
        count = len(columns[self.names[0]])
        if not count:
            return
        for name in self.names:
            self._pieces[name].append(columns[name] if name == "at" else narrowed(columns[name]))
        self.count += count

    def begin(self) -> None:
        """What follows is of the next piece of the wire."""
        self._starts.append(self.count)

    def pieces(self, rows: Ints) -> Ints:
        """Return the piece of the wire that each of these rows was read from."""
        return np.searchsorted(self._starts, rows, "right") - 1

    def other(self, column: str, row: int, value: object) -> None:
        """Keep a value of a row that has not the usual form."""
        self.others.setdefault(column, {})[row] = value

    def column(self, name: str) -> Array:
        """Return a whole column; it is put together once."""
        pieces = self._pieces[name]
        if len(pieces) != 1:
            self._pieces[name] = pieces = [np.concatenate(pieces) if pieces else np.zeros(0, np.int64)]
        return pieces[0]

    def drop(self, name: str) -> Array:
        """Return a whole column and forget it."""
        found = self.column(name)
        self._pieces[name] = []
        return found


def narrowed(values: Array) -> Array:
    """Return whole numbers in as few octets as they need, anything else as it is."""
    if values.dtype not in (np.int64, np.int32) or not len(values):
        return values
    low, high = int(values.min()), int(values.max())
    for kind in _WIDTHS:
        if kind is values.dtype.type:
            break
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


def numbered(values: NDArray[Any]) -> tuple[Ints, NDArray[Any]]:
    """Return the different whole numbers among many, and which of them each is, in as few octets as fit."""
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
    """The same where there are many values but few different ones; else None."""
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
    """Texts that come again and again, by number."""

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
