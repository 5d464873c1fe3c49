"""What is due when: a heap of milliseconds, each with what falls into it. Knows nothing of what it calls.

Entries run by instant, those of one instant in the order they were entered, so that a run is the same however often it
is advanced (the law of splitting). Almost everything entered shares its millisecond with something else, which makes a
heap of milliseconds several times cheaper than one of entries.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any, Protocol

NEVER = 1 << 62
SLOT_US = 1_000

Action = Callable[[Any, int], None]
Entry = tuple[int, int, Action, Any]


class Crowd(Protocol):
    """What is due beside the entries, numbered with them (`number_many`), and done many at a time."""

    @property
    def head(self) -> int:
        """The earliest instant due, or NEVER."""

    def run(self, due: int, number: int, not_before: int) -> bool:
        """Do what stands before (due, number), at least up to where something is entered; False: there is none."""


class Nobody:
    """No crowd."""

    head = NEVER

    def run(self, due: int, number: int, not_before: int) -> bool:  # noqa: ARG002 - as any crowd's
        """There is nothing to do."""
        return False


class TimerQueue:
    """Instants, each with an action and its subject."""

    __slots__ = ("_count", "_heap", "_open", "_slot", "_slots", "crowd")

    def __init__(self) -> None:
        self._heap: list[int] = []
        self._slots: dict[int, list[Entry]] = {}
        self._open: list[Entry] = []  # the slot being worked on: a heap of its own
        self._slot = 0  # its number
        self._count = 0
        self.crowd: Crowd = Nobody()

    def __len__(self) -> int:
        return sum(map(len, self._slots.values())) + len(self._open)

    def enter(self, due: int, action: Action, subject: Any) -> None:
        """Call `action(subject, due)` when `due` has come."""
        self._count += 1
        self.enter_numbered(due, self._count, action, subject)

    def enter_numbered(self, due: int, number: int, action: Action, subject: Any) -> None:
        """`enter` what was of the crowd, under its number there."""
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

    def enter_many(self, dues: list[int], action: Action, subjects: list[Any]) -> None:
        """`enter` for each in turn."""
        if self._open and min(dues) // SLOT_US <= self._slot:
            for due, subject in zip(dues, subjects, strict=True):
                self.enter(due, action, subject)
            return
        slots, first = self._slots, self._count + 1
        self._count += len(dues)
        for entry in zip(dues, range(first, self._count + 1), repeat(action), subjects, strict=False):
            slot = entry[0] // SLOT_US
            entries = slots.get(slot)
            if entries is None:
                slots[slot] = [entry]
                heapq.heappush(self._heap, slot)
            else:
                entries.append(entry)

    def number_many(self, count: int) -> int:
        """Numbers for as many of the crowd, as if they were entered now: the first of them."""
        first = self._count + 1
        self._count += count
        return first

    def subjects(self) -> Iterator[Any]:
        """Every subject entered and not yet done, some more than once, in no order. Walks through them all."""
        for entries in (self._open, *self._slots.values()):
            for entry in entries:
                yield entry[3]

    def next_deadline(self) -> int:
        """The earliest instant entered, or NEVER."""
        if not self._open and not self._refill():
            return self.crowd.head
        return min(self._open[0][0], self.crowd.head)

    def run(self, now: int, not_before: int = 0) -> None:
        """Do everything due up to `now`. What fell due before `not_before` happens at that instant instead."""
        pop, crowd = heapq.heappop, self.crowd
        while True:
            due, number = self._open[0][:2] if self._open or self._refill() else (NEVER, 0)
            if crowd.head <= due and crowd.head <= now:
                limit = (due, number) if due <= now else (now, NEVER)
                if crowd.run(*limit, not_before):
                    continue
            if due > now:
                return
            _, _, action, subject = pop(self._open)
            action(subject, due if due > not_before else not_before)  # noqa: FURB136 - a call less a message

    def _refill(self) -> bool:
        """Take the earliest slot to work on; False when there is none."""
        if not self._heap:
            return False
        self._slot = heapq.heappop(self._heap)
        self._open = sorted(self._slots.pop(self._slot))  # sorted, hence a heap
        return True
