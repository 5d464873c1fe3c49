"""Extracts frames from wire rows, separately for each direction of each session.

It accepts rows like a ledger, so that a capture can be read directly into it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from simbench.ledger.rows import Row
from simbench.ucp.frame import STX, Frame, Framer, WireError

DIRECTIONS: Final = {"in": "client to SMSC", "out": "SMSC to client"}
UNDATED_US: Final = 86_400_000_000  # instants on 1 January 1970 belong to captures without times
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """Position of a frame: its line in a text, or its instant (us, UTC), session and direction on the wire."""

    line: int = 0
    at: int = -1
    session: int = 0
    direction: str = ""

    def __str__(self) -> str:
        if self.line:
            return f"line {self.line}"
        if self.at < UNDATED_US:
            return f"no time  session {self.session}, {DIRECTIONS[self.direction]}"
        try:
            when = (_EPOCH + timedelta(microseconds=self.at)).strftime("%Y-%m-%d %H:%M:%S.%f")
        except OverflowError:
            when = f"{self.at} us"
        return f"{when}  session {self.session}, {DIRECTIONS[self.direction]}"


class FramesOfRows:
    """Takes `wire` rows in order and calls `show` with the frames each one completes."""

    def __init__(self, show: Callable[[Seen, list[Frame | WireError]], object]) -> None:
        self._show = show
        self._framers: dict[tuple[int, str], Framer] = {}
        self._opened: set[int] = set()

    def __len__(self) -> int:
        return 0

    def append(self, row: Row, /) -> None:
        """Add a row. Octets before the first STX of a session that began midway are ignored."""
        at, session, direction, octets = row
        assert isinstance(at, int)
        assert isinstance(session, int)
        assert isinstance(octets, bytes)
        if direction == "open":
            self._forget(session)
            self._opened.add(session)
        elif direction == "close":
            self._forget(session)
        elif direction in DIRECTIONS:
            self._chunk(Seen(at=at, session=session, direction=str(direction)), octets)

    def _chunk(self, seen: Seen, octets: bytes) -> None:
        key = seen.session, seen.direction
        framer = self._framers.get(key)
        if framer is None:
            if seen.session not in self._opened:
                _, begin, octets = octets.partition(STX)
                if not begin:
                    return
                octets = begin + octets
            framer = self._framers[key] = Framer()
        self._show(seen, framer.feed(octets))

    def _forget(self, session: int) -> None:
        self._opened.discard(session)
        for direction in DIRECTIONS:
            self._framers.pop((session, direction), None)
