"""Capture files, pcap and pcapng, optionally gzipped, as a stream of packets in bounded memory.

Scapy's readers only serve as a second opinion in the tests: they end silently at damage, cannot locate it, and accept a
length of four gigabytes. Formats: the pcap and pcapng drafts of the IETF's opsawg group; the pcap of Kuznetsov's patch,
whose record headers have eight octets more; RFC 1952 for gzip.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from simbench.base.errors import BadInput
from simbench.base.inputs import open_input
from simbench.base.units import SECOND_US
from simbench.capture.packed import Readable, Unzipped, unpacked

# (number from 1, instant in us or UNTIMED, link type, octets kept, octets on the wire)
Packet = tuple[int, int, int, bytes, int]
UNTIMED: Final = -1  # the instant of a packet without a time stamp

PCAP: Final = {  # by magic number: (byte order, fractions per second, octets of a record header)
    b"\xa1\xb2\xc3\xd4": (">", 10**6, 16),
    b"\xd4\xc3\xb2\xa1": ("<", 10**6, 16),
    b"\xa1\xb2\x3c\x4d": (">", 10**9, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9, 16),
    b"\xa1\xb2\xcd\x34": (">", 10**6, 24),
    b"\x34\xcd\xb2\xa1": ("<", 10**6, 24),
}
PCAPNG: Final = b"\x0a\x0d\x0d\x0a"
_HEADS: Final = {
    order: struct.Struct(order + "II").unpack_from for order in "<>"
}  # compiled, as they are used millions of times
_TAILS: Final = {order: struct.Struct(order + "I").unpack_from for order in "<>"}
_PACKETS: Final = {order: struct.Struct(order + "IIIII").unpack_from for order in "<>"}
_ORDERS: Final = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_END, _TIME_RESOLUTION, _TIME_OFFSET = 0, 9, 14  # options of an interface

LONGEST_PACKET: Final = 1 << 18  # octets; the limit of capture programs
LONGEST_BLOCK: Final = 1 << 24
_UNUSED: Final = bytes(4096)  # zeros: reserved space, or packets lost in a power failure
LATEST_US: Final = 253_402_300_800_000_000  # the year 10000
_PIECE: Final = 1 << 20
_LONGEST_HEADER: Final = 28  # octets of a file header: 24 in pcap, a section header in pcapng


def is_capture(head: bytes) -> bool:
    """Return whether a file that begins with these octets is a capture."""
    return head[:4] in PCAP or head[:4] == PCAPNG


def is_capture_file(path: Path) -> bool:
    """Return whether a file begins like a capture, gzipped or not."""
    try:
        with open_input(path) as file:
            return is_capture(unpacked(file).read(4))
    except OSError:
        return False


class _Interface(NamedTuple):
    """An interface of a section: link type, longest packet (0: any), time units per second, offset in seconds."""

    link: int
    longest: int
    per_second: int
    offset_s: int


class CaptureFile:
    """The packets of one capture, to be iterated once.

    Raises BadInput, which names file and offset, for damage and for files that are not captures. A file that ends
    within a record comes from a capture program that was stopped: its packets are returned, and then `cut_short` is
    true.
    """

    def __init__(self, file: Readable, name: str) -> None:
        self._file, self._name = file, name
        self._data, self._base = b"", 0
        self._interfaces: list[_Interface] = []
        self._order = "<"
        self.cut_short = False
        self._more(0, _LONGEST_HEADER)
        if not is_capture(self._data):
            raise BadInput(name, "begins with another magic number", "a pcap or pcapng file")

    def __iter__(self) -> Iterator[Packet]:
        return self._blocks() if self._data[:4] == PCAPNG else self._records()

    def _more(self, at: int, need: int) -> bool:
        """Move the window to `at` and read on; return whether it has `need` octets."""
        self._base += at
        parts = [self._data[at:]]
        have = len(parts[0])
        while have < need and (piece := self._file.read(_PIECE)):
            parts.append(piece)
            have += len(piece)
        self._data = b"".join(parts)
        self.cut_short |= have < need and isinstance(self._file, Unzipped) and not self._file.whole
        return have >= need

    def _bad(self, at: int, problem: str, expected: str = "an undamaged capture") -> BadInput:
        return BadInput(f"{self._name}, offset {self._base + at}", problem, expected)

    # pcap ------------------------------------------------------------------------------------------------------

    def _records(self) -> Iterator[Packet]:
        order, per_second, size = PCAP[self._data[:4]]
        if len(self._data) < 24:
            raise self._bad(0, "ends within its header")
        link = (
            struct.unpack_from(order + "I", self._data, 20)[0] & 0xFFFF
        )  # the upper bits are the length of a check sequence
        header, scale = struct.Struct(order + "IIII"), per_second // 10**6
        at, number = 24, 0
        while True:
            if at + size > len(self._data):
                whole = self._more(at, size)
                at = 0
                if not whole:
                    self.cut_short |= bool(self._data)
                    return
            second, fraction, kept, wire = header.unpack_from(self._data, at)
            if not (second or fraction or kept or wire) and self._data.startswith(_UNUSED, at):
                self.cut_short = True
                return
            if kept > LONGEST_PACKET or fraction >= per_second:
                problem = f"packet {number + 1} has {kept} octets and {fraction} of {per_second} parts of a second"
                raise self._bad(at, problem, f"at most {LONGEST_PACKET} octets, and an instant")
            end = at + size + kept
            if end > len(self._data):
                whole = self._more(at, size + kept)
                at, end = 0, size + kept
                if not whole:
                    self.cut_short = True
                    return
            number += 1
            yield number, second * SECOND_US + fraction // scale, link, self._data[at + size : end], wire
            at = end

    # pcapng ----------------------------------------------------------------------------------------------------

    def _blocks(self) -> Iterator[Packet]:
        at, number = 0, 0
        while True:
            if at + 12 > len(self._data):
                whole = self._more(at, 12)
                at = 0
                if not whole:
                    self.cut_short |= bool(self._data)
                    return
            if self._data[at : at + 4] == PCAPNG:
                self._begin_section(at)
            kind, length = _HEADS[self._order](self._data, at)
            if length < 12 or length % 4 or length > LONGEST_BLOCK:
                raise self._bad(at, f"a block of {length} octets", f"12 to {LONGEST_BLOCK}, a multiple of four")
            if at + length > len(self._data):
                whole = self._more(at, length)
                at = 0
                if not whole:
                    self.cut_short = True
                    return
            (again,) = _TAILS[self._order](self._data, at + length - 4)
            if again != length:
                raise self._bad(at, f"a block says {length} octets at its start and {again} at its end")
            packet = self._block(kind, at, length, number + 1)
            if packet:
                number += 1
                yield packet
            at += length

    def _begin_section(self, at: int) -> None:
        order = _ORDERS.get(self._data[at + 8 : at + 12])
        if order is None:
            raise self._bad(at + 8, "a section without its byte order")
        self._order, self._interfaces = order, []

    def _block(self, kind: int, at: int, length: int, number: int) -> Packet | None:
        """Return the packet of a block, None for a block without one."""
        if kind in {_PACKET, _OLD_PACKET}:
            if length < 32:
                raise self._bad(at, f"packet {number} in a block of {length} octets", "32 or more")
            which, high, low, kept, wire = _PACKETS[self._order](self._data, at + 8)
            if kind == _OLD_PACKET:  # half of that number counts lost packets
                which = struct.unpack_from(self._order + "H", self._data, at + 8)[0]
            start, room = at + 28, length - 32
        elif kind == _SIMPLE_PACKET:
            which, high, low = 0, -1, 0
            (wire,) = _TAILS[self._order](self._data, at + 8)
            start, room = at + 12, length - 16
            longest = self._interfaces[0].longest if self._interfaces else 0
            kept = min(wire, room, longest or wire)
        else:
            if kind == _INTERFACE:
                self._interfaces.append(self._interface(at, length))
            return None
        if which >= len(self._interfaces):
            raise self._bad(at, f"packet {number} of interface {which}", f"one of {len(self._interfaces)} described")
        if kept > room or kept > LONGEST_PACKET:
            raise self._bad(at, f"packet {number} of {kept} octets in a block that holds {room}")
        interface = self._interfaces[which]
        instant = self._instant(high << 32 | low, interface, at, number) if high >= 0 else UNTIMED
        return number, instant, interface.link, self._data[start : start + kept], wire

    def _instant(self, units: int, interface: _Interface, at: int, number: int) -> int:
        us = units
        if interface.per_second != SECOND_US:
            us = units * SECOND_US // interface.per_second
        us += interface.offset_s * SECOND_US
        if not 0 <= us < LATEST_US:
            raise self._bad(at, f"packet {number} is dated {us} us", "an instant from 1970 to the year 9999")
        return us

    def _interface(self, at: int, length: int) -> _Interface:
        if length < 20:
            raise self._bad(at, f"an interface in a block of {length} octets", "20 or more")
        link, longest = struct.unpack_from(self._order + "HxxI", self._data, at + 8)
        per_second, offset_s = SECOND_US, 0
        option, end = at + 16, at + length - 4
        while option + 4 <= end:
            code, size = struct.unpack_from(self._order + "HH", self._data, option)
            value = self._data[option + 4 : min(option + 4 + size, end)]
            if code == _END:
                break
            if code == _TIME_RESOLUTION and len(value) == 1:
                per_second = (2 if value[0] & 0x80 else 10) ** (value[0] & 0x7F)
            elif code == _TIME_OFFSET and len(value) == 8:
                (offset_s,) = struct.unpack(self._order + "q", value)
            option += 4 + (size + 3 & ~3)
        return _Interface(link, longest, per_second, offset_s)
