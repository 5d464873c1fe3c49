"""The messages of one link: the queue, held-back segments, and the outcome of each message.

Segments in doubt or to be retried come before new ones; otherwise the order is that of the requests. Events are
appended to `events`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from simbench.base.units import NEVER, SECOND_US
from simbench.client import messages as m
from simbench.client.compliance import Compliance
from simbench.client.receipts import BUFFERED, DELIVERED, Awaited, Notification, Receipts
from simbench.ucp.content import Part, compose

# Temporary refusals: a corrupted checksum, and "not allowed at this point in time" (EMI-UCP 4.0 section 9).
RETRIED = frozenset({"01", "04"})
BACK_OFF_S = (1, 2, 5, 10, 30)  # between retries; the last one repeats while the message is valid


class Segment:
    """One segment of a message: `part` counts from 1, `tries` counts its temporary refusals."""

    __slots__ = ("content", "message", "part", "tries")

    def __init__(self, message: m.Outgoing, part: int, content: Part) -> None:
        self.message, self.part, self.content = message, part, content
        self.tries = 0


class Progress:
    """How many segments of an unfinished message were accepted and delivered, and when it was requested."""

    __slots__ = ("accepted", "asked_at", "delivered", "parts")

    def __init__(self, parts: int, asked_at: int) -> None:
        self.parts, self.asked_at = parts, asked_at
        self.accepted = self.delivered = 0


class Outbox:
    """Segments ready to be sent and segments held back; `unfinished` holds messages without an outcome, by token."""

    def __init__(self, compliance: Compliance, validity_s: int) -> None:
        self.compliance, self.validity_s = compliance, validity_s
        self.receipts = Receipts(compliance.config.knows.plan)
        self.retried = RETRIED
        self.compose: Callable[[str, int], list[Part]] = compose  # from text and reference
        self.events: list[m.Event] = []
        self.ready: deque[Segment] = deque()
        self.unfinished: dict[str, Progress] = {}
        self._kept_back: list[tuple[int, int, Segment]] = []
        self._order = 0
        self._reference = 0

    @property
    def next_due(self) -> int:
        """The instant at which the first held-back segment becomes ready."""
        return self._kept_back[0][0] if self._kept_back else NEVER

    def take_in(self, message: m.Outgoing, now: int) -> None:
        """Queue a message, or withhold it at once if it may never be sent."""
        reason = self.compliance.forbids(message, now)
        parts: list[Part] = []
        if not reason:
            message = self.compliance.dressed(message)
            try:
                parts = self.compose(message.text, self._reference + 1)
            except ValueError:
                reason = "text cannot be sent"
        self._reference = (self._reference + (len(parts) > 1)) % 256
        self.events.append(m.Queued(message, len(parts), self._reference))
        if reason:
            self.events.append(m.Withheld(message.token, reason))
            return
        if message.traffic_class == m.MARKETING:
            self.compliance.serve(message.brand)
        self.unfinished[message.token] = Progress(len(parts), now)
        self.ready.extend(Segment(message, number, part) for number, part in enumerate(parts, 1))

    def restore(self, memory: m.Memory, now: int) -> None:
        """Restore after a restart: segments sent without a result are in doubt and go first."""
        self._reference = memory.reference
        for brand in memory.brands:
            self.compliance.serve(brand)
        doubtful: list[tuple[int, Segment]] = []
        for kept in memory.kept:
            progress = self.unfinished[kept.message.token] = Progress(len(kept.parts), now)
            contents = self.compose(kept.message.text, kept.reference)
            for part, content in zip(kept.parts, contents, strict=True):
                segment = Segment(kept.message, part.part, content)
                if part.state == "queued":
                    self.ready.append(segment)
                elif part.state == "sent":
                    doubtful.append((part.at, segment))
                else:
                    self._count_in(segment, progress, part)
        doubtful.sort(key=lambda pair: pair[0])
        self.doubtful([segment for _, segment in doubtful])

    def _count_in(self, segment: Segment, progress: Progress, part: m.KeptPart) -> None:
        progress.accepted += 1
        if part.state == "delivered":
            progress.delivered += 1
        else:
            self.receipts.expect(
                segment.message.recipient, part.scts, Awaited(segment.message.token, part.part, part.at)
            )

    def next(self, now: int) -> Segment | None:
        """Return the first segment of the queue that may be sent now, after removing those before it from the queue."""
        while self.ready:
            segment = self.ready[0]
            message = segment.message
            if not self.alive(segment):
                pass  # the message already has its outcome
            elif self.ends_at(message) <= now:
                self._end(message.token, m.Withheld(message.token, "its validity is over"))
            elif self.compliance.stopped(message):
                self._end(message.token, m.Withheld(message.token, "recipient opted out"))
            elif (opening := self.compliance.opens_at(message, now)) > now:
                self.keep_back(segment, opening)
            else:
                return segment
            self.ready.popleft()
        return None

    def ends_at(self, message: m.Outgoing) -> int:
        """Return the end of the requested validity."""
        asked_at = self.unfinished[message.token].asked_at
        return asked_at + (message.validity_s or self.validity_s) * SECOND_US

    def alive(self, segment: Segment) -> bool:
        """Return whether the segment's message is still to be sent."""
        return segment.message.token in self.unfinished

    def keep_back(self, segment: Segment, until: int) -> None:
        """Hold the segment back until that instant."""
        self._order += 1
        heappush(self._kept_back, (until, self._order, segment))

    def wake(self, now: int) -> None:
        """Release due segments to the head of the queue; recipients may have been ported meanwhile."""
        due = []
        while self._kept_back and self._kept_back[0][0] <= now:
            segment = heappop(self._kept_back)[2]
            reason = self.compliance.forbids(segment.message, now)
            if not reason:
                due.append(segment)
            elif self.alive(segment):
                self._end(segment.message.token, m.Withheld(segment.message.token, reason))
        self.put_first(due)

    def put_first(self, segments: Iterable[Segment]) -> None:
        """Put these segments at the head of the queue, in their order."""
        self.ready.extendleft(reversed([*segments]))

    def doubtful(self, segments: Iterable[Segment]) -> None:
        """Report these segments as in doubt, and send them first."""
        again = [segment for segment in segments if self.alive(segment)]
        self.events.extend(m.Doubtful(segment.message.token, segment.part) for segment in again)
        self.put_first(again)

    def accepted(self, segment: Segment, scts: str, now: int) -> None:
        """The SMSC accepted the segment."""
        token, progress = segment.message.token, self.unfinished.get(segment.message.token)
        complete = False
        if progress is not None:
            progress.accepted += 1
            complete = progress.accepted == progress.parts
        self.events.append(m.Accepted(token, segment.part, scts, now, complete))
        awaited = Awaited(token, segment.part, now)
        early = self.receipts.expect(segment.message.recipient, scts, awaited)
        if early is not None:
            self._settle(awaited, early)

    def refused(self, segment: Segment, ec: str, now: int) -> None:
        """The SMSC refused the segment, permanently or temporarily."""
        token = segment.message.token
        if token not in self.unfinished:
            return
        wait_s = BACK_OFF_S[min(segment.tries, len(BACK_OFF_S) - 1)]
        final = ec not in self.retried or now + wait_s * SECOND_US >= self.ends_at(segment.message)
        event = m.Refused(token, segment.part, ec, final)
        if final:
            self._end(token, event)
            return
        self.events.append(event)
        segment.tries += 1
        self.keep_back(segment, now + wait_s * SECOND_US)

    def notified(self, recipient: str, scts: str, notification: Notification) -> None:
        """Process a notification; the receipts count those that match nothing."""
        _, awaited = self.receipts.match(recipient, scts, notification)
        if awaited is not None:
            self._settle(awaited, notification)

    def _settle(self, awaited: Awaited, notification: Notification) -> None:
        token, progress = awaited.token, self.unfinished.get(awaited.token)
        if notification.status == BUFFERED:
            self.events.append(m.Buffered(token, notification.reason))
            return
        delivered = notification.status == DELIVERED
        self.events.append(m.Notified(token, awaited.part, delivered))
        if progress is None:
            return
        if not delivered:
            self._end(token, m.Undelivered(token, notification.reason))
            return
        progress.delivered += 1
        if progress.delivered == progress.parts:
            self._end(token, m.Delivered(token, notification.reason))

    def _end(self, token: str, event: m.Event) -> None:
        """End the message with this event."""
        self.unfinished.pop(token, None)
        self.events.append(event)
