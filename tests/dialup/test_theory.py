"""Carrying: blocking is Erlang's for any law of durations, session limits change no draw, months join exactly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from simbench.base.units import HOUR_US, SECOND_US
from simbench.dialup.carrying import Carried, Redial, Rules, carry, with_ports
from simbench.dialup.demand import (
    Law,
    Population,
    calls_between,
    calls_of_month,
    exponential_table,
    profile,
    session_law,
)
from simbench.dialup.erlang import erlang_b, extended_b
from simbench.dialup.grid import grid_of
from simbench.dialup.run import busy_hour_share, run_dialup
from simbench.dialup.scenario import Pool
from simbench.kernels.chance import lognormal_table
from tests.dialup.scene import MONTH, OFFER, small, small_run

MEAN_S = 600
PORTS, ERLANGS = 50, 42.0
WARM_S = 36_000
RUN_S = WARM_S + 4_000_000 // 1800 * 1800


def _of_one_table(table: tuple[int, ...]) -> Law:
    return Law(table, table, 0)


LAWS = {
    "exponential": _of_one_table(exponential_table(MEAN_S * SECOND_US)),
    "lognormal": _of_one_table(lognormal_table(round(MEAN_S * SECOND_US * math.exp(-0.5)), 1.0, 4096)),
    "deterministic": _of_one_table((MEAN_S * SECOND_US, MEAN_S * SECOND_US)),
}


def steady(law: Law, erlangs: float, rules: Rules, unit_us: int = 1) -> tuple[Carried, np.ndarray]:
    """A steady load on one pool, and which of its calls came once it had settled."""
    population = Population(0.0, (1,), ("one",), law, 7, unit_us)
    per_s = np.full(RUN_S // 1800, erlangs / (law.mean_us / SECOND_US))
    calls = calls_between(population, per_s, 0, RUN_S)
    return carry(calls, [PORTS], rules), calls.start_us > WARM_S * SECOND_US


def four_deviations(blocking: float, calls: int) -> float:
    """Blocked calls come in clusters: their number varies some ten times as much as independent ones would."""
    return 4 * math.sqrt(10 * blocking / calls)


@pytest.mark.parametrize("name", LAWS)
def test_blocking_is_that_of_erlang_whatever_the_law_of_lengths(name: str) -> None:
    carried, warm = steady(LAWS[name], ERLANGS, Rules())
    wanted = erlang_b(ERLANGS, PORTS)
    measured = float(carried.lost[warm].mean())
    assert abs(measured - wanted) < four_deviations(wanted, int(warm.sum())) < wanted / 3


def test_redials_raise_blocking_as_the_extended_formula_says() -> None:
    redial = Redial(persistence=0.6, delay_mean_s=6000, most_tries=30, seed=3)  # waits as long as the formula assumes
    carried, warm = steady(LAWS["exponential"], ERLANGS, Rules(redial=redial))
    wanted, load = extended_b(ERLANGS, PORTS, 0.6)
    tries = int(carried.tries[warm].sum())
    failed = tries - int((~carried.lost[warm]).sum())
    assert abs(failed / tries - wanted) < four_deviations(wanted, tries)
    assert failed / tries > erlang_b(ERLANGS, PORTS) + four_deviations(wanted, tries) / 2
    assert tries / int(warm.sum()) == pytest.approx(load / ERLANGS, rel=0.02)


def test_seconds_and_microseconds_carry_the_same_calls_the_same_way() -> None:
    population = Population(200_000.0, (5, 9), ("a", "b"), session_law(OFFER), 3)
    calls = calls_of_month(population, grid_of((MONTH,), OFFER), 0, OFFER)
    rules = Rules(limit_us=HOUR_US, redial=Redial(0.7, 60, 10, 3))
    ring = carry(calls, [20, 9], rules)
    later = replace(calls, start_us=calls.start_us + 1)  # no whole seconds any more: the heap carries these
    heap = carry(later, [20, 9], replace(rules, redial=None))
    plain = carry(calls, [20, 9], replace(rules, redial=None))
    assert np.array_equal(plain.outcome, heap.outcome)
    assert ring.attempts > ring.offered == plain.attempts
    assert len(ring.calls) > len(plain.calls)


def test_a_cut_of_the_time_into_chunks_draws_the_same_calls() -> None:
    population = Population(0.0, (10, 30), ("a", "b"), session_law(OFFER, pareto_tail=True), 5, 1)
    per_s = np.linspace(0.01, 0.2, 20)
    whole = calls_between(population, per_s, 1800, 1800 * 21)
    parts = [calls_between(population, per_s[:7], 1800, 1800 * 8), calls_between(population, per_s[7:], 14_400, 37_800)]
    for name in ("start_us", "duration_us", "user", "nas"):
        assert np.array_equal(getattr(whole, name), np.concatenate([getattr(part, name) for part in parts])), name
    assert np.all(np.diff(whole.start_us) >= 0)


def test_the_offered_minutes_are_those_asked_for_and_the_evening_is_as_the_offer_assumes() -> None:
    grid = grid_of((MONTH,), OFFER)
    calls = calls_of_month(Population(2_000_000.0, (1,), ("a",), session_law(OFFER), 1), grid, 0, OFFER)
    assert calls.duration_us.sum() / 60_000_000 == pytest.approx(2_000_000, rel=0.02)
    assert calls.duration_us.mean() / 60_000_000 == pytest.approx(20, rel=0.02)
    hour = calls.start_us // HOUR_US - grid.first_hour
    offered = np.bincount(hour, calls.duration_us, minlength=len(grid.month))
    assert 0.08 < busy_hour_share(grid, offered) < 0.12
    weights, _ = profile(grid, 0, OFFER)
    friday = weights[:48]
    assert friday[38] == 1.5 * friday[36]
    assert friday[37] < friday[36]
    assert friday.argmax() in {42, 43}


def test_a_pareto_tail_is_heavier_and_capped() -> None:
    plain, tailed = session_law(OFFER), session_law(OFFER, pareto_tail=True)
    assert plain.short == tailed.short
    assert tailed.mean_us > plain.mean_us
    assert tailed.long[-1] == OFFER.terms.demand.cap_s.value * SECOND_US
    assert all(one <= other for one, other in zip(tailed.long, tailed.long[1:], strict=False))


def test_ports_given_to_carried_calls_never_overlap_and_all_are_used() -> None:
    calls = with_ports(small_run().last)
    for pool, ports in enumerate((6, 4)):
        own = calls.take(calls.nas == pool)
        assert set(own.port.tolist()) == set(range(ports))
        for port in range(ports):
            one = own.take(own.port == port)
            assert np.all(one.start_us[1:] >= one.end_us[:-1])


def test_months_one_by_one_carry_what_the_pool_would_carry_without_the_cut() -> None:
    scenario = small(months="2000-09/2000-10", redial=None, outages=())
    done = run_dialup(scenario)
    grid, law = done.laid.grid, session_law(OFFER)
    users = (67, 100) if scenario.users(OFFER) == 100 else (round(scenario.users(OFFER) * 2 / 3), scenario.users(OFFER))
    population = Population(60_000.0, users, ("lyon", "paris"), law, 1)
    lots = [calls_of_month(population, grid, month, OFFER) for month in (0, 1)]
    from simbench.dialup.calls import joined

    whole = carry(joined(*lots), [6, 4], Rules(limit_us=7200 * SECOND_US))
    assert done.totals.carried == len(whole.calls)
    assert done.totals.offered == whole.offered
    inside = int(np.minimum(whole.calls.end_us, grid.last_us).sum() - whole.calls.start_us.sum())
    assert sum(month.peak_us + month.off_peak_us for month in done.totals.months) == inside


def test_a_run_repeats_and_another_seed_differs() -> None:
    assert run_dialup(small()).totals == small_run().totals
    assert run_dialup(small(seed=2)).totals != small_run().totals


def test_limits_redials_and_failures_show_in_the_totals() -> None:
    totals = small_run().totals
    assert totals.cut > 0
    assert totals.dropped > 0
    assert totals.attempts > totals.offered > totals.carried > 0
    assert totals.offered == totals.carried + totals.lost
    assert run_dialup(small(pools=(Pool("one", 200),), outages=())).totals.lost == 0
