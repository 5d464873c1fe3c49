"""Addresses as 64-bit keys for tables, one by one or a column of digits at once."""

from __future__ import annotations

from zlib import adler32, crc32

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.draws import Words
from simbench.numbering.plan import MOST_DIGITS

Texts = NDArray[np.bytes_]  # ASCII, all as long as the column is wide
_PER_LENGTH: int = 10**MOST_DIGITS  # numbers of each length, as 033 differs from 33
_HASHED = 1 << 63
_0 = np.uint8(48)
_POWERS = np.array([10**power for power in reversed(range(MOST_DIGITS))], np.uint64)


def key_of(address: str) -> int:
    """Return the key of an address: unique for up to 16 digits, a hash for anything else."""
    if len(address) <= MOST_DIGITS and address.isascii() and address.isdigit():
        return int(address) + len(address) * _PER_LENGTH
    octets = address.encode()
    return _HASHED | crc32(octets) << 31 | adler32(octets) & 0x7FFFFFFF


def keys_of(digits: Texts) -> tuple[Words, Words]:
    """Return `key_of` each, for addresses of digits only, and the numbers they represent."""
    width = digits.itemsize
    octets = np.ascontiguousarray(digits).view(np.uint8).reshape(len(digits), width)
    numbers: Words = (octets - _0).astype(np.uint64) @ _POWERS[MOST_DIGITS - width :]
    return numbers + np.uint64(width * _PER_LENGTH), numbers
