"""Converts message text to submit fields and back: alphabets, transparent data, concatenation, segments.

Reading never raises, whatever the fields contain.
Sources: EMI-UCP 4.0 sections 5.1 and 5.1.2; GSM 03.40 section 9.2.3.24.1 for concatenation.
"""

from __future__ import annotations

from binascii import unhexlify
from typing import Final, Literal

import msgspec

from simbench.ucp import alphabet, xser
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame
from simbench.ucp.xser import Concatenation, Tlv

Encoding = Literal["gsm7", "ucs2", "8bit", "numeric"]
Order = Literal["", "mark", "little"]

USER_DATA_OCTETS: Final = 140  # GSM 03.40 section 9.2.3.24: 160 septets
SEPTETS: Final = 160
LONG_MESSAGE: Final = 640  # characters, with the SMSC's option for long messages
SURE_LETTERS: Final = 3  # distinct letters needed to detect the byte order of UCS-2 without a mark
SURE_SHARE: Final = 0.8
UCS2_DCS: Final = Tlv(xser.DCS, b"\x08")
_EMPTY: Final = [""] * 33


class Part(msgspec.Struct, frozen=True):
    """The content fields of one submit, named as in the field table but in lower case.

    `mms` is "1" if another part follows; `segments` is always 1.
    """

    mt: str
    msg: str
    nb: str = ""
    mms: str = ""
    xser: str = ""
    segments: int = 1


class Content(msgspec.Struct, frozen=True):
    """The content of a 5x frame.

    `text` is None for data that is not text and for unreadable digits; `octets` are the message's own, one per
    character for "gsm7" and "numeric"; `udh` is the user data header with its length octet, b"" if none;
    `languages` are its locking and single shift tables; `order` is the byte order of unusual UCS-2: "mark" if a
    byte-order mark precedes it, "little" if it is little-endian as well or without a mark; `segments` is the number
    of segments transmitted and billed: more than 1 only with the long-message option.
    """

    text: str | None
    octets: bytes
    encoding: Encoding
    udh: bytes = b""
    concatenation: Concatenation | None = None
    segments: int = 1
    languages: tuple[int, int] = (0, 0)
    order: Order = ""


def order_of(octets: bytes) -> Order:
    """Return the byte order of UCS-2, "" for the correct one: from its mark, or estimated from its content.

    Without a mark it is little-endian if nearly every unit is a Latin letter with swapped octets: read the other way,
    these would be rare characters, one from each block.
    """
    if octets[:2] == b"\xff\xfe":
        return "little"
    if octets[:2] == b"\xfe\xff":
        return "mark"
    pairs = list(zip(octets[::2], octets[1::2], strict=False))
    letters = [first for first, second in pairs if first >= 0x20 and not second]
    sure = len(set(letters)) >= SURE_LETTERS and len(letters) >= SURE_SHARE * len(pairs)
    return "little" if sure else ""


def ucs2(octets: bytes) -> str:
    """Return the text of UCS-2 in its actual byte order, without the mark."""
    order = order_of(octets)
    if order == "little":
        octets = b"".join(octets[at : at + 2][::-1] for at in range(0, len(octets) - 1, 2))
    return octets.removeprefix(b"\xfe\xff").decode("utf-16-be", "replace")


def room_for_septets(udh_octets: int) -> int:
    """Return the septets that fit into one segment with a header of `udh_octets`, including its length octet."""
    return SEPTETS - (udh_octets * 8 + 6) // 7


def room_for_octets(udh_octets: int) -> int:
    """Return the octets that fit into one segment with a header of `udh_octets`, including its length octet."""
    return USER_DATA_OCTETS - udh_octets


def compose(text: str, ref: int = 0, reference_bits: Literal[8, 16] = 8) -> list[Part]:
    """Return the submits that carry `text`: GSM 7-bit if the alphabet allows it, else UCS-2.

    A text too long for one segment is split between characters, with `ref` (modulo its width) in each part. Raises
    ValueError beyond 255 parts, UnicodeEncodeError for half a surrogate pair.
    """
    gsm = alphabet.is_gsm(text)
    octets = alphabet.encode(text) if gsm else text.encode("utf-16-be")
    if len(octets) <= (SEPTETS if gsm else USER_DATA_OCTETS):
        return [_part(octets, gsm, [])]
    udh_octets = 6 if reference_bits == 8 else 7
    if gsm:
        pieces = _cut_septets(octets, room_for_septets(udh_octets))
    else:
        pieces = _cut_ucs2(octets, room_for_octets(udh_octets))
    total = len(pieces)
    if total > 255:
        raise ValueError(f"a text of {len(text)} characters needs {total} parts; concatenation ends at 255")
    ref %= 1 << reference_bits
    parts = []
    for number, piece in enumerate(pieces, start=1):
        header = xser.concatenation_header(Concatenation(ref, total, number, reference_bits))
        parts.append(_part(piece, gsm, [Tlv(xser.UDH, header)], mms="1" if number < total else ""))
    return parts


