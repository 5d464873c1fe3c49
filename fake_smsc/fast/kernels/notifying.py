"""Sends waiting notifications (53) over the connections of their accounts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fake_smsc.fast.kernels import layout as lay
from fake_smsc.fast.kernels.rows import unqueue, write_address
from fake_smsc.fast.kernels.serving import seal
from simbench.base.units import SECOND_US

LONGEST: Final = 420  # octets of a notification
HEADER: Final = 15  # octets up to the data
TRNS: Final = 100


def carry(
    state: Any, lines: Any, accounts: Any, lists: Any, order: Any, codes: Any, rows: Any, caches: Any, pieces: Any,
    out: Any, outs: Any,
) -> Any:  # fmt: skip
    """Send the waiting notifications of every fresh account, in order of names, the emptiest window first."""
    while state[lay.CARRIED] < len(order):
        account = order[state[lay.CARRIED]]
        if accounts[account, lay.IS_FRESH]:
            why = _carry(state, lines, accounts, lists, codes, rows, caches, pieces, out, outs, account)
            if why != lay.DONE:
                return why
            accounts[account, lay.IS_FRESH] = 0
        state[lay.CARRIED] += 1
    return lay.DONE


def _carry(
    state: Any, lines: Any, accounts: Any, lists: Any, codes: Any, rows: Any, caches: Any, pieces: Any, out: Any,
    outs: Any, account: Any,
) -> Any:  # fmt: skip
    while True:
        if state[lay.CARRY_LINE] < 0:
            line, room = _emptiest(lines, accounts, lists, account)
            if room <= 0 or accounts[account, lay.LEAD] + accounts[account, lay.OBJECTS] == 0:
                return lay.DONE
            state[lay.CARRY_LINE], state[lay.CARRY_LEFT] = line, room
            if state[lay.OUTS] + 1 >= len(outs):
                state[lay.CARRY_LINE] = -1
                return lay.ROOM
            state[lay.OUTS] += 1
            outs[state[lay.OUTS], 0] = line
            outs[state[lay.OUTS], 1] = outs[state[lay.OUTS], 2] = state[lay.OUT]
        line = state[lay.CARRY_LINE]
        while state[lay.CARRY_LEFT] > 0 and accounts[account, lay.LEAD] > 0:
            why = _send(state, lines, accounts, codes, rows, caches, pieces, out, line, account)
            outs[state[lay.OUTS], 2] = state[lay.OUT]
            if why != lay.DONE:
                return why
            state[lay.CARRY_LEFT] -= 1
        if state[lay.CARRY_LEFT] > 0 and accounts[account, lay.OBJECTS]:
            return lay.CORE
        state[lay.CARRY_LINE] = -1


def _emptiest(lines: Any, accounts: Any, lists: Any, account: Any) -> Any:
    """Return the connection of an account with most room in its window, and the room; the first of equal ones."""
    best, most = np.int64(-1), np.int64(-(1 << 40))
    first = accounts[account, lay.FIRST_LINE]
    for place in range(first, first + accounts[account, lay.LINES]):
        line = lists[place]
        room = lines[line, lay.SIZE] - lines[line, lay.COUNT]
        if lines[line, lay.MUTED] == 0 and room > most:
            best, most = line, room
    return best, most


def _send(
    state: Any, lines: Any, accounts: Any, codes: Any, rows: Any, caches: Any, pieces: Any, out: Any, line: Any,
    account: Any,
) -> Any:  # fmt: skip
    row = accounts[account, lay.HEAD_ROW]
    at = rows[row, lay.R_DUE]
    scts, second = rows[row, lay.R_NAMES] >> 31, at // SECOND_US
    if scts != second and scts % lay.STAMPS == second % lay.STAMPS:
        return lay.CORE  # both texts have the same cell of the cache
    for needed in (scts, second):
        if caches[3 * (needed % lay.STAMPS)] != needed:
            state[lay.NEEDED] = needed
            return lay.STAMP
    if state[lay.OUT] + LONGEST > len(out):
        return lay.ROOM
    sent_at = max(at, lines[line, lay.ROOM_AT])
    if lines[line, lay.COUNT] == 0 and lines[line, lay.CHECKED] == 0:
        state[lay.LINE], state[lay.NEEDED] = line, sent_at
        lines[line, lay.CHECKED] = 1
        return lay.CHECK
    unqueue(accounts, rows, account)
    trn = lines[line, lay.NEXT]
    while lines[line, lay.TRNS + trn] != lay.FREE:
        trn = (trn + 1) % TRNS
    lines[line, lay.NEXT] = (trn + 1) % TRNS
    lines[line, lay.TRNS + trn], lines[line, lay.SENT + trn] = row, sent_at
    lines[line, lay.ORDERS + trn] = lines[line, lay.ORDER]
    lines[line, lay.ORDER] += 1
    lines[line, lay.COUNT] += 1
    _write(state, codes, rows, caches, pieces, out, trn, row)
    return lay.DONE


def _copy(out: Any, at: Any, pieces: Any, piece: Any) -> Any:
    """Write a piece of the template; `pieces`: where each begins, then their octets."""
    begin, size = pieces[piece], pieces[piece + 1] - pieces[piece]
    to, source = np.uint64(at), np.uint64(begin)
    for place in range(np.uint64(0), np.uint64(size)):
        out[to + place] = pieces[source + place]
    return at + size


def _stamp(out: Any, at: Any, caches: Any, second: Any) -> Any:
    """Write DDMMYYHHmmss."""
    stamp = 3 * (second % lay.STAMPS) + 1
    for place in range(12):
        out[at + place] = caches[stamp + (place >> 3)] >> (8 * (place & 7)) & 255
    return at + 12


def _hex_digits(out: Any, at: Any, caches: Any, second: Any, begin: Any, size: Any) -> Any:
    """Write some digits of DDMMYYHHmmss as the hexadecimal of their octets."""
    stamp = 3 * (second % lay.STAMPS) + 1
    for place in range(begin, begin + size):
        out[at] = 51
        out[at + 1] = caches[stamp + (place >> 3)] >> (8 * (place & 7)) & 255
        at += 2
    return at


def _write(state: Any, codes: Any, rows: Any, caches: Any, pieces: Any, out: Any, trn: Any, row: Any) -> Any:
    """Write a notification: the pieces of the template, and the variable parts between them."""
    begin = state[lay.OUT]
    key, code = rows[row, lay.R_KEY], rows[row, lay.R_LINK] >> 36 & 0x1FFF
    scts, second = rows[row, lay.R_NAMES] >> 31, rows[row, lay.R_DUE] // SECOND_US
    at = _copy(out, begin, pieces, 0)
    for place in range(codes[code, lay.CODE_SIZE]):
        out[at] = codes[code, lay.CODE_WORDS + (place >> 3)] >> (8 * (place & 7)) & 255
        at += 1
    at = _copy(out, at, pieces, 1)
    recipient = at
    at = write_address(out, at, key)
    size = at - recipient
    at = _copy(out, at, pieces, 2)
    at = _stamp(out, at, caches, scts)
    at = _copy(out, at, pieces, 3)
    at = _stamp(out, at, caches, second)
    at = _copy(out, at, pieces, 4)
    for place in range(size):
        out[at], out[at + 1] = 51, out[recipient + place]
        at += 2
    at = _copy(out, at, pieces, 5)
    for first, digits in ((4, 2), (2, 2), (0, 2), (6, 6)):
        at = _hex_digits(out, at, caches, scts, first, digits)
    for place in range(6):
        at = _copy(out, at, pieces, 6 + place)
        at = _hex_digits(out, at, caches, second, 2 * place, 2)
    at = _copy(out, at, pieces, 12)
    length = at - begin + 1
    out[begin + 1], out[begin + 2] = 48 + trn // 10, 48 + trn % 10
    out[begin + 6], out[begin + 7], out[begin + 8] = 48 + length // 100, 48 + length // 10 % 10, 48 + length % 10
    state[lay.OUT] = seal(out, begin, at)
