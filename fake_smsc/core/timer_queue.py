"""A timer queue: a heap of milliseconds, each with the entries due in it.

Entries run by instant, and in order of entry within one instant, so that a run does not depend on how often it is
advanced. Almost all entries share their millisecond with others, which makes a heap of milliseconds several times
cheaper than a heap of entries.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from simbench.base.units import NEVER

SLOT_US = 1_000
EVERY_TIMER: Final = 1 << 62  # entries

Action = Callable[[Any, int], None]
Entry = tuple[int, int, Action, Any]


class Crowd(Protocol):
    """Due work kept outside the queue, numbered with its entries (`numbered`) and run many at a time."""

    @property
    def head(self) -> int:
        """The earliest instant due, or NEVER."""

    def run(self, due: int, number: int, not_before: int) -> bool:
        """Run work before (due, number), at least until something is entered. Returns False if there is none."""


class NoCrowd:
    """The default Crowd: no work."""

    head = NEVER

    def run(self, due: int, number: int, not_before: int) -> bool:  # noqa: ARG002 - as any crowd's
        """Return False: there is no work."""
        return False


class TimerQueue:
    """Instants, each with an action and its subject.

    After `most` entries the queue `rests`: it runs nothing until `resume`, and is `behind` until all that is due ran.
    """

    __slots__ = ("_heap", "_open", "_slot", "_slots", "behind", "crowd", "most", "numbered", "rests")

    def __init__(self) -> None:
        self._heap: list[int] = []
        self._slots: dict[int, list[Entry]] = {}
        self._open: list[Entry] = []  # the current slot, as a heap
        self._slot = 0  # its number
        self.numbered = 0  # entries so far; the crowd numbers its own with them
        self.crowd: Crowd = NoCrowd()
        self.most = EVERY_TIMER
        self.rests = self.behind = False

    def __len__(self) -> int:
        return sum(map(len, self._slots.values())) + len(self._open)

    def enter(self, due: int, action: Action, subject: Any) -> None:
        """Schedule a call of `action(subject, due)` at `due`."""
        self.numbered += 1
        self.enter_numbered(due, self.numbered, action, subject)

    def enter_numbered(self, due: int, number: int, action: Action, subject: Any) -> None:
        """Schedule an entry that belonged to the crowd, keeping its number."""
        entry = (due, number, action, subject)
        slot = due // SLOT_US
        if self._open and slot <= self._slot:
            heapq.heappush(self._open, entry)
            return
        entries = self._slots.get(slot)
        if entries is None:
            self._slots[slot] = [entry]
            heapq.heappush(self._heap, slot)
        else:
            entries.append(entry)

    def subjects(self) -> Iterator[Any]:
        """Iterate over the subjects of all pending entries, unordered, possibly with repeats."""
        for entries in (self._open, *self._slots.values()):
            for entry in entries:
                yield entry[3]

    def next_deadline(self) -> int:
        """Return the earliest pending instant, or NEVER, also while the queue rests."""
        if self.rests:
            return NEVER
        if not self._open and not self._refill():
            return self.crowd.head
        return min(self._open[0][0], self.crowd.head)

    def run(self, now: int, not_before: int = 0) -> None:
        """Run what is due up to `now`. Entries due before `not_before` run with that instant instead."""
        if self.rests:
            return
        pop, crowd, left = heapq.heappop, self.crowd, self.most
        while True:
            due, number = self._open[0][:2] if self._open or self._refill() else (NEVER, 0)
            if crowd.head <= due and crowd.head <= now:
                limit = (due, number) if due <= now else (now, NEVER)
                if crowd.run(*limit, not_before):
                    continue
            if due > now:
                self.behind = False
                return
            if not left:
                self._rest(now, not_before)
                return
            left -= 1
            _, _, action, subject = pop(self._open)
            action(subject, due if due > not_before else not_before)  # noqa: FURB136 - saves a call per message

    def resume(self) -> None:
        """Run up to `most` entries again."""
        self.rests = False

    def _rest(self, now: int, not_before: int) -> None:
        """Leave the entries that are due; the crowd's work, which takes little time each, does not wait for them."""
        while self.crowd.head <= now and self.crowd.run(now, NEVER, not_before):
            pass
        self.rests = self.behind = True

    def _refill(self) -> bool:
        """Open the earliest slot. Returns False if there is none."""
        if not self._heap:
            return False
        self._slot = heapq.heappop(self._heap)
        self._open = sorted(self._slots.pop(self._slot))  # a sorted list is a heap
        return True
