"""Lines of Kannel's own logs, of the bearerbox and its access log, as events.

After the stamp follow process, thread and level (older forms: only the thread, or neither), or "Sent SMS [..]".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from simbench.base.text import is_number
from simbench.base.units import SECOND_US
from simbench.sla.imports.kannel_frames import Line
from simbench.ucp.fields import At

Kind = Literal[
    "started", "stopping", "connecting", "lost", "failed", "heard", "sent", "accepted", "refused", "notified",
    "unanswered",
]  # fmt: skip
Fault = Literal["platform", "client", "unknown"]
"""The party at fault for a failed attempt to connect."""

_LINE = re.compile(r"(?:\[(?P<process>\d+)\] )?(?:\[(?P<thread>\d+)\] )?(?P<level>[A-Z]+): (?P<text>.*)", re.DOTALL)
_LINK = re.compile(r"(?P<driver>[A-Z][A-Z0-9]+)\[(?P<link>[^\]]*)\]:? (?P<text>.*)", re.DOTALL)
_PACKET = re.compile(r"emi2 (?P<way>sending|parsing) packet: <\x02?(?P<frame>\d\d/\d{5}/[OR]/\d\d/[^\x03]*)\x03?>")
_ACCESS = re.compile(r"(?P<what>[A-Z][A-Za-z ]*?) \[SMSC:(?P<link>[^\]]*)\] (?P<rest>.*)", re.DOTALL)
_FLAGS = re.compile(r"\[flags:(?:-?\d+:){4}(?P<mask>-?\d+)\]")
_TO = re.compile(r"\[to:(?P<to>[^\[\]]*)\]")
_RETRY = re.compile(r"\(retrying in (\d{1,6}) s")
_ERRNO = re.compile(r"System error (\d+):")

DRIVERS: Final = frozenset({"EMI", "EMI2"})  # those that speak UCP
OF_LINK: Final[tuple[tuple[str, Kind], ...]] = (
    ("connecting to ", "connecting"),
    ("Main connection closed", "lost"),
    ("Error reading from the main connection", "lost"),
    ("Couldn't connect", "failed"),
    ("connection closed in wait_for_ack", "failed"),
    ("connection error in wait_for_ack", "failed"),
    ("Got no reply to login attempt", "failed"),
    ("Server rejected our login", "failed"),
    ("opening TCP connection", "failed"),
    ("received neither ACK nor NACK", "unanswered"),
    ("Alert (operation 31) was not ACKed", "unanswered"),
)
REJECTED: Final = "Server rejected our login"  # a wrong password, or a platform that rejects every login
OF_BEARERBOX: Final[tuple[tuple[str, Kind], ...]] = (
    ("Kannel bearerbox", "started"),
    ("Killing signal", "stopping"),
    ("Shutting down", "stopping"),
)
DLR: Final[dict[str, Kind]] = {"1": "notified", "2": "notified", "8": "heard", "16": "refused"}
FAULT_OF_ERRNO: Final[dict[int, Fault]] = {
    **dict.fromkeys((1, 12, 13, 23, 24, 99, 100, 101, 105), "client"),  # no permission, memory, file, address, network
    113: "unknown",  # no route to host: any router on the way may say it
}
RESOLVER: Final = ("gethostbyname failed", "Error while gw_gethostbyname", "Couldn't resolve")
LINKS_LAST: Final = 2_000_000  # us: a system error concerns the attempt that its thread reports within this time


class Event(msgspec.Struct, frozen=True):
    """One event of a log: its instant (us), its link (the smsc-id, "" for the whole bearerbox), and its kind."""

    line: int
    at: int
    kind: Kind
    link: str = ""
    recipient: str = ""
    value: int = 0  # error code of a refusal, Dst of a notification, us until the next attempt, the instant before
    trn: str = ""
    fault: Fault = "platform"


class Seen(msgspec.Struct):
    """Other lines that a log has: of the access log, at debug level, about links of other drivers."""

    access: bool = False
    debug: bool = False
    others: Counter[str] = msgspec.field(default_factory=Counter)


def events(lines: Iterable[Line], seen: Seen) -> Iterator[Event]:
    """Yield the events of the lines, in order."""
    errors: dict[str, tuple[int, Fault]] = {}  # by thread: the last system error and the party at fault
    before = last = 0
    for line in lines:
        before, last = last, line.at
        match = _LINE.fullmatch(line.text)
        if match is None:
            yield from _access(line, seen)
            continue
        seen.debug = seen.debug or match["level"] == "DEBUG"
        thread, text = match["thread"] or match["process"] or "", match["text"]
        link = _LINK.fullmatch(text)
        if link is None:
            fault = _fault(text)
            if fault and (fault != "platform" or thread not in errors):  # a failed look-up also has an error number
                errors[thread] = (line.at, fault)
            kind = _kind(text, OF_BEARERBOX)
            if kind:
                yield Event(line.number, line.at, kind, value=before)
        elif link["driver"] not in DRIVERS:
            seen.others[link["driver"]] += 1
        else:
            if link["text"].startswith("connecting to "):
                errors.pop(thread, None)
            at, fault = errors.get(thread, (0, None))
            yield from _of_link(line, link, fault if line.at - at <= LINKS_LAST else None)


def _of_link(line: Line, link: re.Match[str], fault: Fault | None) -> Iterator[Event]:
    packet = _PACKET.fullmatch(link["text"])
    if packet:
        yield from _packet(line, link["link"], packet["way"], packet["frame"].split("/"))
        return
    kind = _kind(link["text"], OF_LINK)
    if kind == "failed":
        rejected = link["text"].startswith(REJECTED)
        again = _RETRY.search(link["text"])
        retry_us = int(again[1]) * SECOND_US if again else 0
        fault = fault or ("unknown" if rejected else "platform")
        yield Event(line.number, line.at, kind, link["link"], value=retry_us, fault=fault)
    elif kind:
        yield Event(line.number, line.at, kind, link["link"])


def _fault(text: str) -> Fault | None:
    found = _ERRNO.match(text)
    if found:
        return FAULT_OF_ERRNO.get(int(found[1]), "platform") if len(found[1]) <= 4 else None
    return "client" if text.startswith(RESOLVER) else None


def _kind(text: str, table: tuple[tuple[str, Kind], ...]) -> Kind | None:
    return next((kind for beginning, kind in table if text.startswith(beginning)), None)


def _packet(line: Line, link: str, way: str, fields: list[str]) -> Iterator[Event]:
    """A frame in the log: trn, length, O or R, operation, and its data."""
    trn, _, kind, operation, *data = fields
    if way == "sending":
        if (kind, operation) == ("O", "51"):
            yield Event(line.number, line.at, "sent", link, data[At.ADC], trn=trn)
        return
    yield Event(line.number, line.at, "heard", link)
    if (kind, operation) == ("R", "51"):
        positive = data[0] == "A"
        value = 0 if positive or len(data) < 2 or not is_number(data[1], 4) else int(data[1])
        yield Event(line.number, line.at, "accepted" if positive else "refused", link, value=value, trn=trn)
    elif (kind, operation) == ("O", "53") and len(data) > At.DST and is_number(data[At.DST], 4):
        yield Event(line.number, line.at, "notified", link, data[At.OADC], int(data[At.DST]))


def _access(line: Line, seen: Seen) -> Iterator[Event]:
    """Read a line of the access log: Kannel writes "Sent" if the result is positive."""
    found = _ACCESS.fullmatch(line.text)
    if found is None:
        return
    seen.access = True
    to, flags = _TO.search(found["rest"]), _FLAGS.search(found["rest"])
    recipient = to["to"] if to else ""
    if found["what"] == "Sent SMS":
        yield Event(line.number, line.at, "accepted", found["link"], recipient)
    elif found["what"] in {"FAILED Send SMS", "Failed Send SMS", "Rejected SMS"}:
        yield Event(line.number, line.at, "refused", found["link"], recipient)
    elif found["what"] in {"Receive DLR", "DLR SMS"} and flags and DLR.get(flags["mask"]) == "notified":
        yield Event(line.number, line.at, "notified", found["link"], recipient, 0 if flags["mask"] == "1" else 2)
