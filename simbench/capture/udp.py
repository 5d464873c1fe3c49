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
from simbench.capture.links import LINK_NAMES, LINKS, RAW_IP, ip_at
from simbench.capture.network import Network, header_of
from simbench.capture.order import Packets

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

    `unread` packets contain no UDP; `accounting` are ports that receive datagrams like RADIUS Accounting-Requests.
    Iterating raises BadInput if the file is unreadable, not a capture, damaged, or contains only unknown link types.
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
                        if _is_accounting(payload):
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


def _is_accounting(payload: bytes) -> bool:
    """Return whether octets have the header of an Accounting-Request: code and length (RFC 2866 section 3)."""
    return payload[:1] == b"\x04" and len(payload) >= _RADIUS_HEADER and payload[2] << 8 | payload[3] == len(payload)


Ends = tuple[tuple[str, int], tuple[str, int], bytes, int]


def datagram_of(link: int, octets: bytes) -> Ends | bool:
    """Return sender, receiver, octets and missing octets of a packet's datagram; True: a fragment; False: no UDP."""
    ip = ip_at(link, octets)
    if ip < 0 or len(octets) < ip + 20:
        return False
    packet = octets[ip:]
    kind, at, offset, more = header_of(packet)
    if kind != UDP:
        return False
    if offset or more:
        return True
    if at + 8 > len(packet):
        return False
    if packet[0] >> 4 == 4:
        source, target = str(IPv4Address(packet[12:16])), str(IPv4Address(packet[16:20]))
    else:
        source, target = str(IPv6Address(packet[8:24])), str(IPv6Address(packet[24:40]))
    ports = int.from_bytes(packet[at : at + 2], "big"), int.from_bytes(packet[at + 2 : at + 4], "big")
    length = int.from_bytes(packet[at + 4 : at + 6], "big")
    payload = packet[at + 8 : at + max(8, length)]
    return (source, ports[0]), (target, ports[1]), payload, max(0, length - 8 - len(payload))
