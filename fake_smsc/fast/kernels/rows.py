"""The rows of plain messages: a wheel of slots until they are delivered, then queues of notifications."""

from __future__ import annotations

from typing import Any

import numpy as np

from fake_smsc.fast.kernels import layout as lay
from simbench.base.units import NEVER
from simbench.kernels.table_cells import held_at

REACHED = 3  # numbering.subscribers.REACHED
NEXT_MASK = (1 << 32) - 1
NUMBER_BITS = 50
DELIVERED_NUMBER = -1  # number of a row that is no longer waiting for its delivery
NUMBER_MASK = (1 << NUMBER_BITS) - 1


def new_row(state: Any, rows: Any) -> Any:
    """Return an unused row, -1 if there is none."""
    row = state[lay.ROWS_FREE]
    if row >= 0:
        state[lay.ROWS_FREE] = (rows[row, lay.R_LINK] & NEXT_MASK) - 1
        return row
    row = state[lay.ROWS_USED]
    if row >= len(rows):
        return -1
    state[lay.ROWS_USED] = row + 1
    return row


def free_row(state: Any, rows: Any, row: Any) -> Any:
    """Release a row. Its key becomes 0."""
    rows[row, lay.R_KEY] = 0
    rows[row, lay.R_LINK] = state[lay.ROWS_FREE] + 1
    state[lay.ROWS_FREE] = row


def file(state: Any, rows: Any, wheel: Any, row: Any) -> Any:
    """Put a row into the slot of its instant."""
    due = rows[row, lay.R_DUE]
    slot = due >> lay.SLOT_BITS
    place = slot & (len(wheel) - 1)
    rows[row, lay.R_LINK] = (rows[row, lay.R_LINK] & ~NEXT_MASK) | wheel[place]
    wheel[place] = row + 1
    state[lay.WAITING] += 1
    state[lay.HEAD] = min(state[lay.HEAD], due)
    state[lay.CURSOR] = min(state[lay.CURSOR], slot)


def queue(accounts: Any, rows: Any, account: Any, row: Any) -> Any:
    """Put a row at the end of an account's notifications."""
    rows[row, lay.R_LINK] = rows[row, lay.R_LINK] & ~NEXT_MASK
    tail = accounts[account, lay.TAIL_ROW]
    if tail >= 0:
        rows[tail, lay.R_LINK] |= row + 1
    else:
        accounts[account, lay.HEAD_ROW] = row
    accounts[account, lay.TAIL_ROW] = row
    if accounts[account, lay.OBJECTS]:
        accounts[account, lay.AFTER] += 1
    else:
        accounts[account, lay.LEAD] += 1
    accounts[account, lay.IS_FRESH] = 1


def unqueue(accounts: Any, rows: Any, account: Any) -> Any:
    """Take the first row of an account's notifications, of which `LEAD` are before any object."""
    row = accounts[account, lay.HEAD_ROW]
    following = (rows[row, lay.R_LINK] & NEXT_MASK) - 1
    accounts[account, lay.HEAD_ROW] = following
    if following < 0:
        accounts[account, lay.TAIL_ROW] = -1
    accounts[account, lay.LEAD] -= 1
    return row


def write_address(text: Any, at: Any, key: Any) -> Any:
    """Write the digits of an address from its key; return where they end."""
    size = key // lay.PER_LENGTH
    value = key - size * lay.PER_LENGTH
    place = at + size
    while place > at:
        place -= 1
        rest = value // 10
        text[place] = 48 + (value - 10 * rest)
        value = rest
    return at + size


def log_row(
    state: Any, log: Any, text: Any, offsets: Any, key: Any, kind: Any, at: Any, session: Any, code: Any, entity: Any,
    value: Any, scts: Any, notify: Any, valid_until: Any,
) -> Any:  # fmt: skip
    """Add a row of the ledger about a recipient."""
    place = state[lay.LOGGED]
    log[lay.L_AT, place], log[lay.L_KIND, place], log[lay.L_SESSION, place], log[lay.L_CODE, place] = (
        at,
        kind,
        session,
        code,
    )
    log[lay.L_ENTITY, place], log[lay.L_VALUE, place], log[lay.L_SCTS, place] = entity, value, scts
    log[lay.L_NOTIFY, place], log[lay.L_VALID_UNTIL, place] = notify, valid_until
    offsets[place + 1] = write_address(text, offsets[place], key)
    state[lay.LOGGED] = place + 1


