"""One connection of a probe: its operations, their results, and the operations of the platform.

Results are matched to operations by TRN and operation type; unmatched ones are kept unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from simbench.ucp.checks import check
from simbench.ucp.codes import OPERATIONS
from simbench.ucp.frame import Frame, Framer, WireError, encode

ANSWERED: Final = frozenset({"52", "53"})
TRNS: Final = 100


class Operation(msgspec.Struct):
    """One operation of the probe, and every result with its TRN until that TRN was used again."""

    at: int
    trn: str
    ot: str
    what: str
    octets: bytes
    results: list[tuple[int, Frame]] = []

    @property
    def answer(self) -> Frame | None:
        """The first result."""
        return self.results[0][1] if self.results else None

    @property
    def accepted(self) -> bool:
        """Whether the first result is positive."""
        return self.answer is not None and self.answer.data[:1] == ["A"]


class Seen(msgspec.Struct):
    """A recorded connection; instants in us. `ended` is who closed it: "", "us" or "platform"."""

    name: str
    opened_at: int = -1
    closed_at: int = -1
    ended: str = ""
    operations: list[Operation] = []
    heard: list[tuple[int, Frame]] = []  # operations of the platform
    strays: list[tuple[int, Frame]] = []  # results without an operation
    broken: list[tuple[int, str, bytes]] = []  # (instant, problem, octets)
    frames: list[Frame] = []  # all received frames, in order

    def places(self) -> dict[int, int]:
        """Return the position of each frame in the input, by Python identity, because one read may contain several."""
        return {id(frame): place for place, frame in enumerate(self.frames)}

    def of(self, what: str) -> list[Operation]:
        """Return the operations sent for one purpose."""
        return [one for one in self.operations if one.what == what]


class Link(asyncio.Protocol):
    """The protocol of one connection. `now` returns the instant (us, UTC); `note` records rows of the wire."""

    def __init__(self, name: str, now: Callable[[], int], note: Callable[[tuple[object, ...]], object]) -> None:
        self.seen = Seen(name)
        self._now, self._note = now, note
        self._framer = Framer()
        self._last: dict[str, Operation] = {}  # by TRN
        self._next = 0
        self._transport: asyncio.Transport | None = None
        self._changed = asyncio.Event()

    # Sending ---------------------------------------------------------------------------------------------------

    def send(self, ot: str, what: str, build: Callable[[int], bytes]) -> Operation:
        """Send an operation with the next TRN that is not waiting for a result."""
        for _ in range(TRNS):
            trn, self._next = f"{self._next:02d}", (self._next + 1) % TRNS
            if trn not in self._last or self._last[trn].results:
                break
        octets = build(int(trn))
        one = Operation(self._now(), trn, ot, what, octets)
        self.seen.operations.append(one)
        self._last[trn] = one
        self.write(octets)
        return one

    def write(self, octets: bytes) -> None:
        """Send octets if the connection is open."""
        if self._transport is not None and not self._transport.is_closing():
            self._note((self._now(), 0, "in", octets))
            self._transport.write(octets)

    @property
    def waiting(self) -> int:
        """Number of operations without a result."""
        return sum(not one.results for one in self._last.values())

    @property
    def open(self) -> bool:
        """Whether the connection is open."""
        return self.seen.opened_at >= 0 and self.seen.closed_at < 0

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until the condition holds. Returns False on timeout or when the connection ends first."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while not condition():
            left = deadline - loop.time()
            if left <= 0 or not self.open:
                return False
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                return condition()
        return True

    def close(self) -> None:
        """Close the connection if it is open."""
        if self.open and self._transport is not None:
            self.seen.ended, self.seen.closed_at = "us", self._now()
            self._say_what_is_begun()
            self._note((self._now(), 0, "close", b"peer: the probe is over"))
            self._transport.close()

    # asyncio.Protocol ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self.seen.opened_at = self._now()
        self._note((self._now(), 0, "open", b"probe"))
        self._changed.set()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self.seen.closed_at >= 0:
            return
        at = self._now()
        self._note((at, 0, "out", bytes(data)))
        for item in self._framer.feed(data):
            if isinstance(item, WireError):
                self.seen.broken.append((at, item.name, item.octets))
            else:
                self._take(at, item)
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        if self.seen.closed_at < 0:
            self.seen.closed_at, self.seen.ended = self._now(), "platform"
            how = "reset" if exc is not None else "closed"
            self._note((self._now(), 0, "close", f"server: {how}".encode()))
            self._say_what_is_begun()
        self._changed.set()

    def _say_what_is_begun(self) -> None:
        if self._framer.pending:
            self.seen.broken.append((self._now(), "cut off", self._framer.pending))

    def _take(self, at: int, frame: Frame) -> None:
        self.seen.frames.append(frame)
        operation = self._last.get(frame.trn)
        fits = frame.kind == "R" and operation is not None and operation.ot == frame.ot
        for error in check(frame)[:1] if not fits or frame.ot in OPERATIONS else ():  # other operations have no layout
            self.seen.broken.append((at, f"{error.field}: {error.problem}", frame.octets))
        if frame.kind == "O":
            self.seen.heard.append((at, frame))
            answer = "A///" if frame.ot in ANSWERED else "N/03//"
            self.write(encode(frame.trn, "R", frame.ot, answer))
            return
        if operation is None or not fits:
            self.seen.strays.append((at, frame))
        else:
            operation.results.append((at, frame))


Connect = Callable[[Callable[[], asyncio.Protocol], str, int], Any]
"""`connect(factory, host, port)`, awaited; raises OSError if the connection fails."""
