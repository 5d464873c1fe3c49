"""Computes facts about all submits of a run as arrays, for records too long to read row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Final, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.rules.kernels import queues
from simbench.trace.rows import Submit, Submits
from simbench.trace.stores import numbered
from simbench.trace.view import Bools, Index, Ints, View

_AT_ONCE: Final = 1 << 20
FOREVER_US: Final = 1 << 60  # of patience


class Places(Sequence[int]):
    """Positions of the chosen rows, ascending, kept in an array."""

    def __init__(self, chosen: Bools) -> None:
        self.array = np.flatnonzero(chosen)

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, number: int) -> int: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[int]: ...
    def __getitem__(self, number: int | slice) -> int | Sequence[int]:
        found = self.array[number].tolist()
        return tuple(found) if isinstance(number, slice) else found

    def __eq__(self, other: object) -> bool:
        """Compare with any sequence of positions."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # like an array


def combined(view: View[msgspec.Struct], *names: str) -> tuple[list[tuple[object, ...]], Index]:
    """Return the different combinations of some fields, and the index of each row's combination."""
    values = [view.distinct(name) for name in names]
    size = prod(max(1, len(each)) for each, _ in values)
    keys: NDArray[np.signedinteger] = np.zeros(len(view), np.int32 if size < 1 << 31 else np.int64)
    for each, which in values:
        keys *= max(1, len(each))
        keys += which
    known, which = numbered(keys)
    found = []
    for key in known.tolist():
        row, left = [], key
        for each, _ in reversed(values):
            left, number = divmod(left, max(1, len(each)))
            row.append(each[number])
        found.append(tuple(reversed(row)))
    return found, which


def holds(view: View[msgspec.Struct], test: Callable[..., object], *names: str) -> Bools:
    """Return which rows pass a test of some fields; the test runs once for each combination of values."""
    rows, which = combined(view, *names)
    found: Bools = np.array([bool(test(*row)) for row in rows], np.bool_)[which]
    return found


def tokened(submits: Submits) -> Iterator[tuple[int, Submit]]:
    """Yield the submits whose text contains a token, with their positions."""
    places = np.flatnonzero(submits.has("token"))
    return zip(places.tolist(), submits.where(places).rows(), strict=True)


def slices(size: int) -> Iterator[slice]:
    """Yield slices of `size` rows, because results for ten million rows at once do not fit in memory."""
    return (slice(first, min(first + _AT_ONCE, size)) for first in range(0, size, _AT_ONCE))


def some_of(view: View[msgspec.Struct], rows: slice, *names: str) -> Iterator[Ints]:
    """Yield integer fields of a slice of rows."""
    places = np.arange(rows.start, rows.stop)
    return (view.whole(name, places) for name in names)


def where(view: View[msgspec.Struct], test: Callable[..., NDArray[np.bool_]], *names: str) -> Bools:
    """Return which rows pass a test of arrays, which gets the fields of a slice of rows at a time."""
    found = np.zeros(len(view), np.bool_)
    for rows in slices(len(view)):
        found[rows] = test(*some_of(view, rows, *names))
    return found


def unanswered(submits: Submits, patience_us: int) -> NDArray[np.int32]:
    """Return for each submit how many earlier operations of its session wait for a result when it arrives.

    An operation without a result waits for `patience_us`. A result at the same instant counts as earlier.
    """
    found = np.zeros(len(submits), np.int32)
    sessions, session = submits.numbers("session")
    heaps, sizes = np.zeros((len(sessions), 256), np.int64), np.zeros(len(sessions), np.int64)
    for rows in slices(len(submits)):
        at, result_at = some_of(submits, rows, "at", "result_at")
        run, place = queues.unanswered.at_scale(len(submits)), 0
        while (place := run(place, at, result_at, session[rows], patience_us, heaps, sizes, found[rows])) < len(at):
            heaps = np.concatenate([heaps, np.zeros_like(heaps)], axis=1)
    return found


def within(view: View[msgspec.Struct], start: int, end: int) -> Bools:
    """Return which rows are at `start` or later and before `end`."""
    return where(view, lambda at: (at >= start) & (at < end), "at")


def crowded(keys: NDArray[np.signedinteger], view: View[msgspec.Struct], most: int, within_us: int) -> Bools:
    """Return which rows arrive when `most` others of the same key arrived less than `within_us` before."""
    found = np.zeros(len(view), np.bool_)
    order = np.argsort(keys, kind="stable")
    for rows in slices(len(order) - most):
        later, earlier = order[rows.start + most : rows.stop + most], order[rows]
        near = keys[later] == keys[earlier]
        later, earlier = later[near], earlier[near]
        found[later] = view.whole("at", earlier) > view.whole("at", later) - within_us
    return found
