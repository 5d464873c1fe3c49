"""Evidence of frames on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final, Protocol

from simbench.finding import Evidence

SHOWN: Final = 6  # frames of one finding
MOST_OCTETS: Final = 2048  # of a frame that never ends


class Framed(Protocol):
    """A row of the trace that has a frame."""

    @property
    def at(self) -> int:
        """Microseconds, UTC."""

    @property
    def session(self) -> int:
        """Number of the connection."""

    @property
    def frame(self) -> bytes:
        """STX to ETX."""


def framed(note: str, row: Framed, *, since: int | None = None, until: int | None = None) -> Evidence:
    """A frame as evidence: at its instant, or over the time `since` or `until` another."""
    start, end = row.at if since is None else since, row.at if until is None else until
    return Evidence(note, start, end, row.session, row.frame[:MOST_OCTETS].hex().upper())


def first_frames(note: str, rows: Iterable[Framed], most: int = SHOWN) -> tuple[Evidence, ...]:
    """The first few frames as evidence of the same."""
    return tuple(framed(note, row) for row in islice(rows, most))
