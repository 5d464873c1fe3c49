"""The octets that a turn did not serve: they are served first in the next turn, in the gateway's order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

LEFT_OCTETS: Final = 65_536  # of a connection; with more it is not read until they are served


class Line(Protocol):
    """A connection whose reading can be paused."""

    transport: asyncio.Transport


class Lines(Protocol):
    """The server's connections."""

    def open_lines(self) -> Mapping[int, Line]:
        """Every connection by its number."""
        ...

    def is_shut(self) -> bool:
        """Tell whether nothing is read at present, as nothing can be recorded."""
        ...

    def is_heard(self, number: int) -> bool:
        """Tell whether the connection is read, i.e. muted by neither an outage nor a fault."""
        ...


class Leftovers:
    """Octets of all connections that were read and recorded, and that no turn has served yet."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._left: list[tuple[int, bytes]] = []
        self._holding: set[int] = set()
        self._paused: set[int] = set()

    def __bool__(self) -> bool:
        """Tell whether anything is left over."""
        return bool(self._left)

    def holds(self, number: int) -> bool:
        """Tell whether octets of a connection are left over."""
        return number in self._holding

    def clear(self) -> None:
        """Discard all."""
        self.take()

    def take(self) -> list[tuple[int, bytes]]:
        """Return all, to be served now."""
        left, self._left, self._holding = self._left, [], set()
        return left

    def add(self, left: list[tuple[int, bytes]]) -> None:
        """Keep octets for the next turn; stop reading connections with many, and resume the others."""
        self._left += left
        self._holding |= {number for number, _ in left}
        full = {number for number, octets in self._left if len(octets) > LEFT_OCTETS}
        for number in full:
            line = self._lines.open_lines().get(number)
            if line is not None and not line.transport.is_closing():
                line.transport.pause_reading()
        if self._paused:
            self._resume(self._paused - full)
        self._paused = full

    def _resume(self, numbers: set[int]) -> None:
        """Read connections again, unless something else forbids it."""
        for number in numbers:
            line = self._lines.open_lines().get(number)
            if line is None or line.transport.is_closing() or self._lines.is_shut():
                continue
            if self._lines.is_heard(number):
                line.transport.resume_reading()
