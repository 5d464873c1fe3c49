"""Civil time: a zone, its public holidays and working days, and the time texts of UCP.

Instants are in microseconds since the Unix epoch, UTC. A contract gives the calendar that counts for it.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from simbench.base.errors import BadInput
from simbench.base.units import DAY_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CENTURY_SPLIT = 90  # two-digit years from here on are in the 1900s (as in SMSCs; EMI-UCP 4.0 gives no rule)


@dataclass(frozen=True)
class Calendar:
    """Civil time of an IANA zone and the public holidays of a country by its two letters ("": none).

    `region` is a part of the country with further holidays, which count only where a caller asks for them.
    """

    zone: str
    country: str
    region: str = ""

    @cached_property
    def tz(self) -> ZoneInfo:
        """The zone's rules."""
        return ZoneInfo(self.zone)

    def civil(self, us: int) -> datetime:
        """Return the civil time of an instant, aware, exact to the microsecond."""
        return (_EPOCH + timedelta(microseconds=us)).astimezone(self.tz)

    def from_civil(self, moment: datetime, fold: int = 0) -> int:
        """Return the instant of a civil time; a naive one is in the zone.

        `fold=1` is the second of the hours repeated when clocks go back. A time skipped when they go forward is read
        with the offset before the change.
        """
        aware = moment if moment.tzinfo else moment.replace(tzinfo=self.tz, fold=fold)
        return us_of(aware)

    def iso(self, us: int) -> str:
        """Write an instant as ISO 8601 with its offset, without a fraction if it is a whole second."""
        return self.civil(us).isoformat()

    def instant(self, *fields: int, fold: int = 0) -> int:
        """Return the instant of year, month, day[, hour, minute, second, microsecond]."""
        return self.from_civil(datetime(*fields), fold)  # type: ignore[arg-type] # mypy takes *fields to reach tzinfo

    def summer_shift(self, us: int) -> timedelta:
        """Return how far clocks are ahead of the year's smallest offset from UTC: an hour in summer in most zones.

        `datetime.dst()` does not give this for Ireland, whose rules define winter as the shifted time: it is -1 h in
        winter.
        """
        civil = self.civil(us)
        offsets = [
            (one.utcoffset() or timedelta()) for one in (civil, *(civil.replace(month=m, day=1) for m in (1, 7)))
        ]
        return offsets[0] - min(offsets)

    def midnight_after(self, us: int) -> int:
        """Return the first midnight after the instant."""
        return self.from_civil(datetime.combine(self.civil(us).date() + timedelta(days=1), datetime.min.time()))

    def months_before(self, us: int, months: int) -> int:
        """Go back whole calendar months in civil time, to the last day of a shorter month."""
        then = self.civil(us)
        year, month = divmod(then.year * 12 + then.month - 1 - months, 12)
        day = min(then.day, monthrange(year, month + 1)[1])
        return self.from_civil(then.replace(year=year, month=month + 1, day=day, tzinfo=None), then.fold)

    def month_of(self, year: int, month: int) -> tuple[int, int]:
        """Return the first instant of a month and of the next; months beyond 12 continue in later years."""
        opens, closes = (divmod(year * 12 + month - 1 + later, 12) for later in (0, 1))
        return self.instant(opens[0], opens[1] + 1, 1), self.instant(closes[0], closes[1] + 1, 1)

    def period_of(self, us: int, months: int) -> tuple[int, int]:
        """Return the calendar period of 1, 3 or 12 months (counted from January) that contains an instant."""
        then = self.civil(us)
        first = (then.month - 1) // months * months + 1
        return self.month_of(then.year, first)[0], self.month_of(then.year, first + months)[0]

    def is_peak(self, us: int, from_h: int, to_h: int, *, holidays_off: bool = True) -> bool:
        """Return whether an instant is in the peak of a telephone tariff: Monday to Friday, from `from_h` to `to_h`.

        The result holds for the whole hour. `holidays_off` treats public holidays like Sundays.
        """
        then = self.civil(us)
        working = self.is_jour_ouvre(then.date()) if holidays_off else then.weekday() < 5
        return working and from_h <= then.hour < to_h

    def days_before(self, us: int, days: int, reading: str = "calendar") -> int:
        """Return the latest instant at least `days` days before an instant, for announcements.

        `reading`: "calendar" counts 24 hours a day; "civil", "ouvrables" and "ouvres" go back that
        many days, jours ouvrables or jours ouvrés, to the same civil time.
        """
        if reading == "calendar":
            return us - days * DAY_US
        then, counts = self.civil(us), {"ouvrables": self.is_jour_ouvrable, "ouvres": self.is_jour_ouvre}.get(reading)
        day = then.date()
        while days:
            day -= timedelta(days=1)
            days -= 1 if counts is None else counts(day)
        return self.from_civil(datetime.combine(day, then.time()), then.fold)

    def is_jour_ouvrable(self, day: date, *, regional: bool = False) -> bool:
        """Return whether a date is a jour ouvrable: Monday to Saturday, no public holiday."""
        return day.weekday() < 6 and day not in self.holidays_of(day.year, regional)

    def is_jour_ouvre(self, day: date, *, regional: bool = False) -> bool:
        """Return whether a date is a jour ouvré: Monday to Friday, no public holiday."""
        return day.weekday() < 5 and day not in self.holidays_of(day.year, regional)

    def holidays_of(self, year: int, regional: bool = False) -> frozenset[date]:
        """Return the public holidays of a year; `regional` adds those of the region."""
        return _holidays(self.country, self.region if regional else "", year)

    def scts_text(self, us: int) -> str:
        """Write an instant as UCP writes a service centre time stamp: DDMMYYHHmmss (years 1990 to 2089)."""
        return self.civil(us).strftime("%d%m%y%H%M%S")

    def minute_text(self, us: int) -> str:
        """Write an instant as UCP writes validity and deferred times: DDMMYYHHmm (years 1990 to 2089)."""
        return self.civil(us).strftime("%d%m%y%H%M")

    def parse_scts(self, text: str) -> int | None:
        """Read DDMMYYHHmmss; None if it is not a date, or in an hour skipped when clocks go forward.

        A repeated hour is read as its first occurrence, as the text cannot distinguish them.
        """
        return _parsed(self, text) if len(text) == 12 else None

    def parse_minute(self, text: str) -> int | None:
        """Read DDMMYYHHmm, with the same rules as `parse_scts`."""
        return _parsed(self, text + "00") if len(text) == 10 else None


