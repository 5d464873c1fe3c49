"""Unpacks IP packets inside GRE, IP or VXLAN, and reassembles fragments, in bounded memory.

Sources: RFC 791 and RFC 8200 (fragments), RFC 2784 and 2890 (GRE), RFC 2003 and 4213 (IP in IP), RFC 7348 (VXLAN);
ERSPAN as of draft-foschiano-erspan.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from simbench.capture.layers import EXTENSIONS, FRAGMENT, TCP, UDP, Segment, segment_of
from simbench.capture.links import BRIDGED, RAW_IP, ip_at, link_content, network_of

ESP: Final = 50
_GRE, _IPV6_IN_IP, _IPV4_IN_IP = 47, 41, 4
_ERSPAN: Final = {0x88BE: 8, 0x22EB: 12}  # octets of its header; 0 for the first without a sequence number
_VXLAN: Final = frozenset({4789, 8472})
PENDING: Final = 1_000  # incomplete datagrams kept
LONGEST: Final = 1 << 16
DEPTH: Final = 8  # packets within packets
SHOWN_KINDS: Final = 4  # of unread packets
PROTOCOL_NAMES: Final = {
    1: "ICMP", 2: "IGMP", TCP: "TCP cut short", UDP: "UDP", _GRE: "GRE without IP", ESP: "ESP, encrypted",
    51: "AH", 58: "ICMPv6", 89: "OSPF", 112: "VRRP", 115: "L2TP", 132: "SCTP",
}  # fmt: skip


class _Begun:
    """The fragments of one datagram: `header` is that of the first one."""

    __slots__ = ("end", "header", "pieces")

    def __init__(self) -> None:
        self.header, self.end = b"", -1
        self.pieces: dict[int, bytes] = {}


class Network:
    """The IP packets of a capture, unpacked and reassembled.

    `unread` counts packets without usable content, by kind.
    """

    def __init__(self) -> None:
        self.unread: Counter[str] = Counter()
        self._begun: dict[tuple[bytes, int, int], _Begun] = {}

    def segment(self, link: int, octets: bytes) -> Segment | None:
        """Return the TCP segment in a packet, or in the datagram it completes; None if there is none."""
        found = segment_of(link, octets)
        if found is None:
            packet = self.packet(link, octets)
            found = segment_of(RAW_IP, packet) if packet else None
        return found

    def packet(self, link: int, octets: bytes) -> bytes | None:
        """Return the innermost complete IP packet, without padding; None if there is none yet."""
        ip = ip_at(link, octets)
        for _ in range(DEPTH):
            if ip < 0 or len(octets) < ip + 20:
                return None
            octets = octets[ip:]
            found = self._unfragmented(octets)
            if found is None:
                return None
            octets, kind, at = found
            ip = _inside(octets, kind, at)
            if ip < 0:
                return octets
        return None

    def note(self, link: int, octets: bytes) -> None:
        """Count a packet without usable content by its kind."""
        ip = ip_at(link, octets)
        if ip < 0 or len(octets) < ip + 20:
            self.unread[link_content(link, octets)] += 1
            return
        kind, _, offset, more = header_of(octets[ip:])
        name = PROTOCOL_NAMES.get(kind, f"IP protocol {kind}")
        self.unread["fragments" if offset or more else name] += 1

    def _unfragmented(self, octets: bytes) -> tuple[bytes, int, int] | None:
        """Return a complete packet, its protocol and the start of its content; None while fragments are missing."""
        kind, at, offset, more = header_of(octets)
        if kind < 0:
            return None
        if not (offset or more):
            return octets, kind, at
        whole = self._collect(octets, kind, at, offset, more)
        return (whole, kind, 20 if whole[0] >> 4 == 4 else 40) if whole else None

    def _collect(self, octets: bytes, kind: int, at: int, offset: int, more: bool) -> bytes | None:
        four = octets[0] >> 4 == 4
        length = _word(octets, 2) if four else 40 + _word(octets, 4)
        if length > len(octets) or length <= at:
            return None  # cut by the capture
        number = _word(octets, 4) if four else int.from_bytes(octets[at - 4 : at], "big")
        key = octets[12:20] if four else octets[8:40], number, kind
        begun = self._begun.setdefault(key, _Begun())
        if len(self._begun) > PENDING:
            del self._begun[next(iter(self._begun))]
        piece = octets[at:length]
        if offset + len(piece) > LONGEST:
            return None
        begun.pieces.setdefault(offset, piece)
        if not offset:
            begun.header = octets[:20] if four else octets[:40]
        if not more:
            begun.end = offset + len(piece)
        payload = _joined(begun)
        if payload is None:
            return None
        del self._begun[key]
        if four:
            total = 20 + len(payload)
            return b"\x45" + begun.header[1:2] + total.to_bytes(2, "big") + bytes(4) + begun.header[8:20] + payload
        size = len(payload).to_bytes(2, "big")
        return begun.header[:4] + size + bytes((kind,)) + begun.header[7:40] + payload


def _word(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 2], "big")


def _joined(begun: _Begun) -> bytes | None:
    """Return the payload once it is complete; where fragments overlap, the one that starts earlier counts."""
    if begun.end < 0 or not begun.header:
        return None
    payload = b""
    for offset, piece in sorted(begun.pieces.items()):
        if offset > len(payload):
            return None
        payload += piece[len(payload) - offset :]
    return payload if len(payload) >= begun.end else None


def header_of(octets: bytes) -> tuple[int, int, int, bool]:
    """Return protocol (-1: no IP), start of content, fragment offset in octets, and whether more fragments follow."""
    version = octets[0] >> 4
    if version == 4 and octets[0] & 15 >= 5:
        words = _word(octets, 6)
        return octets[9], 4 * (octets[0] & 15), 8 * (words & 0x1FFF), bool(words & 0x2000)
    if version != 6 or len(octets) < 40:
        return -1, 0, 0, False
    kind, at = octets[6], 40
    while kind in EXTENSIONS and at + 8 <= len(octets):
        kind, at = octets[at], at + 8 + 8 * octets[at + 1]
    if kind == FRAGMENT and at + 8 <= len(octets):
        words = _word(octets, at + 2)
        return octets[at], at + 8, words & 0xFFF8, bool(words & 1)
    return kind, at, 0, False


def _inside(octets: bytes, kind: int, at: int) -> int:
    """Return the start of an IP packet inside this one; -1 if there is none."""
    if kind in {_IPV4_IN_IP, _IPV6_IN_IP}:
        return at
    if kind == _GRE:
        return _inside_gre(octets, at)
    if kind == UDP and _word(octets, at + 2) in _VXLAN and octets[at + 8 : at + 9] == b"\x08":
        return network_of(octets, BRIDGED, at + 16)
    return -1


def _inside_gre(octets: bytes, at: int) -> int:
    flags, kind = _word(octets, at), _word(octets, at + 2)
    if flags & 0x7:  # version 1 carries PPP and has another header
        return -1
    sequenced = bool(flags & 0x1000)
    begin = at + 4 + 4 * (bool(flags & 0x8000) + bool(flags & 0x2000) + sequenced)
    if kind in _ERSPAN:
        begin += _ERSPAN[kind] if sequenced else 0
        kind = BRIDGED
    found = network_of(octets, kind, begin)
    return found if found < len(octets) else -1


def named(unread: Counter[str]) -> str:
    """Return the kinds of unread packets, the most frequent first: "20 UDP, 3 ARP"."""
    kinds = [f"{count} {name}" for name, count in unread.most_common(SHOWN_KINDS)]
    return ", ".join(kinds) + (", ..." if len(unread) > SHOWN_KINDS else "")
