"""Service centre time stamps: one second each, unique per account and recipient. Knows no calendar.

The correlation key of a notification is (recipient, SCTS), so two messages to one recipient within a second get
different stamps, the later ones ahead of the clock (EMI-UCP 4.0 section 7).
"""

from __future__ import annotations

from collections import defaultdict

from simbench.kernels.meter import SECOND_US

PRUNE_AT = 200_000


class Stamps:
    """The last stamp given to each recipient of each account."""

    def __init__(self, ahead_max_s: int) -> None:
        self.ahead_max_s = ahead_max_s
        self._last: dict[str, dict[str, int]] = defaultdict(dict)
        self._given = 0
        self._prune_at = PRUNE_AT

    def take(self, account: str, recipient: str, now: int) -> int:
        """The next free stamp (seconds since the epoch), or -1 when it would run too far ahead of the clock."""
        second = now // SECOND_US
        of_account = self._last[account]
        last = of_account.get(recipient, -1)
        if last < second:
            of_account[recipient] = second
            self._given += 1
            if self._given > self._prune_at:
                self._prune(second)
            return second
        if last >= second + self.ahead_max_s:
            return -1
        of_account[recipient] = last + 1
        return last + 1

    def take_many(self, account: str, recipients: list[str], now: int) -> list[int]:
        """`take` for each in turn, up to the first that can have none."""
        second = now // SECOND_US
        of_account, furthest, stamps = self._last[account], second + self.ahead_max_s, []
        given = 0
        for recipient in recipients:
            last = of_account.get(recipient, -1)
            if last < second:
                of_account[recipient] = second
                given += 1
                stamps.append(second)
            elif last < furthest:
                of_account[recipient] = last + 1
                stamps.append(last + 1)
            else:
                break
        self._given += given
        if self._given > self._prune_at:
            self._prune(second)
        return stamps

    def given(self, account: str, recipient: str, stamp: int) -> None:
        """A stamp was given before: it is not given again."""
        of_account = self._last[account]
        of_account[recipient] = max(stamp, of_account.get(recipient, -1))

    def _prune(self, second: int) -> None:
        """Forget stamps that lie behind: they bind nobody any more."""
        for account, stamps in self._last.items():
            self._last[account] = {recipient: stamp for recipient, stamp in stamps.items() if stamp >= second}
        self._given = sum(map(len, self._last.values()))
        self._prune_at = max(PRUNE_AT, 2 * self._given)
