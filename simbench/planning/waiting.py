"""Waits of messages behind a sliding window of a second: exactly by message, or by minute in the worst case."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MINUTE_S = 60.0
NEVER_S = 1e18


class ByInstant:
    """Messages by their instants (s, ascending); up: (2, n) intervals in which they may leave (s)."""

    at_most = False  # whether the results are upper bounds

    def __init__(self, at: Floats, up: Floats) -> None:
        self._at, self._up = at, up
        self.messages = len(at)

    def drained(self, rate: int, late_s: float, valid_s: float) -> tuple[int, int, int]:
        """Messages late, messages lost, and the longest wait (s) of what was not lost."""
        waited = self._left(rate) - self._at
        lost = waited > valid_s
        some = waited[~lost]
        return int((some > late_s).sum()), int(lost.sum()), int(some.max(initial=0))

    def _left(self, rate: int) -> Floats:
        """Return when each message leaves: at most `rate` in any second, in order, while the platform is up."""
        left = np.empty(len(self._at))
        starts, ends = np.append(self._up[0], NEVER_S), self._up[1]
        before = np.full(rate, -1.0)
        for first in range(0, len(left), rate):
            part = self._at[first : first + rate]
            free = np.maximum.accumulate(np.maximum(part, before[: len(part)] + 1))
            free = np.maximum(free, starts[np.searchsorted(ends, free, "right")])
            left[first : first + rate] = before[: len(part)] = free
        return left


class ByMinute:
    """Messages by the minute of their request; up: (2, n) intervals in which they may leave (s).

    For each minute the worst case is taken: its own messages are requested when the wait is longest, and all earlier
    ones as late as their minutes allow. No order of instants within the minutes makes more messages late.
    """

    at_most = True

    def __init__(self, requested: Floats, up: Floats) -> None:
        self._requested, self._up = requested, up
        self.messages = round(float(requested.sum()))
        self._edges: Floats = (np.arange(len(requested) + 1) * MINUTE_S).astype(np.float64)
        self._passed = np.concatenate([[0.0], np.cumsum(up[1] - up[0])])

    def drained(self, rate: int, late_s: float, valid_s: float) -> tuple[int, int, int]:
        """Return upper bounds of late messages, lost messages, and the longest wait (s) of messages not lost."""
        ahead = self._ahead(rate)
        in_time, valid = (self._gone(ahead, rate, wait_s) for wait_s in (min(late_s, valid_s), valid_s))
        some = self._requested > 0
        kept = np.minimum(ahead + self._requested, ahead + valid)[some] - 1
        leaves = self._instant(self._uptime(self._edges[:-1][some]) + np.floor(np.maximum(kept, 0) / rate))
        waits = np.where(valid[some] > 0, leaves - self._edges[:-1][some], 0.0)
        late = float((valid - in_time).sum())
        return round(late), round(float((self._requested - valid).sum())), int(min(waits.max(initial=0), valid_s))

    def _ahead(self, rate: int) -> Floats:
        """Return the maximum number of messages ahead of each minute's first."""
        room = np.diff(self._uptime(self._edges)) * rate
        found, waiting = np.zeros(len(self._requested)), 0.0
        for minute, came in enumerate(self._requested):
            found[minute] = waiting
            waiting = max(0.0, waiting - room[minute]) + came
        return found

    def _gone(self, ahead: Floats, rate: int, wait_s: float) -> Floats:
        """Return the minimum number of each minute's messages that leave within a wait after their request."""
        begins, ends = self._edges[:-1], self._edges[1:]
        found = np.minimum(self._left_by(begins, ahead, rate, wait_s), self._left_by(ends - 1e-6, ahead, rate, wait_s))
        # The number leaving within the wait is least at a minute's edge, or if the wait ends at the edge of an
        # interruption.
        edges = self._up.ravel()
        for at in (*edges, *(edges - wait_s), *(edges - 1e-6), *(edges - wait_s - 1e-6)):
            minute = int(at // MINUTE_S)
            if at >= 0 and minute < len(found):
                left = self._left_by(np.array([at]), ahead[[minute]], rate, wait_s)
                found[minute] = min(found[minute], float(left[0]))
        return np.clip(found, 0, self._requested)

    def _left_by(self, arose: Floats, ahead: Floats, rate: int, wait_s: float) -> Floats:
        """Return the number of messages, requested at instants behind so many others, that have left after a wait."""
        until = np.minimum(arose + wait_s, self._edges[-1])
        passed = self._uptime(until) - self._uptime(arose)
        turns = np.where(self._is_up(until) & (passed > 0), np.floor(passed + 1e-5) + 1, np.ceil(passed - 1e-5))
        turns -= (ahead > 0) & (turns > 0)  # messages that left just before still fill the window
        left: Floats = turns * rate - ahead
        return left

    def _uptime(self, at: Floats) -> Floats:
        """Return the seconds of up time before each instant."""
        place = np.searchsorted(self._up[1], at, "right")
        starts = np.append(self._up[0], np.inf)
        found: Floats = self._passed[place] + np.clip(at - starts[place], 0, None)
        return found

    def _instant(self, uptime: Floats) -> Floats:
        """Return the instant after so many seconds of up time: the beginning of the next second that is up."""
        place = np.minimum(np.searchsorted(self._passed, uptime + 1e-9, "right") - 1, self._up.shape[1] - 1)
        if not self._up.shape[1]:
            return np.full(len(uptime), self._edges[-1])
        found: Floats = self._up[0][place] + (uptime - self._passed[place])
        return found

    def _is_up(self, at: Floats) -> NDArray[np.bool_]:
        place = np.searchsorted(self._up[1], at, "right")
        starts = np.append(self._up[0], np.inf)
        found: NDArray[np.bool_] = starts[place] <= at
        return found


Waiting = ByInstant | ByMinute
"""The waiting traffic of a range."""
