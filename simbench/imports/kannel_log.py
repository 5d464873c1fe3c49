"""What Kannel's log says of the platform: interruptions, traffic, and where the log itself cannot be relied upon.

A link is down from the loss of its connection, or the first failed attempt, to the attempt that no failure follows.
When Kannel itself was down nobody knows about the platform: that time is the client's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from itertools import pairwise
from pathlib import Path

import msgspec

from simbench.contract import Contract
from simbench.contract.typed import label
from simbench.errors import BadInput
from simbench.imports.kannel_lines import HEAD, Clock, Event, events
from simbench.imports.tables import Aside
from simbench.imports.times import NoZone
from simbench.imports.traffic import LedgerRow
from simbench.incident import Incident
from simbench.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US

Interval = tuple[int, int | None]
HOLE_QUIET, HOLE_CHATTY = DAY_US, 10 * MINUTE_US  # longest silence of a log without, and with, debug lines
OWN = ""  # the "link" of the bearerbox itself


class KannelLog(msgspec.Struct, frozen=True):
    """What a log told: its first and last instant, incidents, rows for `centre` and `grain`, remarks."""

    start: int
    end: int
    incidents: tuple[Incident, ...]
    centre: tuple[LedgerRow, ...]
    grain: tuple[LedgerRow, ...]
    remarks: tuple[Aside, ...]
    rows: int


class _Link(msgspec.Struct):
    """One link while the log is read: since when it is down, the attempt under way, the last one that failed."""

    down_since: int | None = None
    trying_since: int | None = None
    failed_at: int = 0
    known: bool = False
    downs: list[Interval] = []
    margins: list[LedgerRow] = []

    def take(self, event: Event) -> None:
        match event.kind:
            case "connecting":
                self._came_back()  # the attempt before was followed by no failure
                self.trying_since = event.at
            case "lost":
                self._came_back()
                self.down_since = event.at if self.down_since is None else self.down_since
            case "failed":
                begun = event.at if self.trying_since is None else self.trying_since
                self.down_since = begun if self.down_since is None else self.down_since
                self.trying_since, self.failed_at = None, event.at
            case "heard" | "accepted" | "refused" | "notified":
                self.trying_since = event.at if self.trying_since is None else self.trying_since
                self._came_back()
            case _:
                pass

    def end(self, at: int) -> None:
        """The log or the bearerbox ends: what was being tried counts as having worked."""
        self._came_back()
        if self.down_since is not None:
            self.downs.append((self.down_since, at))
        self.down_since = None

    def _came_back(self) -> None:
        back = self.trying_since
        self.trying_since = None
        if back is None or self.down_since is None:
            return
        # It was back at some moment since the last attempt that failed; both ends are known to the second.
        margin = back - max(self.failed_at, self.down_since) + 2 * SECOND_US
        self.downs.append((self.down_since, back))
        self.margins.append((self.down_since, back, margin, "kannel log"))
        self.down_since = None


def looks_like(head: str) -> bool:
    """Whether the beginning of a file is one of Kannel's logs."""
    lines = [line for line in head.splitlines()[:20] if line.strip()]
    timed = [found["rest"] for found in map(HEAD.fullmatch, lines) if found]
    marks = ("[", "Log begins", "Sent SMS", "Receive ", "FAILED Send", "DLR SMS")
    return len(timed) * 2 > len(lines) and any(rest.startswith(marks) for rest in timed)


def read_kannel_log(path: Path, contract: Contract, zone: tzinfo | None) -> KannelLog:
    """Read a bearerbox or access log. NoZone without a zone, BadInput when no line is of Kannel's."""
    if zone is None:
        raise NoZone(label(path), "Kannel's times say no time zone", "the option --tz, as in --tz Europe/Paris")
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as problem:
        raise BadInput(label(path), problem.strerror or "cannot be read", "a log of Kannel's") from None
    clock = Clock(zone)
    aside: list[Aside] = []
    chatty = " DEBUG: " in text
    lines = text.split("\n")  # texts of messages hold what else a line may end with
    read = list(events(lines, clock, aside))
    # Holes are looked for in all lines, not only in those that mean something.
    stamps = list(_stamps(lines, Clock(zone)))
    if not stamps:
        raise BadInput(label(path), "no line of it is Kannel's", "a bearerbox log or an access log")
    links = _links(read, stamps[-1][1])
    remarks = [*aside, *_jumps(clock), *_holes(stamps, HOLE_CHATTY if chatty else HOLE_QUIET)]
    least = contract.terms.quality.total_outage_after_s.value * SECOND_US
    found, short = _incidents(links, least)
    if short:
        told = f"{short} interruptions shorter than {least // SECOND_US} s are no outage"
        remarks.append(Aside(0, told, kept=True))
    margins = [row for link in links.values() for row in link.margins]
    torn = [(at - size, at + size, size, "clock of the log") for _, at, size in clock.jumps]
    return KannelLog(
        stamps[0][1], stamps[-1][1], found, tuple(_centre(read)), (*margins, *torn),
        tuple(sorted(remarks, key=lambda one: one.line)), len(lines),
    )  # fmt: skip


