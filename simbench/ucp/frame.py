"""Frames of UCP: octets to frames and wire errors, and back (EMI-UCP 4.0 section 2).

Decoding never raises, whatever the octets. ETX ends a frame and LEN only confirms it: with framing by LEN, one wrong
LEN would swallow the next frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from zlib import adler32

import msgspec

STX: Final = b"\x02"
ETX: Final = b"\x03"
OVERHEAD: Final = 16  # characters counted in LEN besides the data: fourteen of header, two of checksum
LONGEST_LEN: Final = 99_999
LONGEST_FRAME: Final = 4_096  # octets between STX and ETX that a `Framer` accepts by default
ASCII_AT_ONCE: Final = 512  # ASCII octets whose sum surely stays below 65,521 (see `checksum`)


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One valid frame: `kind` is "O" (operation) or "R" (result), `data` its fields, `octets` STX to ETX."""

    trn: str
    kind: str
    ot: str
    data: list[str]
    octets: bytes


class WireError(msgspec.Struct, frozen=True, gc=False):
    """Octets that are not a valid frame: `name` is a key of WIRE_ERRORS; the rest as far as readable, else ""."""

    name: str
    octets: bytes
    trn: str = ""
    kind: str = ""
    ot: str = ""


class WireFault(msgspec.Struct, frozen=True):
    """A kind of wire error: whether the frame is accepted anyway, and the EC that answers it (None: no answer)."""

    tolerated: bool
    ec: str | None
    meaning: str


WIRE_ERRORS: Final[dict[str, WireFault]] = {
    "garbage": WireFault(False, None, "octets outside any frame, other than line ends"),
    "line-ends": WireFault(True, None, "carriage returns or line feeds between frames, as some clients send"),
    "truncated": WireFault(False, None, "a frame broken off: the next one begins before its ETX"),
    "too-long": WireFault(False, None, "a frame longer than accepted, without ETX"),
    "header": WireFault(False, None, "TRN, LEN, O/R or OT is missing or malformed"),
    "length": WireFault(False, None, "LEN disagrees with the number of characters between STX and ETX"),
    "checksum": WireFault(False, "01", "the checksum is not two hexadecimal digits, or is wrong"),
    "lower-case-checksum": WireFault(True, None, "the checksum is right but written in lower case"),
    "not-ascii": WireFault(False, "02", "an octet above 7F in a frame that is otherwise correct"),
}

_NUMBERS: Final = [f"{number:02d}" for number in range(100)]
_TRNS: Final = {b"\x02%b/" % number.encode(): number for number in _NUMBERS}
_HEADS: Final = {f"/{kind}/{ot}/".encode(): (kind, ot) for kind in "OR" for ot in _NUMBERS}
_LENGTHS: Final = [b"%05d" % length for length in range(LONGEST_FRAME + 1)]
_CHECKS: Final = [b"/%02X" % number for number in range(256)]
_ENDS: Final = [b"%02X\x03" % number for number in range(256)]
_HEADER: Final = re.compile(rb"[0-9]{2}/([0-9]{5})/[OR]/[0-9]{2}/")


def _bare_acks() -> dict[bytes, Frame]:
    """Every possible result that acknowledges a 52 or 53 with a bare "A"."""
    frames = [encode(trn, "R", ot, "A///") for trn in range(100) for ot in ("52", "53")]
    return {
        octets[:-1]: Frame(octets[1:3].decode(), "R", octets[12:14].decode(), ["A", "", ""], octets)
        for octets in frames
    }


