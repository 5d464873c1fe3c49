"""The client end of one UCP connection, sans-IO: login, keepalive, window, rate, results, notifications, reconnection.

Every call takes the time as `now` (microseconds since the Unix epoch, UTC); the shell collects its output with
`events` and `octets_to_send`. `outbox` holds the messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from zlib import crc32

from simbench.base.units import MINUTE_US, NEVER, SECOND_US
from simbench.client import bodies
from simbench.client.compliance import Compliance, StopList
from simbench.client.messages import Close, Connect, Event, LinkConfig, Memory, MoReceived, Outgoing, Sent
from simbench.client.outbox import Outbox, Segment
from simbench.client.pacing import Pacing
from simbench.client.receipts import OUTCOMES, Notification, Receipts
from simbench.ucp.alphabet import LONGEST_OADC, encode_oadc
from simbench.ucp.content import message_text, read
from simbench.ucp.fields import At, layout_of
from simbench.ucp.frame import WIRE_ERRORS, Frame, Framer, WireError, encode
from simbench.ucp.session import Session

PEER_WINDOW = 100  # the SMSC's operations are answered at once and are never outstanding
NO_MESSAGES_WAIT = "0000"
DRAIN_US = 2 * SECOND_US  # submitting stops this long before announced maintenance, so that all results arrive in time


class Core:
    """One account on one short code, hence one connection at a time. `counts` counts anomalies on the wire.

    Methods with a leading underscore are decisions that named faults override (`client/faults.py`).
    """

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        self.config = config
        self.counts: Counter[str] = Counter()
        self.draining = False  # set by the shell: submit nothing more, but wait for results
        self._outbox = Outbox(Compliance(config, stops or StopList(config.knows.plan)), config.validity_s)
        self._session = self._new_session()
        self._session.happen("lost")
        self._framer = Framer()
        self._pacing = self._new_pacing(())
        self._out = bytearray()
        self._now = self._written_at = self._reconnect_at = 0
        self._connecting_since: int | None = None
        self._attempt = 0
        self._announced: list[tuple[int, int]] = []  # maintenance periods: no submits, no connections
        self._handlers: dict[str, Callable[[list[str], Frame], str | None]] = {
            "01": self._call_input,
            "31": lambda *_: NO_MESSAGES_WAIT,
            "52": self._deliver,
            "53": self._notification,
            "57": lambda *_: "",
            "58": lambda *_: "",
        }

    # -- calls -------------------------------------------------------------------------------------------------------

    def restore(self, memory: Memory, now: int) -> None:
        """Restore what the spool kept. Call once, before anything else."""
        now = self._tick(now)
        self._pacing = self._new_pacing(memory.departures)
        self._outbox.restore(memory, now)

    def submit(self, message: Outgoing, now: int) -> None:
        """Accept a message for sending as soon as pace, window and duties allow. Its `token` must be new."""
        now = self._tick(now)
        if not self._outbox.ready:
            self._pacing.idle(now)
        self._outbox.take_in(message, now)
        self._pump(now)

    def announce(self, start: int, end: int) -> None:
        """Announce maintenance between two instants: drain before, disconnect, reconnect after."""
        self._announced.append((start, end))

    def connected(self, now: int) -> None:
        """The requested connection is open: log in."""
        now = self._tick(now)
        if self._session.state != "closed":
            self.lost(now)
        self._connecting_since = None
        self._framer, self._session = Framer(), self._new_session()
        self._out.clear()
        self._session.happen("login")
        self._operate("60", bodies.login(self.config), None, now)
        self._pump(now)

    def received(self, octets: bytes, now: int) -> None:
        """Process octets from the SMSC; no input raises an error."""
        now = self._tick(now)
        for item in self._framer.feed(octets):
            if self._session.state == "closed":
                return
            if isinstance(item, WireError):
                self._wire_error(item, now)
            elif item.kind == "O":
                self._operation(item, now)
            else:
                self._result(item, now)
        self._pump(now)

    def lost(self, now: int) -> None:
        """The connection is lost or could not be opened. Repeated calls have no effect."""
        now = self._tick(now)
        if self._session.state == "closed" and self._connecting_since is None:
            return
        self._connecting_since = None
        self._session.happen("lost")
        self._out.clear()
        self._reconnect_at = min(NEVER, now + self._delay_us(self._attempt))
        self._attempt += 1
        self._resend([wait.subject for wait in self._session.own.clear() if wait.ot == "51"])

    def advance(self, now: int) -> None:
        """Do what is due: connect, time out, keep alive, send."""
        now = self._tick(now)
        if not self._outbox.ready:
            self._pacing.idle(now)
        self._outbox.wake(now)
        if now >= self._give_up_at():
            self._drop("no result in time", now)
        elif self._session.state == "closed":
            self._reconnect_at = max(self._reconnect_at, self._paused_until(now))
            if self._connecting_since is None and now >= self._reconnect_at and not self.draining:
                self._connecting_since = now
                self._outbox.events.append(Connect())
        elif self._paused_until(now) and not self._session.own.outstanding:
            self._drop("announced maintenance", now)
            self._attempt, self._reconnect_at = 0, self._paused_until(now)
        else:
            if now >= self._keepalive_at():
                self._alert(now)
            self._pump(now)

    def next_deadline(self) -> int:
        """Return when `advance` is due next; NEVER if it only depends on the peer."""
        deadlines = [self._give_up_at(), self._outbox.next_due]
        deadlines += [at for start, end in self._announced for at in (start - DRAIN_US, end) if at > self._now]
        if self._session.state == "closed":
            if self._connecting_since is None and not self.draining:
                deadlines.append(self._reconnect_at)
        else:
            deadlines.append(self._keepalive_at())
            if self._outbox.ready and self._may_submit() and self._session.own.free:
                deadlines.append(self._pacing.earliest(self._now))
        return min(deadlines)

    def octets_to_send(self) -> bytes:
        """Return the octets to write; call after storing the events."""
        octets = bytes(self._out)
        self._out.clear()
        return octets

    def events(self) -> list[Event]:
        """Return the events since the last call, in order."""
        happened, self._outbox.events = self._outbox.events, []
        return happened

    @property
    def state(self) -> str:
        """The state of the session (`ucp.session`); "closed" without a connection."""
        return self._session.state

    @property
    def outstanding(self) -> int:
        """Number of operations sent and not yet answered."""
        return len(self._session.own.outstanding)

    @property
    def departures(self) -> tuple[int, ...]:
        """The times of the last segments sent, oldest first, at most as many as the rate per second."""
        return self._pacing.departures

    @property
    def receipts(self) -> Receipts:
        """Accepted segments awaiting their notification, and the number of unmatched notifications."""
        return self._outbox.receipts

    # -- deadlines ---------------------------------------------------------------------------------------------------

    def _tick(self, now: int) -> int:
        """Return `now`, never earlier than before."""
        if now < self._now:
            self.counts["clock went back"] += 1
        self._now = max(self._now, now)
        return self._now

    def _give_up_at(self) -> int:
        """Return when the oldest pending connection or result times out."""
        oldest = next(iter(self._session.own.outstanding.values()), None)
        since = self._connecting_since if oldest is None else oldest.sent_at
        return NEVER if since is None else since + round(self.config.result_timer_s * SECOND_US)

    def _keepalive_at(self) -> int:
        """Return when the next keepalive is due; an alert needs a window slot."""
        if self._session.state != "open" or not self._session.own.free:
            return NEVER
        return self._written_at + round(self.config.keepalive_s * SECOND_US)

    def _drop(self, reason: str, now: int) -> None:
        self._outbox.events.append(Close(reason))
        self.lost(now)

    def _delay_us(self, attempt: int) -> int:
        """Return the delay before the next connection: doubled up to a maximum, then shortened by up to a quarter."""
        longest = round(self.config.reconnect_max_s * SECOND_US)
        delay = min(longest, round(self.config.reconnect_first_s * SECOND_US) << min(attempt, 20))
        share = crc32(f"{self.config.seed}/{self.config.code}/{attempt}".encode())
        return delay - (delay // 4 * share >> 32)

    # -- output ------------------------------------------------------------------------------------------------------

    def _new_session(self) -> Session:
        return Session(self.config.window, PEER_WINDOW)

    def _new_pacing(self, departures: tuple[int, ...]) -> Pacing:
        return Pacing(self.config.rate_per_s, departures=departures)

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        return encode(trn, kind, ot, body)

    def _write(self, octets: bytes, now: int) -> None:
        self._out += octets
        self._written_at = now

    def _operate(self, ot: str, body: str, subject: Segment | None, now: int) -> None:
        """Write an operation in a free window slot."""
        self._write(self._frame(self._session.own.take(ot, subject, now), "O", ot, body), now)

    def _answer(self, asked: Frame | WireError, body: str, now: int) -> None:
        """Write the result of an SMSC operation."""
        self._write(self._frame(asked.trn, "R", asked.ot, body), now)

    def _alert(self, now: int) -> None:
        self._operate("31", bodies.alert(self.config), None, now)

    def _may_submit(self) -> bool:
        return self._session.state == "open" and not self.draining and not self._paused_until(self._now)

    def _paused_until(self, now: int) -> int:
        """Return the end of the present or imminent maintenance; 0 if none."""
        return max((end for start, end in self._announced if start - DRAIN_US <= now < end), default=0)

    def _sender(self, message: Outgoing) -> tuple[str, str]:
        """OAdC and OTOA of a message: the short code, or a name if the sender option allows it."""
        named = message.oadc or self.config.code
        if named == self.config.code or (named.isdecimal() and len(named) > LONGEST_OADC):
            return named, ""  # a longer number fits in digits only
        return encode_oadc(named), bodies.ALPHANUMERIC

    def _valid_until(self, message: Outgoing, now: int) -> int:
        """Return the end of a message's validity, rounded down to a whole minute."""
        end = self._outbox.compliance.latest(message, self._outbox.ends_at(message), now)
        minute = end - end % MINUTE_US
        return minute if minute > now + SECOND_US else minute + MINUTE_US

    def _minute(self, instant: int) -> str:
        """Return an instant as DDMMYYHHmm in the operator's civil time."""
        return self.config.knows.calendar.minute_text(instant)

    def _pump(self, now: int) -> None:
        """Send what window, pace and duties allow now."""
        outbox = self._outbox
        while outbox.ready and self._may_submit() and self._session.own.free > 0:
            segment = outbox.next(now)
            if segment is None or self._pacing.earliest(now) > now:
                return
            outbox.ready.popleft()
            self._depart(segment, now)

    def _depart(self, segment: Segment, now: int) -> None:
        message = segment.message
        body = bodies.submit(
            message.recipient, self._sender(message), self._minute(self._valid_until(message, now)), segment.content
        )
        self._pacing.leave(now)
        self._operate("51", body, segment, now)
        self._outbox.events.append(Sent(message.token, segment.part, now))

    def written(self, now: int) -> None:
        """The octets returned last are on the wire."""
        self._pacing.written(now)

    def _resend(self, segments: list[Segment]) -> None:
        """Queue again segments that were sent without a result before the connection was lost."""
        self._outbox.doubtful(segments)

    # -- input -------------------------------------------------------------------------------------------------------

    def _wire_error(self, error: WireError, now: int) -> None:
        """Count a broken frame; if it is an operation with a readable header, answer it (EMI-UCP 4.0 section 2)."""
        self.counts[error.name] += 1
        ec = WIRE_ERRORS[error.name].ec
        if ec and error.kind == "O" and error.trn and error.ot:
            self._answer(error, bodies.negative(ec), now)

    def _operation(self, frame: Frame, now: int) -> None:
        """Answer an SMSC operation at once, in the layout of its type (EMI-UCP 4.0 sections 4 to 6)."""
        handler, layout = self._handlers.get(frame.ot), layout_of("O", frame.ot, frame.data)
        if handler is None or layout is None:
            self.counts["operation not supported"] += 1
            self._answer(frame, bodies.negative("03"), now)
        elif layout.count(frame.data) != len(frame.data):
            self.counts["wrong number of fields"] += 1
            self._answer(frame, bodies.negative("02"), now)
        else:
            answer = handler(frame.data, frame)
            self._answer(frame, bodies.negative("02") if answer is None else bodies.positive(frame.ot, answer), now)

    def _deliver(self, data: list[str], frame: Frame) -> str | None:
        return self._mobile_originated(data[At.OADC], data[At.ADC], message_text(frame), data[At.SCTS])

    def _call_input(self, data: list[str], _: Frame) -> str:
        """Take a delivery by the old operation 01: AdC, OAdC, AC, MT, text (EMI-UCP 4.0 section 4.2)."""
        layout = [""] * (At.RES5 + 1)
        layout[At.MT], layout[At.MSG] = data[3], data[4]
        return self._mobile_originated(data[1], data[0], read(layout).text or "", "")

    def _mobile_originated(self, sender: str, code: str, text: str, scts: str) -> str:
        events = self._outbox.events
        events.append(MoReceived(sender, code, text, scts))
        stopped = self._outbox.compliance.hear(sender, text, self._now)
        if stopped is not None:
            events.append(stopped)
        return _identity(code, scts)

    def _notification(self, data: list[str], _: Frame) -> str | None:
        recipient, scts = data[At.OADC], data[At.SCTS]
        if data[At.DST] not in OUTCOMES or not scts:
            self.counts["illegible notification"] += 1
            return None
        self._outbox.notified(recipient, scts, Notification(data[At.DST], data[At.RSN]))
        return _identity(recipient, scts)

    def _result(self, frame: Frame, now: int) -> None:
        """Match a result to its operation by TRN and type; unreadable results leave the operation unanswered."""
        data = frame.data
        refused = data[:1] == ["N"] and len(data) > 1 and len(data[1]) == 2 and data[1].isdigit()
        if not refused and data[:1] != ["A"]:
            self.counts["illegible result"] += 1
            return
        waiting = self._session.own.settle(frame.trn, frame.ot)
        if waiting is None:
            self.counts["stray result"] += 1
        elif frame.ot == "51":
            self._submit_result(waiting.subject, data, now)
        elif frame.ot == "60":
            if refused:
                self._drop(f"login refused, {data[1]}", now)
            else:
                self._open(now)

    def _submit_result(self, segment: Segment, data: list[str], now: int) -> None:
        if data[0] == "N":
            self._outbox.refused(segment, data[1], now)
            return
        scts = data[-1].rpartition(":")[2]
        self._outbox.accepted(segment, scts if len(scts) == 12 and scts.isdigit() else "", now)

    def _open(self, now: int) -> None:
        """After a login, send an alert, then waiting messages."""
        self._session.happen("accepted")
        self._attempt = 0
        self._pacing.idle(now)
        self._alert(now)


def _identity(address: str, scts: str) -> str:
    """Return recipient and SCTS as a positive result repeats them, without characters that could break the frame."""
    return f"{address}:{scts}" if address.isalnum() and scts.isdigit() else ""
