"""Columns of call records: their names, their contents, and which ones a file must have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from simbench.base.errors import BadInput
from simbench.tables.rows import Kind

TIMES: Final = ("start", "start_us", "end", "end_us", "duration_s", "duration_us")
NAMES: Final = ("nas", "port", "user", "session", "cause")
KINDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(TIMES, "number"), "start": "instant", "end": "instant", **dict.fromkeys(NAMES, "text"),
}  # fmt: skip
MOST_PORT: Final = 1 << 31  # a port above does not fit in the column and does not occur

Progress = Callable[[int, int], object]
"""Called with the octets or rows read, and their total."""


def check_columns(header: list[str], place: str) -> None:
    """Raise BadInput for a header without the columns of a call."""
    if not {"start", "start_us"} & set(header):
        raise BadInput(place, "has no column `start` or `start_us`", "a header with " + ", ".join(TIMES + NAMES))
    if not set(TIMES[2:]) & set(header):
        raise BadInput(place, "has no column for the end of a call", " or ".join(TIMES[2:]))
    if len(set(header)) < len(header):
        raise BadInput(place, "names a column twice", "each column once")
