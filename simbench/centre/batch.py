"""Plain submits and plain deliveries, many at a time. Decides nothing that the centre does not decide in the same way.

It exists for speed alone: a read brings a hundred submits that differ in recipient and text only, and what they share
is looked at once. Whatever is not plain is left to `Centre.submit` and `Delivery`, one by one; a test holds both ways
against one another, row by row.
"""

from __future__ import annotations

from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from simbench.centre.agenda import Entry
from simbench.centre.delivery import KINDS, TELL
from simbench.centre.records import DELIVERED, MINUTE_US, Message, Notice
from simbench.kernels.draws import draws, law_of, quantiles
from simbench.ledger.buffer import Block

if TYPE_CHECKING:
    from simbench.centre.core import Centre

_TOLD: Final = attrgetter("session", "code", "recipient", "entity", "scts", "segments")


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Submits of one session with the same originator, notification and validity: one segment, nothing special.

    Recipients are digits, up to 16; `texts` are as `Submit.digest`; `expires_at` is 0 for the default validity.
    """

    session: int
    account: str
    oadc: str
    notify: int
    expires_at: int
    recipients: list[str]
    texts: list[str]


class Taken(msgspec.Struct, frozen=True, gc=False):
    """The stamps of the first submits of a batch, which were accepted, and what their validity was shortened to."""

    stamps: list[int]
    shortened_to: int = 0


NOTHING: Final = Taken([])


class Batches:
    """The many of one centre."""

    def __init__(self, centre: Centre) -> None:
        self.centre, self._delivery, self._base = centre, centre.delivery, centre.base
        settings = centre.delivery.settings
        self._law = law_of(settings.latency_us)
        # A delivery due at once would come between two submits of one batch.
        self._possible = min(settings.latency_us) > 0
        self._add = centre.sink.centre.add
        self._attempt = centre.delivery.attempt
        if centre.base.law is None and not settings.failures:  # else every attempt has its own chances
            centre.agenda.together(self._attempt, self.deliver)

    def submit(self, batch: Batch, now: int) -> Taken:
        """Accept the submits of a batch up to the first that is not simply accepted; that one is not looked at."""
        centre = self.centre
        if now < centre.now or not self._possible or self._delivery.announced:
            return NOTHING
        centre.advance(now)
        account, limiter = centre.accounts[batch.account], centre.limiters.get(batch.oadc)
        if limiter is None or batch.oadc not in account.codes or account.state != "active":
            return NOTHING
        settings, asked = centre.settings, batch.expires_at
        latest = now + settings.validity_max_us
        if 0 < asked <= now:
            return NOTHING
        expires_at = min(asked, latest) if asked else now + settings.validity_default_us
        count = limiter.passing(now, self._served(batch.recipients))
        stamps = centre.stamps.take_many(batch.account, batch.recipients[:count], now)
        if stamps:
            limiter.enter(now, len(stamps))
            self._accept(batch, stamps, expires_at, now)
        return Taken(stamps, expires_at if asked > latest else 0)

    def _served(self, recipients: list[str]) -> int:
        """How many recipients from the first on are subscribers of ours, whom every code may write to."""
        find = self._base.find
        for number, recipient in enumerate(recipients):
            if find(recipient).fate != "orange":
                return number
        return len(recipients)

    def _accept(self, batch: Batch, stamps: list[int], expires_at: int, now: int) -> None:
        centre, delivery, size = self.centre, self._delivery, len(stamps)
        recipients = batch.recipients[:size]
        words = centre.identities.take_many(batch.oadc, recipients, batch.texts[:size], now)
        entities: list[int] = words.tolist()
        terms = batch.notify | batch.expires_at // MINUTE_US << 3
        same = stamps[0] if stamps.count(stamps[0]) == size else stamps
        self._add(
            Block(size, (now, "accepted", batch.session, batch.oadc, recipients, entities, 0, terms, same, 1))
        )  # fmt: skip
        centre.decided += size
        delivery.on_the_way += size
        latencies = quantiles(self._law, draws(delivery.latency_key, words))
        messages = map(
            Message, entities, repeat(batch.account), repeat(batch.oadc), recipients, stamps, repeat(now),
            repeat(expires_at), repeat(batch.notify), repeat(1), repeat(batch.session),
        )  # fmt: skip
        centre.agenda.enter_many((latencies.astype("int64") + now).tolist(), self._attempt, list(messages))

    def deliver(self, entries: list[Entry], now: int) -> int:
        """First attempts on subscribers who can be reached: do those due up to the first that is none, say how many."""
        attempt, find = self._attempt, self._base.find
        dues: list[int] = []
        messages: list[Message] = []
        for due, _, action, message in entries:
            if due > now or action is not attempt or message.attempt or message.special is not None:
                break
            subscriber = find(message.recipient)
            if not subscriber.attached or subscriber.fate != "orange" or due >= message.expires_at:
                break
            message.attempt = -1
            dues.append(due)
            messages.append(message)
        if dues:
            self._delivered(dues, messages)
        return len(dues)

    def _delivered(self, dues: list[int], messages: list[Message]) -> None:
        size = len(dues)
        self._delivery.on_the_way -= size
        sessions, codes, recipients, entities, scts, segments = map(list, zip(*map(_TOLD, messages), strict=True))
        self._add(
            Block(size, (dues, KINDS[DELIVERED], sessions, codes, recipients, entities, 1, 0, scts, segments))
        )  # fmt: skip
        board, told = self.centre.board, TELL[DELIVERED]
        for due, m in zip(dues, messages, strict=True):
            if m.notify & told:
                board.post(
                    Notice("notification", m.account, m.code, m.recipient, m.scts, due, 0, 0, None, m.entity), due
                )
