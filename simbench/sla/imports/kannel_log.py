"""Reads a platform's interruptions and traffic from Kannel's log, and finds the parts that are not reliable.

A link is down from the loss of its connection, or the first failed attempt, to the attempt that no failure follows.
While Kannel itself was down the log does not show the state of the platform: that time is attributed to the client,
and so is time in which every attempt failed on the client's side of the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Final

import msgspec

from simbench.base.errors import BadInput
from simbench.base.inputs import bounded_lines, open_input
from simbench.base.toml_files import label
from simbench.base.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simbench.contract import Contract
from simbench.ledger.incidents import Incident
from simbench.sla.imports.kannel_frames import Clock, Line, lines, stamped, texts, year_of
from simbench.sla.imports.kannel_lines import DRIVERS, Event, Fault, Seen, events
from simbench.sla.imports.traffic import LedgerRow
from simbench.sla.purposes import AVAILABILITY, GRANTED_RATE, RESTORATION
from simbench.tables.instants import NoZone
from simbench.tables.rows import RejectedRow, Remark, check_rejected

HOLE_QUIET, HOLE_CHATTY = DAY_US, 10 * MINUTE_US  # longest silence of a log without, and with, debug lines
MOST_LINKS: Final = 200  # Kannel's configuration names each link, so a log with more links is not Kannel's
LASTS: Final = 1  # us beyond the end of a log, for incidents still open then
OWN: Final = ""  # the "link" of the bearerbox itself
MARKS: Final = ("[", "Log begins", "Sent SMS", "Receive ", "FAILED Send", "DLR SMS")
LEVELS: Final = ("DEBUG: ", "INFO: ", "WARNING: ", "ERROR: ", "PANIC: ")


class Down(msgspec.Struct, frozen=True):
    """A period in which a link was down, and the parties at fault for its failed attempts."""

    start: int
    end: int
    fault: Fault


class KannelLog(msgspec.Struct, frozen=True):
    """The content of a log: its first and last instant, incidents, rows for `centre` and `timing_error`, notes.

    `least` and `most` are the incidents in the platform's best and worst case: these differ in attempts that failed for
    an unknown reason, and in silences of a log at debug level. `unsupported` gives for each clause that a log of this
    kind cannot show the reason; `unanswered` counts messages without a result.
    """

    start: int
    end: int
    incidents: tuple[Incident, ...]
    least: tuple[Incident, ...]
    most: tuple[Incident, ...]
    centre: tuple[LedgerRow, ...]
    timing_error: tuple[LedgerRow, ...]
    notes: tuple[RejectedRow, ...]
    rows: int
    holes: int = 0
    unanswered: int = 0
    unsupported: Mapping[str, str] = {}


class _Link(msgspec.Struct):
    """State of one link during reading: since when it is down, the current attempt, and the last failed one."""

    down_since: int | None = None
    trying_since: int | None = None
    failed_at: int = 0
    faults: set[Fault] = msgspec.field(default_factory=set)
    downs: list[Down] = []
    margins: list[LedgerRow] = []

    def take(self, event: Event) -> None:
        match event.kind:
            case "connecting":
                self._came_back()  # no failure followed the previous attempt
                self.trying_since = event.at
            case "lost":
                self._came_back()
                self.down_since = event.at if self.down_since is None else self.down_since
            case "failed":
                begun = event.at if self.trying_since is None else self.trying_since
                self.down_since = begun if self.down_since is None else self.down_since
                self.trying_since, self.failed_at = None, event.at
                self.faults.add(event.fault)
            case "heard" | "accepted" | "refused" | "notified":
                self.trying_since = event.at if self.trying_since is None else self.trying_since
                self._came_back()
            case _:
                pass

    def end(self, at: int) -> int | None:
        """End of the log or the bearerbox: a pending attempt counts as successful.

        Returns since when the link was down.
        """
        self._came_back()
        since, self.down_since = self.down_since, None
        if since is not None:
            self._was_down(since, at)
        return since

    def _came_back(self) -> None:
        back = self.trying_since
        self.trying_since = None
        if back is None or self.down_since is None:
            return
        # The link returned at some instant after the last failed attempt; both ends are known to the second.
        margin = back - max(self.failed_at, self.down_since) + 2 * SECOND_US
        self.margins.append((self.down_since, back, margin, "kannel log"))
        self._was_down(self.down_since, back)
        self.down_since = None

    def _was_down(self, start: int, end: int) -> None:
        faults, self.faults = self.faults, set()
        if end > start:
            self.downs.append(Down(start, end, _together(faults)))


def _together(faults: Iterable[Fault]) -> Fault:
    """Return the party at fault for several failures: unknown if they differ, the platform if there is none."""
    found = set(faults)
    return found.pop() if len(found) == 1 else "unknown" if found else "platform"


def looks_like(head: str) -> bool:
    """Tell whether a file begins like one of Kannel's logs."""
    first = [text for _, text in texts(head.encode().splitlines(keepends=True)) if text.strip()][:20]
    contents = [found[1] for found in map(stamped, first) if found]
    marks = [one for one in contents if one.startswith((*MARKS, *LEVELS))]
    return len(contents) * 2 > len(first) and len(marks) > 0


