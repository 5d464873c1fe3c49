from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simbench.finding import Evidence
from simbench.reporting.evidence import exhibit
from simbench.ucp.explain import explain
from simbench.ucp.frame import Frame, Framer, encode
from simbench.ucp.operations import build
from tests.bench.report.cases import FRAME, LOGIN, NOTICE

TEXTS = st.text(st.characters(codec="ascii", exclude_characters="/", min_codepoint=32, max_codepoint=126), max_size=12)


def test_a_frame_is_shown_in_hexadecimal_print_and_fields() -> None:
    (seen,) = exhibit(Evidence("x", frame=FRAME.hex()), mask=False).frames
    assert bytes.fromhex(seen.hex) == FRAME
    assert seen.print.startswith("<STX>07/")
    assert seen.print.endswith("<ETX>")
    assert seen.title == "51 submit short message, operation, TRN 07"
    meanings = {field.name: field.meaning for field in seen.fields}
    assert meanings["NT"] == "when delivered or not delivered"
    assert meanings["Msg"].startswith("'Code 4711 #00A7B'")
    assert not seen.masked


def test_a_negative_result_is_shown_with_the_meaning_of_its_code() -> None:
    (seen,) = exhibit(Evidence("x", frame=build("51", "R", 1, EC="04", SM="later").hex()), mask=True).frames
    assert ("EC", "not allowed now: no resources, no right or not logged in; often temporary") in {
        (field.name, field.meaning) for field in seen.fields
    }


def test_alphanumeric_originators_and_wide_texts_are_read() -> None:
    text = "Été ₂".encode("utf-16-be")
    frame = build(
        "51", "O", 1, AdC="33639980001", OAdC="0AD4E69B0A", OTOA="5039", MT="4", NB=str(8 * len(text)),
        Msg=text.hex().upper(), XSer="020108",
    )  # fmt: skip
    (seen,) = exhibit(Evidence("x", frame=frame.hex()), mask=True).frames
    meanings = {field.name: field.meaning for field in seen.fields}
    assert meanings["Msg"].startswith("'Été ₂': UCS-2")
    assert meanings["OAdC"].startswith("'")


def test_a_frame_is_explained_as_decode_explains_it() -> None:
    (seen,) = exhibit(Evidence("x", frame=FRAME.hex()), mask=False).frames
    (frame,) = Framer(len(FRAME)).feed(FRAME)
    assert isinstance(frame, Frame)
    assert list(seen.fields) == explain(frame)


def test_the_problems_of_a_frame_are_shown() -> None:
    (seen,) = exhibit(Evidence("x", frame=build("51", "O", 1, OAdC="36020", MT="3").hex()), mask=True).frames
    assert "AdC: mandatory here, and empty" in seen.problems


def test_several_frames_in_one_piece_are_all_shown_up_to_a_few() -> None:
    seen = exhibit(Evidence("x", frame=(LOGIN + NOTICE).hex()), mask=True).frames
    assert [one.title for one in seen] == [
        "60 session management, operation, TRN 00", "53 deliver notification, operation, TRN 09",
    ]  # fmt: skip
    many = exhibit(Evidence("x", frame=(NOTICE * 10).hex()), mask=True).frames
    assert many[-1].title == "and 6 more pieces in findings.json"


def test_a_long_frame_is_cut_and_marked_as_cut() -> None:
    (seen,) = exhibit(Evidence("x", frame=encode(1, "O", "51", "A" * 5000 + "/").hex()), mask=True).frames
    assert seen.print.endswith("more octets")
    assert len(seen.hex) < 1300


@given(st.text(max_size=60), st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62), st.booleans())
def test_any_evidence_can_be_shown(text: str, start: int, end: int, mask: bool) -> None:
    assert exhibit(Evidence(text, start, end, 1, text), mask).session == "session 1"


@given(st.binary(min_size=1, max_size=120), st.booleans())
def test_any_octets_can_be_shown(octets: bytes, mask: bool) -> None:
    evidence = Evidence("x", frame=octets.hex())
    assert exhibit(evidence, mask).frames
    shown = "".join(frame.hex for frame in exhibit(evidence, mask=False).frames)
    assert mask or octets.hex().upper() in shown.replace(" ", "") or len(octets) > 4


@given(
    st.lists(TEXTS, max_size=36),
    st.sampled_from(["01", "02", "30", "31", "51", "52", "53", "60", "99"]),
    st.sampled_from("OR"),
)
def test_any_fields_can_be_put_into_words(cells: list[str], ot: str, kind: str) -> None:
    frame = encode(1, kind, ot, "".join(f"{cell}/" for cell in cells))
    assert exhibit(Evidence("x", frame=frame.hex()), mask=True).frames
