"""The rate meter of one short code, with its five possible answers.

Sources: OPS-ACH-04, OPS-QOS-04, OPS-TAR-08 to 12; readings AMB-05 and AMB-18.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import partial

from fake_smsc.core.records import Limit
from simbench.base.units import SECOND_US
from simbench.kernels.meter import (
    LONG_AGO,
    bucket_after,
    conforming,
    conforming_bucket,
    conforming_tumbling,
    conforming_within,
)

AT, FULL_AT, RING = range(3)  # cells of a limiter: the place in the ring, when the bucket is full, the ring


class Limiter:
    """A ring of the last conforming instants, one per operation of the meter's window: sliding, tumbling, mean.

    `cells` are the place in the ring, the bucket's instant, and the ring: integers that `bind` puts where compiled code
    finds them.
    """

    __slots__ = ("_conforms", "cells", "limit")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        size = limit.rate_per_s * (limit.mean_window_s if limit.meter == "mean_10s" else 1)
        self.cells: memoryview = memoryview(array("q", [0, LONG_AGO] + [LONG_AGO] * size))
        self._conforms: Callable[[int, int], int] = conforming
        if limit.meter == "tumbling":
            self._conforms = conforming_tumbling
        elif limit.meter == "mean_10s":
            self._conforms = partial(conforming_within, window_us=limit.mean_window_s * SECOND_US)

    def bind(self, cells: memoryview) -> None:
        """Keep the instants in other cells from now on, as many as these."""
        cells[:] = self.cells
        self.cells = cells

    def due(self, now: int) -> int:
        """Return the instant, `now` or later, at which an operation of one segment would conform. Changes nothing."""
        return conforming(now, self.cells[RING + self.cells[AT]])

    def offer(self, now: int, segments: int) -> int:
        """Offer an operation of `segments` segments. Returns the instant it conforms, or -1 if it is not admitted.

        `monitor` and `delay` always advance the ring (`delay` up to its maximum hold), the others only on admission.
        """
        limit, cells = self.limit, self.cells
        if segments == 1:
            at = RING + cells[AT]
            due = self._conforms(now, cells[at])
            if due == now or limit.mode == "monitor":  # by far the most frequent case
                cells[at] = due
                cells[AT] = at - 1 if at + 1 < len(cells) else 0
                return due
        else:
            due = self._due(now, segments)
        if self.refuses(due - now):
            return -1
        self._advance(now, segments)
        return due

    def refuses(self, late: int) -> bool:
        """Tell whether an operation that arrives `late` us before it conforms is refused."""
        limit = self.limit
        if limit.mode == "delay":
            return late > limit.max_hold_us
        return limit.mode != "monitor" and late > limit.jitter_us

    def retuned(self, limit: Limit, now: int) -> Limiter:  # noqa: ARG002 - a bucket needs to know
        """Return a limiter with another limit that keeps the instants this one admitted, most recent last."""
        fresh = limiter_of(limit)
        if limit.meter != "bucket":
            ring, at = self.cells[RING:].tolist(), self.cells[AT]
            size = len(fresh.cells) - RING
            kept = (ring[at:] + ring[:at])[-size:]
            fresh.cells[RING:] = array("q", [LONG_AGO] * (size - len(kept)) + kept)
        return fresh

    def _due(self, now: int, segments: int) -> int:
        """The instant at which the operation's last segment conforms; leaves the ring unchanged."""
        cells = self.cells
        size = len(cells) - RING
        if segments <= size:  # every segment looks back into the unchanged ring
            return self._conforms(now, cells[RING + (cells[AT] + segments - 1) % size])
        scratch = Limiter(self.limit)
        scratch.cells[:] = cells
        return scratch._advance(now, segments)

    def _advance(self, now: int, segments: int) -> int:
        cells, due = self.cells, now
        size = len(cells) - RING
        for _ in range(segments):
            at = cells[AT]
            due = cells[RING + at] = self._conforms(now, cells[RING + at])
            cells[AT] = (at + 1) % size
        return due


class BucketLimiter(Limiter):
    """A token bucket: stores only the instant at which it would be full again."""

    __slots__ = ()

    def offer(self, now: int, segments: int) -> int:
        """See Limiter.offer."""
        rate, full_at, due = self.limit.rate_per_s, self.cells[FULL_AT], now
        for _ in range(segments):
            due = conforming_bucket(now, full_at, rate)
            full_at = bucket_after(due, full_at, rate)
        if self.refuses(due - now):
            return -1
        self.cells[FULL_AT] = full_at
        return due

    def retuned(self, limit: Limit, now: int) -> Limiter:
        """Return a bucket with another limit, lacking as many operations as this one lacks now."""
        fresh = limiter_of(limit)
        if isinstance(fresh, BucketLimiter):
            lacking = max(0, self.cells[FULL_AT] - now * self.limit.rate_per_s)
            fresh.cells[FULL_AT] = now * limit.rate_per_s + lacking
        return fresh


def limiter_of(limit: Limit) -> Limiter:
    """Return the limiter for the limit's meter."""
    return BucketLimiter(limit) if limit.meter == "bucket" else Limiter(limit)
