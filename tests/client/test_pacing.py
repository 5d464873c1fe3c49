from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.client.core import Core
from simbench.client.messages import Memory
from simbench.client.pacing import LATENESS_US, Pacing
from tests.client.peer import CONFIG, MONDAY_10H, Wire, logged_in, message


def backlog(rate: int, seconds: int) -> list[int]:
    pacing, now = Pacing(rate), MONDAY_10H
    pacing.idle(now)
    departures = []
    while (now := pacing.earliest(now)) < MONDAY_10H + seconds * SECOND_US:
        pacing.leave(now)
        departures.append(now)
    return departures


@pytest.mark.parametrize("rate", [1, 3, 7, 10, 20, 50, 100, 150, 999])
def test_over_a_long_backlog_the_mean_rate_is_exact_and_no_second_holds_one_more(rate: int) -> None:
    departures = backlog(rate, 60)
    assert len(departures) == 60 * rate
    assert all(late - early >= SECOND_US for early, late in zip(departures, departures[rate:], strict=False))


@pytest.mark.parametrize("rate", [7, 10, 150])
def test_segments_are_spread_evenly_to_the_microsecond(rate: int) -> None:
    departures = backlog(rate, 5)
    gaps = [late - early for early, late in pairwise(departures)]
    assert set(gaps) <= {SECOND_US // rate, SECOND_US // rate + 1}


@pytest.mark.parametrize("rate", [10, 20, 50, 100, 150])
def test_a_link_keeps_its_tier_exactly_over_a_minute_of_backlog(rate: int) -> None:
    wire = logged_in(replace(CONFIG, rate_per_s=rate))
    wire.submit(*(message(number) for number in range(61 * rate)))
    began = wire.now
    wire.run(61)
    departures = wire.times("51")
    assert sum(at < began + MINUTE_US for at in departures) == 60 * rate
    assert all(late - early >= SECOND_US for early, late in zip(departures, departures[rate:], strict=False))


@given(st.integers(1, 150), st.lists(st.integers(0, 400_000), max_size=400))
def test_however_late_the_timer_no_second_less_its_grace_holds_one_more(rate: int, lateness: list[int]) -> None:
    pacing, now = Pacing(rate), MONDAY_10H
    departures = []
    for late in lateness:
        now = pacing.earliest(now) + late
        pacing.leave(now)
        departures.append(now)
    window = SECOND_US - LATENESS_US
    assert all(last - first >= window for first, last in zip(departures, departures[rate:], strict=False))


@pytest.mark.parametrize("rate", [10, 150])
def test_a_timer_that_is_a_millisecond_late_costs_nothing(rate: int) -> None:
    pacing, now, count = Pacing(rate), MONDAY_10H, 0
    pacing.idle(now)
    while now < MONDAY_10H + MINUTE_US:
        pacing.leave(now)
        count += 1
        now = pacing.earliest(now)
        now += (count * 7_919) % 2_000  # as an event loop with a grain of a millisecond or two
    assert count >= 60 * rate - 1


def test_a_pause_of_the_process_is_made_up_for_and_its_bunch_spreads_out_again() -> None:
    pacing, now = Pacing(100), MONDAY_10H
    pacing.idle(now)
    departures = []
    for number in range(2_000):
        now = pacing.earliest(now) + (40_000 if number == 150 else 0)
        pacing.leave(now)
        departures.append(now)
    bunched = [late - early for early, late in pairwise(departures)]
    assert min(bunched[150:160]) == 0
    assert min(bunched[-100:]) >= 8_000
    assert departures[-1] - departures[0] <= 20.06 * SECOND_US


def test_after_idleness_nothing_is_saved_up() -> None:
    wire = logged_in().run(100)
    wire.submit(*(message(number) for number in range(5)))
    wire.run(1)
    gaps = {late - early for early, late in zip(wire.times("51"), wire.times("51")[1:], strict=False)}
    assert gaps == {SECOND_US // 10}


def test_the_pace_survives_a_reconnection() -> None:
    wire = logged_in(replace(CONFIG, reconnect_first_s=0.01))
    wire.submit(*(message(number) for number in range(100)))
    for _ in range(20):
        wire.run(0.35).cut()
    departures = wire.times("51")
    assert len(wire.dials) > 10
    assert all(late - early >= SECOND_US for early, late in zip(departures, departures[10:], strict=False))


def test_the_pace_survives_a_restart() -> None:
    just_sent = tuple(MONDAY_10H - 500_000 + number for number in range(10))
    core = Core(CONFIG)
    core.restore(Memory(departures=just_sent), MONDAY_10H)
    core.submit(message(1), MONDAY_10H)
    assert Wire(core).run(2).times("51") == [just_sent[0] + SECOND_US]


def test_every_segment_of_a_long_text_counts() -> None:
    wire = logged_in()
    wire.submit(replace(message(1), text="x" * 153 * 12))
    wire.run(0.95)
    assert len(wire.times("51")) == 10


def test_what_the_shell_held_back_counts_from_when_it_was_written() -> None:
    pacing = Pacing(10)
    for n in range(10):
        now = pacing.earliest(MONDAY_10H + n * SECOND_US // 10)
        pacing.leave(now)
        pacing.written(now + (200_000 if n == 9 else 0))
    tenth_written = MONDAY_10H + 900_000 + 200_000
    for _ in range(10):
        now = pacing.earliest(0)
        pacing.leave(now)
        pacing.written(now)
    assert now >= tenth_written + SECOND_US