class Framer:
    """Splits a stream of octets into frames; the result does not depend on the segmentation of the stream.

    `max_octets` limits the octets between STX and ETX, and so the memory kept between calls.
    """

    __slots__ = ("_lengths", "_longest", "_rest", "_tokens")

    def __init__(self, max_octets: int = LONGEST_FRAME) -> None:
        self._rest = b""
        self._longest = max_octets + 1  # including STX
        self._lengths = _LENGTHS if max_octets == LONGEST_FRAME else _LENGTHS[: max_octets + 1]  # many share it
        # No token contains an ETX except at its end, so the stream can be split at any ETX.
        pattern = rb"\x02[^\x02\x03]{0,%d}\x03?|[^\x02\x03]{1,%d}\x03?|\x03" % (max_octets, self._longest)
        self._tokens = re.compile(pattern)

    @property
    def pending(self) -> bytes:
        """The octets of an unfinished frame: at most `max_octets` + 1."""
        return self._rest

    def release(self) -> bytes:
        """Return and clear the unfinished octets, for a caller that feeds them again."""
        rest, self._rest = self._rest, b""
        return rest

    def feed(self, data: bytes) -> list[Frame | WireError]:
        """Return what `data` completes, in wire order; a tolerated error precedes its frame."""
        pieces = (self._rest + data if self._rest else data).split(ETX)
        rest = pieces.pop()
        lengths = self._lengths
        items: list[Frame | WireError] = []
        for piece in pieces:
            size = len(piece)
            if size == BARE_SIZE and (bare := _BARE.get(piece)) is not None:
                items.append(bare)
                continue
            try:
                trn = _TRNS[piece[:4]]
                kind, ot = _HEADS[piece[9:15]]
                text = piece[15:-3].decode("ascii")
                total = adler32(piece[1:-2], 0) if size <= ASCII_AT_ONCE else checksum(piece[1:-2])
                sound = piece[4:9] == lengths[size - 1] and piece[-3:] == _CHECKS[total & 0xFF] and "\x02" not in text
            except (KeyError, IndexError, UnicodeDecodeError):
                sound = False
            if sound:
                items.append(Frame(trn, kind, ot, text.split("/") if size > 17 else [], piece + ETX))
            else:
                self._sort_out(piece + ETX, items)
        if rest and (rest[0] != 2 or len(rest) > self._longest or rest.rfind(STX) > 0):
            rest = self._sort_out(rest, items)
        self._rest = rest
        return items

    def _sort_out(self, octets: bytes, items: list[Frame | WireError]) -> bytes:
        """Append the items in `octets`, token by token, and return the unfinished token at their end."""
        for token in self._tokens.finditer(octets):
            run = token.group()
            begun, ended = run.startswith(STX), run.endswith(ETX)
            if not ended and token.end() == len(octets):
                return run
            if begun and ended:
                items.extend(_judge(run))
            elif begun:
                name = "truncated" if octets[token.end()] == 2 else "too-long"
                items.append(WireError(name, run, *_legible(run[1:])))
            else:
                items.append(WireError("garbage" if run.strip(b"\r\n") else "line-ends", run))
        return b""


def _judge(octets: bytes) -> Iterator[Frame | WireError]:
    """Decode one run from STX to ETX: the frame, after its tolerated errors, or the error that rejects it."""
    body = octets[1:-1]
    trn, kind, ot = _legible(body)
    name = _fault(body)
    if name:
        yield WireError(name, octets, trn, kind, ot)
    if not name or WIRE_ERRORS[name].tolerated:
        text = body[14:-3].decode("ascii")
        yield Frame(trn, kind, ot, text.split("/") if len(body) > OVERHEAD else [], octets)


def _fault(body: bytes) -> str:
    """Return the name of the most serious error between STX and ETX; "" if there is none."""
    header = _HEADER.match(body)
    if header is None or len(body) < OVERHEAD:
        return "header"
    if int(header[1]) != len(body):
        return "length"
    written, right = body[-3:], _CHECKS[checksum(body[:-2])]
    if written.upper() != right:
        return "checksum"
    if not body.isascii():
        return "not-ascii"
    return "" if written == right else "lower-case-checksum"


def _legible(body: bytes) -> tuple[str, str, str]:
    """TRN, O/R and OT of a broken frame, each "" if unreadable."""
    trn, _, kind, ot = [*body.split(b"/", 4), b"", b"", b"", b""][:4]
    return (
        trn.decode() if len(trn) == 2 and trn.isdigit() else "",
        kind.decode() if kind in {b"O", b"R"} else "",
        ot.decode() if len(ot) == 2 and ot.isdigit() else "",
    )


def checksum(octets: bytes) -> int:
    """Return the sum modulo 256 of the octets after STX up to and including the last slash.

    Adler-32 started at zero computes the plain sum in its low half, in C, while that sum stays below 65,521.
    """
    return sum(adler32(octets[at : at + 256], 0) & 0xFF for at in range(0, len(octets), 256)) & 0xFF


def encode(trn: int | str, kind: str, ot: str, body: str) -> bytes:
    """Return one frame: `body` is its data, each field followed by "/". A text TRN is echoed unchanged.

    `body` must not contain control characters. Raises ValueError for a TRN outside 0..99, non-ASCII text, and data too
    long for LEN.
    """
    length = len(body) + OVERHEAD
    if length > LONGEST_LEN:
        raise ValueError(f"data of {len(body)} characters: LEN ends at {LONGEST_LEN}")
    number = trn if isinstance(trn, str) else _number(trn)
    octets = f"{number}/{length:05d}/{kind}/{ot}/{body}".encode("ascii")
    total = adler32(octets, 0) if length <= ASCII_AT_ONCE else checksum(octets)
    return STX + octets + _ENDS[total & 0xFF]


def encode_fields(trn: int | str, kind: str, ot: str, values: Iterable[str]) -> bytes:
    """Return one frame of these field values, in order.

    Raises ValueError like `encode`, and for a value with a slash or a control character.
    """
    fields = [*values]
    for value in fields:
        if "/" in value or not value.isprintable():
            raise ValueError(f"field value {value!r} holds a slash or a control character")
    return encode(trn, kind, ot, "".join(value + "/" for value in fields))


def _number(trn: int) -> str:
    if not 0 <= trn <= 99:
        raise ValueError(f"TRN {trn} is not within 0..99")
    return _NUMBERS[trn]


# Half of the frames a busy SMSC reads are among these two hundred; looking them up is several times faster.
_BARE: Final = _bare_acks()
BARE_SIZE: Final = len(next(iter(_BARE)))
