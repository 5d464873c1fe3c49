"""Notifications (52, 53, 57, 58) to be sent or acknowledged, per account. Sessions pull as many as they have room for.

A notification leaves the queue only when the application acknowledges it; one left unanswered by a broken session is
sent again after the next login, in order of SCTS (EMI-UCP 4.0 section 7).
"""

from __future__ import annotations

from collections import defaultdict, deque

from fake_smsc.core.records import Notification
from fake_smsc.core.timer_queue import TimerQueue


class NotificationQueue:
    """Per account, the notifications that no session is sending at present."""

    def __init__(self, timer_queue: TimerQueue, retry_us: tuple[int, ...]) -> None:
        self.timer_queue, self.retry_us = timer_queue, retry_us
        self.waiting: dict[str, deque[Notification]] = defaultdict(deque)
        self.fresh: set[str] = set()  # accounts with new notifications since the set was last cleared

    def post(self, notification: Notification, now: int) -> None:
        """Queue a notification for its account's sessions."""
        notification.posted_at = now
        self.waiting[notification.account].append(notification)
        self.fresh.add(notification.account)

    def has(self, account: str) -> bool:
        """Tell whether notifications wait for an account's sessions."""
        return bool(self.waiting.get(account))

    def count(self, account: str) -> int:
        """Return the number of notifications that wait for an account's sessions."""
        return len(self.waiting[account])

    def pull(self, account: str, room: int) -> list[Notification]:
        """Take up to `room` notifications to send; each is acknowledged, or returned through `unanswered`."""
        queue = self.waiting[account]
        return [queue.popleft() for _ in range(min(room, len(queue)))]

    def unanswered(self, notification: Notification, now: int) -> None:
        """Queue a notification again, after a delay, when the application refused it or did not answer."""
        pause = self.retry_us[min(notification.tries, len(self.retry_us) - 1)]
        notification.tries += 1
        self.timer_queue.enter(now + pause, self._repost, notification)

    def orphaned(self, notifications: list[Notification]) -> None:
        """Queue the notifications of a closed session for the next one, before newer ones."""
        for notification in notifications:
            self.waiting[notification.account].append(notification)

    def sort(self, account: str) -> None:
        """Sort waiting notifications by SCTS, the order after a login."""
        queue = self.waiting[account]
        if queue:
            self.waiting[account] = deque(sorted(queue, key=lambda notification: (notification.scts, notification.at)))
            self.fresh.add(account)

    def _repost(self, notification: Notification, now: int) -> None:
        self.post(notification, now)