def _part(octets: bytes, gsm: bool, services: list[Tlv], mms: str = "") -> Part:
    msg = octets.hex().upper()
    if gsm:
        return Part("3", msg, mms=mms, xser=xser.build(services))
    return Part("4", msg, nb=f"{8 * len(octets):04d}", mms=mms, xser=xser.build([*services, UCS2_DCS]))


def _cut_septets(codes: bytes, room: int) -> list[bytes]:
    """Cut unpacked septets into pieces of at most `room`, never between an escape and its code."""
    pieces, at = [], 0
    while at < len(codes):
        end = min(at + room, len(codes))
        if end < len(codes) and _escapes_before(codes, at, end) % 2:
            end -= 1
        pieces.append(codes[at:end])
        at = end
    return pieces


def _escapes_before(codes: bytes, start: int, end: int) -> int:
    """Return the number of consecutive escapes right before `end`; if odd, the last one has no code yet."""
    run = codes[start:end]
    return len(run) - len(run.rstrip(b"\x1b"))


def _cut_ucs2(octets: bytes, room: int) -> list[bytes]:
    """Cut big-endian UTF-16 into pieces of at most `room` octets, never within a surrogate pair."""
    pieces, at, step = [], 0, room & ~1
    while at < len(octets):
        end = min(at + step, len(octets))
        if end < len(octets) and octets[end - 2] & 0xFC == 0xD8:
            end -= 2
        pieces.append(octets[at:end])
        at = end
    return pieces


def read(data: list[str]) -> Content:
    """Return the content of the data fields of a 5x frame; missing fields count as empty."""
    fields = data if len(data) >= 33 else [*data, *_EMPTY[len(data) :]]
    services = xser.parse(fields[At.XSER])
    if isinstance(services, xser.XserError):
        services = []
    udh = xser.value_of(services, xser.UDH) or b""
    elements = xser.header(udh)
    sound = [] if isinstance(elements, xser.XserError) else elements
    place, shifts = xser.concatenation(sound), xser.languages(sound)
    mt, msg = fields[At.MT], fields[At.MSG]
    if mt == "2":
        octets = msg.encode("ascii", "replace")
        return Content(msg, octets, "numeric", udh, place, _segments(octets, len(udh), "numeric"))
    try:
        octets = unhexlify(msg)
    except ValueError:
        return Content(None, b"", "8bit" if mt == "4" else "gsm7", udh, place)
    if mt != "4":
        text = alphabet.decode(octets, shifts)
        return Content(text, octets, "gsm7", udh, place, _segments(octets, len(udh), "gsm7"), shifts)
    dcs = xser.value_of(services, xser.DCS)
    encoding = xser.CODINGS[dcs[0]].alphabet if dcs else "8bit"
    segments = _segments(octets, len(udh), "8bit" if encoding == "gsm7" else encoding)
    if encoding == "ucs2":
        return Content(ucs2(octets), octets, encoding, udh, place, segments, order=order_of(octets))
    if encoding == "gsm7":  # some clients pack the septets themselves; NB then gives their number
        nb = fields[At.NB]
        bits = int(nb) if nb.isascii() and nb.isdigit() and len(nb) <= 4 else 8 * len(octets)
        octets = alphabet.unpack(octets, bits // 7)
        return Content(alphabet.decode(octets, shifts), octets, encoding, udh, place, segments, shifts)
    return Content(None, octets, encoding, udh, place, segments)


def _segments(octets: bytes, udh_octets: int, encoding: Encoding) -> int:
    """Return the number of segments: the SMSC splits longer content and adds a concatenation header."""
    septets = encoding in {"gsm7", "numeric"}
    if len(octets) <= (room_for_septets(udh_octets) if septets else room_for_octets(udh_octets)):
        return 1
    header = min(udh_octets + (5 if udh_octets else 6), 120)
    if septets:
        return len(_cut_septets(octets, room_for_septets(header)))
    room = room_for_octets(header)
    return len(_cut_ucs2(octets, room)) if encoding == "ucs2" else -(-len(octets) // room)


def message_text(frame: Frame) -> str:
    """Return the text of a 5x frame for display and matching; "" if it has no readable text."""
    data = frame.data
    if len(data) > At.XSER and data[At.MT] == "3" and not data[At.XSER]:
        try:
            octets = unhexlify(data[At.MSG])
        except ValueError:
            return ""
        return alphabet.decode(octets)
    return read(data).text or ""


def segments(frame: Frame) -> int:
    """Return the number of segments of a 5x frame; texts that certainly fit into one are not decoded."""
    data = frame.data
    if len(data) > At.XSER and not data[At.XSER] and data[At.MT] == "3" and len(data[At.MSG]) <= 2 * SEPTETS:
        return 1
    return read(data).segments
