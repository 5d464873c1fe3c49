"""The clients of a world in the event-driven engine: their queues, meters, and messages unanswered at a cut.

A "ring" client has its own meter and sends at most its rate; an "offering" client sends everything at once. After a
cut, both send the unanswered messages again first. Neither retries a refused message.
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
Request = tuple[int, int, int]
"""A message that a client is asked to send: the instant of the request, its number, its recipient."""


class Counts(Protocol):
    """A counter of the messages that a client was requested to send and sent."""

    def count(self, code: str, at: int, name: str) -> None:
        """Add one to a count of a code, at an instant."""


class CodeClient:
    """The client of one code."""

    def __init__(self, world: World, code: str, centre: Centre, counts: Counts | None) -> None:
        self.code, self.centre, self.counts = code, centre, counts
        self.link = world.link(code)
        self.kind = world.client(code).kind
        self.session = 0  # 0: not connected
        queues = world.queues(code)
        self._spools: list[deque[Request]] = [deque() for _ in queues]
        self._legal = [world.legal if hours == "legal" else None for _, hours in queues]
        self._opens = [opens for opens, _ in world.legal]
        self._demand: list[Iterator[Request]] = []
        self._next: list[Request | None] = []
        self._meter = Limiter(_own(world.tiers(code)[0][1]))
        self._streams: dict[int, Stream] = {stream.number: stream for stream in world.streams}
        self._held: dict[str, tuple[int, Request]] = {}  # by handle, in the order sent
        self._handles = 0

    def ask(self, demand: list[Iterator[Request]]) -> None:
        """Set the requests to the client, by queue, each in order of instants."""
        self._demand = demand
        self._next = [next(each, None) for each in demand]

    def retune(self, limit: Limit, now: int) -> None:
        """Change the rate of the code."""
        self._meter = self._meter.retuned(_own(limit), now)

    def connected(self, session: int) -> None:
        """Record a login."""
        self.session = session

    def lost(self) -> None:
        """Record a cut: held messages go back to the front of their queues."""
        self.session = 0
        for queue, request in reversed(self._held.values()):
            self._spools[queue].appendleft(request)
        self._held.clear()

    def answered(self, answer: Answer) -> None:
        """Record the late reply to a held message."""
        self._held.pop(answer.handle, None)

    def turn(self, now: int) -> int:
        """Send the messages that may be sent now; return the next instant at which there may be work."""
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
            request = self._next[queue]
            while request is not None and request[0] <= now:
                if self.counts is not None:
                    self.counts.count(self.code, request[0], "offered")
                spool.append(request)
                request = self._next[queue] = next(self._demand[queue], None)

    def _ready(self, now: int) -> int | None:
        """Return the first queue with a message that may be sent now."""
        return next(
            (queue for queue, spool in enumerate(self._spools) if spool and self._opening(queue, now) <= now), None
        )

    def _opening(self, queue: int, now: int) -> int:
        """Return the next instant, from now on, at which this queue may send."""
        legal = self._legal[queue]
        if legal is None:
            return now
        place = bisect_right(self._opens, now) - 1
        if place >= 0 and now < legal[place][1]:
            return now
        return legal[place + 1][0] if place + 1 < len(legal) else NEVER

    def _wakes(self, now: int) -> int:
        """Return the next request, or the next instant at which a waiting queue may send again."""
        arising = (request[0] for request in self._next if request is not None)
        opening = (self._opening(queue, now) for queue, spool in enumerate(self._spools) if spool and self.session)
        return min((at for at in (*arising, *opening) if at > now), default=NEVER)

    def _send(self, queue: int, now: int) -> None:
        request = self._spools[queue].popleft()
        _, entity, recipient = request
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
            self._held[handle] = queue, request
        assert isinstance(reply, Accepted | Refused) or reply in {Silence.HELD, Silence.DISCARDED}


def _own(limit: Limit) -> Limit:
    """Return the client's own limit, which is always a sliding second."""
    return replace(limit, meter="sliding")
