"""Spans of time in microseconds, the unit of every instant and span whose name gives no other."""

from __future__ import annotations

from typing import Final

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
NEVER: Final = 1 << 62  # an instant later than any other
