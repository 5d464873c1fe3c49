"""Reads times as people and programs write them: ISO 8601, a pattern, or seconds since 1970, with or without a zone.

A civil time may occur twice (in the hour repeated in October) or not at all (in the hour skipped in March): both have
two readings, and `Moment` keeps both.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from simbench.base.calendar import us_of
from simbench.base.errors import BadInput
from simbench.base.toml_files import shown
from simbench.base.units import SECOND_US

FIRST_YEAR, LAST_YEAR = 1980, 2200  # times outside are implausible in this field
ISO = "ISO 8601, as in 2026-03-02T10:00:00+01:00"

_NUMBER = re.compile(r"([0-9]{9,19})(?:[.,]([0-9]{1,9}))?")
_PER_SECOND: Final = {9: 1, 10: 1, 12: 10**3, 13: 10**3, 15: 10**6, 16: 10**6, 18: 10**9, 19: 10**9}
_EPOCH_PATTERN = "%s"
_LONGEST_DATE = 10  # characters of a date without a time
# Hours from UTC of unambiguous zone words: RFC 5322, 4.3, and those in use in Europe.
_ZONES: Final = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2,
    "EEST": 3, "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
_WORD = re.compile(r"(?<![A-Za-z/_])[A-Za-z]{1,5}(?![A-Za-z/_])")
_TAIL = re.compile(r"(?P<time>.*[0-9])\s*(?P<zone>Z|[A-Z]{2,5}|[+-][0-9]{2}:?[0-9]{2})")


class NoZone(BadInput):
    """A time without a zone, where no zone was given."""


class Moment(msgspec.Struct, frozen=True):
    """A written time as the instants (us, UTC) it can mean: equal, except at a change of clocks.

    `skipped`: the time does not exist, as the clocks went forward over it.
    """

    first: int
    second: int
    skipped: bool = False

    @property
    def readings(self) -> tuple[int, ...]:
        """The possible instants, the usual reading first."""
        return (self.first,) if self.first == self.second else (self.first, self.second)


def zone_of(name: str, place: str = "--tz") -> ZoneInfo:
    """Return a zone of the tz database by name. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInput(place, f"{shown(name)} is not a time zone", "a name like Europe/Paris or UTC") from None


def instant_of(written: Any, zone: tzinfo | None, place: str, pattern: str = "") -> int:
    """Return a written time in microseconds, UTC; the first of two readings. Raises like `moment_of`."""
    return moment_of(written, zone, place, pattern).first


def moment_of(written: Any, zone: tzinfo | None, place: str, pattern: str = "") -> Moment:
    """Read a text, a datetime, or a number of seconds (or milli-, micro-, nanoseconds, by its size) since 1970.

    Texts are ISO 8601, or follow a `strptime` pattern. A zone in the text takes precedence over `zone`; raises NoZone
    if there is neither, and BadInput for anything that is not a time.
    """
    if isinstance(written, datetime):
        return _placed(written, zone, place, str(written))
    text = written.strip() if isinstance(written, str) else _plain(written)
    if not pattern and len(text) > _LONGEST_DATE and text[4] == "-":  # most tables: neither a number nor a pattern
        plain = _with_offset(text)
        if plain is not None:
            return plain
        return _placed(_parsed(text, "", place), zone, place, text)
    if not pattern or pattern == _EPOCH_PATTERN:
        since_1970 = _counted(text)
        if since_1970 is not None:
            return _plausible(since_1970, place, text)
    return _placed(_parsed(text, pattern, place), zone, place, text)


def _with_offset(text: str) -> Moment | None:
    """Read a plain ISO 8601 time with an offset, the usual form in long tables; return None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    at = us_of(moment)
    return Moment(at, at)


def _plain(written: Any) -> str:
    if isinstance(written, (float, Decimal)) and not isinstance(written, bool):
        return f"{written:.6f}".rstrip("0").rstrip(".")
    return str(written).strip()


def _counted(text: str) -> int | None:
    """Return a plain number as microseconds since 1970, its unit derived from its digits; None for anything else."""
    found = _NUMBER.fullmatch(text)
    per_second = _PER_SECOND.get(len(found[1])) if found else None
    if found is None or per_second is None:
        return None
    return int(Decimal(f"{found[1]}.{found[2] or 0}") * SECOND_US / per_second)


def _plausible(us: int, place: str, text: str) -> Moment:
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=us)  # noqa: UP017 - one name for it
    _check_year(moment, place, text)
    return Moment(us, us)


def _check_year(moment: datetime, place: str, text: str) -> None:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadInput(place, f"{shown(text)} is not a plausible time", f"a year from {FIRST_YEAR} to {LAST_YEAR}")


def _placed(moment: datetime, zone: tzinfo | None, place: str, text: str) -> Moment:
    _check_year(moment, place, text)
    if moment.tzinfo is not None:
        at = us_of(moment)
        return Moment(at, at)
    if zone is None:
        expected = "a zone, as in 2026-03-02T10:00:00+01:00, or the option --tz"
        raise NoZone(place, f"{shown(text)} has no time zone", expected)
    first, second = (us_of(moment.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    # PEP 495: for a skipped time, fold 0 uses the offset before the change and so gives the later instant.
    return Moment(first, second, first > second)


def _parsed(text: str, pattern: str, place: str) -> datetime:
    try:
        if not pattern:
            return _iso(text)
        return _by_pattern(text, pattern, place)
    except ValueError:
        expected = f"a time like {pattern}" if pattern else ISO
        raise BadInput(place, f"{shown(text)} is not a time", expected) from None


def _by_pattern(text: str, pattern: str, place: str) -> datetime:
    """Read a time like `strptime`, but also the zone word of a `%Z`."""
    if "%Z" not in pattern:
        return datetime.strptime(text, pattern)
    for word in _WORD.finditer(text):
        hours = _ZONES.get(word[0].upper())
        if hours is not None:
            plain = f"{text[: word.start()]}{hours:+03d}00{text[word.end() :]}"
            return datetime.strptime(plain, pattern.replace("%Z", "%z"))
    raise BadInput(place, f"{shown(text)} names no known zone", f"one of {', '.join(_ZONES)}, or an offset (%z)")


@lru_cache(maxsize=65_536)
def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        tail = _TAIL.fullmatch(text)
        if tail is None:
            raise
        zone = tail["zone"]
        if zone[0] not in "+-":
            if zone not in _ZONES:
                raise
            return datetime.fromisoformat(tail["time"]).replace(tzinfo=timezone(timedelta(hours=_ZONES[zone])))
        return datetime.fromisoformat(tail["time"] + zone)
