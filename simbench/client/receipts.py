"""Matches notifications to accepted segments.

UCP has no message id: a notification contains the recipient and the service centre time stamp (SCTS) of the submit's
result (EMI-UCP 4.0 section 5, operation 53; section 7 of docs/reference/ucp.md).
"""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from simbench.base.units import DAY_US
from simbench.numbering.plan import NumberingPlan

LIFE_US = 7 * DAY_US  # longer than any validity period; later notifications count as unknown
REMEMBERED = 100_000  # completed keys kept to recognise duplicates
EARLY = 1_000  # unmatched notifications kept, in case they overtook their result

Key = tuple[str, str]
Value = TypeVar("Value")
Match = Literal["matched", "duplicate", "unknown"]

DELIVERED, BUFFERED = "0", "1"
OUTCOMES = (DELIVERED, BUFFERED, "2")  # "2": not delivered


class Awaited(msgspec.Struct, frozen=True):
    """A segment accepted at `at` whose notification has not come."""

    token: str
    part: int
    at: int


class Notification(msgspec.Struct, frozen=True):
    """Status and reason of a 53: `status` 0, 1 or 2 (the field Dst) and `reason` (Rsn)."""

    status: str
    reason: str


class Receipts:
    """Accepted segments by (recipient, SCTS), and a count of unmatched notifications."""

    __slots__ = ("_awaited", "_early", "_key", "_settled", "duplicates", "unknown")

    def __init__(self, plan: NumberingPlan) -> None:
        self._key = plan.key
        self._awaited: dict[Key, list[Awaited]] = {}
        self._settled: dict[Key, None] = {}
        self._early: dict[Key, Notification] = {}
        self.duplicates = 0
        self.unknown = 0

    def __len__(self) -> int:
        return len(self._awaited)

    def expect(self, recipient: str, scts: str, awaited: Awaited) -> Notification | None:
        """Add an accepted segment. Returns its notification if that came first. An empty SCTS never matches."""
        if not scts:
            return None
        key = (self._key(recipient), scts)
        self._settled.pop(key, None)
        self._awaited.setdefault(key, []).append(awaited)
        self.forget_before(awaited.at - LIFE_US)
        early = self._early.pop(key, None)
        if early is not None:
            self.unknown -= 1
            self.match(recipient, scts, early)
        return early

    def match(self, recipient: str, scts: str, notification: Notification) -> tuple[Match, Awaited | None]:
        """Match a notification to its segment; "buffered" leaves the segment pending."""
        key = (self._key(recipient), scts)
        waiting = self._awaited.get(key)
        if waiting:
            if notification.status == BUFFERED:
                return "matched", waiting[0]
            settled = waiting.pop(0)
            if not waiting:
                del self._awaited[key]
                _remember(self._settled, key, None, REMEMBERED)
            return "matched", settled
        if key in self._settled:
            self.duplicates += 1
            return "duplicate", None
        self.unknown += 1
        _remember(self._early, key, notification, EARLY)
        return "unknown", None

    def forget_early(self) -> None:
        """Drop the notifications that matched nothing so far."""
        self._early.clear()

    def forget_before(self, before: int) -> None:
        """Drop segments accepted before that instant, as their notification will not come any more."""
        while self._awaited:
            key, waiting = next(iter(self._awaited.items()))
            if waiting[-1].at >= before:
                return
            del self._awaited[key]


def _remember(table: dict[Key, Value], key: Key, value: Value, room: int) -> None:
    """Add a value to a table, dropping the oldest entry if it is full."""
    table.pop(key, None)
    table[key] = value
    if len(table) > room:
        del table[next(iter(table))]
