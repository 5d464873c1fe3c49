"""The meter of one short code and its five answers. Decides by instants alone; writes nothing.

Sources: OPS-ACH-04, OPS-QOS-04, OPS-TAR-08 to 12; readings AMB-05 and AMB-18.
"""

from __future__ import annotations

from simbench.centre.records import Limit
from simbench.kernels.meter import LONG_AGO, SECOND_US, conforming


class Limiter:
    """A ring of the last r conforming instants."""

    __slots__ = ("_at", "_ring", "limit")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._ring = [LONG_AGO] * limit.rate_per_s
        self._at = 0

    def offer(self, now: int, segments: int) -> int:
        """An operation of that many segments arrives: the instant it conforms, or -1 when it is not admitted.

        `monitor` and `delay` advance the ring; the others only when they admit, and `delay` not beyond its hold.
        """
        limit = self.limit
        if segments == 1:
            due = conforming(now, self._ring[self._at])
            if due == now or limit.mode == "monitor":  # by far the most frequent: nothing to decide
                self._ring[self._at] = due
                self._at = (self._at + 1) % limit.rate_per_s
                return due
        else:
            due = self._due(now, segments)
        late = due - now
        if limit.mode == "delay":
            if late > limit.max_hold_us:
                return -1
        elif limit.mode != "monitor" and late > limit.jitter_us:
            return -1
        self._advance(now, segments)
        return due

    def passing(self, now: int, most: int) -> int:
        """How many of `most` operations of one segment, arriving together, would pass at once. Enters none."""
        if self.limit.mode == "monitor":
            return most
        ring, edge, count = self._ring, now - SECOND_US, 0
        for place in range(self._at, self._at + min(most, len(ring))):
            if ring[place % len(ring)] > edge:
                break
            count += 1
        return count

    def enter(self, now: int, count: int) -> None:
        """Offer so many operations of one segment that are known to pass."""
        ring, edge = self._ring, now - SECOND_US
        while count:
            end = min(self._at + count, len(ring))
            count -= end - self._at
            # `conforming` of each, written out
            ring[self._at : end] = [due + SECOND_US if due > edge else now for due in ring[self._at : end]]
            self._at = end % len(ring)

    def retuned(self, limit: Limit) -> Limiter:
        """A limiter under another limit that remembers the instants this one admitted, most recent last."""
        fresh = Limiter(limit)
        past = self._ring[self._at :] + self._ring[: self._at]
        kept = past[-limit.rate_per_s :]
        fresh._ring = [LONG_AGO] * (limit.rate_per_s - len(kept)) + kept
        return fresh

    def _due(self, now: int, segments: int) -> int:
        """The conforming instant of the operation's last segment, leaving the ring alone."""
        ring, size = self._ring, len(self._ring)
        if segments <= size:  # every segment looks back into the ring as it stands
            return conforming(now, ring[(self._at + segments - 1) % size])
        scratch = Limiter(self.limit)
        scratch._ring, scratch._at = list(ring), self._at
        return scratch._advance(now, segments)

    def _advance(self, now: int, segments: int) -> int:
        ring, size = self._ring, len(self._ring)
        due = now
        for _ in range(segments):
            due = conforming(now, ring[self._at])
            ring[self._at] = due
            self._at = (self._at + 1) % size
        return due
