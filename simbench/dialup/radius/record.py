"""One accounting record as a network access server states it, and its attributes by name. Reads no file, bills nothing.

Attributes are texts by name, as FreeRADIUS prints them: `detail` files have them so, packets are turned into them.
Sources: RFC 2865, RFC 2866 section 5, RFC 2869 section 5.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import AddressValueError, IPv4Address
from typing import Final

import msgspec

from simbench.dialup.calls import CAUSES
from simbench.units import SECOND_US

STATUSES: Final = {1: "Start", 2: "Stop", 3: "Interim-Update", 7: "Accounting-On", 8: "Accounting-Off"}
BOOTS: Final = ("Accounting-On", "Accounting-Off")

# Name: (number, type as dictionaries call it). What is not here is kept as text and not understood.
ATTRIBUTES: Final = {
    "User-Name": (1, "string"),
    "NAS-IP-Address": (4, "ipaddr"),
    "NAS-Port": (5, "integer"),
    "Service-Type": (6, "integer"),
    "Framed-Protocol": (7, "integer"),
    "Framed-IP-Address": (8, "ipaddr"),
    "Class": (25, "octets"),
    "Called-Station-Id": (30, "string"),
    "Calling-Station-Id": (31, "string"),
    "NAS-Identifier": (32, "string"),
    "Proxy-State": (33, "octets"),
    "Acct-Status-Type": (40, "integer"),
    "Acct-Delay-Time": (41, "integer"),
    "Acct-Input-Octets": (42, "integer"),
    "Acct-Output-Octets": (43, "integer"),
    "Acct-Session-Id": (44, "string"),
    "Acct-Authentic": (45, "integer"),
    "Acct-Session-Time": (46, "integer"),
    "Acct-Input-Packets": (47, "integer"),
    "Acct-Output-Packets": (48, "integer"),
    "Acct-Terminate-Cause": (49, "integer"),
    "Acct-Multi-Session-Id": (50, "string"),
    "Acct-Link-Count": (51, "integer"),
    "Acct-Input-Gigawords": (52, "integer"),
    "Acct-Output-Gigawords": (53, "integer"),
    "Event-Timestamp": (55, "date"),
    "NAS-Port-Type": (61, "integer"),
    "Connect-Info": (77, "string"),
    "NAS-IPv6-Address": (95, "ipv6addr"),
}
VALUES: Final = {
    "Acct-Status-Type": STATUSES,
    "Acct-Terminate-Cause": dict(enumerate(CAUSES[1:], start=1)),
    "NAS-Port-Type": {0: "Async", 1: "Sync", 2: "ISDN", 5: "Virtual", 15: "Ethernet"},
    "Service-Type": {1: "Login-User", 2: "Framed-User"},
    "Framed-Protocol": {1: "PPP", 2: "SLIP"},
    "Acct-Authentic": {1: "RADIUS", 2: "Local", 3: "Remote"},
}
_OLD_NAMES: Final = {"Alive": 3, "Interim": 3, "Framed": 2}  # of dictionaries older than RFC 2869
_LOCATES: Final = ("NAS-IP-Address", "NAS-IPv6-Address", "NAS-Identifier", "Client-IP-Address", "Packet-Src-IP-Address")

_WORD: Final = 1 << 32
_DATE: Final = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d{4}) (\d{2}):(\d{2}):(\d{2})(?: ([A-Z]+))?")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZONES_H: Final = {"UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3}

Attributes = Iterable[tuple[str, str]]


class BadRecord(Exception):
    """A record that cannot be billed as it stands: a key of `simbench.dialup.calls.REASONS`, and what stood there."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason, self.text = reason, text


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one Accounting-Request says. -1 and "" stand for attributes that are missing.

    `seconds` is Acct-Session-Time; octets hold the gigawords too; `cause` is a number of CAUSES; `event_us` is
    Event-Timestamp (us, UTC); `more` keeps every other attribute, in order, as text.
    """

    status: str
    nas: str
    session: str = ""
    user: str = ""
    port: int = -1
    called: str = ""
    calling: str = ""
    seconds: int = -1
    input_octets: int = -1
    output_octets: int = -1
    cause: int = 0
    event_us: int = -1
    delay_s: int = 0
    more: tuple[tuple[str, str], ...] = ()


class Heard(msgspec.Struct, frozen=True):
    """A record as some file has it: received when (us, UTC), and where it stands (line, or packet, from 1)."""

    record: Record
    received_us: int
    line: int
    source: str = ""

    @property
    def at_us(self) -> int:
        """When it happened by the receiver's clock: reception less Acct-Delay-Time."""
        return self.received_us - self.record.delay_s * SECOND_US

    @property
    def event_us(self) -> int:
        """When it happened by the access server's own clock, else by the receiver's."""
        return self.record.event_us if self.record.event_us >= 0 else self.at_us


