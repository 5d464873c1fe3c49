"""The assembled gateway: connections in, the centre's answers and notifications out.

A driver reports events (`opened`, `received`, `closed`, `advance`) with `now`, then writes the result of `output` and
closes the connections in `closings`. All frames of one read are answered in one write. A connection that is being
closed is no longer served, and one without a login is closed after EARLY frames or wire errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from fake_smsc.core.centre import Centre
from fake_smsc.core.records import Notification, PlatformState
from fake_smsc.core.timer_queue import EVERY_TIMER, TimerQueue
from fake_smsc.ucp_gateway.admission import WindowAdmission
from fake_smsc.ucp_gateway.all_operations_meter import count_all
from fake_smsc.ucp_gateway.amendments import AmendmentOperations
from fake_smsc.ucp_gateway.legacy import LegacySubmission
from fake_smsc.ucp_gateway.line import GatewaySettings, Line, Mute, OwnWindow
from fake_smsc.ucp_gateway.logins import LoginGuard, Report
from fake_smsc.ucp_gateway.notifications import NotificationSender
from fake_smsc.ucp_gateway.output import Output
from fake_smsc.ucp_gateway.sessions import Sessions
from fake_smsc.ucp_gateway.shares import EVERYTHING, Reads, Shares
from fake_smsc.ucp_gateway.strictness_policy import StrictnessPolicy
from fake_smsc.ucp_gateway.submission import Submission
from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.ucp import content
from simbench.ucp.foreign import protocol_of
from simbench.ucp.frame import ASCII_AT_ONCE, ETX, STX, Frame, WireError

UNSUPPORTED = "03"
EARLY = 100  # frames and wire errors of a connection without a login, before it is closed
PIECE = 4_096  # octets decoded at once: as many as a frame may have
SHORT_PIECE = 256  # octets decoded at once if most of them begin or end a frame
MANY_ERRORS = 64
WEIGHED = 512  # octets of frames that are not plain, as dear as another frame
SUBMIT = b"/O/51/"
Serve = Callable[[Line, bytes, int], int]


class FastPath(Protocol):
    """Serves plain frames and plain notifications, many at a time, with the decisions of this gateway and its centre.

    Calls that return False have changed nothing; the gateway then serves frame by frame.
    """

    def window(self, line: int, size: int, now: int) -> OwnWindow:
        """Return the window of a new connection's own operations."""

    def closed(self, line: Line) -> None:
        """A connection is gone, and its window is empty."""

    def serve(self, reads: Reads, now: int, shares: Shares) -> bool:
        """Serve the frames completed by the reads, in order; those that are not plain within their shares."""

    def answer(self, line: Line, octets: bytes, now: int) -> bytes | None:
        """Serve a read that is one plain frame; return its result, None if it is anything else."""

    def write_rows(self, now: int) -> None:
        """Append the rows of the frames that `answer` served."""

    def carry(self, accounts: set[str]) -> bool:
        """Send the waiting notifications of these accounts, and of those with new rows of its own."""


FastPathOf = Callable[[Submission, NotificationSender, Serve], FastPath]


