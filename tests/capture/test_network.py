"""Packets inside others: links, labels, tunnels and fragments, built by scapy, which knows nothing of ours."""

from __future__ import annotations

import gzip
import struct
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.compat import raw
from scapy.contrib.mpls import MPLS
from scapy.layers import inet, inet6
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import ARP, GRE, Dot1Q, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet

from simbench.capture.files import CaptureFile, is_capture_file
from simbench.capture.layers import segment_of
from simbench.capture.links import LINKS, RAW_IP
from simbench.capture.network import Network, named
from simbench.capture.packed import unpacked
from simbench.capture.reader import read_packets
from simbench.ledger import MemoryLedger
from tests.capture.scenes import LOGIN, Line, ip_packet, octets_of, pcap, write

INNER = IP(src="192.0.2.10", dst="198.51.100.1") / TCP(sport=40_000, dport=5_000, seq=7, ack=9, flags="PA") / LOGIN
INNER_6 = IPv6(src="2001:db8::a", dst="2001:db8::1") / TCP(sport=40_000, dport=5_000, seq=7, ack=9, flags="PA") / LOGIN
OUTER = IP(src="192.0.2.1", dst="192.0.2.2")
FRAGMENT: Any = inet.fragment  # scapy types neither
FRAGMENT_6: Any = inet6.fragment6
ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
PLAIN = segment_of(RAW_IP, raw(INNER))


def mpls(*labels: int) -> Packet:
    stack: Packet = MPLS(label=labels[-1], s=1)
    for label in reversed(labels[:-1]):
        stack = MPLS(label=label, s=0) / stack
    return stack