def _stamps(lines: Iterable[str], clock: Clock) -> Iterator[tuple[int, int]]:
    for number, text in enumerate(lines, 1):
        found = HEAD.fullmatch(text.rstrip("\r"))
        at = clock.read(found["time"], number) if found else None
        if at is not None:
            yield number, at


def _links(read: list[Event], end: int) -> dict[str, _Link]:
    """Every link with the times it was down; the bearerbox itself is one, down while it did not run."""
    links: dict[str, _Link] = {}
    own = _Link()
    for event in read:
        if event.kind == "stopping":
            for link in links.values():
                link.end(event.at)
            own.down_since = event.at if own.down_since is None else own.down_since
        elif event.kind == "started":
            if own.down_since is not None:
                own.downs.append((own.down_since, event.at))
            own.down_since = None
        elif own.down_since is None:  # what it says while it stops is its own doing
            links.setdefault(event.link, _Link()).take(event)
    for link in links.values():
        link.end(end)
    own.end(end)
    return {OWN: own, **links}


def _incidents(links: dict[str, _Link], least: int) -> tuple[tuple[Incident, ...], int]:
    """Total while every link is down, partial while some are; interruptions shorter than `least` are counted only."""
    named = {name: link.downs for name, link in links.items() if name != OWN}
    together = _common(list(named.values()))
    found: list[tuple[int, int, str]] = [(start, end, OWN) for start, end in together]
    for name, downs in named.items():
        found += [(start, end, name) for start, end in _without(downs, together)]
    long = [one for one in found if one[1] - one[0] >= least]
    incidents = [
        Incident(
            ticket=f"K{number:04}", start=start, end=end, scope="partial" if name else "total",
            share=1 / len(named) if name else 1.0, subject=name or "platform", cause="connections, as Kannel saw them",
        )
        for number, (start, end, name) in enumerate(sorted(long), 1)
    ]  # fmt: skip
    stops = [(start, end) for start, end in links[OWN].downs if end is not None and end > start]
    incidents += [
        Incident(f"KS{number:03}", start, end, attributed_to="client", cause="Kannel did not run")
        for number, (start, end) in enumerate(stops, 1)
    ]
    return tuple(sorted(incidents, key=lambda one: (one.start, one.ticket))), len(found) - len(long)


def _common(downs: list[list[Interval]]) -> list[tuple[int, int]]:
    """When all are down at once."""
    if not downs:
        return []
    common = [(start, end or start) for start, end in downs[0]]
    for others in downs[1:]:
        common = [
            (max(start, begin), min(end, stop or begin))
            for start, end in common
            for begin, stop in others
            if max(start, begin) < min(end, stop or begin)
        ]
    return [(start, end) for start, end in common if end > start]


def _without(downs: list[Interval], taken: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What is left of some intervals when others are cut out."""
    for start, end in downs:
        at, until = start, end or start
        for begin, stop in taken:
            if begin < until and stop > at:
                if begin > at:
                    yield at, begin
                at = max(at, stop)
        if at < until:
            yield at, until


def _centre(read: list[Event]) -> Iterator[LedgerRow]:
    """Rows of messages: handed over and not answered within the second, accepted, refused, notified, forgotten."""
    waiting: dict[tuple[str, str], Event] = {}
    rows: list[LedgerRow] = []
    for event in read:
        if event.kind == "sent":
            waiting[event.link, event.trn] = event
        elif event.kind in {"accepted", "refused"}:
            asked = waiting.pop((event.link, event.trn), None) if event.trn else None
            recipient = asked.recipient if asked else event.recipient
            if asked and asked.at < event.at and event.kind == "accepted":
                rows.append((asked.at, "held", 0, event.link, recipient, 0, 0, 0, None, 1))
            rows.append((event.at, event.kind, 0, event.link, recipient, event.line, 0, event.value, None, 1))
        elif event.kind == "notified":
            kind = ("delivered", "buffered", "undelivered")[min(event.value, 2)]
            rows.append((event.at, kind, 0, event.link, event.recipient, event.line, 0, 0, None, 1))
        elif event.kind in {"lost", "stopping"}:
            rows.append((event.at, "logout", 0, event.link, "", 0, 0, 0, None, 0))
    rows.sort(key=lambda row: int(str(row[0])))
    return iter(rows)


def _jumps(clock: Clock) -> Iterator[Aside]:
    for line, _, size in clock.jumps:
        yield Aside(line, f"the clock goes back by {size // SECOND_US} s; held at the last time", kept=True)


def _holes(stamps: list[tuple[int, int]], longest: int) -> Iterator[Aside]:
    for (_, before), (line, at) in pairwise(stamps):
        if at - before > longest:
            hours = (at - before) / HOUR_US
            yield Aside(line, f"nothing was logged for {hours:.1f} h before it, or the clock went forward", kept=True)
