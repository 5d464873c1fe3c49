from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.ucp.frame import Frame, Framer, encode
from simbench.ucp.masking import masked_frame, masked_message, masked_number, masked_runs, masked_text
from simbench.ucp.notifications import notification_body
from simbench.ucp.operations import build, decode


def _frame(octets: bytes) -> Frame:
    (item,) = Framer().feed(octets)
    assert isinstance(item, Frame)
    return item


@pytest.mark.parametrize(
    "number",
    ["33639980001", "0639989999", "+33710000000", "0729999999", "0033639980000", "0199001234", "36020", "34001"],
)
def test_fictional_numbers_and_short_codes_stay(number: str) -> None:
    assert masked_number(number) == number


@pytest.mark.parametrize(
    "number", ["33612345678", "0612345678", "+33639970000", "0730000000", "262692123456", "491511234567"]
)
def test_any_other_number_keeps_two_digits(number: str) -> None:
    assert masked_number(number) == "*" * (len(number) - 2) + number[-2:]


@pytest.mark.parametrize(
    "text",
    ["SCTS 031016100105", "57 of 1,000,000 within 1475481600000000 us", "TRN 07, VP 3", "id #00A7B", "2016-10-03"],
)
def test_numbers_that_are_no_telephone_numbers_stay(text: str) -> None:
    assert masked_text(text) == text


def test_numbers_in_a_sentence_are_hidden() -> None:
    assert masked_text("33612345678, +33612345699 and 06 are it: 0612345601.") == (
        "*********78, **********99 and 06 are it: ********01."
    )


@pytest.mark.parametrize(
    "number", ["06 12 34 56 78", "06.12.34.56.78", "06-12-34-56-78", "+33 6 12 34 56 78", "0033 (0)6 12 34 56 78"]
)
def test_a_number_written_in_pairs_is_hidden_as_well(number: str) -> None:
    assert masked_text(f"call {number}, it is 10 12 34 56 78 late") == (
        f"call {'*' * (len(number) - 2)}78, it is 10 12 34 56 78 late"
    )


def test_a_fictional_number_stays_however_it_is_written() -> None:
    text = "06 39 98 00 01, +33 (0)6.39.98.00.01 or 01-99-00-12-34"
    assert masked_text(text) == text


def test_addresses_passwords_and_texts_of_a_frame_are_hidden_and_its_length_kept() -> None:
    text = b"call 0612345678".hex().upper()
    octets = build("51", "O", 3, AdC="33612345678", OAdC="36020", AC="123456", MT="3", Msg=text)
    seen = masked_frame(_frame(octets))
    values = decode(seen)
    assert values["AdC"] == "*********78"
    assert values["OAdC"] == "36020"
    assert values["AC"] == "******"
    assert bytes.fromhex(values["Msg"]) == b"call ********78"
    assert len(seen.octets) == len(octets)
    assert seen.octets[:15] == octets[:15]


def test_the_number_inside_a_notification_and_a_result_is_hidden_with_its_time_stamp_left() -> None:
    body = notification_body("36020", "491511234567", "031016100105", 0, 0, "031016100109")
    seen = decode(masked_frame(_frame(encode(1, "O", "53", body))))
    assert bytes.fromhex(seen["Msg"]).startswith(b"Message for **********67, with identification 161003100105")
    result = masked_frame(_frame(build("51", "R", 1, SM="33612345678:031016100105")))
    assert decode(result)["SM"] == "*********78:031016100105"


def test_two_octets_a_character_are_read_too() -> None:
    text = "É 0612345678"
    assert masked_message(text.encode("utf-16-be"), []) == "É ********78".encode("utf-16-be")


def test_lists_of_recipients_are_hidden_one_by_one() -> None:
    octets = build("02", "O", 1, RAds=["33612345678", "33639980001"], OAdC="36020", MT="3", Msg="41")
    assert decode(masked_frame(_frame(octets)))["RAds"] == ["*********78", "33639980001"]


@given(st.binary(max_size=200))
def test_octets_of_any_form_keep_their_length(octets: bytes) -> None:
    seen = masked_runs(octets)
    assert len(seen) == len(octets)
    assert len(masked_message(octets, [])) == len(octets)
    assert all(int(run) >= 0 for run in re.findall(rb"[0-9]{9,}", seen))


@given(
    st.lists(st.from_regex(r"[0-9A-Fa-f,:* ]{0,30}", fullmatch=True), max_size=40),
    st.sampled_from(["51", "53", "60", "02", "99"]),
)
def test_frames_of_any_fields_keep_their_length(cells: list[str], ot: str) -> None:
    for kind in "OR":
        frame = _frame(encode(1, kind, ot, "".join(f"{cell}/" for cell in cells)))
        assert len(masked_frame(frame).octets) == len(frame.octets)
