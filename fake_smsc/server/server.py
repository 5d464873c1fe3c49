"""The live SMSC: connections, one timer, and the ledger of octets around the gateway.

All frames that one turn of the loop reads are processed together, and each connection is answered with one write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Literal

from fake_smsc.faults.injector import FaultInjector
from fake_smsc.scenario import Allowed
from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.connection import Connection
from fake_smsc.server.intake import Intake
from fake_smsc.server.lateness import Lateness
from fake_smsc.server.leftovers import Leftovers
from fake_smsc.server.login_throttle import LoginThrottle
from fake_smsc.server.network import Factory, Listener, Network, Tcp, reset
from fake_smsc.server.outage import Outages
from fake_smsc.server.strangers import Lane, Stranger
from fake_smsc.server.timer import DeadlineTimer
from fake_smsc.server.waiters import Waiters
from fake_smsc.ucp_gateway import Gateway
from simbench.ledger import AnyLedger
from simbench.ledger.events import ViolationSeen, row_of

TURN_OCTETS = 1024 * 1024  # with more than these the reads of a turn are served before it ends, the first ones first
UNREAD_OCTETS = 4_000_000  # a client that leaves this much unread is disconnected
MAX_CONNECTIONS = 2_000  # at a time; each costs memory and a descriptor; connections without login make room
CORE_FRAMES = 128  # that a connection may have served one by one in a turn
CORE_TIMERS = 256  # entries of the core's timer queue that a turn runs
LINGER_S = 5.0  # how long pending output may take once a connection is being closed
CLOSING_TURNS = 4  # of the loop, in which connections that were being made have come and are closed as well

OnLine = Callable[[Literal["open", "close"], int, int, str], object]  # instant (us), connection, its peer or the reason


class SmscServer:
    """A gateway on a network, driven by a platform clock."""

    def __init__(
        self,
        gateway: Gateway,
        ledger: AnyLedger,
        clock: PlatformClock,
        *,
        network: Network | None = None,
        heartbeat: bool = True,
        durable: bool = False,
    ) -> None:
        self.gateway, self.ledger, self.clock = gateway, ledger, clock
        self.network = network or Tcp()
        self.durable = durable
        self.connections: dict[int, Connection] = {}
        self.outages = Outages(self)
        self.faults = FaultInjector(self)
        self.intake = Intake(self, ledger)
        self.port = 0
        self.allowed: tuple[Allowed, ...] = ()  # networks that may connect; empty: all
        self.on_line: OnLine = lambda *_: None  # called when a connection opens or closes
        self.login_throttle = LoginThrottle()
        self._lateness = Lateness(clock, ledger, enabled=heartbeat)
        self.waiters = Waiters()
        self._reads: list[tuple[Connection, bytes]] = []  # of this turn of the loop
        self._octets = 0  # in them
        self._alone: Connection | None = None  # the only one, of a client, that was read in the turn before
        self._left = Leftovers(self)
        self.strangers = Lane(self)
        self.count = 0  # connections so far
        self._host = ""
        self._listener: Listener | None = None
        self._has_ended = False
        self._timer = DeadlineTimer(clock, self._lateness, self._due)
        self._due_in_core = gateway.centre.timer_queue
        if heartbeat:  # without one the time is virtual: everything due runs at its instant
            self._due_in_core.most = CORE_TIMERS
        self._closing_reasons: dict[int, str] = {}

    # Lifetime --------------------------------------------------------------------------------------------------

    async def listen(self, host: str, port: int) -> None:
        """Open the port (0: a free one) and start the timers. Raises PortInUse."""
        self._host = host
        self.intake.start()
        await self.open_listener(port)
        self._lateness.start()

    async def open_listener(self, port: int = 0) -> None:
        """Listen (again, after an outage, on the same port)."""
        if self._listener is None:
            factory: Factory = lambda: Connection(self)  # noqa: E731 - the protocol factory asyncio expects
            self._listener = await self.network.listen(factory, self._host, port or self.port)
            self.port = self._listener.port

    def close_listener(self) -> None:
        """Refuse new connections."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def close(self) -> None:
        """Stop listening, close every connection, and flush the ledger."""
        self._has_ended = True
        self.serve_reads()
        self.strangers.clear()
        self._left.clear()
        self.close_listener()
        self._lateness.stop()
        self._timer.cancel()
        for connection in list(self.connections.values()):
            self._closing_reasons[connection.number] = "server stops"
            connection.transport.close()
        for _ in range(CLOSING_TURNS):
            await asyncio.sleep(0)
        for connection in list(self.connections.values()):  # those with unsent output
            self.lost(connection, None)
            connection.transport.abort()
        self.ledger.flush()

    def throttle_logins(self, most_per_min: int) -> None:
        """Bound failed logins from now on; 0: any number."""
        self.login_throttle = LoginThrottle(most_per_min)
        self.gateway.guard_logins(self.login_throttle)

    # Events of connections -------------------------------------------------------------------------------------

    def connected(self, connection: Connection) -> None:
        """A client connected."""
        if self._has_ended:  # the loop had taken the connection already, and makes it over several turns
            connection.transport.abort()
            return
        now = self.clock.now()
        self.count += 1
        connection.number = self.count
        peer = connection.transport.get_extra_info("peername")
        self.ledger.wire.append((now, connection.number, "open", repr(peer).encode()))
        self.on_line("open", now, connection.number, repr(peer))
        self.connections[connection.number] = connection
        connection.host = peer[0] if isinstance(peer, tuple) else ""
        self.gateway.opened(connection.number, now, connection.host)
        if self.allowed and not self._is_allowed(connection.host):
            self.end(connection.number, "address not allowed", abruptly=True)
        elif self.login_throttle.refuses(connection.host):
            self.end(connection.number, "too many failed logins from its address", abruptly=True)
        self.outages.greet(connection)
        if self.faults.engaged:
            self.faults.connected(connection.number)
        self.touch()
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def _is_allowed(self, host: str) -> bool:
        return bool(host) and any(ip_address(host) in network for network in self.allowed)

    def received(self, connection: Connection, data: bytes) -> None:
        """Take octets of one read; they are served with those of all connections that this turn of the loop reads.

        A connection that alone was read in the turn before is served at once: its client may be waiting.
        """
        if connection is not self._alone or self._reads:
            self._collect(connection, data)
        elif self._left or self.durable or self.intake.shut or self.faults.engaged:
            self._reads.append((connection, data))
            self.serve_reads()
        else:
            self._serve_alone(connection.number, data)

    def _serve_alone(self, number: int, data: bytes) -> None:
        """Serve the read of a client that was alone in the turn before."""
        now = self.clock.now()
        octets = self._recorded(now, number, data)
        if self.gateway.answer(number, octets, now, self.send):
            self.touch()
        else:
            self._serve([(number, octets)], now)

    def _collect(self, connection: Connection, data: bytes) -> None:
        if not self._reads:
            asyncio.get_running_loop().call_soon(self.serve_reads)
        self._reads.append((connection, data))
        self._octets += len(data)
        if self._octets > TURN_OCTETS or self.faults.engaged:  # faults stop the reading between two reads
            self.serve_reads()

    def serve_reads(self) -> None:
        """Process the octets read so far: every frame in them, then one write a connection."""
        if not self._reads and not self._left:
            return
        reads, self._reads, self._octets = self._reads, [], 0
        served = self._left.take()
        now, lines = self.clock.now(), self.gateway.lines
        for connection, data in reads:
            number = connection.number
            if number not in self.connections or number in self.faults.gone:
                continue
            if self.intake.shut:
                self.intake.keep(connection, data)
            elif lines[number].account:
                served.append((number, self._recorded(now, number, data)))
            else:
                self.strangers.take(connection, data)
        if served:
            self._serve(served, now)
        self._alone = reads[0][0] if len(reads) == len(served) == 1 else None
        self.strangers.serve(shared=bool(served))

    def _recorded(self, now: int, number: int, data: bytes) -> bytes:
        """Record octets that were read; return what faults leave of them."""
        self.ledger.wire.append((now, number, "in", data))
        self.intake.took(len(data))
        return self.faults.incoming(number, data) if self.faults.engaged else data

    def _serve(self, served: list[tuple[int, bytes]], now: int) -> None:
        self._left.add(self.gateway.received_many(served, now, CORE_FRAMES))
        if self._left:
            asyncio.get_running_loop().call_soon(self.serve_reads)
        self.touch()

    # For the strangers' lane -----------------------------------------------------------------------------------

    def begun(self, number: int) -> bytes | None:
        """Octets of an unfinished frame of a connection; None if it is served no more."""
        line = self.gateway.lines.get(number)
        return None if line is None or line.closing or number in self.faults.gone else line.framer.pending

    def serve_early(self, stranger: Stranger, octets: bytes) -> int:
        """Serve octets of a connection without a login; return how many frames and wire errors they held."""
        number, now = stranger.number, self.clock.now()
        line = self.gateway.lines[number]
        before = line.early
        self._serve([(number, self._recorded(now, number, octets))], now)
        return line.early - before

    def welcome(self, stranger: Stranger, octets: bytes) -> bool:
        """Tell whether a connection is logged in now; the octets after its login are then served like all reads."""
        line = self.gateway.lines.get(stranger.number)
        if line is None or not line.account:
            return False
        if octets:
            self._collect(self.connections[stranger.number], octets)
        return True

    def _make_room(self) -> None:
        """Close the oldest connection without a login, which may be the new one."""
        lines, going = self.gateway.lines, self._closing_reasons
        strangers = (number for number, line in lines.items() if not line.account and number not in going)
        self.end(next(strangers, self.count), "too many connections", abruptly=True)

    def lost(self, connection: Connection, cause: Exception | None) -> None:
        """Called when the connection ended, closed by either side."""
        self.serve_reads()
        self._lost(connection, cause)

    def _lost(self, connection: Connection, cause: Exception | None) -> None:
        if self.connections.get(connection.number) is not connection:
            return
        if self.strangers.holds(connection.number) or self._left.holds(connection.number):
            asyncio.get_running_loop().call_soon(
                self._lost, connection, cause
            )  # the octets sent before are served first
            return
        del self.connections[connection.number]
        now = self.clock.now()
        own = self._closing_reasons.pop(connection.number, "")
        reason = f"server: {own}" if own else f"peer: {cause or 'closed'}"
        self.ledger.wire.append((now, connection.number, "close", reason.encode()))
        self.on_line("close", now, connection.number, reason)
        self.gateway.closed(connection.number, now)
        if self.faults.engaged:
            self.faults.lost(connection.number)
        self.touch()

    def end(self, number: int, reason: str, *, abruptly: bool = False) -> None:
        """Close one connection, with FIN or RST."""
        connection = self.connections.get(number)
        if connection is None:
            return
        self._closing_reasons[number] = reason
        if abruptly:
            reset(connection.transport)
        else:
            connection.transport.close()
            if connection.transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(LINGER_S, connection.transport.abort)

    def is_shut(self) -> bool:
        """Tell whether reading is stopped at present, because nothing can be recorded."""
        return self.intake.shut

    # For intake and leftovers ------------------------------------------------------------------------------------

    def open_lines(self) -> dict[int, Connection]:
        """Every connection by its number."""
        return self.connections

    def is_heard(self, number: int) -> bool:
        """Tell whether the connection is read, i.e. muted by neither an outage nor a fault."""
        line = self.gateway.lines.get(number)
        return line is not None and not line.mute and number not in self.faults.gone

    def resumed(self) -> None:
        """Continue reading: octets of connections without a login may have waited."""
        self.strangers.serve()

    def handle(self, number: int, data: bytes) -> None:
        """Process kept octets of a connection, unless it is gone."""
        if number in self.connections:
            self._collect(self.connections[number], data)

    # Output and time -------------------------------------------------------------------------------------------

    async def kept(self) -> None:
        """Under `durable`, wait until everything that has happened so far is on disk."""
        if not self.durable:
            return
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()

        def done() -> None:
            if not written.done():
                written.set_result(None)

        self.ledger.durable_after(done, loop.call_soon_threadsafe)
        await written

    def touch(self) -> None:
        """Write pending output, close what is to be closed, arm the timer, wake waiting tasks."""
        if self.faults.engaged:
            self.faults.run(self.clock.now())
        if self.gateway.violation_events:
            self._record_violations()
        written = self.gateway.output()
        if written or self.gateway.closings:
            closings, self.gateway.closings = self.gateway.closings, {}
            if self.durable:
                loop = asyncio.get_running_loop()
                self.ledger.durable_after(lambda: self._carry_out(written, closings), loop.call_soon_threadsafe)
            else:
                self._carry_out(written, closings)
        self._arm()
        if self.waiters.waiting:
            self.waiters.wake()

    def _carry_out(self, written: list[tuple[int, bytes]], closings: dict[int, str]) -> None:
        if self.faults.engaged:
            self.faults.outgoing(written)
            self._arm()  # for frames delayed by faults
        else:
            for number, octets in written:
                self.send(number, octets)
        for number, reason in closings.items():
            self.end(number, reason)

    def send(self, number: int, octets: bytes) -> None:
        """Write on one connection; output not yet written is dropped when an outage begins."""
        connection, line = self.connections.get(number), self.gateway.lines.get(number)
        if connection is None or line is None or line.mute or connection.transport.is_closing():
            return
        self.ledger.wire.append((self.clock.now(), number, "out", octets))
        connection.transport.write(octets)
        if connection.transport.get_write_buffer_size() > UNREAD_OCTETS:
            self.end(number, "peer reads nothing", abruptly=True)

    def _record_violations(self) -> None:
        """Write the gateway's protocol violations as events."""
        events = self.gateway.violation_events
        for at, number, name, what in events:
            self.ledger.events.append(row_of(at, ViolationSeen(f"session:{number}", name, what)))
        events.clear()

    def _arm(self) -> None:
        """Keep one timer armed for the gateway's next deadline, or for the next turn of the loop."""
        if self._due_in_core.rests:
            self._timer.again()
            return
        deadline = self.gateway.next_deadline()
        if self.faults.engaged:
            deadline = min(deadline, self.faults.next_deadline())
        self._timer.arm(deadline)

    def _due(self, now: int) -> None:
        self._due_in_core.resume()
        self.gateway.advance(now)
        self.touch()

    def rearm(self) -> None:
        """Run what is due and arm the timer again, after deadlines changed."""
        self._timer.cancel()
        self.gateway.advance(self.clock.now())
        self.touch()

    def clock_moved(self) -> None:
        """Ignore pending delays, because the clock was stepped or its speed changed."""
        self.serve_reads()
        self._lateness.restart()
        self.gateway.leap(self.clock.now())
        self.rearm()
