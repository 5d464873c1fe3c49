"""Civil time in France: Europe/Paris, public holidays, jours ouvrables, and the time texts of UCP.

Instants are in microseconds since the Unix epoch, UTC.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from simbench.base.units import DAY_US

PARIS = ZoneInfo("Europe/Paris")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CENTURY_SPLIT = 90  # two-digit years from here on are in the 1900s (as in SMSCs; EMI-UCP 4.0 gives no rule)


def civil(us: int) -> datetime:
    """Return the Paris civil time of an instant, aware, exact to the microsecond."""
    return (_EPOCH + timedelta(microseconds=us)).astimezone(PARIS)


def from_civil(moment: datetime, fold: int = 0) -> int:
    """Return the instant of a civil time; a naive one is Paris time.

    `fold=1` is the second of the two hours repeated in October. A time skipped in March is read with the offset before
    the change.
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=PARIS, fold=fold)
    return (aware - _EPOCH) // _MICROSECOND


def instant(*fields: int, fold: int = 0) -> int:
    """Return the instant of year, month, day[, hour, minute, second, microsecond] in Paris."""
    return from_civil(datetime(*fields), fold)  # type: ignore[arg-type] # mypy counts *fields as reaching tzinfo


def midnight_after(us: int) -> int:
    """Return the first midnight in Paris after the instant."""
    return from_civil(datetime.combine(civil(us).date() + timedelta(days=1), datetime.min.time()))


def months_before(us: int, months: int) -> int:
    """Go back whole calendar months in Paris time, to the last day of a shorter month (OPS-QOS-01, window start)."""
    then = civil(us)
    year, month = divmod(then.year * 12 + then.month - 1 - months, 12)
    day = min(then.day, monthrange(year, month + 1)[1])
    return from_civil(then.replace(year=year, month=month + 1, day=day, tzinfo=None), then.fold)


def month_of(year: int, month: int) -> tuple[int, int]:
    """Return the first instant of a month in Paris, and of the next; months beyond 12 continue in later years."""
    opens, closes = (divmod(year * 12 + month - 1 + later, 12) for later in (0, 1))
    return instant(opens[0], opens[1] + 1, 1), instant(closes[0], closes[1] + 1, 1)


def is_peak(us: int, from_h: int, to_h: int, *, holidays_off: bool = True) -> bool:
    """Whether an instant is at the peak of a telephone tariff: Monday to Friday, from an hour until another.

    The result holds for the whole hour. `holidays_off` treats public holidays like Sundays.
    """
    then = civil(us)
    working = is_jour_ouvre(then.date()) if holidays_off else then.weekday() < 5
    return working and from_h <= then.hour < to_h


def days_before(us: int, days: int, reading: str = "calendar") -> int:
    """Return the latest instant that is `days` days ahead of an instant, for announcements (OPS-QOS-03, OPS-ENG-04).

    `reading` is that of AMB-04: "calendar" counts 24 hours a day; "civil", "ouvrables" and "ouvres" go back that many
    days, jours ouvrables or jours ouvrés, to the same civil time.
    """
    if reading == "calendar":
        return us - days * DAY_US
    then, counts = civil(us), {"ouvrables": is_jour_ouvrable, "ouvres": is_jour_ouvre}.get(reading)
    day = then.date()
    while days:
        day -= timedelta(days=1)
        days -= 1 if counts is None else counts(day)
    return from_civil(datetime.combine(day, then.time()), then.fold)


def is_jour_ouvrable(day: date, *, alsace_moselle: bool = False) -> bool:
    """Whether a date is a jour ouvrable: Monday to Saturday, none of the 11 national holidays (OPS-PRO-03).

    `alsace_moselle` adds Good Friday and 26 December (AMB-16).
    """
    return day.weekday() < 6 and day not in holidays_of(day.year, alsace_moselle)


def is_jour_ouvre(day: date, *, alsace_moselle: bool = False) -> bool:
    """Whether a date is a jour ouvré: Monday to Friday, none of the 11 national holidays."""
    return day.weekday() < 5 and day not in holidays_of(day.year, alsace_moselle)


@lru_cache(maxsize=256)
def holidays_of(year: int, alsace_moselle: bool = False) -> frozenset[date]:
    """Return the public holidays of a year in metropolitan France (Code du travail, art. L3133-1)."""
    import holidays  # noqa: PLC0415 - slow to import, and few runs ask for a date

    return frozenset(holidays.country_holidays("FR", subdiv="57" if alsace_moselle else None, years=year))


def scts_text(us: int) -> str:
    """Write an instant as UCP writes a service centre time stamp: DDMMYYHHmmss, Paris (years 1990 to 2089)."""
    return civil(us).strftime("%d%m%y%H%M%S")


def minute_text(us: int) -> str:
    """Write an instant as UCP writes validity and deferred times: DDMMYYHHmm, Paris (years 1990 to 2089)."""
    return civil(us).strftime("%d%m%y%H%M")


@lru_cache(maxsize=4096)
def parse_scts(text: str) -> int | None:
    """Read DDMMYYHHmmss as Paris time; None if it is not a date, or in an hour skipped in March.

    An hour repeated in October is read as its first occurrence, as the text cannot distinguish them.
    """
    return _parsed(text) if len(text) == 12 else None


@lru_cache(maxsize=4096)
def parse_minute(text: str) -> int | None:
    """Read DDMMYYHHmm as Paris time, with the same rules as `parse_scts`."""
    return _parsed(text + "00") if len(text) == 10 else None


def _parsed(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    day, month, year, *clock = (int(text[place : place + 2]) for place in range(0, 12, 2))
    try:
        us = instant(year + (1900 if year >= _CENTURY_SPLIT else 2000), month, day, *clock)
    except ValueError:
        return None
    return us if scts_text(us) == text else None
