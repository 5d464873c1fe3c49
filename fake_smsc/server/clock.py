"""The platform's clock: an epoch, a speed, and steps forward. It reads the wall clock once, when it is created."""

from __future__ import annotations

import time
from collections.abc import Callable

from simbench.base.errors import NotPossible
from simbench.base.units import SECOND_US


class PlatformClock:
    """Platform instants (us, UTC) from a monotonic clock (s): epoch + speed x (monotonic - start) + steps."""

    def __init__(
        self, epoch_us: int | None = None, speed: float = 1.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.speed, self._monotonic = speed, monotonic
        self._start = monotonic()
        self._epoch = time.time_ns() // 1000 if epoch_us is None else epoch_us
        self._floor = self._epoch

    def now(self) -> int:
        """Return the platform's current instant; it never goes back."""
        instant = self._epoch + int((self._monotonic() - self._start) * self.speed * SECOND_US)
        self._floor = max(self._floor, instant)
        return self._floor

    def basis(self) -> tuple[int, int]:
        """Return an instant (us) and the monotonic clock's reading (ns) at that instant."""
        return self._epoch, round(self._start * 1_000_000_000)

    def real_s(self, instant: int) -> float:
        """Return the real seconds from now until a platform instant, at least 0."""
        return max(0.0, (instant - self.now()) / SECOND_US / self.speed)

    def step(self, seconds: float) -> int:
        """Jump forward. Raises ValueError for a step back."""
        if seconds < 0:
            raise NotPossible("step", f"is {seconds:g} s", "0 or more: the clock only goes forward")
        self._epoch += int(seconds * SECOND_US)
        return self.now()

    def set_speed(self, speed: float) -> None:
        """Change the speed from now on."""
        if speed <= 0:
            raise NotPossible("speed", f"is {speed:g}", "a number above 0")
        self._epoch, self._start, self.speed = self.now(), self._monotonic(), speed
