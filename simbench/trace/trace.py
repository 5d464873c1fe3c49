"""The judge's own reading of the wire: octets of each connection to frames, frames to views. Judges nothing.

It shares the frame parser with the SMSC, never its bookkeeping: results are paired with operations here by
connection, direction and TRN alone, as an auditor does with a capture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from simbench.base.units import SECOND_US
from simbench.ledger.events import At as EventAt
from simbench.ledger.events import LimitSet, MaintenanceBegan, OutageBegan, Restored, events_of
from simbench.ledger.reader import Run
from simbench.trace.columns import (
    ALERTS,
    ATTEMPTS,
    EVENTS,
    FRAMES,
    MO,
    NOTIFICATIONS,
    SESSIONS,
    STIMULI,
    SUBMITS,
    TIMING_ERROR,
)
from simbench.trace.line import Line
from simbench.trace.messages import TOKEN, messages_of
from simbench.trace.timing_error import ended_at, of_a_capture, stretches
from simbench.trace.view import View, view_of
from simbench.ucp import alphabet, content
from simbench.ucp.fields import At
from simbench.ucp.foreign import protocol_of
from simbench.ucp.frame import STX, WIRE_ERRORS, Frame, Framer, WireError
from simbench.ucp.operations import PROBLEMS, check

ALPHANUMERIC = "5039"
UNENDED = "unended"  # problem of octets that no ETX ends, although no more come
PATIENCE_US = SECOND_US  # how long a client may take over one frame
LONGEST_NUMBER = 18  # digits that a column of 64 bits holds
GIVEN_UP_US = 60 * SECOND_US  # an operation unanswered for so long is given up, and its number free again
WIRE = ["at", "session", "direction", "octets"]
AT_ONCE = 10_000  # rows of the wire that are Python's at a time
_TOKEN = SUBMITS.index("token")


class Trace:
    """Everything rules on the client may see of a run: `wire`, `events`, `stimuli` and the bench's own grain."""

    def __init__(self, run: Run, tokens: Mapping[int, str] | None = None, ended: int = 0) -> None:
        """`tokens`: what was found out of submits whose texts carry no token, by their place in order of arrival.

        `ended`: until when the run was watched (us), where more is known than its last row.
        """
        self.run, self._tokens, self._ended = run, tokens or {}, ended
        self._lines: dict[int, Line] = {}
        self._owner: dict[str, str] = {}
        self._rows: dict[str, list[list[Any]]] = {name: [] for name in ("51", "53", "52", "31", "frames")}
        self._read_done = False

    # Views -----------------------------------------------------------------------------------------------------

    @cached_property
    def event_rows(self) -> View:
        """What the bench made happen: at, kind, subject, until (us or None), detail (a dict)."""
        return view_of(
            EVENTS,
            [
                (r["at"], r["kind"], r["subject"], r["until"], json.loads(r["detail"] or "{}"))
                for r in self.run.events.to_pylist()
            ],
        )

    @cached_property
    def events(self) -> list[EventAt]:
        """What the bench made happen, typed, in order; what a capture says of itself is in `events` alone."""
        events = self.run.events
        columns = (events[name].to_pylist() for name in EVENTS)
        return list(events_of(zip(*columns, strict=True)))

    @cached_property
    def stimuli(self) -> View:
        """What was asked of the client and what it reported."""
        return view_of(
            STIMULI,
            [
                (r["at"], r["kind"], r["token"], r["code"], r["recipient"], r["text"], r["traffic_class"], r["brand"],
                 r["opted_in"], json.loads(r["detail"] or "{}"))
                for r in self.run.stimuli.to_pylist()
            ],
        )  # fmt: skip

    @cached_property
    def timing_error(self) -> View:
        """Where the bench itself was late: started, ended, size_us, place."""
        return view_of(
            TIMING_ERROR, [[row[name] for name in TIMING_ERROR] for row in self.run.timing_error.to_pylist()]
        )

    @cached_property
    def submits(self) -> View:
        """Operations 51 in order of arrival, each with its result (`result_at` -1 while unanswered)."""
        self._read()
        for position, token in self._tokens.items():
            self._rows["51"][position][_TOKEN] = token
        return self._view("51", SUBMITS)

    @cached_property
    def messages(self) -> View:
        """Messages as their recipients read them, each of one or more submits (`simbench.trace.messages`)."""
        return messages_of(self.submits, "oadc", "recipient")

    @cached_property
    def notifications(self) -> View:
        """Notifications (53), each with the client's answer."""
        return self._view("53", NOTIFICATIONS)

    @cached_property
    def mo(self) -> View:
        """Mobile-originated messages (52), each with the client's answer."""
        return self._view("52", MO)

    @cached_property
    def replies(self) -> View:
        """Mobile-originated messages, each of one or more 52s."""
        return messages_of(self.mo, "sender", "code")

    @cached_property
    def alerts(self) -> View:
        """Operations 31 of the client, each with its result."""
        return self._view("31", ALERTS)

    @cached_property
    def frames(self) -> View:
        """Every frame and every piece that is none; direction "in" is the client's, `problem` "" when sound."""
        return self._view("frames", FRAMES)

    @cached_property
    def sessions(self) -> View:
        """Connections in order of opening; instants that did not come are -1."""
        self._read()
        return view_of(
            SESSIONS,
            [
                (
                    line.number, line.opened_at, line.peer, line.account,
                    line.login[0] if line.login else -1, line.login[2] if line.login else "",
                    line.login[3] if line.login else "", line.first, line.first_at, line.early_at, line.heard_at,
                    line.closed_at, line.closed_by, line.reason,
                )
                for line in self._lines.values()
            ],
        )  # fmt: skip

    @cached_property
    def limits(self) -> dict[str, list[tuple[int, int, str]]]:
        """Short code to its limits over time: (from instant, rate per second, mode), oldest first."""
        limits: dict[str, list[tuple[int, int, str]]] = {}
        for at, event in self.events:
            if isinstance(event, LimitSet):
                limits.setdefault(event.code, []).append((at, event.rate_per_s, event.mode))
        return limits

    @cached_property
    def outages(self) -> list[tuple[int, int, str, str]]:
        """Outages as (start, end, scope, mode); the end of one that still holds is the last instant of the wire."""
        open_since: dict[str, tuple[int, str]] = {}
        found = []
        for at, event in self.events:
            match event:
                case OutageBegan() | MaintenanceBegan():
                    open_since[event.subject] = (at, event.mode)
                case Restored() if event.subject in open_since:
                    start, mode = open_since.pop(event.subject)
                    found.append((start, at, event.subject, mode))
        last = self.span[1]
        found += [(start, last, scope, mode) for scope, (start, mode) in open_since.items()]
        return sorted(found)

    @cached_property
    def attempts(self) -> View:
        """Connection attempts in order: at, peer ("address:port"), outcome ("session" where it became one)."""
        rows = [(row.opened_at, row.peer, "session") for row in self.sessions.rows() if row.opened_at >= 0]
        rows += [
            (row.at, row.subject, row.detail.get("outcome", ""))
            for row in self.event_rows.rows()
            if row.kind == "attempt"
        ]
        return view_of(ATTEMPTS, sorted(rows))

    @cached_property
    def span(self) -> tuple[int, int]:
        """First and last instant of the run, which ends when it was ended; (0, 0) when nothing happened."""
        filled = [table for table in (self.run.wire, self.run.events, self.run.stimuli) if table.num_rows]
        instants = [table["at"][place].as_py() for table in filled for place in (0, -1)]
        if not instants:
            return 0, 0
        first, last = min(instants), max(instants)
        return first, max(last, self._ended, ended_at(self.run.info, first, self.event_rows))

    def largest_timing_error(self, start: int, end: int) -> int:
        """The largest lateness of the bench that overlaps the interval (us)."""
        late = self._late
        if not len(late):
            return 0
        overlapping = late.size_us[(late.started <= end) & (late.ended >= start)]
        return int(overlapping.max()) if len(overlapping) else 0

    @cached_property
    def _late(self) -> View:
        return stretches(self.timing_error, of_a_capture(self.event_rows, self.span))

    # Parsing ---------------------------------------------------------------------------------------------------

    def _view(self, name: str, columns: tuple[str, ...]) -> View:
        self._read()
        return view_of(columns, self._rows[name])

    def _read(self) -> None:
        if self._read_done:
            return
        self._read_done = True
        for _, event in self.events:
            if isinstance(event, LimitSet) and event.account:
                self._owner[event.code] = event.account
        for piece in self.run.wire.select(WIRE).to_batches(max_chunksize=AT_ONCE):
            for at, number, direction, octets in zip(*(piece[name].to_pylist() for name in WIRE), strict=True):
                self._chunk(at, number, direction, octets)
        last = self.span[1]
        for line in self._lines.values():
            if line.closed_at < 0 and last - line.heard_at > PATIENCE_US:
                self._left_open(line)

    def _left_open(self, line: Line) -> None:
        """Octets of the client behind its last frame, which nothing ended, unless they were on their way when it ended.

        Whoever is killed, or whose connection breaks, leaves half a frame; whoever sends half a frame and waits is odd.
        """
        octets = line.incoming.release()
        begun = octets.startswith(STX) and not protocol_of(octets)
        at_once = 0 <= line.closed_at <= line.heard_at + PATIENCE_US
        if line.closed_by == "capture" or (begun and at_once) or not octets.strip(b"\r\n"):
            return
        self._note(line, line.heard_at, "in", "", "", "", UNENDED if octets.startswith(STX) else "garbage", octets)

    def _chunk(self, at: int, number: int, direction: str, octets: bytes) -> None:
        line = self._lines.get(number)
        if line is None:
            # A capture may begin in mid-connection, so any chunk may be the first.
            line = self._lines[number] = Line(number, -1, "", Framer(), Framer(), {}, {}, {"in", "out"})
        if direction in line.unaligned:
            if STX not in octets:
                return
            octets = octets[octets.index(STX) :]
            line.unaligned.remove(direction)
        if direction == "open":
            line.opened_at, line.peer = at, octets.decode("utf-8", "replace")
            line.unaligned.clear()
        elif direction == "close":
            line.closed_at = at
            line.closed_by, _, line.reason = octets.decode("utf-8", "replace").partition(": ")
            self._left_open(line)
        elif direction == "in":
            line.heard_at = at
            self._from_client(line, at, octets)
        else:
            self._from_smsc(line, at, octets)

    def _from_client(self, line: Line, at: int, octets: bytes) -> None:
        for item in line.incoming.feed(octets):
            if isinstance(item, WireError):
                tolerated = WIRE_ERRORS[item.name].tolerated
                self._note(line, at, "in", item.kind, item.ot, item.trn, item.name, item.octets, tolerated=tolerated)
                continue
            errors = check(item)
            problem = f"{errors[0].field}: {errors[0].problem}" if errors else ""
            noted = bool(errors) and all(PROBLEMS[error.problem].noted for error in errors)
            self._note(line, at, "in", item.kind, item.ot, item.trn, problem, item.octets, tolerated=noted)
            if item.kind == "R":
                self._pair(line, item, at)
                continue
            if not line.first and line.opened_at >= 0:
                line.first, line.first_at = item.ot, at
            if item.ot != "60" and not line.account and line.early_at < 0 and line.opened_at >= 0:
                line.early_at = at
            if item.ot == "51" and len(item.data) > At.OTOA:
                self._submit(line, at, item)
            elif item.ot == "60" and item.data:
                line.login = [at, item.data[0], "", ""]
                self._await(line, item, line.login)
            elif item.ot == "31":
                record = [at, line.number, line.account, -1, item.octets]
                self._rows["31"].append(record)
                self._await(line, item, record)

    def _await(self, line: Line, frame: Frame, record: list[Any]) -> None:
        """An operation of the client waits for its result, unless its number is in use: then the SMSC discards it.

        Source: EMI-UCP 4.0, windowing (the UCP reference, section 1.4).
        """
        waiting = line.asked_by_client.get(frame.trn)
        if waiting is None or record[0] - waiting[1][0] > GIVEN_UP_US:
            line.asked_by_client[frame.trn] = [frame.ot, record]
            return
        noted = self._rows["frames"][-1]
        noted[6] = noted[6] or "TRN in use"

    def _submit(self, line: Line, at: int, frame: Frame) -> None:
        data = frame.data
        alphanumeric = data[At.OTOA] == ALPHANUMERIC
        oadc = _name(data[At.OADC]) if alphanumeric else data[At.OADC]
        read = content.read(data)
        text = read.text or ""
        token = TOKEN.search(text)
        code = oadc if oadc in self.limits else self.code_of(line.account) or oadc
        record = [
            at, line.number, line.account, code, frame.trn, data[At.ADC], oadc, alphanumeric, text,
            read.segments, _digits(data[At.NT] or "3", 0) if data[At.NRQ] == "1" else 0,
            data[At.VP], token.group() if token else "", -1, "", "", "", "", frame.octets,
        ]  # fmt: skip
        self._rows["51"].append(record)
        self._await(line, frame, record)

    def code_of(self, account: str) -> str:
        """The first short code of an account, "" where no event names one."""
        return next((code for code, owner in self._owner.items() if owner == account), "")

    def _from_smsc(self, line: Line, at: int, octets: bytes) -> None:
        for item in line.outgoing.feed(octets):
            if isinstance(item, WireError):
                self._note(line, at, "out", item.kind, item.ot, item.trn, item.name, item.octets)
                continue
            self._note(line, at, "out", item.kind, item.ot, item.trn, "", item.octets)
            if item.kind == "R":
                self._answered(line, at, item)
            elif item.ot in {"52", "53"} and len(item.data) > At.OTOA:
                self._notice(line, at, item)
            else:
                line.asked_by_smsc[item.trn] = [item.ot, None]

    def _notice(self, line: Line, at: int, frame: Frame) -> None:
        data = frame.data
        code = data[At.ADC]
        if frame.ot == "53":
            record = [
                at, line.number, line.account, code, data[At.OADC], data[At.SCTS], _digits(data[At.DST], -1),
                _digits(data[At.RSN], 0), frame.trn, -1, "", frame.octets,
            ]  # fmt: skip
        else:
            text = content.read(data).text or ""
            record = [
                at, line.number, line.account, code, data[At.OADC], data[At.SCTS], text, frame.trn, -1, "",
                frame.octets,
            ]  # fmt: skip
        self._rows[frame.ot].append(record)
        line.asked_by_smsc[frame.trn] = [frame.ot, record]

    def _answered(self, line: Line, at: int, frame: Frame) -> None:
        """A result of the SMSC: complete what it answers."""
        waiting = line.asked_by_client.get(frame.trn)
        if waiting is None or waiting[0] != frame.ot:
            return
        del line.asked_by_client[frame.trn]
        record, data = waiting[1], frame.data
        positive = data[:1] == ["A"]
        if frame.ot == "51":
            record[13], record[14] = at, data[0] if data else ""
            if positive and len(data) > 2:
                record[17], record[16] = data[1], data[2].rpartition(":")[2]
            elif len(data) > 1:
                record[15] = data[1]
        elif frame.ot == "31":
            record[3] = at
        elif frame.ot == "60":
            record[2], record[3] = data[0] if data else "", "" if positive or len(data) < 2 else data[1]
            if positive:
                line.account = record[1]

    def _pair(self, line: Line, frame: Frame, at: int) -> None:
        """A result of the client: complete the 52 or 53 it answers."""
        waiting = line.asked_by_smsc.get(frame.trn)
        if waiting is None or waiting[0] != frame.ot:
            if line.opened_at >= 0:  # else it may have been asked before reading began
                noted = self._rows["frames"][-1]
                noted[6] = noted[6] or "answers nothing that was asked"
            return
        del line.asked_by_smsc[frame.trn]
        record = waiting[1]
        if record is not None:
            record[-3], record[-2] = at, frame.data[0] if frame.data else ""

    def _note(  # noqa: PLR0913 - one row, one argument a column
        self, line: Line, at: int, direction: str, kind: str, ot: str, trn: str, problem: str, octets: bytes,
        *, tolerated: bool = False,
    ) -> None:  # fmt: skip
        self._rows["frames"].append([at, line.number, direction, kind, ot, trn, problem, tolerated, octets])


def _name(oadc: str) -> str:
    """An alphanumeric originator as text; as it stands where it cannot be read."""
    try:
        return alphabet.decode_oadc(oadc)
    except ValueError:
        return oadc


def _digits(field: str, otherwise: int) -> int:
    """A field of digits as a number; `otherwise` where it is empty, or holds something else or more than any field."""
    return int(field) if field.isascii() and field.isdigit() and len(field) <= LONGEST_NUMBER else otherwise
