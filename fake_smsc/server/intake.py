"""Stops reading connections while the ledger cannot store their rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal, Protocol

from fake_smsc.server.clock import PlatformClock
from simbench.ledger import AnyLedger

Policy = Literal["hold", "go-on"]


class Line(Protocol):
    """A connection whose reading can be paused."""

    number: int
    transport: asyncio.Transport


class Lines(Protocol):
    """The server's connections."""

    clock: PlatformClock

    def open_lines(self) -> Mapping[int, Line]:
        """Every connection by its number."""
        ...

    def is_heard(self, number: int) -> bool:
        """Tell whether the connection is read, i.e. muted by neither an outage nor a fault."""
        ...

    def handle(self, number: int, data: bytes) -> None:
        """Process octets of a connection."""
        ...

    def resumed(self) -> None:
        """Called when reading continues."""
        ...


class Intake:
    """Stops reading all connections while rows cannot be written, and resumes afterwards.

    With `policy` "go-on" reading continues as long as rows fit into the ledger's memory. Time without reading is
    written as a timing error of the bench, so that no rule attributes it to the client.
    """

    def __init__(self, server: Lines, ledger: AnyLedger) -> None:
        self._server, self._ledger = server, ledger
        self.policy: Policy = "hold"
        self.problem = ""  # the reason why rows cannot be written; "" if they can
        self.on_problem: Callable[[str], object] = lambda _: None  # called with each new problem
        self.shut = False  # whether reading is stopped
        self._kept: dict[int, list[bytes]] = {}  # by connection: octets read before reading stopped
        self._since = 0

    def start(self) -> None:
        """Follow the ledger from now on, in the running loop."""
        loop = asyncio.get_running_loop()

        def changed() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._changed)

        self._ledger.watch(changed)

    def took(self, octets: int) -> None:
        """Count octets that were read, with their row appended."""
        if self._ledger.took(octets) and not self.shut:
            self._shut()

    def keep(self, connection: Line, data: bytes) -> None:
        """Keep octets read while reading is stopped; they are processed once it resumes."""
        self._hold(connection)
        self._kept[connection.number].append(data)

    def _changed(self) -> None:
        if self._ledger.failing != self.problem:
            self.problem = self._ledger.failing
            self.on_problem(self.problem)
        shut = self._ledger.strained or (self.policy == "hold" and bool(self.problem))
        if shut and not self.shut:
            self._shut()
        elif self.shut and not shut:
            self._open()

    def _shut(self) -> None:
        self.shut, self._since = True, self._server.clock.now()
        for connection in list(self._server.open_lines().values()):
            self._hold(connection)

    def _hold(self, connection: Line) -> None:
        if connection.number not in self._kept:
            self._kept[connection.number] = []
            if not connection.transport.is_closing():
                connection.transport.pause_reading()

    def _open(self) -> None:
        server, kept = self._server, self._kept
        self.shut, self._kept = False, {}
        now = server.clock.now()
        self._ledger.timing_error.append((self._since, now, now - self._since, "ledger"))
        for number, reads in kept.items():
            for data in reads:
                server.handle(number, data)
            connection = server.open_lines().get(number)
            if connection is not None and server.is_heard(number) and not connection.transport.is_closing():
                connection.transport.resume_reading()
        server.resumed()
