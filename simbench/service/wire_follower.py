"""Follows the submissions and results of a ledger that is being written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simbench.kernels.frames import Odd, Scanner
from simbench.ledger import AnyLedger
from simbench.service.extent import next_piece
from simbench.service.message_frames import Answers, Submits, Waiting, read_odd, read_plain
from simbench.service.message_rows import Ints
from simbench.service.search_kernels import KERNELS

LONGEST_FRAME: Final = 8_192
PIECE_OCTETS: Final = 8_000_000  # approximate size of the reads and writes taken from the ledger at once
LOADED_S: Final = 2.0  # longest wait for kernels that only need loading
_WAYS: Final = pa.array(["in", "out"])

Take = Callable[[Submits, Answers, Ints, Ints], None]


class WireFollower:
    """Reads the wire of a ledger as far as it is on disk, and numbers the submissions from 0.

    `take` gets submissions and results in order, with the instants (us) and connections of the rows of its piece. A
    result in the same call may answer one of these submissions.
    """

    def __init__(self, ledger: AnyLedger, take: Take) -> None:
        self._ledger, self._take = ledger, take
        self._first = 0
        self._piece = next_piece(0, 0)
        self._scanner = Scanner(LONGEST_FRAME, compiled=False)  # until the kernels are loaded
        self._waiting = Waiting()
        self.count = 0  # submissions given to `take`

    @property
    def compiled(self) -> bool:
        """Whether kernels may be called."""
        return self._scanner.compiled

    def unanswered(self) -> Ints:
        """Return the numbers of the submissions that may still get a result: at most one per connection and TRN."""
        numbers = self._waiting.numbers
        return numbers[numbers >= 0]

    def catch_up(self, until: int) -> None:
        """Read the rows before `until`, which are on disk."""
        compiled = KERNELS.ready(LOADED_S)
        while self._first < until:
            self._scanner.compiled = compiled = compiled or KERNELS.ready()
            self._read_piece(min(self._piece, until - self._first))

    def _read_piece(self, most: int) -> None:
        found = self._ledger.tail("wire", self._first, ["at", "session", "direction", "octets"], most)
        self._first += found.num_rows
        self._piece = next_piece(found.num_rows, found.nbytes, PIECE_OCTETS)
        for batch in found.combine_chunks().to_batches():
            self._read_batch(batch)

    def _read_batch(self, batch: pa.RecordBatch) -> None:
        at, sessions = (batch.column(name).to_numpy() for name in ("at", "session"))
        ways = pc.index_in(batch.column("direction"), _WAYS).fill_null(-1).to_numpy()
        octets, edges = _buffers(batch.column("octets"))
        known, which = np.unique(sessions, return_inverse=True)
        slots = np.array([self._waiting.slot(session) for session in known.tolist()], np.int64)[which]
        lanes = np.where(ways < 0, -1, 2 * slots + ways)
        for block in self._scanner.frames(octets, edges, lanes):
            if isinstance(block, Odd):
                submits, answers = read_odd(block, int(lanes[block.row]), self._waiting, self.count)
            else:
                submits, answers = read_plain(block, lanes, self._waiting, self.count)
            self._take(submits, answers, at, sessions)
            self.count += len(submits.rows)
        for place in np.flatnonzero(pc.equal(batch.column("direction"), "close").to_numpy(zero_copy_only=False)):
            slot = self._waiting.forget(int(sessions[place]))
            if slot is not None:
                self._scanner.release(2 * slot)
                self._scanner.release(2 * slot + 1)


def _buffers(column: pa.BinaryArray) -> tuple[npt.NDArray[np.uint8], Ints]:
    """Return the octets of a column, and the start of each value and end of the last."""
    _, offsets, data = column.buffers()
    edges = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    octets = np.frombuffer(data if data is not None else b"", np.uint8)
    octets.flags.writeable = False  # for arrays that can be written, kernels would be compiled again
    return octets, edges
