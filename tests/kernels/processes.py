"""The loss system as one SimPy process a call: what the kernels are checked and timed against."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from simbench.dialup.kernels.loss_system import BLOCKED, CARRIED, CUT, DROPPED, MOST_TRIES, REFUSED
from simbench.kernels.chance import draw_with, quantile

LEAVES, CHANGES, ARRIVES = 0, 1, 2  # what comes first at one instant; the n-th call's redials after all of these


@dataclass
class Pools:
    """Counters of ports in use, and the calls in progress (a Resource would search its list at every release)."""

    ports: list[int]
    limit: int
    outages: list[tuple[int, int, int, int]] = field(default_factory=list)
    key: int = 0
    share: int = 0
    most_tries: int = 1
    until: int = 1 << 62
    delays: tuple[int, ...] = (1, 1)

    def run(self, start: list[int], hold: list[int], pool: list[int]) -> list[tuple[int, int, int, int]]:
        """Rows of (began, length, outcome, tries)."""
        self.env = simpy.Environment()
        self.calls: list[set[int]] = [set() for _ in self.ports]
        self.down = [False] * len(self.ports)
        self.rows = [[at, min(lasts, self.limit), BLOCKED, 1] for at, lasts in zip(start, hold, strict=True)]
        for row in self.outages:
            self.env.process(self._outage(*row))
        for call, (at, lasts, where) in enumerate(zip(start, hold, pool, strict=True)):
            self.env.process(self._call(call, at, lasts, where))
        self.env.run()
        return [(row[0], row[1], row[2], row[3]) for row in self.rows]

    def _at(self, instant: int, priority: int) -> Any:
        event = self.env.event()
        event._ok, event._value = True, None  # as a Timeout does, which cannot choose its priority
        self.env.schedule(event, priority=priority, delay=instant - int(self.env.now))  # type: ignore[arg-type]  # any int
        return event

    def _outage(self, where: int, starts: int, until: int, drops: int) -> Generator[Any, Any, None]:
        yield self._at(starts, CHANGES)
        self.down[where] = True
        for call in self.calls[where] if drops else ():
            self.rows[call][1:3] = [starts - self.rows[call][0], DROPPED]
        if drops:
            self.calls[where].clear()
        yield self._at(until, CHANGES)
        self.down[where] = False

    def _call(self, call: int, at: int, lasts: int, where: int) -> Generator[Any, Any, None]:
        row = self.rows[call]
        yield self._at(at, ARRIVES)
        while self.down[where] or len(self.calls[where]) >= self.ports[where]:
            row[2] = REFUSED if self.down[where] else BLOCKED
            drawn = draw_with(self.key, call * MOST_TRIES + row[3])
            if row[3] >= self.most_tries or drawn & 0xFFFFFFFF >= self.share:
                return
            again = int(self.env.now) + quantile(self.delays, drawn)
            if again >= self.until:
                return
            yield self._at(again, ARRIVES + 1 + call)
            row[0], row[3] = again, row[3] + 1
        row[2] = CUT if lasts > self.limit else CARRIED
        if row[1]:
            self.calls[where].add(call)
            yield self._at(int(self.env.now) + row[1], LEAVES)
            self.calls[where].discard(call)
