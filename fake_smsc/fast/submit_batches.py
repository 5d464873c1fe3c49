"""Plain submits and plain deliveries in batches, with the same decisions as the centre makes one by one.

This path exists for speed: a read brings a hundred submits that differ only in recipient and text, and their common
fields are checked once. Anything else goes to `Centre.submit` and `Delivery`, one by one; a test compares both paths
row by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol, Self, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from fake_smsc.core.delivery import KINDS, NT_BITS, Delivery
from fake_smsc.core.limiter import Limiter
from fake_smsc.core.message_id import MessageIds
from fake_smsc.core.notification_queue import NotificationQueue
from fake_smsc.core.records import DELIVERED, Account, Message, Notification
from fake_smsc.core.scts import SctsAllocator
from fake_smsc.core.timer_queue import TimerQueue
from fake_smsc.fast.pending import Pending, Rows
from simbench.base.units import MINUTE_US
from simbench.kernels.draws import Words, draws, quantile_table, quantiles
from simbench.kernels.table import Values
from simbench.ledger import AnyLedger
from simbench.numbering.addresses import Texts, key_of, keys_of
from simbench.numbering.plan import classify, spellings
from simbench.numbering.subscribers import ELSEWHERE, REACHED, SubscriberBase

Kind = tuple[str, str, int]  # constant properties shared by messages: account, code, notify


class Validity(Protocol):
    """How long messages are kept (µs): by default, and at most."""

    @property
    def validity_default_us(self) -> int:
        """Validity of messages that set none."""

    @property
    def validity_max_us(self) -> int:
        """Longest validity."""


class CentreParts(Protocol):
    """The parts of a centre used by a batch."""

    decided: int

    @property
    def settings(self) -> Validity:
        """Default and longest validity."""

    @property
    def base(self) -> SubscriberBase:
        """The subscriber base."""

    @property
    def sink(self) -> AnyLedger:
        """The ledger."""

    @property
    def now(self) -> int:
        """The latest instant (us)."""

    def advance(self, now: int) -> None:
        """Run everything due up to `now`."""

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Accounts by name."""

    @property
    def limiters(self) -> Mapping[str, Limiter]:
        """The rate meter of each code."""

    @property
    def delivery(self) -> Delivery:
        """Delivery attempts and their outcomes."""

    @property
    def timer_queue(self) -> TimerQueue:
        """The timer queue."""

    @property
    def notification_queue(self) -> NotificationQueue:
        """The notification queue."""

    @property
    def scts_allocator(self) -> SctsAllocator:
        """The SCTS allocator."""

    @property
    def message_ids(self) -> MessageIds:
        """The message ids."""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Submits of one session with equal originator, notification and validity: one segment, nothing special.

    Recipients are digits, up to 16, all of one length; `texts` are as `Submit.digest`, one for all or one each;
    `expires_at` is 0 for the default validity.
    """

    session: int
    account: str
    oadc: str
    notify: int
    expires_at: int
    recipients: Texts
    texts: list[str]

    def first(self, size: int) -> Self:
        """Return a batch of the first `size` submits."""
        if size == len(self.recipients):
            return self
        return msgspec.structs.replace(self, recipients=self.recipients[:size], texts=self.texts[:size])


class Taken(msgspec.Struct, frozen=True, gc=False):
    """The SCTS of the accepted submits at the start of a batch, and their shortened validity end, or 0."""

    stamps: Values
    shortened_to: int = 0


class Found(msgspec.Struct, frozen=True, gc=False):
    """What was looked up for accepted submits: recipients, SCTS, and the end of their validity."""

    keys: Words
    numbers: Words
    standings: Values
    stamps: Values
    expires_at: int


NOTHING: Final = Taken(np.empty(0, np.int64))


class Batches:
    """The batches of one centre, entered as the crowd of its timer queue."""

    def __init__(self, centre: CentreParts) -> None:
        self.centre, self._delivery, self._base = centre, centre.delivery, centre.base
        settings = centre.delivery.settings
        self._law = quantile_table(settings.latency_us)
        # A delivery due at once would fall between two submits of one batch.
        self._possible = min(settings.latency_us) > 0
        # Where each attempt has its own probabilities, messages are delivered one by one.
        self._together = centre.base.law is None and not settings.failures
        self._append_columns = centre.sink.centre.append_columns
        self._pending = Pending()
        self._kinds: list[Kind] = []
        self._codes, self._notified = np.empty(0, "S1"), np.empty(0, bool)  # by kind
        self._kind_of: dict[Kind, int] = {}
        centre.timer_queue.crowd = self
        centre.delivery.unpack = self.unpack

    @property
    def head(self) -> int:
        """The earliest due instant of a batched message, or NEVER."""
        return self._pending.head

    # Admission -------------------------------------------------------------------------------------------------

    def submit(self, batch: Batch, now: int) -> Taken:
        """Accept the submits of a batch up to the first that is not simply accepted, which is left untouched."""
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
        keys, numbers = keys_of(batch.recipients)
        keys = keys[: _unrepeated(keys)]
        standings = self._base.standings(batch.recipients, keys)
        served = int((standings == ELSEWHERE).argmax()) if standings.min() == ELSEWHERE else len(keys)
        keys = keys[: limiter.passing(now, served)]
        if not len(keys):
            return NOTHING
        stamps = centre.scts_allocator.take_many(batch.account, keys, now)
        size = len(stamps)
        if size:
            limiter.enter(now, size)
            found = Found(keys[:size], numbers[:size], standings[:size], stamps, expires_at)
            self._accept(batch.first(size), found, now)
        return Taken(stamps, expires_at if asked > latest else 0)

    def _accept(self, batch: Batch, found: Found, now: int) -> None:
        stamps = found.stamps
        centre, delivery, size = self.centre, self._delivery, len(stamps)
        words = centre.message_ids.take_many(batch.oadc, found.numbers, batch.texts, now)
        entities = words.view(np.int64)
        terms = batch.notify | batch.expires_at // MINUTE_US << 3
        same = int(stamps[0]) if (stamps == stamps[0]).all() else stamps
        self._append_columns(
            size, (now, "accepted", batch.session, batch.oadc, batch.recipients, entities, 0, terms, same, 1)
        )  # fmt: skip
        centre.decided += size
        delivery.on_the_way += size
        latencies = quantiles(self._law, draws(delivery.latency_key, words))
        rows = self._pending.room(size)
        dues = latencies.view(np.int64) + now
        rows["due"] = dues
        rows["entity"], rows["recipient"], rows["key"] = entities, batch.recipients, found.keys
        rows["scts"], rows["accepted_at"], rows["expires_at"] = same, now, found.expires_at
        rows["session"], rows["kind"] = batch.session, self._kind(batch)
        rows["seen"] = self._base.version if found.standings.min() == REACHED else 0
        if self._together:
            first = centre.timer_queue.number_many(size)
            rows["number"] = np.arange(first, first + size)
            self._pending.enter(size, int(dues.min()))
        else:
            centre.timer_queue.enter_many(dues.tolist(), delivery.attempt, self._messages(rows))

    def _kind(self, batch: Batch) -> int:
        kind = (batch.account, batch.oadc, batch.notify)
        place = self._kind_of.get(kind)
        if place is None:
            place = self._kind_of[kind] = len(self._kinds)
            self._kinds.append(kind)
            self._codes = np.array([code for _, code, _ in self._kinds], np.bytes_)
            self._notified = np.array([bool(notify & NT_BITS[DELIVERED]) for _, _, notify in self._kinds])
        return place

    # Delivery --------------------------------------------------------------------------------------------------

    def run(self, due: int, number: int, not_before: int) -> bool:
        """Run first attempts before (due, number), up to the first subscriber who cannot be reached."""
        pending = self._pending
        rows = pending.upto(due, number)
        if not len(rows):
            return False
        at = np.maximum(rows["due"], not_before)
        reached = self._reached(rows) & (at < rows["expires_at"])
        many = len(rows) if reached.all() else int(reached.argmin())
        one = many < len(rows)
        pending.drop(many + one)
        if many:
            self._delivered(rows[:many], at[:many])
        if one:
            self._delivery.attempt(self._messages(rows[many : many + 1])[0], int(at[many]))
        return True

    def _reached(self, rows: Rows) -> NDArray[np.bool_]:
        seen = rows["seen"] == self._base.version
        if not seen.all():
            unsure = np.flatnonzero(~seen)
            recipients = rows["recipient"][unsure]
            seen[unsure] = self._base.standings(recipients, rows["key"][unsure]) == REACHED
        return cast(NDArray[np.bool_], seen)

    def _delivered(self, rows: Rows, at: Values) -> None:
        size, kinds = len(rows), rows["kind"]
        self._delivery.on_the_way -= size
        recipients, entities, scts = (rows[name].copy() for name in ("recipient", "entity", "scts"))
        sessions, codes = rows["session"].copy(), self._codes[kinds]
        self._append_columns(
            size, (at, KINDS[DELIVERED], sessions, codes, recipients, entities, 1, 0, scts, 1)
        )  # fmt: skip
        notified = self._notified[kinds].nonzero()[0]
        if not len(notified):
            return
        post = self.centre.notification_queue.post
        columns = (kinds, recipients, scts, at, entities)
        for kind, recipient, stamp, due, entity in zip(*(column[notified].tolist() for column in columns), strict=True):
            account, code, _ = self._kinds[kind]
            post(Notification("notification", account, code, recipient.decode(), stamp, due, 0, 0, None, entity), due)

    # One by one ------------------------------------------------------------------------------------------------

    def unpack(self, address: str) -> None:
        """Turn the batched messages to a subscriber into objects, keeping their due times."""
        keys = np.array([key_of(each) for each in spellings(classify(address))], np.uint64)
        rows = self._pending.take_out(lambda rows: np.isin(rows["key"], keys))
        timer_queue, attempt = self.centre.timer_queue, self._delivery.attempt
        for (due, number), message in zip(rows[["due", "number"]].tolist(), self._messages(rows), strict=True):
            timer_queue.enter_numbered(due, number, attempt, message)

    def _messages(self, rows: Rows) -> list[Message]:
        names = ("kind", "entity", "recipient", "scts", "accepted_at", "expires_at", "session")
        messages = []
        for kind, entity, recipient, scts, accepted_at, expires_at, session in zip(
            *(rows[name].tolist() for name in names), strict=True
        ):
            account, code, notify = self._kinds[kind]
            messages.append(
                Message(entity, account, code, recipient.decode(), scts, accepted_at, expires_at, notify, 1, session)
            )
        return messages


def _unrepeated(keys: Words) -> int:
    """Return how many keys precede the first repeat."""
    in_order = np.sort(keys)
    if (in_order[1:] != in_order[:-1]).all():
        return len(keys)
    places = np.argsort(keys, kind="stable")
    repeats = places[1:][keys[places[1:]] == keys[places[:-1]]]
    return int(repeats.min())
