from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.ucp.xser import (
    CODINGS,
    DCS,
    TLV_TYPES,
    Coding,
    Concatenation,
    Ports,
    Tlv,
    XserError,
    build,
    concatenation,
    concatenation_header,
    header,
    parse,
    ports,
    tlvs,
    value_of,
)

services = st.lists(st.builds(Tlv, st.integers(0, 255), st.binary(max_size=255)), max_size=6)


def elements(hexadecimal: str) -> list[Tlv]:
    found = header(bytes.fromhex(hexadecimal))
    assert isinstance(found, list)
    return found


@given(services)
def test_services_survive_a_round_trip(given_services: list[Tlv]) -> None:
    assert parse(build(given_services)) == given_services
    assert parse(build(given_services).lower()) == given_services


@given(services, st.data())
def test_services_cut_short_are_an_error_or_fewer(given_services: list[Tlv], data: st.DataObject) -> None:
    text = build(given_services)
    found = parse(text[: data.draw(st.integers(0, len(text)))])
    assert isinstance(found, XserError) or found == given_services[: len(found)]


@given(st.text())
def test_any_text_is_read_without_raising(text: str) -> None:
    parse(text)


@given(st.binary(max_size=64))
def test_any_octets_are_read_without_raising(octets: bytes) -> None:
    tlvs(octets)
    found = header(octets)
    if isinstance(found, list):
        concatenation(found)
        ports(found)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("010605", XserError("6 octets announced, 1 left", 0)),
        ("02010801", XserError("type without a length", 3)),
        ("020", XserError("odd number of digits", 0)),
        ("02XX", XserError("not hexadecimal", 0)),
    ],
)
def test_a_broken_xser_is_reported_with_its_place(text: str, error: XserError) -> None:
    assert parse(text) == error


def test_a_repeated_service_counts_in_its_last_form() -> None:
    found = parse("020100020108")
    assert isinstance(found, list)
    assert value_of(found, DCS) == b"\x08"
    assert value_of(found, 0x0C) is None


def test_every_service_of_the_document_is_named() -> None:
    assert [*TLV_TYPES] == [*range(0x01, 0x14)]


@pytest.mark.parametrize(
    ("dcs", "coding"),
    [
        (0x00, Coding("gsm7")),
        (0x04, Coding("8bit")),
        (0x08, Coding("ucs2")),
        (0x0C, Coding("gsm7")),
        (0x10, Coding("gsm7", 0)),
        (0x13, Coding("gsm7", 3)),
        (0x15, Coding("8bit", 1)),
        (0x18, Coding("ucs2", 0)),
        (0x20, Coding("gsm7", compressed=True)),
        (0x48, Coding("ucs2")),
        (0x80, Coding("gsm7")),
        (0xC8, Coding("gsm7", waiting="discard")),
        (0xD0, Coding("gsm7", waiting="store")),
        (0xE1, Coding("ucs2", waiting="store")),
        (0xF0, Coding("gsm7", 0)),
        (0xF5, Coding("8bit", 1)),
        (0xF6, Coding("8bit", 2)),
    ],
)
def test_a_coding_scheme_means_what_the_standard_says(dcs: int, coding: Coding) -> None:
    assert CODINGS[dcs] == coding


@pytest.mark.parametrize(
    ("udh", "place"),
    [
        ("0500032A0201", Concatenation(0x2A, 2, 1)),
        ("06080412340302", Concatenation(0x1234, 3, 2, 16)),
        ("0A05040B8423F000032A0202", None),
        ("0B05040B8423F000032A0202", Concatenation(0x2A, 2, 2)),
        ("0500032A0203", None),
        ("0500032A0000", None),
        ("0400022A02", None),
        ("0605040B8423F0", None),
    ],
)
def test_the_place_in_a_long_message_is_read_from_the_header(udh: str, place: Concatenation | None) -> None:
    found = header(bytes.fromhex(udh))
    assert (concatenation(found) if isinstance(found, list) else None) == place


@given(st.sampled_from([8, 16]), st.data())
def test_a_concatenation_header_is_read_back(bits: int, data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 255))
    place = Concatenation(data.draw(st.integers(0, 2**bits - 1)), total, data.draw(st.integers(1, total)), bits)
    assert concatenation(elements(concatenation_header(place).hex())) == place


@pytest.mark.parametrize(
    "place", [Concatenation(1, 2, 3), Concatenation(1, 256, 1), Concatenation(1, 2, 0), Concatenation(256, 2, 1)]
)
def test_a_place_that_no_header_can_hold_is_refused(place: Concatenation) -> None:
    with pytest.raises(ValueError, match=r"part|reference"):
        concatenation_header(place)


def test_application_ports_are_read_in_both_widths() -> None:
    assert ports(elements("0605040B8423F0")) == Ports(0x0B84, 0x23F0)
    assert ports(elements("040402F0F1")) == Ports(0xF0, 0xF1)
    assert ports(elements("0500032A0201")) is None


@pytest.mark.parametrize("udh", ["", "0600032A0201", "0400032A0201", "0500042A0201"])
def test_a_header_whose_lengths_disagree_is_an_error(udh: str) -> None:
    assert isinstance(header(bytes.fromhex(udh)), XserError)