@functools.cache
def is_address(nas: str) -> bool:
    """Whether an access server is named by an IPv4 address."""
    try:
        IPv4Address(nas)
    except AddressValueError:
        return False
    return True


def record_of(attributes: Attributes) -> Record:
    """The record that attributes of these names and texts make. Raises BadRecord."""
    first: dict[str, str] = {}
    more = []
    for name, text in attributes:
        if name in _TAKEN and name not in first:
            first[name] = text
        else:
            more.append((name, text))
    nas = next((first[name] for name in _LOCATES if first.get(name)), "")
    status = _named("Acct-Status-Type", first.get("Acct-Status-Type"))
    if not nas:
        raise BadRecord("unreadable", "no access server: neither NAS-IP-Address nor NAS-Identifier")
    record = Record(
        status=STATUSES[status],
        nas=nas,
        session=first.get("Acct-Session-Id", ""),
        user=first.get("User-Name", ""),
        port=_number(first, "NAS-Port", -1),
        called=first.get("Called-Station-Id", ""),
        calling=first.get("Calling-Station-Id", ""),
        seconds=_number(first, "Acct-Session-Time", -1),
        input_octets=_octets(first, "Input"),
        output_octets=_octets(first, "Output"),
        cause=_named("Acct-Terminate-Cause", first["Acct-Terminate-Cause"]) if "Acct-Terminate-Cause" in first else 0,
        event_us=_date(first.get("Event-Timestamp", "")),
        delay_s=_number(first, "Acct-Delay-Time", 0),
        more=tuple(more),
    )
    if not record.session and record.status not in BOOTS:
        raise BadRecord("unreadable", f"{record.status} without Acct-Session-Id")
    return record


_TAKEN: Final = frozenset(_LOCATES) | {
    "Acct-Status-Type", "Acct-Session-Id", "User-Name", "NAS-Port", "Called-Station-Id", "Calling-Station-Id",
    "Acct-Session-Time", "Acct-Input-Octets", "Acct-Output-Octets", "Acct-Input-Gigawords", "Acct-Output-Gigawords",
    "Acct-Terminate-Cause", "Event-Timestamp", "Acct-Delay-Time",
}  # fmt: skip


def _number(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < _WORD):
        negative = text[:1] == "-" and text[1:].isdigit()
        raise BadRecord("negative" if negative else "unreadable", f"{name} = {text[:40]}")
    return int(text)


def _octets(given: dict[str, str], direction: str) -> int:
    low = _number(given, f"Acct-{direction}-Octets", -1)
    high = _number(given, f"Acct-{direction}-Gigawords", 0)
    return -1 if low < 0 else high * _WORD + low


def _named(name: str, text: str | None) -> int:
    """The number of a named value, which may be given as name or as number. Raises BadRecord: missing or unknown."""
    names = VALUES[name]
    if text is not None:
        if text.isascii() and text.isdigit() and len(text) < 10 and int(text) in names:
            return int(text)
        for number, called in names.items():
            if called == text or _OLD_NAMES.get(text) == number:
                return number
    raise BadRecord("unreadable", f"{name} = {text[:40]}" if text is not None else f"no {name}")


def _date(text: str) -> int:
    """Event-Timestamp: seconds, or a date with its zone; -1 where there is none or its zone is not known."""
    if text.isascii() and text.isdigit() and len(text) <= 10:
        return int(text) * SECOND_US
    found = _DATE.fullmatch(text)
    if found is None or found[1] not in _MONTHS or found[7] not in _ZONES_H:
        return -1
    month, (day, year, hour, minute, second) = _MONTHS.index(found[1]) + 1, (int(found[n]) for n in range(2, 7))
    try:
        when = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - timedelta(hours=_ZONES_H[found[7]])
    except (ValueError, OverflowError):
        return -1
    return max(-1, int(when.timestamp()) * SECOND_US)
