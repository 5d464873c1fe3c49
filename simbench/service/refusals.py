"""Names refused submissions in the log of a running server. Of the messages, only those without a result are kept."""

from __future__ import annotations

import threading
from typing import Final

import numpy as np

from simbench.ledger import AnyLedger
from simbench.service.log import EventLog, frame_id
from simbench.service.message_frames import Answers, Submits
from simbench.service.message_rows import Ints
from simbench.service.wire_follower import WireFollower
from simbench.ucp.fields import BEFORE_DATA, At

SPARE: Final = 1_000  # superfluous submissions are removed beyond twice those that may get a result, and these

Submission = tuple[int, int, bytes]  # instant (us), connection, octets from STX to ETX


class Refusals:
    """Logs the refusals of one run. Any thread may call it."""

    def __init__(self, ledger: AnyLedger, log: EventLog) -> None:
        self._ledger, self._log = ledger, log
        self._wire = WireFollower(ledger, self._take)
        self._kept: dict[int, Submission] = {}  # by number
        self._limit = SPARE
        self._lock = threading.Lock()

    @property
    def kept(self) -> int:
        """The number of submissions that are kept."""
        return len(self._kept)

    def follow(self) -> None:
        """Log the refusals that were written since the last call."""
        with self._lock:
            self._wire.catch_up(self._ledger.written["wire"])
            self._remove_superfluous()

    def _take(self, submits: Submits, answers: Answers, at: Ints, sessions: Ints) -> None:
        first, ends = self._wire.count, np.cumsum(submits.sizes)

        def submission(number: int) -> Submission:
            place = number - first
            row, end = submits.rows[place], int(ends[place])
            return int(at[row]), int(sessions[row]), bytes(submits.frames[end - int(submits.sizes[place]) : end])

        for number, ec in zip(answers.numbers.tolist(), answers.ecs.tolist(), strict=True):
            earlier = self._kept.pop(number, None)
            if ec >= 0:
                self._name(earlier or submission(number), ec)
        fresh = np.arange(first, first + len(submits.rows))
        for number in np.setdiff1d(fresh, answers.numbers, assume_unique=True).tolist():
            self._kept[number] = submission(number)
        if len(self._kept) > self._limit:
            self._remove_superfluous()

    def _name(self, submission: Submission, ec: int) -> None:
        at, session, frame = submission
        fields = [field.decode("latin-1") for field in frame[1:-1].split(b"/")]
        code, recipient = fields[BEFORE_DATA + At.OADC], fields[BEFORE_DATA + At.ADC]
        self._log.event(
            "refused", id=frame_id(session, at, fields[0]), at=at, code=code, recipient=recipient, ec=f"{ec:02}"
        )

    def _remove_superfluous(self) -> None:
        """Remove submissions that get no result: their connection ended, or another one has their TRN."""
        self._kept = {number: self._kept[number] for number in self._wire.unanswered().tolist() if number in self._kept}
        self._limit = 2 * len(self._kept) + SPARE
