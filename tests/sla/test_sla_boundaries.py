"""The service level where one line could change unseen: variants, edges of windows and of periods."""

from __future__ import annotations

import numpy as np
import pytest

from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.contract import load_contract
from simbench.ledger.incidents import Incident, Period
from simbench.sla.availability import rolling, turning_points, year_of
from simbench.sla.classification import Service, counted, service_of
from simbench.sla.dispute import compare
from tests.paris import FRANCE, instant
from tests.sla.test_dispute import DAY, probes
from tests.sla.years import END, START, YEAR, case_of, judged, maintenance, outage

CONTRACT = load_contract()
ROLLING, SIX, NOTICE = "sla.availability", "sla.restoration", "sla.maintenance-notice"


def test_the_verdict_is_that_of_unplanned_time_over_the_whole_window() -> None:
    found = judged(ROLLING, [outage(3000, 87), maintenance(5000, 100, 6, 2)])
    assert found.outcome == "pass"
    assert found.measured == pytest.approx(1 - 87 / 8760)
    assert "V2, V3 would fail" in found.summary
    only_planned = judged(ROLLING, [maintenance(5000, 100, 6)])
    assert (only_planned.outcome, only_planned.measured) == ("pass", 1.0)
    assert "V2" in only_planned.summary
    broken = judged(ROLLING, [outage(3000, 88)])
    assert broken.outcome == "fail"
    assert broken.measured == pytest.approx(1 - 88 / 8760)


@pytest.mark.parametrize(
    ("at", "hours", "down_h"),
    [((2025, 3, 1), 8760, 0.0), ((2025, 2, 28, 23), 8784, 12.0), ((2025, 3, 1, 0, 0, 0, 1), 8760, 0.0)],
)
def test_a_window_has_its_new_length_from_the_instant_it_changes(
    at: tuple[int, ...], hours: int, down_h: float
) -> None:
    begins = instant(2024, 2, 29)
    period = Period(instant(2024, 1, 1), instant(2026, 1, 1), instant(2023, 1, 1))
    service = Service(period, counted([Incident("T1", begins, begins + 12 * HOUR_US)], CONTRACT))
    found = rolling(year_of(service, CONTRACT), np.array([instant(*at)]))
    assert (found.length.tolist(), (found.unplanned / HOUR_US).tolist()) == ([hours * HOUR_US], [down_h])


def test_the_instant_at_which_the_first_incident_begins_to_leave_is_looked_at() -> None:
    first = outage(200, 10, 1)
    planned = maintenance(8760 + 190, 30, 6, 2)  # goes on when the first leaves
    period = Period(START, instant(2027, 1, 1), START)
    year = year_of(Service(period, counted([first, planned], CONTRACT)), CONTRACT)
    points = turning_points(year)
    leaving = first.start + 8760 * HOUR_US
    assert leaving in points.tolist()
    assert first.start in points.tolist()
    seen = rolling(year, points)
    assert int(points[seen.worst("V3")]) in {leaving, first.end or 0}


@pytest.mark.parametrize(("at_h", "outcome"), [(8770, "pass"), (8760, "pass"), (8759.999, "fail"), (8750, "fail")])
def test_an_outage_that_begins_at_the_end_of_the_period_is_not_of_it(at_h: float, outcome: str) -> None:
    found = judged(SIX, [outage(at_h, 7)])
    assert (found.outcome, found.summary == "no total, unplanned outage") == (outcome, outcome == "pass")


def test_an_outage_that_ends_when_the_period_begins_is_not_of_it() -> None:
    ended = Incident("T1", START - 7 * HOUR_US, START)
    later = Incident("T1", START - 7 * HOUR_US, START + 1)
    for incident, count in ((ended, 0), (later, 1)):
        assert len(service_of(case_of([incident])).of("unplanned")) == count


@pytest.mark.parametrize(("at_h", "outcome"), [(8760, "unsupported"), (8759, "fail"), (0, "fail"), (-1, "unsupported")])
def test_a_notice_is_judged_in_the_period_the_work_begins_in(at_h: float, outcome: str) -> None:
    found = judged(NOTICE, [maintenance(at_h, 2, 1)])
    assert found.outcome == outcome
    if outcome == "unsupported":
        assert found.summary == "no planned interruption"


def test_a_late_outage_that_still_lasts_is_judged_by_what_it_lasted() -> None:
    late = Incident("T1", END - 7 * HOUR_US, noticed_at=END - 6 * HOUR_US)
    found = judged(SIX, [late])
    assert (found.outcome, found.blame) == ("fail", "platform")
    assert found.measured == pytest.approx(7.0)
    short = judged(SIX, [Incident("T1", END - 5 * HOUR_US, noticed_at=END - 4 * HOUR_US)])
    assert short.outcome == "inconclusive"


@pytest.mark.parametrize(("silent_min", "count"), [(2, 1), (1, 0), (3, 1)])
def test_a_silence_as_long_as_the_least_is_an_outage(silent_min: int, count: int) -> None:
    seen = probes((3, 3 + silent_min / 60))
    assert len(compare(service_of(case_of([], DAY)), seen, 2 * MINUTE_US // SECOND_US, 2, FRANCE)) == count
    assert YEAR.end == END
