"""Service centre time stamps: one second each, unique per account and recipient. Knows no calendar.

The correlation key of a notification is (recipient, SCTS), so two messages to one recipient within a second get
different stamps, the later ones ahead of the clock (EMI-UCP 4.0 section 7).
"""

from __future__ import annotations

from simbench.kernels.meter import SECOND_US

PRUNE_AT = 200_000


class Stamps:
    """The last stamp given to each recipient of each account."""

    def __init__(self, ahead_max_s: int) -> None:
        self.ahead_max_s = ahead_max_s
        self._last: dict[tuple[str, str], int] = {}
        self._prune_at = PRUNE_AT

    def take(self, account: str, recipient: str, now: int) -> int:
        """The next free stamp (seconds since the epoch), or -1 when it would run too far ahead of the clock."""
        second = now // SECOND_US
        last = self._last.get((account, recipient), -1)
        stamp = last + 1 if last >= second else second
        if stamp > second + self.ahead_max_s:
            return -1
        self._last[account, recipient] = stamp
        if len(self._last) > self._prune_at:
            self._prune(second)
        return stamp

    def _prune(self, second: int) -> None:
        self._last = {key: stamp for key, stamp in self._last.items() if stamp >= second}
        self._prune_at = max(PRUNE_AT, 2 * len(self._last))
