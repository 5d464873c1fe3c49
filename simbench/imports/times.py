"""Instants as people and programs write them. Guesses no zone."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from simbench.contract.calendar import from_civil
from simbench.contract.typed import shown
from simbench.errors import BadInput

FIRST_YEAR, LAST_YEAR = 1980, 2200  # what lies outside was never a time of this trade


class NoZone(BadInput):
    """A time says no zone, and nobody said which it is in."""


def zone_of(name: str, place: str = "--tz") -> ZoneInfo:
    """A zone of the tz database by name. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInput(place, f"{shown(name)} is no time zone", "a name like Europe/Paris or UTC") from None


def instant_of(written: str | datetime, zone: tzinfo | None, place: str, pattern: str = "") -> int:
    """Microseconds, UTC, of an ISO 8601 date and time, or of one after a `strptime` pattern.

    A time without zone is in `zone`; NoZone where there is none. Raises BadInput for anything that is no time.
    """
    moment = written if isinstance(written, datetime) else _parsed(written.strip(), pattern, place)
    if moment.tzinfo is None:
        if zone is None:
            expected = "a zone, as in 2026-03-02T10:00:00+01:00, or the option --tz"
            raise NoZone(place, f"{shown(str(written))} says no time zone", expected)
        moment = moment.replace(tzinfo=zone)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadInput(place, f"{shown(str(written))} is no plausible time", f"a year from {FIRST_YEAR} to {LAST_YEAR}")
    return from_civil(moment)


def _parsed(text: str, pattern: str, place: str) -> datetime:
    try:
        return datetime.strptime(text, pattern) if pattern else _iso(text)
    except ValueError:
        expected = f"a time like {pattern}" if pattern else "ISO 8601, as in 2026-03-02T10:00:00+01:00"
        raise BadInput(place, f"{shown(text)} is no time", expected) from None


@lru_cache(maxsize=65_536)
def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text)
