"""Makes evidence from frames on the wire."""

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
        """Instant in microseconds, UTC."""

    @property
    def session(self) -> int:
        """Number of the connection."""

    @property
    def frame(self) -> bytes:
        """Octets, STX to ETX."""


def framed(note: str, row: Framed, *, since: int | None = None, until: int | None = None) -> Evidence:
    """Return a frame as evidence, at its instant or over the interval from `since` or to `until`."""
    start, end = row.at if since is None else since, row.at if until is None else until
    return Evidence(note, start, end, row.session, row.frame[:MOST_OCTETS].hex().upper())


def first_frames(note: str, rows: Iterable[Framed], most: int = SHOWN) -> tuple[Evidence, ...]:
    """Return the first few frames as evidence with the same note."""
    return tuple(framed(note, row) for row in islice(rows, most))
