"""UCP octets to centre commands and back: the SMSC's end of every connection. Opens no socket and reads no clock.

A driver tells it what happened (`opened`, `received`, `closed`, `advance`) with `now`, then sends what `output` holds
and closes what `closings` names. Everything one read brought is answered in one write.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import msgspec

from simbench.centre.agenda import Agenda
from simbench.centre.core import Centre
from simbench.centre.records import Accepted, Answer, Notice, PlatformState, Refused, Silence, Submit
from simbench.contract.calendar import minute_text, parse_minute, scts_text
from simbench.kernels.meter import SECOND_US
from simbench.ucp import alphabet, content
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, Framer, WireError, encode
from simbench.ucp.notices import deliver_body, notification_body
from simbench.ucp.operations import check, is_plain
from simbench.ucp.session import Session

Mute = Literal["", "deaf", "silent"]

UNSUPPORTED = "03"
NOT_ALLOWED = "04"
DEFAULT_NOTIFICATION = 3  # NRq without NT: tell the final outcome either way
ALPHANUMERIC = "5039"


class GatewaySettings(msgspec.Struct, frozen=True):
    """What the gateway needs to know of contract and scenario. Durations in microseconds."""

    windows: dict[str, int]  # account to window
    window_max: int
    login_timer_us: int
    login_failures_close: int
    idle_close_us: int
    notice_timer_us: int
    max_frame_octets: int = 4096


class Line:
    """One connection as the SMSC sees it."""

    __slots__ = ("account", "failures", "framer", "heard_at", "mute", "number", "out", "room_at", "session")

    def __init__(self, number: int, settings: GatewaySettings, now: int) -> None:
        self.number = number
        self.framer = Framer(settings.max_frame_octets)
        self.session = Session(settings.window_max, settings.window_max)
        self.account = ""
        self.failures = 0
        self.heard_at = now
        self.room_at = now  # since when its window has had room
        self.mute: Mute = ""
        self.out: list[bytes] = []


class Gateway:
    """All connections of one centre."""

    def __init__(self, centre: Centre, settings: GatewaySettings) -> None:
        self.centre, self.settings = centre, settings
        self.lines: dict[int, Line] = {}
        self.closings: dict[int, str] = {}
        self.barred: dict[str, Mute | Literal["close"]] = {}  # accounts a partial outage meets
        self.oddities: Counter[str] = Counter()
        self._of_account: dict[str, list[Line]] = defaultdict(list)
        self._dirty: dict[int, Line] = {}
        self._now = 0
        self._timers = Agenda()
        self._operations: dict[str, Callable[[Line, Frame, int], None]] = {
            "51": self._submit,
            "60": self._login,
            "31": self._alert,
        }

    # The driver's calls ----------------------------------------------------------------------------------------

    def opened(self, number: int, now: int) -> None:
        """A connection was made."""
        line = self.lines[number] = Line(number, self.settings, now)
        self._timers.enter(now + self.settings.login_timer_us, self._check_login, line)

    def received(self, number: int, octets: bytes, now: int) -> None:
        """Octets arrived. Whatever they are, nothing is raised and every other connection goes on."""
        line = self.lines.get(number)
        if line is None:
            return
        line.heard_at = now
        operations = self._operations
        for item in line.framer.feed(octets):
            if isinstance(item, WireError):
                self._malformed(line, item, now)
            elif item.kind == "R":
                self._result(line, item, now)
            else:
                operations.get(item.ot, self._unsupported)(line, item, now)
        self._settle()

    def closed(self, number: int, now: int) -> None:
        """A connection is gone: what it carried waits for the next login."""
        line = self.lines.pop(number, None)
        self.closings.pop(number, None)
        if line is None:
            return
        self._dirty.pop(number, None)
        carried = [wait.subject for wait in line.session.own.clear()]
        line.session.happen("lost")
        self._unregister(line)
        self.centre.logout(number, carried, now)
        self._settle()

    def advance(self, now: int) -> None:
        """Let time pass up to `now`.

        In steps that end before anything begun in them can be overdue, so that it does not matter how often this is
        called (the law of splitting).
        """
        while True:
            begun = max(self._now, min(now, self.centre.next_deadline()))
            step = min(now, self._timers.next_deadline(), begun + self.settings.notice_timer_us)
            self._now = max(self._now, step)
            self.centre.advance(self._now)
            self._settle()
            self._timers.run(self._now)
            self._settle()
            if step >= now:
                return

    def next_deadline(self) -> int:
        """The next instant at which `advance` has something to do, or NEVER."""
        return min(self._timers.next_deadline(), self.centre.next_deadline())

    def output(self) -> list[tuple[int, bytes]]:
        """What is to be written, one piece a connection, and forget it."""
        if not self._dirty:
            return []
        written = [(number, b"".join(line.out)) for number, line in self._dirty.items()]
        for line in self._dirty.values():
            line.out.clear()
        self._dirty.clear()
        return written

    def mute(self, number: int, how: Mute, now: int) -> None:
        """A partial or total outage reaches this connection: `deaf` writes nothing, `silent` also reads nothing."""
        line = self.lines[number]
        line.mute, line.room_at = how, now
        line.heard_at = now  # nobody is idle while the platform does not listen
        if how:
            self.centre.forget_held(number)
            line.session.peer.clear()
            carried = [wait.subject for wait in line.session.own.clear()]
            self.centre.board.orphaned(carried)
        elif line.account:
            self.centre.board.sort(line.account)
        self._settle()

    def go(self, state: PlatformState, now: int) -> None:
        """The platform changes state; what that lets through is written at once."""
        self.centre.go(state, now)
        self._settle()

    def lines_of(self, scope: str) -> list[int]:
        """Connections an outage of that scope meets: "total", a short code, or "session:N"."""
        if scope == "total":
            return list(self.lines)
        if scope.startswith("session:"):
            return [number for number in self.lines if f"session:{number}" == scope]
        owners = {a.name for a in self.centre.accounts.values() if scope in a.codes}
        return [number for number, line in self.lines.items() if line.account in owners]

    def originate(self, sender: str, code: str, text: str, now: int) -> list[Notice]:
        """A subscriber sends a text to a short code: one notice a segment, none when nobody owns the code."""
        posted = [self.centre.originate(sender, code, part, now) for part in content.compose(text)]
        self._settle()
        return [notice for notice in posted if notice is not None]

    # Operations of the application -----------------------------------------------------------------------------

    def _submit(self, line: Line, frame: Frame, now: int) -> None:
        if (line.session.state != "open" or line.session.peer.outstanding) and not self._has_place(line, frame):
            return
        data = frame.data
        oadc, segments, alphanumeric = data[At.OADC], 1, False  # all there is to a plain one
        if not is_plain(frame):
            if not self._is_sound(line, frame):
                return
            segments, alphanumeric = content.segments(frame), data[At.OTOA] == ALPHANUMERIC
            if alphanumeric:
                oadc = alphabet.decode_oadc(oadc)
        notify = int(data[At.NT] or "0") or DEFAULT_NOTIFICATION if data[At.NRQ] == "1" else 0
        expires_at = _validity_end(data[At.VP]) if data[At.VP] else 0
        submit = Submit(
            line.number, line.account, oadc, data[At.ADC], data[At.MSG], segments, notify, expires_at, alphanumeric,
            frame.trn,
        )  # fmt: skip
        reply = self.centre.submit(submit, now)
        if not isinstance(reply, Silence):
            self._write(line, encode(frame.trn, "R", "51", _result_body(reply)))
        elif reply is Silence.HELD:  # only what is not answered at once occupies a place of the window
            line.session.peer.occupy(frame.trn, "51", now)
        elif reply is Silence.CLOSE:
            self.closings[line.number] = "rate exceeded"

    def _has_place(self, line: Line, frame: Frame) -> bool:
        """Whether the session is open and its window has room for this TRN; else says so, or discards."""
        if line.session.state != "open":
            self._odd("operation-before-login")
            self._nack(line, frame.trn, frame.ot, NOT_ALLOWED, "no session")
            return False
        problem = line.session.peer.clash(frame.trn)
        if problem:  # discarded without answer (EMI-UCP 4.0, windowing)
            self._odd(problem)
        return not problem

    def _is_sound(self, line: Line, frame: Frame) -> bool:
        """Whether the fields are as they must be; answers the first that is not."""
        errors = check(frame)
        if errors:
            self._odd(errors[0].problem)
            self._nack(line, frame.trn, frame.ot, errors[0].ec, errors[0].field)
        elif frame.data[At.DD] == "1":
            self._nack(line, frame.trn, "51", "18", "deferred delivery not supported yet")
            return False
        return not errors

    def _login(self, line: Line, frame: Frame, now: int) -> None:
        errors = check(frame)
        if errors:
            self._nack(line, frame.trn, "60", errors[0].ec, errors[0].field)
            return
        name, styp, password = frame.data[0], frame.data[3], frame.data[4]
        if styp != "1":
            self._nack(line, frame.trn, "60", UNSUPPORTED, "session type")
            return
        barred = self.barred.get(name, "")
        if barred == "close":
            self.closings[line.number] = "outage"
            return
        if barred == "silent":
            line.mute = barred
            return
        session = line.session
        session.happen("login")
        refused = self.centre.login(line.number, name, alphabet.decode(bytes.fromhex(password)), now)
        if refused is not None:
            session.happen("refused")
            line.failures += 1
            self._unregister(line)
            self._nack(line, frame.trn, "60", refused.ec, refused.reason)
            if line.failures >= self.settings.login_failures_close:
                self.closings[line.number] = "too many failed logins"
            return
        session.happen("accepted")
        self._register(line, name, now)
        line.mute = barred or line.mute
        self._reply(line, frame.trn, "60", "A//")

    def _alert(self, line: Line, frame: Frame, now: int) -> None:  # noqa: ARG002 - all operations are told the instant
        errors = check(frame)
        if errors:
            self._nack(line, frame.trn, "31", errors[0].ec, errors[0].field)
        elif line.session.state != "open":
            self._odd("operation-before-login")
            self._nack(line, frame.trn, "31", NOT_ALLOWED, "no session")
        else:
            self._reply(line, frame.trn, "31", "A/0000/")

    def _unsupported(self, line: Line, frame: Frame, now: int) -> None:  # noqa: ARG002 - as above
        self._odd("unsupported-operation")
        self._nack(line, frame.trn, frame.ot, UNSUPPORTED, "operation not supported")

    def _malformed(self, line: Line, error: WireError, now: int) -> None:  # noqa: ARG002 - as above
        self._odd(error.name)
        if error.name == "checksum" and error.kind == "O":
            self._nack(line, error.trn, error.ot, "01", "checksum")
        elif error.name == "too-long":
            self.closings[line.number] = "frame too long"

    # Results of the application --------------------------------------------------------------------------------

    def _result(self, line: Line, frame: Frame, now: int) -> None:
        own = line.session.own
        was_full = not own.free
        waiting = own.settle(frame.trn, frame.ot)
        if waiting is None:
            self._odd("unexpected-result")
            return
        notice: Notice = waiting.subject
        if was_full:
            line.room_at = now
        self.centre.acknowledge(line.number, notice, frame.data[:1] == ["A"], now)
        if self.centre.board.waiting[notice.account]:
            self.centre.board.fresh.add(notice.account)

    # Output ----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Turn what the centre has to say into octets."""
        centre = self.centre
        if centre.answers:
            answers, centre.answers = centre.answers, []
            for answer in answers:
                self._late(answer)
        if centre.board.fresh and centre.state in {"up", "degraded"}:
            fresh, centre.board.fresh = centre.board.fresh, set()
            for account in sorted(fresh):
                self._carry(account)

    def _late(self, answer: Answer) -> None:
        line = self.lines.get(answer.session)
        if line is not None and line.session.peer.settle(answer.handle, "51"):
            self._write(line, encode(answer.handle, "R", "51", _result_body(answer.reply)))

    def _carry(self, account: str) -> None:
        """Send waiting notices over the account's sessions, the emptiest window first."""
        lines = [line for line in self._of_account[account] if not line.mute]
        while lines:
            line = max(lines, key=lambda line: line.session.own.free)
            notices = self.centre.board.pull(account, line.session.own.free)
            if not notices:
                return
            for notice in notices:
                self._send_notice(line, notice)

    def _send_notice(self, line: Line, notice: Notice) -> None:
        own = line.session.own
        now = max(notice.posted_at, line.room_at)
        if not own.outstanding:
            self._timers.enter(now + self.settings.notice_timer_us, self._check_notices, line)
        if notice.kind == "notification":
            ot, body = "53", notification_body(
                notice.code, notice.subscriber, _stamp(notice.scts), notice.outcome, notice.reason,
                _stamp(notice.at // SECOND_US),
            )  # fmt: skip
        else:
            ot, body = "52", deliver_body(notice.code, notice.subscriber, _stamp(notice.scts), notice.payload)
        self._write(line, encode(own.take(ot, notice, now), "O", ot, body))

    def _nack(self, line: Line, trn: str, ot: str, ec: str | None, text: str) -> None:
        """A negative result; without an error code, silence."""
        if ec is not None:
            self._reply(line, trn, ot, f"N/{ec}/{text}/")

    def _reply(self, line: Line, trn: str, ot: str, body: str) -> None:
        self._write(line, encode(trn, "R", ot, body))

    def _write(self, line: Line, octets: bytes) -> None:
        if not line.mute:
            line.out.append(octets)
            self._dirty[line.number] = line

    # Bookkeeping -----------------------------------------------------------------------------------------------

    def _register(self, line: Line, account: str, now: int) -> None:
        self._unregister(line)
        line.account, line.room_at = account, now
        window = self.settings.windows[account]
        line.session.own.size = line.session.peer.size = window
        self._of_account[account].append(line)
        self.centre.board.fresh.add(account)

    def _unregister(self, line: Line) -> None:
        if line.account and line in self._of_account[line.account]:
            self._of_account[line.account].remove(line)
        line.account = ""

    def _check_login(self, line: Line, now: int) -> None:
        if self.lines.get(line.number) is not line:
            return
        if line.mute:
            self._timers.enter(now + self.settings.login_timer_us, self._check_login, line)
        elif line.session.state != "open":
            self.closings[line.number] = "no login in time"
        else:
            self._check_idle(line, now)

    def _check_idle(self, line: Line, now: int) -> None:
        if self.lines.get(line.number) is not line:
            return
        silent_until = line.heard_at + self.settings.idle_close_us
        if silent_until <= now and not line.mute:
            self.closings[line.number] = "idle"
        else:
            self._timers.enter(max(silent_until, now + SECOND_US), self._check_idle, line)

    def _check_notices(self, line: Line, now: int) -> None:
        """Notices unanswered for too long give their TRN back and are offered again later."""
        if self.lines.get(line.number) is not line:
            return
        own = line.session.own
        for trn in own.overdue(now - self.settings.notice_timer_us + 1):
            if not own.free:
                line.room_at = now
            waiting = own.outstanding.pop(trn)
            self._odd("unanswered-notice")
            self.centre.acknowledge(line.number, waiting.subject, False, now)
        if own.outstanding:
            oldest = min(wait.sent_at for wait in own.outstanding.values())
            self._timers.enter(oldest + self.settings.notice_timer_us, self._check_notices, line)

    def _odd(self, name: str) -> None:
        self.oddities[name] += 1


def _result_body(reply: Accepted | Refused) -> str:
    """Data part of the result of a 51 (EMI-UCP 4.0 section 6.2)."""
    if isinstance(reply, Refused):
        return f"N/{reply.ec}/{reply.reason}/"
    shortened = minute_text(reply.shortened_to) if reply.shortened_to else ""
    return f"A/{shortened}/{reply.recipient}:{_stamp(reply.scts)}/"


@lru_cache(maxsize=4096)
def _stamp(second: int) -> str:
    """A service centre time stamp, DDMMYYHHmmss in Paris time."""
    return scts_text(second * SECOND_US)


@lru_cache(maxsize=4096)
def _validity_end(text: str) -> int:
    return parse_minute(text) or 0
