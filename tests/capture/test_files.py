from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy import utils

from simbench.base.errors import BadInput
from simbench.capture.files import UNTIMED, CaptureFile, Packet, is_capture
from tests.capture.scenes import START, pcap

SCAPY: Any = utils  # its types say that it takes paths only
SHORTEST = 16  # octets beside those of a packet: the header of a record, or the least of a block
PACKETS = st.lists(st.tuples(st.integers(0, 2**32 * 10**6 - 1), st.binary(max_size=60)), max_size=6)


def read(octets: bytes) -> tuple[list[Packet], bool]:
    capture = CaptureFile(io.BytesIO(octets), "it")
    return list(capture), capture.cut_short


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = 101, options: bytes = b"", order: str = "<", longest: int = 0) -> bytes:
    return block(1, struct.pack(order + "HHI", link, 0, longest) + options, order)


def packet(units: int, octets: bytes, which: int = 0, order: str = "<") -> bytes:
    high, low = units >> 32, units & 0xFFFFFFFF
    return block(6, struct.pack(order + "IIIII", which, high, low, len(octets), len(octets)) + octets, order)


@given(PACKETS, st.sampled_from("<>"))
def test_packets_of_a_pcap_come_out_as_they_went_in(packets: list[tuple[int, bytes]], order: str) -> None:
    expected = [(n, at, 101, octets, len(octets)) for n, (at, octets) in enumerate(packets, start=1)]
    assert read(pcap(packets, order=order)) == (expected, False)


@given(PACKETS)
def test_a_pcap_reads_as_scapy_reads_it(packets: list[tuple[int, bytes]]) -> None:
    octets = pcap(packets)
    theirs = SCAPY.RawPcapReader(io.BytesIO(octets))
    assert [(at, kept) for _, at, _, kept, _ in read(octets)[0]] == [
        (meta.sec * 1_000_000 + meta.usec, kept) for kept, meta in theirs
    ]


@given(st.lists(st.tuples(st.integers(0, 2**40), st.binary(max_size=60)), max_size=6), st.sampled_from("<>"))
def test_a_pcapng_reads_as_scapy_reads_it(packets: list[tuple[int, bytes]], order: str) -> None:
    parts = [packet(units, octets, n % 2, order) for n, (units, octets) in enumerate(packets)]
    octets = section(order) + interface(1, order=order) + interface(101, order=order) + b"".join(parts)
    theirs = SCAPY.RawPcapNgReader(io.BytesIO(octets))
    assert [(at, link, kept) for _, at, link, kept, _ in read(octets)[0]] == [
        (meta.tshigh << 32 | meta.tslow, meta.linktype, kept) for kept, meta in theirs
    ]


def test_nanoseconds_are_cut_to_microseconds() -> None:
    octets = b"\x4d\x3c\xb2\xa1" + pcap([(5_000_000, b"x")])[4:28] + struct.pack("<III", 123_456_789, 1, 1) + b"x"
    assert read(octets)[0] == [(1, 5_123_456, 101, b"x", 1)]


@pytest.mark.parametrize(
    ("options", "units", "us"),
    [
        (b"", 1_500_000, 1_500_000),
        (struct.pack("<HHB3x", 9, 1, 9), 1_500_000_999, 1_500_000),
        (struct.pack("<HHB3x", 9, 1, 3), 1_500, 1_500_000),
        (struct.pack("<HHB3x", 9, 1, 0x80 | 10), 1_536, 1_500_000),
        (struct.pack("<HHq", 14, 8, 100), 1_500_000, 101_500_000),
        (struct.pack("<HH4sHH", 2, 3, b"lo0", 0, 0) + struct.pack("<HHB3x", 9, 1, 3), 7, 7),
    ],
    ids=["default", "nano", "milli", "binary", "offset", "behind-the-end"],
)
def test_units_and_offsets_of_an_interface_are_honoured(options: bytes, units: int, us: int) -> None:
    (found,), _ = read(section() + interface(options=options) + packet(units, b"x"))
    assert found[1] == us


def test_each_section_has_its_own_byte_order_and_interfaces() -> None:
    octets = section("<") + interface(1) + packet(1, b"a") + section(">") + interface(101, order=">")
    found, _ = read(octets + packet(2, b"b", order=">"))
    assert [(link, kept) for _, _, link, kept, _ in found] == [(1, b"a"), (101, b"b")]


