"""One accounting record of a network access server, with its attributes by name.

Attributes are texts by name, in the form of FreeRADIUS: `detail` files contain this form, packets are converted to it.
Sources: RFC 2865, RFC 2866 section 5, RFC 2869 section 5.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address
from typing import Final

import msgspec

from simbench.base.text import is_number
from simbench.base.units import SECOND_US
from simbench.dialup.calls import CAUSES, cause_of
from simbench.dialup.radius.dates import event_of

STATUSES: Final = {1: "Start", 2: "Stop", 3: "Interim-Update", 7: "Accounting-On", 8: "Accounting-Off"}
BOOTS: Final = ("Accounting-On", "Accounting-Off")
PASSED_OVER: Final = {
    4: "Modem-Start", 5: "Modem-Stop", 6: "Cancel", 9: "Tunnel-Start", 10: "Tunnel-Stop", 11: "Tunnel-Reject",
    12: "Tunnel-Link-Start", 13: "Tunnel-Link-Stop", 14: "Tunnel-Link-Reject", 15: "Failed", 18: "Subsystem-On",
    19: "Subsystem-Off",
}  # fmt: skip
"""Record types that are not about a call (RFC 2867 section 3, IANA's registry): read, counted, and not billed."""

# Name: (number, type in dictionaries). Other attributes are kept as text without interpretation.
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
    "Acct-Status-Type": STATUSES | PASSED_OVER,
    "Acct-Terminate-Cause": dict(enumerate(CAUSES[1:], start=1)),
    "NAS-Port-Type": {0: "Async", 1: "Sync", 2: "ISDN", 5: "Virtual", 15: "Ethernet"},
    "Service-Type": {1: "Login-User", 2: "Framed-User"},
    "Framed-Protocol": {1: "PPP", 2: "SLIP"},
    "Acct-Authentic": {1: "RADIUS", 2: "Local", 3: "Remote"},
}
_OLD_NAMES: Final = {"Alive": 3, "Interim": 3}  # of dictionaries older than RFC 2869
_LOCATES: Final = ("NAS-IP-Address", "NAS-IPv6-Address", "NAS-Identifier", "Client-IP-Address", "Packet-Src-IP-Address")

COMPARED: Final = ("user", "port", "seconds", "input_octets", "output_octets", "cause", "called", "calling")
"""The fields in which copies of one record agree."""

_WORD: Final = 1 << 32
_COUNTER: Final = 1 << 62  # octets
_MOST_DIGITS: Final = 20
_LONGEST_DELAY_S: Final = (1 << 31) - 1  # a larger value is a negative number written as an unsigned one

Attributes = Iterable[tuple[str, str]]


class BadRecord(Exception):
    """A record that cannot be billed: a key of `simbench.dialup.calls.REASONS`, and an excerpt."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason, self.text = reason, text


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The attributes of one Accounting-Request. -1 and "" stand for missing ones.

    `seconds` is Acct-Session-Time; octets include the gigawords; `cause` is a number of CAUSES or UNKNOWN_CAUSE;
    `event_us` is Event-Timestamp (us, UTC); `delay_s` is -1 if it is implausible; `identifier` is the NAS-Identifier in
    addition to an address; `more` contains every other attribute as text, in order, and those of the above that could
    not be read and do not affect billing.
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
    identifier: str = ""
    more: tuple[tuple[str, str], ...] = ()


class Heard(msgspec.Struct, frozen=True):
    """A record in a file: its time of reception (us, UTC), and its position (line or packet, from 1)."""

    record: Record
    received_us: int
    line: int
    source: str = ""

    @property
    def at_us(self) -> int:
        """The instant by the receiver's clock: reception less Acct-Delay-Time, if that is plausible."""
        return self.received_us - max(0, self.record.delay_s) * SECOND_US

    @property
    def event_us(self) -> int:
        """The instant by the access server's own clock, otherwise by the receiver's."""
        return self.record.event_us if self.record.event_us >= 0 else self.at_us


@functools.cache
def is_address(nas: str) -> bool:
    """Tell whether an access server is named by an IPv4 address."""
    try:
        IPv4Address(nas)
    except AddressValueError:
        return False
    return True


