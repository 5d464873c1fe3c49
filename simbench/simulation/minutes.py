"""Counts by code and minute, made from the SMSC's rows one by one.

The SMSC writes to it as to a ledger.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections import defaultdict

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ledger.buffer import Block, Cells
from simbench.ledger.rows import COUNTED, EXPIRED_REASONS, MINUTE, WITHIN_S, Row

PLACE = {name: place for place, name in enumerate(COUNTED)}
WIDTH = len(COUNTED) + len(WITHIN_S) + 1
COUNTED_AS = {"discarded": "refused", "notification": "notifications"}


class EachRow(ABC):
    """A table to which the SMSC writes rows, one by one or many in columns."""

    @abstractmethod
    def append(self, row: Row) -> None:
        """Take a row."""

    def append_columns(self, count: int, columns: tuple[Cells, ...]) -> None:
        """Take many rows."""
        for row in Block(count, columns).rows():
            self.append(row)


class MinuteRows(EachRow):
    """Takes rows of the table "centre" and counts them."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * WIDTH)

    def append(self, row: Row) -> None:
        """Count a row of the table "centre"."""
        at, kind, _, code, *_ = row
        assert isinstance(at, int)
        name = COUNTED_AS.get(str(kind), str(kind))
        if name in PLACE:
            self.count(str(code), at, name)
        if kind == "delivered":
            scts = row[8]
            assert isinstance(scts, int)
            self.counts[str(code), at // MINUTE_US][len(COUNTED) + bisect_left(WITHIN_S, at // SECOND_US - scts)] += 1
        elif kind == "undelivered" and row[7] in EXPIRED_REASONS:
            self.count(str(code), at, "expired")

    def count(self, code: str, at: int, name: str) -> None:
        """Add one to a count of a code."""
        self.counts[code, at // MINUTE_US][PLACE[name]] += 1

    def __len__(self) -> int:
        return 0  # no row waits to be written

    def rows(self, codes: tuple[str, ...], start: int, end: int) -> list[Row]:
        """Return the rows of table "minute", by code and instant, with the backlog."""
        found: list[Row] = []
        for code in codes:
            backlog = 0
            for minute in range(start // MINUTE_US, -(-end // MINUTE_US)):
                counts = self.counts.get((code, minute))
                if counts is None:
                    if backlog:
                        found.append((minute * MINUTE_US, code, *[0] * WIDTH, backlog))
                    continue
                backlog += counts[PLACE["offered"]] - counts[PLACE["accepted"]] - counts[PLACE["refused"]]
                found.append((minute * MINUTE_US, code, *counts, backlog))
        assert len(MINUTE.columns) == WIDTH + 3
        return found
