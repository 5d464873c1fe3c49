"""Messages without a final outcome, found by account and recipient."""

from __future__ import annotations

from collections import defaultdict

from fake_smsc.core.records import Message
from simbench.numbering.subscribers import SubscriberBase

MESSAGES_KEPT = 10_000  # messages added since the last removal of finished ones


class MessageIndex:
    """Messages are indexed at the next look-up, each once, so that adding one costs no more than an append."""

    def __init__(self, base: SubscriberBase) -> None:
        self._base = base
        self._new: list[Message] = []
        self._sorted: dict[tuple[str, str], list[Message]] = defaultdict(list)  # by account and msisdn
        self._held, self._tidy_at = 0, MESSAGES_KEPT

    def __len__(self) -> int:
        return self._held

    def add(self, message: Message) -> None:
        """Let `find` find a message from now on."""
        self._new.append(message)
        self._held += 1
        if self._held > self._tidy_at:
            self._tidy()

    def find(self, account: str, recipient: str) -> list[Message]:
        """Return an account's messages to one recipient that have no final outcome yet, oldest first."""
        seek = self._base.find
        for message in self._new:
            self._sorted[message.account, seek(message.recipient).msisdn].append(message)
        self._new.clear()
        key = (account, seek(recipient).msisdn)
        found = [message for message in self._sorted.pop(key, ()) if is_open(message)]
        if found:
            self._sorted[key] = found
        return sorted(found, key=lambda message: (message.accepted_at, message.scts, message.entity))

    def _tidy(self) -> None:
        """Remove finished messages.

        The next removal is at twice the number, so that the cost per message is constant.
        """
        held = [*(message for found in self._sorted.values() for message in found), *self._new]
        self._sorted.clear()
        self._new = [message for message in held if is_open(message)]
        self._held = len(self._new)
        self._tidy_at = 2 * self._held + MESSAGES_KEPT


def is_open(message: Message) -> bool:
    """Tell whether a message has no final outcome yet, or is on its way to its last-resort address."""
    return message.attempt >= 0 or is_forwarded(message)


def is_forwarded(message: Message) -> bool:
    """Tell whether the message is on its way to its last-resort address."""
    return message.special is not None and message.special.forwarded
