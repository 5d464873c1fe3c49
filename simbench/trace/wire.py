"""The octets of a run read once: frames found, submits and notifications with their results, as columns.

Plain frames are read by kernels, everything else one by one; where nothing is compiled, all of them. Both ways leave
the same columns.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simbench.base.units import SECOND_US
from simbench.kernels.frames import RESULT, Plain, Scanner
from simbench.ledger.reader import Run
from simbench.trace.kernels import dialogue
from simbench.trace.kernels.dialogue import ACKNOWLEDGEMENT, ANSWER, FIELDS, NAMED, NOTIFICATION, OTHER, SUBMIT
from simbench.trace.lazy import LONGEST, Octets
from simbench.trace.line import Line, Login
from simbench.trace.messages import TOKEN
from simbench.trace.rows import Alert, Mo
from simbench.trace.stores import FRAMES, NOTIFICATIONS, RESULTS, SUBMITS, Names, Store
from simbench.ucp import alphabet, content
from simbench.ucp.checks import PROBLEMS, check
from simbench.ucp.fields import At
from simbench.ucp.foreign import protocol_of
from simbench.ucp.frame import STX, WIRE_ERRORS, Frame, Framer, WireError

Ints = NDArray[np.int64]

ALPHANUMERIC = "5039"
UNENDED = "unended"  # problem of octets that no ETX ends, although no more come
PATIENCE_US = SECOND_US  # how long a client may take over one frame
LONGEST_NUMBER = 18  # digits that a column of 64 bits holds
GIVEN_UP_US = 60 * SECOND_US  # an operation unanswered for so long is given up, and its number free again
WIRE = ["at", "session", "direction", "octets"]
AT_ONCE = 50_000  # rows of the wire read at a time
WAYS: Final = ("in", "out")
KINDS: Final = ("", "O", "R")
TRNS: Final = 100
_IN_USE, _NOTHING_ASKED = "TRN in use", "answers nothing that was asked"
_A, _N = 1, 2  # numbers of these signs
_READY, _SEEN_OPEN, _ACCOUNT = range(3)


class Wire:
    """Everything that was read and written on the lines of a run. Columns are those of `simbench.trace.stores`."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.octets = Octets()
        self.lines: dict[int, Line] = {}
        self.frames, self.submits, self.notifications = Store(FRAMES), Store(SUBMITS), Store(NOTIFICATIONS)
        self.results, self.acknowledged = Store(RESULTS), Store(RESULTS)
        self.mo: list[Mo] = []
        self.alerts: list[Alert] = []
        self.problems, self.signs = Names("", _IN_USE, _NOTHING_ASKED), Names("", "A", "N")
        self.accounts, self.senders = Names(""), Names()
        # Originators by their word: number of the sender, and whether it is a name; none where it is not sound.
        self._known: dict[tuple[int, int], tuple[int, bool] | None] = {}
        self._logins: list[Login] = []
        self._noted: list[tuple[Any, ...]] = []  # rows of `frames` and `submits` that wait to become columns
        self._sent: list[tuple[Any, ...]] = []
        self._notified: list[tuple[Any, ...]] = []
        self._scanner, self._framer = Scanner(), Framer()
        self._slots = np.zeros((16, 3), np.int64)
        self._unaligned = np.ones((16, 2), np.bool_)
        self._heard = np.full(16, -1, np.int64)
        self._asked, self._told = np.zeros((2, 16, TRNS, 3), np.int64)
        self._by_slot: list[Line] = []
        self._counts = np.zeros(2, np.int64)
        self.at, self.sessions = (run.wire[name].combine_chunks().to_numpy() for name in ("at", "session"))

    def read(self, last: int) -> None:
        """Read the whole wire of a run that ended at an instant (us)."""
        first = 0
        for piece in self._run.wire.select(WIRE).to_batches(max_chunksize=AT_ONCE):
            self._piece(piece, first)
            first += piece.num_rows
            self._flush()
        for line in self.lines.values():
            line.heard_at = int(self._heard[line.slot])
            if line.closed_at < 0 and last - line.heard_at > PATIENCE_US:
                self._left_open(line)
        self._flush()

    # Rows ------------------------------------------------------------------------------------------------------

    def _piece(self, piece: pa.RecordBatch, first: int) -> None:
        ways = pc.index_in(piece["direction"], pa.array(WAYS)).fill_null(-1).to_numpy()
        column = piece["octets"]
        _, offsets, data = column.buffers()
        edges = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
        octets = np.frombuffer(data, np.uint8)[edges[0] : edges[-1]] if data is not None else np.zeros(0, np.uint8)
        edges -= edges[0]
        known, heads, which = np.unique(piece["session"].to_numpy(), return_index=True, return_inverse=True)
        for place in np.argsort(heads).tolist():
            self._line(int(known[place]))
        slots = np.array([self.lines[number].slot for number in known.tolist()], np.int64)[which]
        rows = _Rows(first, self.at[first : first + len(ways)], ways, slots, octets, edges, self.octets.add(octets))
        row = 0
        while row < len(ways):
            alone = (ways[row:] < 0) | self._unaligned[slots[row:], ways[row:]]
            end = row + int(alone.argmax()) if alone.any() else len(ways)
            if end > row:
                self._several(rows, row, end)
            if end < len(ways):
                self._alone(rows, end, piece)
            row = end + 1

    def _line(self, number: int) -> None:
        """A capture may begin in mid-connection, so any row may be the first of a line."""
        if number in self.lines:
            return
        slot = len(self._by_slot)
        if slot == len(self._slots):
            self._slots, self._asked, self._told = (
                _doubled(each, 0) for each in (self._slots, self._asked, self._told)
            )
            self._unaligned, self._heard = _doubled(self._unaligned, 1), _doubled(self._heard, -1)
        line = self.lines[number] = Line(number, slot)
        self._by_slot.append(line)
        self._slots[slot, _READY] = 1  # where reading began later nothing is told of first operations

    def _alone(self, rows: _Rows, row: int, piece: pa.RecordBatch) -> None:
        """A row that opens or closes a line, or may begin in the middle of a frame."""
        line, way = self._by_slot[rows.slots[row]], int(rows.ways[row])
        octets = rows.octets[rows.edges[row] : rows.edges[row + 1]].tobytes()
        if way >= 0:
            if STX not in octets:
                return
            self._unaligned[line.slot, way] = False
            rows.edges[row] += octets.index(STX)  # what stands before it belongs to no frame that was seen whole
            self._several(rows, row, row + 1)
        elif piece["direction"][row].as_py() == "open":
            line.opened_at, line.peer = int(rows.at[row]), octets.decode("utf-8", "replace")
            self._unaligned[line.slot] = False
            self._slots[line.slot, _SEEN_OPEN], self._slots[line.slot, _READY] = 1, 0
        else:
            line.closed_at = int(rows.at[row])
            line.closed_by, _, line.reason = octets.decode("utf-8", "replace").partition(": ")
            line.heard_at = int(self._heard[line.slot])
            self._left_open(line)

    def _several(self, rows: _Rows, start: int, end: int) -> None:
        """Rows that hold frames, or parts of them."""
        ways, slots = rows.ways[start:end], rows.slots[start:end]
        mine = ways == 0
        self._heard[slots[mine]] = rows.at[start:end][mine]
        for block in self._scanner.frames(rows.octets, rows.edges[start : end + 1], 2 * slots + ways):
            if isinstance(block, Plain):
                self._plain(block, rows, start)
                continue
            row = start + block.row
            for item in block.items:
                self._odd(item, rows, row)

    def _left_open(self, line: Line) -> None:
        """Octets of the client behind its last frame, which nothing ended, unless they were on their way when it ended.

        Whoever is killed, or whose connection breaks, leaves half a frame; whoever sends half a frame and waits is odd.
        """
        octets = self._scanner.release(2 * line.slot)
        begun = octets.startswith(STX) and not protocol_of(octets)
        at_once = 0 <= line.closed_at <= line.heard_at + PATIENCE_US
        if line.closed_by == "capture" or (begun and at_once) or not octets.strip(b"\r\n"):
            return
        problem = self.problems.number(UNENDED if octets.startswith(STX) else "garbage")
        first, end = np.searchsorted(self.at, [line.heard_at, line.heard_at + 1])
        heard = first + int(np.flatnonzero(self.sessions[first:end] == line.number)[-1])
        self._noted.append((heard, 0, 0, -1, -1, problem, False, self._place(octets), len(octets), True))

    # Frames ----------------------------------------------------------------------------------------------------

    def _plain(self, block: Plain, rows: _Rows, start: int) -> None:
        """Sound frames: most are matched by kernels, from one that is not plain to the next."""
        self._flush()
        count, row = len(block.rows), block.rows + start
        at, slots, ways = rows.at[row], rows.slots[row], rows.ways[row].astype(np.int64)
        places = block.places + rows.place
        if (block.places < 0).any():
            used = block.joined[: int((block.sizes - block.places - 1)[block.places < 0].max())].copy()
            places = np.where(block.places < 0, self.octets.add(used) - 1 - block.places, places)
        classes, found = np.empty(count, np.int64), np.zeros((count, FIELDS), np.int64)
        lower = np.zeros(count, np.bool_)
        dialogue.read(block.octets, block.joined, block.places, block.sizes, block.kinds, ways, classes, found, lower)
        self._vet(block, classes, found)
        numbers, notes, accounts = np.zeros((3, count), np.int64)
        tolerated, first = np.zeros(count, np.bool_), self._counts.copy()
        place = 0
        while True:
            place = dialogue.follow(
                place, classes, at, slots, block.trns, self._slots, GIVEN_UP_US, self._asked, self._told, self._counts,
                numbers, notes, accounts,
            )  # fmt: skip
            if place == count:
                break
            classes[place] = OTHER
            frame = next(item for item in self._framer.feed(block.frame(place)) if isinstance(item, Frame))
            spot = _Spot(rows.first + int(row[place]), int(at[place]), self._by_slot[slots[place]], int(places[place]))
            notes[place], tolerated[place] = self._frame(frame, spot, int(ways[place]))
            place += 1
        frames = self.frames.room(count)
        frames["row"][:], frames["way"][:], frames["trn"][:] = row + rows.first, ways, block.trns
        frames["kind"][:], frames["ot"][:] = np.where(block.kinds >= RESULT, 2, 1), block.kinds % RESULT
        frames["place"][:], frames["size"][:] = places, block.sizes
        frames["problem"][:], frames["tolerated"][:], frames["lower"][:] = notes, tolerated, lower
        mine = classes == SUBMIT
        self._add(self.submits, self._sent, int(first[0]), mine, numbers, frames, accounts, {
            "recipient": found[:, 0], "oadc": found[:, 1], "named": found[:, 2], "notify": found[:, 3],
            "validity": found[:, 4], "text": places + found[:, 5], "letters": found[:, 6], "token": found[:, 7],
            "word": found[:, 8], "segments": np.ones(count, np.int64), "common": mine,
        })  # fmt: skip
        mine = classes == NOTIFICATION
        self._add(self.notifications, self._notified, int(first[1]), mine, numbers, frames, accounts, {
            "recipient": found[:, 0], "code": found[:, 1], "scts": found[:, 2], "outcome": found[:, 3],
            "reason": found[:, 4],
        })  # fmt: skip
        for kind, store in ((ANSWER, self.results), (ACKNOWLEDGEMENT, self.acknowledged)):
            chosen = (classes == kind) & (numbers >= 0)
            new = store.room(int(chosen.sum()))
            new["number"][:], new["at"][:] = numbers[chosen], at[chosen]
            new["ack"][:] = np.where(found[chosen, 0] == ord("N"), _N, _A)
            new["ec"][:], new["scts"][:] = found[chosen, 1], found[chosen, 2]

    def _vet(self, block: Plain, classes: Ints, found: Ints) -> None:
        """Number the originators of submits; a name that is not sound makes its frames odd."""
        mine = np.flatnonzero(classes == SUBMIT)
        for named in (0, NAMED):
            chosen = mine[found[mine, 2] == named]
            words, heads, which = np.unique(found[chosen, 1], return_index=True, return_inverse=True)
            told = [
                self._originator(named, int(word), block, int(chosen[head]))
                for word, head in zip(words, heads, strict=True)
            ]
            numbers = np.array([each[0] if each else -1 for each in told], np.int64)[which]
            found[chosen, 1] = numbers
            found[chosen, 2] = np.array([bool(each and each[1]) for each in told], np.int64)[which]
            classes[chosen[numbers < 0]] = OTHER

    def _originator(self, named: int, word: int, block: Plain, number: int) -> tuple[int, bool] | None:
        if (named, word) not in self._known:
            frame = next(item for item in self._framer.feed(block.frame(number)) if isinstance(item, Frame))
            sound = not check(frame)
            self._known[named, word] = self._sender(frame.data) if sound else None
        return self._known[named, word]

    def _sender(self, data: list[str]) -> tuple[int, bool]:
        alphanumeric = data[At.OTOA] == ALPHANUMERIC
        return self.senders.number(_name(data[At.OADC]) if alphanumeric else data[At.OADC]), alphanumeric

    def _add(  # noqa: PLR0913 - columns of one block
        self, store: Store, waiting: list[tuple[Any, ...]], first: int, mine: NDArray[np.bool_], numbers: Ints,
        frames: dict[str, NDArray[Any]], accounts: Ints, found: dict[str, Ints],
    ) -> None:  # fmt: skip
        """Operations of a block: those of kernels, and those that were read one by one among them."""
        new = store.room(int(mine.sum()) + len(waiting))
        places = numbers[mine] - first
        for name in ("row", "trn", "place", "size"):
            new[name][places] = frames[name][mine]
        new["account"][places] = accounts[mine]
        for name, column in found.items():
            new[name][places] = column[mine]
        for number, *values in waiting:
            for name, value in zip(new, values, strict=True):
                new[name][number - first] = value
        waiting.clear()

    def _flush(self) -> None:
        """Make columns of what was read one by one."""
        for store, waiting, skipped in (
            (self.frames, self._noted, 0), (self.submits, self._sent, 1), (self.notifications, self._notified, 1)
        ):  # fmt: skip
            new = store.room(len(waiting))
            for column, values in zip(new.values(), list(zip(*waiting, strict=True))[skipped:], strict=False):
                column[:] = values
            waiting.clear()

    def _odd(self, item: Frame | WireError, rows: _Rows, row: int) -> None:
        """A frame, or octets that are none, out of a row that is not plain."""
        way, line, at = int(rows.ways[row]), self._by_slot[rows.slots[row]], int(rows.at[row])
        spot = _Spot(rows.first + row, at, line, self._place(item.octets))
        if isinstance(item, Frame):
            problem, tolerated = self._frame(item, spot, way)
        else:
            problem, tolerated = self.problems.number(item.name), way == 0 and WIRE_ERRORS[item.name].tolerated
        ot, trn = int(item.ot) if item.ot else -1, int(item.trn) if item.trn else -1
        self._noted.append(
            (spot.row, way, KINDS.index(item.kind), ot, trn, problem, tolerated, spot.place, len(item.octets), True)
        )

    def _place(self, octets: bytes) -> int:
        return self.octets.add(np.frombuffer(octets, np.uint8))

    # One by one ------------------------------------------------------------------------------------------------

    def _frame(self, frame: Frame, spot: _Spot, way: int) -> tuple[int, bool]:
        """Read one sound frame; return the number of its problem, and whether that is tolerated."""
        if way:
            self._from_smsc(frame, spot)
            return 0, False
        errors = check(frame)
        problem = f"{errors[0].field}: {errors[0].problem}" if errors else ""
        noted = bool(errors) and all(PROBLEMS[error.problem].noted for error in errors)
        amiss = self._from_client(frame, spot)
        return self.problems.number(problem or amiss), noted

    def _from_client(self, frame: Frame, spot: _Spot) -> str:
        """Read it; return what is amiss with its number, "" for nothing."""
        line = spot.line
        if frame.kind == "R":
            return self._acknowledge(frame, spot)
        if not line.first and line.opened_at >= 0:
            line.first, line.first_at = frame.ot, spot.at
            self._ready(line)
        if frame.ot != "60" and not line.account and line.early_at < 0 and line.opened_at >= 0:
            line.early_at = spot.at
        if frame.ot == "51" and len(frame.data) > At.OTOA:
            return self._await(frame, spot, self._submit(frame, spot))
        if frame.ot == "60" and frame.data:
            line.login = Login(spot.at, frame.data[0])
            self._logins.append(line.login)
            return self._await(frame, spot, len(self._logins) - 1)
        if frame.ot == "31":
            self.alerts.append(Alert(spot.at, line.number, line.account, -1, frame.octets))
            return self._await(frame, spot, len(self.alerts) - 1)
        return ""

    def _ready(self, line: Line) -> None:
        self._slots[line.slot, _READY] = line.opened_at < 0 or bool(line.first and line.account)
        self._slots[line.slot, _ACCOUNT] = self.accounts.number(line.account)

    def _await(self, frame: Frame, spot: _Spot, number: int) -> str:
        """An operation of the client waits for its result, unless its number is in use: then the SMSC discards it.

        Source: EMI-UCP 4.0, windowing (the UCP reference, section 1.4).
        """
        waiting = self._asked[spot.line.slot, int(frame.trn)]
        if waiting[0] and spot.at - waiting[2] <= GIVEN_UP_US:
            return _IN_USE
        waiting[:] = _kind(frame), number, spot.at
        return ""

    def _submit(self, frame: Frame, spot: _Spot) -> int:
        data, number = frame.data, int(self._counts[0])
        self._counts[0] += 1
        sender, alphanumeric = self._sender(data)
        read = content.read(data)
        text = read.text or ""
        token = TOKEN.search(text)
        notify = _digits(data[At.NT] or "3", 0) if data[At.NRQ] == "1" else 0
        self._sent.append(
            (number, spot.row, self.accounts.number(spot.line.account), int(frame.trn),
             self._written(self.submits, "recipient", number, data[At.ADC]), sender, alphanumeric, read.segments,
             notify, self._written(self.submits, "validity", number, data[At.VP]), 0, 0, -1, spot.place,
             len(frame.octets), _word(text), False)
        )  # fmt: skip
        if text:
            self.submits.other("text", number, text)
        if token:
            self.submits.other("token", number, token.group())
        return number

    def _written(self, store: Store, column: str, number: int, text: str) -> int:
        """A text of digits with a 1 before them; any other is kept as it is."""
        if len(text) <= LONGEST and text.isascii() and (text.isdigit() or not text):
            return int("1" + text)
        store.other(column, number, text)
        return 1

    def _from_smsc(self, frame: Frame, spot: _Spot) -> None:
        if frame.kind == "R":
            self._answer(frame, spot)
            return
        number = -1
        if frame.ot in {"52", "53"} and len(frame.data) > At.OTOA:
            number = self._notice(frame, spot) if frame.ot == "53" else self._originated(frame, spot)
        self._told[spot.line.slot, int(frame.trn)] = _kind(frame), number, spot.at

    def _notice(self, frame: Frame, spot: _Spot) -> int:
        data, number, store = frame.data, int(self._counts[1]), self.notifications
        self._counts[1] += 1
        self._notified.append(
            (number, spot.row, self.accounts.number(spot.line.account), int(frame.trn),
             self._written(store, "code", number, data[At.ADC]),
             self._written(store, "recipient", number, data[At.OADC]),
             self._written(store, "scts", number, data[At.SCTS]), _digits(data[At.DST], -1), _digits(data[At.RSN], 0),
             spot.place, len(frame.octets))
        )  # fmt: skip
        return number

    def _originated(self, frame: Frame, spot: _Spot) -> int:
        data, line = frame.data, spot.line
        text = content.read(data).text or ""
        self.mo.append(
            Mo(spot.at, line.number, line.account, data[At.ADC], data[At.OADC], data[At.SCTS], text, frame.trn, -1, "",
               frame.octets)
        )  # fmt: skip
        return len(self.mo) - 1

    def _answer(self, frame: Frame, spot: _Spot) -> None:
        """A result of the SMSC: complete what it answers."""
        waiting = self._asked[spot.line.slot, int(frame.trn)]
        if waiting[0] != _kind(frame):
            return
        waiting[0] = 0
        number, data = int(waiting[1]), frame.data
        positive = data[:1] == ["A"]
        if frame.ot == "51":
            self._result(number, spot.at, data, positive)
        elif frame.ot == "31":
            self.alerts[number].result_at = spot.at
        elif frame.ot == "60":
            login = self._logins[number]
            login.ack, login.ec = data[0] if data else "", "" if positive or len(data) < 2 else data[1]
            if positive:
                spot.line.account = login.account
                self._ready(spot.line)

    def _result(self, number: int, at: int, data: list[str], positive: bool) -> None:
        new = self.results.room(1)
        new["number"][:], new["at"][:], new["ack"][:] = number, at, self.signs.number(data[0] if data else "")
        new["ec"][:] = new["scts"][:] = 1
        if positive and len(data) > 2:
            new["scts"][:] = self._written(self.submits, "scts", number, data[2].rpartition(":")[2])
            if data[1]:
                self.submits.other("mvp", number, data[1])
        elif len(data) > 1:
            new["ec"][:] = self._written(self.submits, "ec", number, data[1])

    def _acknowledge(self, frame: Frame, spot: _Spot) -> str:
        """A result of the client: complete the 52 or 53 it answers."""
        waiting = self._told[spot.line.slot, int(frame.trn)]
        if waiting[0] != _kind(frame):
            return _NOTHING_ASKED if spot.line.opened_at >= 0 else ""  # it may have been asked before reading began
        waiting[0] = 0
        number, sign = int(waiting[1]), frame.data[0] if frame.data else ""
        if number >= 0 and frame.ot == "53":
            new = self.acknowledged.room(1)
            new["number"][:], new["at"][:], new["ack"][:] = number, spot.at, self.signs.number(sign)
        elif number >= 0:
            self.mo[number].result_at, self.mo[number].ack = spot.at, sign
        return ""


