from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.units import SECOND_US
from simbench.bench.report.measures import (
    MOST_BINS,
    Ints,
    bins_over,
    notice_waits,
    overlap,
    pace,
    peak_in,
    rate_in,
    sends,
    settled_first,
    within_window,
)
from simbench.trace.trace import Outage
from tests.bench.report import simulated
from tests.bench.report.simulated import START, Simulation

EVENTS = st.lists(st.tuples(st.integers(0, 10 * SECOND_US), st.integers(1, 4)), min_size=1, max_size=60)


def _columns(events: list[tuple[int, int]]) -> tuple[Ints, Ints]:
    events = sorted(events)
    return np.array([at for at, _ in events], np.int64), np.array([weight for _, weight in events], np.int64)


@given(EVENTS)
def test_the_window_counts_what_a_naive_count_counts(events: list[tuple[int, int]]) -> None:
    at, weights = _columns(events)
    naive = [sum(w for t, w in events if now - SECOND_US < t <= now) for now in at.tolist()]
    assert within_window(at, weights).tolist() == naive


@given(EVENTS)
def test_bins_lose_nothing(events: list[tuple[int, int]]) -> None:
    at, weights = _columns(events)
    bins = bins_over(0, int(at[-1]))
    assert round(float(rate_in(bins, at, weights).sum() * bins.width_s)) == int(weights.sum())
    assert int(peak_in(bins, at, within_window(at, weights)).max()) == int(within_window(at, weights).max())


@given(st.integers(0, 10**15), st.integers(0, 10**17))
def test_bins_cover_any_run_with_few_bins(start: int, length: int) -> None:
    bins = bins_over(start, start + length)
    assert bins.size <= MOST_BINS + 1
    assert bins.edges[0] == start
    assert bins.edges[-1] > start + length


def test_an_event_exactly_a_second_back_is_outside_the_window() -> None:
    at = np.array([0, SECOND_US], np.int64)
    assert within_window(at, np.ones(2, np.int64)).tolist() == [1, 1]


def test_the_mean_rate_leaves_total_outages_out() -> None:
    at = np.concatenate([np.arange(0, 11), np.arange(20, 31)]).astype(np.int64) * SECOND_US
    weights = np.ones(len(at), np.int64)
    outages = [Outage(10 * SECOND_US, 20 * SECOND_US, "total", "cut"), Outage(0, SECOND_US, "36010", "cut")]
    assert overlap(0, 30 * SECOND_US, outages) == 10 * SECOND_US
    assert pace(at, weights, outages).mean == 21 / 20


def test_a_single_submit_has_no_rate_and_a_peak_of_one() -> None:
    one = np.array([5], np.int64)
    assert pace(one, one // 5, []).mean == 0
    assert pace(one, one // 5, []).peak == 1


def test_notifications_are_matched_by_recipient_and_time_stamp() -> None:
    world = Simulation()
    session = world.login("36020", START)
    results = []
    for number in range(3):
        asked = world.ask("36020", START)
        at = START + (number + 1) * SECOND_US
        results.append(world.submit((session, "36020"), at, asked))
        if number != 1:
            world.notify((session, "36020"), asked[1], results[-1])
    trace = world.trace()
    expected = sorted((trace.notifications.at - np.array([results[0], results[2]])).tolist())
    assert sorted(notice_waits(trace).tolist()) == expected


def test_messages_that_the_client_gave_up_are_not_waiting() -> None:
    world = Simulation()
    session = world.login("36020", START)
    sent, withheld, lost = (world.ask("36020", START) for _ in range(3))
    world.submit((session, "36020"), START + SECOND_US, sent, 1000)
    world.submit((session, "36020"), START + 2 * SECOND_US, sent, 1000)
    world.ledger.stimuli.append((START + 7, "withheld", withheld[0], "36020", "", "", "", "", True, ""))
    world.ledger.stimuli.append((START + 9, "send", lost[0], "36020", "", "", "", "", True, ""))
    trace = world.trace()
    assert len(sends(trace)) == 3
    assert settled_first(trace).tolist() == [START + 7, START + SECOND_US + 1000]


def test_an_empty_ledger_has_no_measures() -> None:
    trace = Simulation().trace()
    assert len(notice_waits(trace)) == len(settled_first(trace)) == len(sends(trace)) == 0


def test_five_codes_sustain_their_tiers() -> None:
    submits = simulated.at_tier(5).submits
    for code, tier in simulated.TIERS.items():
        own = submits.where(submits.code == code)
        assert abs(pace(own.at, own.segments, []).mean - tier) < 0.02 * tier
