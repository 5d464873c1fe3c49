"""Reads plain submits and bare acknowledgements from octets, and computes the checksums of a text.

A plain submit has the fields of `ucp_gateway.submission.COMMON_FIELDS`, the others empty, and the right LEN and
checksum. The core's patterns are the definition; a test compares both.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

import numpy as np

SLASH: Final = 47
SHORTEST_SUBMIT: Final = 54  # octets, STX and ETX included
LONGEST_LEN: Final = 510
LONGEST_TEXT: Final = 318  # hexadecimal digits: nine times 32, and 30
LONGEST_RECIPIENT: Final = 16
LONGEST_CODE: Final = 22
BETWEEN: Final = 6  # fields from NPID to DDT, all empty
AFTER_VALIDITY: Final = 5  # from RPID to DSCTS
TAIL: Final = 15  # octets from the slash after the text to ETX, ETX not included

ACK: Final = np.frombuffer(b"\x0200/00020/R/53/A///96\x03", np.uint8)  # for TRN 00
ACK_SIZE: Final = len(ACK)
ONE, FOUR, _EIGHT = np.uint64(1), np.uint64(4), np.uint64(8)

# Results of `submit_at`, by index.
TRN: Final = 0  # a number
RECIPIENT: Final = 1  # where it begins, how many digits, its value
RECIPIENT_SIZE: Final = 2
RECIPIENT_VALUE: Final = 3
CODE_SIZE: Final = 4
CODE: Final = 5  # its digits, eight octets a word (three words)
NOTIFY: Final = 8  # the NT mask asked for, 0 for none
VALIDITY: Final = 9  # the ten digits, -1 for none
TEXT: Final = 10  # where it begins, and how many hexadecimal digits
TEXT_SIZE: Final = 11
NEXT: Final = 12  # where the next frame begins
CODE_NUMBER: Final = 13  # among those of its account, -1 for none
RECIPIENT_KEY: Final = 14
TRIPLE: Final = 15  # code, recipient and text as one word, 0 without a code
FOUND_WIDTH: Final = 16


def _crc_tables() -> Any:
    """CRC-32 of one octet followed by 0 to 7 zeros."""
    tables = np.zeros((8, 256), np.uint32)
    for octet in range(256):
        value = octet
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        tables[0, octet] = value
    for place in range(1, 8):
        before = tables[place - 1]
        tables[place] = before >> np.uint32(8) ^ tables[0][before & np.uint32(0xFF)]
    assert int(tables[0, 1]) == crc32(b"\x01", 0xFFFFFFFF ^ 0xFFFFFFFF) ^ crc32(b"\x00") ^ int(tables[0, 0])
    return tables


CRC: Final = _crc_tables()


def hex_digit(value: Any) -> Any:
    """Return the upper-case hexadecimal digit of 0 to 15, as an octet."""
    return value + 48 if value < 10 else value + 55


def sum_of(octets: Any, begin: Any, end: Any) -> Any:
    """Return the sum of octets (without overflow)."""
    total = np.uint32(0)
    for place in range(
        np.uint64(begin), np.uint64(end)
    ):  # unsigned: otherwise each index is checked for a negative value
        total += np.uint32(octets[place])
    return np.int64(total)


def submit_at(octets: Any, at: Any, end: Any, found: Any) -> Any:
    """Read the plain submit that begins at `at`; return the start of the next frame, or 0 if it is not plain."""
    if end - at < SHORTEST_SUBMIT or octets[at] != 2:
        return 0
    tens, ones = np.int64(octets[at + 1]) - 48, np.int64(octets[at + 2]) - 48
    if not (0 <= tens <= 9 and 0 <= ones <= 9):
        return 0
    found[TRN] = 10 * tens + ones
    length = np.int64(0)
    for place in range(at + 4, at + 9):
        digit = np.int64(octets[place]) - 48
        if not 0 <= digit <= 9:
            return 0
        length = 10 * length + digit
    stop = at + 1 + length
    if length > LONGEST_LEN or stop >= end or octets[stop] != 3 or length < SHORTEST_SUBMIT - 2:
        return 0
    if not (
        octets[at + 3] == SLASH and octets[at + 9] == SLASH and octets[at + 10] == 79 and octets[at + 11] == SLASH
        and octets[at + 12] == 53 and octets[at + 13] == 49 and octets[at + 14] == SLASH
    ):  # fmt: skip
        return 0
    total = sum_of(octets, at + 1, stop - 2)
    if octets[stop - 2] != hex_digit(total >> 4 & 15) or octets[stop - 1] != hex_digit(total & 15):
        return 0
    return _fields(octets, at + 15, stop, found)


def _fields(octets: Any, at: Any, stop: Any, found: Any) -> Any:
    """Read the fields of a submit whose ETX is at `stop`. Every loop ends at the ETX, which is not a digit."""
    found[RECIPIENT] = at
    value = np.int64(0)
    while 48 <= octets[at] <= 57:
        if at - found[RECIPIENT] < LONGEST_RECIPIENT:
            value = 10 * value + (np.int64(octets[at]) - 48)
        at += 1
    size = at - found[RECIPIENT]
    if not 1 <= size <= LONGEST_RECIPIENT or octets[at] != SLASH:
        return 0
    found[RECIPIENT_SIZE], found[RECIPIENT_VALUE] = size, value
    at += 1
    begin = at
    found[CODE] = found[CODE + 1] = found[CODE + 2] = 0
    while 48 <= octets[at] <= 57:
        size = at - begin
        if size < LONGEST_CODE:
            found[CODE + (size >> 3)] |= np.int64(octets[at]) << (8 * (size & 7))
        at += 1
    size = at - begin
    if not 1 <= size <= LONGEST_CODE or octets[at] != SLASH or octets[at + 1] != SLASH:
        return 0
    found[CODE_SIZE] = size
    at += 2
    asks = octets[at] == 49
    if asks or octets[at] == 48:
        at += 1
    if octets[at] != SLASH or octets[at + 1] != SLASH:
        return 0
    at += 2
    kinds = np.int64(octets[at]) - 48
    if 0 <= kinds <= 7:
        at += 1
    else:
        kinds = np.int64(0)
    found[NOTIFY] = (kinds or 3) if asks else 0
    return _rest(octets, at, stop, found)


def _rest(octets: Any, at: Any, stop: Any, found: Any) -> Any:
    """Read the fields from NPID on; `at` is the slash before it."""
    for _ in range(BETWEEN + 1):
        if octets[at] != SLASH:
            return 0
        at += 1
    found[VALIDITY] = -1
    if octets[at] != SLASH:
        value = np.int64(0)
        for _ in range(10):
            digit = np.int64(octets[at]) - 48
            if not 0 <= digit <= 9:
                return 0
            value = 10 * value + digit
            at += 1
        found[VALIDITY] = value
    for _ in range(AFTER_VALIDITY + 1):
        if octets[at] != SLASH:
            return 0
        at += 1
    if octets[at] != 51 or octets[at + 1] != SLASH or octets[at + 2] != SLASH:
        return 0
    at += 3
    size = stop - TAIL - at
    if not 0 <= size <= LONGEST_TEXT or size & 1:
        return 0
    found[TEXT], found[TEXT_SIZE] = at, size
    wrong = np.uint8(0)
    for place in range(np.uint64(at), np.uint64(stop - TAIL)):
        octet = octets[place]
        wrong |= np.uint8(not ((octet >= 48) & (octet <= 57) | (octet >= 65) & (octet <= 70)))
    for place in range(np.uint64(at), np.uint64(stop - TAIL), np.uint64(2)):
        wrong |= np.uint8(octets[place] > 55)  # an octet above 7F, which is reported
    for place in range(np.uint64(stop - TAIL), np.uint64(stop - 2)):
        wrong |= octets[place] ^ np.uint8(SLASH)
    return 0 if wrong else stop + 1


def ack_at(octets: Any, at: Any, end: Any) -> Any:
    """Return the TRN of the bare acknowledgement of a 53 that begins at `at`, or -1 if it is something else."""
    if end - at < ACK_SIZE:
        return -1
    wrong = np.uint8(0)
    for place in range(np.uint64(3), np.uint64(ACK_SIZE - 3)):
        wrong |= octets[np.uint64(at) + place] ^ ACK[place]
    tens, ones = np.int64(octets[at + 1]) - 48, np.int64(octets[at + 2]) - 48
    if wrong or octets[at] != 2 or octets[at + ACK_SIZE - 1] != 3 or not (0 <= tens <= 9 and 0 <= ones <= 9):
        return -1
    total = 0x96 + tens + ones
    if octets[at + ACK_SIZE - 3] != hex_digit(total >> 4 & 15) or octets[at + ACK_SIZE - 2] != hex_digit(total & 15):
        return -1
    return 10 * tens + ones


def text_key(octets: Any, at: Any, size: Any, crc: Any, low: Any, high: Any) -> Any:
    """Return `core.message_id.text_key` of a code and a text as a word.

    `crc`, `low`, `high`: CRC-32 and the two sums of Adler-32 of the code and a slash.
    """
    state = np.uint32(crc) ^ np.uint32(0xFFFFFFFF)
    end, place = np.uint64(at + size), np.uint64(at)
    mask = np.uint32(0xFF)
    while place + _EIGHT <= end:
        for octet in range(np.uint64(0), np.uint64(4)):
            state ^= np.uint32(octets[place + octet]) << np.uint32(8 * octet)
        state = (
            CRC[7, state & mask] ^ CRC[6, state >> np.uint32(8) & mask] ^ CRC[5, state >> np.uint32(16) & mask]
            ^ CRC[4, state >> np.uint32(24)] ^ CRC[3, octets[place + FOUR]]
            ^ CRC[2, octets[place + FOUR + ONE]] ^ CRC[1, octets[place + FOUR + ONE + ONE]]
            ^ CRC[0, octets[place + FOUR + ONE + ONE + ONE]]
        )  # fmt: skip
        place += _EIGHT
    while place < end:
        state = CRC[0, (state ^ np.uint32(octets[place])) & mask] ^ state >> np.uint32(8)
        place += ONE
    state ^= np.uint32(0xFFFFFFFF)
    one, two = np.int64(low), np.int64(high) + size * np.int64(low)
    left = size
    for octet_at in range(np.uint64(at), end):
        value = np.int64(octets[octet_at])
        one += value
        two += left * value
        left -= 1
    sums = (two % 65521) << 16 | one % 65521
    return np.uint64(state) << np.uint64(32) | np.uint64(sums)
