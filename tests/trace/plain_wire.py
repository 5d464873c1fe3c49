"""The reader of a wire the judge had before its kernels: the oracle of `test_wire`.

Results are paired with operations by connection, direction and TRN alone, as an auditor does with a capture.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import msgspec

from simbench.base.units import SECOND_US
from simbench.trace.messages import TOKEN
from simbench.trace.rows import Alert, FrameSeen, Mo, Notification, Session, Submit
from simbench.ucp import alphabet, content
from simbench.ucp.checks import PROBLEMS, check
from simbench.ucp.fields import At
from simbench.ucp.foreign import protocol_of
from simbench.ucp.frame import STX, WIRE_ERRORS, Frame, Framer, WireError

ALPHANUMERIC: Final = "5039"
UNENDED: Final = "unended"  # problem of octets that no ETX ends, although no more come
PATIENCE_US: Final = SECOND_US  # how long a client may take over one frame
LONGEST_NUMBER: Final = 18  # digits that a column of 64 bits holds
GIVEN_UP_US: Final = 60 * SECOND_US  # an operation unanswered for so long is given up, and its number free again


class Login(msgspec.Struct, gc=False):
    """An operation 60 of the client and its result."""

    at: int
    account: str
    ack: str = ""
    ec: str = ""


class Asked(NamedTuple):
    """An operation of the client that waits for its result."""

    ot: str
    row: Submit | Alert | Login


class AskedBySmsc(NamedTuple):
    """An operation of the SMSC that waits for its result; no row for an operation that no view has."""

    ot: str
    row: Notification | Mo | None


class Line(msgspec.Struct):
    """One connection while it is read.

    Where reading began later than the connection, `opened_at` stays -1 and it has no first operation. `unaligned`
    names the directions in which such a connection may still be in the middle of a frame.
    """

    number: int
    opened_at: int = -1
    peer: str = ""
    incoming: Framer = msgspec.field(default_factory=Framer)
    outgoing: Framer = msgspec.field(default_factory=Framer)
    asked_by_client: dict[str, Asked] = {}
    asked_by_smsc: dict[str, AskedBySmsc] = {}
    unaligned: set[str] = msgspec.field(default_factory=lambda: {"in", "out"})
    account: str = ""
    login: Login | None = None
    first: str = ""
    first_at: int = -1
    heard_at: int = -1
    early_at: int = -1
    closed_at: int = -1
    closed_by: str = ""
    reason: str = ""

    @property
    def session(self) -> Session:
        """It as a row of the trace."""
        login = self.login or Login(-1, "")
        return Session(
            self.number, self.opened_at, self.peer, self.account, login.at, login.ack, login.ec, self.first,
            self.first_at, self.early_at, self.heard_at, self.closed_at, self.closed_by, self.reason,
        )  # fmt: skip


class Wire:
    """Reads chunks of a wire in order of time with `chunk`, then `finish`; the rows stand in its lists.

    `codes` are the short codes that have a limit, `owners` a code's account where it is known.
    """

    def __init__(self, codes: Collection[str], owners: Mapping[str, str]) -> None:
        self.submits: list[Submit] = []
        self.notifications: list[Notification] = []
        self.mo: list[Mo] = []
        self.alerts: list[Alert] = []
        self.frames: list[FrameSeen] = []
        self.lines: dict[int, Line] = {}
        self._codes, self._owners = codes, owners

    def chunk(self, at: int, number: int, direction: str, octets: bytes) -> None:
        """One row of the wire."""
        line = self.lines.get(number)
        if line is None:
            # A capture may begin in mid-connection, so any chunk may be the first.
            line = self.lines[number] = Line(number)
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

    def finish(self, last: int) -> None:
        """The wire ends, at `last`."""
        for line in self.lines.values():
            if line.closed_at < 0 and last - line.heard_at > PATIENCE_US:
                self._left_open(line)

    def code_of(self, account: str) -> str:
        """The first short code of an account, "" where no event names one."""
        return next((code for code, owner in self._owners.items() if owner == account), "")

    def _left_open(self, line: Line) -> None:
        """Octets of the client behind its last frame, which nothing ended, unless they were on their way when it ended.

        Whoever is killed, or whose connection breaks, leaves half a frame; whoever sends half a frame and waits is odd.
        """
        octets = line.incoming.release()
        begun = octets.startswith(STX) and not protocol_of(octets)
        at_once = 0 <= line.closed_at <= line.heard_at + PATIENCE_US
        if line.closed_by == "capture" or (begun and at_once) or not octets.strip(b"\r\n"):
            return
        problem = UNENDED if octets.startswith(STX) else "garbage"
        self.frames.append(FrameSeen(line.heard_at, line.number, "in", "", "", "", problem, False, octets))

    def _from_client(self, line: Line, at: int, octets: bytes) -> None:
        for item in line.incoming.feed(octets):
            if isinstance(item, WireError):
                self._broken(line, at, "in", item, WIRE_ERRORS[item.name].tolerated)
                continue
            errors = check(item)
            problem = f"{errors[0].field}: {errors[0].problem}" if errors else ""
            tolerated = bool(errors) and all(PROBLEMS[error.problem].noted for error in errors)
            seen = FrameSeen(at, line.number, "in", item.kind, item.ot, item.trn, problem, tolerated, item.octets)
            self.frames.append(seen)
            if item.kind == "R":
                _pair(line, seen, item)
                continue
            if not line.first and line.opened_at >= 0:
                line.first, line.first_at = item.ot, at
            if item.ot != "60" and not line.account and line.early_at < 0 and line.opened_at >= 0:
                line.early_at = at
            if item.ot == "51" and len(item.data) > At.OTOA:
                submit = self._submit(line, at, item)
                self.submits.append(submit)
                _await(line, seen, submit)
            elif item.ot == "60" and item.data:
                changes_password = len(item.data) > 3 and item.data[3] in ("3", "6")
                login = Login(at, "" if changes_password else item.data[0])
                if not changes_password and (line.login is None or line.login.ack != "A"):
                    line.login = login
                _await(line, seen, login)
            elif item.ot == "31":
                alert = Alert(at, line.number, line.account, -1, item.octets)
                self.alerts.append(alert)
                _await(line, seen, alert)

    def _submit(self, line: Line, at: int, frame: Frame) -> Submit:
        data = frame.data
        alphanumeric = data[At.OTOA] == ALPHANUMERIC
        oadc = _name(data[At.OADC]) if alphanumeric else data[At.OADC]
        read = content.read(data)
        text = read.text or ""
        token = TOKEN.search(text)
        code = oadc if oadc in self._codes else self.code_of(line.account) or oadc
        return Submit(
            at, line.number, line.account, code, frame.trn, data[At.ADC], oadc, alphanumeric, text,
            read.segments, _digits(data[At.NT] or "3", 0) if data[At.NRQ] == "1" else 0,
            data[At.VP], token.group() if token else "", -1, "", "", "", "", frame.octets,
        )  # fmt: skip

    def _from_smsc(self, line: Line, at: int, octets: bytes) -> None:
        for item in line.outgoing.feed(octets):
            if isinstance(item, WireError):
                self._broken(line, at, "out", item, tolerated=False)
                continue
            seen = FrameSeen(at, line.number, "out", item.kind, item.ot, item.trn, "", False, item.octets)
            self.frames.append(seen)
            if item.kind == "R":
                _answered(line, at, item)
            elif item.ot in {"52", "53"} and len(item.data) > At.OTOA:
                line.asked_by_smsc[item.trn] = AskedBySmsc(item.ot, self._delivery(line, at, item))
            else:
                line.asked_by_smsc[item.trn] = AskedBySmsc(item.ot, None)

    def _delivery(self, line: Line, at: int, frame: Frame) -> Notification | Mo:
        data = frame.data
        code, address, scts = data[At.ADC], data[At.OADC], data[At.SCTS]
        if frame.ot == "53":
            outcome, reason = _digits(data[At.DST], -1), _digits(data[At.RSN], 0)
            notification = Notification(
                at, line.number, line.account, code, address, scts, outcome, reason, frame.trn, -1, "", frame.octets
            )
            self.notifications.append(notification)
            return notification
        text = content.read(data).text or ""
        mo = Mo(at, line.number, line.account, code, address, scts, text, frame.trn, -1, "", frame.octets)
        self.mo.append(mo)
        return mo

    def _broken(self, line: Line, at: int, direction: str, error: WireError, tolerated: bool) -> None:
        self.frames.append(
            FrameSeen(at, line.number, direction, error.kind, error.ot, error.trn, error.name, tolerated, error.octets)
        )


def _await(line: Line, seen: FrameSeen, row: Submit | Alert | Login) -> None:
    """An operation of the client waits for its result, unless its number is in use: then the SMSC discards it.

    Source: EMI-UCP 4.0, windowing (the UCP reference, section 1.4).
    """
    waiting = line.asked_by_client.get(seen.trn)
    if waiting is None or row.at - waiting.row.at > GIVEN_UP_US:
        line.asked_by_client[seen.trn] = Asked(seen.ot, row)
        return
    seen.problem = seen.problem or "TRN in use"


def _answered(line: Line, at: int, frame: Frame) -> None:
    """A result of the SMSC: complete what it answers."""
    waiting = line.asked_by_client.get(frame.trn)
    if waiting is None or waiting.ot != frame.ot:
        return
    del line.asked_by_client[frame.trn]
    data = frame.data
    positive = data[:1] == ["A"]
    match waiting.row:
        case Submit() as submit:
            submit.result_at, submit.ack = at, data[0] if data else ""
            if positive and len(data) > 2:
                submit.mvp, submit.scts = data[1], data[2].rpartition(":")[2]
            elif len(data) > 1:
                submit.ec = data[1]
        case Alert() as alert:
            alert.result_at = at
        case Login() as login:
            login.ack, login.ec = data[0] if data else "", "" if positive or len(data) < 2 else data[1]
            if positive and login.account:
                line.account = login.account


def _pair(line: Line, seen: FrameSeen, frame: Frame) -> None:
    """A result of the client: complete the 52 or 53 it answers."""
    waiting = line.asked_by_smsc.get(frame.trn)
    if waiting is None or waiting.ot != frame.ot:
        if line.opened_at >= 0:  # else it may have been asked before reading began
            seen.problem = seen.problem or "answers nothing that was asked"
        return
    del line.asked_by_smsc[frame.trn]
    if waiting.row is not None:
        waiting.row.result_at, waiting.row.ack = seen.at, frame.data[0] if frame.data else ""


def _name(oadc: str) -> str:
    """An alphanumeric originator as text; as it stands where it cannot be read."""
    try:
        return alphabet.decode_oadc(oadc)
    except ValueError:
        return oadc


def _digits(field: str, otherwise: int) -> int:
    """A field of digits as a number; `otherwise` where it is empty, or holds something else or more than any field."""
    return int(field) if field.isascii() and field.isdigit() and len(field) <= LONGEST_NUMBER else otherwise
