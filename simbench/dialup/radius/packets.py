"""Accounting-Request and -Response as octets: signed, verified, parsed.

Sources: RFC 2865 sections 3 and 5, RFC 2866 sections 3 to 5, RFC 2869 section 5. The tests compare with pyrad.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from hashlib import md5
from hmac import compare_digest
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import Final

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.dialup.radius.record import ATTRIBUTES, STATUSES, VALUES, BadRecord, Record, is_address, record_of

REQUEST: Final = 4
RESPONSE: Final = 5
SHORTEST: Final = 20  # octets of a packet
LONGEST: Final = 4096
LONGEST_TEXT: Final = 253  # octets of an attribute's value
_GIGAWORD: Final = 1 << 32
_HEADER: Final = Struct("!BBH")
_INTEGER: Final = Struct("!I").pack
_UNSIGNED: Final = bytes(16)  # placeholder of the authenticator while it is computed
_STATUS_NUMBERS: Final = {name: number for number, name in STATUSES.items()}
_ASYNC, _FRAMED, _PPP = 0, 2, 1  # the types of a modem's port and its session

Value = str | int


def stated(record: Record, delay_s: int) -> list[tuple[str, Value]]:
    """Return the attributes of a record, in order, named values by number. `record.more` and `delay_s` are not sent.

    Acct-Delay-Time is an argument, because it increases while a record waits.
    """
    given: list[tuple[str, Value]] = [
        ("Acct-Status-Type", _STATUS_NUMBERS[record.status]),
        ("NAS-IP-Address" if is_address(record.nas) else "NAS-Identifier", record.nas),
        ("Acct-Delay-Time", delay_s),
    ]
    if record.event_us >= 0:
        given.append(("Event-Timestamp", record.event_us // SECOND_US))
    if record.session:
        given += [("Acct-Session-Id", record.session), ("NAS-Port-Type", _ASYNC)]
        given += [("Service-Type", _FRAMED), ("Framed-Protocol", _PPP)]
    if record.user:
        given.append(("User-Name", record.user))
    if record.called:
        given.append(("Called-Station-Id", record.called))
    if record.calling:
        given.append(("Calling-Station-Id", record.calling))
    if record.port >= 0:
        given.append(("NAS-Port", record.port))
    if record.seconds >= 0:
        given.append(("Acct-Session-Time", record.seconds))
    for direction, octets in (("Input", record.input_octets), ("Output", record.output_octets)):
        if octets >= 0:
            given.append((f"Acct-{direction}-Octets", octets % _GIGAWORD))
            if octets >= _GIGAWORD:
                given.append((f"Acct-{direction}-Gigawords", octets // _GIGAWORD))
    if record.cause:
        given.append(("Acct-Terminate-Cause", record.cause))
    return given


_ENCODE: Final[dict[str, Callable[..., bytes]]] = {
    "string": str.encode,
    "integer": _INTEGER,
    "date": _INTEGER,
    "ipaddr": functools.cache(lambda text: IPv4Address(text).packed),  # access servers are few
}


def encode(record: Record, delay_s: int = 0) -> bytes:
    """Encode the attributes of a record. Raises ValueError for a text of more than 253 octets."""
    parts = []
    for name, value in stated(record, delay_s):
        code, kind = ATTRIBUTES[name]
        octets = _ENCODE[kind](value)
        if len(octets) > LONGEST_TEXT:
            raise ValueError(f"{name} of {count(len(octets), 'octet')}, at most {LONGEST_TEXT} fit")
        parts.append(bytes((code, len(octets) + 2)) + octets)
    return b"".join(parts)


def sign(attributes: bytes, identifier: int, secret: bytes) -> bytes:
    """Return an Accounting-Request with these attributes and its authenticator (RFC 2866 section 3)."""
    header = _HEADER.pack(REQUEST, identifier, SHORTEST + len(attributes))
    return header + md5(header + _UNSIGNED + attributes + secret, usedforsecurity=False).digest() + attributes


def whole(octets: bytes) -> bytes:
    """Return a packet without padding; b"" if it is not a packet."""
    if len(octets) < SHORTEST:
        return b""
    length = octets[2] << 8 | octets[3]
    return octets[:length] if SHORTEST <= length <= min(len(octets), LONGEST) else b""


def signed(request: bytes, secret: bytes) -> bool:
    """Tell whether a request has the authenticator of this secret."""
    request = whole(request)
    digest = md5(request[:4] + _UNSIGNED + request[20:] + secret, usedforsecurity=False).digest()
    return compare_digest(digest, request[4:20])


def answers(response: bytes, request: bytes, secret: bytes) -> bool:
    """Tell whether a packet is the Accounting-Response to a request, with the authenticator of this secret."""
    response = whole(response)
    if response[:2] != bytes((RESPONSE, request[1])):
        return False
    digest = md5(response[:4] + request[4:20] + response[20:] + secret, usedforsecurity=False).digest()
    return compare_digest(digest, response[4:20])


def read(octets: bytes, sender: str = "") -> Record:
    """Return the record in a received request, without verification. Raises BadRecord.

    `sender` is the source address, used for an access server that does not name itself.
    """
    packet = whole(octets)
    if not packet:
        raise BadRecord("unreadable", f"{count(len(octets), 'octet')}, not a RADIUS packet")
    if packet[0] != REQUEST:
        raise BadRecord("unreadable", f"packet of code {packet[0]}, expected an Accounting-Request")
    attributes, at = [], SHORTEST
    while at < len(packet):
        length = packet[at + 1] if at + 1 < len(packet) else 0
        if length < 2 or at + length > len(packet):
            raise BadRecord("unreadable", f"an attribute of {count(length, 'octet')} at octet {at} of {len(packet)}")
        attributes.append(_shown(packet[at], packet[at + 2 : at + length]))
        at += length
    return record_of([*attributes, ("Packet-Src-IP-Address", sender)])


_CODES: Final = {code: (name, kind) for name, (code, kind) in ATTRIBUTES.items()}
_LENGTHS: Final = {"integer": 4, "date": 4, "ipaddr": 4, "ipv6addr": 16}


def _shown(code: int, value: bytes) -> tuple[str, str]:
    """Return name and text of an attribute. Raises BadRecord for a value of the wrong length."""
    name, kind = _CODES.get(code, (f"Attr-{code}", "octets"))
    if len(value) != _LENGTHS.get(kind, len(value)):
        raise BadRecord("unreadable", f"{name} of {count(len(value), 'octet')}")
    if kind == "string":
        return name, value.decode("utf-8", "backslashreplace")
    if kind in {"integer", "date"}:
        number = int.from_bytes(value, "big")
        return name, VALUES.get(name, {}).get(number, str(number))
    if kind in {"ipaddr", "ipv6addr"}:
        return name, str(IPv4Address(value) if kind == "ipaddr" else IPv6Address(value))
    return name, f"0x{value.hex()}"
