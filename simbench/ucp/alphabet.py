"""The GSM 7-bit default alphabet, its extension, septet packing and alphanumeric originators.

Sources: GSM 03.38 (3GPP TS 23.038) section 6, its national tables in `simbench.ucp.national`; EMI-UCP 4.0
section 5.1.1 for the originator.
"""

from __future__ import annotations

import codecs
from binascii import unhexlify
from typing import Final, Literal

from simbench.ucp.national import EXTENSION, LOCKING, NONE, SINGLE

Convention = Literal["semi-octets", "octets"]

ESCAPE: Final = 0x1B
LONGEST_OADC: Final = 11  # septets that an alphanumeric originator can hold
# One character per octet; the escape's position holds a space, as phones show a lone escape.
BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DECODING: Final = BASIC + "\ufffd" * 128  # the meaning of octets above 7F depends on the operator
_NATIONAL: Final = {
    language: (table[:ESCAPE] + " " + table[ESCAPE + 1 :]).replace(NONE, "\ufffd") + "\ufffd" * 128
    for language, table in LOCKING.items()
}
_ENCODING: Final = {ord(character): code for code, character in enumerate(BASIC) if code != ESCAPE}
_CODES: Final = {chr(character): bytes([code]) for character, code in _ENCODING.items()} | {
    character: bytes([ESCAPE, code]) for code, character in EXTENSION.items()
}
_GSM: Final = frozenset(_CODES)
_EXTENDED: Final = frozenset(EXTENSION.values())


def is_seven_bit(digits: str) -> bool:
    """Return whether no octet in hexadecimal is above 7F, the highest code of this alphabet."""
    return not digits[::2].strip("01234567")


def is_gsm(text: str) -> bool:
    """Return whether every character of `text` is in the default alphabet or its extension."""
    return _GSM.issuperset(text)


def septets(text: str) -> int:
    """Return the number of septets `text` takes, two for an extension character; other characters are not checked."""
    return len(text) + sum(map(text.count, _EXTENDED))


def encode(text: str, errors: Literal["strict", "replace"] = "strict") -> bytes:
    """Return `text` with one octet per septet, two for an extension character.

    Raises UnicodeEncodeError (a ValueError) at the first character outside the alphabet; with `errors` "replace" it
    becomes "?" instead.
    """
    try:
        return codecs.charmap_encode(text, "strict", _ENCODING)[0]
    except UnicodeEncodeError:  # an extension character, or one outside the alphabet: one by one
        pass
    unknown = b"?" if errors == "replace" else b""
    octets = [_CODES.get(character, unknown) for character in text]
    if b"" in octets:
        at = octets.index(b"")
        raise UnicodeEncodeError("gsm-03.38", text, at, at + 1, "not in the GSM default alphabet")
    return b"".join(octets)


def decode(octets: bytes, languages: tuple[int, int] = (0, 0)) -> str:
    """Return the text of octets that hold one septet each; never raises.

    `languages` names the locking and the single shift table; 0 and undefined identifiers mean the default tables. An
    unassigned extension code is decoded as the basic character of that code, an escape at the end as a space, an
    unassigned basic code and an octet above 7F as U+FFFD.
    """
    basics, extension = _DECODING, EXTENSION
    if languages != (0, 0):
        basics = _NATIONAL.get(languages[0], _DECODING)
        extension = SINGLE.get(languages[1], EXTENSION)
    text = codecs.charmap_decode(octets, "strict", basics)[0]
    if ESCAPE not in octets:
        return text
    characters: list[str] = []
    escaped = False
    for code, basic in zip(octets, text, strict=True):
        if code == ESCAPE and not escaped:
            escaped = True
            continue
        characters.append(extension.get(code, basic) if escaped else basic)
        escaped = False
    return "".join(characters) + (" " if escaped else "")


def pack(codes: bytes) -> bytes:
    """Return septets packed into octets, the first in the lowest bits; spare bits of the last octet are zero."""
    value = 0
    for place, code in enumerate(codes):
        value |= (code & 0x7F) << (7 * place)
    return value.to_bytes((7 * len(codes) + 7) // 8, "little")


def unpack(octets: bytes, count: int) -> bytes:
    """Return `count` septets of packed octets, one per octet; fewer if the octets hold fewer."""
    value = int.from_bytes(octets, "little")
    return bytes(value >> (7 * place) & 0x7F for place in range(min(count, len(octets) * 8 // 7)))


def encode_oadc(text: str, convention: Convention = "semi-octets") -> str:
    """Return an alphanumeric originator in hexadecimal: a length octet, then the packed septets.

    The length counts useful semi-octets, as the document requires, or twice the octets, as several clients do.
    Raises ValueError beyond 11 septets, UnicodeEncodeError outside the alphabet.
    """
    codes = encode(text)
    if len(codes) > LONGEST_OADC:
        raise ValueError(f"originator {text!r} takes {len(codes)} septets, more than {LONGEST_OADC}")
    packed = pack(codes)
    length = (7 * len(codes) + 3) // 4 if convention == "semi-octets" else 2 * len(packed)
    return f"{length:02X}{packed.hex().upper()}"


def decode_oadc(digits: str) -> str:
    """Return the text of an alphanumeric originator in hexadecimal, with either convention for its length.

    Length 0E means seven or eight characters, depending on the convention; an eighth that is "@" or a carriage return
    is then taken for padding. Raises ValueError if `digits` is empty or not hexadecimal.
    """
    octets = unhexlify(digits)
    if not octets:
        raise ValueError("an alphanumeric originator begins with its length")
    codes = unpack(octets[1:], octets[0] * 4 // 7)
    if codes and len(codes) % 8 == 0 and codes[-1] in b"\x00\r":
        codes = codes[:-1]
    return decode(codes)
