"""52 and 53 that wait for their acknowledgement, per account. Sends nothing: sessions pull what they have room for.

A notice leaves the board only when the application acknowledged it; what a broken session left unanswered goes out
again after the next login, in order of SCTS (EMI-UCP 4.0 section 7).
"""

from __future__ import annotations

from collections import defaultdict, deque

from fake_smsc.core.records import Notice
from fake_smsc.core.timer_queue import Agenda


class NoticeBoard:
    """Per account, the notices nobody carries at the moment."""

    def __init__(self, agenda: Agenda, retry_us: tuple[int, ...]) -> None:
        self.agenda, self.retry_us = agenda, retry_us
        self.waiting: dict[str, deque[Notice]] = defaultdict(deque)
        self.fresh: set[str] = set()  # accounts with something to pull since somebody last looked

    def post(self, notice: Notice, now: int) -> None:
        """Make a notice available to its account's sessions."""
        notice.posted_at = now
        self.waiting[notice.account].append(notice)
        self.fresh.add(notice.account)

    def pull(self, account: str, room: int) -> list[Notice]:
        """Take up to `room` notices to carry; each comes back through `unanswered` or is acknowledged."""
        queue = self.waiting[account]
        return [queue.popleft() for _ in range(min(room, len(queue)))]

    def unanswered(self, notice: Notice, now: int) -> None:
        """The application refused it or let its timer run out: offer it again after a while."""
        pause = self.retry_us[min(notice.tries, len(self.retry_us) - 1)]
        notice.tries += 1
        self.agenda.enter(now + pause, self._repost, notice)

    def orphaned(self, notices: list[Notice]) -> None:
        """The session that carried them is gone: they wait for the next one, ahead of newer ones."""
        for notice in notices:
            self.waiting[notice.account].append(notice)

    def sort(self, account: str) -> None:
        """Order what waits by SCTS, as it goes out after a login."""
        queue = self.waiting[account]
        if queue:
            self.waiting[account] = deque(sorted(queue, key=lambda notice: (notice.scts, notice.at)))
            self.fresh.add(account)

    def _repost(self, notice: Notice, now: int) -> None:
        self.post(notice, now)
