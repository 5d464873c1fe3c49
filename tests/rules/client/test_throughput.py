"""The judge's own meter, held against oracles that share no line with it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_smsc.core.limiter import Limiter
from fake_smsc.core.records import Limit
from simbench.base.units import SECOND_US
from simbench.rules.arrays import Places
from simbench.rules.client.throughput import Policed, each_segment, peak_in_a_second, police, sustained

TAU = 50_000
TIERS = (10, 20, 50, 100, 150)

Arrivals = list[tuple[int, int]]  # instant in us, segments

small_rates = st.integers(1, 6)
tolerances = st.sampled_from((0, 1, TAU, 400_000))


@st.composite
def arrivals(draw: st.DrawFn, most_segments: int = 4) -> Arrivals:
    """Operations in order, often a hair before or after what a rate allows."""
    near = st.builds(lambda part, off: SECOND_US // part + off, st.integers(1, 7), st.integers(-2, 2))
    gaps = st.one_of(
        st.just(0), near, st.sampled_from((TAU, SECOND_US - TAU, SECOND_US)), st.integers(0, 2 * SECOND_US)
    )
    steps = draw(st.lists(st.tuples(gaps, st.integers(1, most_segments)), max_size=60))
    now, drawn = 0, []
    for gap, segments in steps:
        now += gap
        drawn.append((now, segments))
    return drawn


def policed(drawn: Arrivals, rate: int, tolerance_us: int = TAU) -> Policed:
    at, segments = ([row[column] for row in drawn] for column in (0, 1))
    return police(np.array(at, np.int64), np.array(segments, np.int64), rate, tolerance_us)


def of(instants: Sequence[int], rate: int) -> Policed:
    return policed([(instant, 1) for instant in instants], rate)


# Oracles ---------------------------------------------------------------------------------------------------------


def by_definition(drawn: Arrivals, rate: int, tolerance_us: int) -> tuple[int, ...]:
    """Positions too early, by the definition and every conforming instant ever kept in one list."""
    conforming: list[int] = []
    early = []
    for position, (instant, segments) in enumerate(drawn):
        tried = list(conforming)
        for _ in range(segments):
            tried.append(max(instant, tried[-rate] + SECOND_US) if len(tried) >= rate else instant)
        if tried[-1] - instant > tolerance_us:
            early.append(position)
        else:
            conforming = tried
    return tuple(early)


def by_counting(instants: list[int], rate: int) -> tuple[int, ...]:
    """Without tolerance: an operation is too early if it is the (r + 1)-th within a second from any start."""
    admitted: list[int] = []
    early = []
    for position, instant in enumerate(instants):
        if sum(instant - SECOND_US < other for other in admitted) >= rate:
            early.append(position)
        else:
            admitted.append(instant)
    return tuple(early)


@given(arrivals(most_segments=9), small_rates, tolerances)
def test_the_meter_agrees_with_its_definition(drawn: Arrivals, rate: int, tolerance_us: int) -> None:
    assert policed(drawn, rate, tolerance_us).early == by_definition(drawn, rate, tolerance_us)


@given(arrivals(most_segments=1), small_rates)
def test_without_tolerance_it_is_counting_in_every_sliding_second(drawn: Arrivals, rate: int) -> None:
    assert policed(drawn, rate, 0).early == by_counting([instant for instant, _ in drawn], rate)


@given(arrivals(most_segments=9), st.one_of(small_rates, st.sampled_from(TIERS)), tolerances)
def test_judge_and_platform_admit_exactly_the_same_operations(drawn: Arrivals, rate: int, tolerance_us: int) -> None:
    limiter = Limiter(Limit(rate, "nack", jitter_us=tolerance_us))
    refused = tuple(
        position for position, (instant, segments) in enumerate(drawn) if limiter.offer(instant, segments) < 0
    )
    assert policed(drawn, rate, tolerance_us).early == refused


@given(arrivals(), small_rates)
def test_what_is_early_is_a_part_and_more_tolerance_never_finds_a_first_one_sooner(drawn: Arrivals, rate: int) -> None:
    strict, lenient = policed(drawn, rate, 0).early, policed(drawn, rate, TAU).early
    assert not lenient or strict[0] <= lenient[0]


# Facts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", TIERS)
def test_exact_pacing_with_jitter_below_tau_passes_twenty_times_in_twenty(rate: int) -> None:
    for seed in range(20):
        dice = random.Random(seed)
        instants = sorted(n * SECOND_US // rate + dice.randrange(TAU) for n in range(60 * rate))
        found = of(instants, rate)
        assert not found.early, f"seed {seed}: {found.worst_us} us early"


@pytest.mark.parametrize("rate", TIERS)
def test_going_on_as_if_a_stall_beyond_tau_had_not_been_is_too_early(rate: int) -> None:
    resumed = 30 * SECOND_US + 3 * TAU  # what was due from second 30 on left only then, what was due at 31 in time
    paced = [n * SECOND_US // rate for n in range(60 * rate)]
    found = of([resumed if 30 * SECOND_US <= instant < resumed else instant for instant in paced], rate)
    assert found.early[0] == 31 * rate
    assert found.worst_us == 3 * TAU


@pytest.mark.parametrize("rate", TIERS)
def test_one_percent_too_fast_fails_within_a_minute(rate: int) -> None:
    assert of([int(n * SECOND_US / (rate * 1.01)) for n in range(60 * rate)], rate).early


@pytest.mark.parametrize("rate", TIERS)
def test_one_percent_too_slow_passes(rate: int) -> None:
    assert of([int(n * SECOND_US / (rate * 0.99)) for n in range(60 * rate)], rate).worst_us == 0


@pytest.mark.parametrize("rate", TIERS)
def test_two_more_than_the_rate_in_a_burst_two_hundred_milliseconds_early_fail(rate: int) -> None:
    found = of([0] * rate + [SECOND_US - 200_000] * (rate + 2), rate)
    assert found.early[:2] == (rate, rate + 1)
    assert found.worst_us >= 200_000


@pytest.mark.parametrize("rate", TIERS)
def test_the_rate_at_once_every_second_conforms_and_one_more_does_not(rate: int) -> None:
    bursts = [second * SECOND_US for second in range(10) for _ in range(rate)]
    assert not of(bursts, rate).early
    assert of(sorted([*bursts, 5 * SECOND_US]), rate).early == (6 * rate,)


def test_the_tolerance_is_met_to_the_microsecond() -> None:
    for early_us, failing in ((TAU, ()), (TAU + 1, (10,))):
        assert of([0] * 10 + [SECOND_US - early_us], 10).early == failing


def test_earliness_that_was_admitted_never_adds_up() -> None:
    """Each second a burst tau early: the ring keeps when it was due, so the second such burst is 2 tau early."""
    bursts = [second * (SECOND_US - TAU) for second in range(4) for _ in range(10)]
    assert of(bursts, 10).early[0] == 20


def test_what_was_too_early_takes_no_place() -> None:
    assert of([0] * 10 + [500_000] * 50 + [SECOND_US] * 10, 10).early == tuple(range(10, 60))


def test_every_segment_counts() -> None:
    assert policed([(0, 2)] * 5, 10).early == ()
    assert policed([(0, 2)] * 6, 10).early == (5,)
    assert policed([(0, 4)] * 3 + [(SECOND_US, 4)], 10).early == (2,)


def test_a_message_of_more_segments_than_the_rate_is_early_by_itself() -> None:
    found = policed([(0, 25)], 10)
    assert found.early == (0,)
    assert found.worst_us == 2 * SECOND_US


def test_the_bench_being_late_excuses_there_and_nowhere_else() -> None:
    instants = np.array([0] * 10 + [900_000] + [9 * SECOND_US] * 10 + [9_900_000], np.int64)
    ones = np.ones(len(instants), np.int64)
    assert police(instants, ones, 10, TAU).early == (10, 21)
    assert police(instants, ones, 10, TAU, lambda at: np.where(at < SECOND_US, 50_000, 0)).early == (21,)


# Peak and mean ---------------------------------------------------------------------------------------------------


@given(arrivals(most_segments=9))
def test_the_busiest_second_is_the_busiest_of_all_that_start_with_an_operation(drawn: Arrivals) -> None:
    at, segments = (np.array([row[column] for row in drawn], np.int64) for column in (0, 1))
    counted = [sum(n for other, n in drawn if start <= other < start + SECOND_US) for start, _ in drawn]
    assert peak_in_a_second(at, segments) == max(counted, default=0)


def test_a_second_is_half_open() -> None:
    ones = np.ones(2, np.int64)
    assert peak_in_a_second(np.array([0, SECOND_US]), ones) == 1
    assert peak_in_a_second(np.array([0, SECOND_US - 1]), ones) == 2


@pytest.mark.parametrize("rate", TIERS)
@pytest.mark.parametrize("burst", [False, True])
def test_a_backlog_at_the_rate_sustains_exactly_the_rate(rate: int, burst: bool) -> None:
    instants = np.array([n // rate * SECOND_US if burst else n * SECOND_US // rate for n in range(60 * rate)])
    assert sustained(instants, rate) == pytest.approx(rate, rel=1e-6)


def test_the_mean_leaves_the_first_burst_out() -> None:
    assert sustained(np.array([0] * 10 + [SECOND_US * n for n in range(1, 11)]), 10) == 1.0


def test_too_few_operations_have_no_mean_and_instantaneous_ones_no_bound() -> None:
    assert sustained(np.zeros(10, np.int64), 10) == 0.0
    assert sustained(np.zeros(11, np.int64), 10) == float("inf")


def test_the_mean_is_one_of_segments() -> None:
    drawn = [(n * SECOND_US, 5) for n in range(21)]
    assert policed(drawn, 5).sustained_per_s == 5.0
    assert each_segment(np.array([3, 4]), np.array([1, 2])).tolist() == [3, 4, 4]


def test_nothing_is_neither_early_nor_anything_else() -> None:
    assert policed([], 10) == Policed(Places(np.zeros(0, np.bool_)), 0, 0, 0.0)
