"""The rate meter of one short code, with its five possible answers.

Sources: OPS-ACH-04, OPS-QOS-04, OPS-TAR-08 to 12; readings AMB-05 and AMB-18.
"""

from __future__ import annotations

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


class Limiter:
    """A ring of the last conforming instants, one per operation of the meter's window: sliding, tumbling, mean."""

    __slots__ = ("_at", "_conforms", "_ring", "limit")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._ring = [LONG_AGO] * (limit.rate_per_s * (limit.mean_window_s if limit.meter == "mean_10s" else 1))
        self._at = 0
        self._conforms: Callable[[int, int], int] = conforming
        if limit.meter == "tumbling":
            self._conforms = conforming_tumbling
        elif limit.meter == "mean_10s":
            self._conforms = partial(conforming_within, window_us=limit.mean_window_s * SECOND_US)

    def due(self, now: int) -> int:
        """Return the instant, `now` or later, at which an operation of one segment would conform. Changes nothing."""
        return conforming(now, self._ring[self._at])

    def offer(self, now: int, segments: int) -> int:
        """Offer an operation of `segments` segments. Returns the instant it conforms, or -1 if it is not admitted.

        `monitor` and `delay` always advance the ring (`delay` up to its maximum hold), the others only on admission.
        """
        limit = self.limit
        if segments == 1:
            due = self._conforms(now, self._ring[self._at])
            if due == now or limit.mode == "monitor":  # by far the most frequent case
                self._ring[self._at] = due
                self._at = (self._at + 1) % len(self._ring)
                return due
        else:
            due = self._due(now, segments)
        if self.refuses(due - now):
            return -1
        self._advance(now, segments)
        return due

    def refuses(self, late: int) -> bool:
        """Whether an operation that arrives `late` us before it conforms is refused."""
        limit = self.limit
        if limit.mode == "delay":
            return late > limit.max_hold_us
        return limit.mode != "monitor" and late > limit.jitter_us

    def passing(self, now: int, most: int) -> int:
        """Return how many of `most` one-segment operations that arrive together certainly pass. Changes nothing.

        0 where only `offer` can tell, i.e. for meters other than the sliding second.
        """
        if self._conforms is not conforming:
            return 0
        if self.limit.mode == "monitor":
            return most
        ring, edge, count = self._ring, now - SECOND_US, 0
        for place in range(self._at, self._at + min(most, len(ring))):
            if ring[place % len(ring)] > edge:
                break
            count += 1
        return count

    def enter(self, now: int, count: int) -> None:
        """Record `count` operations of one segment that `passing` has admitted."""
        ring, edge = self._ring, now - SECOND_US
        while count:
            end = min(self._at + count, len(ring))
            count -= end - self._at
            # `conforming` for each, written out
            ring[self._at : end] = [due + SECOND_US if due > edge else now for due in ring[self._at : end]]
            self._at = end % len(ring)

    def retuned(self, limit: Limit, now: int) -> Limiter:  # noqa: ARG002 - a bucket needs to know
        """Return a limiter with another limit that keeps the instants this one admitted, most recent last."""
        fresh = limiter_of(limit)
        if limit.meter != "bucket":
            past = self._ring[self._at :] + self._ring[: self._at]
            size = len(fresh._ring)
            kept = past[-size:]
            fresh._ring = [LONG_AGO] * (size - len(kept)) + kept
        return fresh

    def _due(self, now: int, segments: int) -> int:
        """The instant at which the operation's last segment conforms; leaves the ring unchanged."""
        ring, size = self._ring, len(self._ring)
        if segments <= size:  # every segment looks back into the unchanged ring
            return self._conforms(now, ring[(self._at + segments - 1) % size])
        scratch = Limiter(self.limit)
        scratch._ring, scratch._at = list(ring), self._at
        return scratch._advance(now, segments)

    def _advance(self, now: int, segments: int) -> int:
        ring, size = self._ring, len(self._ring)
        due = now
        for _ in range(segments):
            due = self._conforms(now, ring[self._at])
            ring[self._at] = due
            self._at = (self._at + 1) % size
        return due


class BucketLimiter(Limiter):
    """A token bucket: stores only the instant at which it would be full again."""

    __slots__ = ("_full_at",)

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit)
        self._full_at = LONG_AGO

    def passing(self, now: int, most: int) -> int:  # noqa: ARG002 - only `offer` can tell
        """Always 0: only `offer` can tell."""
        return 0

    def offer(self, now: int, segments: int) -> int:
        """See Limiter.offer."""
        rate, full_at, due = self.limit.rate_per_s, self._full_at, now
        for _ in range(segments):
            due = conforming_bucket(now, full_at, rate)
            full_at = bucket_after(due, full_at, rate)
        if self.refuses(due - now):
            return -1
        self._full_at = full_at
        return due

    def retuned(self, limit: Limit, now: int) -> Limiter:
        """Return a bucket with another limit, lacking as many operations as this one lacks now."""
        fresh = limiter_of(limit)
        if isinstance(fresh, BucketLimiter):
            lacking = max(0, self._full_at - now * self.limit.rate_per_s)
            fresh._full_at = now * limit.rate_per_s + lacking
        return fresh


def limiter_of(limit: Limit) -> Limiter:
    """Return the limiter for the limit's meter."""
    return BucketLimiter(limit) if limit.meter == "bucket" else Limiter(limit)