def test_simple_and_obsolete_packets_and_unknown_blocks_are_read_or_passed_over() -> None:
    simple = block(3, struct.pack("<I", 5) + b"12345")
    obsolete = block(2, struct.pack("<HHIIII", 0, 9, 0, 77, 2, 2) + b"ab")
    names = block(4, bytes(40))
    found, _ = read(section() + interface(longest=3) + names + packet(5, b"z") + simple + obsolete)
    assert found == [(1, 5, 101, b"z", 1), (2, UNTIMED, 101, b"123", 5), (3, 77, 101, b"ab", 2)]


def test_a_file_longer_than_what_is_read_at_once_is_read_to_its_end() -> None:
    packets = [(START + n, bytes([n % 256]) * 1000) for n in range(2_500)]
    found, cut_short = read(pcap(packets))
    assert [(at, octets) for _, at, _, octets, _ in found] == packets
    assert not cut_short


@given(st.integers(24, 24 + 2 * 26 - 1))
def test_a_pcap_that_ends_within_a_packet_gives_all_before_it_and_a_note(end: int) -> None:
    octets = pcap([(START, b"0123456789"), (START, b"0123456789")])
    found, cut_short = read(octets[:end])
    assert len(found) == (end - 24) // 26
    assert cut_short == bool((end - 24) % 26)


def test_a_pcapng_that_ends_within_a_packet_gives_all_before_it_and_a_note() -> None:
    whole = section() + interface() + packet(1, b"a")
    assert read(whole) == ([(1, 1, 101, b"a", 1)], False)
    for end in range(len(whole) + 1, len(whole) + len(packet(2, b"b"))):
        assert read((whole + packet(2, b"b"))[:end]) == ([(1, 1, 101, b"a", 1)], True)


WRONG = {
    "empty": (b"", "pcap or pcapng"),
    "text": (b"hello, world", "pcap or pcapng"),
    "header": (pcap([])[:20], "offset 0"),
    "huge-packet": (pcap([(START, b"x")])[:32] + struct.pack("<II", 1 << 31, 1) + b"x", "offset 24: packet 1 has"),
    "no-instant": (pcap([])[:24] + struct.pack("<IIII", 1, 1_000_000, 1, 1) + b"x", "1000000 parts"),
    "no-order": (b"\x0a\x0d\x0d\x0a" + bytes(24), "byte order"),
    "short-block": (section() + struct.pack("<III", 6, 8, 8), "offset 28: a block of 8"),
    "odd-block": (section() + struct.pack("<III", 6, 33, 8), "multiple of four"),
    "huge-block": (section() + struct.pack("<III", 6, 1 << 30, 8), "a block of 1073741824"),
    "two-lengths": (section() + interface()[:-4] + struct.pack("<I", 24), "20 octets at its start and 24"),
    "no-interface": (section() + packet(1, b"x"), "packet 1 of interface 0"),
    "no-such-interface": (section() + interface() + packet(1, b"x", 1), "one of 1 described"),
    "short-interface": (section() + block(1, bytes(4)), "an interface in a block of 16"),
    "short-packet": (section() + interface() + block(6, bytes(16)), "packet 1 in a block of 28"),
    "more-than-it-holds": (
        section() + interface() + block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99)), "99 octets in a block that holds 0"
    ),
    "far-future": (section() + interface() + packet(1 << 63, b"x"), "an instant from 1970"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_damaged_capture_is_refused_with_its_place(name: str) -> None:
    octets, expected = WRONG[name]
    with pytest.raises(BadInput) as caught:
        read(octets)
    assert str(caught.value).startswith("it")
    assert expected in str(caught.value)


@given(st.binary(max_size=80), st.sampled_from([b"", pcap([])[:24], section(), section() + interface()]))
def test_no_octets_are_beyond_it(octets: bytes, begin: bytes) -> None:
    found: list[Packet] = []
    with suppress(BadInput):
        found, _ = read(begin + octets)
        assert is_capture(begin + octets)
    assert [number for number, *_ in found] == list(range(1, len(found) + 1))


@given(st.data(), st.sampled_from([pcap([(START, bytes(50))] * 4), section() + interface() + packet(9, bytes(50)) * 4]))
def test_no_damage_to_a_sound_capture_is_beyond_it(data: st.DataObject, sound: bytes) -> None:
    octets = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadInput):
        packets, _ = read(bytes(octets))
        # A length that is damaged may cut one packet into several, but never makes octets that are not there.
        assert sum(SHORTEST + len(packet[3]) for packet in packets) <= len(octets)


def test_room_that_was_never_filled_is_a_cut_and_no_million_packets() -> None:
    whole = pcap([(1_000_000, b"x" * 60)])
    packets, cut_short = read(whole + bytes(1 << 20))
    assert (len(packets), cut_short) == (1, True)
