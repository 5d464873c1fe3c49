from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.ucp.foreign import protocol_of
from simbench.ucp.operations import build
from tests.ucp.vectors import VALID


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (struct.pack(">IIII", 26, 0x9, 0, 1) + b"user\0secret"[:10], "SMPP (bind_transceiver)"),
        (struct.pack(">IIII", 16, 0x80000015, 0, 1), "SMPP (enquire_link)"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "an HTTP request"),
        (b"\x16\x03\x01\x02\x00\x01", "TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"\xff\xfd\x18\xff\xfd\x20", "Telnet"),
        (b"\x0201:001\t010:user\t011:secret\t\x03", "CIMD"),
        (b"EHLO mail.example\r\n", "SMTP"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 4000 5000\r\n", "the PROXY protocol"),
        (b"", ""),
        (b"hello" * 20, ""),
        (build("31", "O", 0, AdC="36010", PID="0539"), ""),
        (bytes(16), ""),
    ],
)
def test_other_protocols_are_known_by_their_first_octets(octets: bytes, name: str) -> None:
    assert protocol_of(octets) == name


def test_no_frame_of_ucp_is_taken_for_another_protocol() -> None:
    assert {protocol_of(vector.octets) for vector in VALID} == {""}


@given(st.binary(max_size=64))
def test_any_octets_at_all_are_looked_at_without_raising(octets: bytes) -> None:
    protocol_of(octets)
