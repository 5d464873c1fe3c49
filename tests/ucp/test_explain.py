from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.ucp.explain import explain, heading
from simbench.ucp.explain_words import FIELD_WORDS, OPERATION_WORDS, VALUE_WORDS, words_for
from simbench.ucp.fields import LAYOUTS
from simbench.ucp.frame import Frame
from simbench.ucp.operations import build, decode
from tests.ucp.building import frame_of
from tests.ucp.vectors import VALID, Vector, name_of

NAMES = {field.name for layouts in LAYOUTS.values() for layout in layouts for field in layout.fields}


def vector(name: str) -> Frame:
    return frame_of(next(each.octets for each in VALID if each.name == name))


def meanings(name: str) -> dict[str, str]:
    return {each.name: each.meaning for each in explain(vector(name))}


@pytest.mark.parametrize("vector", VALID, ids=name_of)
def test_every_field_that_is_not_empty_is_named_with_its_value_and_what_it_is_for(vector: Vector) -> None:
    frame = frame_of(vector.octets)
    explained = explain(frame)
    present = {name: value for name, value in decode(frame).items() if name not in {"TRN", "O/R", "OT"}}
    assert {each.name: each.value for each in explained} == {
        name: value if isinstance(value, str) else " ".join(value) for name, value in present.items()
    }
    assert all(each.what for each in explained)
    assert not [each for each in explained if each.meaning == "unknown value"]


def test_every_field_of_every_layout_has_words_and_no_words_are_idle() -> None:
    assert {name for name in NAMES if not words_for("", name)} == set()
    assert (FIELD_WORDS.keys() | VALUE_WORDS.keys()) <= NAMES
    assert {name for _, name in OPERATION_WORDS} <= NAMES


def test_a_frame_is_named_by_operation_kind_and_number() -> None:
    assert heading(vector("o51_alnum")).startswith("51 submit short message, operation, TRN ")
    assert heading(vector("r60_ack")) == "60 session management, result, TRN 00"


def test_text_is_read_in_its_alphabet_with_its_segments_and_its_place() -> None:
    assert meanings("o51_gsm_ext")["Msg"].startswith('"L\'été à 10€ [ok] @_$": GSM 7-bit')
    assert meanings("o51_concat7_p2")["Msg"].endswith("part 2 of 2 of message 42")
    assert "UCS-2, 134 octets, 1 segment" in meanings("o51_concat_ucs2_p1")["Msg"]
    assert meanings("o51_numeric")["Msg"] == "digits, 10 digits, 1 segment"
    assert meanings("o30_full")["AMsg"] == "'Message OK': GSM 7-bit, 10 septets"


def test_extra_services_are_read_one_by_one() -> None:
    assert meanings("o51_bin_udh")["XSer"] == (
        "UDH 0605040B8423F0 (to port 2948 from port 9200); DCS F5 (8-bit data, class 1)"
    )
    assert "billing identifier 5441524946463037 ('TARIFF07'); single shot 01" in meanings("o51_billing")["XSer"]


def test_addresses_dates_codes_and_states_are_put_in_words() -> None:
    assert meanings("o31_ip")["AdC"] == "192.0.2.100 port 5000"
    assert meanings("o51_alpha_orig6")["OAdC"] == "'ORANGE'"
    assert meanings("o51_deferred")["DDT"] == "2026-11-23 08:00, in the SMSC's time"
    assert meanings("o51_notify_all")["NT"] == "when delivered or not delivered or buffered"
    assert meanings("r51_nack_06")["EC"] == "the recipient's address is not valid"
    assert meanings("o53_buffered")["Rsn"] == "absent subscriber"
    assert meanings("o53_delivered")["Rsn"] == "no meaning: the message was delivered"
    assert meanings("r31_ack_7")["SM"] == "7 messages wait"
    assert meanings("r02_ack_partial")["SM"].endswith("for 0639980099: refused")


def test_passwords_are_counted_and_not_shown() -> None:
    assert meanings("o60_open_short")["PWD"] == "6 characters"


def test_an_unknown_operation_is_explained_by_the_number_of_its_fields() -> None:
    frame = Frame("01", "O", "99", ["a", "", "c"], b"")
    assert [(each.name, each.value) for each in explain(frame)] == [("1", "a"), ("3", "c")]


VALUES = st.sampled_from(
    ["", "0", "1", "9" * 30, "5039", "0539", "3", "4", "ABC", "0E", "é", "0201F", "221126053115", "a:b,c"]
)


@given(st.sampled_from(sorted(LAYOUTS)), st.lists(VALUES | st.text(max_size=8), max_size=36))
def test_any_values_are_explained(kind: tuple[str, str, str], values: list[str]) -> None:
    data = [kind[2], *values] if kind[2] else values
    for each in explain(Frame("01", kind[0], kind[1], data, b"")):
        assert isinstance(each.meaning, str)


def test_the_name_of_a_field_may_mean_another_thing_in_another_operation() -> None:
    frame = frame_of(build("53", "O", 1, AdC="36010", OAdC="33639980012"))
    assert [each.what for each in explain(frame)] == ["account that sent the message", "recipient of the message"]
