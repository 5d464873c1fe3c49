"""The national language tables of the GSM 7-bit alphabet: locking shift and single shift, by language identifier.

Source: 3GPP TS 23.038 annex A.2 (single shift), A.3 (locking shift) and section 6.2.1.2.4 (identifiers). Nine languages
of India share one arrangement: each code maps to the same offset in the language's own Unicode block, and is unassigned
if the language has no such letter.
"""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = {
    1: "Turkish", 2: "Spanish", 3: "Portuguese", 4: "Bengali", 5: "Gujarati", 6: "Hindi", 7: "Kannada",
    8: "Malayalam", 9: "Oriya", 10: "Punjabi", 11: "Tamil", 12: "Telugu", 13: "Urdu",
}  # fmt: skip
NONE: Final = "\0"  # a code to which a table assigns nothing

# Locking shift of the languages of India: offsets into the block, by code; other entries stand for themselves.
_ROWS: Final = (
    "01 02 03 05 06 07 08 09 0A 0B LF 0C 0D CR 0E 0F",
    "10 11 12 13 14 15 16 17 18 19 1A ES 1B 1C 1D 1E",
    "SP ! 1F 20 21 22 23 24 ) ( 25 26 , 27 . 28",
)
_MIDDLE: Final = "29 2A 2B ?"  # after the digits, the colon and the semicolon
_UPPER: Final = (
    "2C 2D 2E 2F 30 31 32 33 34 35 36 37 38 39 3C 3D",
    "3E 3F 40 41 42 43 44 45 46 47 48 49 4A 4B 4C 4D",
)
_NAMED: Final = {"LF": "\n", "CR": "\r", "SP": " ", "ES": NONE}
# By language: start of its block, unused offsets, and the codes 60 and 7B to 7F around the lower-case letters.
_BLOCKS: Final[dict[int, tuple[int, str, str]]] = {
    4: (0x980, "0D 0E 11 12 29 31 33 34 35 45 46 49 4A", "4E 57 5C 5D 70 71"),
    5: (0xA80, "0E 12 29 31 34 46 4A", "50 60 61 62 63 71"),
    6: (0x900, "", "50 72 7B 7C 7E 7F"),
    7: (0xC80, "01 0D 11 29 34 45 49", "55 56 60 61 62 63"),
    8: (0xD00, "01 0D 11 29 3C 45 49", "57 60 61 62 63 79"),
    9: (0xB00, "0D 0E 11 12 29 31 34 45 46 49 4A", "56 57 60 61 62 63"),
    10: (0xA00, "0B 0C 0D 0E 11 12 29 31 34 37 3D 43 44 45 46 49 4A", "51 70 71 72 73 74"),
    11: (0xB80, "01 0B 0C 0D 11 16 17 18 1B 1D 20 21 22 25 26 27 2B 2C 2D 3C 3D 43 44 45 49", "50 57 70 71 72 79"),
    12: (0xC00, "0D 11 29 34 3C 45 49", "55 56 60 61 62 63"),
}
_SMALL: Final = "abcdefghijklmnopqrstuvwxyz"
_URDU: Final = (
    "0627 0622 0628 067B 0680 067E 06A6 062A 06C2 067F LF 0679 067D CR 067A 067C",
    "062B 062C 0681 0684 0683 0685 0686 0687 062D 062E 062F ES 068C 0688 0689 068A",
    "SP ! 068F 068D 0630 0631 0691 0693 ) ( 0699 0632 , 0696 . 0698",
    "0 1 2 3 4 5 6 7 8 9 : ; 069A 0633 0634 ?",
    "0635 0636 0637 0638 0639 0641 0642 06A9 06AA 06AB 06AF 06B3 06B1 0644 0645 0646",
    "06BA 06BB 06BC 0648 06C4 06D5 06C1 06BE 0621 06CC 06D0 06D2 064D 0650 064F 0657",
)
_URDU_TAIL: Final = "0654 0655 0651 0653 0656 0670"


def _cell(word: str, block: int, unused: frozenset[str]) -> str:
    if word in unused:
        return NONE
    if word in _NAMED:
        return _NAMED[word]
    return chr(block + int(word, 16)) if len(word) > 1 else word


