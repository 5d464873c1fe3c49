"""Service centre time stamps (SCTS): whole seconds, unique per account and recipient.

A notification is matched to its message by (recipient, SCTS). Two messages to one recipient within a second therefore
get different stamps, the later ones ahead of the clock (EMI-UCP 4.0 section 7).
"""

from __future__ import annotations

from simbench.base.units import SECOND_US
from simbench.kernels.chance import GAMMA, MASK
from simbench.kernels.table import Table
from simbench.numbering.addresses import key_of

PRUNE_AT = 200_000


class SctsAllocator:
    """The last SCTS given to each recipient of each account, in one table for compiled code."""

    def __init__(self, ahead_max_s: int) -> None:
        self.ahead_max_s = ahead_max_s
        self.last = Table()
        self._prune_at = PRUNE_AT
        self._numbers: dict[str, int] = {}

    def number(self, account: str) -> int:
        """Return the number of an account in the table: 0, 1, 2 in order of the first call."""
        return self._numbers.setdefault(account, len(self._numbers))

    def take(self, account: str, recipient: str, now: int) -> int:
        """Return the next free SCTS (seconds since the epoch), or -1 if it would run too far ahead of the clock."""
        second = now // SECOND_US
        if self.last.count > self._prune_at:
            self.prune(second)
        place = self.last.place(self._key(account, recipient))
        last = self.last.values[place]
        if last >= second + self.ahead_max_s:
            return -1
        stamp = second if last < second else last + 1
        self.last.values[place] = stamp
        return stamp

    def given(self, account: str, recipient: str, stamp: int) -> None:
        """Record an SCTS given by an earlier run, so that it is not given again."""
        place = self.last.place(self._key(account, recipient))
        self.last.values[place] = max(stamp, self.last.values[place])

    def prune(self, second: int) -> None:
        """Remove past stamps at intervals."""
        if self.last.count > self._prune_at:
            self.last.keep(second)
            self._prune_at = max(PRUNE_AT, 2 * self.last.count)

    def _key(self, account: str, recipient: str) -> int:
        number = self._numbers.get(account)
        if number is None:
            number = self.number(account)
        return key_of(recipient) + number * GAMMA & MASK
