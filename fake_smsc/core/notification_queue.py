"""52 and 53 that wait for their acknowledgement, per account. Sends nothing: sessions pull what they have room for.

A notice leaves the board only when the application acknowledged it; what a broken session left unanswered goes out
again after the next login, in order of SCTS (EMI-UCP 4.0 section 7).
"""

from __future__ import annotations

from collections import defaultdict, deque

from fake_smsc.core.records import Notification
from fake_smsc.core.timer_queue import TimerQueue


class NotificationQueue:
    """Per account, the notices nobody carries at the moment."""

    def __init__(self, timer_queue: TimerQueue, retry_us: tuple[int, ...]) -> None:
        self.timer_queue, self.retry_us = timer_queue, retry_us
        self.waiting: dict[str, deque[Notification]] = defaultdict(deque)
        self.fresh: set[str] = set()  # accounts with something to pull since somebody last looked

    def post(self, notification: Notification, now: int) -> None:
        """Make a notice available to its account's sessions."""
        notification.posted_at = now
        self.waiting[notification.account].append(notification)
        self.fresh.add(notification.account)

    def pull(self, account: str, room: int) -> list[Notification]:
        """Take up to `room` notices to carry; each comes back through `unanswered` or is acknowledged."""
        queue = self.waiting[account]
        return [queue.popleft() for _ in range(min(room, len(queue)))]

    def unanswered(self, notification: Notification, now: int) -> None:
        """The application refused it or let its timer run out: offer it again after a while."""
        pause = self.retry_us[min(notification.tries, len(self.retry_us) - 1)]
        notification.tries += 1
        self.timer_queue.enter(now + pause, self._repost, notification)

    def orphaned(self, notifications: list[Notification]) -> None:
        """The session that carried them is gone: they wait for the next one, ahead of newer ones."""
        for notification in notifications:
            self.waiting[notification.account].append(notification)

    def sort(self, account: str) -> None:
        """Order what waits by SCTS, as it goes out after a login."""
        queue = self.waiting[account]
        if queue:
            self.waiting[account] = deque(sorted(queue, key=lambda notification: (notification.scts, notification.at)))
            self.fresh.add(account)

    def _repost(self, notification: Notification, now: int) -> None:
        self.post(notification, now)
