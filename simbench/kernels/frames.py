"""Finds the frames in the octets of many connections at once; a lane is one direction of one connection.

A frame is recognised by STX, header, LEN, checksum and ETX (EMI-UCP 4.0 section 2). Octets of any other form are left
to a `Framer`, and so is everything without a compiler.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.kernels.jit import compiles, kernel_beside
from simbench.ucp.frame import Frame, Framer, WireError

Ints = NDArray[np.int64]
Octets = NDArray[np.uint8]

LONGEST: Final = 4_098  # octets of the longest frame found here, STX and ETX included
OPERATION, RESULT = 0, 100  # added to the OT: kind 51 is an operation, 151 its result
HEADER: Final = 15  # octets before the data of a frame: STX, TRN, LEN, O/R, OT and their slashes
_FOUND: Final = 5  # columns of `found`: row, offset, size, kind, TRN
_HELD_ELSEWHERE: Final = -1
_DONE, _ODD, _FULL = 0, 1, 2
_NO: Final = -1


def number_at(octets: Octets, at: int, digits: int) -> int:
    """Return the digits at an offset as a number, -1 if a character is not a digit."""
    number = 0
    for place in range(at, at + digits):
        digit = int(octets[place]) - 48
        if digit < 0 or digit > 9:
            return _NO
        number = number * 10 + digit
    return number


def kind_of(octets: Octets, at: int, last: int) -> int:
    """Return the kind of a well-formed frame that begins and ends at these offsets, -1 for anything else."""
    if last - at < HEADER + 2 or octets[at] != 2 or octets[last] != 3:
        return _NO
    slashes = octets[at + 3] == 47 and octets[at + 9] == 47 and octets[at + 11] == 47 and octets[at + 14] == 47
    letter, ot = octets[at + 10], number_at(octets, at + 12, 2)
    if not slashes or ot < 0 or number_at(octets, at + 4, 5) != last - at - 1 or number_at(octets, at + 1, 2) < 0:
        return _NO
    if letter not in (79, 82) or octets[last - 3] != 47:
        return _NO
    total, odd = 0, False
    for place in range(at + 1, last - 2):
        octet = octets[place]
        total += octet
        odd |= octet > 127 or octet == 2 or octet == 3  # noqa: PLR1714 - compiled to wide steps
    high, low = total >> 4 & 15, total & 15
    high, low = high + (48 if high < 10 else 55), low + (48 if low < 10 else 55)
    if odd or octets[last - 2] != high or octets[last - 1] != low:
        return _NO
    return ot + (OPERATION if letter == 79 else RESULT)


def frames_in(octets: Octets, at: int, end: int, row: int, count: int, found: Ints) -> tuple[int, int]:
    """Enter the whole frames from a place on: how many are found now, and where an unfinished one begins.

    The place is `end` where nothing is left, and -1 where octets belong to no frame.
    """
    while at < end:
        last = end
        if end - at > 8:
            length = number_at(octets, at + 4, 5)
            if length < 0 or length + 2 > LONGEST:
                return count, _NO
            last = at + length + 1
        if last >= end:
            break
        kind = kind_of(octets, at, last)
        if kind < 0:
            return count, _NO
        found[count, 0], found[count, 1], found[count, 2] = row, at, last + 1 - at
        found[count, 3], found[count, 4] = kind, number_at(octets, at + 1, 2)
        count, at = count + 1, last + 1
    sound = at == end or octets[at] == 2
    for place in range(at + 1, end):
        sound = sound and octets[place] != 2 and octets[place] != 3
    return count, at if sound else _NO


@kernel_beside
def scan(  # noqa: PLR0912, PLR0913 - one pass over the octets, and a kernel has no objects
    octets: Octets, edges: Ints, lanes: Ints, first: int, rests: Octets, sizes: Ints, joined: Octets, used: int,
    found: Ints, state: Ints,
) -> None:  # fmt: skip
    """Find frames in rows from `first` on, until a row has other octets, or `found` or `joined` is full.

    `rests[lane, :sizes[lane]]` is the unfinished frame of a lane. A frame from several rows is joined in `joined`, and
    its offset is stored as -1 - offset. Results in `state`: reason for the end, row, frames found, octets of `joined`.
    """
    count, rows = 0, len(lanes)
    state[0] = _DONE
    row = first
    while row < rows:
        lane, at, end = lanes[row], edges[row], edges[row + 1]
        if lane < 0 or at == end:
            row += 1
            continue
        held = sizes[lane]
        if held == _HELD_ELSEWHERE:
            state[0] = _ODD
            break
        if count + (end - at + held) // (HEADER + 3) + 1 > len(found) or used + held + end - at > len(joined):
            state[0] = _FULL
            break
        before, used_before, sound = count, used, True
        if held > 0:  # the row begins with the end of the unfinished frame
            place = at
            while place < end and octets[place] != 3 and octets[place] != 2:
                place += 1
            if place == end and held + end - at < LONGEST:
                rests[lane, held : held + end - at] = octets[at:end]
                sizes[lane] = held + end - at
                row += 1
                continue
            if place == end or octets[place] == 2 or held + place + 1 - at > LONGEST:
                sound = False
            else:
                joined[used : used + held] = rests[lane, :held]
                joined[used + held : used + held + place + 1 - at] = octets[at : place + 1]
                size = held + place + 1 - at
                kind = kind_of(joined, used, used + size - 1)
                if kind < 0:
                    sound = False
                else:
                    found[count, 0], found[count, 1], found[count, 2] = row, -1 - used, size
                    found[count, 3], found[count, 4] = kind, number_at(joined, used + 1, 2)
                    count, used, at = count + 1, used + size, place + 1
        if sound:
            count, at = frames_in(octets, at, end, row, count, found)
        if not sound or at < 0:
            count, used = before, used_before
            state[0] = _ODD
            break
        sizes[lane] = end - at
        rests[lane, : end - at] = octets[at:end]
        row += 1
    state[1], state[2], state[3] = row, count, used


class Plain(msgspec.Struct, frozen=True):
    """Well-formed frames in order: row, offset, size, kind (OT, plus 100 for a result) and TRN of each.

    A negative offset means a position in `joined`: -1 - offset.
    """

    octets: Octets
    joined: Octets
    rows: Ints
    places: Ints
    sizes: Ints
    kinds: Ints
    trns: Ints

    def frame(self, number: int) -> bytes:
        """Return the octets of one frame."""
        place, size = int(self.places[number]), int(self.sizes[number])
        if place < 0:
            return self.joined[-1 - place : -1 - place + size].tobytes()
        return self.octets[place : place + size].tobytes()


class Odd(msgspec.Struct, frozen=True):
    """One row with octets other than well-formed frames, and the frames and errors that a `Framer` found in it."""

    row: int
    items: list[Frame | WireError]


class Scanner:
    """Finds the frames of lanes row by row, and keeps unfinished frames until their end arrives."""

    def __init__(self, max_octets: int = 4096, *, compiled: bool | None = None) -> None:
        """`max_octets`: limit of a frame, as for `Framer`. `compiled`: False if compiling is not worth it."""
        self._framer = Framer(max_octets)
        self._rests = np.empty((16, LONGEST), np.uint8)
        self._sizes = np.zeros(16, np.int64)
        self._elsewhere: dict[int, bytes] = {}  # unfinished octets that begin no frame
        self.compiled = compiles() if compiled is None else compiled  # may be set while it runs

    def frames(self, octets: Octets, edges: Ints, lanes: Sequence[int] | Ints) -> Iterator[Plain | Odd]:
        """Yield everything that ends in these rows, in order.

        Row `i` is `octets[edges[i]:edges[i + 1]]` and belongs to `lanes[i]`, none if negative. Use each result before
        requesting the next.
        """
        lanes = np.asarray(lanes, np.int64)
        edges = np.asarray(edges, np.int64)
        self._make_room(int(lanes.max(initial=0)) + 1)
        if not self.compiled:
            yield from (self._odd(octets, edges, lanes, row) for row in np.flatnonzero(lanes >= 0).tolist())
            return
        longest = int(np.diff(edges).max(initial=0)) + LONGEST
        joined = np.empty(max(4 * longest, 1 << 18), np.uint8)
        found = np.empty((max(len(octets) // 40, longest // HEADER, 64), _FOUND), np.int64)
        state = np.zeros(4, np.int64)
        row = 0
        while row < len(lanes):
            scan(octets, edges, lanes, row, self._rests, self._sizes, joined, 0, found, state)
            ended, row, count, _ = state.tolist()
            if count:
                yield Plain(octets, joined, *(found[:count, column].copy() for column in range(_FOUND)))
            if ended == _ODD:
                yield self._odd(octets, edges, lanes, row)
                row += 1

    def _odd(self, octets: Octets, edges: Ints, lanes: Ints, row: int) -> Odd:
        lane, fresh = int(lanes[row]), octets[edges[row] : edges[row + 1]].tobytes()
        items = self._framer.feed(self.release(lane) + fresh)
        self._keep(lane, self._framer.release())
        return Odd(row, items)

    def _keep(self, lane: int, rest: bytes) -> None:
        if not rest.startswith(b"\x02") or len(rest) >= LONGEST:
            self._sizes[lane] = _HELD_ELSEWHERE if rest else 0
            self._elsewhere[lane] = rest
            return
        self._rests[lane, : len(rest)] = np.frombuffer(rest, np.uint8)
        self._sizes[lane] = len(rest)

    def release(self, lane: int) -> bytes:
        """Return and clear the unfinished octets of a lane."""
        if lane >= len(self._sizes):
            return b""
        size = int(self._sizes[lane])
        self._sizes[lane] = 0
        return self._elsewhere.pop(lane, b"") if size == _HELD_ELSEWHERE else self._rests[lane, :size].tobytes()

    def _make_room(self, lanes: int) -> None:
        if lanes > len(self._sizes):
            more = max(lanes, 2 * len(self._sizes))
            rests, sizes = np.empty((more, LONGEST), np.uint8), np.zeros(more, np.int64)
            held = np.flatnonzero(self._sizes > 0)  # the others take no memory before they are used
            rests[held], sizes[: len(self._sizes)] = self._rests[held], self._sizes
            self._rests, self._sizes = rests, sizes
