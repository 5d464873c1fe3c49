"""The arrays that compiled code and the core share: messages as rows, connections, accounts, codes, meters, texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from zlib import adler32, crc32

import numpy as np
from numpy.typing import NDArray

from fake_smsc.core.centre import Centre
from fake_smsc.core.limiter import RING, Limiter
from fake_smsc.core.records import Message, Notification
from fake_smsc.fast.kernels import layout as lay
from fake_smsc.fast.kernels.rows import NEXT_MASK, unqueue
from fake_smsc.fast.waiting_index import WaitingIndex
from simbench.base.units import NEVER
from simbench.kernels.chance import quantile
from simbench.kernels.table import Table
from simbench.ucp.notifications import notification_body

Integers = NDArray[np.int64]

METERS: Final = {"sliding": lay.SLIDING, "all_operations": lay.SLIDING, "tumbling": lay.TUMBLING,
                 "mean_10s": lay.MEAN, "bucket": lay.BUCKET}  # fmt: skip
MODES: Final = {"monitor": lay.MONITOR, "delay": lay.DELAY, "nack": lay.NACK, "discard": lay.DISCARD,
                "close": lay.CLOSE}  # fmt: skip
FEWEST_ROWS: Final = 1 << 22  # memory is taken when a row is first used
SLOTS_MOST: Final = 1 << 17  # of the wheel: two minutes
LONGEST_CODE: Final = 22


class Book:
    """The shared arrays of one centre. An account has the number by which the SCTS allocator knows it."""

    def __init__(self) -> None:
        self.state = np.zeros(lay.LAW, np.int64)
        self.cells = self.state.data  # the same, faster for single values
        self.state[lay.ROWS_FREE], self.state[lay.HEAD] = -1, NEVER
        self.state[lay.CURSOR] = NEVER >> lay.SLOT_BITS
        self.state[lay.CARRY_LINE] = -1
        self.rows = np.zeros((FEWEST_ROWS, lay.ROW_WIDTH), np.int64)
        self.wheel = np.zeros(1, np.int32)
        self.index = WaitingIndex(0)
        self.lines = np.zeros((16, lay.LINE_WIDTH), np.int64)
        self.line_cells = self.lines.data
        self._lines_free = list(range(15, -1, -1))
        self.accounts = np.zeros((16, lay.ACCOUNT_WIDTH), np.int64)
        self.accounts[:, lay.HEAD_ROW : lay.TAIL_ROW + 1] = -1
        self.codes = np.zeros((1, lay.CODE_WIDTH), np.int64)
        self.lists = self.order = self.rings = np.zeros(1, np.int64)
        self.caches = np.zeros(lay.VALIDITY_AT + 2 * lay.VALIDITIES, np.int64)
        self.caches[: lay.VALIDITY_AT : 3] = -1
        self.names: list[str] = []  # of accounts, by number
        self.numbers: dict[str, int] = {}
        self.code_names: tuple[str, ...] = ()
        self.pieces = _pieces()
        self._code_numbers: dict[str, int] = {}

    # Rows --------------------------------------------------------------------------------------------------------

    def link(self, row: int) -> tuple[str, str, int]:
        """Return account, code and notification mask of a row."""
        link = int(self.rows[row, lay.R_LINK])
        return self.names[link >> 49], self.code_names[link >> 36 & 0x1FFF], link >> 32 & 7

    def message(self, row: int) -> Message:
        """Return the message of a row."""
        _, _, entity, accepted_at, expires_at, key, names, _ = self.rows[row].tolist()
        account, code, notify = self.link(row)
        return Message(
            entity, account, code, address(key), names >> 31, accepted_at, expires_at, notify, 1, names & 0x7FFFFFFF
        )

    def notification(self, row: int) -> Notification:
        """Return the notification of a delivered row."""
        at, _, entity, _, _, key, names, _ = self.rows[row].tolist()
        account, code, _ = self.link(row)
        return Notification(
            "notification", account, code, address(key), names >> 31, at, message=entity, posted_at=at
        )  # fmt: skip

    def free(self, row: int) -> None:
        """Release a row."""
        self.rows[row, lay.R_KEY], self.rows[row, lay.R_LINK] = 0, self.state[lay.ROWS_FREE] + 1
        self.state[lay.ROWS_FREE] = row

    def take_first(self, account: int) -> Notification:
        """Take the first of an account's notifications, which is a row."""
        row = unqueue(self.accounts, self.rows, account)
        notification = self.notification(row)
        self.free(row)
        return notification

    def queued(self, account: int) -> Integers:
        """Return the rows of an account's notifications, in order."""
        found, cells = [], self.rows.data
        row = int(self.accounts[account, lay.HEAD_ROW])
        while row >= 0:
            found.append(row)
            row = (cells[row, lay.R_LINK] & NEXT_MASK) - 1
        return np.array(found, np.int64)

    def queue_again(self, account: int, rows: Integers) -> None:
        """Reorder the rows of an account's notifications."""
        links = self.rows[rows, lay.R_LINK] & ~NEXT_MASK
        links[:-1] |= rows[1:] + 1
        self.rows[rows, lay.R_LINK] = links
        self.accounts[account, lay.HEAD_ROW : lay.TAIL_ROW + 1] = rows[0], rows[-1]

    def take_out(self, row: int) -> None:
        """Take a row out of its slot of the wheel."""
        place = (int(self.rows[row, lay.R_DUE]) >> lay.SLOT_BITS) & (len(self.wheel) - 1)
        links = self.rows[:, lay.R_LINK]
        following = int(links[row]) & NEXT_MASK
        if self.wheel[place] == row + 1:
            self.wheel[place] = following
        else:
            at = int(self.wheel[place]) - 1
            while int(links[at]) & NEXT_MASK != row + 1:
                at = (int(links[at]) & NEXT_MASK) - 1
            links[at] = int(links[at]) & ~NEXT_MASK | following
        self.state[lay.WAITING] -= 1

    def make_room(self, tables: Sequence[Table], now: int) -> None:
        """Make room as needed: for rows, for new rows of the index, for keys in these tables."""
        full = [table for table in tables if table.is_full()]
        no_rows = self.state[lay.ROWS_FREE] < 0 and self.state[lay.ROWS_USED] == len(self.rows)
        is_written = self.cells[lay.ENTERED] == self.index.fresh.shape[1]
        if is_written:
            self.index.roll(self.cells[lay.ENTERED], now)
            self.cells[lay.ENTERED] = 0
        if no_rows:
            self.make_rows()
        elif not full and not is_written:  # keys are too far from their hashes
            full = list(tables)
        for table in full:
            table.grow()

    def make_rows(self) -> None:
        """Make room for twice as many rows."""
        rows = np.zeros((2 * len(self.rows), lay.ROW_WIDTH), np.int64)
        rows[: len(self.rows)] = self.rows
        self.rows = rows

    # Lines -------------------------------------------------------------------------------------------------------

    def open_line(self, session: int, size: int, now: int) -> int:
        """Return the row of a new connection."""
        if not self._lines_free:
            count = len(self.lines)
            self.lines = np.concatenate([self.lines, np.zeros_like(self.lines)])
            self.line_cells = self.lines.data
            self._lines_free = list(range(2 * count - 1, count - 1, -1))
        line = self._lines_free.pop()
        self.lines[line] = 0
        self.lines[line, lay.TRNS : lay.SENT] = lay.FREE
        self.lines[line, lay.NUMBER_OF], self.lines[line, lay.SIZE], self.lines[line, lay.ROOM_AT] = session, size, now
        return line

    def close_line(self, line: int) -> None:
        """Release a connection's row."""
        self._lines_free.append(line)

    # Data of the centre ----------------------------------------------------------------------------------------

    def settle(self, centre: Centre) -> None:
        """Copy the constant data of a centre."""
        law = centre.delivery.settings.latency_us
        state = np.zeros(lay.LAW + len(law), np.int64)
        state[: lay.LAW], state[lay.LAW :] = self.state[: lay.LAW], law
        key = centre.delivery.latency_key
        state[lay.LATENCY_KEY] = key - (1 << 64) if key >> 63 else key
        state[lay.VALIDITY_DEFAULT] = centre.settings.validity_default_us
        state[lay.VALIDITY_MAX] = centre.settings.validity_max_us
        state[lay.AHEAD] = centre.settings.scts_ahead_max_s
        self.state, self.cells = state, state.data
        longest = quantile(law, (1 << 64) - 1)
        slots = 1 << ((longest >> lay.SLOT_BITS) + 2).bit_length()
        self.wheel = np.zeros(min(slots, SLOTS_MOST), np.int32)
        self.index = WaitingIndex(longest)

    def fits(self, centre: Centre) -> bool:
        """Tell whether every delivery time is above zero and fits in the wheel, and the numbers fit in a row."""
        law = centre.delivery.settings.latency_us
        return (
            min(law) > 0
            and max(law) >> lay.SLOT_BITS < SLOTS_MOST - 2
            and len(centre.accounts) < lay.ACCOUNTS_MOST // 2
            and len(centre.limiters) < lay.CODES_MOST
        )

    def renew(self, centre: Centre, lines_of: dict[str, list[int]]) -> None:
        """Copy accounts, codes, limits, and the connections of each account."""
        number_of = centre.scts_allocator.number
        names = sorted(centre.accounts)
        numbers = self.numbers = {name: number_of(name) for name in names}
        most = max(numbers.values(), default=0) + 1
        if most > len(self.accounts):
            fresh = np.zeros((2 * most, lay.ACCOUNT_WIDTH), np.int64)
            fresh[:, lay.HEAD_ROW : lay.TAIL_ROW + 1] = -1
            fresh[: len(self.accounts)] = self.accounts
            self.accounts = fresh
        self.names += [""] * (most - len(self.names))
        for code in centre.limiters:
            self._code_numbers.setdefault(code, len(self._code_numbers))
        self.code_names = tuple(self._code_numbers)
        self._bind(centre)
        lists: list[int] = []
        for name, number in numbers.items():
            account, row = centre.accounts[name], self.accounts[number]
            self.names[number] = name
            served = account.codes if account.state == "active" else ()
            codes = [self._code_numbers[code] for code in served if code in centre.limiters and _is_plain(code)]
            lines = lines_of.get(name, [])
            row[lay.FIRST_CODE], row[lay.CODES] = len(lists), len(codes)
            row[lay.FIRST_LINE], row[lay.LINES] = len(lists) + len(codes), len(lines)
            lists += codes + lines
            for line in lines:
                self.lines[line, lay.ACCOUNT] = number
        self.lists = np.array([*lists, 0], np.int64)
        self.order = np.array([numbers[name] for name in names], np.int64)

    def _bind(self, centre: Centre) -> None:
        """Put the meters of all codes into one array."""
        codes = np.zeros((len(self.code_names) or 1, lay.CODE_WIDTH), np.int64)
        limiters = centre.limiters
        rings = np.zeros(sum(len(limiter.cells) for limiter in limiters.values()) or 1, np.int64)
        at = 0
        for name, limiter in limiters.items():
            size = len(limiter.cells)
            limiter.bind(rings[at : at + size].data.cast("B").cast("q"))
            _describe(codes[self._code_numbers[name]], name, limiter, at)
            at += size
        self.codes, self.rings = codes, rings

    # Texts -------------------------------------------------------------------------------------------------------

    def learn_stamp(self, second: int, text: str) -> None:
        """Put the text of an SCTS into the cache."""
        at = 3 * (second % lay.STAMPS)
        self.caches[at : at + 3] = second, *_words(text.encode(), 2)

    def learn_validity(self, digits: int, instant: int) -> None:
        """Put the instant of a validity into the cache; -1: the core reads it."""
        at = lay.VALIDITY_AT + 2 * (digits % lay.VALIDITIES)
        self.caches[at : at + 2] = digits + 1, instant


