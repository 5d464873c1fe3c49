"""Serves plain frames of many connections at a time, delivers plain messages and sends their notifications.

This path exists for speed: its kernels decide like gateway and centre, on the same state. All other frames are left to
these, in order; a test compares both octet by octet and row by row.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fake_smsc.fast import compiled
from fake_smsc.fast.book import Book, address
from fake_smsc.fast.kernels import layout as lay
from fake_smsc.fast.kernels.frames import FOUND_WIDTH
from fake_smsc.fast.log import Log
from fake_smsc.fast.windows import SharedWindow
from fake_smsc.ucp_gateway.gateway import Serve, piece_end, weight
from fake_smsc.ucp_gateway.line import Line, OwnWindow
from fake_smsc.ucp_gateway.notifications import NotificationSender
from fake_smsc.ucp_gateway.shares import Reads, Shares
from fake_smsc.ucp_gateway.submission import COMMON_FIELDS, Submission
from simbench.base.units import NEVER, SECOND_US
from simbench.numbering.addresses import key_of
from simbench.ucp.fields import At
from simbench.ucp.frame import ETX

OUT_OCTETS: Final = 1 << 17
LEAST_OCTETS: Final = 24  # of a frame that leaves a row or an answer
RUNNING: Final = frozenset({"up", "degraded"})
_VALIDITY: Final = re.compile(COMMON_FIELDS[At.VP])


class PlainPath:
    """The fast path of one gateway and its centre; also the crowd of the centre's timer queue."""

    def __init__(
        self, book: Book, submission: Submission, notification_sender: NotificationSender, single: Serve
    ) -> None:
        centre = submission.centre
        self.book, self.centre, self._sender, self._single = book, centre, notification_sender, single
        self._out, self._base = submission.out, centre.base
        book.settle(centre)
        self._fits = book.fits(centre)
        book.state[lay.TOGETHER] = centre.base.law is None and not centre.delivery.settings.failures
        self._lines: dict[int, Line] = {}  # by their row
        self._together = True  # whether no message announced a following one
        self._seen = (0, 0)
        self._base_version = centre.base.version
        self._reads = np.zeros((16, lay.READ_WIDTH), np.int64)
        self._lone = self._reads[:1]
        self._outs = np.zeros((64, 3), np.int64)
        self._octets_out = np.zeros(OUT_OCTETS, np.uint8)
        self._found = np.zeros(FOUND_WIDTH, np.int64)
        self._parsed = np.zeros((lay.PARSED_MOST, FOUND_WIDTH), np.int64)
        self._log = Log(centre.sink, book)
        self._keys, self._ids = np.zeros((2, 1024), np.int64)
        self.head = NEVER  # the earliest instant at which a row is due
        centre.timer_queue.crowd = self
        centre.delivery.unpack = self.unpack
        self._renew()

    # Called by the gateway -------------------------------------------------------------------------------------

    def window(self, line: int, size: int, now: int) -> OwnWindow:
        """Return the window of a new connection's own operations."""
        return SharedWindow(self.book, line, size, now)

    def closed(self, line: Line) -> None:
        """Release a connection's row; its timers find an empty window."""
        own = line.own
        if isinstance(own, SharedWindow):
            self._lines.pop(own.line, None)
            self.book.close_line(own.line)
            line.session.own = line.own = OwnWindow(1, own.room_at)

    def serve(self, reads: Reads, now: int, shares: Shares) -> bool:
        """Serve the frames completed by the reads, in order; those that need the core within their shares.

        Return False if the core must serve all.
        """
        centre, kernels = self.centre, compiled.kernels()
        if kernels is None or not self._fits or centre.state not in RUNNING or now < centre.now:
            return False
        self._together = not centre.delivery.announced(now)
        first = 0
        if len(reads) > 1:
            seen: set[int] = set()
            for place, (line, _) in enumerate(
                reads
            ):  # a connection's later read begins with the rest of the earlier one
                if line.number in seen:
                    self._serve(kernels, reads[first:place], now, shares)
                    first = place
                    seen.clear()
                seen.add(line.number)
        self._serve(kernels, reads[first:] if first else reads, now, shares)
        return True

    def _serve(self, kernels: compiled.Kernels, reads: Reads, now: int, shares: Shares) -> None:
        """Serve reads of different connections."""
        reads = [each for each in reads if not shares.keeps(*each)]
        if not reads:
            return
        octets = self._take(reads)
        self._begin(now)
        state = self.book.cells
        state[lay.SEGMENT], state[lay.AT], state[lay.UNFINISHED] = 0, -1, 0
        frames = np.frombuffer(octets, np.uint8)
        segments = self._reads[: len(reads)]
        while True:
            why = self._call(kernels, frames, segments)
            if why == lay.DONE:
                break
            if why == lay.CORE:
                self.write_rows(now)
                self._serve_one(reads, octets, now, shares)
            else:
                self._supply(why)
        self.write_rows(now)
        if state[lay.UNFINISHED]:
            for (line, _), (_, _, end, at, _) in zip(reads, segments.tolist(), strict=True):
                if at < end:
                    line.framer.feed(octets[at:end])

    def _call(self, kernels: compiled.Kernels, frames: NDArray[np.uint8], segments: NDArray[np.int64]) -> int:
        book, centre, log = self.book, self.centre, self._log
        return kernels.serve(
            book.state, frames, segments, book.lines, book.accounts, book.lists, book.codes, book.rings,
            self._base.reaches.cells, centre.scts_allocator.last.cells, centre.message_ids.ordinals.cells,
            book.rows, book.index.fresh, book.wheel, book.caches, self._parsed, self._found,
            self._octets_out, self._outs, log.cells, log.text, log.offsets,
        )  # fmt: skip

    def answer(self, line: Line, octets: bytes, now: int) -> bytes | None:
        """Serve a read that is one plain frame, and the only one of its turn; return its result.

        For anything else it returns None and changes nothing. The caller writes the result, then calls `write_rows`,
        because a client with a window of 1 waits for its result.
        """
        centre, kernels = self.centre, compiled.kernels()
        if (
            kernels is None or not self._fits or centre.state not in RUNNING or now < centre.now
            or line.framer.pending or octets.find(ETX) != len(octets) - 1 or centre.delivery.announced(now)
        ):  # fmt: skip
            return None
        self._together = True
        flags, own = self._flags(line), line.own
        if not flags & lay.SUBMITS or not isinstance(own, SharedWindow):
            return None
        self._lines[own.line] = line
        self._begin(now)
        state, cells = self.book.cells, self._reads.data
        state[lay.SEGMENT], state[lay.AT], state[lay.UNFINISHED] = 0, -1, 0
        cells[0, 0], cells[0, 1], cells[0, 2], cells[0, 3], cells[0, 4] = own.line, 0, len(octets), len(octets), flags
        frames = np.frombuffer(octets, np.uint8)
        while (why := self._call(kernels, frames, self._lone)) != lay.DONE:
            if why == lay.CORE:
                state[lay.OUT], state[lay.OUTS] = 0, -1
                return None
            self._supply(why)
        result = self._octets_out[: state[lay.OUT]].tobytes()
        state[lay.OUT], state[lay.OUTS] = 0, -1
        return result

    def carry(self, accounts: set[str]) -> bool:
        """Send the waiting notifications of these accounts, and of those with new rows."""
        book, kernels = self.book, compiled.kernels()
        state = book.cells
        if kernels is None or not self._fits:
            return False
        if not accounts and not state[lay.FRESH]:
            return True
        self._renew()
        for account in accounts:
            book.accounts[book.numbers[account], lay.IS_FRESH] = 1
        state[lay.CARRIED], state[lay.CARRY_LINE] = 0, -1
        while True:
            why = kernels.carry(
                book.state, book.lines, book.accounts, book.lists, book.order, book.codes, book.rows, book.caches,
                book.pieces, self._octets_out, self._outs,
            )  # fmt: skip
            if why == lay.DONE:
                break
            if why == lay.CORE:
                self._send_one()
            elif why == lay.CHECK:
                self._sender.expect(self._lines[int(state[lay.LINE])], int(state[lay.NEEDED]))
            elif why == lay.ROOM:
                self._write_out()
                self._resume_out()
            else:
                self._supply(why)
        self._write_out()
        state[lay.FRESH] = 0
        return True

    # Called by the timer queue and the delivery ----------------------------------------------------------------

    def run(self, due: int, number: int, not_before: int) -> bool:
        """Deliver rows before (due, number), up to the first that the core must attempt."""
        book, log, kernels = self.book, self._log, compiled.kernels()
        state = book.cells
        assert kernels is not None
        self._look_at_subscribers()
        state[lay.DUE], state[lay.DUE_NUMBER], state[lay.NOT_BEFORE] = due, number, not_before
        did = False
        while True:
            why = kernels.deliver(
                book.state, book.rows, book.wheel, book.accounts, self._base.reaches.cells, log.cells, log.text,
                log.offsets, self._keys, self._ids,
            )  # fmt: skip
            did = did or bool(state[lay.LOGGED])
            if why == lay.SUBSCRIBER:
                self._supply(why)
                continue
            if why == lay.ROOM and not state[lay.LOGGED]:
                self._keys, self._ids = np.zeros((2, 2 * len(self._keys)), np.int64)
            self.write_rows(None)
            if why == lay.ROOM:
                continue
            if why == lay.CORE:
                row = int(state[lay.ROW])
                message, at = book.message(row), max(int(book.rows[row, lay.R_DUE]), not_before)
                book.free(row)
                self.centre.delivery.index.add(message)
                self.centre.delivery.attempt(message, at)
            return did or why == lay.CORE

    def unpack(self, recipient: str) -> None:
        """Turn the rows on their way to a subscriber into objects, keeping their due times."""
        book, timer_queue, plan = self.book, self.centre.timer_queue, self._base.plan
        keys = [key_of(each) for each in plan.spellings(plan.classify(recipient)) if each.isdigit()]
        for row in book.index.find(keys, book.rows, book.state, self.centre.now):
            due, number = book.rows[row, : lay.R_NUMBER + 1].tolist()
            book.take_out(row)
            message = book.message(row)
            timer_queue.enter_numbered(due, number, self.centre.delivery.attempt, message)
            self.centre.delivery.index.add(message)
            book.free(row)

    # Between kernels and core ----------------------------------------------------------------------------------

    def _begin(self, now: int) -> None:
        """Copy the state of this instant for the kernels."""
        centre, state = self.centre, self.book.cells
        self._renew()
        self._look_at_subscribers()
        centre.message_ids.turn(now)
        centre.scts_allocator.prune(now // SECOND_US)
        state[lay.NOW], state[lay.NUMBER] = now, centre.timer_queue.numbered
        state[lay.OUTS] = -1
        state[lay.PARSED] = state[lay.SERVED] = 0

    def _renew(self) -> None:
        seen = (self.centre.version, self._sender.version)
        if seen != self._seen:
            self._seen = seen
            lines_of = {}
            for account, lines in self._sender.of_account.items():
                own = {line.own.line: line for line in lines if isinstance(line.own, SharedWindow)}
                self._lines |= own
                lines_of[account] = list(own)
            self.book.renew(self.centre, lines_of)

    def _look_at_subscribers(self) -> None:
        if self._base.version != self._base_version:
            self._base_version = self._base.version
            self.book.state[lay.CHANGED] = self.centre.timer_queue.numbered

    def _take(self, reads: Reads) -> bytes:
        """Join the octets of a turn, and record the position of each read."""
        if len(reads) > len(self._reads):
            self._reads = np.zeros((2 * len(reads), lay.READ_WIDTH), np.int64)
            self._lone = self._reads[:1]
            self._outs = np.zeros((4 * len(reads) + 64, 3), np.int64)
        pieces, rows, at = [], [], 0
        for line, octets in reads:
            if line.framer.pending:
                octets = line.framer.release() + octets  # noqa: PLW2901 - the frame begun before
            end = at + len(octets)
            own = line.own
            assert isinstance(own, SharedWindow)
            self._lines[own.line] = line
            rows.append((own.line, at, end, end, self._flags(line)))
            pieces.append(octets)
            at = end
        if len(rows) == 1:
            cells = self._reads.data
            cells[0, 0], cells[0, 1], cells[0, 2], cells[0, 3], cells[0, 4] = rows[0]
        else:
            self._reads[: len(rows)] = rows
        frames = at // LEAST_OCTETS + 2
        if frames > self._log.room:
            self._log.make_room(2 * frames)
        if 64 * frames > len(self._octets_out):
            self._octets_out = np.zeros(128 * frames, np.uint8)
        return b"".join(pieces) if len(pieces) > 1 else pieces[0]

    def _flags(self, line: Line) -> int:
        if line.mute or line.closing or line.session.state != "open":
            return 0
        flags = lay.RESULTS if self._sender.takes_bare else 0
        return flags | lay.SUBMITS if self._together and not line.session.peer.outstanding else flags

    def _serve_one(self, reads: Reads, octets: bytes, now: int, shares: Shares) -> None:
        """Let the core serve the frame at which the kernel stopped."""
        state = self.book.cells
        segment, at, end = state[lay.SEGMENT], state[lay.AT], state[lay.FRAME_END]
        line, spent = reads[segment][0], 0
        room = shares.room(line)
        while at < end and spent < room and not line.closing:
            stop = piece_end(octets, at, end)
            spent += weight(max(1, self._single(line, octets[at:stop], now)), stop - at)
            at = stop
        shares.spend(line, spent)
        last = int(self._reads[segment, lay.READ_END])
        if line.closing or (spent >= room and at < last):
            if not line.closing:
                shares.keep(line, octets[at:last])
            self._reads[segment, lay.READ_END] = at
        announced = self._together and self.centre.delivery.announced(now)
        self._together = self._together and not announced
        for place in range(len(reads)) if announced else (segment,):
            self._reads[place, lay.READ_FLAGS] = self._flags(reads[place][0])
        self._begin(now)
        state[lay.AT], state[lay.OUTS] = at, 0
        self._outs[0] = self._reads[segment, lay.READ_LINE], 0, 0

    def _send_one(self) -> None:
        """Let the core send the notification at which the kernel stopped."""
        state, book = self.book.state, self.book
        self._write_out()
        line = self._lines[int(state[lay.CARRY_LINE])]
        account = book.names[int(book.lines[state[lay.CARRY_LINE], lay.ACCOUNT])]
        (notification,) = self.centre.notification_queue.pull(account, 1)
        self._sender.send(line, notification)
        state[lay.CARRY_LEFT] -= 1
        if not state[lay.CARRY_LEFT]:
            state[lay.CARRY_LINE] = -1
        self._resume_out()

    def _resume_out(self) -> None:
        """Continue the output of the connection that is being filled."""
        state = self.book.state
        if state[lay.CARRY_LINE] >= 0:
            state[lay.OUTS] = 0
            self._outs[0] = state[lay.CARRY_LINE], 0, 0

    def _supply(self, why: int) -> None:
        """Supply the data that a kernel needs, or make room."""
        needed = int(self.book.state[lay.NEEDED])
        if why == lay.SUBSCRIBER:
            self._base.reach(address(needed))
        elif why == lay.STAMP:
            self.book.learn_stamp(needed, self._out.times.stamp(needed))
        elif why == lay.VALIDITY:
            text = f"{needed:010d}"
            self.book.learn_validity(needed, self._out.times.minute(text) if _VALIDITY.fullmatch(text) else -1)
        else:
            tables = (self.centre.scts_allocator.last, self.centre.message_ids.ordinals)
            self.book.make_room(tables, self.centre.now)

    # Results of the kernels ------------------------------------------------------------------------------------

    def write_rows(self, now: int | None) -> None:
        """Hand over output, rows and counts. `now`: the instant of all rows, None: each has its own."""
        state, centre = self.book.cells, self.centre
        self.head = state[lay.HEAD]
        if now is not None:
            self._write_out()
            centre.timer_queue.numbered = state[lay.NUMBER]
            centre.decided += state[lay.DECIDED]
            state[lay.DECIDED] = 0
        centre.delivery.on_the_way += state[lay.ON_THE_WAY]
        count = state[lay.LOGGED]
        state[lay.ON_THE_WAY] = state[lay.LOGGED] = 0
        if count:
            self._log.hand_over(count, now)

    def _write_out(self) -> None:
        state, out = self.book.cells, self._octets_out
        for line, begin, end in self._outs[: state[lay.OUTS] + 1].tolist():
            if end > begin:
                self._out.write(self._lines[line], out[begin:end].tobytes())
        state[lay.OUT], state[lay.OUTS] = 0, -1
