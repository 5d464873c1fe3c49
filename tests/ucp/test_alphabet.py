from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.ucp import alphabet
from simbench.ucp.alphabet import BASIC, decode, decode_oadc, encode, encode_oadc, is_gsm, pack, unpack
from simbench.ucp.alphabet import septets as count
from simbench.ucp.national import EXTENSION

gsm_characters = st.sampled_from(sorted({*BASIC, *EXTENSION.values()}))
gsm_texts = st.text(gsm_characters, max_size=200)
originators = st.text(gsm_characters, max_size=11).filter(lambda text: count(text) <= 11)


@given(gsm_texts)
def test_text_of_the_alphabet_survives_a_round_trip(text: str) -> None:
    assert is_gsm(text)
    assert decode(encode(text)) == text
    assert len(encode(text)) == count(text)


@given(st.text())
def test_text_is_encoded_exactly_where_it_is_of_the_alphabet(text: str) -> None:
    if is_gsm(text):
        assert decode(encode(text)) == text
        return
    with pytest.raises(UnicodeEncodeError) as refusal:
        encode(text)
    at = refusal.value.start
    assert is_gsm(text[:at])
    assert not is_gsm(text[at])
    assert encode(text, "replace") == encode("".join(c if is_gsm(c) else "?" for c in text))


@given(st.binary())
def test_any_octets_are_decoded_to_some_text(octets: bytes) -> None:
    assert len(decode(octets)) <= len(octets)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("00", "@"),
        ("11", "_"),
        ("4C27057405207F2031301B65201B3C6F6B1B3E20001102", "L'été à 10€ [ok] @_$"),
        ("1B41", "A"),
        ("1B", " "),
        ("411B1B42", "A B"),
        ("41FF", "A\ufffd"),
    ],
)
def test_octets_are_read_as_the_standard_says(octets: str, text: str) -> None:
    assert decode(bytes.fromhex(octets)) == text


@pytest.mark.parametrize("character", ["ç", "ê", "œ", "`", "\x1b", "😀", "\ufffe", "\t"])
def test_what_french_text_or_ascii_has_beyond_the_alphabet_is_not_gsm(character: str) -> None:
    assert not is_gsm(character)
    assert encode(character, "replace") == b"?"


@given(st.binary(max_size=170).map(lambda codes: bytes(code & 0x7F for code in codes)))
def test_septets_survive_packing(codes: bytes) -> None:
    packed = pack(codes)
    assert unpack(packed, len(codes)) == codes
    assert len(packed) == -(-7 * len(codes) // 8)


def test_unpacking_gives_no_more_septets_than_there_are() -> None:
    assert len(unpack(b"\x01\x02", 9)) == 2


@pytest.mark.parametrize(
    ("text", "by_semi_octets", "by_octets"),
    [
        ("test", "07F4F29C0E", "08F4F29C0E"),
        ("ORANGE", "0B4F69D0792C02", "0C4F69D0792C02"),
        ("InfoSMS", "0D49B7F93D6D4E01", "0E49B7F93D6D4E01"),
        ("PROMO 24", "0E50E9B3F904C968", "0E50E9B3F904C968"),
        ("ALPHA@NUM", "10412614190438AB4D", "10412614190438AB4D"),
        ("ab@", "06613100", "06613100"),
        ("Banque-2000", "14C2B03B5E2FB76430180C", "14C2B03B5E2FB76430180C"),
    ],
)
def test_an_originator_is_written_in_either_convention(text: str, by_semi_octets: str, by_octets: str) -> None:
    assert (encode_oadc(text), encode_oadc(text, "octets")) == (by_semi_octets, by_octets)
    assert decode_oadc(by_semi_octets) == decode_oadc(by_octets) == text


@given(originators, st.sampled_from(["semi-octets", "octets"]))
def test_an_originator_survives_a_round_trip(text: str, convention: alphabet.Convention) -> None:
    # In eight septets a last "@" or carriage return is what padding looks like.
    ambiguous = count(text) == 8 and text[-1] in "@\r"
    assert decode_oadc(encode_oadc(text, convention)) == (text[:-1] if ambiguous else text)


def test_spare_bits_filled_with_a_carriage_return_are_padding() -> None:
    assert decode_oadc("0E" + pack(encode("InfoSMS\r")).hex()) == "InfoSMS"


def test_an_originator_longer_than_its_octets_is_read_as_far_as_it_goes() -> None:
    assert decode_oadc("14F4F29C0E") == "test"


@pytest.mark.parametrize("digits", ["", "0", "0Z", "ORANGE", "07 F4"])
def test_an_originator_that_is_no_hexadecimal_is_refused(digits: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the wording of binascii is not ours
        decode_oadc(digits)


def test_an_originator_beyond_eleven_septets_is_refused() -> None:
    assert len(encode_oadc("A" * 11)) == 22
    with pytest.raises(ValueError, match="12 septets"):
        encode_oadc("A" * 12)
    with pytest.raises(ValueError, match="12 septets"):
        encode_oadc("A" * 10 + "€")
