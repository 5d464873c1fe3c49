"""Forecasts: what they are made of, what they leave open, and how they hold against chance and the rules."""

from __future__ import annotations

import math
from fractions import Fraction
from math import comb
from pathlib import Path

import numpy as np
import pytest

from simbench.base.errors import BadInput
from simbench.base.units import HOUR_US
from simbench.contract import load_contract
from simbench.ledger.incidents import Incident, Period
from simbench.simulation.incidents import Drawn, Law
from simbench.sla.availability import rolling, turning_points, year_of
from simbench.sla.classification import Service, counted, service_of
from simbench.sla.forecast import back_test, forecast, month_ends, read_laws
from simbench.sla.forecast.backtest import BackTest, Tried
from simbench.sla.forecast.forecast import wilson
from simbench.sla.forecast.futures import NEVER, Futures, Task, _down_at, _late_at, _shares
from simbench.sla.forecast.known import known_at, sample
from simbench.sla.forecast.laws import fitted
from tests.paris import FRANCE, instant
from tests.sla.test_windows import under
from tests.sla.years import END, START, case_of, outage, outages

CONTRACT = load_contract()
UNTIL = instant(2026, 4, 1)
DATES = month_ends(END, UNTIL, FRANCE)
EIGHT = [  # as a manager's table has them: 1 h to 22 h long
    outage(at, hours, number)
    for number, (at, hours) in enumerate(
        [(458, 18), (1658, 2), (2504, 22), (4106, 4.5), (5114, 1), (6026, 9), (7250, 3), (8282, 10.5)], 1
    )
]


def service(incidents: list[Incident], period: Period | None = None) -> Service:
    return service_of(case_of(incidents, period or Period(START, END, START)))


def test_dates_are_the_ends_of_months() -> None:
    assert list(DATES) == [instant(2026, 2, 1), instant(2026, 3, 1), UNTIL]
    assert month_ends(END, instant(2026, 1, 10), FRANCE) == (instant(2026, 1, 10),)


def test_what_lasts_seven_hours_breaks_the_restoration_as_often_as_it_happens() -> None:
    """Failures at a constant rate: none until a date with probability exp(-rate x time)."""
    laws = (Drawn("weekly", Law(1000), Law(7, "fixed")),)
    made = forecast(service([]), CONTRACT, DATES, 4000, laws=laws)
    shares = [one.restoration.share for one in made.dates]
    # 744 h, 1,416 h, 2,159 h after now, six hours after a failure: 1 - exp(-t / 1000)
    for share, expected in zip(shares, (0.522, 0.756, 0.884), strict=True):
        assert abs(share - expected) < 0.03
    assert shares == sorted(shares)


def test_nothing_is_broken_without_failures_and_everything_by_an_endless_one() -> None:
    never = forecast(service([]), CONTRACT, DATES, 60, laws=(Drawn("never", Law(1e6, "fixed"), Law(1)),))
    assert {(one.availability.share, one.restoration.share) for one in never.dates} == {(0, 0)}
    always = forecast(service([]), CONTRACT, DATES, 60, laws=(Drawn("soon", Law(1, "fixed"), Law(500, "fixed")),))
    assert {(one.availability.share, one.restoration.share) for one in always.dates} == {(1, 1)}


def test_the_past_weighs_on_what_is_to_come() -> None:
    laws = (Drawn("some", Law(400), Law(4, "fixed")),)
    light, heavy = (
        forecast(service(past), CONTRACT, DATES, 400, laws=laws).dates[-1] for past in ([], outages(14, 6, 600))
    )
    assert heavy.availability.share > light.availability.share


def test_any_number_of_workers_gives_the_same() -> None:
    steps: list[tuple[int, int]] = []
    one = forecast(service(EIGHT), CONTRACT, DATES, 2500, 7)
    two = forecast(service(EIGHT), CONTRACT, DATES, 2500, 7, workers=2, progress=lambda *at: steps.append(at))
    assert one == two
    assert steps == [(1000, 2500), (2000, 2500), (2500, 2500)]


