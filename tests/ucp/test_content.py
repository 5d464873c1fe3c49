from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.ucp.alphabet import BASIC, pack
from simbench.ucp.checks import check
from simbench.ucp.content import Content, Part, compose, message_text, order_of, read, segments
from simbench.ucp.frame import Frame, Framer
from simbench.ucp.national import EXTENSION
from simbench.ucp.operations import build
from simbench.ucp.xser import Concatenation
from tests.ucp.vectors import VALID

gsm_texts = st.text(st.sampled_from(sorted({*BASIC, *EXTENSION.values()})), max_size=900)
plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=500)
texts = st.one_of(gsm_texts, plain.filter(lambda text: not order_of(text.encode("utf-16-be"))))


def frame_of(part: Part) -> Frame:
    content = {"MT": part.mt, "Msg": part.msg, "NB": part.nb, "MMS": part.mms, "XSer": part.xser}
    octets = build("51", "O", 1, AdC="33639980012", OAdC="36010", **content)
    (frame,) = Framer().feed(octets)
    assert isinstance(frame, Frame)
    return frame


def content_of(**fields: str) -> Content:
    (frame,) = Framer().feed(build("51", "O", 1, **fields))
    assert isinstance(frame, Frame)
    assert segments(frame) == read(frame.data).segments
    assert message_text(frame) == (read(frame.data).text or "")
    return read(frame.data)


@given(texts, st.integers(0, 70000), st.sampled_from([8, 16]))
def test_any_text_survives_composing_and_reading(text: str, ref: int, bits: Literal[8, 16]) -> None:
    parts = compose(text, ref, bits)
    frames = [frame_of(part) for part in parts]
    contents = [read(frame.data) for frame in frames]
    assert "".join(content.text or "" for content in contents) == text
    assert "".join(message_text(frame) for frame in frames) == text
    assert all(check(frame) == [] for frame in frames)
    assert all(part.segments == content.segments == 1 for part, content in zip(parts, contents, strict=True))
    if len(parts) > 1:
        places = [Concatenation(ref % 2**bits, len(parts), number, bits) for number in range(1, len(parts) + 1)]
        assert [content.concatenation for content in contents] == places
        assert [part.mms for part in parts] == ["1"] * (len(parts) - 1) + [""]
    else:
        assert contents[0].concatenation is None


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("a" * 160, [160]),
        ("a" * 161, [153, 8]),
        ("a" * 306, [153, 153]),
        ("a" * 307, [153, 153, 1]),
        ("a" * 152 + "€" + "b" * 10, [152, 12]),
        ("€" * 80, [160]),
        ("€" * 81, [152, 10]),
    ],
)
def test_gsm_text_is_split_at_153_septets_and_no_escape_is_cut(text: str, sizes: list[int]) -> None:
    assert [len(part.msg) // 2 for part in compose(text)] == sizes


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("ç" * 70, [70]),
        ("ç" * 71, [67, 4]),
        ("ç" * 66 + "😀" + "ç" * 10, [66, 12]),
        ("😀" * 35, [70]),
        ("😀" * 36, [66, 6]),
    ],
)
def test_other_text_is_split_at_67_units_and_no_pair_is_cut(text: str, sizes: list[int]) -> None:
    assert [len(part.msg) // 4 for part in compose(text)] == sizes


def test_a_wide_reference_costs_a_character() -> None:
    assert [len(part.msg) // 2 for part in compose("a" * 161, 0x1234, 16)] == [152, 9]
    assert [len(part.msg) // 4 for part in compose("ç" * 71, 0x1234, 16)] == [66, 5]


def test_parts_are_written_as_the_worked_frames_are() -> None:
    text = " ".join(["abcdefghijklmnopqrstuvwxyz"] * 8)[:200]
    first, second = compose(text, 0x2A)
    assert (first.xser, first.mms, second.xser, second.mms) == ("01060500032A0201", "1", "01060500032A0202", "")
    assert compose("é水" * 40, 0x2B)[0].xser == "01060500032B0201020108"
    assert compose("OK 😀") == [Part("4", "004F004B0020D83DDE00", nb="0080", xser="020108")]
    assert compose("") == [Part("3", "")]


def test_more_parts_than_a_header_can_count_are_refused() -> None:
    assert len(compose("a" * 153 * 255)) == 255
    with pytest.raises(ValueError, match="needs 256 parts"):
        compose("a" * (153 * 255 + 1))


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        compose("\ud83d")


def test_data_is_no_text() -> None:
    content = content_of(MT="4", NB="0032", Msg="DEADBEEF", MCLs="1")
    assert content == Content(None, bytes.fromhex("DEADBEEF"), "8bit")


def test_numeric_content_is_its_digits() -> None:
    assert content_of(MT="2", Msg="1234567890") == Content("1234567890", b"1234567890", "numeric")


def test_septets_that_a_client_packed_itself_are_unpacked() -> None:
    packed = pack(b"Bonjour ")
    content = content_of(MT="4", NB="0056", Msg=packed.hex(), XSer="020100")
    assert (content.text, content.encoding, content.octets) == ("Bonjour ", "gsm7", b"Bonjour ")


def test_broken_content_reads_as_nothing() -> None:
    assert content_of(MT="3", Msg="4") == Content(None, b"", "gsm7")
    assert content_of(MT="3", Msg="41", XSer="010605") == Content("A", b"A", "gsm7")
    assert read([]) == Content("", b"", "gsm7")


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"MT": "3", "Msg": "41" * 160}, 1),
        ({"MT": "3", "Msg": "41" * 161}, 2),
        ({"MT": "3", "Msg": "41" * 306}, 2),
        ({"MT": "3", "Msg": "41" * 307}, 3),
        ({"MT": "3", "Msg": "41" * 640}, 5),
        ({"MT": "3", "Msg": "41" * 152 + "1B65" + "41" * 152}, 3),
        ({"MT": "2", "Msg": "1" * 161}, 2),
        ({"MT": "4", "Msg": "00" * 140, "XSer": "020104"}, 1),
        ({"MT": "4", "Msg": "00" * 141, "XSer": "020104"}, 2),
        ({"MT": "4", "Msg": "00E7" * 70, "XSer": "020108"}, 1),
        ({"MT": "4", "Msg": "00E7" * 135, "XSer": "020108"}, 3),
        ({"MT": "3", "Msg": "41" * 153, "XSer": "01060500032A0201"}, 1),
        ({"MT": "3", "Msg": "41" * 151 + "1B1B" + "41" * 153}, 2),
        ({"MT": "3", "Msg": "41" * 292, "XSer": "01070605040B8423F0"}, 2),
        ({"MT": "3", "Msg": "41" * 293, "XSer": "01070605040B8423F0"}, 3),
        ({"MT": "3"}, 1),
    ],
)
def test_segments_are_what_the_network_must_carry(fields: dict[str, str], count: int) -> None:
    assert content_of(**fields).segments == count


