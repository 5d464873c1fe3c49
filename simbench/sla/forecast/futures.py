"""Futures drawn many at a time, and the breaches that the rules would find in each of them.

Instants here are microseconds after `now`. A future's outages are laid out one behind the other in flat arrays; a
future's number in the high bits keeps them apart, so that one sorted search serves all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.sla.forecast.known import Known
from simbench.sla.forecast.laws import LONGEST_US, Source
from simbench.sla.rolling_window import Instants

CHUNK = 1000  # futures drawn at a time
NEVER = 1 << 60
_FAR = 50  # bits of an instant: 35 years
_COLUMNS = 4096  # outages of one future drawn at a time


class Futures(msgspec.Struct, frozen=True, eq=False):
    """Outages of `size` futures, sorted by future and start, disjoint: `start`, `end` (us after now)."""

    size: int
    future: Instants
    start: Instants
    end: Instants

    def down(self, future: Instants, at: Instants) -> Instants:
        """Return the down time (us) between now and instants, each in the future named."""
        key = (self.future << _FAR) + self.start
        total = np.concatenate(([0], np.cumsum(self.end - self.start)))
        first = np.searchsorted(self.future, future, side="left")
        place = np.searchsorted(key, (future << _FAR) + np.maximum(at, 0), side="right")
        beyond = np.where(place > first, np.maximum(0, np.append(self.end, 0)[place - 1] - at), 0)
        found: Instants = total[place] - total[first] - beyond
        return np.where(at > 0, found, 0)


class Task(msgspec.Struct, frozen=True, eq=False):
    """The input of every chunk of futures; each draw of parameters is used for `each` futures."""

    known: Known
    sources: tuple[Source, ...]
    until: int
    dates: Instants
    grid: Instants
    allowed: Fraction
    limit_us: int
    seed: int
    each: int


class Found(msgspec.Struct, frozen=True, eq=False):
    """Breaches by future: the first instant (us after now) of one of availability and of restoration, or NEVER, and
    the availability at each instant of the grid.
    """  # fmt: skip

    down_at: Instants
    late_at: Instants
    shares: NDArray[np.float32]


def chunk(task: Task, first: int, last: int) -> Found:
    """Draw and measure the futures `first` to `last`; they do not depend on other futures."""
    chance = np.random.Generator(np.random.Philox(key=[task.seed % (1 << 64), 1 + first]))
    draws = np.arange(first, last) // task.each
    horizon = task.until - task.known.now
    drawn = [_renewals(source, chance, draws, horizon) for source in task.sources]
    futures = _union(drawn, last - first)
    unplanned = [one for one, source in zip(drawn, task.sources, strict=True) if source.counted_as == "unplanned"]
    late = futures if len(unplanned) == len(drawn) else _union(unplanned, last - first)
    return Found(_down_at(task, futures), _late_at(task, late), _shares(task, futures))


def _renewals(
    source: Source, chance: np.random.Generator, draws: Instants, horizon: int
) -> tuple[Instants, Instants, Instants]:
    """Return the outages of one source that begin before the horizon: future, start, end."""
    expected = horizon / source.shortest_mean_us
    columns = int(min(_COLUMNS, expected + 4 * np.sqrt(expected) + 4))
    up_since, active = np.zeros(len(draws), dtype=np.int64), np.arange(len(draws))
    found: list[tuple[Instants, Instants, Instants]] = []
    while len(active):
        gaps = np.maximum(1, np.rint(np.minimum(source.between(chance, draws[active], columns), LONGEST_US)))
        lengths = np.maximum(1, np.rint(np.minimum(source.lasting(chance, draws[active], columns), LONGEST_US)))
        ends = up_since[active, None] + np.cumsum(gaps.astype(np.int64) + lengths.astype(np.int64), axis=1)
        starts = ends - lengths.astype(np.int64)
        row, column = np.nonzero(starts < horizon)
        found.append((active[row], starts[row, column], np.minimum(ends[row, column], 2 * int(LONGEST_US))))
        up_since[active] = np.minimum(ends[:, -1], NEVER)
        active = active[ends[:, -1] < horizon]
    future, start, end = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return future, start, end


def _union(drawn: Sequence[tuple[Instants, Instants, Instants]], size: int) -> Futures:
    """Merge all sources; outages that touch or overlap become one, as in the rules."""
    if not drawn:
        nothing = np.empty(0, dtype=np.int64)
        return Futures(size, nothing, nothing, nothing)
    future, start, end = (np.concatenate(columns) for columns in zip(*drawn, strict=True))
    order = np.lexsort((start, future))
    future, start, end = future[order], start[order], end[order]
    reached = np.maximum.accumulate((future << _FAR) + end) if len(end) else end
    begins = np.append(True, ((future[1:] << _FAR) + start[1:]) > reached[:-1])[: len(start)]
    places = np.flatnonzero(begins)
    lasts = np.append(places[1:] - 1, len(start) - 1)[: len(places)]
    return Futures(size, future[places], start[places], reached[lasts] - (future[places] << _FAR))


def lost_in_window(task: Task, futures: Futures, future: Instants, at: Instants) -> tuple[Instants, Instants]:
    """Return the down time in the complete windows that end at instants, and their lengths (us)."""
    known = task.known
    length = known.windows.length_at(known.now + at)
    since = known.windows.begins(known.now + at) - known.now
    total = known.lost(np.array([known.now]))[0] + futures.down(future, at)
    before = known.lost(known.now + since) + futures.down(future, since)
    return total - before, length


def over(lost: Instants, length: Instants, allowed: Fraction) -> NDArray[np.bool_]:
    """Tell exactly whether more than the allowed share is lost."""
    numerator, denominator = allowed.numerator, allowed.denominator
    if denominator < 100_000:  # products stay within 64 bits
        return lost * denominator > length * numerator
    exact = lost.astype(object) * denominator > length.astype(object) * numerator
    return exact.astype(np.bool_)


def _down_at(task: Task, futures: Futures) -> Instants:
    """Return the earliest instant at which availability is too low, of the possible minima and the given instants."""
    horizon = task.until - task.known.now
    changes = task.known.windows.since - task.known.now
    fixed = np.unique(np.concatenate(([0], task.dates, changes, changes - 1)))
    first = 1 if task.known.windows.calendar else 0  # a calendar period that ends now is past
    fixed = fixed[(fixed >= first) & (fixed <= horizon)]
    everyone = np.arange(futures.size)
    future = np.concatenate([futures.future, np.repeat(everyone, len(fixed))])
    at = np.concatenate([np.minimum(futures.end, horizon), np.tile(fixed, futures.size)])
    lost, length = lost_in_window(task, futures, future, at)
    broken = over(lost, length, task.allowed)
    earliest = np.full(futures.size, NEVER, dtype=np.int64)
    np.minimum.at(earliest, future[broken], at[broken])
    return earliest


def _late_at(task: Task, futures: Futures) -> Instants:
    late = futures.end - futures.start > task.limit_us
    first = np.full(futures.size, NEVER, dtype=np.int64)
    np.minimum.at(first, futures.future[late], futures.start[late] + task.limit_us)
    return first


def _shares(task: Task, futures: Futures) -> NDArray[np.float32]:
    """Return the availability of each future at each instant of the grid, over the known part of its window."""
    future = np.repeat(np.arange(futures.size), len(task.grid))
    at = np.tile(task.grid, futures.size)
    lost, length = lost_in_window(task, futures, future, at)
    since = np.maximum(task.known.windows.begins(task.known.now + at), task.known.known_from)
    elapsed = np.minimum(length, task.known.now + at - since)
    return (1 - lost / np.maximum(1, elapsed)).reshape(futures.size, len(task.grid)).astype(np.float32)
