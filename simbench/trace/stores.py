"""What is read of a wire, as columns that grow: frames, submits, notifications."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FRAMES: Final = {
    "row": "i4", "way": "u1", "kind": "u1", "ot": "i1", "trn": "i1", "problem": "u2", "tolerated": "?", "place": "i8",
    "size": "i4", "lower": "?",
}  # fmt: skip
# `recipient`, `validity`, `scts` are texts of digits with a 1 before them; `text` and `token` are places. `word` is of
# the text, 0 for one with escapes or beyond the alphabet; `common`: no field beside those most clients fill.
SUBMITS: Final = {
    "row": "i4", "account": "i4", "trn": "i1", "recipient": "i8", "oadc": "i4", "named": "?", "segments": "i2",
    "notify": "i8", "validity": "i8", "text": "i8", "letters": "i2", "token": "i2", "place": "i8", "size": "i4",
    "word": "i8", "common": "?",
}  # fmt: skip
NOTIFICATIONS: Final = {
    "row": "i4", "account": "i4", "trn": "i1", "code": "i8", "recipient": "i8", "scts": "i8", "outcome": "i8",
    "reason": "i8", "place": "i8", "size": "i4",
}  # fmt: skip
RESULTS: Final = {"number": "i8", "at": "i8", "ack": "i2", "ec": "i8", "scts": "i8"}


class Store:
    """Columns of one kind. `others[column][row]` is a value that has not the usual form."""

    def __init__(self, columns: dict[str, str]) -> None:
        self._columns = columns
        self._pieces: dict[str, list[Array]] = {name: [] for name in columns}
        self.others: dict[str, dict[int, object]] = {}
        self.count = 0

    def room(self, count: int) -> dict[str, Array]:
        """Append so many rows, all zero; return their columns to be filled."""
        piece = {name: np.zeros(count, kind) for name, kind in self._columns.items()}
        if count:
            for name, array in piece.items():
                self._pieces[name].append(array)
        self.count += count
        return piece

    def other(self, column: str, row: int, value: object) -> None:
        """Keep a value of a row that has not the usual form."""
        self.others.setdefault(column, {})[row] = value

    def column(self, name: str) -> Array:
        """Return a whole column; it is put together once."""
        pieces = self._pieces[name]
        if len(pieces) != 1:
            self._pieces[name] = pieces = [np.concatenate(pieces) if pieces else np.zeros(0, self._columns[name])]
        return pieces[0]


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
