"""Failures of late, by address: who goes on guessing is refused for the rest of a minute. Knows no socket."""

from __future__ import annotations

from typing import Final

MINUTE_S: Final = 60.0
REMEMBERED: Final = 10_000  # addresses; of more, the one whose last failure is the oldest is forgotten


class LoginThrottle:
    """At most `most_per_min` failures a minute from one address; 0: any number. Instants in s of any clock."""

    def __init__(self, most_per_min: int = 0) -> None:
        self.most_per_min = most_per_min
        self._failed: dict[str, tuple[float, int]] = {}  # since when, and how many

    def failed(self, address: str, now_s: float, count: int = 1) -> None:
        """Count failures of an address."""
        if not count or not self.most_per_min:
            return
        since, before = self._of_late(address, now_s)
        self._failed.pop(address, None)
        self._failed[address] = since, before + count  # the latest last
        if len(self._failed) > REMEMBERED:
            del self._failed[next(iter(self._failed))]

    def too_many(self, address: str, now_s: float) -> bool:
        """Whether the address is to be refused."""
        return 0 < self.most_per_min <= self._of_late(address, now_s)[1]

    def _of_late(self, address: str, now_s: float) -> tuple[float, int]:
        since, count = self._failed.get(address, (now_s, 0))
        return (since, count) if now_s - since <= MINUTE_S else (now_s, 0)
