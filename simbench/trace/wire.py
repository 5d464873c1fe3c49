"""Reads the octets of a run into columns of frames, submits and notifications with their results.

Kernels read plain frames, all others are read one by one; without compiled kernels, all are. Both ways produce the
same columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simbench.base.units import SECOND_US
from simbench.kernels.frames import RESULT, Plain
from simbench.kernels.jit import compiles, give_back, release_compiler
from simbench.ledger.pieces import Piece
from simbench.trace.kernels import dialogue
from simbench.trace.kernels.dialogue import ACKNOWLEDGEMENT, ANSWER, FIELDS, NAMED, NOTIFICATION, OTHER, SUBMIT
from simbench.trace.lazy import octets_of
from simbench.trace.line import Line
from simbench.trace.single_frames import GIVEN_UP_US, READY, SEEN_OPEN, SingleFrames, Spot
from simbench.trace.stores import RESULTS, Store, narrowed
from simbench.ucp.foreign import protocol_of
from simbench.ucp.frame import STX, WIRE_ERRORS, Frame, WireError

Ints = NDArray[np.int64]

UNENDED = "unended"  # problem of a frame without ETX at the end of a connection
PATIENCE_US = SECOND_US  # time within which a client must complete a frame
WIRE = ["at", "session", "direction", "octets"]
AT_ONCE: Final = 50_000  # rows of the wire read at a time
OCTETS_AT_ONCE: Final = 8_000_000
FEW: Final = 20_000  # up to this many rows, reading one by one is faster than loading the kernels
WAYS: Final = ("in", "out")
KINDS: Final = ("", "O", "R")
_A, _N = 1, 2  # numbers of these signs


class Wire(SingleFrames):
    """The wire of a run as columns, which `simbench.trace.stores` lists.

    `whole`: `frames` has every frame; otherwise plain frames without problems are left out.
    """

    def __init__(self, *, rows: int, whole: bool = False) -> None:
        """`rows`: the number of rows to be read; few are read without kernels."""
        super().__init__(compiled=rows >= FEW and compiles())
        self.whole = whole or not self._scanner.compiled
        self._frames_so_far = 0

    def read(self, pieces: Iterable[Piece], last: int) -> None:
        """Read the whole wire of a run, in pieces with the columns WIRE; `last` is the end of the run (us)."""
        found = iter(pieces)
        while (piece := next(found, None)) is not None:
            self._piece(piece)
            del piece  # before the next is read
            if self._scanner.compiled:
                give_back()  # memory between the small pieces that are kept
        for line in self.lines.values():
            line.heard_at = int(self._heard[line.slot])
            if line.closed_at < 0 and last - line.heard_at > PATIENCE_US:
                self._left_open(line)
        self._flush()
        self.submit_results = aligned(self.results, self.submits.count)
        self.notification_results = aligned(self.acknowledged, self.notifications.count)
        for store in (self.frames, self.submits, self.notifications):
            store.close()
        if self._scanner.compiled:
            pa.default_memory_pool().release_unused()
            release_compiler()

    def silence(self, number: int) -> tuple[int, int, int]:
        """Return a connection's longest time (us) between two frames of the client, its start, and the last; or -1."""
        last, longest, since = self._quiet[self.lines[number].slot].tolist()
        return longest, since, last

    # Rows ------------------------------------------------------------------------------------------------------

    def _piece(self, piece: Piece) -> None:
        octets, edges = octets_of(piece.rows["octets"])
        at, sessions = (piece.rows[name].to_numpy() for name in ("at", "session"))
        ways = pc.index_in(piece.rows["direction"], pa.array(WAYS)).fill_null(-1).to_numpy()
        self.octets.begin(piece.again, len(octets))
        for store in (self.frames, self.submits, self.notifications):
            store.begin()
        known, heads, which = np.unique(sessions, return_index=True, return_inverse=True)
        for place in np.argsort(heads).tolist():
            self._line(int(known[place]))
        slots = np.array([self.lines[number].slot for number in known.tolist()], np.int64)[which]
        first = 0
        while first < len(at):
            end = int(np.searchsorted(edges, edges[first] + OCTETS_AT_ONCE, "right"))
            end = min(max(end, first + 1), first + AT_ONCE, len(at))
            some = slice(first, end)
            rows = _Rows(at[some], ways[some], slots[some], octets, edges[first : end + 1].copy())
            self._part(rows, piece.rows["direction"][some])
            self._flush()
            first = end

    def _part(self, rows: _Rows, directions: pa.Array) -> None:
        row, count = 0, len(rows.ways)
        while row < count:
            end = self._next_alone(rows, row)
            if end > row:
                self._several(rows, row, end)
            if end < count:
                self._alone(rows, end, directions)
            row = end + 1

    def _next_alone(self, rows: _Rows, row: int) -> int:
        """Return the first row from `row` on that must be read alone, or the end of the rows; steps double in width."""
        ways, slots, width = rows.ways, rows.slots, 16
        while row < len(ways):
            some = slice(row, row + width)
            alone = (ways[some] < 0) | self._unaligned[slots[some], ways[some]]
            if alone.any():
                return row + int(alone.argmax())
            row, width = row + width, 2 * width
        return len(ways)

    def _line(self, number: int) -> None:
        """Create the connection at its first row; a capture may begin in mid-connection, so this may be any row."""
        if number in self.lines:
            return
        slot = len(self._by_slot)
        if slot == len(self._slots):
            self._slots = _doubled(self._slots, 0)
            self._unanswered, self._unacknowledged = _widened(self._unanswered), _widened(self._unacknowledged)
            self._unaligned = np.concatenate([self._unaligned, np.ones_like(self._unaligned)])
            self._heard = _doubled(self._heard, -1)
            self._quiet = _doubled(self._quiet, -1)
        line = self.lines[number] = Line(number, slot)
        self._by_slot.append(line)
        self._slots[slot, READY] = 1  # until "open" is read: the first operation is unknown

    def _alone(self, rows: _Rows, row: int, directions: pa.Array) -> None:
        """Read a row that opens or closes a connection, or may begin in the middle of a frame."""
        line, way = self._by_slot[rows.slots[row]], int(rows.ways[row])
        octets = rows.octets[rows.edges[row] : rows.edges[row + 1]].tobytes()
        if way >= 0:
            if STX not in octets:
                return
            self._unaligned[line.slot, way] = False
            rows.edges[row] += octets.index(STX)  # octets before STX belong to a frame seen only in part
            self._several(rows, row, row + 1)
        elif directions[row].as_py() == "open":
            line.opened_at, line.peer = int(rows.at[row]), octets.decode("utf-8", "replace")
            self._unaligned[line.slot] = False
            self._slots[line.slot, SEEN_OPEN], self._slots[line.slot, READY] = 1, 0
        else:
            line.closed_at = int(rows.at[row])
            line.closed_by, _, line.reason = octets.decode("utf-8", "replace").partition(": ")
            line.heard_at = int(self._heard[line.slot])
            self._left_open(line)

    def _several(self, rows: _Rows, start: int, end: int) -> None:
        """Read rows that contain frames or parts of frames."""
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
        """Report octets after the client's last frame, unless the connection ended while they were being sent.

        A client that is killed or loses its connection leaves part of a frame; sending part of a frame and waiting is a
        protocol violation.
        """
        octets = self._scanner.release(2 * line.slot)
        begun = octets.startswith(STX) and not protocol_of(octets)
        at_once = 0 <= line.closed_at <= line.heard_at + PATIENCE_US
        if line.closed_by == "capture" or (begun and at_once) or not octets.strip(b"\r\n"):
            return
        problem = self.problems.number(UNENDED if octets.startswith(STX) else "garbage")
        self._note(Spot(0, line.heard_at, line, self.octets.keep(octets)), 0, (0, -1, -1), problem, False, len(octets))

    def _note(self, spot: Spot, way: int, head: tuple[int, int, int], problem: int, tolerated: bool, size: int) -> None:
        """Add a row to `frames`; `head` is kind, OT and TRN."""
        if not way:
            self._listen(spot.line.slot, spot.at)
        self.heard[way] += 1
        self._noted.append(
            (self._frames_so_far, spot.at, spot.line.slot, way, *head, problem, tolerated, spot.place, size, True)
        )
        self._frames_so_far += 1

    # Frames ----------------------------------------------------------------------------------------------------

    def _plain(self, block: Plain, rows: _Rows, start: int) -> None:
        """Read well-formed frames: kernels read the plain ones, up to the next that is not plain."""
        self._flush()
        count, row = len(block.rows), block.rows + start
        at, slots, ways = rows.at[row], rows.slots[row], rows.ways[row].astype(np.int64)
        places = block.places
        if (places < 0).any():
            used = block.joined[: int((block.sizes - places - 1)[places < 0].max())]
            places = np.where(places < 0, self.octets.keep(used) - 1 - places, places)
        classes, found = np.empty(count, np.int64), np.zeros((count, FIELDS), np.int64)
        lower = np.zeros(count, np.bool_)
        dialogue.read(block.octets, block.joined, block.places, block.sizes, block.kinds, ways, classes, found, lower)
        self._vet(block, classes, found)
        numbers, notes, accounts = np.zeros((3, count), np.int64)
        tolerated, first, first_order = np.zeros(count, np.bool_), self._counts.copy(), self._frames_so_far
        place = 0
        while True:
            place = dialogue.follow(
                place, classes, at, slots, block.trns, self._slots, GIVEN_UP_US, self._unanswered, self._unacknowledged,
                self._counts, numbers, notes, accounts, self._quiet,
            )  # fmt: skip
            if place == count:
                break
            classes[place] = OTHER
            frame = next(item for item in self._framer.feed(block.frame(place)) if isinstance(item, Frame))
            spot = Spot(first_order + place, int(at[place]), self._by_slot[slots[place]], int(places[place]))
            if not ways[place]:
                self._listen(spot.line.slot, spot.at)
            notes[place], tolerated[place] = self._frame(frame, spot, int(ways[place]))
            place += 1
        self.heard += np.bincount(ways, minlength=2)
        self._frames_so_far += count
        shared = {
            "order": first_order + np.arange(count), "at": at, "slot": slots, "trn": block.trns, "place": places,
            "size": block.sizes,
        }  # fmt: skip
        kept = slice(None) if self.whole else (classes == OTHER) | (notes != 0) | lower
        frames = shared | {
            "way": ways, "kind": np.where(block.kinds >= RESULT, 2, 1), "ot": block.kinds % RESULT, "problem": notes,
            "tolerated": tolerated, "lower": lower,
        }  # fmt: skip
        self.frames.add({name: column[kept] for name, column in frames.items()})
        shared["account"] = accounts
        mine = classes == SUBMIT
        self._add(self.submits, self._sent, int(first[0]), mine, numbers, shared | {
            "recipient": found[:, 0], "oadc": found[:, 1], "named": found[:, 2] != 0, "notify": found[:, 3],
            "validity": found[:, 4], "text": found[:, 5], "letters": found[:, 6], "token": found[:, 7],
            "word": found[:, 8], "segments": np.ones(count, np.int64), "common": mine,
        })  # fmt: skip
        mine = classes == NOTIFICATION
        self._add(self.notifications, self._notified, int(first[1]), mine, numbers, shared | {
            "recipient": found[:, 0], "code": found[:, 1], "scts": found[:, 2], "outcome": found[:, 3],
            "reason": found[:, 4],
        })  # fmt: skip
        for kind, store in ((ANSWER, self.results), (ACKNOWLEDGEMENT, self.acknowledged)):
            chosen = (classes == kind) & (numbers >= 0)
            store.add({
                "number": numbers[chosen], "at": at[chosen], "ack": np.where(found[chosen, 0] == ord("N"), _N, _A),
                "ec": found[chosen, 1], "scts": found[chosen, 2],
            })  # fmt: skip

    def _vet(self, block: Plain, classes: Ints, found: Ints) -> None:
        """Number the originators of submits; frames with an invalid originator get class OTHER."""
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

    def _add(
        self, store: Store, waiting: list[tuple[int, ...]], first: int, mine: NDArray[np.bool_], numbers: Ints,
        found: dict[str, NDArray[np.signedinteger]],
    ) -> None:  # fmt: skip
        """Add the operations of a block: those read by kernels, and between them those read one by one (`waiting`)."""
        if not waiting:
            store.add({name: found[name][mine] for name in store.names})
            return
        places, odd = numbers[mine] - first, [number - first for number, *_ in waiting]
        columns = list(zip(*waiting, strict=True))[1:]
        new = {}
        for name, values in zip(store.names, columns, strict=True):
            new[name] = np.empty(len(places) + len(waiting), found[name].dtype)
            new[name][places], new[name][odd] = found[name][mine], values
        store.add(new)
        waiting.clear()

    def _flush(self) -> None:
        """Add the rows read one by one to the columns."""
        for store, waiting, skipped in (
            (self.frames, self._noted, 0), (self.submits, self._sent, 1), (self.notifications, self._notified, 1),
            (self.results, self._answered, 0), (self.acknowledged, self._known_received, 0),
        ):  # fmt: skip
            if waiting:
                columns = list(zip(*waiting, strict=True))[skipped:]
                store.add(dict(zip(store.names, map(np.array, columns), strict=True)))
                waiting.clear()

    def _odd(self, item: Frame | WireError, rows: _Rows, row: int) -> None:
        """Read a frame, or octets outside any frame, from a row that is not plain."""
        way, line, at = int(rows.ways[row]), self._by_slot[rows.slots[row]], int(rows.at[row])
        spot = Spot(self._frames_so_far, at, line, self.octets.keep(item.octets))
        if isinstance(item, Frame):
            problem, tolerated = self._frame(item, spot, way)
        else:
            problem, tolerated = self.problems.number(item.name), way == 0 and WIRE_ERRORS[item.name].tolerated
        ot, trn = int(item.ot) if item.ot else -1, int(item.trn) if item.trn else -1
        self._note(spot, way, (KINDS.index(item.kind), ot, trn), problem, tolerated, len(item.octets))


class _Rows(msgspec.Struct):
    """Rows of one piece; `edges` are the offsets of their octets in it."""

    at: Ints
    ways: NDArray[np.signedinteger]
    slots: Ints
    octets: NDArray[np.uint8]
    edges: Ints


def aligned(results: Store, count: int) -> Store:
    """Return the results in the order of their operations; -1, 0 or 1 for a missing result. `results` is emptied."""
    numbers, found = narrowed(results.drop("number")), Store(RESULTS[1:])
    for name, empty in (("at", -1), ("ack", 0), ("ec", 1), ("scts", 1)):
        values = results.drop(name)
        column = np.full(count, empty, values.dtype)
        column[numbers] = values
        del values
        found.put(name, column)
    return found


def _doubled(array: NDArray[np.signedinteger], empty: int) -> NDArray[np.signedinteger]:
    return np.concatenate([array, np.full_like(array, empty)])


def _widened(array: Ints) -> Ints:
    """Double the slots of each TRN; the zeros of unused TRNs are not touched and take no memory."""
    numbers, lines, fields = array.shape
    wider = np.zeros((numbers, 2 * lines, fields), np.int64)
    for number in range(numbers):
        if array[number].any():
            wider[number, :lines] = array[number]
    return wider
