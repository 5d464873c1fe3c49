"""Long messages are reassembled from parts in any order."""

from __future__ import annotations

import random
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.units import HOUR_US
from simbench.ucp import concat
from simbench.ucp.concat import Assembler, LongMessage
from simbench.ucp.content import Content, compose, order_of, read
from simbench.ucp.xser import Concatenation
from tests.ucp.test_content import frame_of, gsm_texts

ALICE, BOB, CODE = "33639980001", "33639980002", "36010"
plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=400)
texts = st.one_of(gsm_texts, plain.filter(lambda text: not order_of(text.encode("utf-16-be"))))
widths = st.sampled_from([8, 16])
Bits = Literal[8, 16]


def parts_of(text: str, ref: int = 7, bits: Bits = 8) -> list[Content]:
    return [read(frame_of(part).data) for part in compose(text, ref, bits)]


def together(arriving: list[tuple[str, Content]], step_us: int = 1) -> list[LongMessage]:
    """Everything an assembler says of parts to recipients, handles being positions."""
    assembler = Assembler(HOUR_US)
    texts = []
    for position, (recipient, content) in enumerate(arriving):
        texts += assembler.add(position * step_us, CODE, recipient, content, position)
    return texts + assembler.left()


@given(texts, st.integers(0, 70_000), widths, st.randoms(use_true_random=False))
def test_any_text_is_whole_again_whatever_the_order_of_its_parts(
    text: str, ref: int, bits: Bits, dice: random.Random
) -> None:
    parts = [(ALICE, part) for part in parts_of(text, ref, bits)]
    dice.shuffle(parts)
    (message,) = together(parts)
    assert (message.text, message.total, message.missing, message.doubles) == (text, len(parts), (), ())
    assert sorted(message.handles) == list(range(len(parts)))


@given(texts, texts, st.booleans(), st.randoms(use_true_random=False))
def test_two_messages_at_once_stay_apart(one: str, other: str, same: bool, dice: random.Random) -> None:
    """By their references, or with the same one by their recipients."""
    first = [(ALICE, part) for part in parts_of(one, 7)]
    second = [(BOB if same else ALICE, part) for part in parts_of(other, 7 if same else 8)]
    mixed = first + second
    dice.shuffle(mixed)
    assert sorted((message.text or "") for message in together(mixed)) == sorted([one, other])


@given(st.lists(texts.filter(lambda text: len(text) > 160), min_size=2, max_size=4))
def test_a_reference_used_again_carries_another_message(printed: list[str]) -> None:
    arriving = [(ALICE, part) for text in printed for part in parts_of(text)]
    whole = [message.text for message in together(arriving)]
    assert whole == printed


@given(texts, st.data())
def test_what_comes_twice_is_taken_once(text: str, data: st.DataObject) -> None:
    parts = [(ALICE, part) for part in parts_of(text)]
    if len(parts) == 1:
        return
    again = data.draw(st.integers(0, len(parts) - 2))
    found = together([*parts[:-1], parts[again], parts[-1]])
    assert [(message.text, message.doubles) for message in found] == [(text, (len(parts) - 1,))]


@given(texts, st.data())
def test_a_part_that_never_comes_is_reported(text: str, data: st.DataObject) -> None:
    parts = [(ALICE, part) for part in parts_of(text)]
    lost = data.draw(st.integers(0, len(parts) - 1))
    found = together(parts[:lost] + parts[lost + 1 :])
    if len(parts) == 1:
        assert found == []
    else:
        assert [message.missing for message in found] == [(lost + 1,)]


def test_the_two_widths_of_a_reference_are_different_references() -> None:
    text = "a" * 300
    first, second = parts_of(text, 7, 8), parts_of(text, 7, 16)
    found = together([(ALICE, first[0]), (ALICE, second[1])])
    assert [message.missing for message in found] == [(2,), (1,)]


def test_a_part_of_a_message_that_is_whole_already_is_a_double_and_no_message() -> None:
    parts = [(ALICE, part) for part in parts_of("b" * 300)]
    whole, rest = together([*parts, parts[1]])
    assert whole.text == "b" * 300
    assert (rest.handles, rest.missing, rest.doubles) == ((), (), (2,))


def test_the_same_text_sent_again_under_the_same_reference_is_another_message() -> None:
    parts = [(ALICE, part) for part in parts_of("b" * 300)]
    assert [message.text for message in together([*parts, *parts])] == ["b" * 300] * 2


def test_parts_hours_apart_do_not_belong_together() -> None:
    parts = [(ALICE, part) for part in parts_of("b" * 300)]
    assert [message.missing for message in together(parts, HOUR_US)] == [()]
    assert [message.missing for message in together(parts, HOUR_US + 1)] == [(2,), (1,)]


def test_a_character_cut_in_two_by_its_client_is_whole_again() -> None:
    first, second = parts_of("é" * 71 + "ź" * 20)
    cut = [
        Content(None, first.octets[:-1], "ucs2", concatenation=first.concatenation),
        Content(None, first.octets[-1:] + second.octets, "ucs2", concatenation=second.concatenation),
    ]
    (message,) = together([(ALICE, part) for part in cut])
    assert message.text == "é" * 71 + "ź" * 20


def test_how_many_messages_may_be_begun_at_once_is_bounded() -> None:
    part = parts_of("b" * 300)[0]
    kept, concat.PENDING = concat.PENDING, 10  # type: ignore[misc]  # a smaller bound shows the same
    try:
        found = together([(f"3363998{number:04d}", part) for number in range(25)])
    finally:
        concat.PENDING = kept  # type: ignore[misc]  # as above
    assert len(found) == 25
    assert all(message.missing == (2,) for message in found)
    assert [message.handles for message in found[:15]] == [(number,) for number in range(15)]


@pytest.mark.parametrize("marks", ["first", "each", "none"])
@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be"])
def test_parts_of_ucs2_in_either_order_make_the_text_that_was_meant(coding: str, marks: str) -> None:
    pieces = ["Bonjour à tous, ", "voici 5 € ", "pour vous"]
    assembler = Assembler(HOUR_US)
    whole = []
    for number, piece in enumerate(pieces, 1):
        mark = "\ufeff" if marks == "each" or (marks == "first" and number == 1) else ""
        part = Content("", (mark + piece).encode(coding), "ucs2", concatenation=Concatenation(7, 3, number))
        whole += assembler.add(number, "36010", "33639980012", part, number)
    assert [message.text for message in whole] == ["".join(pieces)]
