"""Rolling windows and the down time in them, in exact integers.

A window ends at an instant and begins some calendar months earlier in the contract's civil time. Its length in
microseconds changes at midnights after 29 February and around clock changes. Windows are half-open,
[start, end).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.calendar import Calendar
from simbench.base.units import HOUR_US
from simbench.sla.classification import Counted

Instants = NDArray[np.int64]
MOST_PARTS = 250_000  # a year of microseconds in so many parts fits into 64 bits
_FAR = 1 << 61


class Downtime(msgspec.Struct, frozen=True, eq=False):
    """Down time as step functions: value i applies from `edges[i]` on, sum i is the total before it.

    `unplanned` and `planned` are 0 or 1, `partial` counts shares of 1 / `parts`; the `*_sum` are microseconds times
    these values. All have the same length; before the first edge all are zero. They are int64; `partial` and its sum
    are Python integers if the shares have more digits than 64 bits hold.
    """

    edges: Instants
    unplanned: Instants
    planned: Instants
    partial: Instants
    unplanned_sum: Instants
    planned_sum: Instants
    partial_sum: Instants
    parts: int = 1

    def until(self, at: Instants) -> tuple[Instants, Instants, Instants]:
        """Return unplanned, planned and partial down time (us, the last times `parts`) before ascending instants."""
        firsts = np.searchsorted(at, self.edges[1:], side="left")
        counts = np.diff(np.concatenate(([0], firsts, [len(at)])))
        return (
            self._lost(at, counts, self.unplanned, self.unplanned_sum),
            self._lost(at, counts, self.planned, self.planned_sum),
            self._lost(at, counts, self.partial, self.partial_sum),
        )

    def _lost(self, at: Instants, counts: Instants, rate: Instants, total: Instants) -> Instants:
        """Interpolate: between two edges the sum is linear, given by its value at the epoch.

        Intermediate products may overflow 64 bits; the sums do not, and are correct.
        """
        if not rate.any():
            return np.zeros(len(at), dtype=np.int64)
        lost: Instants = np.repeat(rate, counts)
        lost *= at.astype(rate.dtype)
        lost += np.repeat(total - rate * self.edges.astype(rate.dtype), counts)
        return lost


def downtime_of(counted: Iterable[Counted], until: int) -> Downtime:
    """Turn incidents into step functions; open ones end at `until`.

    Overlapping incidents count once, in the order unplanned, planned, partial; partial shares add up to at most one.
    """
    counted = tuple(counted)
    parts = lcm(*{share_of(one).denominator for one in counted})
    steps: dict[int, list[int]] = {-_FAR: [0, 0, 0]}
    place = {"unplanned": 0, "planned": 1, "partial": 2}
    for one in counted:
        start, end = one.incident.start, until if one.incident.end is None else one.incident.end
        if one.counted_as not in place or end <= start:
            continue
        amount = int(share_of(one) * parts)
        for instant, sign in ((start, amount), (end, -amount)):
            steps.setdefault(instant, [0, 0, 0])[place[one.counted_as]] += sign
    edges = np.array(sorted(steps), dtype=np.int64)
    whole: Any = np.int64 if parts <= MOST_PARTS else object
    active = np.cumsum(np.array([steps[edge] for edge in edges.tolist()], dtype=whole), axis=0)
    unplanned = (active[:, 0] > 0).astype(np.int64)
    planned = ((active[:, 1] > 0) & (unplanned == 0)).astype(np.int64)
    partial = np.where((unplanned == 0) & (planned == 0), np.minimum(active[:, 2], parts), 0).astype(whole)
    lengths = np.diff(edges)

    def summed(rate: Instants) -> Instants:
        return np.concatenate(([0], np.cumsum(rate[:-1] * lengths.astype(rate.dtype)))).astype(rate.dtype)

    return Downtime(
        edges, unplanned, planned, partial, summed(unplanned), summed(planned), summed(partial), parts
    )  # fmt: skip


def share_of(one: Counted) -> Fraction:
    """Return the share of the platform that an incident counts for: a partial one as written in the record."""
    return Fraction(str(one.incident.share)) if one.counted_as == "partial" else Fraction(1)


class Windows(msgspec.Struct, frozen=True, eq=False):
    """The windows by their end: from `since[i]` on they are `length[i]` microseconds long.

    `calendar`: they are calendar periods; each begins at its `since` and is measured up to the current instant.
    """

    since: Instants
    length: Instants
    calendar: bool = False

    def length_at(self, at: Instants) -> Instants:
        """Return the length (us) of the complete window that ends at each instant, or of its calendar period."""
        found: Instants = self.length[self._places(at)]
        return found

    def begins(self, at: Instants) -> Instants:
        """Return the beginning of the window that ends at each instant."""
        if self.calendar:
            found: Instants = self.since[self._places(at)]
            return found
        return at - self.length_at(at)

    def whole(self, at: Instants) -> NDArray[np.bool_]:
        """Tell for each instant whether the window that ends there is complete by the calendar."""
        if not self.calendar:
            return np.ones(len(at), dtype=np.bool_)
        found: NDArray[np.bool_] = at - self.begins(at) == self.length_at(at)
        return found

    def _places(self, at: Instants) -> Instants:
        """Return the indices of windows: a calendar period includes its end; a rolling one changes at the instant."""
        found: Instants = np.searchsorted(self.since, at, side="left" if self.calendar else "right") - 1
        return np.maximum(0, found)

    def leaves(self, instant: int) -> int:
        """Return the first instant whose window no longer contains the time just before `instant`."""
        if self.calendar:
            place = int(self._places(np.array([instant]))[0])
            return int(self.since[place] + self.length[place])
        changes: list[int] = self.since.tolist()
        lengths: list[int] = self.length.tolist()
        for since, until, length in zip(changes[::-1], [_FAR, *changes[:0:-1]], lengths[::-1], strict=True):
            if since - length >= instant:
                continue  # the windows of this piece begin later
            return min(max(instant + length, since), until)
        return changes[0]


@lru_cache(maxsize=16)
def windows(start: int, end: int, months: int, calendar: Calendar) -> Windows:
    """Return the windows of so many calendar months that end in [start, end].

    Their length changes only at whole hours (midnights and clock changes). A day is examined by the hour if the offset
    from UTC changes in it, or changed on the day on which the window began.
    """
    since, length, day = [start], [start - calendar.months_before(start, months)], start
    offsets = _offsets(day, months, calendar)
    while day < end:
        after = calendar.midnight_after(day)
        next_offsets = _offsets(after, months, calendar)
        probes = [after]
        if offsets != next_offsets:
            probes = [*range(day // HOUR_US * HOUR_US + HOUR_US, after, HOUR_US), after]
        for probe in probes:
            width = probe - calendar.months_before(probe, months)
            if width != length[-1] and probe <= end:
                since.append(probe)
                length.append(width)
        day, offsets = after, next_offsets
    return Windows(np.array(since, dtype=np.int64), np.array(length, dtype=np.int64))


@lru_cache(maxsize=16)
def calendar_windows(start: int, end: int, months: int, calendar: Calendar) -> Windows:
    """Return the calendar periods of so many months (counted from January) that touch [start, end]."""
    since: list[int] = []
    length: list[int] = []
    at = start
    while at <= end:
        begins, ends = calendar.period_of(at, months)
        since.append(begins)
        length.append(ends - begins)
        at = ends
    return Windows(np.array(since, dtype=np.int64), np.array(length, dtype=np.int64), calendar=True)


def month_starts(calendar: Calendar, start: int, end: int) -> Iterator[int]:
    """Return the first instants (us) of the calendar months in [start, end)."""
    at = calendar.period_of(start, 1)[0]
    while at < end:
        if at >= start:
            yield at
        at = calendar.period_of(at, 1)[1]


def _offsets(us: int, months: int, calendar: Calendar) -> tuple[Any, Any]:
    return calendar.civil(us).utcoffset(), calendar.civil(calendar.months_before(us, months)).utcoffset()
