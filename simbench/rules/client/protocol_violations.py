"""Rules on protocol violations: each kind by name, with its count.

Violations visible on the wire are found there, so that a capture is judged like a run; events add those that only the
SMSC sees. Sources: EMI-UCP 4.0 sections 2 to 6; docs/reference/strictness.md for violations a tolerant SMSC accepts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import msgspec
import numpy as np

from simbench.base.units import SECOND_US
from simbench.finding import Evidence
from simbench.ledger.capture_events import ConnectionAttempted
from simbench.ledger.events import ViolationSeen
from simbench.rules.evidence import framed
from simbench.rules.moved_clock import steps
from simbench.rules.rule import Case, Verdict, rule
from simbench.trace.rows import FrameSeen, Mo, Notification
from simbench.trace.view import Bools
from simbench.trace.wire import UNENDED
from simbench.ucp.checks import PROBLEMS, check
from simbench.ucp.fields import Field, layout_of
from simbench.ucp.foreign import protocol_of
from simbench.ucp.frame import OVERHEAD, WIRE_ERRORS, Frame, Framer

FRAMES, REQUESTS = "sessions.violations", "submits.violations"
SHOWN = 3  # of each violation
OPENS = ["1"], ["4"]  # STYP of 60 that opens a session


class Violation(msgspec.Struct, frozen=True):
    """A kind of protocol violation: its purpose, its description, and whether a server may accept it."""

    purpose: str
    meaning: str
    forgivable: bool = False


VIOLATIONS: Final[dict[str, Violation]] = {
    **{
        name: Violation(FRAMES, error.meaning, error.tolerated)
        for name, error in WIRE_ERRORS.items()
        if name != "too-long"
    },
    "frame-too-long": Violation(FRAMES, WIRE_ERRORS["too-long"].meaning),
    "foreign-protocol": Violation(FRAMES, "octets of another protocol, such as SMPP, HTTP or TLS"),
    "unended": Violation(FRAMES, "octets without an ETX at the end of the client's data"),
    "hex-trn": Violation(FRAMES, "a TRN in hexadecimal, in a frame that is otherwise correct"),
    "short-checksum": Violation(FRAMES, "a checksum of one digit, in a frame that is otherwise correct"),
    "missing-slash": Violation(FRAMES, "no slash before the checksum, in a frame that is otherwise correct"),
    "lower-case-hex": Violation(FRAMES, "a field in hexadecimal written in lower case", forgivable=True),
    "unsupported-operation": Violation(FRAMES, PROBLEMS["unknown-operation"].meaning),
    **{
        name: Violation(REQUESTS, problem.meaning, problem.strict_only)
        for name, problem in PROBLEMS.items()
        if name != "unknown-operation"
    },
    "trn-in-use": Violation(REQUESTS, "a TRN whose operation is not answered yet"),
    "unexpected-result": Violation(REQUESTS, "a result that belongs to no operation of the SMSC"),
    "operation-before-login": Violation(REQUESTS, "an operation other than 60 before the login is accepted"),
    "second-login": Violation(REQUESTS, "a further 60 in a session that is open", forgivable=True),
    # Only the SMSC sees these, because its timers, windows and switches are not on the wire.
    "operation-of-another-session": Violation(
        REQUESTS, "an operation of the other kind of session (messages or provisioning)"
    ),
    "over-window": Violation(REQUESTS, "one more operation unanswered than the window allows"),
    "unanswered-notice": Violation(REQUESTS, "a 52 or 53 that got no result in time"),
    "result-without-sm": Violation(
        REQUESTS, "no SM in the result of a 52 or 53, although `notice_sm` requires it", forgivable=True
    ),
}
UNKNOWN: Final = Violation(REQUESTS, "")
SMSC_ONLY: Final = ("operation-of-another-session", "over-window", "unanswered-notice", "result-without-sm")
_BROKEN: Final = {"header", "length", "checksum"}
_OTHER_NAMES: Final = {  # problems of the trace that have another name here
    "too-long": "frame-too-long",
    "TRN in use": "trn-in-use",
    "answers nothing that was asked": "unexpected-result",
    "field unknown-operation": "unsupported-operation",
}

_HEAD: Final = re.compile(rb"([0-9A-Fa-f]{2})/([0-9]{5})/[OR]/[0-9]{2}/")
_TAIL: Final = re.compile(rb"(/?)([0-9A-Fa-f]{1,2})$")
_LOWER: Final = re.compile(rb"[a-f]")
_HEX: Final = re.compile(r"[0-9A-Fa-f]*[a-f][0-9A-Fa-f]*")
_FORMS: Final = {"hex", "originator", "message"}


@rule(
    FRAMES,
    "The client's frames have the format of the protocol",
    usual_cause="Length and checksum are made before the text is encoded, or by characters instead of octets.",
    catches=("bad-checksum", "bad-length", "hex-trn"),
    suites=("client", "watched", "audit"),
    absence="session",
    standing=True,
)
def odd_frames(case: Case) -> Verdict:
    """Judge octets and frames: header, length, checksum, line ends, case of letters."""
    return _judged(case, FRAMES)


@rule(
    REQUESTS,
    "The client's operations and results follow the protocol",
    catches=("missing-field", "submit-before-login"),
    suites=("client", "watched", "audit"),
    absence="session",
    standing=True,
)
def odd_requests(case: Case) -> Verdict:
    """Judge fields, TRNs in use, sessions, and results without an operation."""
    return _judged(case, REQUESTS)


def _judged(case: Case, purpose: str) -> Verdict:
    if not case.trace.frames_seen("in"):
        return Verdict("inconclusive", "the client sent nothing", blame="client")
    met = {
        name: found
        for name, found in case.once(_met).items()
        if VIOLATIONS.get(name, UNKNOWN).purpose == purpose
    }  # fmt: skip
    if not met:
        return Verdict("pass", "no violations", 0, 0, "violations")
    clause = case.contract.clauses.get(case.contract.clause_of(purpose))
    must = clause is None or clause.strength == "must"
    hard = {name for name in met if must and not VIOLATIONS.get(name, UNKNOWN).forgivable}
    ranked = sorted(met, key=lambda name: (name not in hard, -met[name].count, name))
    summary = ", ".join(f"{met[name].count} {name}" + ("" if name in hard else " (forgivable)") for name in ranked)
    evidence = tuple(one for name in ranked for one in met[name].first)
    count = sum(found.count for found in met.values())
    return Verdict("fail" if hard else "weak", summary, count, 0, "violations", "client", (), evidence)


class Met(msgspec.Struct):
    """The number of times a violation occurred, and evidence of the first few."""

    count: int = 0
    first: list[Evidence] = []


def _met(case: Case) -> dict[str, Met]:
    met: dict[str, Met] = defaultdict(Met)
    for name, where in met_by(case):
        met[name].count += 1
        if met[name].count <= SHOWN:
            met[name].first.append(where())
    return met


def met_by(case: Case) -> Iterator[tuple[str, Callable[[], Evidence]]]:
    """Yield every violation by name, with a function that makes its evidence: on the wire first, then from events."""
    opened = {row.session for row in case.trace.sessions.rows() if row.opened_at >= 0}
    logged_in: set[int] = set()
    given_up: set[tuple[int, int]] = set()
    stepped, patience_us = steps(case.trace), max(case.contract.terms.session.notice_retry_s.value) * SECOND_US
    for row in case.trace.other_frames.where(_worth_reading(case)).rows():
        if row.direction == "out":
            if row.kind == "R" and row.ot == "60" and row.frame[15:16] == b"A":
                logged_in.add(row.session)
            continue
        protocol = protocol_of(row.frame) if row.problem else ""
        names = ["foreign-protocol"] if protocol else _names(row, row.session in logged_in, row.session in opened)
        for name in names:
            note = f"{name}: {protocol}" if protocol else name
            yield name, partial(framed, note, row)
    for at, event in case.trace.events:
        match event:
            case ConnectionAttempted(protocol=spoken) if spoken:
                yield "foreign-protocol", partial(Evidence, f"foreign-protocol: {spoken}", at, at)
            case ViolationSeen(name="unanswered-notice") if any(
                since < at and at - patience_us < until for since, until in stepped
            ):
                pass  # the clock stepped while the notice waited, so the client had less time than the timer says
            case ViolationSeen(session=session, name=name) if name in SMSC_ONLY:
                yield name, partial(_seen_by_the_smsc, case, name, at, int(session.partition(":")[2] or -1), given_up)


def _seen_by_the_smsc(case: Case, name: str, at: int, session: int, given_up: set[tuple[int, int]]) -> Evidence:
    """The evidence of a violation that only the SMSC recorded; for an operation that it gave up, the operation's frame.

    `given_up`: the session and instant of those that other evidence shows already.
    """
    if name == "unanswered-notice":
        rows: list[Notification | Mo] = [*case.trace.notifications.rows(), *case.trace.mo.rows()]
        open_ = [one for one in rows if one.session == session and one.at <= at and not 0 <= one.result_at <= at]
        left = [one for one in open_ if (session, one.at) not in given_up]
        oldest = min(left, key=lambda one: one.at, default=None)
        if oldest is not None:
            given_up.add((session, oldest.at))
            return framed(name, oldest)
    return Evidence(name, at, at, session)


def _worth_reading(case: Case) -> Bools:
    """Return the frames that may contain a violation or log a session in; the others are skipped."""
    frames, equal = case.trace.other_frames, case.trace.other_frames.equal
    asked, logins = equal("kind", "O"), ~equal("direction", "in") & equal("kind", "R") & equal("ot", "60")
    # Before the first result of a login any operation may be a violation.
    sessions, which = np.unique(frames.session, return_inverse=True)
    begun = np.full(len(sessions), len(frames))
    places = np.flatnonzero(logins)[::-1]
    begun[which[places]] = places  # in reverse order, so that the first login of a session remains
    early = np.arange(len(frames)) <= begun[which]
    odd = ~equal("problem", "") | (asked & (equal("ot", "60") | early | case.trace.lower_case))
    return logins | (equal("direction", "in") & odd)


def _names(row: FrameSeen, logged_in: bool, opened: bool) -> Iterator[str]:
    """Yield the violations in one frame of the client, or in octets outside any frame."""
    if row.problem == UNENDED:
        yield row.problem
        return
    if row.problem in WIRE_ERRORS:  # if tolerated, the frame has its own row
        yield _meant(row.frame) if row.problem in _BROKEN else _OTHER_NAMES.get(row.problem, row.problem)
        return
    if row.problem:
        if row.problem in _OTHER_NAMES:
            yield _OTHER_NAMES[row.problem]
        for problem in {error.problem: None for error in check(_frame(row.frame))}:
            yield _OTHER_NAMES.get(f"field {problem}", problem)
    if row.kind != "O":
        return
    if row.ot != "60":
        if opened and not logged_in:
            yield "operation-before-login"
    elif logged_in and _frame(row.frame).data[3:4] in OPENS:
        yield "second-login"
    if _LOWER.search(row.frame, 0, len(row.frame) - 3) and _has_lower_case(_frame(row.frame)):
        yield "lower-case-hex"


def _frame(octets: bytes) -> Frame:
    frame = Framer(len(octets)).feed(octets)[-1]
    assert isinstance(frame, Frame), "a row without a wire error is a frame"
    return frame


def _meant(octets: bytes) -> str:
    """Return the likely defect of a broken frame: "hex-trn", "short-checksum" or "missing-slash", else its error."""
    body = octets[1:-1]
    head, tail = _HEAD.match(body), _TAIL.search(body)
    error = Framer(len(octets)).feed(octets)[-1]
    name = getattr(error, "name", "header")
    if head is None or tail is None or len(body) < OVERHEAD - 1:
        return str(name)
    start = tail.start(2)
    right = int(tail[2], 16) == sum(body[:start]) % 256
    fits = int(head[2]) in {len(body), len(body) + 2 - len(tail[2])}
    if not right or not fits:
        return str(name)
    if not tail[1]:
        return "missing-slash"
    if len(tail[2]) < 2:
        return "short-checksum"
    return str(name) if head[1].isdigit() else "hex-trn"


def _has_lower_case(frame: Frame) -> bool:
    layout = layout_of(frame.kind, frame.ot, frame.data)
    if layout is None or layout.counted:
        return False
    cells: Iterator[tuple[Field, str]] = zip(layout.fields, frame.data, strict=False)
    return any(field.form in _FORMS and _HEX.fullmatch(cell) for field, cell in cells)