def test_eight_outages_leave_the_probability_wide_open_and_more_futures_do_not_close_it() -> None:
    few, many = (
        forecast(service(EIGHT), CONTRACT, (instant(2026, 7, 1),), size).dates[-1].availability
        for size in (2000, 20_000)
    )
    for chance in (few, many):
        assert chance.band is not None
        assert chance.band[0] < 0.12
        assert 0.65 < chance.band[1] < 0.95
    assert many.noise[1] - many.noise[0] < (few.noise[1] - few.noise[0]) / 2
    assert few.noise[0] <= few.share <= few.noise[1]


def test_only_what_began_before_the_forecast_is_used() -> None:
    """The first half year is the same for any later events."""
    july = instant(2025, 7, 1)
    half = [one for one in EIGHT if one.start < july]
    known, unknown = (
        forecast(service(incidents), CONTRACT, (instant(2025, 10, 1),), 500, as_of=july) for incidents in (EIGHT, half)
    )
    assert known.basis == unknown.basis
    assert known.dates[-1].availability == unknown.dates[-1].availability
    assert known.fan.quantiles == unknown.fan.quantiles
    assert known.basis is not None
    assert known.basis.outages == 4


def test_an_outage_that_lasts_beyond_the_forecast_s_instant_has_no_length_yet() -> None:
    found = sample(service([outage(100, 4, 1), outage(200, 5, 2), outage(300, 50, 3)]), START + 310 * HOUR_US)
    assert (found.outages, found.hours) == (3, (4.0, 5.0))
    assert found.up_h == 310 - 4 - 5 - 10


def test_tickets_that_touch_are_one_outage_to_the_fit() -> None:
    found = sample(service([outage(100, 4, 1), outage(104, 5, 2), outage(300, 2, 3)]), END)
    assert (found.outages, found.hours) == (2, (9.0, 2.0))


def test_what_does_not_count_is_not_fitted() -> None:
    excluded = [outage(50, 9, 7, attributed_to="client"), outage(80, 9, 8, scope="partial", share=0.5, subject="part")]
    assert sample(service([*EIGHT, *excluded]), END) == sample(service(EIGHT), END)


def test_short_outages_are_fitted_as_short() -> None:
    """Thirty seconds each: no futures of six minutes, and no breach."""
    short = [outage(100 + 40 * number, 30 / 3600 * (1 + number % 3 / 10), number) for number in range(200)]
    made = forecast(service(short), CONTRACT, DATES, 1000)
    assert made.basis is not None
    assert made.basis.median_h == pytest.approx(33 / 3600, rel=0.01)
    assert made.dates[-1].availability.share == 0
    # 200 x 33 s in a year are 0.02 %
    assert made.fan.quantiles[2][-1] == pytest.approx(1 - 200 * 33 / (8760 * 3600), abs=2e-4)


def test_outages_that_all_lasted_six_hours_are_not_made_longer() -> None:
    made = forecast(service(outages(10, 6)), CONTRACT, DATES, 500)
    assert made.dates[-1].restoration.share == 0


def test_too_few_outages_are_refused() -> None:
    with pytest.raises(BadInput, match="1 outage ended before the forecast, too few to fit"):
        forecast(service(outages(1, 6)), CONTRACT, DATES, 100)


def test_parameters_come_from_their_posterior() -> None:
    """Jeffreys: the rate is Gamma(n + 1/2, T), the mean of the logarithms has Student's spread."""
    found, _ = fitted(sample(service(EIGHT), END), 40_000, np.random.Generator(np.random.Philox(key=[1, 2])))
    up_us = (8760 - 70) * HOUR_US
    assert float((1 / found.between_us).mean()) == pytest.approx(8.5 / up_us, rel=0.02)
    logs = np.log([18, 2, 22, 4.5, 1, 9, 3, 10.5])
    assert float(np.median(found.log_mean)) == pytest.approx(logs.mean() + math.log(HOUR_US), abs=0.02)
    # variance of a mean under Student's t with 7 degrees: s^2 / n x 7 / 5
    assert float(found.log_mean.var()) == pytest.approx(logs.var(ddof=1) / 8 * 7 / 5, rel=0.1)


