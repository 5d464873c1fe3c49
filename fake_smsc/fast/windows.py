"""Notifications shared by compiled code and the core: those of a connection, and the waiting ones."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

import numpy as np

from fake_smsc.core.notification_queue import NotificationQueue
from fake_smsc.core.records import Notification
from fake_smsc.core.timer_queue import TimerQueue
from fake_smsc.fast.book import Book
from fake_smsc.fast.kernels import layout as lay
from fake_smsc.ucp_gateway.line import OwnWindow
from simbench.ucp.session import TRNS, Outstanding


def _cell(column: int, kind: type = int) -> Any:
    """A column of the window's row as an attribute."""

    def read(window: SharedWindow) -> int:
        return kind(window._book.line_cells[window.line, column])  # type: ignore[no-any-return]  # an int or a bool

    def write(window: SharedWindow, value: int) -> None:
        window._book.line_cells[window.line, column] = value

    return property(read, write)


class SharedWindow(OwnWindow):
    """A window in the arrays of a book: `outstanding` contains only the operations that are objects."""

    __slots__ = ("_book", "line")

    size = _cell(lay.SIZE)
    room_at = _cell(lay.ROOM_AT)
    checked = _cell(lay.CHECKED, bool)
    shut = _cell(lay.MUTED, bool)

    def __init__(self, book: Book, session: int, size: int, now: int) -> None:
        self._book, self.line = book, book.open_line(session, size, now)
        self.outstanding = {}

    def _get(self, column: int) -> int:
        value: int = self._book.line_cells[self.line, column]
        return value

    def _set(self, column: int, value: int) -> None:
        self._book.line_cells[self.line, column] = value

    @property
    def count(self) -> int:
        """The number of unanswered operations."""
        return self._get(lay.COUNT)

    @property
    def free(self) -> int:
        """The number of operations that may be sent now."""
        return self._get(lay.SIZE) - self._get(lay.COUNT)

    def take(self, ot: str, subject: object, now: int) -> str:
        """See Window.take."""
        if self.free <= 0:
            raise IndexError("window full")
        number = self._get(lay.NEXT)
        while self._get(lay.TRNS + number) != lay.FREE:
            number = (number + 1) % len(TRNS)
        order = self._get(lay.ORDER)
        for column, value in (
            (lay.TRNS + number, lay.HELD), (lay.SENT + number, now), (lay.ORDERS + number, order),
            (lay.NEXT, (number + 1) % len(TRNS)), (lay.ORDER, order + 1), (lay.COUNT, self.count + 1),
        ):  # fmt: skip
            self._set(column, value)
        self.outstanding[TRNS[number]] = Outstanding(ot, subject, now)
        return TRNS[number]

    def settle(self, trn: str, ot: str) -> Outstanding | None:
        """See Window.settle."""
        row = self._get(lay.TRNS + int(trn)) if trn.isdecimal() else lay.FREE
        if row == lay.FREE or ot != (self.outstanding[trn].ot if row == lay.HELD else "53"):
            return None
        return self.remove(trn)

    def remove(self, trn: str) -> Outstanding:
        """See OwnWindow.remove."""
        number = int(trn)
        row, sent_at = self._get(lay.TRNS + number), self._get(lay.SENT + number)
        self._set(lay.TRNS + number, lay.FREE)
        self._set(lay.COUNT, self.count - 1)
        if row == lay.HELD:
            return self.outstanding.pop(trn)
        notification = self._book.notification(row)
        self._book.free(row)
        return Outstanding("53", notification, sent_at)

    def overdue(self, sent_before: int) -> list[str]:
        """See Window.overdue."""
        late = [(self._get(lay.SENT + int(trn)), trn) for trn in self._taken()]
        return [trn for sent_at, trn in sorted(late) if sent_at < sent_before]

    def oldest(self) -> int:
        """See OwnWindow.oldest."""
        return min(self._get(lay.SENT + int(trn)) for trn in self._taken())

    def clear(self) -> list[Outstanding]:
        """See Window.clear."""
        lost = [self.remove(trn) for trn in self._taken()]
        return sorted(lost, key=lambda wait: wait.sent_at)

    def _taken(self) -> list[str]:
        """The TRNs in use, in the order in which they were taken."""
        taken = [number for number in range(len(TRNS)) if self._get(lay.TRNS + number) != lay.FREE]
        return [TRNS[number] for number in sorted(taken, key=lambda number: self._get(lay.ORDERS + number))]


