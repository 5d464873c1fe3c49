"""The asyncio shell of the client: sockets, one timer per link, the clock.

In every turn, events are stored first, then octets are written, then events are reported.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec

from simbench.base.units import NEVER, SECOND_US
from simbench.client.core import Core
from simbench.client.messages import Close, Connect, Event, Outgoing
from simbench.client.spool import Spool

Clock = Callable[[], int]
Connector = Callable[[Callable[[], asyncio.Protocol], str, int], Awaitable[Any]]
Reporter = Callable[[Event], None]

DRAIN_S = 2.0  # how long a stopping client waits for results


def wall_clock() -> int:
    """Microseconds since the Unix epoch, UTC."""
    return time.time_ns() // 1_000


class GivenClock:
    """A clock set from outside: epoch + speed x (monotonic - start). It can be moved, keeping its speed."""

    def __init__(self, epoch_us: int, start_ns: int, speed: float = 1.0) -> None:
        self._epoch_us, self._start_ns, self._speed = epoch_us, start_ns, speed

    def __call__(self) -> int:
        """Return the present instant (us)."""
        return self._epoch_us + int((time.monotonic_ns() - self._start_ns) * self._speed) // 1_000

    def move(self, epoch_us: int, start_ns: int) -> None:
        """Set the clock to `epoch_us` at the reading `start_ns` of the monotonic clock."""
        self._epoch_us, self._start_ns = epoch_us, start_ns


class Outside(msgspec.Struct, frozen=True):
    """The environment of the links: the SMSC's address, the clock (`speed` platform seconds per second), the connector.

    Without a connector the running loop opens the connections.
    """

    host: str
    port: int
    clock: Clock = wall_clock
    speed: float = 1.0
    connect: Connector | None = None


async def _loop_connect(factory: Callable[[], asyncio.Protocol], host: str, port: int) -> None:
    await asyncio.get_running_loop().create_connection(factory, host, port)


class Connection(asyncio.Protocol):
    """One connection of a link; events of a connection the link has replaced are ignored."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Disable Nagle's algorithm, so that segments do not wait for one another."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's transports are not subclasses
        own = transport.get_extra_info("sockname")
        if own is not None and own == transport.get_extra_info("peername"):
            self.transport.abort()  # the system gave the port on which nobody listens to this very socket
            self._link.refused()
            return
        wire = transport.get_extra_info("socket")
        if wire is not None and wire.family in (socket.AF_INET, socket.AF_INET6):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._link.made(self)

    def data_received(self, data: bytes) -> None:
        """Pass the octets to the core."""
        self._link.heard(self, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the cause does not matter
        """Report the loss to the core."""
        self._link.gone(self)


class Link:
    """A core with its connection and its timer. All calls come from the event loop."""

    def __init__(self, core: Core, spool: Spool, outside: Outside, report: Reporter) -> None:
        self.core, self._spool, self._outside, self._report = core, spool, outside, report
        self._connect = outside.connect or _loop_connect
        self._code = core.config.code
        self._present: Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed = NEVER
        self._ended = False
        self._drained = asyncio.Event()
        core.restore(spool.memory(self._code, core.config.rate_per_s), outside.clock())

    def submit(self, message: Outgoing) -> bool:
        """Accept a message, unless its token was used before; call `turn` afterwards, once for many."""
        new = self._spool.claim(message.token)
        if new:
            self.core.submit(message, self._outside.clock())
        return new

    def announce(self, start: int, end: int) -> None:
        """Announce maintenance between two instants."""
        self.core.announce(start, end)
        self.turn()

    def clock_moved(self) -> None:
        """Run what is due and set the timer again after the clock was moved."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.turn()

    def turn(self) -> None:
        """Run what is due in the core, store events, write, report, and set the timer."""
        if self._ended:
            return
        core = self.core
        core.advance(self._outside.clock())
        happened = core.events()
        if happened:
            self._spool.record(self._code, happened)
        octets = core.octets_to_send()
        if octets and self._present is not None and self._present.transport is not None:
            self._present.transport.write(octets)
            core.written(self._outside.clock())
        for event in happened:
            if isinstance(event, Connect):
                self._connecting = asyncio.get_running_loop().create_task(self._dial())
            elif isinstance(event, Close):
                self._drop()
            self._report(event)
        if core.draining and not core.outstanding:
            self._drained.set()
        self._arm()

    def refused(self) -> None:
        """Nobody listens there."""
        self.core.lost(self._outside.clock())
        self.turn()

    def made(self, connection: Connection) -> None:
        """The connection is open."""
        self._present = connection
        self.core.connected(self._outside.clock())
        self.turn()

    def heard(self, connection: Connection, octets: bytes) -> None:
        """The SMSC sent octets."""
        if connection is self._present:
            self.core.received(octets, self._outside.clock())
            self.turn()

    def gone(self, connection: Connection) -> None:
        """The connection ended."""
        if connection is self._present:
            self._present = None
            self.core.lost(self._outside.clock())
            self.turn()

    async def end(self) -> None:
        """Stop sending, wait briefly for results, then close. The rest stays in the spool."""
        self.core.draining = True
        self.turn()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._drained.wait(), DRAIN_S)
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._present is not None and self._present.transport is not None:
            self._present.transport.close()
        self._present = None
        self._drop()

    async def _dial(self) -> None:
        try:
            await self._connect(lambda: Connection(self), self._outside.host, self._outside.port)
        except OSError:
            self.refused()

    def _drop(self) -> None:
        """Close the connection, open or still being opened."""
        if self._connecting is not None and not self._connecting.done():
            self._connecting.cancel()
        connection, self._present = self._present, None
        if connection is not None and connection.transport is not None:
            connection.transport.abort()

    def _arm(self) -> None:
        """Keep one timer armed for the core's next deadline."""
        deadline = self.core.next_deadline()
        if deadline == self._armed and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed = deadline
        if deadline < NEVER:
            wait_s = max(0, deadline - self._outside.clock()) / SECOND_US / self._outside.speed
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.turn()
