"""One accepted connection, which passes its events to the server."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from fake_smsc.server.network import set_no_delay


class Server(Protocol):
    """The calls of the server that a connection makes."""

    def connected(self, connection: Connection) -> None:
        """A client connected."""
        ...

    def received(self, connection: Connection, data: bytes) -> None:
        """Octets of one read."""
        ...

    def lost(self, connection: Connection, cause: Exception | None) -> None:
        """The connection ended."""
        ...


class Connection(asyncio.Protocol):
    """One accepted connection, passing octets to the server, which numbers it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.number = -1
        self.host = ""  # of the peer
        self.early = 0  # octets served without a login
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Report the connection to the server."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's transports are no subclasses
        set_no_delay(transport)
        self.server.connected(self)

    def data_received(self, data: bytes) -> None:
        """Octets of one read."""
        self.server.received(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection ended by FIN, RST or our own close."""
        self.server.lost(self, exc)
