"""The links of a Kannel log over time: when each was down, when it cannot have been, and when it did not exist.

A link is down from the loss of its connection, or the first failed attempt, to the attempt that no failure follows. A
log that records failures only shows the end of an outage by the attempt that did not fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.sla.imports.kannel_lines import Event, Fault
from simbench.sla.imports.traffic import LedgerRow

LASTS: Final = 1  # us beyond the end of a log, for incidents still open then
ATTEMPT_US: Final = 3 * MINUTE_US  # longest time until an attempt to connect fails
KANNEL: Final = "kannel log"


class Down(msgspec.Struct, frozen=True):
    """A period in which a link was down, and the parties at fault for its failed attempts.

    It may have begun at `earliest` if the log does not show the link before. `served`: a message had a result between
    the previous period and this one.
    """

    start: int
    end: int
    fault: Fault
    earliest: int
    served: bool = True


class Run(msgspec.Struct):
    """A run of the bearerbox: the end of the previous one, its own end, its links, and whether its start is logged."""

    since: int
    until: int
    begun: bool
    links: set[str] = msgspec.field(default_factory=set)


class Link(msgspec.Struct):
    """State of one link during reading: since when it is down, the current attempt, and the last failed one.

    `unseen`: since when its state is unknown, None once the log shows it. `silent`: the log records failures only.
    """

    unseen: int | None = None
    silent: bool = False
    down_since: int | None = None
    earliest: int = 0
    trying_since: int | None = None
    failed_at: int = 0
    retry_us: int = 0
    served: bool = True
    faults: set[Fault] = msgspec.field(default_factory=set)
    downs: list[Down] = []
    margins: list[LedgerRow] = []

    def take(self, event: Event) -> None:
        """Follow one event."""
        self._implied(event.at)
        match event.kind:
            case "connecting":
                self._came_back()  # no failure followed the previous attempt
                self.trying_since = event.at
            case "lost":
                self._came_back()
                self.unseen = None  # it was up until then
                self._goes_down(event.at)
            case "failed":
                self._goes_down(event.at if self.trying_since is None else self.trying_since)
                self.trying_since, self.failed_at, self.unseen = None, event.at, None
                self.retry_us = event.value or self.retry_us
                self.faults.add(event.fault)
            case "heard" | "accepted" | "refused" | "notified":
                self.trying_since = event.at if self.trying_since is None else self.trying_since
                self._came_back()
                self.served |= event.kind != "heard"
            case _:
                pass

    def end(self, at: int) -> int | None:
        """End of the log or the bearerbox: a pending attempt counts as successful.

        Returns since when the link was down.
        """
        self._implied(at)
        self._came_back()
        since, self.down_since = self.down_since, None
        if since is not None:
            self._was_down(since, at)
        return since

    def _goes_down(self, at: int) -> None:
        if self.down_since is None:
            self.down_since, self.earliest = at, at if self.unseen is None else self.unseen

    def _implied(self, at: int) -> None:
        """In a log of failures, the attempt that is due and did not fail was successful."""
        due = self.failed_at + self.retry_us
        if self.silent and self.retry_us and self.down_since is not None and at > due + ATTEMPT_US:
            self.trying_since = due
            self._came_back()

    def _came_back(self) -> None:
        back = self.trying_since
        self.trying_since = None
        if back is None:
            return
        self.unseen = None
        if self.down_since is None:
            return
        # The link returned at some instant after the last failed attempt; both ends are known to the second.
        margin = back - max(self.failed_at, self.down_since) + 2 * SECOND_US
        self.margins.append((self.down_since, back, margin, KANNEL))
        self._was_down(self.down_since, back)
        self.down_since = None

    def _was_down(self, start: int, end: int) -> None:
        faults, self.faults = self.faults, set()
        if end > start:
            self.downs.append(Down(start, end, together(faults), self.earliest, self.served))
            self.served = False

    def at_worst(self, least: int) -> list[Down]:
        """Return the longest reading of the outages; one shorter than `least` is none.

        A connection that lasts for less than this time, without the result of any message, restores nothing.
        """
        found: list[Down] = []
        for one in self.downs:
            before = found[-1] if found else None
            if before is not None and not one.served and one.start - before.end < least:
                found[-1] = replace(before, end=one.end, fault=together({before.fault, one.fault}))
            else:
                found.append(one)
        return [replace(one, start=one.earliest) if one.end - one.start >= least else one for one in found]


def together(faults: Iterable[Fault]) -> Fault:
    """Return the party at fault for several failures: unknown if they differ, the platform if there is none."""
    found = set(faults)
    return found.pop() if len(found) == 1 else "unknown" if found else "platform"


def links_of(read: Sequence[Event], before: int, end: int) -> tuple[dict[str, Link], Link, list[Run]]:
    """Return the state of every link, that of the bearerbox as a link that is down while it does not run, and its runs.

    `before`: the earliest beginning of what was under way when the log began.
    """
    silent = not any(event.kind == "connecting" for event in read)
    links: dict[str, Link] = {}
    own = Link(faults={"client"})
    runs = [Run(before, end, begun=False)]
    unseen: list[tuple[Link, int, int]] = []  # links that were down when Kannel stopped: since when, until then
    for event in read:
        if event.kind == "stopping":
            for link in links.values():
                since = link.end(event.at)
                if since is not None:
                    unseen.append((link, since, event.at))
            if own.down_since is None:
                own.down_since = own.earliest = runs[-1].until = event.at
        elif event.kind == "started":
            _margins(unseen, event.at)
            if own.down_since is None:
                runs[-1].until = event.value or event.at  # a crash, some time after the line before
            own.end(event.at)
            own.faults = {"client"}
            runs.append(Run(runs[-1].until if links else before, end, begun=True))
            for link in links.values():
                link.unseen = runs[-1].since
        elif own.down_since is None:  # messages during its stop are caused by the stop
            links.setdefault(event.link, Link(runs[-1].since, silent)).take(event)
            runs[-1].links.add(event.link)
    for link in links.values():
        link.end(end + LASTS)
    _margins(unseen, end)
    own.end(end)
    return links, own, runs


def _margins(unseen: list[tuple[Link, int, int]], back: int) -> None:
    """Return the bounds for links down when Kannel stopped: they may have returned at any time until it ran again."""
    for link, since, until in unseen:
        link.margins.append((since, until, back - until + 2 * SECOND_US, KANNEL))
    unseen.clear()


def absences(runs: Iterable[Run], *, begun_only: bool) -> dict[str, list[tuple[int, int]]]:
    """Return by link the runs of the bearerbox in which it did not exist.

    Kannel names every link when it starts. A link that an earlier part of the log does not name may have been silent:
    `begun_only` leaves out the run whose start is not logged.
    """
    runs = [run for run in runs if run.links]
    every = set[str]().union(*(run.links for run in runs))
    return {
        link: [
            (run.since, run.until + LASTS) for run in runs if link not in run.links and (run.begun or not begun_only)
        ]
        for link in every
    }


class Stretch(msgspec.Struct, frozen=True):
    """A period in which all links were down (`link` is ""), or this one of `links`."""

    start: int
    end: int
    fault: Fault
    link: str
    links: int


def stretches(downs: dict[str, list[Down]], absent: dict[str, list[tuple[int, int]]]) -> Iterator[Stretch]:
    """Yield the periods in which all links were down, and those in which each link but not all were down.

    One sweep over all beginnings and ends: its cost grows with their number, and with the number of links if all go
    down together.
    """
    steps: dict[int, list[tuple[bool, str, Fault | None]]] = {}  # whether it begins; without a party: an absence
    for name, spans in downs.items():
        for one in spans:
            steps.setdefault(one.start, []).append((True, name, one.fault))
            steps.setdefault(one.end, []).append((False, name, one.fault))
    for name, gaps in absent.items():
        for start, end in gaps:
            steps.setdefault(start, []).append((True, name, None))
            steps.setdefault(end, []).append((False, name, None))
    down: dict[str, Fault] = {}
    gone: set[str] = set()
    under_way: dict[str, tuple[int, Fault, int]] = {}  # name: since when, the parties at fault, the number of links
    for at in sorted(steps):
        for begins, name, fault in sorted(steps[at], key=lambda one: one[0]):  # an end precedes a beginning
            _step(down, gone, name, fault, begins=begins)
        there = len(downs) - len(gone - down.keys())
        everything = bool(down) and len(down) == there
        now = {"": together(down.values())} if everything else down
        changed = {name for _, name, _ in steps[at]}
        if everything or "" in under_way:
            changed = {*under_way, *now}
        for name in changed:
            since, fault, of = under_way.get(name, (at, None, 0))
            if fault is not None and now.get(name) != fault:
                yield Stretch(since, at, fault, name, of)
                del under_way[name]
            if name in now:
                under_way.setdefault(name, (at, now[name], there))


def _step(down: dict[str, Fault], gone: set[str], name: str, fault: Fault | None, *, begins: bool) -> None:
    if fault is None:
        (gone.add if begins else gone.discard)(name)
    elif begins:
        down[name] = fault
    else:
        down.pop(name, None)
