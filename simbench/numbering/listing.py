"""Subscribers listed in a file, possibly millions, in sorted arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np

from simbench.base.errors import SubscriberError
from simbench.numbering import files
from simbench.numbering.plan import NumberingPlan

REQUIRED = ("msisdn", "operator", "state")
OPTIONAL = ("kind",)
STATES = ("attached", "off", "roaming")
KINDS = ("mobile", "m2m")


class Listing:
    """A table from msisdn to (operator, state, kind), with 12 octets per subscriber."""

    def __init__(
        self, msisdns: np.ndarray, operators: np.ndarray, states: np.ndarray, kinds: np.ndarray, names: list[str]
    ) -> None:
        self._msisdns, self._operators, self._states, self._kinds = msisdns, operators, states, kinds
        self._names = names

    @classmethod
    def read(cls, path: Path, plan: NumberingPlan) -> Self:
        """Read a CSV or Parquet file with columns msisdn, operator, state, and optionally kind.

        operator: a short name, "none" for an unassigned number; state: attached, off or roaming; kind: mobile or m2m,
        the latter also for machines on ordinary numbers. Raises SubscriberError naming file, line, value and
        expectation, also for a number listed twice.
        """
        names: dict[str, int] = {}
        parts = []
        for piece in files.pieces(path, REQUIRED, OPTIONAL):
            msisdns, machines = files.msisdns(piece, plan)
            kinds = files.choices(piece, "kind", KINDS) if "kind" in piece.columns else machines
            states = files.choices(piece, "state", STATES)
            parts.append((msisdns, files.operators(piece, names), states, kinds, np.array(piece.lines, np.int32)))
        empty = tuple(np.zeros(0, kind) for kind in (np.int64, np.int16, np.int8, np.int8, np.int32))
        msisdns, operators, states, kinds, lines = (np.concatenate(each) for each in zip(empty, *parts, strict=True))
        del parts
        order = np.argsort(msisdns, kind="stable")
        msisdns = msisdns[order]
        for place in np.flatnonzero(msisdns[1:] == msisdns[:-1])[:1]:
            first, second = lines[order[place]], lines[order[place + 1]]
            raise SubscriberError(
                f"{path}, lines {first} and {second}, msisdn", str(msisdns[place]), "every number once"
            )
        return cls(msisdns, operators[order], states[order], kinds[order], list(names))

    def __len__(self) -> int:
        return len(self._msisdns)

    def find(self, msisdn: int) -> tuple[str, str, str] | None:
        """Return operator, state and kind of a listed number; None if it is not listed."""
        place = int(np.searchsorted(self._msisdns, msisdn))
        if place == len(self._msisdns) or self._msisdns[place] != msisdn:
            return None
        return self._names[self._operators[place]], STATES[self._states[place]], KINDS[self._kinds[place]]
