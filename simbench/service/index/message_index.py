"""The index of messages for searching: submissions, their results and their outcomes.

It is derived from the ledger and can be rebuilt from it. It works in its own threads, off the loop.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fake_smsc.ucp_gateway.times import seconds_of, stamp
from simbench.base.outputs import check_folder, remove_folder
from simbench.ledger import AnyLedger
from simbench.service.index.index_frames import Cutter, Fields, Frames, Ints, numbers, pieces, text_of, texts
from simbench.service.index.index_matching import OnTheWay, Unanswered
from simbench.service.index.index_store import OUTCOMES, SCHEMA, Query, Shelf
from simbench.service.log import EventLog, frame_id
from simbench.ucp.fields import At

OUTCOMES_DECIDED: Final = ("buffered", "delivered", "undelivered", "deleted")
PIECE_OCTETS: Final = 500_000  # approximate size of the wire rows read and split at once
PIECE_ROWS: Final = (100, 10_000)  # least and most reads and writes in that size
DECISIONS: Final = 50_000  # decisions of the centre read at once
EC_FIELD, NAMED_FIELD = 1, 2  # of a result: its error code, or the message it accepted


class MessageIndex:
    """Messages (operations 51) of one run: in files below `folder`, or in memory.

    Raises BadInput if `folder` has a `messages` that simbench did not write.
    """

    def __init__(self, ledger: AnyLedger, log: EventLog, folder: Path | None = None) -> None:
        self._ledger, self._log = ledger, log
        self._folder = folder / "messages" if folder is not None else None
        self._forget()  # files left by a server that was killed
        if self._folder is not None:
            check_folder(self._folder, "index of messages")
        self._shelf = Shelf(self._folder)
        self._lock = threading.Lock()
        self._first = {"wire": 0, "centre": 0}
        self._goal = {"wire": 0, "centre": 0}
        self._cutters = {"in": Cutter(), "out": Cutter()}
        self._piece = PIECE_ROWS[0]
        self._unanswered = Unanswered()
        self._on_the_way = OnTheWay()

    def close(self) -> None:
        """Remove the index."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._folder is not None:
            with suppress(OSError):
                remove_folder(self._folder)

    # Searching -------------------------------------------------------------------------------------------------

    def search(self, query: Query) -> tuple[list[dict[str, Any]], int]:
        """Return the matching messages, the latest first, and the number of all messages."""
        found = self._shelf.search(query)
        return [_record(frame, named, status) for frame, named, status in found], self._shelf.count

    def frame(self, session: int, at: int, trn: str) -> bytes | None:
        """Return the octets of one submission, None if there is no such frame."""
        return next((each for each in self._shelf.frames(session, at) if each[1:3] == trn.encode()), None)

    @property
    def stands(self) -> tuple[int, int]:
        """Return how many messages and how many decisions of the centre are indexed; both only grow."""
        return self._shelf.count, self._first["centre"]

    # Following the ledger --------------------------------------------------------------------------------------

    def follow(self) -> float:
        """Index a piece if there is one. Returns the processor time (s) it took, 0 if there was nothing to do."""
        begun, before = time.thread_time(), dict(self._first)
        self.step()
        return time.thread_time() - begun if self._first != before else 0.0

    def catch_up(self, *, flush: bool = True) -> None:
        """Index everything on disk; with `flush`, everything up to now."""
        if flush:
            self._ledger.flush()
        until = self._ledger.written
        while self.step(until):
            pass

    def step(self, until: dict[str, int] | None = None) -> bool:
        """Index a piece, some milliseconds' work. Returns False once everything, or up to `until`, is indexed."""
        with self._lock:
            if all(self._first[name] >= self._goal[name] for name in self._first):
                self._goal = {name: self._ledger.written[name] for name in self._first}
            if self._first["wire"] < self._goal["wire"]:
                self._take_wire()
            elif self._first["centre"] < self._goal["centre"]:
                # After the wire: of whatever the centre decided, that brought the submission and its result.
                self._take_decisions()
            return any(self._first[name] < (until or self._goal)[name] for name in self._first)

    def _take_wire(self) -> None:
        most = min(self._piece, self._goal["wire"] - self._first["wire"])
        found = self._ledger.tail("wire", self._first["wire"], ["at", "session", "direction", "octets"], most)
        rows = found.combine_chunks().to_batches()[0]
        self._first["wire"] += rows.num_rows
        self._take(rows)
        octets_per_row = rows.nbytes // rows.num_rows
        self._piece = min(max(PIECE_OCTETS // octets_per_row, PIECE_ROWS[0]), PIECE_ROWS[1])

    def _take(self, rows: pa.RecordBatch) -> None:
        at, sessions = (rows.column(name).to_numpy() for name in ("at", "session"))
        cut: dict[str, Frames] = {}
        for way, cutter in self._cutters.items():
            mine = np.flatnonzero(pc.equal(rows.column("direction"), way).to_numpy(zero_copy_only=False))
            octets = rows.column("octets").take(pa.array(mine))
            cut[way] = cutter.cut(octets, sessions[mine].astype(np.int64), mine)
        first = self._shelf.count
        fields = cut["in"].are(b"O/51").fields(At.XSER + 1)
        submits = fields.frames
        # The split groups submissions by session; they are numbered in order of arrival.
        order = np.argsort(submits.rows, kind="stable")
        if len(order):
            self._shelf.add(_columns(fields, at, sessions).take(pa.array(order)))
        numbered = np.empty(len(order), np.int64)
        numbered[order] = first + np.arange(len(order))
        self._answers(submits, numbered, cut["out"].are(b"R/51"), sessions)
        if self._log.enabled:
            self._log_refused_logins(cut["out"].are(b"R/60"), at, sessions)
        ended = sessions[np.flatnonzero(pc.equal(rows.column("direction"), "close").to_numpy(zero_copy_only=False))]
        for cutter in self._cutters.values():
            cutter.forget(ended.tolist())
        self._unanswered.forget(ended)

    def _answers(self, submits: Frames, numbered: Ints, results: Frames, sessions: Ints) -> None:
        fields = results.fields(NAMED_FIELD)
        results = fields.frames
        of = self._unanswered.match(sessions[submits.rows], submits, numbered, sessions[results.rows], results)
        positive = results.data[fields.begin(0)] == ord("A")
        refused = ~positive & (of >= 0)
        self._refuse(fields.only(refused), of[refused])
        named = results.only(positive & (of >= 0)).fields(NAMED_FIELD + 1)
        of = of[np.isin(results.ends, named.frames.ends)]
        recipients, seconds, spelt = _message_ids(named.column(NAMED_FIELD))
        self._shelf.note(of, outcome=OUTCOMES.index("accepted"), scts=seconds)
        self._on_the_way.add(recipients, seconds, of)
        for text in spelt:  # in the hour that October repeats, either second may be meant
            _, *others = seconds_of(text)
            for other in others:
                same = seconds == seconds_of(text)[0]
                self._on_the_way.add(recipients[same], np.full(int(same.sum()), other), of[same])

    def _log_refused_logins(self, results: Frames, at: Ints, sessions: Ints) -> None:
        """Log each refused login by the id of its result; the ledger has the account."""
        fields = results.fields(EC_FIELD + 1)
        fields = fields.only(fields.frames.data[fields.begin(0)] == ord("N"))
        frames = fields.frames
        for row, start, ec in zip(frames.rows, frames.starts, fields.column(EC_FIELD).to_pylist(), strict=True):
            trn = frames.data[start + 1 : start + 3].tobytes().decode("latin-1")
            logged = {"at": int(at[row]), "session": int(sessions[row]), "ec": ec}
            self._log.event("login refused", id=frame_id(logged["session"], logged["at"], trn), **logged)

    def _refuse(self, fields: Fields, of: Ints) -> None:
        codes = numbers(fields.column(EC_FIELD))
        self._shelf.note(of, outcome=OUTCOMES.index("refused"), ec=np.where((codes >= 0) & (codes < 100), codes, 0))
        if self._log.enabled:
            for number in of.tolist():
                row = _record(*self._shelf.one(number))
                logged = {name: row[name] for name in ("at", "code", "recipient", "ec")}
                self._log.event("refused", id=frame_id(row["session"], row["at"], row["trn"]), **logged)

    def _take_decisions(self) -> None:
        most = min(DECISIONS, self._goal["centre"] - self._first["centre"])
        decided = self._ledger.tail("centre", self._first["centre"], ["kind", "recipient", "scts"], most)
        self._first["centre"] += decided.num_rows
        kinds = pc.index_in(decided.column("kind"), pa.array(OUTCOMES_DECIDED)).fill_null(-1)
        telling = pc.and_(pc.greater_equal(kinds, 0), pc.is_valid(decided.column("scts")))
        decided = decided.append_column("status", kinds).filter(telling).combine_chunks()
        if not decided.num_rows:
            return
        batch = decided.to_batches()[0]
        recipients = numbers(batch.column("recipient"))
        seconds, statuses = (batch.column(name).to_numpy(zero_copy_only=False) for name in ("scts", "status"))
        of, statuses = self._on_the_way.settle(recipients, seconds, statuses)
        # The last decision of a message counts, and it comes last.
        self._shelf.note(of, outcome=statuses + OUTCOMES.index("buffered"))


def _columns(fields: Fields, at: Ints, sessions: Ints) -> pa.RecordBatch:
    frames = fields.frames
    columns = [
        pa.array(at[frames.rows]), pa.array(sessions[frames.rows].astype(np.int32)), fields.column(At.OADC),
        fields.column(At.ADC), pc.utf8_lower(texts(fields)), pieces(frames.data, frames.starts, frames.ends + 1),
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _message_ids(column: pa.StringArray) -> tuple[Ints, Ints, list[str]]:
    """Return recipient, SCTS second (0: none) and SCTS text of each "recipient:DDMMYYHHmmss"."""
    stamps = pc.utf8_slice_codeunits(column, -12).dictionary_encode()
    spelt = stamps.dictionary.to_pylist()
    seconds = np.array([(seconds_of(each) or (0,))[0] for each in spelt], np.int64)
    recipients = numbers(pc.utf8_slice_codeunits(column, 0, -13))
    return recipients, seconds[stamps.indices.to_numpy()] if len(column) else np.zeros(0, np.int64), spelt


def _record(frame: bytes, named: dict[str, Any], status: Any) -> dict[str, Any]:
    fields = frame[1:-1].split(b"/")
    outcome = OUTCOMES[status["outcome"]]
    return {
        **named,
        "trn": fields[0].decode("latin-1"),
        "code": fields[4 + At.OADC].decode("latin-1"),
        "recipient": fields[4 + At.ADC].decode("latin-1"),
        "text": text_of(frame),
        "outcome": outcome,
        "ec": f"{status['ec']:02}" if outcome == "refused" else "",
        "scts": stamp(int(status["scts"])) if status["scts"] else "",
    }


__all__ = ["MessageIndex", "Query"]
