"""Plain messages waiting for delivery, as rows of arrays ordered by due time.

One object per message would be touched again seconds later among a million others, with a cache miss each time. New
rows stay unsorted until there are many or the first is due; they are then distributed over spans of time, and each span
is sorted when it begins. So every row is moved twice, however many there are.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simbench.base.units import NEVER

SPAN_US: Final = 40_000
YOUNG_ROWS: Final = 8_192

# `number` comes from the timer queue; `key` is the recipient; `seen` the version of the subscriber base in which the
# subscriber was found reachable, 0 for none; `kind` an index of properties shared with other messages.
ROW: Final = np.dtype(
    [
        ("due", "i8"), ("number", "i8"), ("entity", "i8"), ("scts", "i8"), ("accepted_at", "i8"), ("expires_at", "i8"),
        ("key", "u8"), ("seen", "i8"), ("recipient", "S16"), ("session", "i4"), ("kind", "i4"),
    ]
)  # fmt: skip
Rows = NDArray[Any]  # of ROW
NONE: Final = np.empty(0, ROW)


class Pending:
    """Rows ordered by (due, number). `head` is the earliest due instant, or NEVER."""

    __slots__ = ("_count", "_dues", "_edge", "_firsts", "_heap", "_open", "_spans", "_young", "_young_due", "head")

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.head = NEVER
        self._young = np.empty(YOUNG_ROWS, ROW)
        self._count, self._young_due = 0, NEVER  # unsorted rows: how many, and the first instant
        self._spans: dict[int, list[Rows]] = {}
        self._firsts: dict[int, int] = {}  # first instant of each span
        self._heap: list[int] = []  # span numbers
        self._open, self._dues = NONE, NONE["due"]  # the rest of the current span
        self._edge = 0  # end of the current span

    def room(self, count: int) -> Rows:
        """Return rows to fill and then `enter`; their numbers follow those of all rows held."""
        if self._count + count > len(self._young):
            self._sort()
            if count > len(self._young):
                self._young = np.empty(count, ROW)
        return self._young[self._count : self._count + count]

    def enter(self, count: int, first_due: int) -> None:
        """Enter the rows returned last by `room`; `first_due` is the earliest instant among them."""
        self._count += count
        self._young_due = min(self._young_due, first_due)
        self.head = min(self.head, first_due)

    def upto(self, due: int, number: int) -> Rows:
        """Return the first rows before (due, number): all of them, or those of one span. They stay until dropped."""
        if self.head > due:
            return NONE
        if self._young_due < self._edge or not len(self._open):
            self._sort()
        if not len(self._open):
            self._begin()
        dues = self._dues
        end = int(dues.searchsorted(due))
        while end < len(dues) and dues[end] == due and self._open["number"][end] < number:
            end += 1
        return self._open[:end]

    def drop(self, count: int) -> None:
        """Remove the first rows."""
        self._hold(self._open[count:], self._dues[count:])

    def take_out(self, chosen: Callable[[Rows], NDArray[np.bool_]]) -> Rows:
        """Remove and return the chosen rows. This reads all rows, and sorts them again if any were chosen."""
        held = [self._open, self._young[: self._count], *(piece for pieces in self._spans.values() for piece in pieces)]
        if not any(chosen(rows).any() for rows in held):
            return NONE
        rows = _joined(held)
        rows = rows.take(rows["number"].argsort())
        which = chosen(rows)
        self._clear()
        rest = rows[~which]
        if len(rest):
            self.room(len(rest))[:] = rest
            self.enter(len(rest), int(rest["due"].min()))
        return rows[which]

    def _sort(self) -> None:
        """Distribute the unsorted rows over the spans."""
        if not self._count:
            return
        rows = _in_order([self._young[: self._count]])
        self._count, self._young_due = 0, NEVER
        dues = np.ascontiguousarray(rows["due"])
        begun = int(dues.searchsorted(self._edge))
        spans = dues[begun:] // SPAN_US
        starts = [begun, *(np.flatnonzero(spans[1:] != spans[:-1]) + begun + 1).tolist(), len(rows)]
        for start, end in pairwise(starts):
            if start < end:
                self._file(rows[start:end], int(dues[start]))
        if begun:
            self._reopen(_in_order([self._open, rows[:begun]]))
        else:
            self._hold(self._open, self._dues)

    def _file(self, rows: Rows, first_due: int) -> None:
        span = first_due // SPAN_US
        pieces = self._spans.get(span)
        if pieces is None:
            self._spans[span], self._firsts[span] = [rows], first_due
            heapq.heappush(self._heap, span)
        else:
            pieces.append(rows)
            self._firsts[span] = min(self._firsts[span], first_due)

    def _begin(self) -> None:
        """Open the next span."""
        if self._heap:
            span = heapq.heappop(self._heap)
            del self._firsts[span]
            self._edge = (span + 1) * SPAN_US
            self._reopen(_in_order(self._spans.pop(span)))

    def _reopen(self, rows: Rows) -> None:
        self._hold(rows, np.ascontiguousarray(rows["due"]))

    def _hold(self, rows: Rows, dues: NDArray[np.int64]) -> None:
        self._open, self._dues = rows, dues
        first = int(dues[0]) if len(dues) else NEVER
        self.head = min(first, self._young_due, self._firsts[self._heap[0]] if self._heap else NEVER)


def _in_order(pieces: list[Rows]) -> Rows:
    """Return rows sorted by instant; pieces, and rows of one instant, are already in order of their numbers."""
    rows = _joined(pieces)
    return rows.take(np.ascontiguousarray(rows["due"]).argsort(kind="stable"))  # far faster than by []


def _joined(pieces: list[Rows]) -> Rows:
    """Return the rows of all pieces, concatenated as plain integers since numpy compares structured fields slowly."""
    if len(pieces) == 1:
        return pieces[0]
    return np.concatenate([piece.view(np.int64) for piece in pieces]).view(ROW)
