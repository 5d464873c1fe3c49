"""Limits of API connections before they are trusted.

A connection is trusted from its first request that the guard accepts. Untrusted connections are few, end after some
seconds, and the oldest is closed for a new one, so that clients with the token are always served. A trusted one ends
when a request that has begun, or the taking of an answer, stands still.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from simbench.service.turns import Turns

HEAD_OCTETS: Final = 16_384  # most octets of a request line with its headers
STRANGERS: Final = 64  # most untrusted connections at a time
PATIENCE_S: Final = (
    10.0  # time after which an untrusted connection is closed, and for the rest of a head that has begun
)
TAKEN_S: Final = 30.0  # until an answer that waits in the server has been taken
CONNECTIONS: Final = 1_000  # most trusted connections at a time
KEY: Final = "connection"  # key in the scope's state


class BoundedHttp(H11Protocol):
    """One connection of the API."""

    def __init__(self, *arguments: Any, turns: Turns, strangers: dict[BoundedHttp, None], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._turns, self._strangers = turns, strangers
        self._ends: asyncio.TimerHandle | None = None  # unless a request is here in time
        self._untaken: asyncio.TimerHandle | None = None
        self.app_state = {**self.app_state, KEY: self}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Admit the connection as untrusted; close the oldest untrusted one if there are too many."""
        super().connection_made(transport)
        self._strangers[self] = None
        self._ends = self.loop.call_later(PATIENCE_S, self.transport.abort)
        if len(self._strangers) > STRANGERS:
            oldest = next(iter(self._strangers))
            oldest.leave()
            oldest.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Octets of one read wait for their turn, and the connection is not read until then."""
        self.transport.pause_reading()
        self._turns.take(lambda: self._read(data))

    def _read(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if not self.flow.read_paused:
            self.transport.resume_reading()
        super().data_received(data)
        if self in self._strangers:
            return
        if self.conn.their_state is not h11.IDLE:
            self._in_time()
        elif self._ends is None:
            self._ends = self.loop.call_later(PATIENCE_S, self.transport.abort)

    def _in_time(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None

    def pause_writing(self) -> None:
        """An answer waits for a peer that reads slowly, or not at all."""
        super().pause_writing()
        self._untaken = self.loop.call_later(TAKEN_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The peer has taken most of it."""
        super().resume_writing()
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the ended connection."""
        self.leave()
        if self._untaken is not None:
            self._untaken.cancel()
        super().connection_lost(exc)

    def leave(self) -> None:
        """Remove the connection from the untrusted ones."""
        self._strangers.pop(self, None)
        self._in_time()


def trust(scope: Any) -> None:
    """Trust the connection of a request that the guard accepted."""
    connection = (scope.get("state") or {}).get(KEY)
    if isinstance(connection, BoundedHttp):
        connection.leave()


async def taken(scope: Any) -> None:
    """Wait until the peer has taken most of an answer: what it leaves unread counts as a request under way."""
    connection = (scope.get("state") or {}).get(KEY)
    if isinstance(connection, BoundedHttp):
        await connection.flow.drain()


__all__ = ["BoundedHttp", "taken", "trust"]
