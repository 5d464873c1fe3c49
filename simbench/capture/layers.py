"""Network and transport layers: the TCP segment in a packet. Checksums are not verified.

Hardware often fills in checksums and lengths after the capture point, so wrong ones mean nothing. Sources: RFC 791,
RFC 8200, RFC 9293.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from struct import Struct
from typing import Final

from simbench.capture.links import LINKS

# (connection key, sequence number, acknowledgement, flags, octets, octets on the wire missing in the file)
Segment = tuple[bytes, int, int, int, bytes, int]

FIN, SYN, RST, ACK = 1, 2, 4, 16
TCP: Final = 6
UDP: Final = 17

_NUMBERS: Final = Struct("!IIH").unpack_from
# Total length, fragment, protocol, addresses and ports as one key, sequence number, acknowledgement, flags.
_PLAIN: Final = Struct("!2xH2xHxB2x12sIIH").unpack_from
FRAGMENTED: Final = 0x3FFF  # more fragments, or not the first
EXTENSIONS: Final = frozenset({0, 43, 60})  # hop-by-hop, routing, destination options
FRAGMENT: Final = 44


def segment_of(link: int, octets: bytes) -> Segment | None:
    """Return the TCP segment in a packet of that link type; None if there is none, or only a fragment.

    The connection key is the two addresses and the two ports: 12 octets for IPv4, 36 for IPv6.
    """
    locate = LINKS.get(link)
    ip = locate(octets) if locate else -1
    if ip < 0 or len(octets) < ip + 40:
        return None
    if octets[ip] == 0x45:  # IPv4 without options, by far the most frequent: parsed in one step
        total, fragment, protocol, key, seq, ack, flags = _PLAIN(octets, ip)
        if protocol != TCP or fragment & FRAGMENTED:
            return None
        tcp, end = ip + 20, ip + total
    else:
        found = _ipv6(octets, ip) if octets[ip] >> 4 == 6 else _ipv4(octets, ip)
        if found is None or found[0] + 14 > len(octets):
            return None
        tcp, total, end, addresses = found
        key = addresses + octets[tcp : tcp + 4]
        seq, ack, flags = _NUMBERS(octets, tcp + 4)
    if not total:  # left to the network card's segmentation offload
        end = len(octets)
    start = tcp + (flags >> 12) * 4
    if not tcp + 20 <= start <= end:
        return None
    payload = octets[start:end]
    return key, seq, ack, flags & 0x3F, payload, end - start - len(payload)


def _ipv4(octets: bytes, ip: int) -> tuple[int, int, int, bytes] | None:
    """Return start of TCP, length in the IP header, end of the packet, both addresses; None if it is not TCP."""
    total, fragment, protocol, *_ = _PLAIN(octets, ip)
    words = octets[ip] & 15
    if octets[ip] >> 4 != 4 or words < 5 or protocol != TCP or fragment & FRAGMENTED:
        return None
    return ip + 4 * words, total, ip + total, octets[ip + 12 : ip + 20]


def _ipv6(octets: bytes, ip: int) -> tuple[int, int, int, bytes] | None:
    """Return the same as `_ipv4` for IPv6, whose length excludes its header."""
    tcp = _transport(octets, ip)
    total = octets[ip + 4] << 8 | octets[ip + 5]
    return (tcp, total, ip + 40 + total, octets[ip + 8 : ip + 40]) if tcp > 0 else None


def _transport(octets: bytes, ip: int) -> int:
    """Return the start of TCP after the extension headers of IPv6; -1 for another protocol or a fragment."""
    kind, at = octets[ip + 6], ip + 40
    while kind in EXTENSIONS and at + 8 <= len(octets):
        kind, at = octets[at], at + 8 + 8 * octets[at + 1]
    if kind == FRAGMENT and at + 8 <= len(octets) and not (octets[at + 2] or octets[at + 3] & 0xF9):
        kind, at = octets[at], at + 8  # the whole in one fragment
    return at if kind == TCP else -1


def reverse(key: bytes) -> bytes:
    """Return the key of the other direction."""
    half = (len(key) - 4) // 2
    return key[half : 2 * half] + key[:half] + key[-2:] + key[-4:-2]


def ports(key: bytes) -> tuple[int, int]:
    """Return the ports of sender and receiver."""
    return int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big")


def sender(key: bytes) -> str:
    """Return address and port of the sender as text."""
    half = (len(key) - 4) // 2
    port = ports(key)[0]
    if half == 4:
        return f"{'.'.join(map(str, key[:4]))}:{port}"
    return f"[{IPv6Address(key[:half])}]:{port}"
