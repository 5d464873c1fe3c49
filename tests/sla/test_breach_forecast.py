"""Replications of the months to come."""

from __future__ import annotations

from math import comb
from pathlib import Path

import pytest

from simbench.base.calendar import instant
from simbench.base.errors import BadInput
from simbench.base.units import HOUR_US
from simbench.contract import load_contract
from simbench.ledger.incidents import Incident
from simbench.simulation.incidents import Drawn, Law
from simbench.sla.breach_forecast import fitted, forecast, month_ends, read_laws, wilson
from simbench.sla.classification import Service, service_of
from tests.sla.years import END, case_of, outages

CONTRACT = load_contract()
UNTIL = instant(2026, 4, 1)
DATES = month_ends(END, UNTIL)


def service(incidents: list[Incident]) -> Service:
    return service_of(case_of(incidents))


def test_dates_are_the_ends_of_months() -> None:
    assert list(DATES) == [instant(2026, 2, 1), instant(2026, 3, 1), UNTIL]
    assert month_ends(END, instant(2026, 1, 10)) == (instant(2026, 1, 10),)


def test_what_lasts_seven_hours_breaks_the_restoration_as_often_as_it_happens() -> None:
    """Failures at a constant rate: none until a date with probability exp(-rate x time)."""
    laws = (Drawn("weekly", Law(1000), Law(7, "fixed")),)
    told = forecast(service([]), CONTRACT, laws, DATES, 400)
    shares = [one.restoration_broken / one.replications for one in told.dates]
    # 744 h, 1,416 h, 2,159 h after now, six hours after a failure: 1 - exp(-t / 1000)
    for share, expected in zip(shares, (0.52, 0.756, 0.884), strict=True):
        assert abs(share - expected) < 0.08
    assert shares == sorted(shares)


def test_nothing_is_broken_without_failures_and_everything_by_an_endless_one() -> None:
    never = forecast(service([]), CONTRACT, (Drawn("never", Law(1e6, "fixed"), Law(1)),), DATES, 60)
    assert {(one.availability_broken, one.restoration_broken) for one in never.dates} == {(0, 0)}
    always = forecast(service([]), CONTRACT, (Drawn("soon", Law(1, "fixed"), Law(500, "fixed")),), DATES, 60)
    assert {(one.availability_broken, one.restoration_broken) for one in always.dates} == {(60, 60)}


def test_the_past_weighs_on_what_is_to_come() -> None:
    laws = (Drawn("some", Law(400), Law(4, "fixed")),)
    light, heavy = (forecast(service(past), CONTRACT, laws, DATES, 100).dates[-1] for past in ([], outages(14, 6, 600)))
    assert heavy.availability_broken > light.availability_broken


def test_any_number_of_workers_gives_the_same() -> None:
    laws = (Drawn("some", Law(200), Law(5, "lognormal", sigma=1)),)
    one = forecast(service(outages(5, 6)), CONTRACT, laws, DATES, 120, 7)
    told: list[tuple[int, int]] = []
    two = forecast(
        service(outages(5, 6)), CONTRACT, laws, DATES, 120, 7, workers=2, progress=lambda *at: told.append(at)
    )
    assert one == two
    assert told == [(50, 120), (100, 120), (120, 120)]


def test_laws_are_fitted_to_what_happened_and_refused_where_nothing_did() -> None:
    (law,) = fitted(service(outages(10, 6)))
    assert law.between.mean_h == pytest.approx((8760 - 60) / 10)
    assert law.lasting.mean_h == pytest.approx(6)
    with pytest.raises(BadInput, match="too few"):
        fitted(service(outages(1, 6)))


def test_laws_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "laws.toml"
    path.write_text(
        '[[drawn]]\nname = "a"\nbetween = { mean_h = 10 }\nlasting = { mean_h = 1, law = "fixed" }\n', "utf-8"
    )
    assert read_laws(path) == (Drawn("a", Law(10), Law(1, "fixed")),)
    path.write_text("drawn = []\n", "utf-8")
    with pytest.raises(BadInput, match="has no distribution"):
        read_laws(path)


@pytest.mark.parametrize(("successes", "trials"), [(0, 30), (3, 30), (15, 30), (30, 30)])
def test_wilson_s_band_covers_nearly_as_often_as_it_says(successes: int, trials: int) -> None:
    low, high = wilson(successes, trials)
    assert low <= successes / trials <= high
    share = 0.3
    covered = sum(
        comb(trials, k) * share**k * (1 - share) ** (trials - k)
        for k in range(trials + 1)
        if wilson(k, trials)[0] <= share <= wilson(k, trials)[1]
    )
    assert covered > 0.92


def test_an_outage_that_still_lasts_is_taken_to_end_now() -> None:
    lasting = service([Incident("T1", END - 80 * HOUR_US)])
    never = forecast(lasting, CONTRACT, (Drawn("never", Law(1e6, "fixed"), Law(1)),), DATES, 10)
    assert never.dates[-1].availability_broken == 0
