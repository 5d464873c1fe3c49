"""Sends records to a RADIUS server over UDP, each until it is answered or given up.

One source port has at most `window` open requests: identifiers have one octet, and a server treats one that is reused
too early as a conflict. Retransmission: RFC 5080 section 2.2.1; a changed Acct-Delay-Time is a new request with a new
identifier (RFC 2866 section 4.1).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, cast

from simbench.base.errors import BadInput, Trouble
from simbench.base.units import SECOND_US
from simbench.base.version import __version__
from simbench.dialup.offer import load_netrevenu
from simbench.dialup.radius.journal import Ended, Journal, Sent, Started, Try
from simbench.dialup.radius.packets import answers, encode, sign
from simbench.dialup.radius.plan import Planned
from simbench.kernels.chance import draw, entity_of

WINDOW: Final = 50
TICK_S: Final = 0.02  # interval of checks of open requests
REMEMBERED: Final = 3  # identifiers of one record that an answer may still have
_JITTER: Final = entity_of("retransmission")


@dataclass(frozen=True)
class Server:
    """The server and the settings of sending. `window`: open requests per source port, at most 50; `speed` 0: no pause.

    Retransmissions follow after about `first_s`, then twice as long each time up to `longest_s` (seconds of real time).
    """

    host: str
    port: int
    secret: bytes
    window: int = WINDOW
    ports: int = 2  # 100 open requests fit into the default buffer of a Linux socket, 200 do not
    speed: float = 0.0
    retransmissions: int = field(default_factory=lambda: load_netrevenu().terms.accounting.retransmissions.value)
    first_s: float = 2.0
    longest_s: float = 16.0

    def __post_init__(self) -> None:
        """Check the settings. Raises BadInput."""
        if not 1 <= self.window <= WINDOW:
            raise BadInput("window", f"{self.window} open requests per source port", f"1 to {WINDOW}")
        if not (math.isfinite(self.speed) and self.speed >= 0):
            raise BadInput("speed", f"{self.speed}", "a number of seconds a second")
        if not self.secret:
            raise BadInput("secret", "is empty", "the secret shared with the server")


class _Open:
    """An unanswered record."""

    __slots__ = ("again_at", "attributes", "due_us", "identifiers", "number", "planned", "tries", "wait_s")

    def __init__(self, number: int, planned: Planned, due_us: int) -> None:
        self.number, self.planned, self.due_us = number, planned, due_us
        self.tries: list[Try] = []
        self.identifiers: deque[int] = deque()
        self.attributes = b""
        self.again_at = self.wait_s = 0.0


class _Line(asyncio.DatagramProtocol):
    """One source port, with its records by identifier."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.open: dict[int, _Open] = {}  # by number of the record
        self.requests: dict[int, tuple[_Open, bytes]] = {}  # by identifier, with the request as it was sent
        self._identifier = 0
        self.transport: asyncio.DatagramTransport
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, _addr: object) -> None:
        self._sender.received(self, data)

    def error_received(self, _error: Exception) -> None:
        self._sender.refused += 1

    def fresh(self, each: _Open, secret: bytes, delay_s: int) -> bytes:
        """Return a new request for a record, with a free identifier."""
        while self._identifier in self.requests:
            self._identifier = (self._identifier + 1) & 0xFF
        identifier, self._identifier = self._identifier, (self._identifier + 1) & 0xFF
        if len(each.identifiers) == REMEMBERED:
            del self.requests[each.identifiers.popleft()]
        request = sign(encode(each.planned.record, delay_s), identifier, secret)
        self.requests[identifier] = each, request
        each.identifiers.append(identifier)
        return request

    def forget(self, each: _Open) -> None:
        """Remove a record from this port."""
        for identifier in each.identifiers:
            del self.requests[identifier]
        del self.open[each.number]