@pytest.mark.parametrize("seed", range(12))
def test_futures_measured_together_are_what_the_rules_find_in_each(seed: int) -> None:
    chance = np.random.Generator(np.random.Philox(key=[seed, 9]))
    until, size = instant(2027, 9, 1), 4
    past = [outage(float(at), float(hours), n) for n, (at, hours) in enumerate(zip(
        np.arange(1, 12) * 700, chance.uniform(0.5, 16, 11), strict=True,
    ))]  # fmt: skip
    earlier = int(chance.integers(0, 2)) * 5000 * HOUR_US
    contract = CONTRACT if seed < 8 else under(availability_window="quarter")
    known = known_at(service(past, Period(START, END, START - earlier)), contract, END, until)
    rows = []
    for future in range(size):
        at = np.sort(chance.integers(1, until - END, 14))
        rows += [(future, int(one), int(one) + int(chance.integers(1, 9 * HOUR_US))) for one in at]
    joined: list[list[int]] = []
    for future, start, end in rows:
        if joined and joined[-1][0] == future and joined[-1][2] >= start:
            joined[-1][2] = max(joined[-1][2], end)
        else:
            joined.append([future, start, end])
    futures = Futures(size, *(np.array(column, dtype=np.int64) for column in zip(*joined, strict=True)))
    dates = np.array(month_ends(END, until, FRANCE), dtype=np.int64) - END
    task = Task(known, (), until, dates, dates, Fraction(1, 100), 6 * HOUR_US, 1, 1)
    down, late, shares = _down_at(task, futures), _late_at(task, futures), _shares(task, futures)
    for future in range(size):
        coming = [Incident(f"F{n}", END + s, END + e) for n, (f, s, e) in enumerate(joined) if f == future]
        judged = Service(Period(END, until, known.known_from), counted([*past, *coming], contract))
        year = year_of(judged, contract)
        seen = rolling(year, np.union1d(turning_points(year), END + dates))
        lengths = year.windows.length_at(seen.at)
        broken = seen.at[(seen.unplanned * 100 > lengths) & ((seen.at > END) | (seed < 8))]
        assert down[future] == (broken[0] - END if len(broken) else NEVER)
        over = [one.start + 6 * HOUR_US - END for one in coming if (one.end or 0) - one.start > 6 * HOUR_US]
        assert late[future] == min(over, default=NEVER)
        assert shares[future] == pytest.approx(rolling(year, END + dates).availability("V1"), abs=1e-6)


def test_platforms_that_fail_together_are_one_outage_to_the_forecast() -> None:
    """Either half of the platform is down for ten hours of each twenty: together about a quarter of the time."""
    laws = tuple(
        Drawn(name, Law(10, "fixed"), Law(10, "fixed"), scope="partial", share=0.5, subject=f"platform:{name}")
        for name in ("north", "south")
    )
    made = forecast(service([]), CONTRACT, (instant(2026, 2, 1),), 10, laws=laws)
    assert made.dates[0].restoration.share == 1
    alone = forecast(service([]), CONTRACT, (instant(2026, 2, 1),), 10, laws=laws[:1])
    assert alone.dates[0].restoration.share == 0


def test_a_platform_of_a_constant_rate_is_forecast_within_its_bounds() -> None:
    """Sixty platforms with one true law: the bounds meant for 95 % of availabilities hold most of them."""
    chance = np.random.Generator(np.random.Philox(key=[5, 5]))
    half, end = instant(2025, 9, 1), END
    within = 0
    for _ in range(60):
        at = START
        incidents: list[Incident] = []
        while True:
            at += round(chance.exponential(500 * HOUR_US))
            if at >= end:
                break
            length = round(chance.lognormal(1.0, 0.8) * HOUR_US)
            incidents.append(Incident(f"T{len(incidents)}", at, at + length))
            at += length
        made = forecast(service(incidents), CONTRACT, (end,), 400, as_of=half)
        was = made.fan.was[-1]
        assert was is not None
        within += made.fan.quantiles[0][-1] <= was <= made.fan.quantiles[-1][-1]
    assert within >= 52


