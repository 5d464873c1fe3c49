"""Serves connections without a login (strangers) in small pieces, so that they do not delay logged-in clients.

A stranger's octets wait in a separate lane. One turn of the loop serves TURN_ITEMS frames and wire errors of the lane,
in pieces of SLICE octets, one connection after the other, and fewer while ordinary clients are served. After a login
the rest is served like all reads.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from simbench.ucp.foreign import protocol_of
from simbench.ucp.frame import STX

SLICE: Final = 512  # octets served at once; a login has about a hundred
TURN_ITEMS: Final = 64
SHARED_TURN_ITEMS: Final = 16  # in a turn that served ordinary clients
PIECE_ITEMS: Final = 8  # the minimum count of a piece, for its fixed cost
EARLY_OCTETS: Final = 32_768  # of a connection without a login, before it is closed
READ_OCTETS: Final = 262_144  # the maximum of waiting octets of a connection
WAITING_OCTETS: Final = 16_000_000  # of all; above it a connection has at most EARLY_OCTETS waiting
BEGINNING: Final = 16  # octets of a connection by which a request is recognised
REQUESTS: Final = frozenset({"an HTTP request", "HTTP/2"})
TOO_MUCH: Final = "too much before a login"


class Stranger(Protocol):
    """A connection; `early` counts the octets served without a login."""

    number: int
    early: int


class Server(Protocol):
    """The calls of the server that the lane uses."""

    def is_shut(self) -> bool:
        """Tell whether nothing is read at present, as nothing can be recorded."""
        ...

    def begun(self, number: int) -> bytes | None:
        """Octets of an unfinished frame of a stranger; None for a connection that is served no more."""
        ...

    def serve_early(self, stranger: Stranger, octets: bytes) -> int:
        """Serve octets of a stranger; return how many frames and wire errors they held."""
        ...

    def welcome(self, stranger: Stranger, octets: bytes) -> bool:
        """Tell whether a stranger is logged in now; the octets after its login are then served as all reads."""
        ...

    def end(self, number: int, reason: str) -> None:
        """Close a connection."""
        ...


class Lane:
    """The octets of strangers that wait."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._waiting: dict[int, tuple[Stranger, bytes, int]] = {}  # a read, and how much of it has been served
        self._octets = 0  # waiting
        self._spent = 0  # items of this turn
        self._is_planned = False

    def holds(self, number: int) -> bool:
        """Tell whether octets of a connection wait."""
        return number in self._waiting

    def clear(self) -> None:
        """Discard all waiting octets."""
        self._octets = 0
        self._waiting.clear()

    def take(self, stranger: Stranger, octets: bytes) -> None:
        """Take the octets of a read."""
        _, before, at = self._waiting.get(stranger.number, (stranger, b"", 0))
        most = EARLY_OCTETS if self._octets > WAITING_OCTETS else READ_OCTETS
        kept = octets[: max(0, most - len(before) + at)]
        if len(kept) < len(octets):
            stranger.early = EARLY_OCTETS  # the connection is closed before a later frame could show the missing octets
        self._octets += len(kept)
        self._waiting[stranger.number] = stranger, before[at:] + kept, 0

    def serve(self, *, shared: bool = False) -> None:
        """Serve one turn's amount, less if it is `shared` with ordinary clients, and schedule the next one."""
        if self._server.is_shut():
            return
        while self._waiting and self._spent < (SHARED_TURN_ITEMS if shared else TURN_ITEMS):
            self._serve_one()
        if not self._is_planned and (self._waiting or self._spent):
            self._is_planned = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._is_planned, self._spent = False, 0
        self.serve()

    def _serve_one(self) -> None:
        """Serve a piece of the connection that has waited longest."""
        number = next(iter(self._waiting))
        stranger, octets, at = self._waiting.pop(number)
        begun = self._server.begun(number)
        piece, reason = octets[at : at + SLICE], ""
        if begun is not None and stranger.early < BEGINNING and protocol_of(begun + piece) in REQUESTS:
            piece, reason = piece.partition(STX)[0], "an HTTP request"  # a form's text may hold frames
        is_cut, end = stranger.early >= EARLY_OCTETS, at + len(piece)
        if begun is not None:
            stranger.early += len(piece)
            self._spent += max(PIECE_ITEMS, self._server.serve_early(stranger, piece))
            if not is_cut and not reason and self._server.welcome(stranger, octets[end:]):
                self._octets -= len(octets) - at
                return
            if stranger.early >= EARLY_OCTETS:
                reason = TOO_MUCH
            if reason:
                self._server.end(number, reason)
        self._octets -= end - at
        if begun is None or reason or self._server.begun(number) is None:
            self._octets -= len(octets) - end
        elif end < len(octets):
            self._waiting[number] = stranger, octets, end
