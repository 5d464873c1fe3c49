"""Portability: the operator of each ported number, and the instant from which it applies.

Ports take effect at the midnight given in the file of the previous evening (Arcep decision 2012-0576).
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Self

import numpy as np

from simbench.base.calendar import Calendar
from simbench.numbering import files
from simbench.numbering.files import Piece
from simbench.numbering.plan import NumberingPlan

COLUMNS = ("msisdn", "operator", "valid_from")
_NONE = -(1 << 62)  # an invalid date


class PortabilityTable:
    """Ports of numbers, each valid from an instant on; held in sorted arrays, 18 octets per port."""

    def __init__(
        self, plan: NumberingPlan, msisdns: np.ndarray, operators: np.ndarray, since: np.ndarray, names: list[str]
    ) -> None:
        self._plan = plan
        order = np.lexsort((since, msisdns))  # stable: if a number has two ports on one day, the later line counts
        self._msisdns, self._operators, self._since = msisdns[order], operators[order], since[order]
        self._names = names

    @classmethod
    def read(cls, path: Path, plan: NumberingPlan, calendar: Calendar) -> Self:
        """Read a CSV or Parquet file with columns msisdn, operator, valid_from (a date, YYYY-MM-DD, from 0:00 on).

        Raises SubscriberError naming file, line, value and expectation.
        """
        names: dict[str, int] = {}
        parts = [
            (files.msisdns(piece, plan)[0], files.operators(piece, names), _instants(piece, calendar))
            for piece in files.pieces(path, COLUMNS)
        ]
        empty = (np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros(0, np.int64))
        msisdns, operators, since = (np.concatenate(columns) for columns in zip(empty, *parts, strict=True))
        return cls(plan, msisdns, operators, since, list(names))

    def __len__(self) -> int:
        return len(self._msisdns)

    def lookup(self, msisdn: str, at_us: int) -> str | None:
        """Return the operator a number was last ported to by an instant (us); None if it had not been ported."""
        number = self._plan.classify(msisdn)
        if number.kind not in ("mobile", "m2m"):
            return None
        key = int(number.msisdn)
        first, last = int(np.searchsorted(self._msisdns, key)), int(np.searchsorted(self._msisdns, key, "right"))
        place = first + int(np.searchsorted(self._since[first:last], at_us, "right")) - 1
        return self._names[self._operators[place]] if place >= first else None


def _instants(piece: Piece, calendar: Calendar) -> np.ndarray:
    encoded = piece.columns["valid_from"].dictionary_encode()
    places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    instants = np.array([_midnight(text, calendar) for text in encoded.dictionary.to_pylist()] + [_NONE], np.int64)
    found: np.ndarray = instants[places]
    for index in np.flatnonzero(found == _NONE)[:1]:
        raise piece.wrong("valid_from", int(index), "a date, such as 2016-10-03")
    return found


def _midnight(text: str, calendar: Calendar) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return _NONE
    return calendar.from_civil(datetime.combine(day, datetime.min.time())) if day.isoformat() == text else _NONE
