"""What is due when: one heap of instants. Knows nothing of what it calls.

Entries of one instant run in the order they were entered, so that a run is the same however often it is advanced
(the law of splitting).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

NEVER = 1 << 62

Action = Callable[[Any, int], None]


class Agenda:
    """Instants, each with an action and its subject."""

    __slots__ = ("_count", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Action, Any]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def enter(self, due: int, action: Action, subject: Any) -> None:
        """Call `action(subject, due)` when `due` has come."""
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, action, subject))

    def next_deadline(self) -> int:
        """The earliest instant entered, or NEVER."""
        return self._heap[0][0] if self._heap else NEVER

    def run(self, now: int, not_before: int = 0) -> None:
        """Do everything due up to `now`. What fell due before `not_before` happens at that instant instead."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= now:
            due, _, action, subject = pop(heap)
            action(subject, max(not_before, due))
