"""Message ids, the keys of a message's random draws: code, recipient, text, and the number of equal ones that day.

Live and virtual runs must compute the same id, in plain and in compiled code, or their ledgers would differ.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import adler32, crc32

from simbench.base.units import SECOND_US
from simbench.kernels.chance import GAMMA, MASK, mixed
from simbench.kernels.table import Table

TEXTS_KEPT = 1 << 16  # most texts were sent before
ORDINALS_KEPT = 1 << 18  # about 30 MB; beyond it, the count restarts within the day


class MessageIds:
    """The ids given out on the current day."""

    def __init__(self, day_us: int) -> None:
        self._day_us = day_us
        self._day = self._second = 0
        self.ordinals = Table()  # by (code, recipient, text): messages so far

    def take(self, code: str, recipient: str, text: str, now: int) -> int:
        """Return the id of the next message of this triple: 63 bits, to fit a signed column."""
        self.turn(now)
        triple = mixed(text_key(code, text) ^ (number_of(recipient) * GAMMA & MASK))
        place = self.ordinals.place(triple or 1)
        ordinal = self.ordinals.values[place]
        self.ordinals.values[place] = ordinal + 1
        return mixed((triple + ordinal) & MASK) >> 1

    def turn(self, now: int) -> None:
        """Begin the second of an instant: a new day counts from 0."""
        second = now // SECOND_US
        if second == self._second:
            return
        self._second, day = second, now // self._day_us
        # Reset only at the start of a second: within one, single and batched messages get the same ids.
        if day != self._day or self.ordinals.count > ORDINALS_KEPT:
            self._day = day
            self.ordinals.clear()


@lru_cache(maxsize=TEXTS_KEPT)
def text_key(code: str, text: str) -> int:
    """Return 64 bits of code and text: two checksums, several times cheaper than a hash."""
    octets = f"{code}/{text}".encode()
    return crc32(octets) << 32 | adler32(octets)


def number_of(address: str) -> int:
    """Return 64 bits of an address: its own value if it is a number."""
    return (int(address) if address.isdecimal() else crc32(address.encode())) & MASK


def mo_message_id(code: str, sender: str) -> int:
    """Return the message id shared by all messages a subscriber sends to a short code."""
    return text_key("mo", f"{code}/{sender}") >> 1
