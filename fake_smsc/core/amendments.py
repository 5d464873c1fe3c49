"""Operations 54, 55 and 56 on messages that wait for delivery: modify, inquire, delete.

Sources: EMI-UCP 4.0 sections 5.6 to 5.10; error codes of its table of errors.
"""

from __future__ import annotations

from fake_smsc.core.delivery import NT_BITS, REPLACE_TYPES, Delivery, rpid_of
from fake_smsc.core.message_index import is_forwarded
from fake_smsc.core.notification_queue import NotificationQueue
from fake_smsc.core.records import (
    DELIVERED,
    INVALID_TIME,
    NOT_ALLOWED,
    UNDELIVERED,
    Accepted,
    Change,
    Key,
    Message,
    Notification,
    Refused,
    Special,
)
from simbench.base.units import SECOND_US

STAMPS_AT_ONCE = 10  # SCTS values that fit into one 57 after the address
MOST_PAGES = 1_000  # 57s of an account that it has not acknowledged

FINAL_OUTCOME = NT_BITS[DELIVERED] | NT_BITS[UNDELIVERED]  # NRq without NT
NOT_FOUND = Refused("27", "message not found")
IN_PROGRESS = Refused("37", "delivery in progress")
FORWARDED = Refused("38", "message forwarded")
RPID_IN_USE = Refused("36", "RPID in use")
WRONG_CODE = Refused("07", "authentication code")
TOO_MANY_INQUIRIES = Refused(NOT_ALLOWED, "too many inquiries unacknowledged")
BAD_TIME = Refused(INVALID_TIME, "time period not valid")


