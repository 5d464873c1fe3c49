"""Computes when the next segment of a short code may be sent: the contract's ring, evenly spaced.

With rate r, segment n is sent no earlier than one second after segment n-r was due, so that, apart from timer delays,
no second contains more than r. Within that limit segments are spaced 1/r apart to avoid bursts. The ring stores due
times, as the SMSC's meter does: with the actual times, every late timer would permanently cost a little of the rate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from simbench.base.units import SECOND_US

CATCH_UP_US = 250_000  # longer delays (a slow timer, a full window) are not caught up
LATENESS_US = 10_000  # a segment up to this late counts as sent when due
CATCH_UP_SHARE = 8  # while behind, spacing shrinks by one part in this many


class Pacing:
    """The ring of one short code: `size` segments per `period_us`, reaching the mean `size / period_us` exactly."""

    __slots__ = ("_behind_us", "_departures", "_next", "_remainder", "_unwritten", "period_us", "size")

    def __init__(self, size: int, period_us: int = SECOND_US, departures: Iterable[int] = ()) -> None:
        if size < 1:
            raise ValueError(f"rate {size}: at least one segment")
        self.size, self.period_us = size, period_us
        self._departures = deque(departures, maxlen=size)
        self._next = 0  # position of the next segment on the even grid
        self._remainder = 0
        self._behind_us = 0
        self._unwritten = 0  # segments sent since the last octets were written

    @property
    def departures(self) -> tuple[int, ...]:
        """The due times of up to `size` last segments, oldest first."""
        return tuple(self._departures)

    def earliest(self, now: int) -> int:
        """Return the instant at which the next segment may be sent, not before `now`."""
        return max(now, self._next, self._bound())

    def idle(self, now: int) -> None:
        """Record that nothing was waiting until `now`: the grid restarts there, and unused slots are not saved up."""
        self._next, self._behind_us = max(self._next, now), 0

    def leave(self, now: int) -> None:
        """Record a segment sent at `now`, which is not before `earliest`."""
        # The grid follows its own positions, so that timer delays are caught up; after the ring has pushed it back, it
        # closes up little by little, so that bursts spread out again.
        due = self.earliest(0)
        place = max(self._next, now - CATCH_UP_US)
        bound = self._bound()
        if bound > place:
            self._behind_us = min(self._behind_us + bound - place, self.period_us)
            place = bound
        spacing, self._remainder = divmod(self.period_us + self._remainder, self.size)
        gained = min(self._behind_us, spacing // CATCH_UP_SHARE)
        self._behind_us -= gained
        self._next = place + spacing - gained
        self._departures.append(due if now - due <= LATENESS_US else now)
        self._unwritten += 1

    def written(self, now: int) -> None:
        """The segments sent since the last call are only now on the wire: long delays count from here."""
        for place in range(-min(self._unwritten, len(self._departures)), 0):
            if now - self._departures[place] > LATENESS_US:
                self._departures[place] = now
        self._unwritten = 0

    def _bound(self) -> int:
        """Return the limit of the ring alone for the next segment."""
        return self._departures[0] + self.period_us if len(self._departures) == self.size else 0
