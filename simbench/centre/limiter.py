"""The meter of one short code and its five answers. Decides by instants alone; writes nothing.

Sources: OPS-ACH-04, OPS-QOS-04, OPS-TAR-08 to 12; readings AMB-05 and AMB-18.
"""

from __future__ import annotations

from simbench.centre.records import Limit
from simbench.kernels.meter import LONG_AGO, conforming


class Limiter:
    """A ring of the last r conforming instants."""

    __slots__ = ("_at", "_ring", "limit")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._ring = [LONG_AGO] * limit.rate_per_s
        self._at = 0

    def due(self, now: int) -> int:
        """When an operation of one segment would conform, from now on; it is not admitted by asking."""
        return conforming(now, self._ring[self._at])

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
