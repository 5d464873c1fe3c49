"""Throttles failed logins: an address with too many failures is refused for the rest of the minute."""

from __future__ import annotations

from typing import Final

MINUTE_S: Final = 60.0
REMEMBERED: Final = 10_000  # addresses; beyond this the one with the oldest last failure is dropped


class LoginThrottle:
    """At most `most_per_min` failures a minute from one address; 0: any number. Instants in s of any clock."""

    def __init__(self, most_per_min: int = 0) -> None:
        self.most_per_min = most_per_min
        self._failed: dict[str, tuple[float, int]] = {}  # by address: first failure of the minute, and failures

    def failed(self, address: str, now_s: float, count: int = 1) -> None:
        """Count failures of an address."""
        if not count or not self.most_per_min:
            return
        since, before = self._of_late(address, now_s)
        self._failed.pop(address, None)
        self._failed[address] = since, before + count  # the most recent goes last
        if len(self._failed) > REMEMBERED:
            del self._failed[next(iter(self._failed))]

    def too_many(self, address: str, now_s: float) -> bool:
        """Whether the address is refused at present."""
        return 0 < self.most_per_min <= self._of_late(address, now_s)[1]

    def _of_late(self, address: str, now_s: float) -> tuple[float, int]:
        since, count = self._failed.get(address, (now_s, 0))
        return (since, count) if now_s - since <= MINUTE_S else (now_s, 0)