def _cells(words: str, block: int = 0, unused: frozenset[str] = frozenset()) -> str:
    return "".join(_cell(word, block, unused) for word in words.split())


def _of_india(block: int, unused: str, tail: str) -> str:
    absent, ends = frozenset(unused.split()), _cells(tail, block)
    middle = "0123456789:;" + _cells(_MIDDLE, block, absent)
    parts = [_cells(row, block, absent) for row in _ROWS], [_cells(row, block, absent) for row in _UPPER]
    return "".join(parts[0]) + middle + "".join(parts[1]) + ends[0] + _SMALL + ends[1:]


# One character per code, 128 each; code 1B is the escape.
LOCKING: Final[dict[int, str]] = {
    1: (
        "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\0ŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
        "İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§çabcdefghijklmnopqrstuvwxyzäöñüà"
    ),
    3: (
        "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\0ÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?"
        "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà"
    ),
    **{language: _of_india(*block) for language, block in _BLOCKS.items()},
    13: "".join(map(_cells, _URDU)) + _cells(_URDU_TAIL)[0] + _SMALL + _cells(_URDU_TAIL)[1:],
}

EXTENSION: Final = {  # of the default alphabet
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
_ASIAN_HEAD: Final = "@£$¥¿\"¤%&'\f*+\0-/<=>¡^¡_#*"  # codes 00 to 18; 0D is reserved for the carriage return
_FILLED: Final = (0x19, 0x1A, *range(0x1C, 0x28), *range(0x2A, 0x2F), *range(0x30, 0x3C), 0x3F)


def _asian(block: int, letters: str) -> dict[int, str]:
    """A single shift table of the Asian kind: its own characters fill the free codes in this order."""
    table = {code: character for code, character in enumerate(_ASIAN_HEAD) if character != NONE}
    table |= {code: character for code, character in EXTENSION.items() if code > 0x1B}
    table |= {0x40 + place: letter for place, letter in enumerate("|ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
    for code, word in zip(_FILLED, letters.split(), strict=False):
        if word != "-":
            table[code] = chr(int(word, 16) if len(word) == 4 else block + int(word, 16))
    return table


_DANDAS: Final = "0964 0965 "
_DIGITS: Final = "66 67 68 69 6A 6B 6C 6D 6E 6F "
SINGLE: Final[dict[int, dict[int, str]]] = {
    1: EXTENSION | {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş"},
    2: EXTENSION
    | {0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú"},
    3: EXTENSION
    | {
        0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á", 0x12: "Φ", 0x13: "Γ", 0x15: "Ω", 0x16: "Π",
        0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê", 0x41: "À", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x5B: "Ã", 0x5C: "Õ",
        0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ã", 0x7C: "õ", 0x7F: "â",
    },
    4: _asian(0x980, _DIGITS + "5F 60 61 62 63 72 73 74 75 76 77 78 79 7A"),
    5: _asian(0xA80, _DANDAS + _DIGITS),
    6: _asian(0x900, _DANDAS + _DIGITS + "51 52 53 54 58 59 5A 5B 5C 5D 5E 5F 60 61 62 63 70 71"),
    7: _asian(0xC80, _DANDAS + _DIGITS + "5E 71 72"),
    8: _asian(0xD00, _DANDAS + _DIGITS + "70 71 72 73 74 75 7A 7B 7C 7D 7E 7F"),
    9: _asian(0xB00, _DANDAS + _DIGITS + "5C 5D 5F 70 71"),
    10: _asian(0xA00, _DANDAS + _DIGITS + "59 5A 5B 5C 5E 75"),
    11: _asian(0xB80, _DANDAS + _DIGITS + "73 74 75 76 77 78 7A"),
    12: _asian(0xC00, "- - " + _DIGITS + "58 59 78 79 7A 7B 7C 7D 7E 7F"),
    13: _asian(
        0x600,
        "00 01 F0 F1 F2 F3 F4 F5 F6 F7 F8 F9 0C 0D 0E 0F 10 11 12 13 14 1B 1F 40 52 58 6B 6C 72 73 CD D4"
    ),
}  # fmt: skip