@lru_cache(maxsize=256)
def _holidays(country: str, region: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415 - slow to import, and few runs ask for a date

    if not country:
        return frozenset()
    try:
        return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))
    except NotImplementedError:
        place = f"public holidays of {country}" + (f", {region}" if region else "")
        raise BadInput(place, "are not known", "a country by its two letters, such as DE, and a region of it") from None


@lru_cache(maxsize=1)
def countries() -> dict[str, tuple[str, ...]]:
    """Return the countries whose public holidays are known, by their two letters, each with its regions."""
    import holidays  # noqa: PLC0415 - as above

    return {
        country: tuple(regions) for country, regions in holidays.list_supported_countries().items() if len(country) == 2
    }


@lru_cache(maxsize=8192)
def _parsed(calendar: Calendar, text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    day, month, year, *clock = (int(text[place : place + 2]) for place in range(0, 12, 2))
    try:
        us = calendar.instant(year + (1900 if year >= _CENTURY_SPLIT else 2000), month, day, *clock)
    except ValueError:
        return None
    return us if calendar.scts_text(us) == text else None


UTC_CALENDAR = Calendar("UTC", "")
"""Universal time without holidays, where no contract applies."""


def us_of(moment: datetime) -> int:
    """Return the instant of an aware time."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds  # half the time of a division