class Sender:
    """One run; its counts may be read while it runs."""

    def __init__(self, server: Server, journal: Journal, seed: int = 1) -> None:
        self._server, self._journal, self._seed = server, journal, seed
        self._lines: list[_Line] = []
        self._planned: Iterator[Planned] = iter(())
        self._next: Planned | None = None
        self._first_due_us = -1
        self._start = self._turn = 0
        self.records = self.answered = self.given_up = self.withheld = self.retransmitted = 0
        self.unsigned = self.stray = self.refused = 0

    async def run(self, planned: Iterable[Planned], faults: Iterable[str] = ()) -> None:
        """Send all records and wait for all answers.

        Raises Trouble if the address is unusable, or the first record was given up before any answer.
        """
        server, loop = self._server, asyncio.get_running_loop()
        self._done: asyncio.Future[None] = loop.create_future()
        self._start = int(loop.time() * SECOND_US)
        self._offset_us = time.time_ns() // 1000 - self._start
        started_us = self._start + self._offset_us
        self._journal.append(
            Started(
                version=__version__, server=f"{server.host}:{server.port}", started_us=started_us, seed=self._seed,
                faults=tuple(faults), window=server.window, ports=server.ports,
                retransmissions=server.retransmissions, speed=server.speed,
            )
        )  # fmt: skip
        try:
            for _ in range(server.ports):
                _, line = await loop.create_datagram_endpoint(
                    lambda: _Line(self), remote_addr=(server.host, server.port)
                )
                self._lines.append(line)
        except OSError as problem:
            raise Trouble(f"{server.host}:{server.port} cannot be reached: {problem.strerror or problem}") from None
        self._planned = iter(planned)
        ticking = asyncio.create_task(self._tick())
        try:
            self._advance()
            self._pump()
            await self._done
        finally:
            ticking.cancel()
            for line in self._lines:
                line.transport.close()
        self._journal.append(Ended(self._now(), self.records + self.withheld, self.unsigned, self.stray, self.refused))

    def _now(self) -> int:
        return int(asyncio.get_running_loop().time() * SECOND_US) + self._offset_us

    async def _tick(self) -> None:
        """Retransmit or give up overdue requests, and send due records."""
        while not self._done.done():
            await asyncio.sleep(TICK_S)
            self._pump(again=True)

    def _pump(self, *, again: bool = False) -> None:
        """Send due records; an error is passed to the caller of `run`, because a callback's error would be lost."""
        try:
            if again:
                now = asyncio.get_running_loop().time()
                for line in self._lines:
                    for each in [each for each in line.open.values() if each.again_at <= now]:
                        self._again(line, each)
            self._fill()
        except Exception as error:
            if not self._done.done():
                self._done.set_exception(error)

    def _again(self, line: _Line, each: _Open) -> None:
        if len(each.tries) <= self._server.retransmissions:
            self.retransmitted += 1
            self._send(line, each)
            return
        if not self.answered:
            raise Trouble(self._silence())
        self.given_up += 1
        self._finish(line, each, -1)

    def _silence(self) -> str:
        to = f"{self._server.host}:{self._server.port}"
        if self.unsigned:
            return f"{to} answers with authenticators that do not match this secret: the server has another secret"
        if self.refused:
            return f"nobody listens at {to}"
        return f"{to} does not answer: the secret is wrong, the server does not know this client, or there is no server"

    def _advance(self) -> None:
        """Take the next record to send; record the withheld ones."""
        for planned in self._planned:
            if not planned.withheld:
                self._next = planned
                return
            self.withheld += 1
            self._note(Sent(planned))
        self._next = None

    def _fill(self) -> None:
        """Send due records while there is room; end the run after the last one."""
        lines, window, now_us = self._lines, self._server.window, self._now()
        while self._next is not None:
            due_us = self._due(self._next.due_us, now_us)
            if due_us > now_us:
                return
            for _ in lines:
                self._turn = (self._turn + 1) % len(lines)
                line = lines[self._turn]
                if len(line.open) < window:
                    break
            else:
                return
            happened_us = self._due(self._next.at_us, now_us)
            each = _Open(self.records, self._next, min(happened_us, now_us))
            line.open[each.number] = each
            self.records += 1
            self._send(line, each)
            self._advance()
        if not any(line.open for line in lines) and not self._done.done():
            self._done.set_result(None)

    def _due(self, virtual_us: int, now_us: int) -> int:
        """Convert an instant of the calls to real time: its distance from the first one, divided by the speed."""
        if not self._server.speed:
            return now_us
        if self._first_due_us < 0:
            self._first_due_us = virtual_us
        return self._start + self._offset_us + int((virtual_us - self._first_due_us) / self._server.speed)

    def _send(self, line: _Line, each: _Open) -> None:
        now_us, loop, server = self._now(), asyncio.get_running_loop(), self._server
        delay_s = (now_us - each.due_us) // SECOND_US
        if each.tries and each.tries[-1].delay_s == delay_s:
            request = line.requests[each.tries[-1].identifier][1]
        else:
            request = line.fresh(each, server.secret, delay_s)
        each.tries.append(Try(now_us, line.port, request[1], delay_s))
        each.wait_s = min(server.longest_s, each.wait_s * 2) if each.wait_s else server.first_s
        spread = 0.9 + draw(self._seed, each.number * 64 + len(each.tries), _JITTER) % 2001 / 10_000
        each.again_at = loop.time() + each.wait_s * spread
        line.transport.sendto(request)

    def received(self, line: _Line, octets: bytes) -> None:
        """Process a received datagram."""
        each, request = line.requests.get(octets[1], (None, b"")) if len(octets) > 1 else (None, b"")
        if each is None:
            self.stray += 1
        elif not answers(octets, request, self._server.secret):
            self.unsigned += 1
        else:
            self.answered += 1
            self._finish(line, each, self._now())
            self._pump()

    def _finish(self, line: _Line, each: _Open, answered_us: int) -> None:
        line.forget(each)
        self._note(Sent(each.planned, tuple(each.tries), answered_us))

    def _note(self, sent: Sent) -> None:
        self._journal.append(sent)
