from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.layers.l2 import CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, Loopback
from scapy.packet import Packet

from simbench.capture.layers import ports, reverse, segment_of, sender
from simbench.capture.links import LINKS
from tests.capture.scenes import LOGIN

TCP_4 = IP(src="192.0.2.10", dst="198.51.100.1") / TCP(sport=40_000, dport=5_000, seq=7, ack=9, flags="PA") / LOGIN
TCP_6 = IPv6(src="2001:db8::a", dst="2001:db8::1") / TCP(sport=40_000, dport=5_000, seq=7, ack=9, flags="PA") / LOGIN
ETHERNET = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:01")  # else scapy asks the network for them
SEGMENT = (7, 9, 0x18, LOGIN, 0)

_PACKETS: dict[str, tuple[int, Packet]] = {
    "ethernet": (1, ETHERNET / TCP_4),
    "ethernet, IPv6": (1, ETHERNET / TCP_6),
    "ethernet, VLAN": (1, ETHERNET / Dot1Q(vlan=12) / TCP_4),
    "ethernet, two VLANs": (1, ETHERNET / Dot1AD(vlan=3) / Dot1Q(vlan=12) / TCP_6),
    "linux cooked": (113, CookedLinux() / TCP_4),
    "linux cooked, IPv6": (113, CookedLinux(proto=0x86DD) / TCP_6),
    "linux cooked 2": (276, CookedLinuxV2(proto=0x0800) / TCP_4),
    "linux cooked 2, IPv6": (276, CookedLinuxV2(proto=0x86DD) / TCP_6),
    "raw": (101, TCP_4),
    "raw, IPv6": (101, TCP_6),
    "raw, as BSD": (12, TCP_4),
    "IPv4": (228, TCP_4),
    "IPv6": (229, TCP_6),
    "null": (0, Loopback(type=2) / TCP_4),
    "loopback, IPv6": (108, Loopback(type=30) / TCP_6),
}
WRAPPED = {name: (link, bytes(packet)) for name, (link, packet) in _PACKETS.items()}


@pytest.mark.parametrize("name", WRAPPED)
def test_a_segment_is_found_in_every_kind_of_packet(name: str) -> None:
    link, packet = WRAPPED[name]
    segment = segment_of(link, packet)
    assert segment is not None
    assert segment[1:] == SEGMENT
    assert ports(segment[0]) == (40_000, 5_000)
    assert sender(segment[0]) in {"192.0.2.10:40000", "[2001:db8::a]:40000"}
    assert sender(reverse(segment[0])) in {"198.51.100.1:5000", "[2001:db8::1]:5000"}


def test_options_of_ip_and_tcp_are_passed_over() -> None:
    packet = IP(options=[IPOption_NOP()] * 4) / TCP(seq=7, ack=9, flags="PA", options=[("MSS", 1460)]) / LOGIN
    segment = segment_of(101, bytes(packet))
    assert segment is not None
    assert segment[1:] == SEGMENT


def test_extension_headers_of_ipv6_are_passed_over() -> None:
    packet = IPv6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment() / TCP_6[TCP].copy()
    segment = segment_of(101, bytes(packet))
    assert segment is not None
    assert segment[1:] == SEGMENT


def test_padding_of_short_ethernet_frames_is_no_payload() -> None:
    packet = bytes(ETHERNET / IP() / TCP(flags="A")) + bytes(6)
    segment = segment_of(1, packet)
    assert segment is not None
    assert segment[4] == b""


def test_what_the_capture_cut_off_is_counted() -> None:
    packet = bytes(ETHERNET / TCP_4)
    segment = segment_of(1, packet[:-20])
    assert segment is not None
    assert segment[4:] == (LOGIN[:-20], 20)


def test_a_segment_left_whole_for_the_network_card_to_cut_is_taken_as_captured() -> None:
    octets = bytearray(bytes(TCP_4))
    octets[2:4] = b"\x00\x00"
    segment = segment_of(101, bytes(octets))
    assert segment is not None
    assert segment[4] == LOGIN


@pytest.mark.parametrize(
    "packet",
    [IP() / UDP() / LOGIN, IP(flags="MF") / TCP() / LOGIN, IP(frag=9) / TCP() / LOGIN, IPv6() / UDP() / LOGIN,
     IPv6() / IPv6ExtHdrFragment(offset=4) / TCP() / LOGIN, IPv6() / IPv6ExtHdrFragment(m=1) / TCP() / LOGIN],
    ids=["udp", "first-fragment", "fragment", "udp-6", "fragment-6", "first-fragment-6"],
)  # fmt: skip
def test_other_protocols_and_fragments_hold_no_segment(packet: Packet) -> None:
    assert segment_of(101, bytes(packet)) is None


def test_an_unknown_link_type_holds_no_segment() -> None:
    assert segment_of(105, bytes(TCP_4)) is None


@given(st.sampled_from([*LINKS, 999]), st.binary(max_size=120))
def test_no_octets_are_beyond_it(link: int, octets: bytes) -> None:
    segment_of(link, octets)


@given(st.sampled_from(sorted(WRAPPED)), st.data())
def test_no_damaged_packet_is_beyond_it(name: str, data: st.DataObject) -> None:
    link, packet = WRAPPED[name]
    octets = bytearray(packet)
    for _ in range(data.draw(st.integers(1, 6))):
        octets[data.draw(st.integers(0, min(len(octets), 100) - 1))] = data.draw(st.integers(0, 255))
    segment = segment_of(link, bytes(octets[: data.draw(st.integers(0, len(octets)))]))
    if segment is not None:
        key, seq, ack, flags, payload, cut = segment
        assert len(key) in {12, 36}
        assert struct.pack("!IIB", seq, ack, flags)
        assert len(payload) <= len(octets)
        assert cut >= 0
