"""Service centre time stamps (SCTS): whole seconds, unique per account and recipient.

A notification is matched to its message by (recipient, SCTS). Two messages to one recipient within a second therefore
get different stamps, the later ones ahead of the clock (EMI-UCP 4.0 section 7).
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from simbench.base.units import SECOND_US
from simbench.kernels.draws import Words
from simbench.kernels.table import Table, Values
from simbench.numbering.addresses import key_of

PRUNE_AT = 200_000


class SctsAllocator:
    """The last SCTS given to each recipient of each account."""

    def __init__(self, ahead_max_s: int) -> None:
        self.ahead_max_s = ahead_max_s
        self._last: dict[str, Table] = defaultdict(Table)
        self._prune_at: dict[str, int] = defaultdict(lambda: PRUNE_AT)

    def take(self, account: str, recipient: str, now: int) -> int:
        """Return the next free SCTS (seconds since the epoch), or -1 if it would run too far ahead of the clock."""
        second = now // SECOND_US
        table = self._of(account, second)
        place = table.place(key_of(recipient))
        last = int(table.values[place])
        if last >= second + self.ahead_max_s:
            return -1
        stamp = second if last < second else last + 1
        table.values[place] = stamp
        return stamp

    def take_many(self, account: str, recipients: Words, now: int) -> Values:
        """`take` for each in turn, up to the first that gets none. Recipients are keys without repeats."""
        second = now // SECOND_US
        table = self._of(account, second)
        places = table.places(recipients)
        last = table.values[places]
        stamps: Values = np.maximum(last + 1, second)
        if last.max() >= second + self.ahead_max_s:
            most = int((last >= second + self.ahead_max_s).argmax())
            places, stamps = places[:most], stamps[:most]
        table.values[places] = stamps
        return stamps

    def given(self, account: str, recipient: str, stamp: int) -> None:
        """Record an SCTS given by an earlier run, so that it is not given again."""
        table = self._last[account]
        place = table.place(key_of(recipient))
        table.values[place] = max(stamp, int(table.values[place]))

    def _of(self, account: str, second: int) -> Table:
        """Return the table of an account, cleared from time to time of stamps that lie in the past."""
        table = self._last[account]
        if table.count > self._prune_at[account]:
            table.keep(second)
            self._prune_at[account] = max(PRUNE_AT, 2 * table.count)
        return table
