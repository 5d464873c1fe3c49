"""Sends notifications to the applications and reads their results: 52, 53, 57, 58, or 01 for clients without 5x.

Sources: EMI-UCP 4.0 sections 5.4, 5.5, 5.9 and 5.10; 3.2 for the fallback to 01.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from zlib import adler32

from fake_smsc.core.centre import Centre
from fake_smsc.core.records import Notification
from fake_smsc.core.timer_queue import TimerQueue
from fake_smsc.ucp_gateway.line import GatewaySettings, Line
from fake_smsc.ucp_gateway.output import Output
from simbench.base.units import SECOND_US
from simbench.ucp.frame import ASCII_AT_ONCE, OVERHEAD, STX, Frame, checksum, encode
from simbench.ucp.notifications import (
    call_input_body,
    deletion_body,
    deliver_body,
    inquiry_body,
    notification_body,
    notification_text,
)

UNSUPPORTED = "03"
NOBODY = "~nobody~"  # placeholder of the subscriber in a template
ENDS = [b"%02X\x03" % total for total in range(256)]


class NotificationSender:
    """Assigns notifications to connections and handles their results."""

    def __init__(self, centre: Centre, settings: GatewaySettings, out: Output, timers: TimerQueue) -> None:
        self.centre, self.settings, self.out, self.timers = centre, settings, out, timers
        self._stamp = out.times.stamp
        self.of_account: dict[str, list[Line]] = defaultdict(list)
        self.version = 1  # changes with every change of the lines of an account
        switches = settings.strictness.settled()
        self._octets = switches.originator_length == "octets"
        # Decided once here, so that results need not check the switch each time.
        self.takes_bare = switches.notice_sm != "required"
        self._acknowledges = self._positive if self.takes_bare else self._with_sm

    def join(self, account: str, line: Line) -> None:
        """Send an account's notifications over this connection as well."""
        self.of_account[account].append(line)
        self.version += 1

    def leave(self, account: str, line: Line) -> None:
        """Stop sending an account's notifications over this connection."""
        if line in self.of_account[account]:
            self.of_account[account].remove(line)
            self.version += 1

    # To the application ----------------------------------------------------------------------------------------

    def carry(self, account: str) -> None:
        """Send waiting notifications over the account's sessions, the emptiest window first."""
        lines = [line for line in self.of_account[account] if not line.mute]
        while lines:
            line = max(lines, key=lambda line: line.own.free)
            notifications = self.centre.notification_queue.pull(account, line.own.free)
            if not notifications:
                return
            for notification in notifications:
                self.send(line, notification)

    def send(self, line: Line, notification: Notification) -> None:
        """Send one notification over a connection whose window has room."""
        own = line.own
        sent_at = max(notification.posted_at, own.room_at)
        if not own.count and not own.checked:
            self.expect(line, sent_at)
        if notification.kind != "notification" or notification.fallback:
            ot, body = self._seldom(notification)
            self.out.write(line, encode(own.take(ot, notification, sent_at), "O", ot, body))
            return
        stamp = self._stamp
        about, second = notification.subscriber, notification.at // SECOND_US
        head, middle, tail, size = template(
            notification.code, stamp(notification.scts), notification.outcome, notification.reason, stamp(second)
        )
        trn = own.take("53", notification, sent_at)
        text = f"{trn}/{size + 3 * len(about):05d}{head}{about}{middle}{about.encode().hex().upper()}{tail}".encode()
        total = adler32(text, 0) if len(text) <= ASCII_AT_ONCE else checksum(text)
        self.out.write(line, STX + text + ENDS[total & 0xFF])

    def expect(self, line: Line, sent_at: int) -> None:
        """Start the timer for unanswered operations of a connection; the first was sent at an instant."""
        line.own.checked = True
        self.timers.enter(sent_at + self.settings.notification_timer_us, self._check, line)

    def _seldom(self, notification: Notification) -> tuple[str, str]:
        """Return operation and body of a notification other than a 53."""
        to, about, stamp = notification.code, notification.subscriber, self._stamp
        if notification.fallback and notification.kind == "mo":
            return "01", call_input_body(to, about, notification.payload.mt, notification.payload.msg)
        if notification.fallback:
            text = notification_text(
                about, stamp(notification.scts), notification.outcome, stamp(notification.at // SECOND_US)
            )
            return "01", call_input_body(to, about, "3", text)
        stamps = [stamp(second) for second in notification.stamps]
        if notification.kind == "inquiry":
            return "57", inquiry_body(to, about, stamps, notification.more)
        if notification.kind == "deletion":
            return "58", deletion_body(to, about, stamps[0], notification.more)
        return "52", deliver_body(
            to, about, stamp(notification.scts), notification.payload, notification.reply, self._octets
        )

    # From the application --------------------------------------------------------------------------------------

    def result(self, line: Line, frame: Frame, now: int) -> None:
        """Handle a result: the notification is acknowledged, falls back to 01, or is sent again later."""
        own = line.own
        was_full = not own.free
        waiting = own.settle(frame.trn, frame.ot)
        if waiting is None:
            self.out.violation(line, "unexpected-result", now)
            return
        notification: Notification = waiting.subject
        if was_full:
            line.own.room_at = now
        notification_queue = self.centre.notification_queue
        if self._acknowledges(line, frame, now):
            self.centre.acknowledge(line.number, notification, True, now)
        elif frame.data[1:2] == [UNSUPPORTED] and _fits_call_input(notification):
            notification.fallback = True
            notification_queue.post(notification, now)
        else:
            self.centre.acknowledge(line.number, notification, False, now)
        if notification_queue.has(notification.account):
            notification_queue.fresh.add(notification.account)

    def _positive(self, line: Line, frame: Frame, now: int) -> bool:  # noqa: ARG002 - as `_with_sm`
        return frame.data[:1] == ["A"]

    def _with_sm(self, line: Line, frame: Frame, now: int) -> bool:
        if not self._positive(line, frame, now):
            return False
        if frame.ot not in {"52", "53"} or (len(frame.data) > 2 and frame.data[2]):
            return True
        self.out.violation(line, "result-without-sm", now)
        return False

    def _check(self, line: Line, now: int) -> None:
        """Release the TRN of notifications unanswered for too long and queue them again."""
        own, notification_queue = line.own, self.centre.notification_queue
        own.checked = False
        for trn in own.overdue(now - self.settings.notification_timer_us + 1):
            if not own.free:
                own.room_at = now
            waiting = own.remove(trn)
            self.out.violation(line, "unanswered-notice", now)
            self.centre.acknowledge(line.number, waiting.subject, False, now)
        if notification_queue.has(line.account):  # waiting notifications are sent now, not with the next one
            notification_queue.fresh.add(line.account)
        if own.count:
            self.expect(line, own.oldest())


@lru_cache(maxsize=4096)
def template(code: str, scts: str, outcome: int, reason: int, at: str) -> tuple[str, str, str, int]:
    """Return the text of a 53 before, between and after the subscriber and its hexadecimal form, and LEN without them.

    It is cut out of an ordinary body, so that the layout is defined once.
    """
    body = notification_body(code, NOBODY, scts, outcome, reason, at)
    head, rest = body.split(NOBODY)
    middle, tail = rest.split(NOBODY.encode().hex().upper())
    return f"/O/53/{head}", middle, tail, OVERHEAD + len(head) + len(middle) + len(tail)


def _fits_call_input(notification: Notification) -> bool:
    """Tell whether 01 can carry a notification: a 53, or a segment of plain text."""
    if notification.fallback or notification.kind not in {"notification", "mo"}:
        return False
    return notification.kind == "notification" or (
        notification.payload.mt in {"2", "3"} and not notification.payload.xser
    )
