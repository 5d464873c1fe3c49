from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simbench.ucp.frame import WIRE_ERRORS, Frame, Framer, WireError, checksum, encode, encode_fields
from tests.ucp.vectors import VALID, VECTORS, Vector, name_of

FIRST, SECOND, LONG = (next(v.octets for v in VALID if v.name == name) for name in ("o51_alnum", "r60_ack", "o51_mwi"))

# Streams that mean something: whole frames, frames with an octet changed or lost, control characters and noise.
_frames = st.sampled_from([vector.octets for vector in VECTORS])
_noise = st.binary(max_size=40)
_controls = st.sampled_from([b"\x02", b"\x03", b"\r\n", b"/", b"\x02\x03", b"\x0211/00016/O/31/37\x03", b"\xff"])


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    frame = bytearray(draw(_frames))
    at = draw(st.integers(0, len(frame) - 1))
    frame[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(frame)


streams = st.lists(st.one_of(_frames, _damaged(), _noise, _controls), max_size=12).map(b"".join)


def names(items: list[Frame | WireError]) -> list[str]:
    return [item.name if isinstance(item, WireError) else "frame" for item in items]


def feed_in_cuts(framer: Framer, stream: bytes, cuts: list[int]) -> list[Frame | WireError]:
    items: list[Frame | WireError] = []
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, end in pairwise(places):
        items += framer.feed(stream[start:end])
    return items


@given(streams, st.lists(st.integers(0, 5000), max_size=20), st.sampled_from([4096, 64, 20]))
@example(b"\x02" + b"a" * 21 + b"\x02" + b"b" * 45 + b"\r\n", [3, 22, 23, 24, 40, 44, 45], 20)
@example(b"\r" * 21 + FIRST, [1, 20, 21, 22], 20)
def test_items_are_the_same_however_the_stream_is_cut(stream: bytes, cuts: list[int], longest: int) -> None:
    whole, cut = Framer(longest), Framer(longest)
    assert feed_in_cuts(cut, stream, cuts) == whole.feed(stream)
    assert cut.pending == whole.pending


@given(streams)
def test_items_are_the_same_octet_by_octet(stream: bytes) -> None:
    framer = Framer(64)
    single = [item for octet in stream for item in framer.feed(bytes([octet]))]
    assert single == Framer(64).feed(stream)


@given(streams, st.sampled_from([4096, 64, 20]))
def test_no_octet_is_lost_and_none_kept_beyond_the_bound(stream: bytes, longest: int) -> None:
    framer = Framer(longest)
    items = framer.feed(stream)
    # The violation of a frame repeats the octets of that frame.
    kept = [item.octets for item in items if isinstance(item, Frame) or item.name != "lower-case-checksum"]
    assert b"".join(kept) + framer.pending == stream
    assert len(framer.pending) <= longest + 1
    assert all(len(item.octets) <= longest + 2 for item in items)


@given(st.binary(max_size=300))
def test_nothing_fed_raises(stream: bytes) -> None:
    Framer(100).feed(stream)


@given(streams)
def test_every_frame_obeys_the_frame_rules(stream: bytes) -> None:
    for item in Framer().feed(stream):
        if isinstance(item, Frame):
            body = item.octets[1:-1]
            assert int(body[3:8]) == len(body)
            assert int(body[-2:], 16) == sum(body[:-2]) % 256
            assert "/".join([item.trn, f"{len(body):05d}", item.kind, item.ot, *item.data]) == body[:-3].decode()


@pytest.mark.parametrize("vector", VALID, ids=name_of)
def test_a_valid_frame_is_one_item_with_its_header_and_octets(vector: Vector) -> None:
    (frame,) = Framer().feed(vector.octets)
    assert isinstance(frame, Frame)
    assert (frame.trn, frame.kind, frame.ot) == (vector.fields["TRN"], vector.fields["O/R"], vector.fields["OT"])
    assert frame.octets == vector.octets
    assert encode_fields(frame.trn, frame.kind, frame.ot, frame.data) == vector.octets


def test_a_submit_has_all_33_fields_located() -> None:
    (frame,) = Framer().feed(FIRST)
    assert isinstance(frame, Frame)
    assert len(frame.data) == 33
    assert (frame.data[0], frame.data[1], frame.data[18]) == ("0639980012", "99001", "3")


def test_a_frame_may_have_no_field_at_all() -> None:
    (frame,) = Framer().feed(encode(7, "R", "31", ""))
    assert isinstance(frame, Frame)
    assert frame.data == []


def test_many_frames_in_one_read_come_out_in_order() -> None:
    items = Framer().feed(FIRST + SECOND + LONG + SECOND[:5])
    assert [item.octets for item in items] == [FIRST, SECOND, LONG]


def test_octets_before_a_frame_are_garbage_and_the_frame_survives() -> None:
    items = Framer().feed(b"noise" + FIRST)
    assert names(items) == ["garbage", "frame"]
    assert items[0].octets == b"noise"


def test_an_end_without_a_beginning_is_garbage() -> None:
    assert names(Framer().feed(b"11/00019\x03" + FIRST)) == ["garbage", "frame"]


def test_line_ends_between_frames_are_a_violation() -> None:
    assert names(Framer().feed(FIRST + b"\r\n" + FIRST)) == ["frame", "line-ends", "frame"]
    assert WIRE_ERRORS["line-ends"].tolerated


def test_a_frame_broken_off_is_reported_and_the_next_is_read() -> None:
    items = Framer().feed(FIRST[:30] + SECOND)
    assert names(items) == ["truncated", "frame"]
    assert items[0] == WireError("truncated", FIRST[:30], "11", "O", "51")


def test_a_broken_frame_is_reported_as_soon_as_the_next_begins() -> None:
    framer = Framer()
    assert names(framer.feed(FIRST[:30] + SECOND[:1])) == ["truncated"]
    assert framer.pending == SECOND[:1]


def test_a_beginning_inside_a_frame_breaks_it_off_even_where_length_and_sum_are_right() -> None:
    body = b"11/00023/R/60/A/\x02abc/"
    assert len(body) + 2 == 23
    items = Framer().feed(b"\x02%b%02X\x03" % (body, checksum(body)))
    assert names(items) == ["truncated", "header"]


def test_a_wrong_length_costs_only_its_own_frame() -> None:
    broken = FIRST.replace(b"00079", b"00180")
    assert names(Framer().feed(broken + FIRST)) == ["length", "frame"]


def test_a_wrong_checksum_keeps_what_an_answer_must_echo() -> None:
    (error,) = Framer().feed(FIRST[:-3] + b"00\x03")
    assert error == WireError("checksum", FIRST[:-3] + b"00\x03", "11", "O", "51")


@pytest.mark.parametrize("digits", [b"4 ", b"+4", b"4", b"/4", b"XY"])
def test_a_checksum_that_is_no_two_digits_is_a_wrong_checksum(digits: bytes) -> None:
    body = b"11/%05d/O/51/a/" % (13 + 3 + len(digits)) + digits
    assert names(Framer().feed(b"\x02" + body + b"\x03")) == ["checksum"]


def test_a_lower_case_checksum_is_reported_before_its_frame() -> None:
    frame = next(vector.octets for vector in VECTORS if vector.name == "neg_lowercase_checksum")
    items = Framer().feed(frame)
    assert names(items) == ["lower-case-checksum", "frame"]
    assert WIRE_ERRORS["lower-case-checksum"].tolerated


@pytest.mark.parametrize("head", ["0A/00020/O/51/", "1/00019/O/51/", "11/00020/X/51/", "11/00020/O/5/", "11/20/O/51/"])
def test_a_header_out_of_form_is_a_header_error(head: str) -> None:
    body = f"{head}a/b/".encode()
    assert names(Framer().feed(b"\x02%b%02X\x03" % (body, checksum(body)))) == ["header"]


def test_a_digit_of_another_script_is_no_digit() -> None:
    body = "1²/00019/O/51/a/".encode("latin-1")
    assert names(Framer().feed(b"\x02%b%02X\x03" % (body, checksum(body)))) == ["header"]


def test_an_octet_above_7f_spoils_a_frame_that_is_otherwise_sound() -> None:
    body = b"11/00018/R/60/\xe9/"
    (error,) = Framer().feed(b"\x02%b%02X\x03" % (body, checksum(body)))
    assert error == WireError("not-ascii", b"\x02%b%02X\x03" % (body, checksum(body)), "11", "R", "60")


def test_a_frame_at_the_bound_passes_and_one_octet_more_does_not() -> None:
    bound = len(FIRST) - 2
    assert names(Framer(bound).feed(FIRST)) == ["frame"]
    assert names(Framer(bound - 1).feed(FIRST + SECOND)) == ["too-long", "garbage", "frame"]


def test_a_bound_above_the_usual_admits_long_frames() -> None:
    frame = encode(1, "R", "60", "A/" + "x" * 6000 + "/")
    assert names(Framer(8000).feed(frame)) == ["frame"]
    assert "frame" not in names(Framer().feed(frame))


def test_an_endless_frame_keeps_memory_bounded_and_the_stream_recovers() -> None:
    framer = Framer(100)
    for _ in range(50):
        framer.feed(b"\x02" + b"x" * 1000)
        assert len(framer.pending) <= 101
    assert names(framer.feed(FIRST))[-1] == "frame"


@given(st.binary(max_size=2000))
def test_the_checksum_is_the_sum_of_the_octets(octets: bytes) -> None:
    assert checksum(octets) == sum(octets) % 256


@given(
    st.integers(0, 99),
    st.sampled_from("OR"),
    st.integers(0, 99).map("{:02d}".format),
    st.lists(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="/"), max_size=300)),
)
def test_what_is_encoded_is_read_back(trn: int, kind: str, ot: str, values: list[str]) -> None:
    (frame,) = Framer(99_999).feed(encode_fields(trn, kind, ot, values))
    assert isinstance(frame, Frame)
    assert (frame.trn, frame.kind, frame.ot, frame.data) == (f"{trn:02d}", kind, ot, values)


def test_a_text_trn_is_echoed_as_it_is() -> None:
    assert encode("0A", "R", "60", "A//").startswith(b"\x020A/")


@pytest.mark.parametrize("value", ["a/b", "a\x03", "\x02", "a\n"])
def test_a_value_that_would_break_the_frame_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="slash or a control"):
        encode_fields(1, "R", "60", ["A", value])


@pytest.mark.parametrize(("trn", "body"), [(100, "A//"), (-1, "A//"), (1, "é/"), (1, "x" * 100_000)])
def test_a_value_that_no_frame_can_hold_is_refused(trn: int, body: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the three messages have nothing in common
        encode(trn, "R", "60", body)