def record_of(attributes: Attributes) -> Record:
    """Return the record of attributes given by name and text. Raises BadRecord."""
    first: dict[str, str] = {}
    more = []
    for name, text in attributes:
        if name in _TAKEN and name not in first:
            first[name] = text
        else:
            more.append((name, text))
    nas = next((first[name] for name in _LOCATES if first.get(name)), "")
    status = _status(first.get("Acct-Status-Type"))
    if not nas:
        raise BadRecord("unreadable", "no access server: neither NAS-IP-Address nor NAS-Identifier")
    record = Record(
        status=status,
        nas=nas,
        session=first.get("Acct-Session-Id", ""),
        user=first.get("User-Name", ""),
        port=_spared(first, more, "NAS-Port", -1),
        called=first.get("Called-Station-Id", ""),
        calling=first.get("Calling-Station-Id", ""),
        seconds=_number(first, "Acct-Session-Time", -1),
        input_octets=_octets(first, more, "Input"),
        output_octets=_octets(first, more, "Output"),
        cause=cause_of(first["Acct-Terminate-Cause"]) if first.get("Acct-Terminate-Cause") else 0,
        event_us=_event(first, more),
        delay_s=_delay(first, more),
        identifier=identifier if (identifier := first.get("NAS-Identifier", "")) != nas else "",
        more=tuple(more),
    )
    if not record.session and record.status in STATUSES.values() and record.status not in BOOTS:
        raise BadRecord("unreadable", f"{record.status} without Acct-Session-Id")
    return record


_TAKEN: Final = frozenset(_LOCATES) | {
    "Acct-Status-Type", "Acct-Session-Id", "User-Name", "NAS-Port", "Called-Station-Id", "Calling-Station-Id",
    "Acct-Session-Time", "Acct-Input-Octets", "Acct-Output-Octets", "Acct-Input-Gigawords", "Acct-Output-Gigawords",
    "Acct-Terminate-Cause", "Event-Timestamp", "Acct-Delay-Time",
}  # fmt: skip


def _number(given: dict[str, str], name: str, default: int, below: int = _WORD) -> int:
    text = given.get(name)
    if not text:
        return default
    if not (is_number(text, _MOST_DIGITS) and int(text) < below):
        negative = text[:1] == "-" and text[1:].isdigit()
        raise BadRecord("negative" if negative else "unreadable", f"{name} = {text[:40]}")
    return int(text)


def _spared(given: dict[str, str], more: list[tuple[str, str]], name: str, default: int, below: int = _WORD) -> int:
    """Read a number that does not affect billing: an unreadable one is kept as text, and the record is used."""
    try:
        return _number(given, name, default, below)
    except BadRecord:
        more.append((name, given[name]))
        return default


def _octets(given: dict[str, str], more: list[tuple[str, str]], direction: str) -> int:
    low = _spared(given, more, f"Acct-{direction}-Octets", -1, _COUNTER)  # some servers write all 64 bits here
    high = _spared(given, more, f"Acct-{direction}-Gigawords", 0)
    return -1 if low < 0 else high * _WORD + low


def _delay(given: dict[str, str], more: list[tuple[str, str]]) -> int:
    """Return Acct-Delay-Time; -1 if it is implausible, so that reception does not give the instant."""
    delay_s = _spared(given, more, "Acct-Delay-Time", -1 if given.get("Acct-Delay-Time") else 0)
    if delay_s > _LONGEST_DELAY_S:
        more.append(("Acct-Delay-Time", given["Acct-Delay-Time"]))
        return -1
    return delay_s


def _event(given: dict[str, str], more: list[tuple[str, str]]) -> int:
    text = given.get("Event-Timestamp", "")
    event_us = event_of(text)
    if event_us < 0 and text:
        more.append(("Event-Timestamp", text))
    return event_us


def _status(text: str | None) -> str:
    """Return the record type, given by name or by number. Raises BadRecord if it is missing or in no registry."""
    if text is not None:
        names = VALUES["Acct-Status-Type"]
        if is_number(text, 9) and int(text) in names:
            return names[int(text)]
        for number, called in names.items():
            if called == text or _OLD_NAMES.get(text) == number:
                return called
    raise BadRecord("unreadable", f"Acct-Status-Type = {text[:40]}" if text is not None else "no Acct-Status-Type")
