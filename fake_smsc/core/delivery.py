"""Store and forward: when an accepted message is attempted, and with which outcome.

Sources: OPS-ACH-07 and docs/reference (absent subscribers, retries); all figures come from `DeliverySettings`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import accumulate
from typing import Annotated, Literal

import msgspec

from fake_smsc.core.message_index import MessageIndex
from fake_smsc.core.notification_queue import NotificationQueue
from fake_smsc.core.records import BUFFERED, DELIVERED, UNDELIVERED, Message, Notification, Special
from fake_smsc.core.routing import final_reason
from fake_smsc.core.timer_queue import TimerQueue
from simbench.kernels.chance import draw_with, key_of, quantile
from simbench.kernels.delivery_outcome import (
    ABSENT,
    ABSENT_SUBSCRIBER,
    MEMORY_FULL,
    NETWORK,
    PERMANENT,
    UNKNOWN_SUBSCRIBER,
    failure,
    wait,
)
from simbench.ledger import AnyLedger
from simbench.ledger.events import TermsTaken, row_of
from simbench.ledger.rows import Row
from simbench.numbering.subscribers import Subscriber, SubscriberBase

LATENCY, LAST_RESORT, FAILURE = 1, 2, 3  # purposes of draws
DELIVERY_FAILED = 108  # Rsn of a message replaced by a newer one
REPLACE_TYPES = range(65, 72)  # TP-PID 41 to 47 hexadecimal (GSM 03.40 section 9.2.3.9)
LINKS_KEPT = 1_000

# NT bits: the outcomes of which the application requests notification (EMI-UCP 4.0, field 6 of the 5x series).
NT_BITS = {DELIVERED: 1, UNDELIVERED: 2, BUFFERED: 4}
KINDS = {DELIVERED: "delivered", UNDELIVERED: "undelivered", BUFFERED: "buffered"}


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A failure of a share of the delivery attempts on reachable subscribers.

    `reason` is the reason code of the notification (EMI-UCP 4.0, reason table). `kind` names the contract's retry
    schedule; "permanent" means no further attempt.

    `share` is the share of the attempts that fail in this way.
    """

    reason: int
    share: Annotated[float, msgspec.Meta(ge=0, le=1)]
    kind: Literal["permanent", "network", "memory-full"] = "permanent"


class DeliverySettings(msgspec.Struct, frozen=True):
    """Latency as a table of quantiles (us), retry schedules (us), and how attempts fail."""

    seed: int
    latency_us: tuple[int, ...]
    absent_retry_us: tuple[int, ...]
    network_retry_us: tuple[int, ...] = (1,)
    memory_full_retry_us: tuple[int, ...] = (1,)
    failures: tuple[Failure, ...] = ()

    def retry_schedules(self) -> tuple[tuple[int, ...], ...]:
        """The retry schedules by number (`kernels.delivery_outcome`), padded to one length with their last wait."""
        each = (self.absent_retry_us, self.network_retry_us, self.memory_full_retry_us)
        longest = max(map(len, each))
        return tuple((*schedule, *schedule[-1:] * (longest - len(schedule))) for schedule in each)

    def bounds(self) -> tuple[int, ...]:
        """The cumulated probabilities of the failures, in units of 2^-32."""
        shares = accumulate(failure.share for failure in self.failures)
        return tuple(min(round(share * (1 << 32)), 1 << 32) for share in shares)

    def kinds(self) -> tuple[int, ...]:
        """The kinds of the failures, numbered as in `kernels.delivery_outcome`."""
        numbers = {"permanent": PERMANENT, "network": NETWORK, "memory-full": MEMORY_FULL}
        return tuple(numbers[failure.kind] for failure in self.failures)


