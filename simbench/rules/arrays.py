"""Facts about all submits of a run at once, as arrays: for records too long to look at one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from simbench.trace.rows import Submit, Submits
from simbench.trace.stores import numbered
from simbench.trace.view import Bools, Index, Ints, View

_AT_ONCE: Final = 1 << 20


class Places(Sequence[int]):
    """Places of rows, ascending; as many as an array holds."""

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
        """Equal places, of any sequence."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # like an array


def combined(view: View[Any], *names: str) -> tuple[list[tuple[Any, ...]], Index]:
    """The different values of some fields together, and which of them each row has."""
    values = [view.distinct(name) for name in names]
    size = prod(max(1, len(each)) for each, _ in values)
    keys: NDArray[Any] = np.zeros(len(view), np.int32 if size < 1 << 31 else np.int64)
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


def holds(view: View[Any], test: Callable[..., object], *names: str) -> Bools:
    """Which rows pass a test of some fields, which is made once for all that are alike in them."""
    rows, which = combined(view, *names)
    found: Bools = np.array([bool(test(*row)) for row in rows], np.bool_)[which]
    return found


def tokened(submits: Submits) -> Iterator[tuple[int, Submit]]:
    """Submits whose text carries a token, by their place."""
    places = np.flatnonzero(submits.has("token"))
    return zip(places.tolist(), submits.where(places).rows(), strict=True)


def by_session(view: View[Any]) -> Iterator[tuple[int, Ints]]:
    """Each session and the places of its rows."""
    numbers, which = view.distinct("session")
    order = np.argsort(which, kind="stable")
    counts = np.bincount(which, minlength=len(numbers)) if len(which) else np.zeros(len(numbers), np.int64)
    ends = np.cumsum(counts)
    for number, start, end in zip(numbers, (ends - counts).tolist(), ends.tolist(), strict=True):
        if end > start:
            yield number, order[start:end]


def unanswered(view: Submits, until: Ints) -> NDArray[np.int32]:
    """How many earlier operations of its session are unanswered when each arrives.

    `until`: instants of the results. A result at the same instant is earlier.
    """
    found = np.zeros(len(view), np.int32)
    at = view.at
    for _, places in by_session(view):
        mine, ends = at[places], until[places]
        answered = np.searchsorted(np.sort(ends, kind="stable"), mine, "right")
        # Of those that arrive no earlier, one answered at once is counted in `answered`, and is not earlier.
        at_once = np.append(0, np.cumsum(ends == mine))
        answered -= at_once[np.searchsorted(mine, mine, "right")] - at_once[:-1]
        found[places] = np.arange(len(places)) - answered
    return found


def crowded(keys: NDArray[Any], at: Ints, most: int, within_us: int) -> Bools:
    """Which arrive when `most` others of the same key arrived less than `within_us` before."""
    found = np.zeros(len(at), np.bool_)
    order = np.argsort(keys, kind="stable")
    for first in range(0, len(order) - most, _AT_ONCE):
        later, earlier = order[first + most : first + most + _AT_ONCE], order[first : first + _AT_ONCE]
        earlier = earlier[: len(later)]
        found[later] = (keys[later] == keys[earlier]) & (at[earlier] > at[later] - within_us)
    return found
