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
from simbench.kernels.frames import RESULT, Plain
from simbench.trace.kernels import dialogue
from simbench.trace.kernels.dialogue import ACKNOWLEDGEMENT, ANSWER, FIELDS, NAMED, NOTIFICATION, OTHER, SUBMIT
from simbench.trace.line import Line
from simbench.trace.single_frames import GIVEN_UP_US, READY, SEEN_OPEN, SingleFrames, Spot
from simbench.trace.stores import Store
from simbench.ucp.foreign import protocol_of
from simbench.ucp.frame import STX, WIRE_ERRORS, Frame, WireError

Ints = NDArray[np.int64]

UNENDED = "unended"  # problem of octets that no ETX ends, although no more come
PATIENCE_US = SECOND_US  # how long a client may take over one frame
WIRE = ["at", "session", "direction", "octets"]
AT_ONCE = 50_000  # rows of the wire read at a time
WAYS: Final = ("in", "out")
KINDS: Final = ("", "O", "R")
_A, _N = 1, 2  # numbers of these signs


class Wire(SingleFrames):
    """Everything that was read and written on the lines of a run. Columns are those of `simbench.trace.stores`."""

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
            self._slots, self._asked, self._unacknowledged = (
                _doubled(each, 0) for each in (self._slots, self._asked, self._unacknowledged)
            )
            self._unaligned, self._heard = _doubled(self._unaligned, 1), _doubled(self._heard, -1)
        line = self.lines[number] = Line(number, slot)
        self._by_slot.append(line)
        self._slots[slot, READY] = 1  # where reading began later first operations cannot be judged

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
            self._slots[line.slot, SEEN_OPEN], self._slots[line.slot, READY] = 1, 0
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
                place, classes, at, slots, block.trns, self._slots, GIVEN_UP_US, self._asked, self._unacknowledged,
                self._counts, numbers, notes, accounts,
            )  # fmt: skip
            if place == count:
                break
            classes[place] = OTHER
            frame = next(item for item in self._framer.feed(block.frame(place)) if isinstance(item, Frame))
            spot = Spot(rows.first + int(row[place]), int(at[place]), self._by_slot[slots[place]], int(places[place]))
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
            checked = [
                self._originator(named, int(word), block, int(chosen[head]))
                for word, head in zip(words, heads, strict=True)
            ]
            numbers = np.array([each[0] if each else -1 for each in checked], np.int64)[which]
            found[chosen, 1] = numbers
            found[chosen, 2] = np.array([bool(each and each[1]) for each in checked], np.int64)[which]
            classes[chosen[numbers < 0]] = OTHER

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
        spot = Spot(rows.first + row, at, line, self._place(item.octets))
        if isinstance(item, Frame):
            problem, tolerated = self._frame(item, spot, way)
        else:
            problem, tolerated = self.problems.number(item.name), way == 0 and WIRE_ERRORS[item.name].tolerated
        ot, trn = int(item.ot) if item.ot else -1, int(item.trn) if item.trn else -1
        self._noted.append(
            (spot.row, way, KINDS.index(item.kind), ot, trn, problem, tolerated, spot.place, len(item.octets), True)
        )


class _Rows(msgspec.Struct):
    """Rows of one piece; the number of the first, and where its octets stand among all."""

    first: int
    at: Ints
    ways: NDArray[Any]
    slots: Ints
    octets: NDArray[np.uint8]
    edges: Ints
    place: int


def _doubled(array: NDArray[Any], empty: int) -> NDArray[Any]:
    return np.concatenate([array, np.full_like(array, empty)])
