"""Lines of Kannel's own logs, bearerbox's and its access log, as events. Concludes nothing.

As Kannel 1.4.5 writes them: a civil time to the second, without zone, then thread and level, or "Sent SMS [..]".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Literal

import msgspec

from simbench.contract.calendar import from_civil
from simbench.imports.tables import Aside
from simbench.imports.times import FIRST_YEAR, LAST_YEAR
from simbench.ucp.fields import At
from simbench.units import SECOND_US

Kind = Literal[
    "started", "stopping", "connecting", "lost", "failed", "heard", "sent", "accepted", "refused", "notified"
]

HEAD = re.compile(r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<rest>\S.*)")
_BEARERBOX = re.compile(r"\[\d+\] \[\d+\] (?P<level>[A-Z]+): (?P<said>.*)")
_LINK = re.compile(r"EMI2?\[(?P<link>[^\]]*)\]: (?P<said>.*)")
_PACKET = re.compile(r"emi2 (?P<way>sending|parsing) packet: <\x02?(?P<frame>\d\d/\d{5}/[OR]/\d\d/[^\x03]*)\x03?>")
_ACCESS = re.compile(r"(?P<what>[A-Z][A-Za-z ]*?) \[SMSC:(?P<link>[^\]]*)\] (?P<rest>.*)")
_FLAGS = re.compile(r"\[flags:(?:-?\d+:){4}(?P<mask>-?\d+)\]")
_TO = re.compile(r"\[to:(?P<to>[^\]]*)\]")

SAID: tuple[tuple[str, Kind], ...] = (
    ("connecting to ", "connecting"),
    ("Main connection closed", "lost"),
    ("Couldn't connect", "failed"),
    ("connection closed in wait_for_ack", "failed"),
    ("opening TCP connection", "failed"),
)
OF_BEARERBOX: tuple[tuple[str, Kind], ...] = (
    ("Kannel bearerbox", "started"),
    ("Killing signal", "stopping"),
    ("Shutting down", "stopping"),
)
DLR: dict[str, Kind] = {"1": "notified", "2": "notified", "8": "heard", "16": "refused"}


class Event(msgspec.Struct, frozen=True):
    """Something a line says: its instant (us), its link (the smsc-id, "" for the whole bearerbox), and what."""

    line: int
    at: int
    kind: Kind
    link: str = ""
    recipient: str = ""
    value: int = 0  # error code of a refusal, Dst of a notification
    trn: str = ""


class Clock(msgspec.Struct):
    """Instants out of civil times as they follow one another; what goes back is told and held at the last instant.

    The hour repeated in October is read as its second occurrence once the first is over.
    """

    zone: tzinfo
    last: int = 0
    jumps: list[tuple[int, int, int]] = []  # line, instant, by how much the clock went back (us)

    def read(self, text: str, line: int) -> int | None:
        """The instant of a line's civil time, None when it is none."""
        try:
            moment = datetime.fromisoformat(text).replace(tzinfo=self.zone)
        except ValueError:
            return None
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            return None
        at = from_civil(moment)
        if at < self.last:
            again = from_civil(moment.replace(fold=1))
            at = again if again >= self.last else at
        if at < self.last:
            if self.last - at > SECOND_US:  # threads write past one another within a second
                self.jumps.append((line, self.last, self.last - at))
            return self.last
        self.last = at
        return at


def events(lines: Iterable[str], clock: Clock, aside: list[Aside]) -> Iterator[Event]:
    """What the lines say, in their order; lines without a time go to `aside`."""
    for number, text in enumerate(lines, 1):
        found = HEAD.fullmatch(text.rstrip("\r\n"))
        at = clock.read(found["time"], number) if found else None
        if found is None or at is None:
            if text.strip():
                aside.append(Aside(number, "has no time of Kannel's at its beginning"))
            continue
        yield from _said(number, at, found["rest"])


def _said(line: int, at: int, rest: str) -> Iterator[Event]:
    told = _BEARERBOX.fullmatch(rest)
    if told is None:
        yield from _access(line, at, rest)
        return
    link = _LINK.fullmatch(told["said"])
    if link is None:
        kind = _kind(told["said"], OF_BEARERBOX)
        if kind:
            yield Event(line, at, kind)
        return
    packet = _PACKET.fullmatch(link["said"])
    if packet:
        yield from _packet(line, at, link["link"], packet["way"], packet["frame"].split("/"))
        return
    kind = _kind(link["said"], SAID)
    if kind:
        yield Event(line, at, kind, link["link"])


def _kind(said: str, table: tuple[tuple[str, Kind], ...]) -> Kind | None:
    return next((kind for beginning, kind in table if said.startswith(beginning)), None)


def _packet(line: int, at: int, link: str, way: str, fields: list[str]) -> Iterator[Event]:
    """A frame in the log: trn, length, O or R, operation, and its data."""
    trn, _, kind, operation, *data = fields
    if way == "sending":
        if (kind, operation) == ("O", "51"):
            yield Event(line, at, "sent", link, data[At.ADC], trn=trn)
        return
    yield Event(line, at, "heard", link)
    if (kind, operation) == ("R", "51"):
        positive = data[0] == "A"
        value = 0 if positive or len(data) < 2 or not _number(data[1]) else int(data[1])
        yield Event(line, at, "accepted" if positive else "refused", link, value=value, trn=trn)
    elif (kind, operation) == ("O", "53") and len(data) > At.DST and _number(data[At.DST]):
        yield Event(line, at, "notified", link, data[At.OADC], int(data[At.DST]))


def _access(line: int, at: int, rest: str) -> Iterator[Event]:
    """A line of the access log: Kannel writes "Sent" when the result is positive."""
    found = _ACCESS.fullmatch(rest)
    if found is None:
        return
    to, flags = _TO.search(found["rest"]), _FLAGS.search(found["rest"])
    recipient = to["to"] if to else ""
    if found["what"] == "Sent SMS":
        yield Event(line, at, "accepted", found["link"], recipient)
    elif found["what"] in {"FAILED Send SMS", "Failed Send SMS", "Rejected SMS"}:
        yield Event(line, at, "refused", found["link"], recipient)
    elif found["what"] in {"Receive DLR", "DLR SMS"} and flags and DLR.get(flags["mask"]) == "notified":
        yield Event(line, at, "notified", found["link"], recipient, 0 if flags["mask"] == "1" else 2)


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4
