"""Who a message is, for its draws: code, recipient, text, and how many such there were this day. Draws nothing.

Live and virtual runs, one message at a time or many, must all come to the same number (DESIGN section 3), so the
number is defined once, word by word, and `take_many` only spreads the same steps over arrays.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import repeat
from zlib import adler32, crc32

import numpy as np

from simbench.kernels.chance import GAMMA, MASK, mixed
from simbench.kernels.draws import Words
from simbench.kernels.draws import mixed as mixed_words

_GAMMA, _ONE = np.uint64(GAMMA), np.uint64(1)
TEXTS_KEPT = 1 << 16  # most of what is sent has been sent before
ORDINALS_KEPT = 1 << 18  # some 30 MB; beyond it, numbers begin anew within the day
SECOND_US = 1_000_000


class Identities:
    """The numbers given this day."""

    def __init__(self, day_us: int) -> None:
        self._day_us = day_us
        self._day = self._second = 0
        self._ordinals: dict[int, int] = {}  # of a triple: how many there were

    def take(self, code: str, recipient: str, text: str, now: int) -> int:
        """The number of the next message of that triple: 63 bits, which a signed column holds."""
        self._turn(now)
        triple = mixed(text_key(code, text) ^ (number_of(recipient) * GAMMA & MASK))
        ordinal = self._ordinals.get(triple, 0)
        self._ordinals[triple] = ordinal + 1
        return mixed((triple + ordinal) & MASK) >> 1

    def take_many(self, code: str, recipients: list[str], texts: list[str], now: int) -> Words:
        """`take` of each in turn; recipients are numbers of up to 19 digits."""
        self._turn(now)
        size = len(recipients)
        keys = np.fromiter(map(text_key, repeat(code), texts), np.uint64, size)
        triples = mixed_words(keys ^ np.fromiter(map(int, recipients), np.uint64, size) * _GAMMA)
        before, known, repeated = self._ordinals, self._ordinals.get, False
        ordinals = []
        for triple in triples.tolist():
            ordinal = known(triple, 0)
            before[triple] = ordinal + 1
            ordinals.append(ordinal)
            if ordinal:
                repeated = True
        if repeated:
            triples = triples + np.array(ordinals, np.uint64)
        words: Words = mixed_words(triples) >> _ONE
        return words

    def _turn(self, now: int) -> None:
        second = now // SECOND_US
        if second == self._second:
            return
        self._second, day = second, now // self._day_us
        # Only as a second begins: what came within one is numbered alike, one by one or many together.
        if day != self._day or len(self._ordinals) > ORDINALS_KEPT:
            self._day = day
            self._ordinals.clear()


@lru_cache(maxsize=TEXTS_KEPT)
def text_key(code: str, text: str) -> int:
    """64 bits of what is sent and where from: two different checksums, several times cheaper than a hash."""
    octets = f"{code}/{text}".encode()
    return crc32(octets) << 32 | adler32(octets)


def number_of(address: str) -> int:
    """64 bits of an address: itself, where it is a number."""
    return (int(address) if address.isdecimal() else crc32(address.encode())) & MASK
