"""Civil time against hand-written oracles: holiday tables, change-overs, window lengths."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.calendar import Calendar
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from tests import paris as cal

FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
# Easter Monday, Ascension Thursday, Whit Monday, written out from printed calendars.
EASTER_BASED = {
    2016: ((3, 28), (5, 5), (5, 16)),
    2017: ((4, 17), (5, 25), (6, 5)),
    2024: ((4, 1), (5, 9), (5, 20)),
    2025: ((4, 21), (5, 29), (6, 9)),
    2026: ((4, 6), (5, 14), (5, 25)),
    2027: ((3, 29), (5, 6), (5, 17)),
}
INSTANTS = st.integers(cal.instant(1990, 1, 1), cal.instant(2089, 12, 31, 23, 59, 59))


@pytest.mark.parametrize("year", EASTER_BASED)
def test_the_holidays_are_those_of_the_printed_calendar(year: int) -> None:
    assert cal.holidays_of(year) == {date(year, month, day) for month, day in (*FIXED, *EASTER_BASED[year])}


@pytest.mark.parametrize(
    ("year", "ouvrables", "ouvres"),
    [(2016, 306, 253), (2017, 302, 251), (2024, 304, 252), (2025, 302, 251), (2026, 303, 252)],
)
def test_a_year_has_so_many_jours_ouvrables_and_ouvres(year: int, ouvrables: int, ouvres: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    days = [day for day in days if day.year == year]
    assert sum(map(cal.is_jour_ouvrable, days)) == ouvrables
    assert sum(map(cal.is_jour_ouvre, days)) == ouvres


def test_saturday_is_ouvrable_but_not_ouvre_and_sunday_is_neither() -> None:
    saturday, sunday = date(2026, 2, 7), date(2026, 2, 8)
    assert cal.is_jour_ouvrable(saturday)
    assert not cal.is_jour_ouvre(saturday)
    assert not cal.is_jour_ouvrable(sunday)


def test_good_friday_and_saint_stephen_are_holidays_in_alsace_moselle_only() -> None:
    for day in (date(2026, 4, 3), date(2026, 12, 26)):
        assert cal.is_jour_ouvrable(day)
        assert not cal.is_jour_ouvrable(day, regional=True)


def test_the_march_night_is_23_hours_and_the_october_night_25() -> None:
    assert cal.midnight_after(cal.instant(2026, 3, 29)) - cal.instant(2026, 3, 29) == 23 * HOUR_US
    assert cal.midnight_after(cal.instant(2026, 10, 25)) - cal.instant(2026, 10, 25) == 25 * HOUR_US
    assert cal.midnight_after(cal.instant(2026, 6, 1) - 1) == cal.instant(2026, 6, 1)


def test_the_clock_changes_at_one_utc_on_the_last_sundays() -> None:
    for change, before, after in (
        (datetime(2026, 3, 29, 1, tzinfo=UTC), 1, 3),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), 2, 2),
    ):
        us = cal.from_civil(change)
        assert (cal.civil(us - 1).hour, cal.civil(us).hour) == (before, after)


@pytest.mark.parametrize(("zone", "summer_h"), [("Europe/Paris", 1), ("Europe/Dublin", 1), ("UTC", 0)])
def test_summer_is_when_clocks_are_ahead_whatever_the_zone_calls_it(zone: str, summer_h: int) -> None:
    calendar = Calendar(zone, "")
    assert calendar.summer_shift(calendar.instant(2026, 7, 10, 12)) == timedelta(hours=summer_h)
    assert calendar.summer_shift(calendar.instant(2026, 1, 10, 12)) == timedelta(0)


def test_the_repeated_hour_has_two_instants_an_hour_apart() -> None:
    first, second = (cal.instant(2026, 10, 25, 2, 30, fold=fold) for fold in (0, 1))
    assert second - first == HOUR_US
    assert cal.scts_text(first) == cal.scts_text(second) == "251026023000"
    assert cal.parse_scts("251026023000") == first
    assert cal.civil(second).fold == 1


@pytest.mark.parametrize(
    ("end", "hours"),
    [((2026, 3, 29, 12), 8759), ((2026, 10, 25, 12), 8761), ((2024, 6, 1), 8784), ((2026, 7, 1), 8760)],
)
def test_twelve_months_back_are_so_many_hours(end: tuple[int, ...], hours: int) -> None:
    us = cal.instant(*end)
    assert us - cal.months_before(us, 12) == hours * HOUR_US


def test_going_back_months_stops_at_the_end_of_a_shorter_month() -> None:
    assert cal.months_before(cal.instant(2026, 3, 31, 9), 1) == cal.instant(2026, 2, 28, 9)
    assert cal.months_before(cal.instant(2024, 2, 29), 12) == cal.instant(2023, 2, 28)
    assert cal.months_before(cal.instant(2026, 1, 15), 1) == cal.instant(2025, 12, 15)
    assert cal.months_before(cal.instant(2026, 1, 15), 0) == cal.instant(2026, 1, 15)


def test_five_days_of_notice_depend_on_what_a_day_is() -> None:
    start = cal.instant(2026, 5, 15, 2)  # a Friday; Thursday 14 is Ascension, Friday 8 a holiday
    assert cal.days_before(start, 5) == cal.instant(2026, 5, 10, 2)
    assert cal.days_before(start, 5, "ouvrables") == cal.instant(2026, 5, 7, 2)
    assert cal.days_before(start, 5, "ouvres") == cal.instant(2026, 5, 6, 2)
    assert cal.days_before(cal.instant(2026, 3, 30, 12), 5) == cal.instant(2026, 3, 25, 11)


@pytest.mark.parametrize(
    "text",
    ["", "310226120000", "000126120000", "011326120000", "010126240000", "010126006000", "010126000060", "29032602300",
     "290326023000", "29022612000x", "٠١٠١٢٦١٢٠٠٠٠", "+10126120000", " 10126120000", "0101261200000"],
)  # fmt: skip
def test_an_impossible_time_stamp_is_no_instant(text: str) -> None:
    assert cal.parse_scts(text) is None
    assert cal.parse_minute(text[:10]) is None or text[:10].isdigit()


def test_two_digit_years_split_at_90() -> None:
    assert cal.parse_scts("010189000000") == cal.instant(2089, 1, 1)
    assert cal.parse_scts("010190000000") == cal.instant(1990, 1, 1)


@given(INSTANTS)
def test_a_time_stamp_reads_back_as_its_second_or_the_first_of_a_repeated_hour(us: int) -> None:
    read = cal.parse_scts(cal.scts_text(us))
    assert read is not None
    assert us - read - cal.civil(us).fold * HOUR_US in range(SECOND_US)
    assert cal.parse_minute(cal.minute_text(us)) == read - read % MINUTE_US


@given(INSTANTS)
def test_civil_time_and_back_is_the_same_microsecond(us: int) -> None:
    then = cal.civil(us)
    assert cal.from_civil(then) == us
    assert cal.from_civil(then.replace(tzinfo=None), then.fold) == us


@given(INSTANTS)
def test_the_next_midnight_is_ahead_within_25_hours_and_is_a_midnight(us: int) -> None:
    midnight = cal.midnight_after(us)
    assert us < midnight <= us + 25 * HOUR_US
    assert cal.scts_text(midnight).endswith("000000")


@given(st.text(max_size=14))
def test_any_text_is_an_instant_that_writes_the_same_text_or_none(text: str) -> None:
    for parse, write in ((cal.parse_scts, cal.scts_text), (cal.parse_minute, cal.minute_text)):
        us = parse(text)
        assert us is None or write(us) == text