class SharedQueue(NotificationQueue):
    """Waiting notifications as objects (`waiting`) and rows of a book in one order; see `layout.LEAD`."""

    def __init__(self, timer_queue: TimerQueue, retry_us: tuple[int, ...], book: Book) -> None:
        super().__init__(timer_queue, retry_us)
        self._book = book
        self._gaps: dict[str, deque[int]] = defaultdict(deque)  # rows between two objects

    def post(self, notification: Notification, now: int) -> None:
        """See NotificationQueue.post."""
        super().post(notification, now)
        self._added(notification.account)

    def has(self, account: str) -> bool:
        """See NotificationQueue.has."""
        return super().has(account) or self._rows(account) > 0

    def count(self, account: str) -> int:
        """See NotificationQueue.count."""
        return super().count(account) + self._rows(account)

    def pull(self, account: str, room: int) -> list[Notification]:
        """See NotificationQueue.pull."""
        pulled: list[Notification] = []
        number = self._book.numbers.get(account)
        while len(pulled) < room:
            if number is not None and self._book.accounts[number, lay.LEAD]:
                pulled.append(self._book.take_first(number))
            elif self.waiting[account]:
                pulled.append(self.waiting[account].popleft())
                self._removed(account)
            else:
                break
        return pulled

    def orphaned(self, notifications: list[Notification]) -> None:
        """See NotificationQueue.orphaned."""
        for notification in notifications:
            super().orphaned([notification])
            self._added(notification.account)

    def sort(self, account: str) -> None:
        """See NotificationQueue.sort. Rows remain rows: after a disconnection there may be tens of thousands."""
        number = self._book.numbers.get(account)
        if number is None or not self._rows(account):
            super().sort(account)
            return
        row, objects = self._book.accounts[number], [*self.waiting[account]]
        runs = [int(row[lay.LEAD]), *self._gaps[account], int(row[lay.AFTER])][: len(objects) + 1]
        found, rows = self._book.queued(number), self._book.rows
        scts = np.array([*(rows[found, lay.R_NAMES] >> 31), *(each.scts for each in objects)])
        at = np.array([*rows[found, lay.R_DUE], *(each.at for each in objects)])
        before = np.repeat(np.arange(len(runs)), runs)  # objects before each row
        places = np.array([*(np.arange(len(found)) + before), *(np.cumsum(runs)[:-1] + np.arange(len(objects)))])
        sorted_ = np.array([*found, *(-1 - np.arange(len(objects)))])[np.lexsort((places, at, scts))]
        self._book.queue_again(number, sorted_[sorted_ >= 0])
        self.waiting[account] = deque(objects[-1 - each] for each in sorted_[sorted_ < 0])
        runs = (np.diff([-1, *np.flatnonzero(sorted_ < 0), len(sorted_)]) - 1).tolist()
        row[lay.LEAD], row[lay.AFTER] = runs[0], runs[-1] if objects else 0
        self._gaps[account] = deque(runs[1:-1])
        self.fresh.add(account)

    def _rows(self, account: str) -> int:
        number = self._book.numbers.get(account)
        if number is None:
            return 0
        row = self._book.accounts[number]
        return int(row[lay.LEAD] + row[lay.AFTER]) + sum(self._gaps[account])

    def _added(self, account: str) -> None:
        """Update the order after an object was appended."""
        number = self._book.numbers.get(account)
        if number is None:
            return
        row = self._book.accounts[number]
        if row[lay.OBJECTS]:
            self._gaps[account].append(int(row[lay.AFTER]))
            row[lay.AFTER] = 0
        row[lay.OBJECTS] += 1

    def _removed(self, account: str) -> None:
        """Update the order after the first object was taken; no row was before it."""
        number = self._book.numbers.get(account)
        if number is None:
            return
        row = self._book.accounts[number]
        row[lay.OBJECTS] -= 1
        if row[lay.OBJECTS]:
            row[lay.LEAD] += self._gaps[account].popleft()
        else:
            row[lay.LEAD] += row[lay.AFTER]
            row[lay.AFTER] = 0