class Delivery:
    """Accepted messages on their way to subscribers, from acceptance to the final outcome."""

    def __init__(
        self,
        settings: DeliverySettings,
        timer_queue: TimerQueue,
        base: SubscriberBase,
        notification_queue: NotificationQueue,
        sink: AnyLedger,
        owner_of: Callable[[str], str],
    ) -> None:
        self.settings, self.timer_queue, self.base = settings, timer_queue, base
        self.notification_queue = notification_queue
        self.write = self._write = sink.centre.append
        self.events: Callable[[Row], object] | None = None  # gets the extra data a resumed run needs
        self.owner_of = owner_of  # account of a notification address; "": not on this platform
        self.unpack: Callable[[str], None] = lambda _recipient: (
            None
        )  # makes pending messages to a recipient visible to `find`
        self.reply_paths: set[tuple[str, str]] = set()  # (code, subscriber) with a message that had a reply path
        self._absent: dict[str, dict[int, Message]] = defaultdict(dict)  # by subscriber, then by the object's identity
        self._linked: dict[tuple[str, str], int] = {}  # when a message with more to follow is delivered
        self._latency_key = key_of(settings.seed, LATENCY)
        self._last_resort_key = key_of(settings.seed, LAST_RESORT)
        self._failure_key = key_of(settings.seed, FAILURE)
        self._retry_schedules, self._bounds = settings.retry_schedules(), settings.bounds()
        self._kinds = settings.kinds()
        self.index = MessageIndex(base)
        self._followers: dict[int, list[tuple[Message, int]]] = {}  # parts waiting for the previous part
        self._try = self._attempt  # bound once: it is called a hundred thousand times per second
        self.on_the_way = 0
        self.attempt, self.latency_key = self._try, self._latency_key  # for vectorised delivery

    def announced(self, now: int) -> bool:
        """Tell whether a message announced further messages on its radio link (MMS) that may still wait there."""
        if self._linked and max(self._linked.values()) <= now:
            self._linked.clear()
        return bool(self._linked)

    def take(self, message: Message, now: int) -> None:
        """Start the delivery of an accepted message."""
        self.on_the_way += 1
        self.index.add(message)
        due = now + quantile(self.settings.latency_us, draw_with(self._latency_key, message.entity))
        if message.special is not None or self._linked:
            self._take_special(message, now, due)
        else:
            self.timer_queue.enter(due, self._try, message)

    def _take_special(self, message: Message, now: int, due: int) -> None:
        special, link = message.special or Special(), (message.account, message.recipient)
        if message.special and not (
            special.follows or special.followed
        ):  # parts of generated traffic: such runs are not resumed
            self.note(message, now)
        if special.rpid in REPLACE_TYPES:
            for other in self.find(message.account, message.recipient):
                if rpid_of(other) == special.rpid and other.code == message.code and self.is_waiting(other):
                    self._report(other, UNDELIVERED, DELIVERY_FAILED, now, "replaced")
                    self._leave(other, now)
        if special.begins_at:
            self.timer_queue.enter(special.begins_at, self._begin, message)
            return
        if special.followed:
            self._followers[message.entity] = []
        before = self._linked.pop(link, 0)
        due = before if before > now else due  # on the radio link of the message that announced it
        if special.more:
            if len(self._linked) >= LINKS_KEPT:
                self._linked = {other: at for other, at in self._linked.items() if at > now}
            self._linked[link] = due
        queue = self._followers.get(special.follows) if special.follows else None
        if queue is not None:  # parts in order: this one waits for the previous part, or for its own expiry
            queue.append((message, due))
            due = message.next_at = max(due, message.expires_at)
        self.timer_queue.enter(due, self._try, message)

    def _begin(self, message: Message, now: int) -> None:
        """End a deferral, unless it was changed or the message is gone."""
        special = message.special
        if message.attempt < 0 or special is None or not 0 < special.begins_at <= now:
            return
        special.begins_at = 0
        latency = quantile(self.settings.latency_us, draw_with(self._latency_key, message.entity))
        self.timer_queue.enter(now + latency, self._try, message)

    def note(self, message: Message, now: int) -> None:
        """Write what a resumed run needs to know about a message beyond its row in the ledger."""
        if self.events is None:
            return
        special = msgspec.to_builtins(message.special)
        terms = TermsTaken(str(message.entity), message.scts, message.expires_at, message.notify, special)
        self.events(row_of(now, terms))

    def restore(self, message: Message, now: int) -> None:
        """Take over a message of an earlier run; if it had been attempted before, it is attempted at once."""
        self.on_the_way += 1
        self.index.add(message)
        special = message.special
        if special is not None and special.begins_at:
            self.timer_queue.enter(special.begins_at, self._begin, message)
        elif message.buffered:
            self.timer_queue.enter(now, self._try, message)
        else:
            latency = quantile(self.settings.latency_us, draw_with(self._latency_key, message.entity))
            self.timer_queue.enter(message.accepted_at + latency, self._try, message)

    # Waiting messages ------------------------------------------------------------------------------------------

    def find(self, account: str, recipient: str) -> list[Message]:
        """Return an account's messages to one recipient that have no final outcome yet, oldest first."""
        self.unpack(recipient)
        return self.index.find(account, recipient)

    def is_waiting(self, message: Message) -> bool:
        """Tell whether the message rests in the store: deferred or buffered, neither in the network nor forwarded."""
        deferred = message.special is not None and message.special.begins_at > 0
        return message.attempt >= 0 and (message.buffered or deferred)

    def withdraw(self, message: Message, now: int) -> None:
        """Remove a waiting message from the store without an outcome."""
        m = message
        self._write((now, "deleted", m.session, m.code, m.recipient, m.entity, m.attempt, 0, m.scts, m.segments, 0, 0))
        self._leave(message, now)

    def rescheduled(self, message: Message, now: int) -> None:
        """Apply changed times to a waiting message."""
        special = message.special
        if special is not None and special.begins_at:
            self.timer_queue.enter(special.begins_at, self._begin, message)
        else:
            self.timer_queue.enter(max(message.expires_at, now), self._end, message)

    def _end(self, message: Message, now: int) -> None:
        if message.attempt >= 0 and now >= message.expires_at:
            message.next_at = 0
            self._attempt(message, now)

    def returned(self, msisdn: str, now: int) -> None:
        """Attempt the messages waiting for a subscriber who is reachable again, priority first, then the oldest."""
        for message in sorted(self._absent.pop(msisdn, {}).values(), key=_turn):
            message.next_at = 0
            self._attempt(message, now)

    def _attempt(self, message: Message, now: int) -> None:
        if message.attempt < 0 or message.next_at > now:  # has its outcome, or is tried later
            return
        subscriber = self.base.find(message.recipient)
        reason = final_reason(subscriber)
        message.attempt += 1
        if self.base.law is not None and not reason and self.base.has_left(subscriber, now):
            reason = UNKNOWN_SUBSCRIBER
        if reason:
            self._finish(message, UNDELIVERED, reason, now)
        elif now >= message.expires_at:
            self._expire(message, now)
        elif not subscriber.attached or self.base.law is not None:
            self._reach(message, subscriber, now)
        elif self._bounds:
            self._hand_over(message, now)
        else:
            self._finish(message, DELIVERED, 0, now)

    def _reach(self, message: Message, subscriber: Subscriber, now: int) -> None:
        """Hand the message over if the subscriber is reachable, else wait for their return or the next retry."""
        latest = min(now + wait(self._retry_schedules[ABSENT], message.attempt), message.expires_at)
        back = self.base.back_at(subscriber, now, latest)
        if back <= now:
            self._hand_over(message, now)
            return
        if message.special is None or not message.special.single_shot:
            self._absent[subscriber.msisdn].setdefault(id(message), message)
        self._wait(message, ABSENT_SUBSCRIBER, min(latest, back), now)

    def _hand_over(self, message: Message, now: int) -> None:
        """Deliver to a reachable subscriber, unless a failure is drawn for this attempt."""
        place = failure(self._failure_key, message.entity, message.attempt, self._bounds) if self._bounds else -1
        if place < 0:
            self._finish(message, DELIVERED, 0, now)
            return
        reason, kind = self.settings.failures[place].reason, self._kinds[place]
        if kind == PERMANENT:
            self._finish(message, UNDELIVERED, reason, now)
        else:
            pause = wait(self._retry_schedules[kind], message.attempt)
            self._wait(message, reason, min(now + pause, message.expires_at), now)

    def _wait(self, message: Message, reason: int, until: int, now: int) -> None:
        if message.special is not None and message.special.single_shot:
            self._finish(message, UNDELIVERED, reason, now)
            return
        if not message.buffered:
            message.buffered = True
            self._report(message, BUFFERED, reason, now)
        message.waits_for, message.next_at = reason, until
        self.timer_queue.enter(until, self._try, message)

    def _finish(self, message: Message, outcome: int, reason: int, now: int) -> None:
        self._report(message, outcome, reason, now)
        special = message.special
        if special is not None and special.reply_path and outcome == DELIVERED:
            self.reply_paths.add((message.code, self.base.find(message.recipient).msisdn))
        self._leave(message, now)

    def _leave(self, message: Message, now: int) -> None:
        self.on_the_way -= 1
        message.attempt = -1
        if message.buffered:
            msisdn = self.base.find(message.recipient).msisdn
            waiting = self._absent.get(msisdn)
            if waiting and waiting.pop(id(message), None) is not None and not waiting:
                del self._absent[msisdn]
        if message.special is not None and message.special.followed:
            self._next_part(message, now)

    def _next_part(self, message: Message, now: int) -> None:
        for part, due in self._followers.pop(message.entity, ()):
            if part.attempt == 0:
                part.next_at = max(due, now)
                self.timer_queue.enter(part.next_at, self._try, part)

    def _expire(self, message: Message, now: int) -> None:
        """Expire a message; with a last-resort address it is sent there after its sender was notified."""
        m, special = message, message.special
        self._finish(message, UNDELIVERED, message.waits_for, now)
        if special is not None and special.last_resort:
            special.forwarded = True
            self.on_the_way += 1
            self._write(
                (now, "forwarded", m.session, m.code, special.last_resort, m.entity, 0, 0, m.scts, m.segments, 0, 0)
            )
            drawn = draw_with(self._last_resort_key, message.entity)
            self.timer_queue.enter(now + quantile(self.settings.latency_us, drawn), self._at_last_resort, message)

    def _at_last_resort(self, message: Message, now: int) -> None:
        m, special = message, message.special
        if special is None or not special.forwarded:
            return
        special.forwarded = False
        self.on_the_way -= 1
        address = self.base.find(special.last_resort)
        reason = final_reason(address) or (
            0 if address.attached or self._is_application(special) else ABSENT_SUBSCRIBER
        )
        kind = "last-resort-failed" if reason else "last-resort"
        self._write((now, kind, m.session, m.code, special.last_resort, m.entity, 1, reason, m.scts, m.segments, 0, 0))

    def _is_application(self, special: Special) -> bool:
        return bool(self.owner_of(special.last_resort))

    def _report(self, message: Message, outcome: int, reason: int, now: int, kind: str = "") -> None:
        m = message
        self._write(
            (now, kind or KINDS[outcome], m.session, m.code, m.recipient, m.entity, m.attempt, reason, m.scts,
             m.segments, 0, 0)
        )  # fmt: skip
        if m.notify & NT_BITS[outcome]:
            account = m.account
            if m.special is not None and m.special.notify_at:
                account = self.owner_of(m.special.notify_at)
                if not account:  # a phone, or an application of another platform: no 53 is sent from here
                    self._write(
                        (now, "notification-elsewhere", m.session, m.code, m.special.notify_at, m.entity, m.attempt,
                         reason, m.scts, 0, 0, 0)
                    )  # fmt: skip
                    return
            self.notification_queue.post(
                Notification(
                    "notification", account, m.code, m.recipient, m.scts, now, outcome, reason, None, m.entity
                ),
                now,
            )


def rpid_of(message: Message) -> int:
    """Return the TP-PID a message requested, 0 if none."""
    return message.special.rpid if message.special is not None else 0


def _turn(message: Message) -> tuple[bool, int]:
    """Sort key of messages waiting for one subscriber: priority first, then the SCTS."""
    return message.special is None or not message.special.priority, message.scts
