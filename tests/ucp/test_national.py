from __future__ import annotations

import unicodedata

import pytest

from simbench.ucp import alphabet
from simbench.ucp.national import EXTENSION, LANGUAGES, LOCKING, NONE, SINGLE

BLOCKS = {
    4: "BENGALI", 5: "GUJARATI", 6: "DEVANAGARI", 7: "KANNADA", 8: "MALAYALAM", 9: "ORIYA", 10: "GURMUKHI",
    11: "TAMIL", 12: "TELUGU", 13: "ARABIC",
}  # fmt: skip
KEPT = " !(),.0123456789:;?abcdefghijklmnopqrstuvwxyz\n\r"


@pytest.mark.parametrize("language", LOCKING)
def test_a_locking_table_has_a_character_a_code_and_the_escape_in_its_place(language: int) -> None:
    table = LOCKING[language]
    assert len(table) == 128
    assert table[0x1B] == NONE
    assert [table[code] for code in (0x0A, 0x0D, 0x20, 0x21)] == ["\n", "\r", " ", "!"]
    used = table.replace(NONE, "")
    assert len(set(used)) == len(used), "no character has two codes"


@pytest.mark.parametrize("language", BLOCKS)
def test_a_table_of_asia_holds_letters_of_its_own_script_that_unicode_knows(language: int) -> None:
    """Unicode's own data say which code points are letters of which script."""
    own = [each for each in LOCKING[language] if each not in KEPT and each != NONE]
    assert len(own) >= 50
    for character in own:
        assert unicodedata.name(character).startswith((BLOCKS[language], "ARABIC")), hex(ord(character))
    for character in SINGLE[language].values():
        assert unicodedata.name(character, "control") != ""
        if ord(character) > 0x600 and character != "€":
            script = unicodedata.name(character)
            assert script.startswith((BLOCKS[language], "DEVANAGARI DANDA", "DEVANAGARI DOUBLE", "EXTENDED ARABIC"))


@pytest.mark.parametrize("language", range(4, 14))
def test_the_ten_digits_of_a_script_stand_in_a_row(language: int) -> None:
    table = SINGLE[language]
    codes = [0x19, 0x1A, *range(0x1C, 0x24)] if language == 4 else [*range(0x1C, 0x26)]
    codes = [code for code in codes if code != 0x1B]
    assert [unicodedata.digit(table[code]) for code in codes] == list(range(10))


@pytest.mark.parametrize("language", SINGLE)
def test_a_single_shift_table_keeps_what_every_one_has(language: int) -> None:
    table = SINGLE[language]
    for code in (0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65):
        assert table[code] == EXTENSION[code]
    assert 0x1B not in table


def test_thirteen_languages_of_which_spanish_locks_nothing() -> None:
    assert set(SINGLE) == set(LANGUAGES) == set(range(1, 14))
    assert set(LOCKING) == set(LANGUAGES) - {2}
    assert [SINGLE[2][code] for code in (0x09, 0x41, 0x49, 0x4F, 0x55, 0x61, 0x69, 0x6F, 0x75)] == [*"çÁÍÓÚáíóú"]


def test_what_a_single_shift_table_leaves_open_is_shown_out_of_the_basic_one() -> None:
    assert alphabet.decode(b"\x1b\x62\x1b\x65", (0, 2)) == "b€"
    assert alphabet.decode(b"\x1b\x0d", (1, 4)) == "\r"
    assert alphabet.decode(b"\x0c", (4, 0)) == "\ufffd"
    assert alphabet.decode(b"\x1b", (6, 6)) == " "
