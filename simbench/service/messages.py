"""Searches the messages of a running server in its ledger.

The first search reads the ledger from its beginning, each further search the new rows; without searches nothing is read
or kept. Searches run in the calling threads, not in the loop.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.contract import Contract
from simbench.ledger import AnyLedger, Ledger
from simbench.numbering.plan import plan_of
from simbench.service.message_frames import Answers, Submits
from simbench.service.message_outcomes import OnTheWay, numbers
from simbench.service.message_rows import MESSAGE, OUTCOMES, Ints, Messages, Query
from simbench.service.wire_follower import WireFollower

OUTCOMES_DECIDED: Final = ("buffered", "delivered", "undelivered", "deleted")
PIECE_DECISIONS: Final = 500_000


class MessageSearch:
    """Searches the messages (operations 51) of one run. Any thread may call it."""

    def __init__(self, ledger: AnyLedger, contract: Contract) -> None:
        self._ledger, self._contract = ledger, contract
        self._folder = ledger.folder if isinstance(ledger, Ledger) else None
        self._lock = threading.Lock()
        self._read: Following | None = None
        self._asked_s = 0.0

    def search(self, query: Query, *, flush: bool = True) -> tuple[list[dict[str, Any]], int]:
        """Return the matching messages, latest first, and the number of all messages up to now.

        Without `flush`, only messages on disk are searched, which costs less. Raises OSError if the disk is full.
        """
        with self._lock:
            read = self._caught_up(flush=flush)
            return read.messages.search(query), read.messages.count

    def frame(self, session: int, at: int, trn: str) -> bytes | None:
        """Return the octets of one submission, None if there is no such frame. Raises OSError like `search`."""
        with self._lock:
            octets = self._caught_up(flush=True).messages.octets(session, at)
        return next((each for each in octets if each[1:3] == trn.encode()), None)

    def holds(self) -> bool:
        """Return whether memory and files are held for searches."""
        return self._read is not None

    def idle_s(self) -> float:
        """Return the time since the last search (s)."""
        return time.monotonic() - self._asked_s

    def forget(self) -> None:
        """Release memory and files; the next search reads the ledger again."""
        with self._lock:
            if self._read is not None:
                self._read.messages.close()
            self._read = None

    def _caught_up(self, *, flush: bool) -> Following:
        if flush:
            self._ledger.flush()
        self._asked_s = time.monotonic()
        self._read = self._read or Following(self._ledger, self._folder, self._contract)
        try:
            self._read.catch_up()
        except BaseException:
            self._read.messages.close()
            self._read = None  # a piece may have been read in part
            raise
        return self._read


class Following:
    """A ledger read as far as it is on disk: its messages, and those without a result or an outcome."""

    def __init__(self, ledger: AnyLedger, folder: Path | None, contract: Contract) -> None:
        times = UcpTimes(contract.calendar)
        self._ledger = ledger
        self.messages = Messages(folder, times, plan_of(contract))
        self._wire = WireFollower(ledger, self._take)
        self._first_decision = 0
        self._on_the_way = OnTheWay(times)

    def catch_up(self) -> None:
        """Read everything that is on disk."""
        until = self._ledger.written
        self._wire.catch_up(until["wire"])
        self.messages.compiled = self._wire.compiled
        # After the wire, which contains the submission and its result for every decision of the centre.
        while self._first_decision < until["centre"]:
            self._take_decisions(min(PIECE_DECISIONS, until["centre"] - self._first_decision))

    def _take(self, submits: Submits, answers: Answers, at: Ints, sessions: Ints) -> None:
        self._add(submits, at, sessions)
        self._answer(answers)

    def _add(self, submits: Submits, at: Ints, sessions: Ints) -> None:
        if not len(submits.rows):
            return
        records = np.zeros(len(submits.rows), MESSAGE)
        records["at"], records["session"] = at[submits.rows], sessions[submits.rows]
        records["recipient"], records["code"] = submits.recipients, submits.codes
        records["size"], records["letters"] = submits.sizes, submits.letters
        frames, texts = self.messages.frames.append(submits.frames), self.messages.texts.append(submits.texts)
        records["frame"] = frames + np.cumsum(submits.sizes) - submits.sizes
        records["text"] = texts + np.cumsum(submits.letters) - submits.letters
        self.messages.add(records)

    def _answer(self, answers: Answers) -> None:
        if not len(answers.numbers):
            return
        accepted = answers.ecs < 0
        refused = answers.numbers[~accepted]
        self.messages.note(refused, outcome=OUTCOMES.index("refused"), ec=answers.ecs[~accepted])
        numbers = answers.numbers[accepted]
        seconds = self._on_the_way.add(answers.recipients[accepted], answers.stamps[accepted], numbers)
        self.messages.note(numbers, outcome=OUTCOMES.index("accepted"), scts=seconds)

    def _take_decisions(self, most: int) -> None:
        decided = self._ledger.tail("centre", self._first_decision, ["kind", "recipient", "scts"], most)
        self._first_decision += decided.num_rows
        kinds = pc.index_in(decided.column("kind"), pa.array(OUTCOMES_DECIDED)).fill_null(-1)
        final = pc.and_(pc.greater_equal(kinds, 0), pc.is_valid(decided.column("scts")))
        decided = decided.append_column("status", kinds).filter(final)
        if not decided.num_rows:
            return
        seconds, statuses = (decided.column(name).to_numpy() for name in ("scts", "status"))
        of, statuses = self._on_the_way.settle(numbers(decided.column("recipient")), seconds, statuses)
        # The last decision on a message counts.
        self.messages.note(of, outcome=statuses + OUTCOMES.index("buffered"))


__all__ = ["MessageSearch", "Query"]
