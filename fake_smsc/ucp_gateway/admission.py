"""Admission of an operation to a session: the session's state, its window and its transaction numbers.

The switches `before_login`, `over_window` and `trn_reuse` decide how violations are answered (EMI-UCP 4.0 section 3.1).
"""

from __future__ import annotations

from fake_smsc.strictness import Strictness
from fake_smsc.ucp_gateway.line import Line
from fake_smsc.ucp_gateway.output import Output
from simbench.ucp.frame import Frame

NOT_ALLOWED = "04"


class WindowAdmission:
    """Applies one set of switches to operations that are out of turn."""

    def __init__(self, strictness: Strictness, out: Output) -> None:
        self.switches, self.out = strictness.settled(), out

    def allowed(self, line: Line, frame: Frame, now: int) -> bool:
        """Return whether the session's state allows the operation; if not, answer it."""
        session = line.session
        if session.allows(frame.ot):
            return True
        if session.state not in {"connected", "login"}:  # in the other kind of session
            self.out.violation(line, "operation-of-another-session", now)
            self.out.nack(line, frame, NOT_ALLOWED, "not in this session")
            return False
        self.out.violation(line, "operation-before-login", now)
        if self.switches.before_login == "nack04":
            self.out.nack(line, frame, NOT_ALLOWED, "no session")
        elif self.switches.before_login == "close":
            self.out.close(line, "operation before login")
        return False

    def key(self, line: Line, frame: Frame, now: int) -> str:
        """Return the window key for an operation, "" if it is not admitted and has been dealt with.

        The key is the TRN, with a suffix if an operation of that TRN is still open and both are served.
        """
        if not self.allowed(line, frame, now):
            return ""
        peer = line.session.peer
        problem = peer.clash(frame.trn)
        if not problem:
            return frame.trn
        if problem == "trn-in-use":
            self.out.violation(line, problem, now)
            if self.switches.trn_reuse == "discard":
                return ""
        if peer.free <= 0 and not self._beyond(line, frame, now):
            return ""
        key, number = frame.trn, 0
        while key in peer.outstanding:
            key, number = f"{frame.trn}+{number}", number + 1
        return key

    def answers_at_once(self, line: Line, frame: Frame, now: int) -> bool:
        """Admit an operation that needs no window slot: its TRN must not belong to an open one."""
        if not self.allowed(line, frame, now):
            return False
        if frame.trn not in line.session.peer.outstanding:
            return True
        self.out.violation(line, "trn-in-use", now)
        return self.switches.trn_reuse == "serve"

    def _beyond(self, line: Line, frame: Frame, now: int) -> bool:
        self.out.violation(line, "over-window", now)
        if self.switches.over_window == "nack04":
            self.out.nack(line, frame, NOT_ALLOWED, "window exceeded")
        return self.switches.over_window == "serve"
