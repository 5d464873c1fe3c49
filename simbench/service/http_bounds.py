"""Limits of API connections before they are trusted.

A connection is trusted from its first request that the guard accepts. Untrusted connections are few, end after some
seconds, and the oldest is closed for a new one, so that clients with the token are always served.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_OCTETS: Final = 16_384  # most octets of a request line with its headers
STRANGERS: Final = 64  # most untrusted connections at a time
PATIENCE_S: Final = 10.0  # time after which an untrusted connection is closed
CONNECTIONS: Final = 1_000  # most trusted connections at a time
KEY: Final = "connection"  # key in the scope's state


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
        """Admit the connection as untrusted; close the oldest untrusted one if there are too many."""
        super().connection_made(transport)
        self._strangers[self] = self.loop.call_later(PATIENCE_S, self.transport.abort)
        if len(self._strangers) > STRANGERS:
            oldest = next(iter(self._strangers))
            oldest.leave()
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the ended connection."""
        self.leave()
        super().connection_lost(exc)

    def leave(self) -> None:
        """Remove the connection from the untrusted ones."""
        timer = self._strangers.pop(self, None)
        if timer is not None:
            timer.cancel()


def trust(scope: Any) -> None:
    """Trust the connection of a request that the guard accepted."""
    connection = (scope.get("state") or {}).get(KEY)
    if isinstance(connection, BoundedHttp):
        connection.leave()


__all__ = ["BoundedHttp", "trust"]
