"""Store and forward: when an accepted message is tried, and what becomes of it. Sees no session and no octet.

Sources: OPS-ACH-07 and docs/reference (absent subscribers, retries); every figure comes in through `DeliverySettings`.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec

from simbench.centre.agenda import Agenda
from simbench.centre.notices import NoticeBoard
from simbench.centre.records import BUFFERED, DELIVERED, UNDELIVERED, Message, Notice
from simbench.centre.routing import ABSENT_SUBSCRIBER, final_reason
from simbench.kernels.chance import draw_with, key_of, quantile
from simbench.ledger import AnyLedger
from simbench.numbering.subscribers import SubscriberBase

LATENCY = 1  # purpose of a draw

# NT bits: who wants to be told of which outcome (EMI-UCP 4.0, field 6 of the 5x series).
TELL = {DELIVERED: 1, UNDELIVERED: 2, BUFFERED: 4}
KINDS = {DELIVERED: "delivered", UNDELIVERED: "undelivered", BUFFERED: "buffered"}


class DeliverySettings(msgspec.Struct, frozen=True):
    """The laws of delivery: latency as a quantile table (us), waits between attempts on an absent subscriber (us)."""

    seed: int
    latency_us: tuple[int, ...]
    absent_retry_us: tuple[int, ...]


class Delivery:
    """Messages on their way to subscribers."""

    def __init__(
        self, settings: DeliverySettings, agenda: Agenda, base: SubscriberBase, board: NoticeBoard, sink: AnyLedger
    ) -> None:
        self.settings, self.agenda, self.base, self.board = settings, agenda, base, board
        self._write = sink.centre.append
        self._absent: dict[str, list[Message]] = defaultdict(list)
        self._latency_key = key_of(settings.seed, LATENCY)
        self._try = self._attempt  # bound once: this is entered a hundred thousand times a second
        self.on_the_way = 0

    def take(self, message: Message, now: int) -> None:
        """Start delivering an accepted message."""
        self.on_the_way += 1
        latency = quantile(self.settings.latency_us, draw_with(self._latency_key, message.entity))
        self.agenda.enter(now + latency, self._try, message)

    def returned(self, msisdn: str, now: int) -> None:
        """The network says that a subscriber is back: try everything that waits for it, oldest first."""
        for message in self._absent.pop(msisdn, ()):
            self._attempt(message, now)

    def _attempt(self, message: Message, now: int) -> None:
        if message.attempt < 0:  # its fate was told meanwhile: this deadline is superseded
            return
        subscriber = self.base.find(message.recipient)
        reason = final_reason(subscriber)
        message.attempt += 1
        if reason:
            self._finish(message, UNDELIVERED, reason, now)
        elif now >= message.expires_at:
            self._finish(message, UNDELIVERED, ABSENT_SUBSCRIBER, now)
        elif subscriber.attached:
            self._finish(message, DELIVERED, 0, now)
        else:
            self._wait(message, subscriber.msisdn, now)

    def _wait(self, message: Message, msisdn: str, now: int) -> None:
        waiting = self._absent[msisdn]
        if message not in waiting:
            waiting.append(message)
        if not message.told_buffered:
            message.told_buffered = True
            self._tell(message, BUFFERED, ABSENT_SUBSCRIBER, now)
        ladder = self.settings.absent_retry_us
        pause = ladder[min(message.attempt, len(ladder)) - 1]
        self.agenda.enter(min(now + pause, message.expires_at), self._try, message)

    def _finish(self, message: Message, outcome: int, reason: int, now: int) -> None:
        self._tell(message, outcome, reason, now)
        self.on_the_way -= 1
        message.attempt = -1
        if message.told_buffered:
            waiting = self._absent.get(self.base.find(message.recipient).msisdn)
            if waiting and message in waiting:
                waiting.remove(message)

    def _tell(self, message: Message, outcome: int, reason: int, now: int) -> None:
        m = message
        self._write(
            (now, KINDS[outcome], m.session, m.code, m.recipient, m.entity, m.attempt, reason, m.scts, m.segments)
        )
        if m.notify & TELL[outcome]:
            self.board.post(
                Notice("notification", m.account, m.code, m.recipient, m.scts, now, outcome, reason, None, m.entity),
                now,
            )
