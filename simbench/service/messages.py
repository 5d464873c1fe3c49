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
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.contract import Contract
from simbench.kernels.frames import Odd, Scanner
from simbench.ledger import AnyLedger, Ledger
from simbench.numbering.plan import plan_of
from simbench.service.extent import next_piece
from simbench.service.log import EventLog, frame_id
from simbench.service.message_frames import Answers, Submits, Waiting, read_odd, read_plain
from simbench.service.message_outcomes import OnTheWay, numbers
from simbench.service.message_rows import MESSAGE, OUTCOMES, Ints, Messages, Query
from simbench.service.search_kernels import KERNELS

OUTCOMES_DECIDED: Final = ("buffered", "delivered", "undelivered", "deleted")
LONGEST_FRAME: Final = 8_192
PIECE_OCTETS: Final = 8_000_000  # approximate size of the reads and writes taken from the ledger at once
LOADED_S: Final = 2.0  # longest wait of a search for kernels that only need loading
PIECE_DECISIONS: Final = 500_000
_WAYS: Final = pa.array(["in", "out"])


class MessageSearch:
    """Searches the messages (operations 51) of one run. Any thread may call it."""

    def __init__(self, ledger: AnyLedger, log: EventLog, contract: Contract) -> None:
        self._ledger, self._log, self._contract = ledger, log, contract
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

    def follow(self) -> None:
        """Read the new rows on disk without a search, for the log, which names refused messages."""
        with self._lock:
            self._caught_up(flush=False)

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
        self._read = self._read or Following(self._ledger, self._log, self._folder, self._contract)
        try:
            self._read.catch_up()
        except BaseException:
            self._read.messages.close()
            self._read = None  # a piece may have been read in part
            raise
        return self._read


class Following:
    """A ledger read as far as it is on disk: its messages, and those without a result or an outcome."""

    def __init__(self, ledger: AnyLedger, log: EventLog, folder: Path | None, contract: Contract) -> None:
        times = UcpTimes(contract.calendar)
        self._ledger, self._log = ledger, log
        self.messages = Messages(folder, times, plan_of(contract))
        self._first = {"wire": 0, "centre": 0}
        self._piece = next_piece(0, 0)
        self._scanner = Scanner(LONGEST_FRAME, compiled=False)  # until the kernels are loaded
        self._waiting, self._on_the_way = Waiting(), OnTheWay(times)

    def catch_up(self) -> None:
        """Read everything that is on disk."""
        until = self._ledger.written
        compiled = KERNELS.ready(LOADED_S)
        while self._first["wire"] < until["wire"]:
            self._scanner.compiled = self.messages.compiled = compiled = compiled or KERNELS.ready()
            self._take_wire(min(self._piece, until["wire"] - self._first["wire"]))
        # After the wire, which contains the submission and its result for every decision of the centre.
        while self._first["centre"] < until["centre"]:
            self._take_decisions(min(PIECE_DECISIONS, until["centre"] - self._first["centre"]))

    def _take_wire(self, most: int) -> None:
        found = self._ledger.tail("wire", self._first["wire"], ["at", "session", "direction", "octets"], most)
        self._first["wire"] += found.num_rows
        self._piece = next_piece(found.num_rows, found.nbytes, PIECE_OCTETS)
        for batch in found.combine_chunks().to_batches():
            self._take(batch)

    def _take(self, batch: pa.RecordBatch) -> None:
        at, sessions = (batch.column(name).to_numpy() for name in ("at", "session"))
        ways = pc.index_in(batch.column("direction"), _WAYS).fill_null(-1).to_numpy()
        octets, edges = _buffers(batch.column("octets"))
        known, which = np.unique(sessions, return_inverse=True)
        slots = np.array([self._waiting.slot(session) for session in known.tolist()], np.int64)[which]
        lanes = np.where(ways < 0, -1, 2 * slots + ways)
        for block in self._scanner.frames(octets, edges, lanes):
            first = self.messages.count
            if isinstance(block, Odd):
                submits, answers = read_odd(block, int(lanes[block.row]), self._waiting, first)
            else:
                submits, answers = read_plain(block, lanes, self._waiting, first)
            self._add(submits, at, sessions)
            self._answer(answers)
        for place in np.flatnonzero(pc.equal(batch.column("direction"), "close").to_numpy(zero_copy_only=False)):
            slot = self._waiting.forget(int(sessions[place]))
            if slot is not None:
                self._scanner.release(2 * slot)
                self._scanner.release(2 * slot + 1)

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
        if self._log.enabled:
            for number in refused.tolist():
                row = self.messages.record(number)
                logged = {name: row[name] for name in ("at", "code", "recipient", "ec")}
                self._log.event("refused", id=frame_id(row["session"], row["at"], row["trn"]), **logged)
        numbers = answers.numbers[accepted]
        seconds = self._on_the_way.add(answers.recipients[accepted], answers.stamps[accepted], numbers)
        self.messages.note(numbers, outcome=OUTCOMES.index("accepted"), scts=seconds)

    def _take_decisions(self, most: int) -> None:
        decided = self._ledger.tail("centre", self._first["centre"], ["kind", "recipient", "scts"], most)
        self._first["centre"] += decided.num_rows
        kinds = pc.index_in(decided.column("kind"), pa.array(OUTCOMES_DECIDED)).fill_null(-1)
        final = pc.and_(pc.greater_equal(kinds, 0), pc.is_valid(decided.column("scts")))
        decided = decided.append_column("status", kinds).filter(final)
        if not decided.num_rows:
            return
        seconds, statuses = (decided.column(name).to_numpy() for name in ("scts", "status"))
        of, statuses = self._on_the_way.settle(numbers(decided.column("recipient")), seconds, statuses)
        # The last decision on a message counts.
        self.messages.note(of, outcome=statuses + OUTCOMES.index("buffered"))


def _buffers(column: pa.BinaryArray) -> tuple[npt.NDArray[np.uint8], Ints]:
    """Return the octets of a column, and the start of each value and end of the last."""
    _, offsets, data = column.buffers()
    edges = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    octets = np.frombuffer(data if data is not None else b"", np.uint8)
    octets.flags.writeable = False  # for arrays that can be written, kernels would be compiled again
    return octets, edges


__all__ = ["MessageSearch", "Query"]
