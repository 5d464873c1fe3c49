"""`detail` files of FreeRADIUS as records: every complete record is returned, the rest is set aside.

A record is a line with the local time, which has no zone and is ignored; attributes, indented; an empty line.
The receiver's clock is the attribute Timestamp. Observed: FreeRADIUS 3.2.1, module `detail`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from errno import EFBIG
from pathlib import Path
from typing import Final

from simbench.base.errors import BadInput
from simbench.base.inputs import open_input
from simbench.base.text import is_number
from simbench.base.units import SECOND_US
from simbench.dialup.calls import SetAside
from simbench.dialup.radius.record import BadRecord, Heard, record_of

LONGEST_LINE: Final = 1 << 14  # octets; ten times an attribute of 253 escaped octets
MOST_PIECES: Final = 64  # of this length in one line; a file with a longer line is not a detail file
MOST_LINES: Final = 1_000  # of one record
_ATTRIBUTE: Final = re.compile(r"[ \t]+([^\s=]+) (?:=|:=|\+=)(?: (.*))?", re.DOTALL)
_STAMPS: Final = ("Timestamp", "Donestamp")  # the second once another program has read the record
_ESCAPE: Final = re.compile(rb"\\(?:([0-7]{3})|(.))", re.DOTALL)
_NAMED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_BARE: Final = re.compile(r"[^\s\"]+(?: [^\s\"]+)*")


def read_detail(path: Path) -> Iterator[Heard | SetAside]:
    """Yield every record of a file, in order. Raises BadInput if it cannot be read."""
    try:
        with open_input(path) as file:
            yield from records(iter(lambda: file.readline(LONGEST_LINE), b""), path.name)
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or str(problem), "a detail file of FreeRADIUS") from None


def records(lines: Iterable[bytes], source: str = "") -> Iterator[Heard | SetAside]:
    """Yield the records in lines; lines count from 1. A piece without a line end is the last one, or too long."""
    block = _Block(source)
    number, joined = 0, 0
    for piece in lines:
        number += not joined
        if joined == MOST_PIECES:
            raise OSError(EFBIG, f"line {number} has more than {MOST_PIECES * LONGEST_LINE:,} octets")
        if joined or (not piece.endswith(b"\n") and len(piece) >= LONGEST_LINE):
            block.spoil(number, "unreadable", "a line that does not end")
        elif not piece.strip() and piece.endswith(b"\n"):
            if block.first:
                yield block.finish()
                block = _Block(source)
        elif piece[:1] not in b"\t ":
            if block.first:  # its empty line was never written
                yield block.torn()
                block = _Block(source)
            block.first = number
        else:
            block.take(number, piece)
        joined = 0 if piece.endswith(b"\n") else joined + 1
    if block.first:
        yield block.torn(not joined)


class _Block:
    """One record as it is read; `first` is the number of its first line, 0 before there is one."""

    def __init__(self, source: str) -> None:
        self.first, self._source = 0, source
        self._attributes: list[tuple[str, str]] = []
        self._bad: BadRecord | None = None

    def spoil(self, number: int, reason: str, text: str) -> None:
        """Mark the record as unreadable; the first problem is reported."""
        self.first = self.first or number
        self._bad = self._bad or BadRecord(reason, f"line {number}: {text}")

    def take(self, number: int, octets: bytes) -> None:
        """Take one indented line."""
        if not self.first:
            self.spoil(number, "truncated", "begins without its header line")
        if len(self._attributes) >= MOST_LINES:
            self.spoil(number, "unreadable", f"more than {MOST_LINES} attributes")
            return
        text = octets.rstrip().decode("utf-8", "surrogateescape")
        found = _ATTRIBUTE.fullmatch(text)
        value = unquoted(found[2] or "") if found else None
        if found is None or value is None:
            self.spoil(number, "unreadable", _plain(text.strip()[:60]))
        else:
            self._attributes.append((_plain(found[1]), value))

    def finish(self) -> Heard | SetAside:
        """Return the record, or the reason why it is invalid."""
        stamps = [text for name, text in self._attributes if name in _STAMPS]
        try:
            if self._bad:
                raise self._bad
            if not self._attributes:
                raise BadRecord("unreadable", "no attributes")
            if len(stamps) != 1 or not is_number(stamps[0], 10):
                raise BadRecord("unreadable", f"Timestamp {', '.join(stamps)[:40] or 'missing'}")
            record = record_of(pair for pair in self._attributes if pair[0] not in _STAMPS)
        except BadRecord as bad:
            return self._aside(bad)
        return Heard(record, int(stamps[0]) * SECOND_US, self.first, self._source)

    def torn(self, whole_line: bool = True) -> Heard | SetAside:
        """Classify a record without its final empty line: complete if its last line is Timestamp with a line end."""
        if whole_line and self._attributes and self._attributes[-1][0] in _STAMPS:
            return self.finish()
        return self._aside(BadRecord("truncated", "ends without its empty line"))

    def _aside(self, bad: BadRecord) -> SetAside:
        claimed = [text for name, text in self._attributes if name == "Acct-Session-Time"]
        seconds = int(claimed[0]) if claimed and is_number(claimed[0], 10) else 0
        source = f"{self._source}: " if self._source else ""
        return SetAside(self.first, bad.reason, source + bad.text, seconds * SECOND_US if seconds < 1 << 32 else 0)


def unquoted(text: str) -> str | None:
    """Return the value of a text, in quotes with escapes or without quotes; None if it is neither.

    Octets that are not UTF-8 are returned escaped: they came from the access server, and bill nothing.
    """
    if not text.startswith('"'):
        return _plain(text) if not text or _BARE.fullmatch(text) else None
    if len(text) < 2 or not text.endswith('"'):
        return None
    inner = text[1:-1].encode("utf-8", "surrogateescape")
    if b"\\" not in inner:
        return None if b'"' in inner else _plain(text[1:-1])
    bare = _ESCAPE.sub(b"", inner)
    if b'"' in bare or b"\\" in bare:
        return None
    return _ESCAPE.sub(_meant, inner).decode("utf-8", "backslashreplace")


def _plain(text: str) -> str:
    """Return a text with octets that are not UTF-8 escaped."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _meant(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes((int(found[1], 8) & 0xFF,))
    return _NAMED.get(found[2], found[2])
