"""Reads a platform's interruptions and traffic from Kannel's log, and finds the parts that are not reliable.

While Kannel itself was down the log does not show the state of the platform: that time is attributed to the client,
and so is time in which every attempt failed on the client's side of the network. `kannel_links` follows the links.
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
from simbench.base.text import count
from simbench.base.toml_files import label
from simbench.base.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simbench.contract import Contract
from simbench.ledger.incidents import Incident
from simbench.sla.imports.kannel_frames import Clock, Line, lines, stamped, texts, year_of
from simbench.sla.imports.kannel_lines import DRIVERS, Event, Seen, events
from simbench.sla.imports.kannel_links import Down, Link, absences, links_of, stretches
from simbench.sla.imports.traffic import LedgerRow
from simbench.sla.purposes import AVAILABILITY, GRANTED_RATE, RESTORATION
from simbench.tables.instants import NoZone
from simbench.tables.rows import RejectedRow, Remark, check_rejected

HOLE_QUIET, HOLE_CHATTY = DAY_US, 10 * MINUTE_US  # longest silence of a log without, and with, debug lines
MOST_LINKS: Final = 200  # Kannel's configuration names each link, so a log with more links is not Kannel's
MARKS: Final = ("[", "Log begins", "Sent SMS", "Receive ", "FAILED Send", "DLR SMS")
LEVELS: Final = ("DEBUG: ", "INFO: ", "WARNING: ", "ERROR: ", "PANIC: ")


class KannelLog(msgspec.Struct, frozen=True):
    """The content of a log: its first and last instant, incidents, rows for `centre` and `timing_error`, notes.

    `least` and `most` are the incidents in the platform's best and worst case: these differ in attempts that failed for
    an unknown reason, in outages and links that the log does not show from their beginning, and in silences of a log at
    debug level. `unsupported` gives for each clause that a log of this
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
    limit_us = contract.terms.quality.restoration_h.value * HOUR_US
    links, own, runs = links_of(read, gaps.first - limit_us, gaps.last)
    if len(links) > MOST_LINKS:
        raise BadInput(label(path), f"names {len(links):,} links", f"at most {MOST_LINKS}, as Kannel is configured")
    holes = gaps.longer(HOLE_CHATTY if seen.debug else HOLE_QUIET)
    notes += [*_of_clock(clock, year), *_of_holes(holes), *_of_others(seen)]
    least_us = contract.terms.quality.total_outage_after_s.value * SECOND_US
    downs, stops = {name: link.downs for name, link in links.items()}, _stops(own)
    worst = {name: link.at_worst(least_us) for name, link in links.items()}
    usual, short = _incidents(downs, absences(runs, begun_only=True), least_us, gaps.last, contract.operator)
    most, _ = _incidents(worst, absences(runs, begun_only=False), least_us, gaps.last, contract.operator)
    found, most = _sorted([*usual, *stops]), _sorted([*most, *stops])
    notes += _under_way(links, least_us)
    if short:
        notes.append(Remark(0, f"{short} interruptions shorter than {least_us // SECOND_US} s are no outage"))
    unanswered = sum(event.kind == "unanswered" for event in read)
    if unanswered:
        notes.append(Remark(0, f"{unanswered} operations had no result within Kannel's time-out"))
    margins = [row for link in (own, *links.values()) for row in link.margins]
    torn = [(at - size, at + size, size, "clock of the log") for _, at, size in clock.jumps]
    silent = [_hole(number, start, until) for number, (_, start, until) in enumerate(holes, 1)] if seen.debug else []
    return KannelLog(
        gaps.first, end, found,
        tuple(_blamed(one, "client") for one in found), (*(_blamed(one, contract.operator) for one in most), *silent),
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


def _incidents(
    downs: dict[str, list[Down]], absent: dict[str, list[tuple[int, int]]], least: int, end: int, operator: str
) -> tuple[tuple[Incident, ...], int]:
    """Return the incidents: total while every link is down, partial while some are; those below `least` only count.

    An incident still open when the log ends has no end.
    """
    found = list(stretches(downs, absent))
    long = [one for one in found if one.end - one.start >= least]
    incidents = [
        Incident(
            ticket=f"K{number:04}", start=one.start, end=None if one.end > end else one.end,
            scope="partial" if one.link else "total", share=1 / one.links if one.link else 1.0,
            subject=one.link or "platform", cause="connections, as Kannel saw them",
            attributed_to=operator if one.fault == "platform" else one.fault,
        )
        for number, one in enumerate(sorted(long, key=lambda one: (one.start, one.link)), 1)
    ]  # fmt: skip
    return tuple(incidents), len(found) - len(long)


def _sorted(incidents: list[Incident]) -> tuple[Incident, ...]:
    return tuple(sorted(incidents, key=lambda one: (one.start, one.ticket)))


def _stops(own: Link) -> list[Incident]:
    """Return the times in which the bearerbox did not run."""
    return [
        Incident(f"KS{number:03}", down.start, down.end, attributed_to="client", cause="Kannel did not run")
        for number, down in enumerate(own.downs, 1)
    ]


def _under_way(links: dict[str, Link], least: int) -> Iterator[RejectedRow]:
    """Remark on outages whose beginning the log does not show."""
    every = (down for link in links.values() for down in link.downs)
    unclear = sum(down.earliest < down.start and down.end - down.start >= least for down in every)
    if unclear:
        yield Remark(0, f"the log does not show when {count(unclear, 'outage')} began")


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
    for driver, number in sorted(Counter(seen.others).items()):
        yield Remark(0, f"{number} lines of {driver} links were not read: only {', '.join(sorted(DRIVERS))} speak UCP")