@given(st.lists(st.text(st.characters(max_codepoint=0x7F), max_size=12), max_size=40), st.sampled_from("234"))
def test_any_fields_are_read_without_raising(values: list[str], mt: str) -> None:
    data = [*values[:18], mt, *values[19:]]
    frame = Frame("01", "O", "51", data, b"")
    assert message_text(frame) == (read(data).text or "")
    assert segments(frame) == read(data).segments


def test_the_worked_submits_read_as_their_names_say() -> None:
    found = {}
    for vector in VALID:
        (frame,) = Framer().feed(vector.octets)
        if isinstance(frame, Frame) and vector.name.startswith("o5"):
            found[vector.name] = read(frame.data)
    assert found["o51_gsm_ext"].text == "L'été à 10€ [ok] @_$"
    assert found["o51_ucs2"].text == "Bonjour 你好"
    assert found["o52_mo"].text == "STOP"
    assert found["o52_mo_concat"].concatenation == Concatenation(0x55, 2, 1)
    assert found["o51_bin_udh"].udh == bytes.fromhex("0605040B8423F0")
    assert {content.segments for content in found.values()} == {1}


@pytest.mark.parametrize("text", ["Hi", "Où ?", "Bonjour à tous", "цена 5 €"])
@pytest.mark.parametrize(("mark", "coding"), [("\ufeff", "utf-16-le"), ("\ufeff", "utf-16-be"), ("", "utf-16-be")])
def test_ucs2_is_read_in_the_order_it_says_it_has(text: str, mark: str, coding: str) -> None:
    octets = (mark + text).encode(coding)
    data = submit_data(MT="4", Msg=octets.hex(), NB=str(8 * len(octets)), XSer="020108")
    found = read(data)
    assert found.text == text
    assert found.order == {"utf-16-le": "little", "utf-16-be": "mark" if mark else ""}[coding]


def submit_data(**fields: str) -> list[str]:
    (frame,) = Framer().feed(build("51", "O", 1, AdC="33639980012", OAdC="36010", **fields))
    assert isinstance(frame, Frame)
    return frame.data


@pytest.mark.parametrize(
    ("header", "octets", "text"),
    [
        ("03240102", "1B0961207661203F", "ça va ?"),  # Spanish, A.2.2
        ("03240101", "1B471B49", "Ğİ"),  # Turkish, A.2.1
        ("03250101", "0B0C1C1D07", "ĞğŞşı"),  # Turkish, A.3.1
        ("06240103250103", "1B0F7B", "áã"),  # Portuguese, both
        ("03250106", "353646", "56ल"),  # Hindi: digits stay where they are
        ("03240104", "1B19", "০"),  # Bengali digit zero
        ("03250163", "41", "A"),  # not defined: to be ignored
    ],
)
def test_the_tables_a_header_names_are_applied(header: str, octets: str, text: str) -> None:
    size = f"{len(header) // 2:02X}"
    found = read(submit_data(MT="3", Msg=octets, XSer=f"01{size}{header}"))
    assert found.text == text
