"""Reads a file that may be gzipped, from the beginning as often as needed (RFC 1952)."""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import BinaryIO, Final, Protocol

GZIP: Final = b"\x1f\x8b"
_PIECE: Final = 1 << 16
_STEP: Final = 64  # octets at a time, near damage


class Readable(Protocol):
    """Anything that returns octets, b"" at its end."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` octets."""


class Rejoined:
    """A stream after some octets were already read from it."""

    def __init__(self, head: bytes, file: Readable) -> None:
        self._head, self._file = head, file

    def read(self, size: int, /) -> bytes:
        """Return the octets already read first."""
        head, self._head = self._head[:size], self._head[size:]
        return head + self._file.read(size - len(head)) if len(head) < size else head


class Cursor:
    """A position in an open file, so that several readers can share the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._at = file, 0

    def read(self, size: int, /) -> bytes:
        """Return at most `size` octets from the cursor's position."""
        self._file.seek(self._at)
        octets = self._file.read(size)
        self._at += len(octets)
        return octets


class Unzipped:
    """The octets inside a gzip file, member after member, up to its end or damage.

    After damage `whole` is false. Octets after the last member that start no other are padding.
    """

    def __init__(self, file: Readable) -> None:
        self._file, self._kept = file, b""
        self._member = zlib.decompressobj(wbits=31)
        self._begun = self._damaged = False
        self._members = 0
        self._last = b""  # octets before the damage

    @property
    def whole(self) -> bool:
        """Whether every member ended properly."""
        return not (self._begun or self._damaged)

    def read(self, size: int, /) -> bytes:
        """Return at most `size` octets, b"" at the end."""
        while not self._damaged:
            packed = self._kept or self._file.read(_PIECE)
            if not packed or (self._members and not self._begun and not GZIP.startswith(packed[:2])):
                return b""
            self._begun = True
            before = self._member.copy()
            try:
                octets = self._member.decompress(packed, size)
            except zlib.error:
                self._damaged, self._last = True, _until_damage(before, packed)
                break
            self._kept = self._member.unconsumed_tail
            if self._member.eof:
                self._kept = self._member.unused_data
                self._member, self._begun = zlib.decompressobj(wbits=31), False
                self._members += 1
            if octets:
                return octets
        octets, self._last = self._last[:size], self._last[size:]
        return octets


def _until_damage(member: zlib._Decompress, packed: bytes) -> bytes:
    """Return the readable part of damaged octets."""
    octets = b""
    with suppress(zlib.error):
        for at in range(0, len(packed), _STEP):
            octets += member.decompress(packed[at : at + _STEP])
    return octets


def unpacked(file: Readable) -> Readable:
    """Return the octets of a file from its start, gzipped or not."""
    head = file.read(len(GZIP))
    rejoined = Rejoined(head, file)
    return Unzipped(rejoined) if head == GZIP else rejoined
