"""Outages: how each mode treats existing and new connections.

The event is written to the ledger before the outage takes effect.
"""

from __future__ import annotations

import asyncio
from typing import Literal, Protocol

import msgspec

from fake_smsc.faults.host import Host, Peer
from simbench.base.errors import NotPossible
from simbench.ledger.events import MaintenanceBegan, OutageBegan, Restored, row_of

Mode = Literal["cut", "reset", "refuse", "accept-close", "silent", "deaf-results"]


class Treatment(msgspec.Struct, frozen=True):
    """The effect of one mode on existing connections and on new ones, and whether the platform keeps working."""

    existing: Literal["fin", "rst", "silent", "deaf"]
    coming: Literal["refused", "closed", "silent", "deaf"]
    platform: Literal["down", "up"] = "down"


TREATMENTS: dict[Mode, Treatment] = {
    "cut": Treatment("fin", "refused"),
    "reset": Treatment("rst", "refused"),
    "refuse": Treatment("silent", "refused"),
    "accept-close": Treatment("fin", "closed"),
    "silent": Treatment("silent", "silent"),
    "deaf-results": Treatment("deaf", "deaf", "up"),
}


class Outage(msgspec.Struct, frozen=True):
    """One outage: its mode and scope ("total", a short code, or "session:N")."""

    mode: Mode
    scope: str = "total"
    planned: bool = False


class Served(Host, Protocol):
    """A server that an outage can shut down and restore."""

    async def open_listener(self, port: int = 0) -> None:
        """Listen (again)."""

    def close_listener(self) -> None:
        """Refuse new connections."""

    def serve_reads(self) -> None:
        """Process the octets read so far."""

    def touch(self) -> None:
        """Write pending output, close what is to be closed, arm the timer."""


class Outages:
    """Starts and ends outages, one at a time."""

    def __init__(self, server: Served) -> None:
        self.server = server
        self.current: Outage | None = None
        self._is_ending = False  # the listener is open or about to be, and the platform is not up yet
        self._change = asyncio.Lock()  # listening takes turns of the loop, in which nothing else begins or ends one

    async def begin(self, outage: Outage, until: int | None = None) -> None:
        """Start an outage. Raises ValueError during another one."""
        async with self._change:
            self._begin(outage, until)

    def _begin(self, outage: Outage, until: int | None) -> None:
        if self.current is not None:
            active = f"another outage ({self.current.mode}, {self.current.scope}) is active"
            raise NotPossible("outage", active, "one at a time")
        server = self.server
        server.serve_reads()
        now = server.clock.now()
        kind = MaintenanceBegan if outage.planned else OutageBegan
        server.ledger.events.append(row_of(now, kind(outage.scope, until, outage.mode)))
        self.current = outage
        treatment = TREATMENTS[outage.mode]
        if outage.scope == "total":
            if treatment.platform == "down":
                server.gateway.go("maintenance" if outage.planned else "down", now)
            if treatment.coming == "refused":
                server.close_listener()
        else:
            server.gateway.go("degraded", now)
            self._bar(outage.scope, treatment)
        for number in server.gateway.lines_of(outage.scope):
            self._treat(server.connections[number], treatment.existing)
        server.touch()

    async def end(self, only: Outage | None = None) -> None:
        """End the outage, or `only` this one: first the listener, then the platform, then muted connections.

        Raises PortInUse or Trouble if the port is not available; the outage then continues.
        """
        async with self._change:
            if self.current is None or (only is not None and only is not self.current):  # two may be alike
                return
            now = self.server.clock.now()
            self._is_ending = True  # new connections are served from here on
            try:
                await self.server.open_listener()
            finally:
                self._is_ending = False
            self._end(self.current, now)

    def _end(self, outage: Outage, now: int) -> None:
        server, self.current = self.server, None
        server.ledger.events.append(row_of(now, Restored(outage.scope, outage.mode)))
        server.gateway.barred.clear()
        server.gateway.go("up", now)
        for number in [number for number, line in server.gateway.lines.items() if line.mute]:
            silent = server.gateway.lines[number].mute == "silent"
            server.gateway.mute(number, "", now)
            if silent:
                server.connections[number].transport.resume_reading()
        server.touch()

    def greet(self, connection: Peer) -> None:
        """Apply an active total outage to a new connection."""
        if self.current is None or self.current.scope != "total" or self._is_ending:
            return
        coming = TREATMENTS[self.current.mode].coming
        if coming in {"silent", "deaf"}:
            self._treat(connection, coming)
            # uvloop starts reading once the connection is made, even if it was paused before.
            asyncio.get_running_loop().call_soon(self._pause, connection)
        else:
            self.server.end(connection.number, "outage")

    def _bar(self, scope: str, treatment: Treatment) -> None:
        gateway = self.server.gateway
        for account in gateway.centre.accounts.values():
            if scope in account.codes:
                coming = treatment.coming
                gateway.barred[account.name] = coming if coming in {"silent", "deaf"} else "close"

    def _treat(self, connection: Peer, how: str) -> None:
        number, server = connection.number, self.server
        if how in {"fin", "rst"}:
            server.end(number, "outage", abruptly=how == "rst")
            return
        server.gateway.mute(number, "silent" if how == "silent" else "deaf", server.clock.now())
        self._pause(connection)

    def _pause(self, connection: Peer) -> None:
        line = self.server.gateway.lines.get(connection.number)
        if line is not None and line.mute == "silent":
            connection.transport.pause_reading()
