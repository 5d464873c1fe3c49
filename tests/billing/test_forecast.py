"""Forecasts are counted by year, and traffic held against the one in force."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.billing.acts import Month
from simbench.billing.counts import Count, Counts
from simbench.billing.forecast import Expected, Forecast, forecast_text, judge_forecasts, read_forecast
from simbench.finding import Outcome
from tests.billing.worked import CONTRACT

YEAR = tuple(f"2017-{month:02}" for month in range(1, 13))


def forecast(issued: date, messages: int, months: tuple[str, ...] = YEAR, *, corrects: bool = False) -> Forecast:
    return Forecast(issued, tuple(Expected(month, "36010", messages, 20) for month in months), corrects)


def traffic(messages: int, months: int = 12) -> Counts:
    return Counts("hand", {(Month(2017, month), "36010"): Count(messages, messages) for month in range(1, months + 1)})


def outcomes(forecasts: list[Forecast], counts: Counts) -> dict[str, Outcome]:
    return {one.clause: one.outcome for one in judge_forecasts(CONTRACT, forecasts, counts)}


TWICE = [forecast(date(2017, 1, 1), 1000), forecast(date(2017, 6, 15), 1000, YEAR[6:])]


def test_two_forecasts_a_year_and_traffic_within_the_tolerance_pass() -> None:
    assert outcomes(TWICE, traffic(1200)) == {"OPS-ENG-03": "pass", "OPS-ACH-05": "pass"}
    assert outcomes(TWICE, traffic(800)) == {"OPS-ENG-03": "pass", "OPS-ACH-05": "pass"}


def test_one_forecast_a_year_fails_and_a_correction_is_not_another() -> None:
    corrected = [TWICE[0], forecast(date(2017, 6, 15), 1000, YEAR[6:], corrects=True)]
    assert outcomes(TWICE[:1], traffic(1000))["OPS-ENG-03"] == "fail"
    assert outcomes(corrected, traffic(1000))["OPS-ENG-03"] == "fail"


def test_a_year_that_is_not_over_may_still_get_its_second() -> None:
    assert outcomes(TWICE[:1], traffic(1000, months=5))["OPS-ENG-03"] == "inconclusive"


def test_a_forecast_counts_for_months_that_begin_after_it_was_handed_in() -> None:
    late = forecast(date(2017, 6, 15), 5000, YEAR[5:])
    assert outcomes([TWICE[0], late], traffic(1000, months=6))["OPS-ACH-05"] == "pass", "June had begun"
    assert outcomes([TWICE[0], late], traffic(1000, months=7))["OPS-ACH-05"] == "weak"


def test_traffic_beyond_the_tolerance_is_weak_and_never_worse() -> None:
    assert outcomes(TWICE, traffic(1201))["OPS-ACH-05"] == "weak"
    assert outcomes(TWICE, traffic(799))["OPS-ACH-05"] == "weak"


def test_a_correction_counts_from_the_next_month_on() -> None:
    corrected = [*TWICE, forecast(date(2017, 8, 15), 2000, YEAR[8:], corrects=True)]
    found = judge_forecasts(CONTRACT, corrected, traffic(1000))
    evidence = [one.note for finding in found if finding.clause == "OPS-ACH-05" for one in finding.evidence]
    assert [note[9:16] for note in evidence] == ["2017-09", "2017-10", "2017-11", "2017-12"]


def test_unannounced_traffic_is_weak_and_without_any_forecast_there_is_no_finding() -> None:
    assert outcomes([forecast(date(2017, 1, 1), 1000, YEAR[:6])], traffic(1000))["OPS-ACH-05"] == "weak"
    assert outcomes([], traffic(1000))["OPS-ACH-05"] == "inconclusive"
    assert outcomes(TWICE, Counts("hand", {})) == {"OPS-ENG-03": "inconclusive", "OPS-ACH-05": "inconclusive"}


@settings(max_examples=50)
@given(st.integers(0, 10**9), st.integers(0, 150), st.booleans())
def test_a_forecast_written_is_the_forecast_read(tmp_path: Path, messages: int, rate: int, corrects: bool) -> None:
    written = Forecast(date(2017, 1, 1), (Expected("2017-02", "36010", messages, rate),), corrects)
    path = tmp_path / "forecast.toml"
    path.write_text(forecast_text(written))
    assert read_forecast(path, CONTRACT) == written