class _Rows(msgspec.Struct):
    """Rows of one piece; the number of the first, and where its octets stand among all."""

    first: int
    at: Ints
    ways: NDArray[Any]
    slots: Ints
    octets: NDArray[np.uint8]
    edges: Ints
    place: int


class _Spot(msgspec.Struct):
    """Where a frame ended: row, instant, line, and the place of its octets."""

    row: int
    at: int
    line: Line
    place: int


def _doubled(array: NDArray[Any], empty: int) -> NDArray[Any]:
    return np.concatenate([array, np.full_like(array, empty)])


def _kind(frame: Frame) -> int:
    """A number for an OT, not 0."""
    return int(frame.ot) or TRNS


def _word(text: str) -> int:
    """The word of a text, equal for equal ones; 0 where one text may be written in several ways."""
    try:
        octets = alphabet.encode(text)
    except UnicodeEncodeError:
        return 0
    return 0 if alphabet.ESCAPE in octets else dialogue.word_of(octets.hex().upper().encode())


def _name(oadc: str) -> str:
    """An alphanumeric originator as text; as it stands where it cannot be read."""
    try:
        return alphabet.decode_oadc(oadc)
    except ValueError:
        return oadc


def _digits(field: str, otherwise: int) -> int:
    """A field of digits as a number; `otherwise` where it is empty, or holds something else or more than any field."""
    return int(field) if field.isascii() and field.isdigit() and len(field) <= LONGEST_NUMBER else otherwise
