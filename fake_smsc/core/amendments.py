"""54, 55 and 56: what becomes of messages that wait when the application asks. Sees no octet and opens no session.

Sources: EMI-UCP 4.0 sections 5.6 to 5.10; codes of its table of errors.
"""

from __future__ import annotations

from fake_smsc.core.delivery import REPLACE_TYPES, TELL, Delivery, is_forwarded, rpid_of
from fake_smsc.core.notices import NoticeBoard
from fake_smsc.core.records import (
    DELIVERED,
    INVALID_TIME,
    NOT_ALLOWED,
    UNDELIVERED,
    Accepted,
    Change,
    Key,
    Message,
    Notice,
    Refused,
    Special,
)
from simbench.base.units import SECOND_US

STAMPS_AT_ONCE = 10  # stamps that fit one 57 beside the address

FINAL_OUTCOME = TELL[DELIVERED] | TELL[UNDELIVERED]  # NRq without NT
NOT_FOUND = Refused("27", "message not found")
IN_PROGRESS = Refused("37", "delivery in progress")
FORWARDED = Refused("38", "message forwarded")
RPID_IN_USE = Refused("36", "RPID in use")
WRONG_CODE = Refused("07", "authentication code")
BAD_TIME = Refused(INVALID_TIME, "time period not valid")


class Amendments:
    """Operations on the messages that one store holds."""

    def __init__(self, delivery: Delivery, board: NoticeBoard, validity_max_us: int) -> None:
        self.delivery, self.board = delivery, board
        self.validity_max_us = validity_max_us
        self._write = delivery.write

    def modify(self, key: Key, change: Change, now: int) -> Accepted | Refused:
        """Change the one message the key names, or say why not: nothing is changed then."""
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

    def inquire(self, key: Key, now: int) -> None:
        """Post the 57s that list what waits: one without stamps when nothing does."""
        stamps = tuple(message.scts for message in self._named(key) if self.delivery.is_waiting(message))
        pages = [stamps[at : at + STAMPS_AT_ONCE] for at in range(0, len(stamps), STAMPS_AT_ONCE)] or [()]
        for page in pages:
            self._post("inquiry", key, page, page is not pages[-1], now)

    def delete(self, key: Key, now: int) -> Refused | None:
        """Delete what the key names as far as it waits, and post a 58 for each; refused when none of it does."""
        found = [message for message in self._named(key) if self.delivery.is_waiting(message)]
        if not found:
            refusal = self._why_not(key)
            return NOT_FOUND if refusal is FORWARDED else refusal  # 38 is named for 54 alone
        for message in found:
            self.delivery.withdraw(message, now)
            self._post("deletion", key, (message.scts,), message is not found[-1], now)
        return None

    # What a key names ------------------------------------------------------------------------------------------

    def _named(self, key: Key) -> list[Message]:
        """The messages that wait under this key, oldest first; one whose AC is not given is not named by it."""
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
        """Whether a new time is over or beyond, or the validity would end before the deferral."""
        new = [at for at in (change.begins_at, change.expires_at) if at is not None]
        begins_at = special.begins_at if change.begins_at is None else change.begins_at
        expires_at = message.expires_at if change.expires_at is None else change.expires_at
        latest = now + self.validity_max_us
        return bool(new) and (not all(now < at <= latest for at in new) or expires_at <= begins_at)

    # Rows and notices ------------------------------------------------------------------------------------------

    def _post(self, kind: str, key: Key, stamps: tuple[int, ...], more: bool, now: int) -> None:
        notice = Notice(
            "inquiry" if kind == "inquiry" else "deletion", key.account, key.originator, key.recipient,
            now // SECOND_US, now, stamps=stamps, more=more,
        )  # fmt: skip
        self.board.post(notice, now)

    def _row(self, kind: str, message: Message, now: int) -> None:
        m = message
        self._write((now, kind, m.session, m.code, m.recipient, m.entity, m.attempt, 0, m.scts, m.segments))


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
