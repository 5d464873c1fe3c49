"""Runs the faults of a server: passes them frames and events, and writes what they return, when it is due.

The server calls it only while it is `engaged`. Delayed output waits here in platform time, driven by the server's own
timer, so that virtual time works. Each event is written to the ledger before it takes effect.
"""

from __future__ import annotations

from functools import partial
from heapq import heappop, heappush

from fake_smsc.faults.fault import Action, Fault, Piece
from fake_smsc.faults.host import Host
from fake_smsc.faults.registry import FAULTS
from fake_smsc.scenario import FaultConfig
from simbench.base.units import NEVER, SECOND_US
from simbench.ledger.events import FaultActed, row_of
from simbench.ucp.frame import ETX

LONGEST_REST = 8_192  # octets kept while waiting for ETX; longer input is passed on unchanged


class FaultInjector:
    """The planned and active faults of a server, and the output they delay."""

    def __init__(self, server: Host) -> None:
        self.server = server
        self.seed = 1
        self.engaged = False
        self.active: list[Fault] = []
        self._planned: list[Fault] = []
        self.gone: set[int] = set()  # connections on which the server has vanished
        self._agenda: list[tuple[int, int, Action]] = []
        self._order = self._ordinal = 0
        self._rests: dict[int, bytes] = {}  # the incomplete frame at the end of each connection's input
        self._busy: dict[int, int] = {}  # until when a connection is writing a piece
        self._burst: list[tuple[int, bytes]] = []

    # Life of a fault -------------------------------------------------------------------------------------------

    def plan(self, config: FaultConfig) -> Fault:
        """Schedule a fault to start `from_s` from now and end `for_s` later (0: when it is cleared)."""
        self._ordinal += 1
        fault = FAULTS[config.name](config, self, self._ordinal)
        self._planned.append(fault)
        self.later(round(config.from_s * SECOND_US), partial(self._begin, fault))
        return fault

    def clear(self, name: str = "") -> int:
        """End every fault of that name, or all, including planned ones. Returns how many there were."""
        ending = [fault for fault in self.active if name in {"", fault.config.name}]
        unborn = [fault for fault in self._planned if name in {"", fault.config.name}]
        self._planned = [fault for fault in self._planned if fault not in unborn]
        for fault in ending:
            self._end(fault)
        return len(ending) + len(unborn)

    def _begin(self, fault: Fault) -> None:
        if fault not in self._planned:
            return
        self._planned.remove(fault)
        config = fault.config
        set_here = {name: getattr(config, name) for name in ("share", "code", *fault.parameters)}
        until = self.server.clock.now() + round(config.for_s * SECOND_US) if config.for_s else None
        self.record(FaultActed(config.name, until, "begins", **set_here))
        self.active.append(fault)
        if until is not None:
            self.later(round(config.for_s * SECOND_US), partial(self._end, fault))
        fault.begun()

    def _end(self, fault: Fault) -> None:
        if fault in self.active:
            self.record(FaultActed(fault.config.name, what="ends"))
            self.active.remove(fault)
            fault.ended()

    def record(self, event: FaultActed) -> None:
        """Record an event of a fault."""
        self.server.ledger.events.append(row_of(self.server.clock.now(), event))

    # Called by the server --------------------------------------------------------------------------------------

    def connected(self, number: int) -> None:
        """A connection was made."""
        for fault in self._concerned(number):
            fault.connected(number)

    def incoming(self, number: int, data: bytes) -> bytes:
        """Return the octets the gateway gets for a read: whole frames, without those the faults swallow."""
        octets = self._rests.pop(number, b"") + data
        if not self.active:
            return octets
        concerned = self._concerned(number)
        for fault in concerned:
            fault.arrived(number, len(data))
        *whole, rest = octets.split(ETX)
        frames = [piece + ETX for piece in whole]
        for fault in concerned:
            frames = fault.hear(number, frames)
        if len(rest) > LONGEST_REST:
            frames.append(rest)
        elif rest:
            self._rests[number] = rest
        return b"".join(frames)

    def outgoing(self, written: list[tuple[int, bytes]]) -> None:
        """Pass the gateway's output through the faults and write the result."""
        self.run(self.server.clock.now())
        for number, octets in written:
            if number not in self.server.gateway.lines:
                continue
            pieces = [Piece(frame + ETX) for frame in octets.split(ETX)[:-1]]
            for fault in self._concerned(number):
                pieces = fault.write(number, pieces)
            self._place(number, pieces)
        self._flush()

    def lost(self, number: int) -> None:
        """A connection ended."""
        self._rests.pop(number, None)
        self._busy.pop(number, None)
        self.gone.discard(number)

    def run(self, now: int) -> None:
        """Run what is due."""
        while self._agenda and self._agenda[0][0] <= now:
            heappop(self._agenda)[2]()
        self._flush()
        self.engaged = bool(self.active or self._agenda or self._rests or self.gone)

    def next_deadline(self) -> int:
        """Return the next instant at which `run` has work, or NEVER."""
        return self._agenda[0][0] if self._agenda else NEVER

    # Called by faults ------------------------------------------------------------------------------------------

    def later(self, delay_us: int, action: Action) -> None:
        """Run an action after a delay of platform time; equal instants keep their order."""
        self._at(self.server.clock.now() + delay_us, action)

    def write_after(self, fault: Fault, number: int, pieces: list[Piece]) -> None:
        """Pass pieces through the faults after this one, then write them."""
        if number not in self.server.gateway.lines:
            return
        follows = self._concerned(number)
        if fault in follows:
            follows = follows[follows.index(fault) + 1 :]
        for following in follows:
            pieces = following.write(number, pieces)
        self._place(number, pieces)

    def answer(self, fault: Fault, number: int, octets: bytes) -> None:
        """Write a frame instead of the gateway, before anything later."""
        self.later(0, partial(self.write_after, fault, number, [Piece(octets)]))

    def originate(self, sender: str, code: str, text: str) -> None:
        """Send a text from a subscriber to a short code."""
        self.server.gateway.originate(sender, code, text, self.server.clock.now())

    def tell_gateway(self, number: int, octets: bytes) -> None:
        """Pass octets to the gateway at once, as if the client had sent them."""
        if number in self.server.gateway.lines:
            self.later(0, lambda: self.server.gateway.received(number, octets, self.server.clock.now()))

    def is_active(self, fault: Fault) -> bool:
        """Tell whether the fault is active."""
        return fault in self.active

    def codes_of(self, number: int) -> tuple[str, ...]:
        """Return the short codes of the account logged in on a connection; none before the login."""
        line = self.server.gateway.lines.get(number)
        account = self.server.gateway.centre.accounts.get(line.account) if line else None
        return account.codes if account else ()

    def vanish(self, number: int) -> None:
        """Stop reading and writing on a connection and end its session without notifying the peer."""
        self.gone.add(number)
        transport = self.server.connections[number].transport
        if not transport.is_closing():
            transport.pause_reading()
        self.server.gateway.closed(number, self.server.clock.now())

    # Writing ---------------------------------------------------------------------------------------------------

    def _concerned(self, number: int) -> list[Fault]:
        if not any(fault.config.code for fault in self.active):
            return self.active[:]
        codes = self.codes_of(number)
        return [f for f in self.active if f.before_login or not f.config.code or f.config.code in codes]

    def _at(self, instant: int, action: Action) -> None:
        self._order += 1
        heappush(self._agenda, (instant, self._order, action))
        self.engaged = True

    def _place(self, number: int, pieces: list[Piece]) -> None:
        now = self.server.clock.now()
        for piece in pieces:
            if piece.delay_us > 0:
                self._at(now + piece.delay_us, partial(self._emit, number, piece))
            else:
                self._emit(number, piece)

    def _emit(self, number: int, piece: Piece) -> None:
        """Write a piece now, or once the connection has finished the piece before."""
        now = self.server.clock.now()
        free_at = self._busy.get(number, 0)
        if free_at > now:
            self._at(free_at, partial(self._emit, number, piece))
        elif not piece.step:
            self._burst.append((number, piece.octets))
        else:
            self._flush()
            segments = [piece.octets[at : at + piece.step] for at in range(0, len(piece.octets), piece.step)]
            for place, segment in enumerate(segments):
                self._at(now + place * piece.gap_us, partial(self.server.send, number, segment))
            self._busy[number] = now + len(segments) * piece.gap_us

    def _flush(self) -> None:
        """Write everything due at the same instant, as one write per connection."""
        burst, self._burst = self._burst, []
        joined: dict[int, list[bytes]] = {}
        for number, octets in burst:
            joined.setdefault(number, []).append(octets)
        for number, pieces in joined.items():
            self.server.send(number, b"".join(pieces))