class Gateway:
    """All connections of one centre. `protocol_violations` counts the clients' violations by name."""

    def __init__(self, centre: Centre, settings: GatewaySettings, fast_path_of: FastPathOf | None = None) -> None:
        self.centre, self.settings = centre, settings
        self.lines: dict[int, Line] = {}
        self.times = UcpTimes(settings.calendar)
        self._out = Output(self.times)
        self.protocol_violations, self.violation_events = self._out.protocol_violations, self._out.violation_events
        self._now = 0
        self._leaping = False
        self._timers = TimerQueue()
        self._leniency = StrictnessPolicy(settings.strictness, self._out)
        window_admission = WindowAdmission(settings.strictness, self._out)
        self._notification_sender = NotificationSender(centre, settings, self._out, self._timers)
        self._sessions = Sessions(self._notification_sender, window_admission, self._leniency, self.lines)
        self._submission = Submission(centre, self._out, window_admission, self._leniency)
        self._fast: FastPath | None = None
        if fast_path_of is not None and settings.max_frame_octets >= ASCII_AT_ONCE:  # no plain submit is longer
            self._fast = fast_path_of(self._submission, self._notification_sender, self._single)
        legacy = LegacySubmission(centre, self._out, window_admission, self._leniency)
        amendments = AmendmentOperations(centre, self._out, window_admission, self._leniency)
        self._operations: dict[str, Callable[[Line, Frame, int], None]] = {
            **dict.fromkeys(("01", "02", "03", "30"), legacy.submit),
            "31": self._sessions.alert,
            "51": self._submission.submit,
            "54": amendments.modify,
            "55": amendments.inquire,
            "56": amendments.delete,
            "60": self._sessions.login,
            "61": self._sessions.edit_list,
        }
        count_all(centre, self._operations)

    @property
    def closings(self) -> dict[int, str]:
        """Connections to close, with the reason; the driver replaces it once they are closed."""
        return self._out.closings

    @closings.setter
    def closings(self, remaining: dict[int, str]) -> None:
        self._out.closings = remaining

    @property
    def barred(self) -> dict[str, Mute | Literal["close"]]:
        """Accounts affected by a partial outage, and how."""
        return self._sessions.barred

    def guard_logins(self, guard: LoginGuard) -> None:
        """Use this guard for every login."""
        self._sessions.guard = guard

    def report_logins(self, report: Report) -> None:
        """Call this function with every login from now on."""
        self._sessions.report = report

    def swallowed_login(self, number: int, frame: Frame, now: int, why: str, ec: str) -> None:
        """Report a login that a wire fault kept away from the gateway."""
        if number in self.lines:
            self._sessions.saw(self.lines[number], frame, now, why, ec)

    # The driver's calls ----------------------------------------------------------------------------------------

    def opened(self, number: int, now: int, peer: str = "") -> None:
        """A new connection, from an address."""
        own = (self._fast.window if self._fast else _window)(number, self.settings.window_max, now)
        line = self.lines[number] = Line(number, self.settings, now, own, peer)
        self._sessions.opened(line, now)

    def received(self, number: int, octets: bytes, now: int) -> None:
        """Process received octets. No input raises an error or affects other connections."""
        self.received_many([(number, octets)], now)

    def received_many(
        self, reads: list[tuple[int, bytes]], now: int, most: int = EVERYTHING
    ) -> list[tuple[int, bytes]]:
        """`received` for the reads of several connections, in order; what follows from them is written at the end.

        After `most` frames of a connection that are not plain submits or acknowledgements, or twice as many of all of
        them, the rest of its octets is returned, for the caller to report before anything else. A long frame counts as
        several, and without the fast path every frame counts. At most twice as many connections are served. Those of
        which no such frame was served come first in the rest: the caller keeps this order.
        """
        self.centre.advance(now)
        lines = self.lines
        found = [(lines[number], octets) for number, octets in reads if number in lines and not lines[number].closing]
        plain = self._fast is not None and any(
            line.account for line, _ in found
        )  # connections without a login send nothing plain
        shares = Shares(most)
        found = shares.begin(found)
        if not plain or self._fast is None or not self._fast.serve(found, now, shares):
            self._core(found, now, shares)
        for line, octets in found:
            line.heard_at = now
            if not line.account and not line.foreign:
                self._look_for_foreign(line, octets, now)
        self._settle()
        return [(line.number, octets) for line, octets in shares.left()]

    def answer(self, number: int, octets: bytes, now: int, send: Callable[[int, bytes], object]) -> bool:
        """Process the only read of a turn, if it is one plain frame: its result is sent before its rows are made.

        Return False for anything else, with nothing changed.
        """
        fast, line = self._fast, self.lines[number]
        if fast is None or self._out.dirty:
            return False
        self.centre.advance(now)
        result = fast.answer(line, octets, now)
        if result is None:
            return False
        if result:
            send(number, result)
        line.heard_at = now
        fast.write_rows(now)
        self._settle()
        return True

    def _core(self, reads: Reads, now: int, shares: Shares) -> None:
        """Serve reads without the fast path."""
        for line, octets in reads:
            if not shares.keeps(line, octets):
                self._pieces(line, octets, now, shares)

    def _pieces(self, line: Line, octets: bytes, now: int, shares: Shares) -> None:
        """Serve octets piece by piece, up to the connection's share."""
        at, count, room = 0, 0, shares.room(line)
        while at < len(octets) and count < room and not line.closing:
            end = piece_end(octets, at, len(octets))
            count += weight(max(self._single(line, octets[at:end], now), octets.count(ETX, at, end)), end - at)
            at = end
        shares.spend(line, count)
        if at < len(octets) and not line.closing:
            shares.keep(line, octets[at:])

    def _look_for_foreign(self, line: Line, octets: bytes, now: int) -> None:
        """Report another protocol spoken on a connection without a login."""
        protocol = protocol_of(octets) or protocol_of(line.framer.pending)
        if protocol:
            line.foreign = True
            self._out.violation(line, "foreign-protocol", now, protocol)

    def _single(self, line: Line, octets: bytes, now: int) -> int:
        """Process octets frame by frame; return how many frames and wire errors that were not plain submits."""
        if line.closing:
            return 0
        if not line.framer.pending and octets.startswith(SUBMIT, 9):
            octets = self._submission.plain(line, octets, now)
            if not octets:
                return 0
        operations = self._operations
        found = line.framer.feed(octets)
        items = iter(found)
        for item in items:
            if line.closing or (not line.account and self._is_too_early(line)):
                break
            if isinstance(item, WireError):
                meant = self._leniency.met(line, item, now)
                if self._leniency.skips(item):
                    next(items, None)
                if meant is None:
                    continue
                item = meant  # noqa: PLW2901 - the repaired frame is served like any other
            if item.kind == "R":
                self._notification_sender.result(line, item, now)
            else:
                operations.get(item.ot, self._unsupported)(line, item, now)
        if line.closing:
            line.framer.release()  # octets after the last served frame are ignored
        return len(found)

    def _is_too_early(self, line: Line) -> bool:
        """Count items without a login; tell whether there are too many and the connection is closed."""
        line.early += 1
        if line.early > EARLY:
            self._out.close(line, "too much before a login")
        return line.closing

    def closed(self, number: int, now: int) -> None:
        """A connection is gone: its unanswered notifications wait for the next login."""
        line = self.lines.pop(number, None)
        self.closings.pop(number, None)
        if line is None:
            return
        self._out.dirty.pop(number, None)
        if line.framer.pending and not line.foreign:
            self._out.violation(line, "unended" if line.framer.pending.startswith(STX) else "garbage", now)
        carried = [wait.subject for wait in line.own.clear()]
        if self._fast is not None:
            self._fast.closed(line)
        line.session.happen("lost")
        self._sessions.unregister(line)
        self.centre.logout(number, carried, now)
        self._settle()

    def advance(self, now: int) -> None:
        """Run everything due up to `now`, or up to the bound of the centre's timer queue.

        Works in steps short enough that nothing started in a step is overdue within it, so that the result does not
        depend on how often this is called.
        """
        self._settle()  # calls to the centre outside this gateway may have started something
        while True:
            begun = max(self._now, min(now, self.centre.next_deadline()))
            step = min(now, self._timers.next_deadline(), begun + self.settings.notification_timer_us)
            self._now = max(self._now, step)
            self.centre.advance(self._now)
            self._settle()
            self._timers.run(self._now)
            self._settle()
            if step >= now:
                return

    def leap(self, now: int) -> None:
        """Like `advance`, for a clock that jumped: no client could answer in between, so all output is sent at `now`.

        Notifications overdue by then release their TRN and are sent again as after any other delay. The centre's timer
        queue has no bound meanwhile.
        """
        queue, self._leaping = self.centre.timer_queue, True
        most, queue.most = queue.most, EVERY_TIMER
        queue.resume()
        try:
            self.advance(now)
        finally:
            self._leaping, queue.most = False, most
        for line in self.lines.values():
            line.own.room_at = max(line.own.room_at, now)
        self._settle()

    def next_deadline(self) -> int:
        """Return the next instant at which `advance` has work, or NEVER."""
        return min(self._timers.next_deadline(), self.centre.next_deadline())

    def output(self) -> list[tuple[int, bytes]]:
        """Return and clear the octets to write, one piece per connection."""
        return self._out.taken()

    def mute(self, number: int, how: Mute, now: int) -> None:
        """Apply an outage to this connection: `deaf` writes nothing, `silent` also reads nothing."""
        line = self.lines[number]
        line.treat(how)
        line.own.room_at = now
        line.heard_at = now  # the idle timer stops while the platform does not read
        if how:
            self.centre.forget_held(number)
            line.session.peer.clear()
            carried = [wait.subject for wait in line.own.clear()]
            self.centre.notification_queue.orphaned(carried)
        elif line.account:
            self.centre.notification_queue.sort(line.account)
        self._settle()

    def go(self, state: PlatformState, now: int) -> None:
        """Change the platform's state and write what that releases."""
        self.centre.go(state, now)
        self._settle()

    def lines_of(self, scope: str) -> list[int]:
        """Return the connections in an outage's scope: "total", a short code, or "session:N"."""
        if scope == "total":
            return list(self.lines)
        if scope.startswith("session:"):
            return [number for number in self.lines if f"session:{number}" == scope]
        owners = {a.name for a in self.centre.accounts.values() if scope in a.codes}
        return [number for number, line in self.lines.items() if line.account in owners]

    def originate(self, sender: str, code: str, text: str, now: int) -> list[Notification]:
        """Send a text from a subscriber to a short code: one notification per segment, none for an unknown code.

        A `sender` that is not a number is sent as an alphanumeric OAdC.
        """
        posted = [self.centre.originate(sender, code, part, now) for part in content.compose(text)]
        self._settle()
        return [notification for notification in posted if notification is not None]

    # Between connections and centre ----------------------------------------------------------------------------

    def _unsupported(self, line: Line, frame: Frame, now: int) -> None:
        self._out.violation(line, "unsupported-operation", now)
        self._out.nack(line, frame, UNSUPPORTED, "operation not supported")

    def _settle(self) -> None:
        """Encode the centre's late answers and notifications."""
        centre = self.centre
        if centre.answers:
            answers, centre.answers = centre.answers, []
            for answer in answers:
                line = self.lines.get(answer.session)
                if line is not None:
                    self._submission.late(line, answer)
        queue = centre.notification_queue
        if centre.state in {"up", "degraded"} and not self._leaping:
            if self._fast is not None and self._fast.carry(queue.fresh):
                queue.fresh.clear()
            elif queue.fresh:
                fresh, queue.fresh = queue.fresh, set()
                for account in sorted(fresh):
                    self._notification_sender.carry(account)


def weight(items: int, octets: int) -> int:
    """Return as how many frames so many count that came in so many octets."""
    return items + octets // WEIGHED if items else 0


def piece_end(octets: bytes, at: int, end: int) -> int:
    """Return where a piece of the octets from `at` to `end` ends: after a frame, and early if most are malformed."""
    if end - at <= SHORT_PIECE:
        return end
    if end - at > PIECE:
        end = octets.rfind(ETX, at, at + PIECE) + 1 or at + PIECE
    is_broken = octets.count(STX, at, end) + octets.count(ETX, at, end) > MANY_ERRORS + (end - at) // 8
    return at + SHORT_PIECE if is_broken else end


def _window(_line: int, size: int, now: int) -> OwnWindow:
    return OwnWindow(size, now)
