"""Kernels that read fields and texts of many frames in one array of octets."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.frames import HEADER, RESULT
from simbench.kernels.jit import kernel_beside

Ints = NDArray[np.int64]
Octets = NDArray[np.uint8]
Words = NDArray[np.uint64]

SLASH: Final = 47
NO_CODE: Final = 256  # in a table of codes: not two hexadecimal digits, or not a plain code
TRNS: Final = 100
_FNV, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


@kernel_beside
def gather(octets: Octets, joined: Octets, places: Ints, sizes: Ints, out: Octets, edges: Ints) -> None:
    """Copy frames into `out`, one after the other; frame `i` is `out[edges[i]:edges[i + 1]]`."""
    at = 0
    edges[0] = 0
    for number in range(len(places)):
        place, size = places[number], sizes[number]
        if place < 0:
            out[at : at + size] = joined[-1 - place : -1 - place + size]
        else:
            out[at : at + size] = octets[place : place + size]
        at += size
        edges[number + 1] = at


@kernel_beside
def locate(octets: Octets, edges: Ints, wanted: Ints, starts: Ints, ends: Ints) -> None:
    """Find start and end (the slash) of data fields, [frame, field]; -1 for a field without its slash.

    `wanted`: indices of the fields, ascending.
    """
    for number in range(len(edges) - 1):
        at, last = edges[number] + HEADER, edges[number + 1] - 3  # the checksum and ETX end a frame
        field, next_ = 0, 0
        for place in range(at, last):
            if octets[place] != SLASH:
                continue
            if field == wanted[next_]:
                starts[number, next_], ends[number, next_] = at, place
                next_ += 1
                if next_ == len(wanted):
                    break
            field, at = field + 1, place + 1
        for left in range(next_, len(wanted)):
            starts[number, left] = ends[number, left] = -1


@kernel_beside
def hashes(octets: Octets, starts: Ints, ends: Ints, out: Words) -> None:
    """Hash the octets between each start and end."""
    for number in range(len(starts)):
        word = _FNV
        for place in range(starts[number], ends[number]):
            word = (word ^ np.uint64(octets[place])) * _PRIME
        out[number] = word


def hash_of(octets: bytes) -> int:
    """Return the hash of one value, as `hashes` computes it."""
    word = int(_FNV)
    for octet in octets:
        word = (word ^ octet) * int(_PRIME) & 0xFFFF_FFFF_FFFF_FFFF
    return word


@kernel_beside
def digits(octets: Octets, starts: Ints, ends: Ints, out: Ints) -> None:
    """Read digits as numbers; -1 for other characters, an empty text, and more than 18 digits."""
    for number in range(len(starts)):
        value, size = 0, ends[number] - starts[number]
        for place in range(starts[number], ends[number]):
            digit = int(octets[place]) - 48
            if digit < 0 or digit > 9 or size > 18:
                value = -1
                break
            value = value * 10 + digit
        out[number] = value if size > 0 else -1


@kernel_beside
def spell(  # noqa: PLR0913 - a kernel has no objects
    octets: Octets, starts: Ints, ends: Ints, codes: NDArray[np.uint16], letters: Octets, widths: Octets, out: Octets,
    edges: Ints,
) -> None:  # fmt: skip
    """Decode hexadecimal texts to UTF-8, one after the other.

    `codes` maps two characters, read as a number of 16 bits, to a code; `letters[code, :widths[code]]` is its UTF-8. A
    text with other characters becomes empty, and its edge is stored as -1 - edge.
    """
    at = 0
    edges[0] = 0
    for number in range(len(starts)):
        begun, sound = at, (ends[number] - starts[number]) % 2 == 0
        for place in range(starts[number], ends[number] - 1, 2):
            code = codes[octets[place] | np.uint16(octets[place + 1]) << 8]
            if code == NO_CODE:
                sound = False
                break
            for letter in range(widths[code]):
                out[at] = letters[code, letter]
                at += 1
        if not sound:
            at = begun
        edges[number + 1] = at if sound else -1 - at


@kernel_beside
def answers(kinds: Ints, slots: Ints, trns: Ints, ot: int, waiting: Ints, first: int, answered: Ints) -> int:  # noqa: PLR0913 - as above
    """Match results with the latest operation of their connection and TRN; return the number after the last.

    Operations are numbered in order from `first`. `waiting[slot, trn]`: number of the unanswered operation, -1 for
    none. `answered`: the number of an operation, or of the operation that a result answers, else -1.
    """
    number = first
    for place in range(len(kinds)):
        slot, trn = slots[place], trns[place]
        answered[place] = -1
        if kinds[place] == ot:
            waiting[slot, trn] = answered[place] = number
            number += 1
        elif kinds[place] == ot + RESULT:
            answered[place] = waiting[slot, trn]
            waiting[slot, trn] = -1
    return number


@kernel_beside
def having(octets: Octets, starts: Ints, sizes: Ints, wanted: Octets, found: NDArray[np.bool_]) -> None:
    """Find which pieces contain `wanted` (not empty)."""
    size, head = len(wanted), wanted[0]
    for number in range(len(starts)):
        start, found[number] = starts[number], False
        for place in range(start, start + sizes[number] - size + 1):
            if octets[place] != head:
                continue
            same = True
            for offset in range(1, size):
                if octets[place + offset] != wanted[offset]:
                    same = False
                    break
            if same:
                found[number] = True
                break
