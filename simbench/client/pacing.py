"""When the next segment of a short code may leave: the contract's ring, evenly spread. Has no clock.

With r the rate, segment n leaves at the earliest one second after segment n-r was due: but for a timer's lateness no
second, however cut, holds more than r. Within that bound segments are spread 1/r apart, so that the ring is reached
without bursts. The ring keeps the instants segments were due at, as the SMSC's meter does: were it to keep the instants
they really left at, every late timer would cost a little of the rate, for good.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from simbench.base.units import SECOND_US

CATCH_UP_US = 250_000  # lateness (a slow timer, a full window) older than this is not made up for
LATENESS_US = 10_000  # a segment at most this late counts as having left when it was due
CATCH_UP_SHARE = 8  # while behind, spacing shrinks by one part in this many


class Pacing:
    """The ring of one short code: `size` segments per `period_us`, the exact mean `size / period_us` over a backlog."""

    __slots__ = ("_behind_us", "_departures", "_next", "_remainder", "_unwritten", "period_us", "size")

    def __init__(self, size: int, period_us: int = SECOND_US, departures: Iterable[int] = ()) -> None:
        if size < 1:
            raise ValueError(f"rate {size}: at least one segment")
        self.size, self.period_us = size, period_us
        self._departures = deque(departures, maxlen=size)
        self._next = 0  # the place of the next segment on the even grid
        self._remainder = 0
        self._behind_us = 0
        self._unwritten = 0  # segments that left since the last octets were written

    @property
    def departures(self) -> tuple[int, ...]:
        """When the last `size` segments at most were due, oldest first."""
        return tuple(self._departures)

    def earliest(self, now: int) -> int:
        """The instant at which the next segment may leave, not before `now`."""
        return max(now, self._next, self._bound())

    def idle(self, now: int) -> None:
        """Nothing was waiting until `now`: the even grid starts again there, and unused places are not saved up."""
        self._next, self._behind_us = max(self._next, now), 0

    def leave(self, now: int) -> None:
        """A segment leaves at `now`, which is not before `earliest`."""
        # The grid follows its own places and not the departures, so that a timer's lateness is made up for; where the
        # ring has pushed it back, it closes up little by little, so that what was bunched spreads out again.
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
        """What left since the last call is on the wire only now: what that delayed too much counts from here."""
        for place in range(-min(self._unwritten, len(self._departures)), 0):
            if now - self._departures[place] > LATENESS_US:
                self._departures[place] = now
        self._unwritten = 0

    def _bound(self) -> int:
        """What the ring alone says of the next segment."""
        return self._departures[0] + self.period_us if len(self._departures) == self.size else 0
