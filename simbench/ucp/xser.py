"""The extra services of XSer, data coding schemes and user data headers.

Parsing never raises. Sources: EMI-UCP 4.0 section 5.1.2; GSM 03.38 section 4 for the DCS; GSM 03.40 section 9.2.3.24
for the header.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from simbench.ucp.national import LOCKING, SINGLE

Alphabet = Literal["gsm7", "8bit", "ucs2"]

UDH: Final = 0x01
DCS: Final = 0x02
BILLING: Final = 0x0C
SINGLE_SHOT: Final = 0x0D


class Tlv(msgspec.Struct, frozen=True):
    """One extra service, or one information element of a user data header: its type and its value."""

    type: int
    value: bytes


class XserError(msgspec.Struct, frozen=True):
    """The reason why octets are not a sequence of type, length and value, and the octet at which they fail."""

    problem: str
    at: int


class TlvType(msgspec.Struct, frozen=True):
    """A kind of extra service: the length of its value in octets, and the operations that may carry it."""

    name: str
    shortest: int
    longest: int
    ops: tuple[str, ...]
    meaning: str


_SUBMIT: Final = ("51",)
_BOTH: Final = ("51", "52")
TLV_TYPES: Final[dict[int, TlvType]] = {
    0x01: TlvType("UDH", 1, 140, _BOTH, "user data header, its own length octet included"),
    0x02: TlvType("DCS", 1, 1, ("51", "52", "54"), "data coding scheme; overrules MCLs"),
    0x03: TlvType("message type", 1, 1, _BOTH, "TDMA: message, delivery or manual acknowledgement"),
    0x04: TlvType("message reference", 2, 2, _BOTH, "TDMA: number of the message"),
    0x05: TlvType("privacy", 1, 1, _BOTH, "TDMA: how confidential"),
    0x06: TlvType("urgency", 1, 1, _BOTH, "TDMA: bulk to very urgent"),
    0x07: TlvType("acknowledgement request", 1, 1, _BOTH, "TDMA: none, delivery, manual or both"),
    0x08: TlvType("message updating", 1, 1, _BOTH, "TDMA: new or replacing"),
    0x09: TlvType("call back number", 0, 255, _BOTH, "TDMA: nested elements; may be repeated"),
    0x0A: TlvType("response code", 1, 1, _BOTH, "TDMA: answer of the user"),
    0x0B: TlvType("teleservice", 1, 1, _BOTH, "TDMA: identity of the teleservice"),
    0x0C: TlvType("billing identifier", 0, 20, ("51", "54"), "visible characters for the bill; large accounts only"),
    0x0D: TlvType("single shot", 1, 1, _BOTH, "a single attempt at delivery"),
    # The following belong to later versions; their lengths are not known for sure.
    0x0E: TlvType("originator TON", 0, 255, _SUBMIT, "type of number of OAdC"),
    0x0F: TlvType("originator NPI", 0, 255, _SUBMIT, "numbering plan of OAdC"),
    0x10: TlvType("recipient TON", 0, 255, _SUBMIT, "type of number of AdC"),
    0x11: TlvType("recipient NPI", 0, 255, _SUBMIT, "numbering plan of AdC"),
    0x12: TlvType("original submission time", 0, 255, ("53",), "when the message was first submitted"),
    0x13: TlvType("destination network type", 0, 255, ("51", "53"), "kind of network of the recipient"),
}


def parse(text: str) -> list[Tlv] | XserError:
    """Parse the extra services of a hexadecimal XSer field, in order; upper or lower case."""
    try:
        return tlvs(unhexlify(text))
    except ValueError:
        return XserError("odd number of digits" if len(text) % 2 else "not hexadecimal", 0)


def tlvs(octets: bytes) -> list[Tlv] | XserError:
    """Parse octets as a sequence of type, length, value."""
    found: list[Tlv] = []
    at = 0
    while at < len(octets):
        if at + 2 > len(octets):
            return XserError("type without a length", at)
        end = at + 2 + octets[at + 1]
        if end > len(octets):
            return XserError(f"{octets[at + 1]} octets announced, {len(octets) - at - 2} left", at)
        found.append(Tlv(octets[at], octets[at + 2 : end]))
        at = end
    return found


def build(services: Iterable[Tlv]) -> str:
    """Encode XSer in upper-case hexadecimal. Raises ValueError for a type or a length beyond one octet."""
    return b"".join(bytes((tlv.type, len(tlv.value))) + tlv.value for tlv in services).hex().upper()


def value_of(services: Iterable[Tlv], kind: int) -> bytes | None:
    """Return the value of one type, the last if it is repeated, None if it is absent."""
    value = None
    for tlv in services:
        if tlv.type == kind:
            value = tlv.value
    return value


class Coding(msgspec.Struct, frozen=True):
    """The meaning of a data coding scheme: `message_class` 0 to 3 or None, `waiting` "", "discard" or "store"."""

    alphabet: Alphabet
    message_class: int | None = None
    compressed: bool = False
    waiting: Literal["", "discard", "store"] = ""


_GENERAL: Final[tuple[Alphabet, ...]] = ("gsm7", "8bit", "ucs2", "gsm7")  # the fourth is reserved: read as the first


def _coding(dcs: int) -> Coding:
    group, class_ = dcs >> 4, dcs & 3
    if group < 8:  # general data coding, with or without deletion after reading
        return Coding(_GENERAL[dcs >> 2 & 3], class_ if dcs & 0x10 else None, bool(dcs & 0x20))
    if group == 0xF:
        return Coding("8bit" if dcs & 4 else "gsm7", class_)
    if group >= 0xC:
        return Coding("ucs2" if group == 0xE else "gsm7", waiting="discard" if group == 0xC else "store")
    return Coding("gsm7")  # reserved groups are read as the default alphabet


CODINGS: Final = tuple(_coding(dcs) for dcs in range(256))


class Concatenation(msgspec.Struct, frozen=True):
    """The position in a long message: `sequence` counts from 1 to `total`; `bits` is the width of `ref`."""

    ref: int
    total: int
    sequence: int
    bits: int = 8


class Ports(msgspec.Struct, frozen=True):
    """Application ports of a message."""

    destination: int
    source: int


def header(octets: bytes) -> list[Tlv] | XserError:
    """Parse the information elements of a user data header that begins with its own length octet."""
    if not octets:
        return XserError("empty header", 0)
    if octets[0] != len(octets) - 1:
        return XserError(f"header of {len(octets) - 1} octets announces {octets[0]}", 0)
    return tlvs(octets[1:])


# By information element: octets of its value, bits of a reference or port (GSM 03.40 sections 9.2.3.24.1 to .4, .8).
_CONCATENATIONS: Final = {0x00: (3, 8), 0x08: (4, 16)}
_PORTS: Final = {0x04: (2, 8), 0x05: (4, 16)}


def concatenation(elements: Iterable[Tlv]) -> Concatenation | None:
    """Return the position in a long message, None if the header has none or an invalid one."""
    found = None
    for element in elements:
        size, bits = _CONCATENATIONS.get(element.type, (-1, 0))
        if len(element.value) == size and 1 <= element.value[-1] <= element.value[-2]:
            found = Concatenation(int.from_bytes(element.value[:-2], "big"), element.value[-2], element.value[-1], bits)
    return found


def ports(elements: Iterable[Tlv]) -> Ports | None:
    """Return the application ports, None if the header has none."""
    found = None
    for element in elements:
        size, bits = _PORTS.get(element.type, (-1, 0))
        if len(element.value) == size:
            half = bits // 8
            found = Ports(int.from_bytes(element.value[:half], "big"), int.from_bytes(element.value[half:], "big"))
    return found


_SINGLE_SHIFT, _LOCKING_SHIFT = 0x24, 0x25  # 3GPP TS 23.040 sections 9.2.3.24.15 and 9.2.3.24.16


def languages(elements: Iterable[Tlv]) -> tuple[int, int]:
    """Return the identifiers of the locking and the single shift table, 0 for the default and undefined ones."""
    found = [0, 0]
    for element in elements:
        if element.type in {_SINGLE_SHIFT, _LOCKING_SHIFT} and len(element.value) == 1:
            tables = LOCKING if element.type == _LOCKING_SHIFT else SINGLE
            found[element.type == _SINGLE_SHIFT] = element.value[0] if element.value[0] in tables else 0
    return found[0], found[1]


def concatenation_header(place: Concatenation) -> bytes:
    """Encode the user data header for `place`, including its length octet. Raises ValueError out of range."""
    if not 1 <= place.sequence <= place.total <= 255:
        raise ValueError(f"part {place.sequence} of {place.total}")
    wide = place.bits == 16
    try:
        ref = place.ref.to_bytes(2 if wide else 1, "big")
    except OverflowError:
        raise ValueError(f"reference {place.ref} does not fit {place.bits} bits") from None
    value = ref + bytes((place.total, place.sequence))
    element = bytes((0x08 if wide else 0x00, len(value))) + value
    return bytes((len(element),)) + element
