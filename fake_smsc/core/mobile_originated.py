"""Mobile-originated messages: texts from subscribers to short codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fake_smsc.core.delivery import Delivery
from fake_smsc.core.message_id import mo_message_id
from fake_smsc.core.records import Account, Notification
from fake_smsc.core.scts import SctsAllocator
from simbench.base.units import SECOND_US
from simbench.ledger import AnyLedger


class MobileOriginated:
    """Posts each text to the account of its short code."""

    def __init__(
        self, accounts: Mapping[str, Account], delivery: Delivery, scts_allocator: SctsAllocator, sink: AnyLedger
    ) -> None:
        self._accounts, self._delivery, self._scts_allocator = accounts, delivery, scts_allocator
        self._write = sink.centre.append

    def send(self, sender: str, code: str, payload: Any, now: int) -> Notification | None:
        """Send one segment from a subscriber; None for a code without an open account."""
        accounts = self._accounts.values()
        owner = next((each.name for each in accounts if code in each.codes and each.state != "closed"), None)
        if owner is None:
            return None
        # Separate stamps: nothing is matched by them.
        scts = self._scts_allocator.take(f"{owner} mo", sender, now)
        scts = scts if scts >= 0 else now // SECOND_US
        notification = Notification(
            "mo", owner, code, sender, scts, now, payload=payload, message=mo_message_id(code, sender),
            reply=self._takes_reply_path(code, sender),
        )  # fmt: skip
        self._write((now, "mo", -1, code, sender, notification.message, 0, 0, scts, 1, 0, 0))
        self._delivery.notification_queue.post(notification, now)
        return notification

    def _takes_reply_path(self, code: str, sender: str) -> bool:
        paths = self._delivery.reply_paths
        path = (code, self._delivery.base.find(sender).msisdn) if paths else ("", "")
        open_ = path in paths
        paths.discard(path)
        return open_
