"""UDP datagrams of a capture file. Checksums are not verified.

`simbench.capture.network` handles fragments and packets inside others. Sources: RFC 768, RFC 791, RFC 8200.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final, NamedTuple

from simbench.base.errors import BadInput
from simbench.base.inputs import open_input
from simbench.capture.layers import UDP
from simbench.capture.links import LINK_NAMES, LINKS, RAW_IP
from simbench.capture.network import Network
from simbench.capture.order import Packets

_EXTENSIONS: Final = frozenset({0, 43, 60})  # hop-by-hop, routing, destination options
_FRAGMENT: Final = 44
_RADIUS_HEADER: Final = 20  # octets


class Datagram(NamedTuple):
    """One datagram: number of its packet (from 1), instant (us, UTC), both ends, and octets.
    `missing` is the number of octets that the capture cut off.
    """

    number: int
    at_us: int
    source: tuple[str, int]
    target: tuple[str, int]
    octets: bytes
    missing: int


class Datagrams:
    """The datagrams of a capture to or from some ports, to be iterated once; the counts are set afterwards.

    `unread` packets contain no UDP; `accounting` are ports that receive
    datagrams like RADIUS Accounting-Requests. Iterating raises BadInput if the file is unreadable, not a capture,
    damaged, or contains only unknown link types.
    """

    def __init__(self, path: Path, ports: tuple[int, ...]) -> None:
        self._path, self._ports = path, frozenset(ports)
        self.packets = self.unread = 0
        self.accounting: set[int] = set()
        self.cut_short = False

    def __iter__(self) -> Iterator[Datagram]:
        network, strange = Network(), set[int]()
        try:
            with open_input(self._path) as file:
                capture = Packets(file, str(self._path))
                for number, at_us, link, octets, _ in capture:
                    self.packets += 1
                    found = datagram_of(link, octets)
                    if not isinstance(found, tuple) and (packet := network.packet(link, octets)) is not None:
                        found = datagram_of(RAW_IP, packet)
                    if isinstance(found, tuple):
                        source, target, payload, missing = found
                        if _asks(payload):
                            self.accounting.add(target[1])
                        if source[1] in self._ports or target[1] in self._ports:
                            yield Datagram(number, at_us, source, target, payload, missing)
                    elif not found:
                        self.unread += 1
                        strange |= {link} - LINKS.keys()
                self.cut_short = capture.cut_short
        except OSError as problem:
            expected = "a capture file that can be read"
            raise BadInput(str(self._path), problem.strerror or str(problem), expected) from None
        if strange and self.unread == self.packets:
            raise BadInput(str(self._path), f"packets of link type {min(strange)} only", LINK_NAMES)


def _asks(payload: bytes) -> bool:
    """Return whether octets have the header of an Accounting-Request: code and length (RFC 2866 section 3)."""
    return payload[:1] == b"\x04" and len(payload) >= _RADIUS_HEADER and payload[2] << 8 | payload[3] == len(payload)


Ends = tuple[tuple[str, int], tuple[str, int], bytes, int]


def datagram_of(link: int, octets: bytes) -> Ends | bool:
    """Return sender, receiver, octets and missing octets of a packet's datagram; True: a fragment; False: no UDP."""
    locate = LINKS.get(link)
    ip = locate(octets) if locate else -1
    if ip < 0 or len(octets) < ip + 20:
        return False
    found = _ipv6(octets, ip) if octets[ip] >> 4 == 6 else _ipv4(octets, ip)
    if isinstance(found, bool):
        return found
    at, source, target = found
    if at + 8 > len(octets):
        return False
    ports = int.from_bytes(octets[at : at + 2], "big"), int.from_bytes(octets[at + 2 : at + 4], "big")
    length = int.from_bytes(octets[at + 4 : at + 6], "big")
    payload = octets[at + 8 : at + max(8, length)]
    return (source, ports[0]), (target, ports[1]), payload, max(0, length - 8 - len(payload))


def _ipv4(octets: bytes, ip: int) -> tuple[int, str, str] | bool:
    """Return the start of UDP and both addresses; True for a fragment, False for another protocol."""
    words = octets[ip] & 15
    if octets[ip] >> 4 != 4 or words < 5 or octets[ip + 9] != UDP:
        return False
    if (octets[ip + 6] & 0x3F) << 8 | octets[ip + 7]:  # more fragments, or not the first
        return True
    return ip + 4 * words, str(IPv4Address(octets[ip + 12 : ip + 16])), str(IPv4Address(octets[ip + 16 : ip + 20]))


def _ipv6(octets: bytes, ip: int) -> tuple[int, str, str] | bool:
    """Return the same as `_ipv4` for IPv6, after its extension headers."""
    if len(octets) < ip + 40:
        return False
    kind, at = octets[ip + 6], ip + 40
    while kind in _EXTENSIONS and at + 8 <= len(octets):
        kind, at = octets[at], at + 8 + 8 * octets[at + 1]
    if kind == _FRAGMENT and at + 8 <= len(octets):
        if octets[at + 2] or octets[at + 3] & 0xF9:
            return octets[at] == UDP
        kind, at = octets[at], at + 8  # a complete datagram in one fragment
    if kind != UDP:
        return False
    return at, str(IPv6Address(octets[ip + 8 : ip + 24])), str(IPv6Address(octets[ip + 24 : ip + 40]))
