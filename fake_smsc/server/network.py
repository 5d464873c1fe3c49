"""Networks a server can listen on: real sockets here, in-memory ones for virtual time elsewhere."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Final, Protocol

from simbench.base.errors import BadInput, PortInUse, Trouble

HANDSHAKE_S = 10.0
LASTING: Final = range(20_000, 32_768)
CLIENTS_PORTS: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
TRIES: Final = 50
Factory = Callable[[], asyncio.Protocol]


class Listener(Protocol):
    """An open listening port."""

    port: int

    def close(self) -> None:
        """Stop accepting; existing connections stay open."""


class Network(Protocol):
    """A network on which a server can listen."""

    async def listen(self, factory: Factory, host: str, port: int) -> Listener:
        """Start accepting connections. Port 0 picks a free one. Raises PortInUse, or Trouble for another reason."""


class _TcpListener:
    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self.port: int = server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Take no more connections at once, and close the port as soon as those that were taken have a transport.

        asyncio makes a connection over several turns of its loop, and leaves it open for ever if the server is closed
        meanwhile. uvloop does not, and has no reader to remove.
        """
        loop = asyncio.get_running_loop()
        if all(loop.remove_reader(each.fileno()) for each in self._server.sockets):
            for each in self._server.sockets:
                with suppress(OSError):  # Linux refuses connections from here on
                    each.shutdown(socket.SHUT_RDWR)
            loop.call_soon(loop.call_soon, self.end)
        else:
            self.end()

    def end(self) -> None:
        """Close the port now."""
        self._server.close()


class Tcp:
    """TCP on the running loop, with TLS if a context is given.

    A peer that has not shaken hands after `handshake_s` is dropped: until then it costs a descriptor, uncounted.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, handshake_s: float = HANDSHAKE_S) -> None:
        self._tls, self._handshake_s = tls, handshake_s
        self._listener: _TcpListener | None = None  # the latest

    async def listen(self, factory: Factory, host: str, port: int) -> Listener:
        """See Network."""
        if self._listener is not None:
            self._listener.end()  # it may be about to be closed
        try:
            server = await self._on_a_free_port(factory, host) if port == 0 else await self._on(factory, host, port)
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                raise PortInUse(
                    f"port {port} on {host}: {os.strerror(error.errno).lower()}; choose another port"
                ) from error
            raise Trouble(f"cannot listen on {host}, port {port}: {error.strerror or error}") from error
        self._listener = _TcpListener(server)
        return self._listener

    async def _on(self, factory: Factory, host: str, port: int) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            factory, host, port, reuse_address=True, ssl=self._tls,
            ssl_handshake_timeout=self._handshake_s if self._tls is not None else None,
        )  # fmt: skip

    async def _on_a_free_port(self, factory: Factory, host: str) -> asyncio.Server:
        """Listen on a port that the system gives to no client, if one is free.

        While an outage closes the port, a client that happened to get it would be connected to itself, and the server
        could not return.
        """
        for port in SystemRandom().sample(_lasting_ports(), TRIES):
            try:
                return await self._on(factory, host, port)
            except OSError as error:
                if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
        return await self._on(factory, host, 0)


def _lasting_ports() -> range:
    """The ports below those that the system gives to clients."""
    first = LASTING.stop
    with suppress(OSError, ValueError):
        first = int(CLIENTS_PORTS.read_text("ascii").split()[0])
    found = range(LASTING.start, min(first, LASTING.stop))
    return found if len(found) >= TRIES else LASTING


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a TLS server context (1.2 or later) from PEM files. Raises BadInput if they are invalid or mismatched."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        place = f"{certificate}, {key}"
        raise BadInput(place, error.strerror or str(error), "a certificate and its key, as PEM files") from None
    return context


def set_no_delay(transport: asyncio.BaseTransport) -> None:
    """Disable Nagle's algorithm: with a window of 1 it delays each message by some 40 ms."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def reset(transport: asyncio.Transport) -> None:
    """Close a connection with RST instead of FIN."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
