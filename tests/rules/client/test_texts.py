"""Texts on the wire, by hand: the fields of each submit are written out, not composed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from simbench.finding import Finding
from simbench.ledger.stimuli import Request
from tests.rules.scene import CODE, RECIPIENT, Scene, us

UCS2 = "020108"
Place = Callable[[int, int, int], str]


def part(ref: int, total: int, number: int) -> str:
    """Extra services: a header of eight bits, GSM 03.40 section 9.2.3.24.1."""
    return f"0106050003{ref:02X}{total:02X}{number:02X}"


def wide_part(ref: int, total: int, number: int) -> str:
    """The same with a reference of sixteen bits."""
    return f"0107060804{ref:04X}{total:02X}{number:02X}"


def sent(*texts: dict[str, str], session: int = 1) -> Scene:
    scene = Scene().login(0.5, session)
    for number, fields in enumerate(texts):
        scene.submit(1 + number, number, "", 0.001, session, **fields)
    return scene


def gsm(octets: bytes, xser: str = "") -> dict[str, str]:
    return {"MT": "3", "Msg": octets.hex().upper(), "XSer": xser}


def ucs2(text: str, nb: str, xser: str = "") -> dict[str, str]:
    return {"MT": "4", "NB": nb, "Msg": text.encode("utf-16-be").hex().upper(), "XSer": xser + UCS2}


def requested(scene: Scene, token: str, text: str, at: float = 0.8) -> Scene:
    return scene.stimulus(Request(us(at), token, CODE, RECIPIENT, text))


def outcome(found: Finding) -> tuple[str, float | None]:
    return found.outcome, found.measured


def test_latin_1_is_no_gsm_03_38() -> None:
    found = sent(gsm(b"D\x05j\x7f"), gsm("Déjà".encode("latin-1"))).judged("texts.alphabet")
    assert outcome(found) == ("fail", 1)  # E9 and E0
    assert found.evidence[0].start == us(2)


@pytest.mark.parametrize(("nb", "expected"), [("0064", "pass"), ("64", "pass"), ("0008", "fail"), ("", "fail")])
def test_the_number_of_bits_is_that_of_the_data(nb: str, expected: str) -> None:
    assert sent(ucs2("Noël", nb)).judged("texts.number-of-bits").outcome == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (gsm(b"a" * 160), "pass"),
        (gsm(b"a" * 161), "fail"),
        (gsm(b"a" * 158 + b"\x1b\x65"), "pass"),
        (gsm(b"a" * 159 + b"\x1b\x65"), "fail"),
        (gsm(b"a" * 153, part(1, 2, 1)), "pass"),
        (gsm(b"a" * 154, part(1, 2, 1)), "fail"),
        (gsm(b"a" * 153, wide_part(1, 2, 1)), "fail"),  # seven octets of header leave 152 septets
        (ucs2("ê" * 70, "1120"), "pass"),
        (ucs2("ê" * 71, "1136"), "fail"),
        (ucs2("ê" * 67, "1072", part(1, 2, 1)), "pass"),
        (ucs2("ê" * 68, "1088", part(1, 2, 1)), "fail"),
    ],
)
def test_a_part_fits_into_one_segment(fields: dict[str, str], expected: str) -> None:
    assert sent(fields).judged("texts.fit").outcome == expected


def test_a_part_that_ends_within_a_character_is_named() -> None:
    whole = sent(gsm(b"a" * 152, part(1, 2, 1)), gsm(b"\x1b\x65", part(1, 2, 2)))
    assert whole.judged("texts.seams").outcome == "pass"
    cut = sent(gsm(b"a" * 152 + b"\x1b", part(1, 2, 1)), gsm(b"\x65", part(1, 2, 2)))
    assert outcome(cut.judged("texts.seams")) == ("fail", 1)
    pair = "🎉".encode("utf-16-be").hex().upper()
    first = {"MT": "4", "NB": "0016", "Msg": pair[:4], "XSer": part(2, 2, 1) + UCS2}
    second = {"MT": "4", "NB": "0016", "Msg": pair[4:], "XSer": part(2, 2, 2) + UCS2}
    assert outcome(sent(first, second).judged("texts.seams")) == ("fail", 1)


def two_parts(words: str, ref: int) -> tuple[dict[str, str], dict[str, str]]:
    return gsm(words.encode() * 20, part(ref, 2, 1)), gsm(f"{words} end".encode(), part(ref, 2, 2))


def test_two_long_texts_to_one_recipient_need_two_references() -> None:
    assert sent(*two_parts("one", 1), *two_parts("two", 2)).judged("texts.references").outcome == "pass"
    assert outcome(sent(*two_parts("one", 1), *two_parts("two", 1)).judged("texts.references")) == ("fail", 2)


def test_parts_sent_again_have_their_reference_again() -> None:
    assert sent(*two_parts("one", 1), *two_parts("one", 1)).judged("texts.references").outcome == "pass"


@pytest.mark.parametrize("place", [part, wide_part])
def test_parts_of_a_text_belong_together_over_two_connections(place: Place) -> None:
    scene = (
        requested(Scene(), "#00001", "Bonjour a tous #00001")
        .login(0.5)
        .submit(1, 0, "", 0.001, 1, **gsm(b"Bonjour ", place(7, 2, 1)))
    )
    scene.closed(2).login(3, 2).submit(4, 0, "", 0.001, 2, **gsm(b"a tous #00001", place(7, 2, 2)))
    assert outcome(scene.judged("texts.arrive")) == ("pass", 0)


def test_a_text_arrives_as_it_was_requested_or_is_named() -> None:
    same = requested(sent(gsm(b"D\x05j\x7f #00001")), "#00001", "Déjà #00001")
    assert same.judged("texts.arrive").outcome == "pass"
    other = requested(sent(gsm(b"Deja #00001")), "#00001", "Déjà #00001")
    found = other.judged("texts.arrive")
    assert outcome(found) == ("fail", 1)
    assert found.evidence[0].note == "'Déjà #00001' requested, 'Deja #00001' sent"


def test_a_text_that_another_rule_names_is_not_named_twice() -> None:
    latin = requested(sent(gsm("Déjà #00001".encode("latin-1"))), "#00001", "Déjà #00001")
    assert latin.judged("texts.arrive").outcome == "inconclusive"


def test_ucs_2_where_gsm_03_38_would_do_is_weak() -> None:
    scene = requested(sent(ucs2("Bonjour #00001", "0224")), "#00001", "Bonjour #00001")
    assert outcome(scene.judged("texts.in-few-segments")) == ("weak", 1)
    needed = requested(sent(ucs2("Noël #00001", "0176")), "#00001", "Noël #00001")
    assert needed.judged("texts.in-few-segments").outcome == "pass"


def test_requests_are_compared_by_their_token() -> None:
    request = Request(us(0.8), "#00002", CODE, RECIPIENT, "Bonsoir #00002")
    scene = (
        sent(gsm(b"Bonjour #00001")).stimulus(request).stimulus(replace(request, token="#00001", text="Bonjour #00001"))
    )
    assert outcome(scene.judged("texts.arrive")) == ("pass", 0)