WRAPPED: dict[str, tuple[int, bytes]] = {
    "one label": (1, raw(ETHER / mpls(16) / INNER)),
    "three labels behind a VLAN": (1, raw(ETHER / Dot1Q(vlan=7) / mpls(16, 17, 18) / INNER)),
    "Ethernet over MPLS": (1, raw(ETHER / mpls(16) / (b"\0\0\0\0" + raw(ETHER / INNER)))),
    "PPPoE": (1, raw(ETHER / PPPoE(sessionid=5) / PPP(proto=0x21) / INNER)),
    "PPP": (9, b"\xff\x03\x00\x21" + raw(INNER)),
    "PPP, compressed": (9, b"\x21" + raw(INNER)),
    "router's HDLC": (104, b"\x0f\x00\x08\x00" + raw(INNER)),
    "MPLS alone": (219, raw(mpls(16, 17) / INNER)),
    "SNAP": (1, raw(ETHER)[:12] + struct.pack("!H", len(INNER) + 8) + b"\xaa\xaa\x03\0\0\0\x08\x00" + raw(INNER)),
    "GRE": (1, raw(ETHER / OUTER / GRE() / INNER)),
    "GRE with key and number": (1, raw(ETHER / OUTER / GRE(key_present=1, key=1, seqnum_present=1) / INNER)),
    "Ethernet in GRE": (1, raw(ETHER / OUTER / GRE(proto=0x6558) / ETHER / Dot1Q(vlan=3) / INNER)),
    "ERSPAN II": (1, raw(ETHER / OUTER / GRE(proto=0x88BE, seqnum_present=1) / (bytes(8) + raw(ETHER / INNER)))),
    "ERSPAN I": (1, raw(ETHER / OUTER / GRE(proto=0x88BE) / raw(ETHER / INNER))),
    "IP in IP": (101, raw(OUTER / INNER)),
    "VXLAN": (1, raw(ETHER / OUTER / UDP(sport=9, dport=4789) / VXLAN(vni=9, flags=8) / ETHER / INNER)),
    "GRE in MPLS": (1, raw(ETHER / mpls(16) / OUTER / GRE() / INNER)),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_what_is_wrapped_is_what_was_sent(name: str) -> None:
    link, octets = WRAPPED[name]
    assert Network().segment(link, octets) == PLAIN


def test_ipv6_is_found_inside_as_well() -> None:
    assert Network().segment(1, raw(ETHER / OUTER / GRE(proto=0x86DD) / INNER_6)) == segment_of(RAW_IP, raw(INNER_6))
    assert Network().segment(1, raw(ETHER / mpls(3) / INNER_6)) == segment_of(RAW_IP, raw(INNER_6))


@pytest.mark.parametrize("order", [list, lambda pieces: pieces[::-1]], ids=["in order", "last first"])
@pytest.mark.parametrize("six", [False, True], ids=["IPv4", "IPv6"])
def test_fragments_are_put_together_in_any_order(order: Callable[[list[Packet]], list[Packet]], six: bool) -> None:
    payload = bytes(range(32, 127)) * 30
    if six:
        head = IPv6(src="2001:db8::a", dst="2001:db8::1") / IPv6ExtHdrFragment(id=9)
        pieces = FRAGMENT_6(head / TCP(sport=4, dport=5, seq=1, ack=2, flags="A") / payload, 600)
    else:
        pieces = FRAGMENT(OUTER / TCP(sport=4, dport=5, seq=1, ack=2, flags="A") / payload, 576)
    network = Network()
    found = [network.segment(RAW_IP, raw(piece)) for piece in order(list(pieces))]
    assert len(pieces) > 3
    assert found[:-1] == [None] * (len(pieces) - 1)
    assert found[-1] is not None
    assert found[-1][4] == payload


def test_a_fragment_that_never_came_leaves_nothing() -> None:
    pieces = FRAGMENT(OUTER / TCP(sport=4, dport=5, flags="A") / bytes(3000), 576)
    network = Network()
    assert {network.segment(RAW_IP, raw(piece)) for n, piece in enumerate(pieces) if n != 2} == {None}


def test_packets_without_tcp_are_named() -> None:
    network = Network()
    for link, octets in [
        (1, raw(ETHER / ARP())), (1, raw(ETHER / OUTER / UDP(sport=53, dport=53) / (b"x" * 20))),
        (1, raw(ETHER) + b"\x88\xcc" + bytes(40)), (105, bytes(60)), (1, b""), (101, raw(OUTER / bytes(40))),
    ]:  # fmt: skip
        assert network.segment(link, octets) is None
        network.note(link, octets)
    assert set(network.unread) >= {"ARP", "UDP", "link type 105"}
    assert named(Counter({"UDP": 20, "ARP": 3})) == "20 UDP, 3 ARP"


@given(st.sampled_from(sorted(LINKS)), st.binary(max_size=120))
def test_no_octets_are_beyond_it(link: int, octets: bytes) -> None:
    network = Network()
    network.segment(link, octets)
    network.note(link, octets)


@pytest.mark.parametrize("name", WRAPPED)
def test_a_packet_that_is_cut_off_anywhere_raises_nothing(name: str) -> None:
    link, octets = WRAPPED[name]
    for end in range(len(octets)):
        Network().segment(link, octets[:end])


# Packed files ----------------------------------------------------------------------------------------------------

FILE = pcap([(at, ip_packet(segment)) for at, segment in Line().open().talk().close().sent])


def read(octets: bytes) -> tuple[MemoryLedger, bool]:
    ledger = MemoryLedger()
    return ledger, read_packets(BytesIO(octets), "x", ledger.wire, ledger.events).cut_short


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(FILE), gzip.compress(FILE[:500]) + gzip.compress(FILE[500:]), gzip.compress(FILE) + bytes(512)],
    ids=["one member", "two members", "padded"],
)
def test_a_file_packed_by_gzip_is_read_like_any_other(tmp_path: Path, packed: bytes) -> None:
    ledger, cut_short = read(packed)
    assert ledger.wire == read(FILE)[0].wire
    assert not cut_short
    assert is_capture_file(write(tmp_path, packed, "x.pcap.gz"))


def test_a_packed_file_is_read_as_far_as_it_goes() -> None:
    packed = gzip.compress(FILE, compresslevel=0)
    ledger, cut_short = read(packed[: len(packed) * 2 // 3])
    assert cut_short
    assert LOGIN in octets_of(ledger.wire, 1, "in")
    damaged = packed[:-8] + bytes(8)  # another check sum and length
    assert read(damaged)[1]


def test_what_is_packed_and_no_capture_is_none(tmp_path: Path) -> None:
    assert not is_capture_file(write(tmp_path, gzip.compress(b"at,code\n"), "x.gz"))
    assert not is_capture_file(write(tmp_path, gzip.compress(FILE)[:11], "y.gz"))
    assert not is_capture_file(write(tmp_path, b"", "z"))


def test_the_longer_records_of_an_older_libpcap_are_read() -> None:
    records, at = [struct.pack("<IHHIIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 101)], 24
    while at < len(FILE):
        kept = struct.unpack_from("<I", FILE, at + 8)[0]
        records.append(FILE[at : at + 16] + struct.pack("<IHBB", 2, 8, 0, 0) + FILE[at + 16 : at + 16 + kept])
        at += 16 + kept
    plain = list(CaptureFile(BytesIO(FILE), "x"))
    assert list(CaptureFile(unpacked(BytesIO(b"".join(records))), "x")) == plain
