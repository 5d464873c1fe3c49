"""Captures of every form, cut off at any octet: what is whole is read, and nothing but one clear error is raised."""

from __future__ import annotations

import gzip
import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.capture.reader import read_packets
from simbench.ledger import MemoryLedger
from tests.capture.scenes import Line, ip_packet, pcap
from tests.capture.test_files import block, interface, packet, section

PACKETS = [(at, ip_packet(segment)) for at, segment in Line().open().talk(1).close().sent]
SIMPLE = b"".join(block(3, struct.pack("<I", len(each)) + each + bytes(-len(each) % 4)) for _, each in PACKETS)
TIMED = [packet(at, octets) for at, octets in PACKETS]
ETHERNET = bytes(12)
FORMS = {
    "pcap": pcap(PACKETS),
    "other order": pcap(PACKETS, order=">"),
    "gzip": gzip.compress(pcap(PACKETS)),
    "sections": section() + interface(101) + b"".join(TIMED[4:]) + section() + interface(101) + b"".join(TIMED[:4]),
    "simple": section() + interface(101) + SIMPLE,
    "MPLS": pcap([(at, ETHERNET + b"\x88\x47\x00\x01\x01\x40" + octets) for at, octets in PACKETS], link=1),
    "clock back": pcap([(at - 10**9 * (n > 5), octets) for n, (at, octets) in enumerate(PACKETS)]),
}


def read(octets: bytes) -> tuple[int, int]:
    """Packets and rows of the wire that came of it; (-1, rows) for an error."""
    ledger = MemoryLedger()
    try:
        return read_packets(BytesIO(octets), "x", ledger.wire, ledger.events).packets, len(ledger.wire)
    except BadInput:
        return -1, len(ledger.wire)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_cut_off_at_any_octet_is_read_as_far_as_it_goes(form: str) -> None:
    octets = FORMS[form]
    whole = read(octets)
    assert whole[0] == len(PACKETS)
    found = [read(octets[:end]) for end in range(len(octets))]
    assert [packets for packets, _ in found] == sorted(packets for packets, _ in found)
    assert max(rows for _, rows in found) <= whole[1] + 1  # a connection cut off has holes, and no end


@given(st.sampled_from(sorted(FORMS)), st.integers(0), st.binary(min_size=1, max_size=8))
def test_a_file_damaged_anywhere_raises_nothing_but_one_clear_error(form: str, place: int, damage: bytes) -> None:
    octets = FORMS[form]
    at = place % len(octets)
    read(octets[:at] + damage + octets[at + len(damage) :])
