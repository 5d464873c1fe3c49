"""The share of HTTP in the loop of the SMSC: one piece of work in each turn, whoever asks and however many.

A piece is a new connection, what one read of a connection brought, or a request that begins. Clients of the SMSC are
served between two pieces.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final

from fake_smsc.server.network import HANDSHAKE_S

HANDSHAKES: Final = 64  # of TLS at a time; the oldest makes room
AGAIN_S: Final = 1.0  # after a connection could not be taken, for want of descriptors


class Turns:
    """Pieces of work that wait for a turn of the loop, the first ones first."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()
        self._is_taken = False  # this turn

    def take(self, work: Callable[[], object]) -> None:
        """Do a piece of work now if nothing of HTTP was done in this turn, else in a later one."""
        if self._is_taken:
            self._waiting.append(work)
            return
        self._is_taken = True
        asyncio.get_running_loop().call_soon(self._next)
        work()

    def _next(self) -> None:
        if not self._waiting:
            self._is_taken = False
            return
        asyncio.get_running_loop().call_soon(self._next)
        self._waiting.popleft()()

    async def turn(self) -> None:
        """Wait for a turn."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def come() -> None:
            if not mine.done():
                mine.set_result(None)

        self.take(come)
        await mine


class Acceptor:
    """Takes connections from a listening socket, one in each turn; a loop's own server takes all that wait at once."""

    def __init__(
        self,
        listener: socket.socket,
        factory: Callable[[], asyncio.Protocol],
        turns: Turns,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._listener, self._factory, self._turns, self._tls = listener, factory, turns, tls
        self._loop = asyncio.get_running_loop()
        self._again: asyncio.TimerHandle | None = None
        self._is_closed = False  # though work of it may still wait for its turn
        self._beginning: dict[asyncio.Task[object], None] = {}  # connections that are not made yet
        self._listen()

    def _listen(self) -> None:
        self._again = None
        self._loop.add_reader(self._listener.fileno(), self._readable)

    def _readable(self) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._turns.take(self._accept)

    def _accept(self) -> None:
        if self._is_closed:
            return
        try:
            taken, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            self._listen()
        except OSError:  # no descriptor is free: those who wait stay in the queue of the machine
            self._again = self._loop.call_later(AGAIN_S, self._listen)
        else:
            self._listen()
            taken.setblocking(False)
            task = self._loop.create_task(self._begin(taken))
            self._beginning[task] = None
            task.add_done_callback(lambda ended: self._beginning.pop(ended, None))
            if len(self._beginning) > HANDSHAKES:
                next(iter(self._beginning)).cancel()

    async def _begin(self, taken: socket.socket) -> None:
        """Make the connection, with its handshake; a peer that fails at that is gone."""
        patience = {"ssl_handshake_timeout": HANDSHAKE_S} if self._tls is not None else {}
        try:
            await self._loop.connect_accepted_socket(self._factory, taken, ssl=self._tls, **patience)
        except (OSError, asyncio.CancelledError):  # ssl's errors are OSErrors
            taken.close()

    def close(self) -> None:
        """Take no more connections, and leave the listener to the caller."""
        self._is_closed = True
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._listener.fileno())
        for task in self._beginning:
            task.cancel()


__all__ = ["Acceptor", "Turns"]
