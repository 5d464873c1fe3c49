"""Packets; pyrad, which shares no code with us, is the second opinion."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket, PacketError

from simbench.base.units import SECOND_US
from simbench.dialup.calls import CAUSES
from simbench.dialup.radius.packets import answers, encode, read, sign, signed, stated, whole
from simbench.dialup.radius.record import ATTRIBUTES, STATUSES, VALUES, BadRecord, Record
from tests.dialup.radius.peer import respond

SECRET = b"testing123"
PLAIN = Record("Stop", "192.0.2.10", "0000A1B2", "dupont@isp.example", 17, seconds=1337, cause=1, event_us=SECOND_US)
WORD = 2**32 - 1
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=60)
RECORDS = st.builds(
    Record,
    status=st.sampled_from(["Start", "Stop", "Interim-Update"]),
    nas=st.one_of(st.ip_addresses(v=4).map(str), TEXTS),
    session=TEXTS,
    user=st.one_of(st.just(""), TEXTS),
    port=st.integers(-1, WORD),
    called=st.sampled_from(["", "0860123456"]),
    calling=st.sampled_from(["", "0199000001"]),
    seconds=st.integers(-1, WORD),
    input_octets=st.integers(-1, 2**64 - 1),
    output_octets=st.integers(-1, 2**64 - 1),
    cause=st.integers(0, len(CAUSES) - 1),
    event_us=st.integers(-1, WORD).map(lambda second: second * SECOND_US if second >= 0 else -1),
    delay_s=st.integers(0, WORD // 2),  # beyond it stand negative numbers, which nobody believes
)
MODEM = (("NAS-Port-Type", "Async"), ("Service-Type", "Framed-User"), ("Framed-Protocol", "PPP"))


def dictionary() -> Any:
    lines = [f"ATTRIBUTE {name} {code} {kind}" for name, (code, kind) in ATTRIBUTES.items()]
    lines += [f"VALUE {name} {text} {value}" for name, named in VALUES.items() for value, text in named.items()]
    return Dictionary(io.StringIO("\n".join(lines)))


PYRAD = dictionary()


def request(record: Record = PLAIN, secret: bytes = SECRET, identifier: int = 7) -> bytes:
    return sign(encode(record, record.delay_s), identifier, secret)


@given(RECORDS, st.integers(0, 255), st.binary(min_size=1, max_size=40))
def test_a_record_comes_out_of_its_packet_as_it_went_in(record: Record, identifier: int, secret: bytes) -> None:
    packet = request(record, secret, identifier)
    out = read(packet)
    assert out.more == MODEM
    assert out == Record(**{**{name: getattr(record, name) for name in record.__struct_fields__}, "more": MODEM})
    assert signed(packet, secret)


@given(RECORDS, st.integers(0, 255), st.binary(min_size=1, max_size=40))
def test_pyrad_reads_and_verifies_what_we_sign(record: Record, identifier: int, secret: bytes) -> None:
    packet = AcctPacket(packet=request(record, secret, identifier), secret=secret, dict=PYRAD)
    assert packet.VerifyAcctRequest()
    assert packet.id == identifier
    for name, value in stated(record, record.delay_s):
        given = VALUES.get(name, {}).get(value, value) if isinstance(value, int) else value
        assert packet[name] == [given]


@given(st.integers(0, 255), st.binary(min_size=1, max_size=40), st.dictionaries(st.sampled_from(["User-Name"]), TEXTS))
def test_we_read_and_verify_what_pyrad_signs(identifier: int, secret: bytes, more: dict[str, str]) -> None:
    packet = AcctPacket(id=identifier, secret=secret, dict=PYRAD)
    for name, value in {"Acct-Status-Type": "Start", "NAS-Identifier": "pop", "Acct-Session-Id": "1", **more}.items():
        packet.AddAttribute(name, value)
    octets = packet.RequestPacket()
    assert signed(octets, secret)
    assert read(octets).user == more.get("User-Name", "")
    assert answers(packet.CreateReply().ReplyPacket(), octets, secret)
    assert packet.VerifyReply(packet.CreateReply(packet=respond(octets, secret)))


@given(st.binary(min_size=1, max_size=20), st.integers(0, 10_000))
def test_one_wrong_octet_or_another_secret_is_noticed(flip: bytes, at: int) -> None:
    packet = request()
    place = at % len(packet)
    if place in {2, 3}:
        return  # the length: what it cuts off is no longer looked at
    broken = packet[:place] + bytes((packet[place] ^ (flip[0] or 1),)) + packet[place + 1 :]
    assert not signed(broken, SECRET)
    assert not signed(packet, SECRET + flip)


def test_an_answer_is_known_by_identifier_code_and_authenticator() -> None:
    sent = request()
    answer = respond(sent, SECRET)
    assert answers(answer, sent, SECRET)
    assert answers(answer + b"padding", sent, SECRET)
    assert not answers(answer, sent, b"another")
    assert not answers(answer, request(identifier=8), SECRET)
    assert not answers(respond(request(secret=b"another"), SECRET), sent, SECRET)
    assert not answers(sent, sent, SECRET)
    assert not answers(b"", sent, SECRET)


@given(st.binary(max_size=120))
def test_any_octets_are_a_record_or_a_reason(octets: bytes) -> None:
    header = b"\x04\x00" + (20 + len(octets)).to_bytes(2, "big") + bytes(16)
    for packet in (octets, request()[:20] + octets, header + octets):
        try:
            found = read(packet).status
        except BadRecord as bad:
            found = bad.reason
        assert found in {*STATUSES.values(), "unreadable", "negative"}


@given(st.binary(max_size=60))
def test_we_and_pyrad_agree_on_what_is_a_packet(tail: bytes) -> None:
    octets = b"\x04\x07" + (20 + len(tail)).to_bytes(2, "big") + bytes(16) + tail
    try:
        AcctPacket(packet=octets, secret=SECRET, dict=PYRAD)
    except (PacketError, ValueError):
        with pytest.raises(BadRecord):
            read(octets)


def test_octets_beyond_four_gigabytes_go_into_gigawords() -> None:
    record = Record("Stop", "192.0.2.10", "1", output_octets=5 * 2**32 + 7, input_octets=2**32 - 1)
    values = dict(stated(record, 0))
    assert (values["Acct-Output-Gigawords"], values["Acct-Output-Octets"]) == (5, 7)
    assert "Acct-Input-Gigawords" not in values
    assert read(request(record)).output_octets == 5 * 2**32 + 7


def test_a_text_too_long_for_an_attribute_is_refused() -> None:
    with pytest.raises(ValueError, match="User-Name of 254 octets"):
        encode(Record("Start", "192.0.2.10", "1", "x" * 254))


def test_an_access_server_that_does_not_name_itself_is_named_by_its_address() -> None:
    nameless = sign(b"\x28\x06\x00\x00\x00\x01\x2c\x03\x31", 0, SECRET)
    assert read(nameless, "192.0.2.9").nas == "192.0.2.9"
    with pytest.raises(BadRecord, match="no access server"):
        read(nameless)


def test_what_we_do_not_know_is_kept() -> None:
    octets = sign(encode(PLAIN) + b"\x1a\x09\x00\x00\x00\x09\x01\x03a" + b"\xfa\x03z", 0, SECRET)
    assert read(octets).more[-2:] == (("Attr-26", "0x00000009010361"), ("Attr-250", "0x7a"))


def test_a_packet_ends_at_its_length_field() -> None:
    assert whole(request() + b"more") == request()
    assert whole(request()[:-1]) == b""
    assert whole(b"\x04\x00\x00\x13" + bytes(20)) == b""
