"""Records how late the server's event loop and its timers are, so that a rule can tell this from a client's jitter."""

from __future__ import annotations

import asyncio

from fake_smsc.server.clock import PlatformClock
from simbench.base.units import SECOND_US
from simbench.ledger import AnyLedger

GRAIN_US = 2_000  # smallest recorded delay: rules allow a client the delay of the bench
HEARTBEAT_S = 0.005  # interval at which the event loop's delay is measured


class Lateness:
    """A heartbeat of the loop; every delay above GRAIN_US becomes a row. Unless `enabled`, it records nothing."""

    def __init__(self, clock: PlatformClock, ledger: AnyLedger, *, enabled: bool) -> None:
        self._clock, self._ledger, self._enabled = clock, ledger, enabled
        self._beat: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the heartbeat."""
        if self._enabled:
            expected = self._clock.now() + int(HEARTBEAT_S * SECOND_US * self._clock.speed)
            self._beat = asyncio.get_running_loop().call_later(HEARTBEAT_S, self._on_beat, expected)

    def stop(self) -> None:
        """Stop the heartbeat; nothing is recorded from now on."""
        self._enabled = False
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def restart(self) -> None:
        """Ignore the current beat, because the clock was moved."""
        if self._beat is not None:
            self._beat.cancel()
            self.start()

    def note(self, expected: int, now: int, place: str) -> None:
        """Record an event expected at one instant that happened at another (us); `place` is "timer" or "loop"."""
        late = now - expected
        if late > GRAIN_US * self._clock.speed and self._enabled:
            self._ledger.timing_error.append((expected, now, late, place))

    def _on_beat(self, expected: int) -> None:
        self.note(expected, self._clock.now(), "loop")
        self.start()
