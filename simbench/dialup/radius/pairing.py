"""Records paired into calls: billable calls with the deciding record, and records set aside.

A call is identified by access server and session. A Stop bills its Acct-Session-Time, with or without a Start; without
a Stop the last Interim-Update bills, otherwise nothing. Accounting-On and -Off end the sessions of their access
server, so that a later session with the same name is another call.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from simbench.base.units import SECOND_US
from simbench.dialup.calls import SENT_AGAIN, Call, Calls, SetAside, calls_of
from simbench.dialup.columns import MOST_PORT
from simbench.dialup.offer import load_netrevenu
from simbench.dialup.radius.record import BOOTS, COMPARED, PASSED_OVER, Heard, Record

_PASSED_OVER: Final = frozenset(PASSED_OVER.values())
SAME_US: Final = 2 * SECOND_US  # instants of one event that two records give in whole seconds
Clock = Literal["reception", "event"]
Basis = Literal["stop", "stop-alone", "instants", "interim"]


class Accounted(msgspec.Struct, frozen=True):
    """A billable call. `basis`: the source of its seconds (a Stop with or without a Start, the instants of Start and
    Stop, or the last Interim-Update); `ended`: the cause of its end; `line`: the line of the deciding record.
    """

    nas: str
    session: str
    user: str
    port: int
    start_us: int
    seconds: int
    basis: Basis
    ended: str
    cause: int
    line: int

    def call(self) -> Call:
        """Return the call as a row of calls."""
        return Call(
            start_us=self.start_us,
            duration_us=self.seconds * SECOND_US,
            nas=self.nas,
            port=self.port,
            user=self.user,
            session=self.session,
            cause=self.cause,
            line=self.line,
        )


@dataclass(frozen=True)
class Paired:
    """The result of pairing records: calls in order of their deciding record, and all records that bill nothing."""

    calls: list[Accounted]
    aside: list[SetAside]
    records: int
    duplicates: int
    passed_over: Counter[str] = field(default_factory=Counter)  # by record type, records that are not about a call

    def columns(self) -> Calls:
        """Return the calls as columns, like every other source."""
        return calls_of(call.call() for call in self.calls)


class _Session:
    """One session of one access server, with its records known so far."""

    __slots__ = ("again", "closed", "closed_us", "interim", "nas", "start", "stop")

    def __init__(self, nas: str) -> None:
        self.nas = nas
        self.start: Heard | None = None
        self.again: list[Heard] = []  # its Start repeated with equal contents: sent again, or of a later call
        self.interim: Heard | None = None
        self.stop: Heard | None = None
        self.closed = ""  # the cause of its end without a Stop
        self.closed_us: int | None = None  # when its access server restarted, so that its name is free


def pair(
    found: Iterable[Heard | SetAside], clock: Clock = "reception", longest_s: int = 0, *, lenient: bool = False
) -> Paired:
    """Pair all records; calls longer than `longest_s` (0: the limit of the built-in offer) are set aside.

    `clock` gives the instants: reception less Acct-Delay-Time, or Event-Timestamp. A record without an instant by this
    clock is set aside, unless `lenient`: reception is then used.
    """
    pairing, longest_s = _Pairing(clock), longest_s or load_netrevenu().terms.records.longest_s
    heard, records, passed_over = [], 0, Counter[str]()
    for each in found:
        records += isinstance(each, Heard)
        if isinstance(each, SetAside):
            pairing.aside.append(each)
        elif each.record.status in _PASSED_OVER:
            passed_over[each.record.status] += 1
        elif lenient or pairing.dates(each):
            heard.append(each)
    heard.sort(key=pairing.instant)  # stable: records of the same second keep the order of the source
    pairing.meet(heard)
    for record in heard:
        pairing.add(record)
    calls = [call for session in pairing.sessions if (call := pairing.bill(session, longest_s))]
    calls.sort(key=lambda call: call.line)
    pairing.aside.sort(key=lambda aside: aside.line)
    return Paired(calls, pairing.aside, records, pairing.duplicates, passed_over)


class _Pairing:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: defaultdict[str, dict[str, _Session]] = defaultdict(dict)  # the latest session of each name
        self._several: set[str] = set()  # addresses used by access servers with different names
        self._held: dict[tuple[str, int], int] = {}  # when a call last began on a port
        self._last_us = 0
        self.sessions: list[_Session] = []
        self.aside: list[SetAside] = []
        self.duplicates = 0

    def instant(self, heard: Heard) -> int:
        """Return the instant of a record by the chosen clock (us)."""
        return heard.event_us if self._clock == "event" else heard.at_us

    def dates(self, heard: Heard) -> bool:
        """Tell whether a record has an instant by the chosen clock; otherwise it is set aside."""
        record = heard.record
        name, undated = "Acct-Delay-Time", record.delay_s < 0
        if self._clock == "event":
            name, undated = "Event-Timestamp", record.event_us < 0
        if undated:
            text = next((f"{name} = {text[:40]}" for key, text in record.more if key == name), f"no {name}")
            self._put_aside(heard, "undated", text, record.seconds)
        return not undated

    def meet(self, heard: Iterable[Heard]) -> None:
        """Examine all records in order before pairing: shared addresses, and the end of the source."""
        names: defaultdict[str, set[str]] = defaultdict(set)
        for each in heard:
            if each.record.identifier:
                names[each.record.nas].add(each.record.identifier)
            self._last_us = self.instant(each)
        self._several = {nas for nas, given in names.items() if len(given) > 1}

    def _nas(self, record: Record) -> str:
        """Return the identity of an access server: its address, and its name if several share the address."""
        return f"{record.nas} {record.identifier}".rstrip() if record.nas in self._several else record.nas

    def add(self, heard: Heard) -> None:
        """Add the next record, in order."""
        record = heard.record
        if record.status in BOOTS:
            nas = self._nas(record)
            for name, sessions in self._known.items():
                if name == nas or (nas in self._several and name.startswith(f"{nas} ")):
                    self._boot(sessions.values(), heard)
            return
        known = self._known[self._nas(record)].get(record.session) or self._new(heard)
        {"Start": self._start, "Interim-Update": self._interim, "Stop": self._stop}[record.status](known, heard)

    def _boot(self, sessions: Iterable[_Session], heard: Heard) -> None:
        for session in sessions:
            if session.closed_us is None:
                session.closed_us = self.instant(heard)
            if session.stop is None:
                session.closed = session.closed or heard.record.status

    def _new(self, heard: Heard) -> _Session:
        nas = self._nas(heard.record)
        session = self._known[nas][heard.record.session] = _Session(nas)
        self.sessions.append(session)
        return session

    def _later(self, session: _Session, heard: Heard) -> bool:
        """Tell whether a record is about a call that began after the restart of its access server."""
        if session.closed_us is None or (heard.record.status == "Stop" and heard.record.seconds < 0):
            return False
        return self._begun(heard) >= session.closed_us

    def _begun(self, heard: Heard) -> int:
        return self.instant(heard) - max(0, heard.record.seconds) * SECOND_US

    def _put_aside(self, heard: Heard, reason: str, text: str, seconds: int = 0) -> None:
        source = f"{heard.source}: " if heard.source else ""
        record = heard.record
        excerpt = f"{source}{record.status} of session {record.session} at {record.nas}: {text}"
        self.aside.append(SetAside(heard.line, reason, excerpt, max(0, seconds) * SECOND_US))

    def _duplicate(self, heard: Heard, first: Heard) -> None:
        self.duplicates += 1
        again = heard.record.delay_s > first.record.delay_s >= 0 or _alike(first, heard)
        self._put_aside(heard, SENT_AGAIN if again else "duplicate", f"the same as at {first.line}")

    def _same(self, one: Heard, other: Heard) -> bool:
        """Tell whether two records with the same status are equal: a retransmission, or a copy."""
        a, b = one.record, other.record
        if a.seconds != b.seconds:
            return False
        if a.event_us >= 0 and b.event_us >= 0:
            return a.event_us == b.event_us
        return abs(one.at_us - other.at_us) <= SAME_US

    def _start(self, session: _Session, heard: Heard) -> None:
        if session.start is None and not session.closed and not self._later(session, heard):
            session.start = heard
        elif session.start is not None and self._same(session.start, heard):
            self._duplicate(heard, session.start)
        elif session.start is not None and _unended(session) and _alike(session.start, heard):
            session.again.append(heard)  # the duration of the call will show which
        else:
            session = self._restart(session, heard)
        if session.start is heard:
            self._held[session.nas, heard.record.port] = self.instant(heard)

    def _restart(self, session: _Session, start: Heard) -> _Session:
        """Return a new session that begins with this Start; the one before ends without a Stop, if it had none."""
        if session.stop is None:
            session.closed = session.closed or "another Start"
        session = self._new(start)
        session.start = start
        return session

    def _begins(self, session: _Session, heard: Heard) -> _Session:
        """Return the session whose Start begins the call of a record with a duration, if its Start was repeated."""
        known = heard.record.seconds >= 0
        for place, start in reversed(list(enumerate(session.again))):
            if not known or self._begun(heard) >= self.instant(start) - SAME_US:
                later, session.again = session.again[place + 1 :], session.again[:place]
                session = self._restart(session, start)
                session.again = later
                break
        return session

    def _interim(self, session: _Session, heard: Heard) -> None:
        session = self._begins(session, heard) if heard.record.seconds >= 0 else session
        after = session.stop is not None and self.instant(heard) > self.instant(session.stop) + SAME_US
        if after or self._later(session, heard):
            session = self._new(heard)  # of a later call, whose Start was lost
        before = session.interim
        if heard.record.seconds < 0:
            self._put_aside(heard, "unreadable", "no Acct-Session-Time")
        elif before is not None and heard.record.seconds == before.record.seconds:
            self._duplicate(heard, before)
        elif before is None or heard.record.seconds > before.record.seconds:
            session.interim = heard

    def _stop(self, session: _Session, heard: Heard) -> None:
        session = self._begins(session, heard)
        begun = self._begun(heard)
        if session.stop is None:
            start = session.start
            known = session.closed and start is not None and begun > self.instant(start) + SAME_US
            if known or self._later(session, heard):
                session = self._new(heard)  # the Start of a later call was lost
            session.stop = heard
        elif self._same(session.stop, heard) or (not self._later(session, heard) and _alike(session.stop, heard)):
            self._duplicate(heard, session.stop)
        elif begun >= self.instant(session.stop) - SAME_US:
            self._new(heard).stop = heard
        else:
            first = session.stop
            text = f"{heard.record.seconds} s, and {first.record.seconds} s at {first.line}"
            self._put_aside(heard, "contradiction", text, heard.record.seconds)

    def bill(self, session: _Session, longest_s: int) -> Accounted | None:
        """Return the call of a session; None if it is set aside."""
        start, stop = session.start, session.stop
        deciding = stop or session.interim or start
        for again in session.again:
            assert start is not None
            self._duplicate(again, start)
        if deciding is None:  # none of its records could be read; they are set aside
            return None
        seconds, basis = deciding.record.seconds, _basis(session)
        if stop is not None and seconds < 0 and start is not None:
            seconds, basis = (self.instant(stop) - self.instant(start)) // SECOND_US, "instants"
            if seconds < 0:
                self._put_aside(stop, "ends-before-start", f"{-seconds} s before its Start at {start.line}")
                return None
        if seconds < 0:
            if stop is None and self._may_go_on(session, deciding, longest_s):
                self._put_aside(deciding, "open", "its Stop may come after the last record")
                return None
            ended = f", ended by {session.closed}" if session.closed else ""
            self._put_aside(deciding, "missing-stop", f"its duration is unknown{ended}")
            return None
        if seconds > longest_s:
            self._put_aside(deciding, "huge", f"{seconds} s", seconds)
            return None
        record = deciding.record
        return Accounted(
            nas=session.nas,
            session=record.session,
            user=record.user or (start.record.user if start else ""),
            port=record.port if record.port < MOST_PORT else -1,
            start_us=self.instant(start) if start else self.instant(deciding) - seconds * SECOND_US,
            seconds=seconds,
            basis=basis,
            ended=stop.record.status if stop else session.closed,
            cause=record.cause,
            line=deciding.line,
        )

    def _may_go_on(self, session: _Session, start: Heard, longest_s: int) -> bool:
        """Tell whether a call with a known Start may be in progress at the end of the source."""
        port, at = (session.nas, start.record.port), self.instant(start)
        taken = start.record.port >= 0 and self._held.get(port, at) > at
        return not session.closed and not taken and self._last_us - at <= longest_s * SECOND_US


def _alike(one: Heard, other: Heard) -> bool:
    """Tell whether two records have equal contents: one was sent again, perhaps without a changed Acct-Delay-Time."""
    a, b = one.record, other.record
    if a.event_us >= 0 and b.event_us >= 0 and a.event_us != b.event_us:
        return False
    return all(getattr(a, name) == getattr(b, name) for name in COMPARED)


def _unended(session: _Session) -> bool:
    return session.stop is None and not session.closed


def _basis(session: _Session) -> Basis:
    if session.stop is None:
        return "interim"
    return "stop" if session.start is not None else "stop-alone"
