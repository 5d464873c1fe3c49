"""RADIUS accounting in captures, which scapy builds here."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.layers.radius import Radius

from simbench.base.errors import BadInput
from simbench.capture.udp import Datagram, Datagrams, datagram_of
from simbench.dialup.calls import SetAside
from simbench.dialup.radius.captured import Captured
from simbench.dialup.radius.packets import encode, sign
from simbench.dialup.radius.pairing import pair
from simbench.dialup.radius.record import Heard, Record
from tests.capture.scenes import START, pcap
from tests.dialup.radius.peer import respond
from tests.dialup.radius.scenes import planned

SECRET = b"testing123"
STOP = Record("Stop", "192.0.2.10", "0000A1B2", "dupont@isp.example", seconds=1337)
NAS, SERVER = "192.0.2.10", "198.51.100.1"
LINK: Any = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")  # given, or scapy asks the network for them


def request(record: Record = STOP, identifier: int = 7, secret: bytes = SECRET) -> bytes:
    return sign(encode(record), identifier, secret)


def packet(octets: bytes, *, back: bool = False, port: int = 1813) -> bytes:
    ends = (SERVER, NAS, port, 40_000) if back else (NAS, SERVER, 40_000, port)
    built: Any = LINK / IP(src=ends[0], dst=ends[1]) / UDP(sport=ends[2], dport=ends[3]) / octets
    return bytes(built)


def capture(folder: Path, packets: Iterable[bytes], link: int = 1) -> Path:
    path = folder / "radius.pcap"
    path.write_bytes(pcap([(START + n, octets) for n, octets in enumerate(packets)], link))
    return path


def captured(folder: Path, packets: Iterable[bytes], secret: bytes = SECRET, port: int = 1813) -> Captured:
    return Captured(Datagrams(capture(folder, packets), (port,)), (port,), secret, "radius.pcap")


def test_records_of_a_capture_are_read_verified_and_paired(tmp_path: Path) -> None:
    plan = planned(20)
    packets = [packet(request(each.record, n & 0xFF)) for n, each in enumerate(plan)]
    answers = [packet(respond(request(each.record, n & 0xFF), SECRET), back=True) for n, each in enumerate(plan)]
    seen = captured(tmp_path, [each for both in zip(packets, answers, strict=True) for each in both])
    found = list(seen)
    assert all(isinstance(each, Heard) for each in found)
    assert (len(found), seen.right, seen.wrong) == (len(plan), len(plan), 0)
    assert [each.line for each in found] == [2 * n + 1 for n in range(len(plan))]
    seconds = {each.record.session: each.record.seconds for each in plan if each.record.status == "Stop"}
    assert {call.session: call.seconds for call in pair(found, clock="event").calls} == seconds


def test_a_wrong_secret_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="secret: fits none of 2 Accounting-Requests"):
        list(captured(tmp_path, [packet(request()), packet(request(identifier=8))], b"another"))


def test_without_a_secret_nothing_is_verified(tmp_path: Path) -> None:
    seen = captured(tmp_path, [packet(request())], b"")
    assert [isinstance(each, Heard) for each in seen] == [True]
    assert (seen.right, seen.wrong) == (0, 0)


def test_a_forged_request_is_set_aside_with_what_it_claims(tmp_path: Path) -> None:
    seen = captured(tmp_path, [packet(request()), packet(request(identifier=8, secret=b"another"))])
    good, forged = list(seen)
    assert isinstance(good, Heard)
    assert forged == SetAside(2, "wrong-secret", "radius.pcap: Stop of 0000A1B2 at 192.0.2.10", 1_337_000_000)
    assert (seen.right, seen.wrong) == (1, 1)


def test_a_packet_the_capture_shortened_is_set_aside(tmp_path: Path) -> None:
    (aside,) = captured(tmp_path, [packet(request())[:-10]])
    assert isinstance(aside, SetAside)
    assert (aside.line, aside.reason) == (1, "truncated")


def test_only_the_given_port_is_read(tmp_path: Path) -> None:
    packets = [packet(request()), packet(request(), port=1646), packet(b"noise", port=53)]
    assert len(list(captured(tmp_path, packets))) == 1
    assert len(list(captured(tmp_path, packets, port=1646))) == 1


def test_other_packets_are_counted_and_fragments_are_none_of_them(tmp_path: Path) -> None:
    tcp: Any = LINK / IP(src=NAS, dst=SERVER, proto=6) / bytes(30)
    fragment: Any = LINK / IP(src=NAS, dst=SERVER, proto=17, flags="MF") / bytes(30)
    datagrams = Datagrams(capture(tmp_path, [bytes(tcp), bytes(fragment), packet(request())]), (1813,))
    assert len(list(datagrams)) == 1
    assert (datagrams.packets, datagrams.unread) == (3, 1)


def test_a_capture_of_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="link type 105"):
        list(Datagrams(capture(tmp_path, [packet(request())], link=105), (1813,)))
    with pytest.raises(BadInput, match="No such file"):
        list(Datagrams(tmp_path / "nothing", (1813,)))


@given(st.binary(max_size=200), st.integers(1, 65_535), st.integers(1, 65_535), st.booleans())
def test_scapy_and_we_agree_on_datagrams(octets: bytes, source: int, target: int, six: bool) -> None:
    network: Any = IPv6(src="2001:db8::1", dst="2001:db8::2") if six else IP(src=NAS, dst=SERVER)
    built = bytes(network / UDP(sport=source, dport=target) / octets)
    ends = ("2001:db8::1", "2001:db8::2") if six else (NAS, SERVER)
    assert datagram_of(101, built) == ((ends[0], source), (ends[1], target), octets, 0)


@given(st.binary(max_size=120), st.sampled_from([0, 1, 101, 113, 276, 999]))
def test_any_octets_are_a_datagram_or_none(octets: bytes, link: int) -> None:
    found = datagram_of(link, octets)
    assert isinstance(found, bool) or found[3] >= 0


@given(st.binary(max_size=120))
def test_any_datagram_is_a_record_or_a_reason(octets: bytes) -> None:
    header = struct.pack("!BBH", 4, 7, 20 + len(octets)) + bytes(16)
    for each in (octets, header + octets):
        (found,) = Captured([Datagram(1, START, (NAS, 40_000), (SERVER, 1813), each, 0)])
        assert isinstance(found, Heard) or found.reason in {"unreadable", "negative"}


def test_scapy_reads_our_requests_as_accounting(tmp_path: Path) -> None:
    seen = Radius(request())
    assert (seen.code, seen.id, seen.len) == (4, 7, len(request()))
    assert [attribute.type for attribute in seen.attributes][:2] == [40, 4]