def _sort(keys: Any, ids: Any, count: Any) -> Any:
    """Sort the first `count` keys, and ids with them."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for place in range(gap, count):
            key, one, hole = keys[place], ids[place], place
            while hole >= gap and keys[hole - gap] > key:
                keys[hole], ids[hole] = keys[hole - gap], ids[hole - gap]
                hole -= gap
            keys[hole], ids[hole] = key, one
        gap //= 3


def _look_ahead(state: Any, rows: Any, wheel: Any) -> Any:
    """Find the first slot with rows, and the earliest instant in it."""
    state[lay.HEAD] = NEVER
    if state[lay.WAITING] == 0:
        state[lay.CURSOR] = NEVER >> lay.SLOT_BITS
        return
    mask = len(wheel) - 1
    while wheel[state[lay.CURSOR] & mask] == 0:
        state[lay.CURSOR] += 1
    row = np.int64(wheel[state[lay.CURSOR] & mask]) - 1
    while row >= 0:
        state[lay.HEAD] = min(state[lay.HEAD], rows[row, lay.R_DUE])
        row = (rows[row, lay.R_LINK] & NEXT_MASK) - 1


def _collect(state: Any, rows: Any, wheel: Any, keys: Any, ids: Any) -> Any:
    """Take the rows before the limit out of the slot at the cursor, in order; return how many, -1 if too many."""
    place = state[lay.CURSOR] & (len(wheel) - 1)
    count, kept = 0, np.int64(0)
    row = np.int64(wheel[place]) - 1
    size = 0
    while row >= 0:
        size += 1
        row = (rows[row, lay.R_LINK] & NEXT_MASK) - 1
    if size > len(keys):
        return -1
    row = np.int64(wheel[place]) - 1
    while row >= 0:
        following = (rows[row, lay.R_LINK] & NEXT_MASK) - 1
        due, number = rows[row, lay.R_DUE], rows[row, lay.R_NUMBER]
        if due < state[lay.DUE] or (due == state[lay.DUE] and number < state[lay.DUE_NUMBER]):
            keys[count] = (due & ((1 << lay.SLOT_BITS) - 1)) << NUMBER_BITS | (number & NUMBER_MASK)
            ids[count] = row
            count += 1
        else:
            rows[row, lay.R_LINK] = (rows[row, lay.R_LINK] & ~NEXT_MASK) | kept
            kept = row + 1
        row = following
    wheel[place] = kept
    state[lay.WAITING] -= count
    _sort(keys, ids, count)
    return count


def deliver(
    state: Any, rows: Any, wheel: Any, accounts: Any, reaches: Any, log: Any, text: Any, offsets: Any, keys: Any,
    ids: Any,
) -> Any:  # fmt: skip
    """Deliver the rows due before the limit, in order, up to the first that the core must attempt (lay.ROW)."""
    steps = 0
    while state[lay.WAITING] and state[lay.HEAD] <= state[lay.DUE] and steps < len(wheel):
        count = _collect(state, rows, wheel, keys, ids)
        if count < 0:
            return lay.ROOM
        for place in range(count):
            why = _deliver_one(state, rows, accounts, reaches, log, text, offsets, ids[place])
            if why != lay.DONE:
                first = place + 1 if why == lay.CORE else place
                for left in range(first, count):
                    file(state, rows, wheel, ids[left])
                _look_ahead(state, rows, wheel)
                return why
        cursor, head = state[lay.CURSOR], state[lay.HEAD]
        state[lay.CURSOR] += wheel[state[lay.CURSOR] & (len(wheel) - 1)] == 0
        steps += 1
        _look_ahead(state, rows, wheel)
        if count == 0 and state[lay.CURSOR] == cursor and state[lay.HEAD] == head:
            break  # rows due at this instant were entered after the limit
    return lay.DONE


def _deliver_one(
    state: Any, rows: Any, accounts: Any, reaches: Any, log: Any, text: Any, offsets: Any, row: Any
) -> Any:
    if state[lay.LOGGED] + 1 >= len(offsets):
        return lay.ROOM
    link, key = rows[row, lay.R_LINK], rows[row, lay.R_KEY]
    reached = state[lay.TOGETHER] != 0 and (link >> 35 & 1) == 0
    if rows[row, lay.R_NUMBER] <= state[lay.CHANGED] and state[lay.TOGETHER] != 0:
        reach = held_at(reaches, np.uint64(key))
        if reach == 0:
            state[lay.NEEDED] = key
            return lay.SUBSCRIBER
        reached = reach == REACHED
    at = max(rows[row, lay.R_DUE], state[lay.NOT_BEFORE])
    if not reached or at >= rows[row, lay.R_EXPIRES]:
        state[lay.ROW] = row
        return lay.CORE
    names = rows[row, lay.R_NAMES]
    account, code = link >> 49, link >> 36 & 0x1FFF
    log_row(
        state,
        log,
        text,
        offsets,
        key,
        lay.DELIVERED,
        at,
        names & 0x7FFFFFFF,
        code,
        rows[row, lay.R_ENTITY],
        0,
        names >> 31,
        0,
        0,
    )
    state[lay.ON_THE_WAY] -= 1
    if link >> 32 & 1:
        rows[row, lay.R_DUE], rows[row, lay.R_NUMBER] = at, DELIVERED_NUMBER
        queue(accounts, rows, account, row)
        state[lay.FRESH] = 1
    else:
        free_row(state, rows, row)
    return lay.DONE
