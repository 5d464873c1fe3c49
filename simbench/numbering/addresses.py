"""Converts addresses to 64-bit keys for tables."""

from __future__ import annotations

from zlib import adler32, crc32

from simbench.numbering.plan import MOST_DIGITS

_PER_LENGTH: int = 10**MOST_DIGITS  # keys for each length, because 033 differs from 33
_HASHED = 1 << 63


def key_of(address: str) -> int:
    """Return the key of an address: unique for up to 16 digits, a hash for anything else."""
    if len(address) <= MOST_DIGITS and address.isascii() and address.isdigit():
        return int(address) + len(address) * _PER_LENGTH
    octets = address.encode()
    return _HASHED | crc32(octets) << 31 | adler32(octets) & 0x7FFFFFFF
