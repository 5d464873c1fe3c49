"""Link layers: the start of IP in a frame of each link type, after VLAN tags, MPLS labels and PPPoE.

Sources: tcpdump.org's list of link types; IEEE 802.1Q (tags), 802.1ah (backbone), 802.3 with SNAP; RFC 3032 (MPLS),
RFC 4448 (Ethernet over MPLS), RFC 2516 (PPPoE), RFC 1661 and 1662 (PPP).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

IPV4, IPV6 = 0x0800, 0x86DD
BRIDGED: Final = 0x6558  # a whole Ethernet frame, for example inside GRE
_TAGS: Final = frozenset({0x8100, 0x88A8, 0x9100, 0x9200, 0x9300})  # VLAN, service VLAN, and its older values
_MPLS: Final = frozenset({0x8847, 0x8848})
_PPPOE: Final = 0x8864
_BACKBONE: Final = 0x88E7  # backbone tag, followed by the customer's addresses
_SNAP: Final = b"\xaa\xaa\x03\x00\x00\x00"
_PPP_PROTOCOLS: Final = {0x0021: IPV4, 0x0057: IPV6, 0x0281: 0x8847, 0x0283: 0x8848}
_LEAST_TYPE: Final = 0x600  # lower numbers are lengths
_BOTTOM: Final = 1  # bit of a label's third octet: the last label
DEPTH: Final = 16  # most tags and labels in one frame

ETHERTYPE_NAMES: Final = {
    0x0806: "ARP", 0x8035: "reverse ARP", 0x8863: "PPPoE discovery", 0x888E: "EAPOL", 0x88CC: "LLDP",
    0x88E5: "MACsec, encrypted", _PPPOE: "PPPoE without IP", 0x8847: "MPLS without IP", 0x8848: "MPLS without IP",
}  # fmt: skip


def _number(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 2], "big")


def network_of(octets: bytes, kind: int, at: int) -> int:
    """Return the start of IP in content of that ethertype at `at`; -1 if there is none."""
    for _ in range(DEPTH):
        if kind in {IPV4, IPV6}:
            return at
        if kind in _TAGS:
            kind, at = _number(octets, at + 2), at + 4
        elif kind in _MPLS:
            kind, at = _behind_labels(octets, at)
        elif kind == _PPPOE:
            kind, at = _ppp(octets, at + 6)
        elif kind == _BACKBONE:
            kind, at = BRIDGED, at + 4
        elif kind == BRIDGED:
            kind, at = _number(octets, at + 12), at + 14
        elif kind < _LEAST_TYPE and octets[at : at + 6] == _SNAP:
            kind, at = _number(octets, at + 6), at + 8
        else:
            return -1
    return -1


def _behind_labels(octets: bytes, at: int) -> tuple[int, int]:
    """Return type and position of the content after the last label: IP by its version, else Ethernet."""
    while at + 4 <= len(octets):
        at += 4
        if octets[at - 2] & _BOTTOM:
            break
    version = octets[at] >> 4 if at < len(octets) else -1
    if version in {4, 6}:
        return (IPV4 if version == 4 else IPV6), at
    return (BRIDGED, at + 4) if version == 0 else (0xFFFF, at)


def _ppp(octets: bytes, at: int) -> tuple[int, int]:
    """Return ethertype and position of a PPP frame's content; address, control and a zero octet may be missing."""
    if octets[at : at + 2] == b"\xff\x03":
        at += 2
    short = at < len(octets) and octets[at] & 1
    protocol = octets[at] if short else _number(octets, at)
    return _PPP_PROTOCOLS.get(protocol, 0xFFFF), at + (1 if short else 2)


def _typed(at: int, start: int) -> Callable[[bytes], int]:
    """Return a function that finds the start of IP in a frame with its ethertype at `at` and content at `start`."""
    plain = {b"\x08\x00", b"\x86\xdd"}

    def network(octets: bytes) -> int:
        return start if octets[at : at + 2] in plain else network_of(octets, _number(octets, at), start)

    return network


def _after(octets: int) -> Callable[[bytes], int]:
    return lambda _: octets


def _ppp_link(octets: bytes) -> int:
    return network_of(octets, *_ppp(octets, 0))


# Link type to a function that finds the start of IP; the first octet of IP distinguishes IPv4 and IPv6.
LINKS: Final[dict[int, Callable[[bytes], int]]] = {
    0: _after(4),  # null: loopback of BSD, address family first
    1: _typed(12, 14),  # Ethernet
    9: _ppp_link,  # PPP
    12: _after(0),  # raw IP, as BSD numbers it
    14: _after(0),
    50: _ppp_link,  # PPP, possibly with HDLC framing
    51: lambda octets: network_of(octets, _PPPOE, 0),  # PPPoE without Ethernet
    101: _after(0),  # raw IP
    104: _typed(2, 4),  # HDLC of routers
    108: _after(4),  # loopback of OpenBSD
    113: _typed(14, 16),  # Linux cooked, "any" interface
    219: lambda octets: network_of(octets, 0x8847, 0),  # MPLS
    228: _after(0),  # IPv4
    229: _after(0),  # IPv6
    276: _typed(0, 20),  # Linux cooked, second version
}
RAW_IP: Final = 101
LINK_NAMES: Final = "Ethernet, Linux cooked, PPP, MPLS, raw IP or loopback"
_TYPES_AT: Final = {1: 12, 104: 2, 113: 14, 276: 0}


def ip_at(link: int, octets: bytes) -> int:
    """Return the start of IP in a frame of a link type; -1 if there is none."""
    locate = LINKS.get(link)
    return locate(octets) if locate else -1


def link_content(link: int, octets: bytes) -> str:
    """Return a description of the content of a frame without IP."""
    if link not in LINKS:
        return f"link type {link}"
    at = _TYPES_AT.get(link)
    if at is None or at + 2 > len(octets):
        return "no IP"
    kind, begin = _number(octets, at), at + 2
    while kind in _TAGS and begin + 4 <= len(octets):
        kind, begin = _number(octets, begin + 2), begin + 4
    return ETHERTYPE_NAMES.get(kind, f"ethertype {kind:#06x}" if kind >= _LEAST_TYPE else "IEEE 802.2")