def address(key: int) -> str:
    """Return the address of a key."""
    size, value = divmod(key, lay.PER_LENGTH)
    return f"{value:0{size}d}"


def _is_plain(code: str) -> bool:
    return code.isascii() and code.isdigit() and len(code) <= LONGEST_CODE


def _describe(row: Integers, name: str, limiter: Limiter, ring: int) -> None:
    limit = limiter.limit
    row[lay.METER], row[lay.MODE], row[lay.RATE] = METERS[limit.meter], MODES[limit.mode], limit.rate_per_s
    row[lay.JITTER], row[lay.SPAN] = limit.jitter_us, limit.mean_window_s * 1_000_000
    row[lay.RING], row[lay.RING_SIZE] = ring, len(limiter.cells) - RING
    row[lay.REFUSAL] = int(limit.nack_ec)
    octets = name.encode() + b"/"
    if _is_plain(name):
        row[lay.CODE_WORDS : lay.CODE_WORDS + 3] = _words(name.encode(), 3)
    sums = adler32(octets)
    row[lay.CODE_CRC], row[lay.CODE_SUM], row[lay.CODE_SUMS] = crc32(octets), sums & 0xFFFF, sums >> 16
    row[lay.CODE_SIZE] = len(name)


def _words(octets: bytes, count: int) -> list[int]:
    return [int.from_bytes(octets[at : at + 8], "little") for at in range(0, 8 * count, 8)]


def _pieces() -> Any:
    """The template of a notification in pieces: where each begins, then their octets.

    It is cut out of an ordinary body, so that the layout is defined once.
    """
    code, about, scts, dscts = "11111", "222222", "131415161718", "232425262728"
    body = f"\x0200/00000/O/53/{notification_body(code, about, scts, 0, 0, dscts)}"
    inside = [scts[4:6] + scts[2:4] + scts[0:2] + scts[6:], *(dscts[at : at + 2] for at in range(0, 12, 2))]
    pieces: list[bytes] = []
    for text in (code, about, scts, dscts, *(each.encode().hex() for each in (about, *inside))):
        before, body = body.split(text, 1)
        pieces.append(before.encode())
    pieces.append(body.encode())
    edges = np.cumsum([len(pieces) + 1, *map(len, pieces)])
    return np.array([*edges, *b"".join(pieces)], np.int64)
