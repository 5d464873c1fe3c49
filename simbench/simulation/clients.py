"""The clients of a world, driven by events: spools, meters, what is doubtful after a cut. Know the centre's calls only.

"ring" keeps its own meter and sends what conforms; "offering" sends whatever it has. Both lose what was not answered
when a connection is cut and send it first when they are back; neither tries again what was refused.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from msgspec.structs import replace

from fake_smsc.core.centre import Centre
from fake_smsc.core.limiter import Limiter
from fake_smsc.core.records import Accepted, Answer, Limit, Refused, Silence, Special, Submit
from simbench.base.units import MINUTE_US, NEVER
from simbench.simulation.plan import INDEX_SHIFT, STREAM_SHIFT, Stream, World

PART_MASK = (1 << INDEX_SHIFT) - 1
Asked = tuple[int, int, int]
"""A message in a client's hands: instant it was asked for, number, recipient."""


class Counts(Protocol):
    """Who wants to know what a client was asked and sent."""

    def count(self, code: str, at: int, name: str) -> None:
        """One thing of a code at an instant."""


class Application:
    """The client of one code."""

    def __init__(self, world: World, code: str, centre: Centre, counts: Counts | None) -> None:
        self.code, self.centre, self.counts = code, centre, counts
        self.link = world.link(code)
        self.kind = world.client(code).kind
        self.session = 0  # 0: not connected
        queues = world.queues(code)
        self._spools: list[deque[Asked]] = [deque() for _ in queues]
        self._legal = [world.legal if hours == "legal" else None for _, hours in queues]
        self._opens = [opens for opens, _ in world.legal]
        self._demand: list[Iterator[Asked]] = []
        self._next: list[Asked | None] = []
        self._meter = Limiter(_own(world.tiers(code)[0][1]))
        self._streams: dict[int, Stream] = {stream.number: stream for stream in world.streams}
        self._held: dict[str, tuple[int, Asked]] = {}  # by handle, in the order sent
        self._handles = 0

    def ask(self, demand: list[Iterator[Asked]]) -> None:
        """What the client will be asked to send, by queue and instant."""
        self._demand = demand
        self._next = [next(each, None) for each in demand]

    def retune(self, limit: Limit, now: int) -> None:
        """The code's rate has changed."""
        self._meter = self._meter.retuned(_own(limit), now)

    def connected(self, session: int) -> None:
        """Logged in."""
        self.session = session

    def lost(self) -> None:
        """Cut off: what was held is doubtful, and goes first next time."""
        self.session = 0
        for queue, asked in reversed(self._held.values()):
            self._spools[queue].appendleft(asked)
        self._held.clear()

    def answered(self, answer: Answer) -> None:
        """The late reply to something held."""
        self._held.pop(answer.handle, None)

    def turn(self, now: int) -> int:
        """Send what may leave now; the next instant at which there may be something to do."""
        self._take_in(now)
        due = NEVER
        while self.session and (queue := self._ready(now)) is not None:
            if self.kind == "ring":
                due = max(now, self._meter.due(now))
                if due > now:
                    break
                self._meter.offer(now, 1)
            self._send(queue, now)
        else:
            due = NEVER
        return min(due, self._wakes(now))

    def _take_in(self, now: int) -> None:
        for queue, spool in enumerate(self._spools):
            asked = self._next[queue]
            while asked is not None and asked[0] <= now:
                if self.counts is not None:
                    self.counts.count(self.code, asked[0], "offered")
                spool.append(asked)
                asked = self._next[queue] = next(self._demand[queue], None)

    def _ready(self, now: int) -> int | None:
        """The first queue that has something which may leave now."""
        return next(
            (queue for queue, spool in enumerate(self._spools) if spool and self._opening(queue, now) <= now), None
        )

    def _opening(self, queue: int, now: int) -> int:
        """When this queue may leave, from now on."""
        legal = self._legal[queue]
        if legal is None:
            return now
        place = bisect_right(self._opens, now) - 1
        if place >= 0 and now < legal[place][1]:
            return now
        return legal[place + 1][0] if place + 1 < len(legal) else NEVER

    def _wakes(self, now: int) -> int:
        """When something is asked, or a queue with something in it may leave again."""
        arising = (asked[0] for asked in self._next if asked is not None)
        opening = (self._opening(queue, now) for queue, spool in enumerate(self._spools) if spool and self.session)
        return min((at for at in (*arising, *opening) if at > now), default=NEVER)

    def _send(self, queue: int, now: int) -> None:
        asked = self._spools[queue].popleft()
        _, entity, recipient = asked
        stream = self._streams[entity >> STREAM_SHIFT]
        source, part = stream.source, entity & PART_MASK
        special = None
        if source.parts > 1:
            special = Special(follows=entity - 1 if part else 0, followed=part + 1 < source.parts)
        self._handles += 1
        handle = str(self._handles)
        reply = self.centre.submit(
            Submit(
                self.session, self.link.account, self.code, str(recipient), notify=source.notify,
                expires_at=now + round(source.validity_min * MINUTE_US) if source.validity_min else 0,
                handle=handle, special=special, entity=entity,
            ),
            now,
        )  # fmt: skip
        if self.counts is not None:
            self.counts.count(self.code, now, "submitted")
        if reply is Silence.HELD:
            self._held[handle] = queue, asked
        assert isinstance(reply, Accepted | Refused) or reply in {Silence.HELD, Silence.DISCARDED}


def _own(limit: Limit) -> Limit:
    """The client's own meter counts by the sliding second, however the platform counts."""
    return replace(limit, meter="sliding")
