"""Addresses as 64-bit keys, for tables: one by one, or a column of plain ones at once. Judges no address."""

from __future__ import annotations

from zlib import adler32, crc32

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.draws import Words
from simbench.numbering.plan import MOST_DIGITS

Texts = NDArray[np.bytes_]  # ASCII, all of them as long as the column is wide
_PER_LENGTH: int = 10**MOST_DIGITS  # numbers of one length: 033 is not 33
_HASHED = 1 << 63
_0 = np.uint8(48)
_POWERS = np.array([10**power for power in reversed(range(MOST_DIGITS))], np.uint64)


def key_of(address: str) -> int:
    """The key of an address: of up to 16 digits one of its own, of anything else a hash."""
    if len(address) <= MOST_DIGITS and address.isascii() and address.isdigit():
        return int(address) + len(address) * _PER_LENGTH
    octets = address.encode()
    return _HASHED | crc32(octets) << 31 | adler32(octets) & 0x7FFFFFFF


def keys_of(digits: Texts) -> tuple[Words, Words]:
    """`key_of` of each, where all are digits; and the numbers that they are."""
    width = digits.itemsize
    octets = np.ascontiguousarray(digits).view(np.uint8).reshape(len(digits), width)
    numbers: Words = (octets - _0).astype(np.uint64) @ _POWERS[MOST_DIGITS - width :]
    return numbers + np.uint64(width * _PER_LENGTH), numbers
