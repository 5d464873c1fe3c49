"""Connections of the API: what one may cost before a request of it is trusted, and who makes room when all are taken.

A connection is trusted from its first request that the guard lets pass. Strangers' connections are few, end after some
seconds, and the oldest makes room for a newcomer, so that whoever has the token is always served.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_OCTETS: Final = 16_384  # of a request line and its headers
STRANGERS: Final = 64  # connections at a time that have shown nothing
PATIENCE_S: Final = 10.0  # until such a connection has shown something
CONNECTIONS: Final = 1_000  # trusted ones at a time
KEY: Final = "connection"  # of the scope's state


class BoundedHttp(H11Protocol):
    """One connection of the API."""

    _strangers: dict[BoundedHttp, asyncio.TimerHandle]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        strangers = getattr(self.server_state, "strangers", None)
        if strangers is None:
            strangers = self.server_state.strangers = {}  # type: ignore[attr-defined]  # all connections share the state
        self._strangers = strangers
        self.app_state = {**self.app_state, KEY: self}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Admit the connection as a stranger; the oldest one makes room."""
        super().connection_made(transport)
        self._strangers[self] = self.loop.call_later(PATIENCE_S, self.transport.abort)
        if len(self._strangers) > STRANGERS:
            oldest = next(iter(self._strangers))
            oldest.leave()
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection ended."""
        self.leave()
        super().connection_lost(exc)

    def leave(self) -> None:
        """The connection is no stranger any more."""
        timer = self._strangers.pop(self, None)
        if timer is not None:
            timer.cancel()


def trust(scope: Any) -> None:
    """The guard lets a request of this scope pass: its connection may stay."""
    connection = (scope.get("state") or {}).get(KEY)
    if isinstance(connection, BoundedHttp):
        connection.leave()


__all__ = ["BoundedHttp", "trust"]
