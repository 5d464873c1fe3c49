"""Kernels that read the fields of plain frames and match results with operations, for many frames at once.

A frame is plain if its fields have the form that most clients send; all others have class OTHER and are read one by
one. A text of digits is stored as one number with a 1 before it: "" is 1, "007" is 1007.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.frames import HEADER, RESULT
from simbench.kernels.jit import kernel
from simbench.ucp.fields import At

Ints = NDArray[np.int64]
Octets = NDArray[np.uint8]

OTHER, SUBMIT, ANSWER, NOTIFICATION, ACKNOWLEDGEMENT = range(5)  # classes of frames
NAMED: Final = 1
SUBMIT_FIELDS: Final = ("recipient", "oadc", "named", "notify", "validity", "text", "letters", "token", "word")
FIELDS: Final = len(SUBMIT_FIELDS)
TRN_IN_USE, ANSWERS_NOTHING = 1, 2  # problems that `follow` finds
LAST, LONGEST_SILENCE, SINCE = (
    0,
    1,
    2,
)  # columns of `quiet`: instant of the client's last frame; its longest silence, and when that began
_ADC, _OADC, _NRQ, _NT, _VP = At.ADC, At.OADC, At.NRQ, At.NT, At.VP
_SCTS, _DST, _RSN, _MT, _MSG, _OTOA, _LAST = At.SCTS, At.DST, At.RSN, At.MT, At.MSG, At.OTOA, At.RES5
_ALL: Final = 33
_LONGEST_TEXT: Final = 320  # hexadecimal digits of one segment
_DIGITS: Final = 17  # most digits of a text stored as a number with a 1 before it
_ACK53: Final = 22  # octets of a bare acknowledgement
_BAD: Final = -1
_PRIME: Final = 1099511628211
_HASHED: Final = (1 << 62) - 1


def word_of(digits: bytes) -> int:
    """Return the hash of a text in hexadecimal capitals, the same as `read` computes."""
    word = 1
    for octet in digits:
        word = word * _PRIME + (octet & 0xDF) & _HASHED
    return word


def written(octets: Octets, start: int, end: int) -> int:
    """Return the digits between two offsets as one number with a 1 before them; -1 for anything else."""
    if end - start > _DIGITS:
        return _BAD
    value = 1
    for place in range(start, end):
        digit = int(octets[place]) - 48
        if digit < 0 or digit > 9:
            return _BAD
        value = value * 10 + digit
    return value


def is_plain_minute(octets: Octets, start: int) -> bool:
    """Return whether ten digits are a DDMMYYHHmm that exists in every year, up to the 28th of a month."""
    day = (octets[start] - 48) * 10 + octets[start + 1] - 48
    month = (octets[start + 2] - 48) * 10 + octets[start + 3] - 48
    hour = (octets[start + 6] - 48) * 10 + octets[start + 7] - 48
    minute = octets[start + 8] - 48
    return bool(1 <= day <= 28 and 1 <= month <= 12 and hour <= 23 and minute <= 5)


def token_at(octets: Octets, start: int, end: int) -> int:
    """Return the position (in characters) of `#` and five capitals or digits in a hexadecimal text; -1 if absent."""
    for place in range(start, end - 11, 2):
        if octets[place] != 50 or octets[place + 1] != 51:  # "23"
            continue
        found = True
        for digit in range(place + 2, place + 12, 2):
            high, low = octets[digit], octets[digit + 1]
            low = low - 48 if low <= 57 else (low & 0xDF) - 55
            code = (high - 48) * 16 + low
            if high > 57 or not (48 <= code <= 57 or 65 <= code <= 90):
                found = False
                break
        if found:
            return (place - start) // 2
    return -1


def text_word(octets: Octets, msg: int, msg_end: int) -> int:
    """A word that equal texts have in common, 0 with an escape in it; -1 for what is no text of GSM 03.38."""
    word, simple = 1, True
    for place in range(msg, msg_end):
        octet = octets[place]
        if not (48 <= octet <= 57 or 65 <= octet <= 70 or 97 <= octet <= 102):
            return -1
        octet &= 0xDF  # the same digit in either case
        word = (word * _PRIME + octet) & _HASHED
        if (place - msg) % 2 == 0:
            if octet >= 24:  # an octet above 7F, which is a problem
                return -1
        elif octet == 66 and octets[place - 1] == 49:  # an escape
            simple = False
    return word if simple else 0


def submit(octets: Octets, starts: Ints, count: int, found: Ints) -> int:  # noqa: C901, PLR0911, PLR0912 - the form, field by field
    """Return the class of an operation 51 with these fields; its content is written to `found`."""
    if count != _ALL:
        return OTHER
    for field in range(_ALL):
        size = starts[field + 1] - 1 - starts[field]
        if size == 0:
            if field in (_ADC, _OADC, _MT):
                return OTHER
        elif field not in (_ADC, _OADC, _NRQ, _NT, _VP, _MT, _MSG, _OTOA):
            return OTHER
    adc, oadc, nrq, nt = starts[_ADC], starts[_OADC], starts[_NRQ], starts[_NT]
    found[0] = written(octets, adc, starts[_ADC + 1] - 1)
    if found[0] < 0 or starts[_ADC + 1] - 1 - adc > 16:
        return OTHER
    end = starts[_OADC + 1] - 1
    otoa, otoa_end = starts[_OTOA], starts[_OTOA + 1] - 1
    if otoa_end > otoa:
        value = 0
        for place in range(oadc, end):
            value = (value * _PRIME + octets[place]) & _HASHED
        for place in range(otoa - 1, otoa_end):
            value = (value * _PRIME + octets[place]) & _HASHED
        found[1], found[2] = value, NAMED
    else:
        found[1], found[2] = written(octets, oadc, end), 0
        if found[1] < 0:
            return OTHER
    wanted = 0
    if starts[_NRQ + 1] - 1 - nrq > 1 or starts[_NT + 1] - 1 - nt > 1:
        return OTHER
    if starts[_NRQ + 1] - 1 > nrq:
        if octets[nrq] not in (48, 49):
            return OTHER
        wanted = octets[nrq] - 48
    requested = 3
    if starts[_NT + 1] - 1 > nt:
        if octets[nt] < 48 or octets[nt] > 55:
            return OTHER
        requested = octets[nt] - 48
    found[3] = requested if wanted else 0
    vp, vp_end = starts[_VP], starts[_VP + 1] - 1
    found[4] = written(octets, vp, vp_end)
    if found[4] < 0 or (vp_end > vp and (vp_end - vp != 10 or not is_plain_minute(octets, vp))):
        return OTHER
    if starts[_MT + 1] - 1 - starts[_MT] != 1 or octets[starts[_MT]] != 51:
        return OTHER
    msg, msg_end = starts[_MSG], starts[_MSG + 1] - 1
    if (msg_end - msg) % 2 or msg_end - msg > _LONGEST_TEXT:
        return OTHER
    found[8] = text_word(octets, msg, msg_end)
    if found[8] < 0:
        return OTHER
    found[5], found[6], found[7] = msg, msg_end - msg, token_at(octets, msg, msg_end)
    return SUBMIT


def answer(octets: Octets, starts: Ints, count: int, found: Ints) -> int:
    """Return the class of the result of a 51 with these fields; its content is written to `found`."""
    if count < 2 or starts[1] - 1 - starts[0] != 1:
        return OTHER
    found[0], found[1], found[2] = octets[starts[0]], 1, 1
    if found[0] == 78:
        found[1] = written(octets, starts[1], starts[2] - 1)
        return ANSWER if found[1] >= 0 else OTHER
    if found[0] != 65 or count < 3 or starts[2] - 1 != starts[1] or starts[3] - 1 - starts[2] < 13:
        return OTHER
    colon = starts[3] - 1 - 13
    found[2] = written(octets, colon + 1, starts[3] - 1)
    return ANSWER if found[2] >= 0 and octets[colon] == 58 else OTHER


def notification(octets: Octets, starts: Ints, count: int, found: Ints) -> int:
    """Return the class of a 53 with these fields; its content is written to `found`."""
    if count <= _OTOA:
        return OTHER
    found[0] = written(octets, starts[_OADC], starts[_OADC + 1] - 1)
    found[1] = written(octets, starts[_ADC], starts[_ADC + 1] - 1)
    found[2] = written(octets, starts[_SCTS], starts[_SCTS + 1] - 1)
    outcome = written(octets, starts[_DST], starts[_DST + 1] - 1)
    reason = written(octets, starts[_RSN], starts[_RSN + 1] - 1)
    if outcome not in (1, 10, 11, 12) or reason < 0 or starts[_RSN + 1] - 1 - starts[_RSN] > 3:
        return OTHER
    found[3], size = outcome - 10 if outcome > 1 else -1, starts[_RSN + 1] - 1 - starts[_RSN]
    found[4] = reason - 10**size if size else 0
    return NOTIFICATION if found[0] >= 0 and found[1] >= 0 and found[2] >= 0 else OTHER


@kernel
def read(  # noqa: PLR0913 - a kernel has no objects
    octets: Octets,
    joined: Octets,
    places: Ints,
    sizes: Ints,
    kinds: Ints,
    ways: Ints,
    classes: Ints,
    found: Ints,
    lower: NDArray[np.bool_],
) -> None:
    """Find class and fields (`*_FIELDS`) of each frame; `ways` is 0 for the client's frames, 1 for the SMSC's.
    Positions count from the beginning of the frame.
    """
    starts = np.empty(_ALL + 2, np.int64)
    for number in range(len(places)):
        kind, way, place, size = kinds[number], ways[number], places[number], sizes[number]
        source, at = (octets, place) if place >= 0 else (joined, -1 - place)
        classes[number], small = OTHER, False
        if way == 0:
            for octet in range(at, at + size - 3):
                small |= 97 <= source[octet] <= 102
        lower[number] = small
        wanted = (kind == 51 and way == 0) or (way == 1 and kind in (53, 51 + RESULT))
        if way == 0 and kind == 53 + RESULT and size == _ACK53:
            bare = source[at + 15] == 65 and source[at + 16] == 47 and source[at + 17] == 47 and source[at + 18] == 47
            classes[number] = ACKNOWLEDGEMENT if bare else OTHER
        if not wanted:
            continue
        count = 0
        starts[0] = at + HEADER
        for octet in range(at + HEADER, at + size - 3):
            if source[octet] == 47:
                count += 1
                if count > _ALL:
                    break
                starts[count] = octet + 1
        if kind == 51:
            classes[number] = submit(source, starts, count, found[number])
            found[number, 5] -= at
        elif kind == 53:
            classes[number] = notification(source, starts, count, found[number])
        else:
            classes[number] = answer(source, starts, count, found[number])


@kernel
def follow(  # noqa: PLR0912, PLR0913 - a kernel has no objects
    first: int, classes: Ints, at: Ints, slots: Ints, trns: Ints, lines: Ints, given_up_us: int, unanswered: Ints,
    unacknowledged: Ints, counts: Ints, numbers: Ints, notes: Ints, accounts: Ints, quiet: Ints,
) -> int:  # fmt: skip
    """Number submits and notifications, and match results with them, from frame `first` on.

    Stops at a frame that must be read one by one, and returns its position. `unanswered` and `unacknowledged`
    [TRN, slot, 3] hold OT (0: none), number and instant of the operation that waits for a result of the SMSC and of
    the client.
    `lines` [slot, 3]: whether the first operations were read, whether the opening was seen, and the account. `counts`:
    submits and notifications so far. `numbers`: the number of an operation; for a result that of its operation, or -1.
    `quiet` [slot, 3]: the silences of the client (columns above).
    """
    for place in range(first, len(classes)):
        kind, slot, trn = classes[place], slots[place], trns[place]
        if kind == OTHER or (kind == SUBMIT and not lines[slot, 0]):
            return place
        notes[place], accounts[place] = 0, lines[slot, 2]
        if kind in (SUBMIT, ACKNOWLEDGEMENT):
            before = quiet[slot, LAST]
            if before >= 0 and at[place] - before > quiet[slot, LONGEST_SILENCE]:
                quiet[slot, LONGEST_SILENCE], quiet[slot, SINCE] = at[place] - before, before
            quiet[slot, LAST] = at[place]
        if kind == SUBMIT:
            numbers[place] = counts[0]
            if unanswered[trn, slot, 0] == 0 or at[place] - unanswered[trn, slot, 2] > given_up_us:
                unanswered[trn, slot, 0], unanswered[trn, slot, 1], unanswered[trn, slot, 2] = 51, counts[0], at[place]
            else:
                notes[place] = TRN_IN_USE
            counts[0] += 1
        elif kind == ANSWER:
            numbers[place] = -1
            if unanswered[trn, slot, 0] == 51:
                numbers[place], unanswered[trn, slot, 0] = unanswered[trn, slot, 1], 0
        elif kind == NOTIFICATION:
            numbers[place] = counts[1]
            unacknowledged[trn, slot, 0], unacknowledged[trn, slot, 1] = 53, counts[1]
            counts[1] += 1
        else:
            numbers[place] = -1
            if unacknowledged[trn, slot, 0] == 53:
                numbers[place], unacknowledged[trn, slot, 0] = unacknowledged[trn, slot, 1], 0
            elif lines[slot, 1]:
                notes[place] = ANSWERS_NOTHING
    return len(classes)
