"""Matches results to submissions and decisions to messages, many at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simbench.service.index.index_frames import Frames, Ints

_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 by the golden ratio: spreads recipients over all keys


class Unanswered:
    """Submissions without a result. A result answers the latest submission of its session and TRN."""

    def __init__(self) -> None:
        self._keys = self._numbers = np.zeros(0, np.int64)

    def match(self, sent_by: Ints, submits: Frames, numbers: Ints, sent_to: Ints, results: Frames) -> Ints:
        """Return the submission's number for each result, -1 for none; `sent_by` and `sent_to` are sessions."""
        keys = np.concatenate([self._keys, _key(sent_by, submits), _key(sent_to, results)])
        known = len(self._keys)
        of = np.concatenate([self._numbers, numbers, np.full(len(results.ends), -1)])
        # In order of arrival: by read, and by position within it. Known submissions came before.
        reads = np.concatenate([np.full(known, -1), submits.rows, results.rows])
        places = np.concatenate([np.zeros(known, np.int64), submits.ends, results.ends])
        order = np.lexsort((places, reads, keys))
        keys, of_sorted = keys[order], of[order]
        same = np.append(keys[:-1] == keys[1:], False)
        next_is_result = np.append(of_sorted[1:] < 0, False) & same
        answers = np.flatnonzero((of_sorted >= 0) & next_is_result)
        matched = np.full(len(order), -1)
        matched[order[answers + 1]] = of_sorted[answers]
        # If a TRN was reused before its answer, the latest submission is meant.
        open_ = (of_sorted >= 0) & ~same
        self._keys, self._numbers = keys[open_], of_sorted[open_]
        return matched[known + len(numbers) :]

    def forget(self, sessions: npt.NDArray[np.int32]) -> None:
        """Drop submissions of sessions that have ended."""
        if len(sessions):
            kept = ~np.isin(self._keys >> 16, sessions)
            self._keys, self._numbers = self._keys[kept], self._numbers[kept]


def _key(sessions: Ints, frames: Frames) -> Ints:
    return sessions.astype(np.int64) << 16 | frames.trns()


class OnTheWay:
    """Accepted messages without a final outcome: 16 octets each."""

    def __init__(self) -> None:
        self._keys, self._numbers = np.zeros(0, np.uint64), np.zeros(0, np.int64)
        self._news: list[tuple[npt.NDArray[np.uint64], Ints]] = []
        self._early = (np.zeros(0, np.uint64), np.zeros(0, np.int64))

    def add(self, recipients: Ints, seconds: Ints, numbers: Ints) -> None:
        """Add messages by recipient and SCTS (s)."""
        self._news.append((_mixed(recipients, seconds), numbers))

    def settle(self, recipients: Ints, seconds: Ints, statuses: Ints) -> tuple[Ints, Ints]:
        """Return the numbers of messages and the outcome of each; any outcome but 0 is final.

        Outcomes that match no message are tried once more, as its result may be written a moment later.
        """
        wanted = np.concatenate([self._early[0], _mixed(recipients, seconds)])
        statuses = np.concatenate([self._early[1], statuses])
        self._merge()
        places = np.searchsorted(self._keys, wanted)
        places[places == len(self._keys)] = 0
        known = self._keys[places] == wanted if len(self._keys) else np.zeros(len(wanted), np.bool_)
        fresh = ~known & (np.arange(len(wanted)) >= len(self._early[0]))
        self._early = (wanted[fresh], statuses[fresh])
        numbers = self._numbers[places[known]]
        kept = np.ones(len(self._keys), np.bool_)
        kept[places[known & (statuses > 0)]] = False
        self._keys, self._numbers = self._keys[kept], self._numbers[kept]
        return numbers, statuses[known]

    def _merge(self) -> None:
        keys = np.concatenate([self._keys, *(each for each, _ in self._news)])
        numbers = np.concatenate([self._numbers, *(each for _, each in self._news)])
        self._news.clear()
        order = np.argsort(keys, kind="stable")
        self._keys, self._numbers = keys[order], numbers[order]


def _mixed(recipients: Ints, seconds: Ints) -> npt.NDArray[np.uint64]:
    return recipients.astype(np.uint64) * _MIX + seconds.astype(np.uint64)
