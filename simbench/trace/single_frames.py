"""Reads frames of a wire one by one: the kind of each, the operation a result answers, and its problems."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from simbench.base.units import SECOND_US
from simbench.kernels.frames import Plain, Scanner
from simbench.trace.kernels import dialogue
from simbench.trace.kernels.dialogue import LAST, LONGEST_SILENCE, SINCE
from simbench.trace.lazy import LONGEST, Octets
from simbench.trace.line import Line, Login
from simbench.trace.messages import TOKEN
from simbench.trace.rows import Alert, Mo
from simbench.trace.stores import FRAMES, NOTIFICATIONS, RESULTS, SUBMITS, Names, Store
from simbench.ucp import alphabet, content
from simbench.ucp.checks import PROBLEMS, check
from simbench.ucp.codes import PASSWORD_CHANGES
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, Framer

ALPHANUMERIC = "5039"
LONGEST_NUMBER = 18  # most digits of a number of 64 bits
GIVEN_UP_US = 60 * SECOND_US  # after this time without a result, the TRN of an operation is free again
TRNS: Final = 100
REUSED, _NO_OPERATION = "TRN in use", "answers nothing that was asked"
READY, SEEN_OPEN, ACCOUNT = range(3)


class Spot(msgspec.Struct):
    """The position of a frame: its number among all frames, instant, connection, and the offset of its octets."""

    order: int
    at: int
    line: Line
    place: int


class SingleFrames:
    """The columns of a wire, and the reader of frames that are not plain."""

    def __init__(self, *, compiled: bool) -> None:
        self.octets = Octets()
        self.lines: dict[int, Line] = {}
        self.frames, self.submits, self.notifications = Store(FRAMES), Store(SUBMITS), Store(NOTIFICATIONS)
        self.results, self.acknowledged = Store(RESULTS), Store(RESULTS)
        self.mo: list[Mo] = []
        self.alerts: list[Alert] = []
        self.problems, self.signs = Names("", REUSED, _NO_OPERATION), Names("", "A", "N")
        self.accounts, self.senders = Names(""), Names()
        # Originators by hash: number of the sender, and whether it is alphanumeric; None if the originator is invalid.
        self._known: dict[tuple[int, int], tuple[int, bool] | None] = {}
        self._logins: list[Login] = []
        self._noted: list[tuple[int, ...]] = []  # rows of `frames` (below: of the other stores) not yet in columns
        self._sent: list[tuple[int, ...]] = []
        self._notified: list[tuple[int, ...]] = []
        self._answered: list[tuple[int, ...]] = []
        self._known_received: list[tuple[int, ...]] = []
        self._scanner, self._framer = Scanner(compiled=compiled), Framer()
        self.heard = np.zeros(2, np.int64)  # number of frames in each direction
        self._slots = np.zeros((16, 3), np.int64)
        self._unaligned = np.ones((16, 2), np.bool_)
        self._heard = np.full(16, -1, np.int64)
        self._quiet = np.full((16, 3), -1, np.int64)
        self._unanswered, self._unacknowledged = np.zeros((2, TRNS, 16, 3), np.int64)
        self._by_slot: list[Line] = []
        self._counts = np.zeros(2, np.int64)

    def _originator(self, named: int, word: int, block: Plain, number: int) -> tuple[int, bool] | None:
        if (named, word) not in self._known:
            frame = next(item for item in self._framer.feed(block.frame(number)) if isinstance(item, Frame))
            sound = not check(frame)
            self._known[named, word] = self._sender(frame.data) if sound else None
        return self._known[named, word]

    def _sender(self, data: list[str]) -> tuple[int, bool]:
        alphanumeric = data[At.OTOA] == ALPHANUMERIC
        return self.senders.number(_name(data[At.OADC]) if alphanumeric else data[At.OADC]), alphanumeric

    def _listen(self, slot: int, at: int) -> None:
        """Update the client's silences at a frame, or at octets outside any frame."""
        quiet = self._quiet[slot]
        if quiet[LAST] >= 0 and at - quiet[LAST] > quiet[LONGEST_SILENCE]:
            quiet[LONGEST_SILENCE], quiet[SINCE] = at - quiet[LAST], quiet[LAST]
        quiet[LAST] = at

    def _frame(self, frame: Frame, spot: Spot, way: int) -> tuple[int, bool]:
        """Read one well-formed frame; return the number of its problem (0: none), and whether that is tolerated."""
        if way:
            self._from_smsc(frame, spot)
            return 0, False
        errors = check(frame)
        problem = f"{errors[0].field}: {errors[0].problem}" if errors else ""
        noted = bool(errors) and all(PROBLEMS[error.problem].noted for error in errors)
        amiss = self._from_client(frame, spot)
        return self.problems.number(problem or amiss), noted

    def _from_client(self, frame: Frame, spot: Spot) -> str:
        """Read a frame of the client; return the problem of its TRN, "" if there is none."""
        line = spot.line
        if frame.kind == "R":
            return self._acknowledge(frame, spot)
        if not line.first and line.opened_at >= 0:
            line.first, line.first_at = frame.ot, spot.at
            self._ready(line)
        if frame.ot != "60" and not line.account and line.early_at < 0 and line.opened_at >= 0:
            line.early_at = spot.at
        if frame.ot == "51" and len(frame.data) > At.OTOA:
            return self._await(frame, spot, self._submit(frame, spot))
        if frame.ot == "60" and frame.data:
            self._logins.append(_login(line, frame, spot.at))
            return self._await(frame, spot, len(self._logins) - 1)
        if frame.ot == "31":
            self.alerts.append(Alert(spot.at, line.number, line.account, -1, frame.octets))
            return self._await(frame, spot, len(self.alerts) - 1)
        return ""

    def _ready(self, line: Line) -> None:
        self._slots[line.slot, READY] = line.opened_at < 0 or bool(line.first and line.account)
        self._slots[line.slot, ACCOUNT] = self.accounts.number(line.account)

    def _await(self, frame: Frame, spot: Spot, number: int) -> str:
        """Record that an operation of the client waits for its result. If its TRN is in use, the SMSC discards it.

        Source: EMI-UCP 4.0, windowing (docs/reference/ucp.md, section 1.4).
        """
        waiting = self._unanswered[int(frame.trn), spot.line.slot]
        if waiting[0] and spot.at - waiting[2] <= GIVEN_UP_US:
            return REUSED
        waiting[:] = _kind(frame), number, spot.at
        return ""

    def _submit(self, frame: Frame, spot: Spot) -> int:
        data, number = frame.data, int(self._counts[0])
        self._counts[0] += 1
        sender, alphanumeric = self._sender(data)
        read = content.read(data)
        text = read.text or ""
        token = TOKEN.search(text)
        notify = _digits(data[At.NT] or "3", 0) if data[At.NRQ] == "1" else 0
        self._sent.append(
            (number, spot.order, spot.at, spot.line.slot, self.accounts.number(spot.line.account), int(frame.trn),
             self._written(self.submits, "recipient", number, data[At.ADC]), sender, alphanumeric, read.segments,
             notify, self._written(self.submits, "validity", number, data[At.VP]), 0, 0, -1, spot.place,
             len(frame.octets), _word(text), False)
        )  # fmt: skip
        if text:
            self.submits.other("text", number, text)
        if token:
            self.submits.other("token", number, token.group())
        return number

    def _written(self, store: Store, column: str, number: int, text: str) -> int:
        """Return a text of digits as a number with a 1 before it; any other text is stored unchanged in `others`."""
        if len(text) <= LONGEST and text.isascii() and (text.isdigit() or not text):
            return int("1" + text)
        store.other(column, number, text)
        return 1

    def _from_smsc(self, frame: Frame, spot: Spot) -> None:
        if frame.kind == "R":
            self._answer(frame, spot)
            return
        number = -1
        if frame.ot in {"52", "53"} and len(frame.data) > At.OTOA:
            number = self._notice(frame, spot) if frame.ot == "53" else self._originated(frame, spot)
        self._unacknowledged[int(frame.trn), spot.line.slot] = _kind(frame), number, spot.at

    def _notice(self, frame: Frame, spot: Spot) -> int:
        data, number, store = frame.data, int(self._counts[1]), self.notifications
        self._counts[1] += 1
        self._notified.append(
            (number, spot.at, spot.line.slot, self.accounts.number(spot.line.account), int(frame.trn),
             self._written(store, "code", number, data[At.ADC]),
             self._written(store, "recipient", number, data[At.OADC]),
             self._written(store, "scts", number, data[At.SCTS]), _digits(data[At.DST], -1), _digits(data[At.RSN], 0),
             spot.place, len(frame.octets))
        )  # fmt: skip
        return number

    def _originated(self, frame: Frame, spot: Spot) -> int:
        data, line = frame.data, spot.line
        text = content.read(data).text or ""
        self.mo.append(
            Mo(spot.at, line.number, line.account, data[At.ADC], data[At.OADC], data[At.SCTS], text, frame.trn, -1, "",
               frame.octets)
        )  # fmt: skip
        return len(self.mo) - 1

    def _answer(self, frame: Frame, spot: Spot) -> None:
        """Complete the operation that a result of the SMSC answers."""
        waiting = self._unanswered[int(frame.trn), spot.line.slot]
        if waiting[0] != _kind(frame):
            return
        waiting[0] = 0
        number, data = int(waiting[1]), frame.data
        positive = data[:1] == ["A"]
        if frame.ot == "51":
            self._result(number, spot.at, data, positive)
        elif frame.ot == "31":
            self.alerts[number].result_at = spot.at
        elif frame.ot == "60":
            login = self._logins[number]
            login.ack, login.ec = data[0] if data else "", "" if positive or len(data) < 2 else data[1]
            if positive and login.account:
                spot.line.account = login.account
                self._ready(spot.line)

    def _result(self, number: int, at: int, data: list[str], positive: bool) -> None:
        ec = scts = 1
        if positive and len(data) > 2:
            scts = self._written(self.submits, "scts", number, data[2].rpartition(":")[2])
            if data[1]:
                self.submits.other("mvp", number, data[1])
        elif len(data) > 1:
            ec = self._written(self.submits, "ec", number, data[1])
        self._answered.append((number, at, self.signs.number(data[0] if data else ""), ec, scts))

    def _acknowledge(self, frame: Frame, spot: Spot) -> str:
        """Complete the 52 or 53 that a result of the client answers; return the problem, "" if there is none."""
        waiting = self._unacknowledged[int(frame.trn), spot.line.slot]
        if waiting[0] != _kind(frame):
            return _NO_OPERATION if spot.line.opened_at >= 0 else ""  # the operation may precede the record
        waiting[0] = 0
        number, sign = int(waiting[1]), frame.data[0] if frame.data else ""
        if number >= 0 and frame.ot == "53":
            self._known_received.append((number, spot.at, self.signs.number(sign), 1, 1))
        elif number >= 0:
            self.mo[number].result_at, self.mo[number].ack = spot.at, sign
        return ""


