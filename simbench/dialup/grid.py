"""The hours of some months: month, tariff period and retail credit of each.

Hours of UTC and of civil time begin at the same instants, so every edge of tariff, day and month is an edge of this
grid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from simbench.base.calendar import Calendar
from simbench.base.errors import BadInput
from simbench.base.units import HOUR_US, SECOND_US
from simbench.dialup.calls import I32, I64
from simbench.dialup.offer import Offer


@dataclass(frozen=True)
class Grid:
    """Whole months of civil time, hour by hour, and as many hours after them as a call can last.

    `month` is the place of each hour's month in `months`, -1 after the last; `peak` its tariff period; `retail` the
    place of its price in `offer.retail`; `civil_hour` the hour of the civil day, `day` the day of the grid.
    """

    calendar: Calendar
    months: tuple[str, ...]
    first_us: int
    last_us: int
    month: I32
    peak: NDArray[np.bool_]
    retail: I32
    credit_us: I64
    civil_hour: I32
    day: I32

    @property
    def first_hour(self) -> int:
        """Hours from 1970 to the first of the grid."""
        return self.first_us // HOUR_US

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Hours within the months."""
        return self.month >= 0


def months_named(text: str) -> tuple[str, ...]:
    """Read "2000-09", "2000" (its twelve months) or "2000-09/2000-11". BadInput for anything else."""
    found = re.fullmatch(r"(\d{4})(?:-(\d\d))?(?:/(\d{4})-(\d\d))?", text)
    if found:
        year, month, until_year, until_month = (int(part) if part else 0 for part in found.groups())
        first = year * 12 + (month or 1) - 1
        last = until_year * 12 + until_month - 1 if until_year else first + (0 if month else 11)
        right = all(1 <= part <= 12 for part in (month or 1, until_month or 1)) and (month or not until_year)
        if right and 1990 <= year <= last // 12 <= 2037 and first <= last < first + 120:
            return tuple(f"{place // 12:04}-{place % 12 + 1:02}" for place in range(first, last + 1))
    raise BadInput(f"month {text[:40]!r}", "is no month", 'such as "2000-09", "2000" or "2000-09/2000-11", from 1990')


def grid_of(months: tuple[str, ...], offer: Offer) -> Grid:
    """Lay out months that follow one another. BadInput where no retail tariff is known for a day of them."""
    calendar = offer.calendar
    first_us = calendar.month_of(*_numbers(months[0]))[0]
    last_us = calendar.month_of(*_numbers(months[-1]))[1]
    terms = offer.terms
    hours = range(first_us // HOUR_US, last_us // HOUR_US + terms.records.longest_h.value + 1)
    holidays_off = offer.reading("holiday-hours") == "off_peak"
    opens, closes = terms.hours.peak_from_h.value, terms.hours.peak_to_h.value
    starts = [calendar.month_of(*_numbers(month))[0] for month in months]
    month = np.searchsorted(starts, np.array(hours) * HOUR_US, side="right") - 1
    month[np.array(hours) * HOUR_US >= last_us] = -1
    moments = [calendar.civil(hour * HOUR_US) for hour in hours]
    retail = np.array([_retail_place(offer, moment.date()) for moment in moments], dtype=np.int32)
    first_day = moments[0].date()
    return Grid(
        calendar=calendar,
        months=months,
        first_us=first_us,
        last_us=last_us,
        month=month.astype(np.int32),
        peak=np.array([calendar.is_peak(hour * HOUR_US, opens, closes, holidays_off=holidays_off) for hour in hours]),
        retail=retail,
        credit_us=np.array([offer.retail[place].credit_s * SECOND_US for place in retail], dtype=np.int64),
        civil_hour=np.array([moment.hour for moment in moments], dtype=np.int32),
        day=np.array([(moment.date() - first_day).days for moment in moments], dtype=np.int32),
    )


def last_day_of(month: str, calendar: Calendar) -> date:
    """Give the last day of a month: the day its share falls due."""
    return calendar.civil(calendar.month_of(*_numbers(month))[1] - 1).date()


def month_at(us: int, calendar: Calendar) -> str:
    """Name the month of an instant."""
    return calendar.civil(us).strftime("%Y-%m")


def start_of(month: str, calendar: Calendar) -> int:
    """Give the first instant of a month."""
    return calendar.instant(*_numbers(month), 1)


def _numbers(month: str) -> tuple[int, int]:
    year, number = month.split("-")
    return int(year), int(number)


def _retail_place(offer: Offer, day: date) -> int:
    return offer.retail.index(offer.retail_on(day))
