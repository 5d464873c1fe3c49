"""The order of events in a world, on SimPy's clock.

Events of one instant happen in the order of `Rank`: the world first (incidents, tiers, logins), then the deadlines of
the SMSC, subscribers, clients, and notifications.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import simpy
from simpy.events import EventPriority

Action = Callable[[int], None]


class Rank(IntEnum):
    """The order within one instant. SimPy's own urgent events, such as the end of a run, come first."""

    WORLD = 1
    LOGIN = 2
    CENTRE = 3
    SUBSCRIBER = 4
    CLIENT = 5
    NOTICES = 6


class Timeline:
    """SimPy's environment in whole microseconds."""

    def __init__(self, start: int) -> None:
        self.env = simpy.Environment(initial_time=start)

    @property
    def now(self) -> int:
        """The present instant."""
        return int(self.env.now)

    def at(self, instant: int, rank: Rank, action: Action) -> None:
        """Call `action(instant)` at the instant."""
        event = simpy.Event(self.env)
        event._ok, event._value = True, None
        event.callbacks.append(lambda _: action(instant))
        self.env.schedule(event, priority=EventPriority(rank), delay=instant - self.env.now)

    def process(self, generator: Any) -> None:
        """Start a SimPy process."""
        self.env.process(generator)

    def run(self, end: int) -> None:
        """Run all events before `end`."""
        self.env.run(until=end)


class Alarm:
    """An action with one due time; if an earlier time is set, the later one is ignored."""

    def __init__(self, timeline: Timeline, rank: Rank, action: Action) -> None:
        self._timeline, self._rank, self._action = timeline, rank, action
        self._armed: int | None = None

    def set(self, instant: int) -> None:
        """Act at the instant, unless it is already set to an earlier one."""
        if self._armed is None or instant < self._armed:
            self._armed = instant
            self._timeline.at(instant, self._rank, self._ring)

    def _ring(self, instant: int) -> None:
        if instant == self._armed:
            self._armed = None
            self._action(instant)