def _kind(frame: Frame) -> int:
    """Return a number for an OT, never 0."""
    return int(frame.ot) or TRNS


def _word(text: str) -> int:
    """Return the hash of a text, equal for equal texts; 0 if the text has several encodings."""
    try:
        octets = alphabet.encode(text)
    except UnicodeEncodeError:
        return 0
    return 0 if alphabet.ESCAPE in octets else dialogue.word_of(octets.hex().upper().encode())


def _name(oadc: str) -> str:
    """Return an alphanumeric originator as text, unchanged if it cannot be decoded."""
    try:
        return alphabet.decode_oadc(oadc)
    except ValueError:
        return oadc


def _digits(field: str, otherwise: int) -> int:
    """Return a field of digits as a number; `otherwise` if it is empty, too long or not digits."""
    return int(field) if field.isascii() and field.isdigit() and len(field) <= LONGEST_NUMBER else otherwise


def _login(line: Line, frame: Frame, at: int) -> Login:
    """Return an operation 60; it is the connection's login unless that was accepted already or it changes a password.

    The login that changes a password has no account, because its result opens no session.
    """
    if PASSWORD_CHANGES.intersection(frame.data[3:4]):
        return Login(at, "")
    login = Login(at, frame.data[0])
    if line.login is None or line.login.ack != "A":
        line.login = login
    return login