class Amendments:
    """Operations on the waiting messages of one store."""

    def __init__(self, delivery: Delivery, notification_queue: NotificationQueue, validity_max_us: int) -> None:
        self.delivery, self.notification_queue = delivery, notification_queue
        self.validity_max_us = validity_max_us
        self._write = delivery.write
        self._pages: dict[str, list[Notification]] = {}  # by account: 57s, most of them unacknowledged

    def modify(self, key: Key, change: Change, now: int) -> Accepted | Refused:
        """Change the one message the key names. Returns the new acceptance, or a refusal that changed nothing."""
        found = self._named(key)
        message = next(iter(found), None)
        if message is None:
            return self._why_not(key)
        special = message.special or Special()
        refusal = self._objection(message, special, change, now)
        if refusal is not None:
            return refusal
        _apply(message, special, change)
        self.delivery.note(message, now)
        if change.begins_at is not None or change.expires_at is not None:
            self.delivery.rescheduled(message, now)
        self._row("modified", message, now)
        return Accepted(message.recipient, message.scts)

    def inquire(self, key: Key, now: int) -> Refused | None:
        """Post the 57s that list the waiting messages; a single 57 without SCTS if there are none.

        Refused if too many of the account would be unacknowledged: one operation causes many of them.
        """
        if not self._fits(key.account, 1):  # before the search, which costs more
            return TOO_MANY_INQUIRIES
        stamps = tuple(message.scts for message in self._named(key) if self.delivery.is_waiting(message))
        pages = [stamps[at : at + STAMPS_AT_ONCE] for at in range(0, len(stamps), STAMPS_AT_ONCE)] or [()]
        if not self._fits(key.account, len(pages)):
            return TOO_MANY_INQUIRIES
        for page in pages:
            self._pages[key.account].append(self._post("inquiry", key, page, page is not pages[-1], now))
        return None

    def _fits(self, account: str, pages: int) -> bool:
        """Tell whether the account may have so many more 57s unacknowledged."""
        before = self._pages.setdefault(account, [])
        if len(before) + pages > MOST_PAGES:
            before[:] = [page for page in before if not page.acknowledged]
        return len(before) + pages <= MOST_PAGES

    def delete(self, key: Key, now: int) -> Refused | None:
        """Delete the waiting messages the key names and post a 58 for each. Refused if none could be deleted."""
        found = [message for message in self._named(key) if self.delivery.is_waiting(message)]
        if not found:
            refusal = self._why_not(key)
            return NOT_FOUND if refusal is FORWARDED else refusal  # only 54 may answer 38
        for message in found:
            self.delivery.withdraw(message, now)
            self._post("deletion", key, (message.scts,), message is not found[-1], now)
        return None

    # Messages a key names --------------------------------------------------------------------------------------

    def _named(self, key: Key) -> list[Message]:
        """Return the waiting messages under this key, oldest first; a message with an AC requires that AC."""
        return [
            message for message in self._candidates(key)
            if self.delivery.is_waiting(message) and _auth_code(message) in {"", key.auth_code}
        ]  # fmt: skip

    def _candidates(self, key: Key) -> list[Message]:
        return [
            message for message in self.delivery.find(key.account, key.recipient)
            if key.originator in {message.code, _originator(message)}
            and (not key.stamps or message.scts in key.stamps)
        ]  # fmt: skip

    def _why_not(self, key: Key) -> Refused:
        found = self._candidates(key)
        if any(self.delivery.is_waiting(message) for message in found):
            return WRONG_CODE
        if any(is_forwarded(message) for message in found):
            return FORWARDED
        return IN_PROGRESS if found else NOT_FOUND

    # Changes ---------------------------------------------------------------------------------------------------

    def _objection(self, message: Message, special: Special, change: Change, now: int) -> Refused | None:
        if change.begins_at is not None and not special.begins_at:
            return Refused("18", "not deferred")
        if self._bad_times(message, special, change, now):
            return BAD_TIME
        if change.segments is not None and special.header:
            return Refused(NOT_ALLOWED, "text with a user data header")
        if change.rpid in REPLACE_TYPES:
            others = self.delivery.find(message.account, message.recipient)
            if any(rpid_of(other) == change.rpid for other in others if other is not message):
                return RPID_IN_USE
        return None

    def _bad_times(self, message: Message, special: Special, change: Change, now: int) -> bool:
        """Return whether a new time is past or too late, or the validity would end before the deferral."""
        new = [at for at in (change.begins_at, change.expires_at) if at is not None]
        begins_at = special.begins_at if change.begins_at is None else change.begins_at
        expires_at = message.expires_at if change.expires_at is None else change.expires_at
        latest = now + self.validity_max_us
        return bool(new) and (not all(now < at <= latest for at in new) or expires_at <= begins_at)

    # Rows and notifications ------------------------------------------------------------------------------------

    def _post(self, kind: str, key: Key, stamps: tuple[int, ...], more: bool, now: int) -> Notification:
        notification = Notification(
            "inquiry" if kind == "inquiry" else "deletion", key.account, key.originator, key.recipient,
            now // SECOND_US, now, stamps=stamps, more=more,
        )  # fmt: skip
        self.notification_queue.post(notification, now)
        return notification

    def _row(self, kind: str, message: Message, now: int) -> None:
        m = message
        self._write((now, kind, m.session, m.code, m.recipient, m.entity, m.attempt, 0, m.scts, m.segments, 0, 0))


def _auth_code(message: Message) -> str:
    return message.special.auth_code if message.special is not None else ""


def _originator(message: Message) -> str:
    return message.special.originator if message.special is not None else ""


def _apply(message: Message, special: Special, change: Change) -> None:
    message.special = special
    for name in ("notify_at", "last_resort", "begins_at", "rpid", "reply_path", "billing"):
        value = getattr(change, name)
        if value is not None:
            setattr(special, name, value)
    if change.expires_at is not None:
        message.expires_at = change.expires_at
    if change.segments is not None:
        message.segments = change.segments
    if change.notify is False:
        message.notify = 0
    elif change.notify or message.notify:
        message.notify = change.kinds or message.notify or FINAL_OUTCOME