def test_the_back_test_holds_each_past_forecast_against_what_came() -> None:
    tried = back_test(service(EIGHT), CONTRACT, 400)
    # two outages have ended before 1 April; the record ends three months after 1 October
    assert [one.as_of for one in tried.tried] == [instant(2025, month, 1) for month in range(4, 11)]
    assert all(one.until == instant(2025, month, 1) for one, month in zip(tried.tried, range(7, 10), strict=False))
    assert tried.happened == 0
    assert tried.brier == pytest.approx(sum(one.share**2 for one in tried.tried) / 7)
    assert tried.in_half <= tried.in_most <= 7
    # 70 h of 8,760 h at the end of the year, 26 h 30 lost of the 4,343 h until 1 July
    assert tried.tried[0].was == pytest.approx(1 - 46.5 / 4343)
    with pytest.raises(BadInput, match="the record is too short"):
        back_test(service(EIGHT[:1]), CONTRACT, 100)


def test_the_trial_on_the_past_sees_breaches_from_before_the_judged_period() -> None:
    """Fifteen outages of 8 h in 2025 are too many; judged is only the quiet year after them."""
    lost = outages(15, 8)
    whole = back_test(service(lost, Period(START, instant(2027, 1, 1), START)), CONTRACT, 100)
    late = back_test(service(lost, Period(END, instant(2027, 1, 1), START)), CONTRACT, 100)
    assert late == whole
    # 88 h are lost with the eleventh outage, on 1 August 2025, and too many remain until the first five have left
    below = [one.as_of for one in whole.tried if one.below_already]
    assert below[0] == instant(2025, 9, 1)
    assert all(one.broke for one in whole.tried if one.below_already)
    assert whole.happened == sum(one.broke for one in whole.open_tries) > 0


def test_reliability_counts_what_came_by_what_was_foreseen() -> None:
    """Of four dates at some 10 % one broke, of two at 90 % both; one below the target already is left out."""
    tried = tuple(
        Tried(0, 1, 5, share, broke, 0.99, (0.9,) * 5, below_already=already)
        for share, broke, already in [
            (0.1, False, False), (0.05, False, False), (0.15, True, False), (0.1, False, False), (0.9, True, False),
            (0.9, True, False), (1.0, True, True),
        ]
    )  # fmt: skip
    low, high = BackTest(3, tried, 0, 0, 0, 0, 0).bins()
    assert (low.tries, low.happened) == (4, 1)
    assert (high.tries, high.happened) == (2, 2)
    assert [low.foreseen, high.foreseen] == pytest.approx([0.1, 0.9])
    assert low.band == wilson(1, 4)
    assert high.band == wilson(2, 2)


def test_the_median_that_a_forecast_names_lies_in_its_band() -> None:
    """Many outages of some length and a few short ones: half of those recorded lasted longer than the fit says."""
    lengths = [0.1, 0.2, 0.1, 5.0, 5.1, 5.2, 5.0, 5.1, 5.3, 5.2]
    basis = forecast(service([outage(100 + 800 * n, h, n) for n, h in enumerate(lengths)]), CONTRACT, DATES, 2000).basis
    assert basis is not None
    low, high = basis.median_band
    assert low <= basis.median_h <= high
    assert basis.median_h == pytest.approx(math.exp(sum(map(math.log, lengths)) / len(lengths)))


def test_a_forecast_from_below_the_target_is_marked_as_such() -> None:
    made = forecast(service([*EIGHT, outage(8600, 30, 9)]), CONTRACT, DATES, 400)
    assert made.below_already
    assert made.dates[-1].availability.share == 1
    assert not forecast(service(EIGHT), CONTRACT, DATES, 400).below_already


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
    never = forecast(lasting, CONTRACT, DATES, 10, laws=(Drawn("never", Law(1e6, "fixed"), Law(1)),))
    assert never.dates[-1].availability.share == 0
