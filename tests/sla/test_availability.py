"""Availability over rolling twelve months: fixed cases, windows, variants, and a slow oracle."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simbench.base.units import DAY_US, HOUR_US, MINUTE_US
from simbench.contract import load_contract
from simbench.ledger.incidents import Incident, Period
from simbench.sla.availability import VARIANTS, budget, rolling, turning_points, year_of
from simbench.sla.classification import Service, counted, service_of
from simbench.sla.rolling_window import downtime_of, windows
from tests.paris import FRANCE, instant, months_before
from tests.sla.years import END, START, YEAR, case_of, judged, maintenance, outage, outages

ROLLING, SIX = "sla.availability", "sla.restoration"
CONTRACT = load_contract()


def test_fourteen_outages_of_six_hours_keep_both_promises() -> None:
    found = judged(ROLLING, outages(14, 6))
    assert found.outcome == "pass"
    assert found.measured == pytest.approx(1 - 84 / 8760)
    assert judged(SIX, outages(14, 6)).outcome == "pass"


def test_fifteen_outages_of_six_hours_break_availability_and_no_restoration() -> None:
    found = judged(ROLLING, outages(15, 6))
    assert (found.outcome, found.blame) == ("fail", "platform")
    assert found.measured == pytest.approx(1 - 90 / 8760)
    assert len(found.evidence) == 10
    assert judged(SIX, outages(15, 6)).outcome == "pass"


def test_one_outage_of_seven_hours_breaks_restoration_only() -> None:
    found = judged(SIX, [outage(5000, 7)])
    assert (found.outcome, found.measured, found.limit) == ("fail", 7.0, 6)
    assert [(one.start, one.end) for one in found.evidence] == [(START + 5000 * HOUR_US, START + 5007 * HOUR_US)]
    assert "99.9200 %" in judged(ROLLING, [outage(5000, 7)]).summary


def test_exactly_the_budget_is_within_it_and_a_microsecond_more_is_not() -> None:
    exactly = outage(5000, 87.6)
    assert judged(ROLLING, [exactly]).outcome == "pass"
    assert judged(ROLLING, [exactly]).measured == pytest.approx(0.99, abs=1e-15)
    assert judged(SIX, [exactly]).outcome == "fail"
    more = Incident("T1", exactly.start, (exactly.end or 0) + 1)
    assert judged(ROLLING, [more]).outcome == "fail"
    assert "98.9999 %" in judged(ROLLING, [more]).summary


def test_six_hours_and_a_microsecond_are_too_long() -> None:
    assert judged(SIX, [outage(10, 6)]).outcome == "pass"
    assert judged(SIX, [Incident("T1", START, START + 6 * HOUR_US + 1)]).outcome == "fail"


@pytest.mark.parametrize(
    ("end", "hours"),
    [
        ((2026, 3, 29, 12), 8759),
        ((2026, 10, 25, 12), 8761),
        ((2025, 6, 1), 8760),
        ((2024, 6, 1), 8784),
        ((2024, 2, 29, 9), 8784),  # from 28 February 2023 on
        ((2024, 2, 28, 9), 8760),
        ((2024, 3, 1), 8784),
        ((2025, 2, 28, 23), 8784),
        ((2025, 3, 1), 8760),
    ],
)
def test_windows_are_as_long_as_the_calendar_says(end: tuple[int, ...], hours: int) -> None:
    at = instant(*end)
    found = windows(instant(2022, 1, 1), instant(2027, 1, 1), 12, FRANCE).length_at(np.array([at]))
    assert found.tolist() == [hours * HOUR_US]


WIDE = windows(instant(2019, 1, 1), instant(2031, 1, 1), 12, FRANCE)
LUSTRUM = st.integers(instant(2019, 1, 1), instant(2031, 1, 1))


@given(st.lists(LUSTRUM, min_size=50, max_size=200))
def test_every_window_begins_twelve_calendar_months_earlier(instants: list[int]) -> None:
    at = np.array(instants)
    assert (at - WIDE.length_at(at)).tolist() == [months_before(one, 12) for one in instants]


def test_windows_agree_with_the_calendar_every_half_hour_of_the_days_that_differ() -> None:
    days = [
        instant(2024, 2, 28),
        instant(2024, 3, 30),
        instant(2024, 10, 26),
        instant(2025, 2, 27),
        instant(2025, 3, 29),
    ]
    days += [instant(2025, 10, 25), instant(2023, 3, 25), instant(2026, 3, 28), instant(2027, 3, 27)]
    at = np.unique([day + half * HOUR_US // 2 for day in days for half in range(6 * 48)])
    assert (at - WIDE.length_at(at)).tolist() == [months_before(one, 12) for one in at.tolist()]


@given(st.integers(instant(2019, 1, 1), instant(2029, 12, 1)))  # windows must be known until it has left
@example(instant(2029, 10, 27, 3))
@example(instant(2028, 10, 28, 3))
def test_an_outage_has_left_when_no_window_holds_its_end(end: int) -> None:
    left = WIDE.leaves(end)
    assert months_before(left, 12) >= end
    assert months_before(left - 1, 12) < end
    assert all(months_before(left + step * HOUR_US // 2, 12) >= end for step in range(100))


SPANS = st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 3_000), st.integers(0, 3)), max_size=8)
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"planned": True, "announced_at": 0},
    {"scope": "partial", "share": 0.25, "subject": "36010"},
    {"attributed_to": "client"},
)


def _service(spans: list[tuple[int, int, int]], period: Period) -> Service:
    """Incidents one after another, `gap` minutes apart; they may touch but not overlap."""
    found, at = [], period.known_from
    for number, (gap, length, kind) in enumerate(spans):
        start = at + gap * MINUTE_US
        at = start + length * MINUTE_US
        found.append(Incident(f"T{number}", start, at, **KINDS[kind]))
    return Service(period, counted(found, CONTRACT))


def _swept(service: Service, at: int) -> tuple[Fraction, ...]:
    """Unavailability by counting every minute of the window: the slow oracle."""
    since = max(months_before(at, 12), service.period.known_from)
    lost = {"unplanned": 0, "planned": 0, "partial": 0, "excluded": 0}
    for one in service.counted:
        end = one.incident.end or 0
        lost[one.counted_as] += sum(since <= minute < at for minute in range(one.incident.start, end, MINUTE_US))
    length = (at - since) // MINUTE_US
    unplanned, planned = lost["unplanned"], lost["planned"]
    return (
        Fraction(unplanned, length),
        Fraction(unplanned + planned, length),
        Fraction(unplanned, length - planned) if length > planned else Fraction(0),
        (unplanned + Fraction(lost["partial"], 4)) / length,
    )


PERIODS = st.sampled_from(
    [
        YEAR,
        Period(START, END, START - 370 * DAY_US),
        Period(instant(2023, 12, 1), instant(2025, 4, 2), instant(2023, 2, 1)),
        Period(instant(2025, 10, 20), instant(2026, 11, 1), instant(2025, 3, 25)),
    ]
)


@settings(max_examples=40)
@given(SPANS, PERIODS, st.lists(st.integers(1, 900_000), min_size=1, max_size=4))
def test_rolling_availability_is_what_a_sweep_minute_by_minute_counts(
    spans: list[tuple[int, int, int]], period: Period, minutes: list[int]
) -> None:
    service = _service(spans, period)
    at = np.array(sorted(period.start + minute * MINUTE_US for minute in minutes))
    seen = rolling(year_of(service, CONTRACT), at)
    for place, end in enumerate(at.tolist()):
        # What happens after the period is unknown to both.
        assert tuple(seen.loss(place, variant) for variant in VARIANTS) == _swept(service, end)


@settings(max_examples=40)
@given(SPANS, PERIODS, st.lists(st.integers(1, 10**15), min_size=30, max_size=60))
def test_no_instant_is_worse_than_the_turning_points(
    spans: list[tuple[int, int, int]], period: Period, anywhere: list[int]
) -> None:
    year = year_of(_service(spans, period), CONTRACT)
    points = rolling(year, turning_points(year))
    length = period.end - max(period.start, period.known_from)
    others = np.unique([period.end - instant_ % length for instant_ in anywhere])
    between = rolling(year, others)
    for full in (True, False):
        nodes, probes = points.where(points.full == full), between.where(between.full == full)
        for variant in VARIANTS if len(probes.at) else ():
            least = max(probes.loss(place, variant) for place in range(len(probes.at)))
            at_nodes = max((nodes.loss(place, variant) for place in range(len(nodes.at))), default=Fraction(1))
            if full or least < 1:
                assert least <= at_nodes


def test_less_than_a_year_neither_keeps_nor_breaks_a_promise_about_a_year() -> None:
    part = Period(START, START + 100 * DAY_US, START)
    for hours in (0, 12, 30):  # nothing, more and less than 1 % of the 100 days; a year allows 87.6 hours
        found = judged(ROLLING, [outage(50, hours)] if hours else [], part)
        assert found.outcome == "inconclusive"
        assert found.summary.startswith("provisional, 100.00 days of history; so far: ")
        assert found.summary.endswith(f"; {87.6 - hours:.2f} h of the 87.60 h that a whole window may lose are left")
    assert judged(ROLLING, [outage(50, 88)], part).outcome == "fail"


def test_a_year_of_history_makes_a_day_definite() -> None:
    history = outages(15, 6, 300)
    day = Period(START + 6000 * HOUR_US, START + 6024 * HOUR_US, START - 3000 * HOUR_US)
    found = judged(ROLLING, history, day)
    assert found.outcome == "fail"
    assert "provisional" not in found.summary


def test_what_already_exceeds_a_whole_year_fails_before_the_year_is_over() -> None:
    found = judged(ROLLING, [outage(500, 88)], Period(START, START + 2000 * HOUR_US, START))
    assert found.outcome == "fail"
    assert "provisional" not in found.summary


def test_the_worst_instant_is_found_between_the_ends_of_months() -> None:
    """Eight outages in December and eight in the January after are together in some windows only."""
    found = [outage(8760 - 300 + 30 * n, 6, n) for n in range(8)] + [outage(8760 + 30 * n, 6, 8 + n) for n in range(8)]
    two_years = Period(START, instant(2027, 1, 1), START - 366 * DAY_US)
    seen = judged(ROLLING, found, two_years)
    assert seen.outcome == "fail"
    assert "96.00 h down" in seen.summary
    apart = [outage(1000, 87, 1), outage(1000 + 87 + 8760, 87, 2)]
    assert judged(ROLLING, apart, two_years).outcome == "pass"


def test_planned_time_counts_in_v2_and_a_disagreement_is_reported() -> None:
    found = judged(ROLLING, [maintenance(3000, 90, 6)])
    assert found.outcome == "pass"
    assert "V2 would fail" in found.summary
    assert found.assumed == ("variant V1 of availability", "AMB-04")  # in working days the notice would be late


def test_partial_outages_count_by_their_share_in_v4() -> None:
    found = judged(ROLLING, [outage(3000, 800, scope="partial", share=0.2, subject="link-1")])
    assert found.outcome == "pass"
    assert "V4 would fail" in found.summary
    service = service_of(case_of([outage(3000, 800, scope="partial", share=0.2, subject="link-1")]))
    seen = rolling(year_of(service, CONTRACT), np.array([END]))
    assert seen.loss(0, "V4") == Fraction(160, 8760)


def test_a_late_notice_makes_maintenance_unplanned() -> None:
    assert judged(ROLLING, [maintenance(3000, 90, 4)]).outcome == "fail"
    assert judged(SIX, [maintenance(3000, 7, 4)]).outcome == "fail"
    assert judged(SIX, [maintenance(3000, 7, 5)]).outcome == "pass"


def test_what_the_client_caused_is_not_orange_s() -> None:
    mine = outage(3000, 200, attributed_to="client")
    assert judged(ROLLING, [mine]).measured == 1
    assert judged(SIX, [mine]).outcome == "pass"


def test_an_outage_that_still_lasts_counts_up_to_the_end() -> None:
    lasting = [Incident("T1", END - 5 * HOUR_US)]
    assert "5.00 h down" in judged(ROLLING, lasting).summary
    assert judged(SIX, lasting).outcome == "inconclusive"
    assert judged(SIX, [Incident("T1", END - 7 * HOUR_US)]).outcome == "fail"


def test_overlapping_outages_are_counted_once() -> None:
    overlapping = [outage(100, 60, 1), outage(130, 40, 2)]
    down = downtime_of(counted(overlapping, CONTRACT), END)
    assert [lost.tolist() for lost in down.until(np.array([END]))] == [[70 * HOUR_US], [0], [0]]


def test_the_budget_is_spent_by_outages_and_given_back_when_they_leave() -> None:
    service = service_of(case_of([outage(1000, 6)], Period(START, instant(2027, 1, 1), START)))
    year = year_of(service, CONTRACT)
    left = year.windows.leaves(START + 1006 * HOUR_US)
    at = np.array([START + 900 * HOUR_US, START + 1006 * HOUR_US, left - HOUR_US, left])
    allowed, spent = budget(year, at)
    assert spent.tolist() == [0, 6, 1, 0]
    assert allowed.tolist() == pytest.approx([87.84, 87.84, 87.6, 87.6])  # 2024 had a 29 February