def read_kannel_log(path: Path, contract: Contract, zone: tzinfo | None, year: int = 0) -> KannelLog:
    """Read a bearerbox or access log; `year` is the year of syslog's stamps, which name none (0: the file's year).

    Raises NoZone if the stamps need a time zone and none is given, BadInput if no line is Kannel's.
    """
    notes: list[RejectedRow] = []
    seen, gaps = Seen(), _Gaps()

    def reject(row: RejectedRow) -> None:
        notes.append(row)
        check_rejected(path, len(notes), gaps.count, notes[0])

    try:
        clock = Clock(zone, year or year_of(path.stat().st_mtime_ns // 1000))
        with open_input(path) as file:
            read = list(events(gaps.of(lines(bounded_lines(file), clock, reject)), seen))
    except OSError as problem:
        raise BadInput(label(path), problem.strerror or "cannot be read", "a log of Kannel's") from None
    except NoZone as problem:
        raise NoZone(label(path), f"{problem.place}: {problem.problem}", problem.expected) from None
    if not gaps.count:
        raise BadInput(label(path), "no line of it is Kannel's", "a bearerbox log or an access log")
    end = (
        gaps.last + SECOND_US
    )  # stamps are truncated to the second, so the last line may be from the end of its second
    links = _links(read, gaps.last)
    if len(links) > MOST_LINKS + 1:
        raise BadInput(label(path), f"names {len(links) - 1:,} links", f"at most {MOST_LINKS}, as Kannel is configured")
    holes = gaps.longer(HOLE_CHATTY if seen.debug else HOLE_QUIET)
    notes += [*_of_clock(clock, year), *_of_holes(holes), *_of_others(seen)]
    least_us = contract.terms.quality.total_outage_after_s.value * SECOND_US
    found, short = _incidents(links, least_us, gaps.last, contract.operator)
    if short:
        notes.append(Remark(0, f"{short} interruptions shorter than {least_us // SECOND_US} s are no outage"))
    unanswered = sum(event.kind == "unanswered" for event in read)
    if unanswered:
        notes.append(Remark(0, f"{unanswered} operations had no result within Kannel's time-out"))
    margins = [row for link in links.values() for row in link.margins]
    torn = [(at - size, at + size, size, "clock of the log") for _, at, size in clock.jumps]
    silent = [_hole(number, start, until) for number, (_, start, until) in enumerate(holes, 1)] if seen.debug else []
    return KannelLog(
        gaps.first, end, found,
        tuple(_blamed(one, "client") for one in found), (*(_blamed(one, contract.operator) for one in found), *silent),
        tuple(_centre(read)), (*margins, *torn), tuple(sorted(notes, key=lambda one: one.line)), gaps.count,
        len(holes), unanswered, _unsupported(read, seen, end - gaps.first, least_us),
    )  # fmt: skip


class _Gaps:
    """Counts the lines as they pass, with the first and last instant and the silences that may be gaps in the log."""

    def __init__(self) -> None:
        self.count = self.first = self.last = 0
        self._silences: list[tuple[int, int, int]] = []

    def of(self, read: Iterable[Line]) -> Iterator[Line]:
        for line in read:
            if not self.count:
                self.first = line.at
            elif line.at - self.last > HOLE_CHATTY:
                self._silences.append((line.number, self.last, line.at))
            self.count += 1
            self.last = line.at
            yield line

    def longer(self, least: int) -> list[tuple[int, int, int]]:
        """Return the silences longer than a duration: the line that ended each, its beginning and end."""
        return [one for one in self._silences if one[2] - one[1] > least]


def _unsupported(read: list[Event], seen: Seen, span: int, least: int) -> dict[str, str]:
    """Return by clause the reason why a log cannot show it."""
    why = {}
    if not any(event.kind in {"connecting", "lost", "failed", "heard"} and event.link for event in read):
        if seen.access:
            reason = "an access log has the messages alone; bearerbox's own log has the losses of connections"
        elif seen.others:
            reason = (
                f"its links are {', '.join(sorted(seen.others))}; only those of {', '.join(sorted(DRIVERS))} speak UCP"
            )
        else:
            reason = "no line of it is about a link to an SMSC, as in the logs of smsbox"
        why = dict.fromkeys((AVAILABILITY, RESTORATION), reason)
    elif span < least:
        reason = f"its stamps span {span / SECOND_US:.0f} s, and no outage is shorter than {least / SECOND_US:.0f} s"
        why = dict.fromkeys((AVAILABILITY, RESTORATION), reason)
    if not any(event.kind == "sent" for event in read):
        why[GRANTED_RATE] = "the log does not say when messages were handed over; bearerbox's does at debug level"
    return why


def _links(read: list[Event], end: int) -> dict[str, _Link]:
    """Return the down times of every link; the bearerbox counts as a link that is down while it does not run."""
    links: dict[str, _Link] = {}
    own = _Link(faults={"client"})
    unseen: list[tuple[_Link, int, int]] = []  # links that were down when Kannel stopped: since when, until then
    for event in read:
        if event.kind == "stopping":
            for link in links.values():
                since = link.end(event.at)
                if since is not None:
                    unseen.append((link, since, event.at))
            own.down_since = event.at if own.down_since is None else own.down_since
        elif event.kind == "started":
            _margins(unseen, event.at)
            own.end(event.at)
            own.faults = {"client"}
        elif own.down_since is None:  # messages during its stop are caused by the stop
            links.setdefault(event.link, _Link()).take(event)
    for link in links.values():
        link.end(end + LASTS)
    _margins(unseen, end)
    own.end(end)
    return {OWN: own, **links}


def _margins(unseen: list[tuple[_Link, int, int]], back: int) -> None:
    """Return the bounds for links down when Kannel stopped: they may have returned at any time until it ran again."""
    for link, since, until in unseen:
        link.margins.append((since, until, back - until + 2 * SECOND_US, "kannel log"))
    unseen.clear()


def _incidents(links: dict[str, _Link], least: int, end: int, operator: str) -> tuple[tuple[Incident, ...], int]:
    """Return the incidents: total while every link is down, partial while some are; those below `least` only count.

    An incident still open when the log ends has no end.
    """
    named = {name: link.downs for name, link in links.items() if name != OWN}
    found = list(_stretches(named))
    long = [one for one in found if one[0].end - one[0].start >= least]
    incidents = [
        Incident(
            ticket=f"K{number:04}", start=down.start, end=None if down.end > end else down.end,
            scope="partial" if name else "total", share=1 / len(named) if name else 1.0, subject=name or "platform",
            cause="connections, as Kannel saw them", attributed_to=operator if down.fault == "platform" else down.fault,
        )
        for number, (down, name) in enumerate(sorted(long, key=lambda one: (one[0].start, one[1])), 1)
    ]  # fmt: skip
    incidents += [
        Incident(f"KS{number:03}", down.start, down.end, attributed_to="client", cause="Kannel did not run")
        for number, down in enumerate(links[OWN].downs, 1)
    ]
    return tuple(sorted(incidents, key=lambda one: (one.start, one.ticket))), len(found) - len(long)


def _stretches(named: dict[str, list[Down]]) -> Iterator[tuple[Down, str]]:
    """Return the periods in which all links were down (named ""), and those in which each link but not all were down.

    One sweep over all beginnings and ends: its cost grows with their number, and with the number of links (at most
    MOST_LINKS) if all go down together.
    """
    begun: dict[int, list[tuple[str, Fault]]] = {}
    ended: dict[int, list[str]] = {}
    for name, downs in named.items():
        for one in downs:
            begun.setdefault(one.start, []).append((name, one.fault))
            ended.setdefault(one.end, []).append(name)
    down: dict[str, Fault] = {}
    under_way: dict[str, tuple[int, Fault]] = {}  # name: since when, the parties at fault
    for at in sorted({*begun, *ended}):
        changed = {*ended.get(at, ()), *(name for name, _ in begun.get(at, ()))}
        for name in ended.get(at, ()):  # at the same instant, an end precedes a beginning
            down.pop(name, None)
        down.update(begun.get(at, ()))
        everything = len(down) == len(named)
        now = {OWN: _together(down.values())} if everything else down
        if everything or OWN in under_way:
            changed = {*under_way, *now}
        for name in changed:
            since, fault = under_way.get(name, (at, None))
            if fault is not None and now.get(name) != fault:
                yield Down(since, at, fault), name
                del under_way[name]
            if name in now:
                under_way.setdefault(name, (at, now[name]))


def _blamed(one: Incident, whose: str) -> Incident:
    """Return the incident with an unknown party replaced by the assumed one."""
    return msgspec.structs.replace(one, attributed_to=whose) if one.attributed_to == "unknown" else one


def _hole(number: int, start: int, end: int) -> Incident:
    return Incident(f"KH{number:03}", start, end, cause="nothing was logged")


def _centre(read: list[Event]) -> Iterator[LedgerRow]:
    """Return the rows of messages: not answered within the second, accepted, refused, notified, forgotten."""
    waiting: dict[tuple[str, str], Event] = {}
    rows: list[LedgerRow] = []
    for event in read:
        if event.kind == "sent":
            waiting[event.link, event.trn] = event
        elif event.kind in {"accepted", "refused"}:
            submitted = waiting.pop((event.link, event.trn), None) if event.trn else None
            recipient = submitted.recipient if submitted else event.recipient
            if submitted and submitted.at < event.at and event.kind == "accepted":
                rows.append((submitted.at, "held", 0, event.link, recipient, 0, 0, 0, None, 1, 0, 0))
            rows.append((event.at, event.kind, 0, event.link, recipient, event.line, 0, event.value, None, 1, 0, 0))
        elif event.kind == "notified":
            kind = ("delivered", "buffered", "undelivered")[min(event.value, 2)]
            rows.append((event.at, kind, 0, event.link, event.recipient, event.line, 0, 0, None, 1, 0, 0))
        elif event.kind in {"lost", "stopping"}:
            rows.append((event.at, "logout", 0, event.link, "", 0, 0, 0, None, 0, 0, 0))
    rows.sort(key=lambda row: int(str(row[0])))
    return iter(rows)


def _of_clock(clock: Clock, year: int) -> Iterator[RejectedRow]:
    for line, _, size in clock.jumps:
        yield Remark(line, f"the clock goes back by {size // SECOND_US} s; held at the last time")
    if clock.without_year and not year:
        yield Remark(0, f"syslog names no year: {clock.year} is that of the file; --from says another")


def _of_holes(holes: list[tuple[int, int, int]]) -> Iterator[RejectedRow]:
    for line, before, at in holes:
        hours = (at - before) / HOUR_US
        yield Remark(line, f"nothing was logged for {hours:.1f} h before it, or the clock went forward")


def _of_others(seen: Seen) -> Iterator[RejectedRow]:
    for driver, count in sorted(Counter(seen.others).items()):
        yield Remark(0, f"{count} lines of {driver} links were not read: only {', '.join(sorted(DRIVERS))} speak UCP")
