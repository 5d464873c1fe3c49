"""The server's one timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.lateness import Lateness
from simbench.base.units import NEVER, SECOND_US

COALESCE_S = 0.002  # deadlines closer than this are served together: below the smallest recorded delay


class DeadlineTimer:
    """Calls `act` with the instant of the platform clock when the earliest deadline has come."""

    def __init__(self, clock: PlatformClock, lateness: Lateness, act: Callable[[int], None]) -> None:
        self._clock, self._lateness, self._act = clock, lateness, act
        self._handle: asyncio.Handle | None = None
        self._deadline = self._fires_at = 0
        self._again = False  # whether this turn of the loop had no time for all that was due

    def arm(self, deadline: int) -> None:
        """Fire at a deadline (us; NEVER: not at all), unless it is set to an earlier one."""
        if self._handle is not None:
            if self._deadline <= deadline:
                return
            self.cancel()
        self._again = False
        if deadline >= NEVER:
            return
        self._deadline = deadline
        delay = max(self._clock.real_s(deadline), COALESCE_S)
        self._fires_at = max(deadline, self._clock.now() + int(COALESCE_S * SECOND_US * self._clock.speed))
        self._handle = asyncio.get_running_loop().call_later(delay, self._fire)

    def again(self) -> None:
        """Fire in the next turn of the loop, because this one leaves entries that are due."""
        if self._handle is not None and not self._deadline:
            return
        self.cancel()
        if not self._again:
            self._again, self._fires_at = True, self._clock.now()
        self._deadline = 0
        self._handle = asyncio.get_running_loop().call_soon(self._fire)

    def cancel(self) -> None:
        """Cancel the timer."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self) -> None:
        now = self._clock.now()
        self._lateness.note(self._fires_at, now, "timer")
        self._handle = None
        self._act(now)
