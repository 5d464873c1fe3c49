"""Clients of a soak test: they submit within their window, acknowledge notifications, and reconnect when closed."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import cast

from simbench.ucp.frame import encode
from tests import harness
from tools.bench.load import encoded

ACKS = {b"%02d" % trn: encode(trn, "R", "53", "A///") for trn in range(100)}
PACE_S = 0.01  # between two looks at what has come due
AGAIN_S = 0.5  # pause before a client calls again
WINDOW = 100
FRAMES = 30_000  # of each client, which sends them over and over: more together than the centre keeps numbers of


class Counts:
    """Totals over all clients."""

    def __init__(self) -> None:
        self.accepted = self.refused = self.notified = self.calls = self.cuts = 0


class Link(asyncio.Protocol):
    """Run one connection of a client until it ends."""

    def __init__(self, client: Client) -> None:
        self.client, self.rest = client, b""
        self.free = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(harness.login(self.client.code))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.ended.done():
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        *whole, self.rest = (self.rest + data).split(b"\x03")
        counts, out = self.client.counts, []
        for frame in whole:
            kind = frame[10:14]
            if kind == b"R/51":
                self.free += 1
                if frame[15:16] == b"A":
                    counts.accepted += 1
                else:
                    counts.refused += 1
            elif kind == b"O/53":
                counts.notified += 1
                out.append(ACKS[frame[1:3]])
            elif kind == b"R/60":
                self.free = WINDOW
        if self.free > WINDOW // 2:
            out += self._due()
        if out:
            self.transport.write(b"".join(out))

    def _due(self) -> list[bytes]:
        """The submits that the window and the rate allow now."""
        count = min(self.free, self.client.due()) if self.client.sending else 0
        self.free -= count
        return self.client.next(count)

    def keep_pace(self) -> None:
        """Send what has come due."""
        if self.free and not self.transport.is_closing() and (out := self._due()):
            self.transport.write(b"".join(out))


class Client:
    """The client of one short code, which reconnects after each disconnection.

    It submits `rate_per_s` messages evenly, and catches up after a disconnection; 0: as fast as its window allows.
    """

    def __init__(self, code: str, number: int, counts: Counts, frames: int, rate_per_s: float = 0.0) -> None:
        self.code, self.counts, self.sending = code, counts, True
        self._rate_per_s, self._began_s, self._sent = rate_per_s, time.monotonic(), 0
        half, first = frames // 2, number * frames
        plain, notified = (encoded(code, first + notify * half, half, bool(notify)) for notify in (0, 1))
        # Mixed: half want a notification.
        self._frames = [frame for pair in zip(plain, notified, strict=True) for frame in pair]
        self._at = 0

    def next(self, count: int) -> list[bytes]:
        """The next submits."""
        self._sent += count
        taken = self._frames[self._at : self._at + count]
        self._at = (self._at + count) % len(self._frames) if self._at + count < len(self._frames) else 0
        return taken

    def due(self) -> int:
        """Return the number of messages that the rate allows now."""
        if not self._rate_per_s:
            return WINDOW
        return max(0, int((time.monotonic() - self._began_s) * self._rate_per_s) - self._sent)

    async def run(self, port: int) -> None:
        """Connect, and reconnect after each cut."""
        loop = asyncio.get_running_loop()
        while self.sending:
            with suppress(OSError):
                _, link = await loop.create_connection(lambda: Link(self), "127.0.0.1", port)
                self.counts.calls += 1
                while not link.ended.done():
                    await asyncio.wait((link.ended,), timeout=PACE_S)
                    link.keep_pace()
                self.counts.cuts += 1
            await asyncio.sleep(AGAIN_S)
