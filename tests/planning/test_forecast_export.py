"""The forecast of a plan is compared with later traffic."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from simbench.billing.acts import Month
from simbench.billing.counts import Count, Counts
from simbench.billing.forecast import Forecast, forecast_text, judge_forecasts, read_forecast
from simbench.contract import load_contract
from simbench.planning.code_plan import acts_of, code_plan_of
from simbench.planning.forecast_export import forecasts_of

CONTRACT = load_contract()


def months(first: str, count: int) -> tuple[Month, ...]:
    found = [Month.parse(first)]
    while len(found) < count:
        found.append(found[-1].following)
    return tuple(found)


def announced(first: str, count: int) -> tuple[tuple[Forecast, ...], Counts]:
    """Forecasts of a plan with two codes of 10/s and one of 50/s, and the traffic just as planned."""
    period = months(first, count)
    acts = acts_of(code_plan_of({"36": [{10: 2, 50: 1}] * count}), period, CONTRACT)
    found = forecasts_of(acts, period, CONTRACT, {(month, "36"): 700_001 for month in period})
    sent = {(Month.parse(one.month), one.code): Count(0, one.messages) for each in found for one in each.expected}
    return found, Counts("plan", sent)


def test_a_year_has_two_forecasts_and_traffic_as_planned_passes() -> None:
    found, sent = announced("2026-01", 12)
    assert [one.issued for one in found] == [date(2026, 1, 1), date(2026, 7, 1)]
    assert [one.outcome for one in judge_forecasts(CONTRACT, found, sent)] == ["pass", "pass"]


def test_every_calendar_year_of_a_plan_has_its_own_two() -> None:
    found, sent = announced("2026-10", 6)
    assert [str(one.issued) for one in found] == ["2026-10-01", "2026-11-01", "2027-01-01", "2027-02-01"]
    assert [one.outcome for one in judge_forecasts(CONTRACT, found, sent)] == ["pass", "pass"]


def test_half_as_much_again_is_not_as_announced() -> None:
    found, sent = announced("2026-01", 12)
    more = {(m, code): Count(0, sent.of(m, code).accepted * 3 // 2) for m in sent.months for code in sent.codes(m)}
    assert [one.outcome for one in judge_forecasts(CONTRACT, found, Counts("more", more))] == ["pass", "weak"]


def test_codes_share_a_range_by_their_rates_to_the_message() -> None:
    found, _ = announced("2026-03", 2)
    assert sum(one.messages for one in found[0].expected) == 700_001
    assert all(abs(one.messages - one.rate_per_s * 10_000) <= 1 for one in found[0].expected)
    assert sorted(one.rate_per_s for one in found[0].expected) == [10, 10, 50]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (first, *_), _ = announced("2026-01", 12)
    (tmp_path / "forecast.toml").write_text(forecast_text(first))
    assert read_forecast(tmp_path / "forecast.toml", CONTRACT) == first
