"""Demand: volumes and profiles as the scenario says, the same however it is cut into spans."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from simbench.base.units import DAY_US, HOUR_US
from simbench.simulation.demand import Source, joined
from simbench.simulation.plan import plan
from simbench.simulation.scenario import DAILY, WEEKLY
from tests.simulation.worlds import CODE, campaign, scenario_of

MONTH = {"from": "2026-03-02", "to": "2026-03-30"}  # four weeks, a change of the clock on the last day
FLOW = {"name": "f", "code": CODE, "per_day": 20_000}


def test_a_flow_follows_its_weights_of_hour_and_weekday() -> None:
    world = plan(scenario_of(period={"from": "2026-03-02", "to": "2026-03-16"}, flows=[FLOW]))
    (demand,) = Source(world, CODE).between(world.start, world.end)
    assert abs(len(demand) - 14 * 20_000) < 4 * (14 * 20_000) ** 0.5
    hours = np.bincount((demand.at - world.start) // HOUR_US % 24, minlength=24)
    expected = len(demand) * np.array(DAILY) / sum(DAILY)
    assert (np.abs(hours - expected) < 5 * expected**0.5).all()
    days = np.bincount((demand.at - world.start) // DAY_US % 7, minlength=7)
    expected = len(demand) * np.array(WEEKLY) / sum(WEEKLY)
    assert (np.abs(days - expected) < 5 * expected**0.5).all()


def test_counts_of_minutes_vary_as_poisson_says() -> None:
    world = plan(scenario_of(flows=[{**FLOW, "daily": [1] * 24, "weekly": [1] * 7, "per_day": 28_800}]))
    (demand,) = Source(world, CODE).between(world.start, world.end)
    counts = np.bincount((demand.at - world.start) // 60_000_000)
    assert abs(counts.mean() - 20) < 0.5
    assert 0.9 < counts.var() / counts.mean() < 1.1


def test_cutting_time_differently_changes_no_message() -> None:
    world = plan(scenario_of(period=MONTH, flows=[FLOW], campaigns=[campaign(volume=5000, spread_min=600, parts=3)]))
    source = Source(world, CODE)
    whole = source.between(world.start, world.end)
    edges = [world.start, *(world.start + hour * HOUR_US for hour in (1, 30, 200, 201, 600)), world.end]
    pieces = [source.between(start, end) for start, end in pairwise(edges)]
    for queue, demand in enumerate(whole):
        again = joined([piece[queue] for piece in pieces])
        for name in ("at", "entity", "recipient"):
            assert (getattr(again, name) == getattr(demand, name)).all()
        assert len(np.unique(demand.entity)) == len(demand)


def test_a_sending_reaches_each_subscriber_once_before_any_twice() -> None:
    world = plan(scenario_of(campaigns=[campaign(volume=1000)]))
    (demand,) = Source(world, CODE).between(world.start, world.end)
    assert sorted(demand.recipient.tolist()) == list(range(33_710_000_000, 33_710_001_000))
    assert abs(np.diff(demand.recipient)).min() > 1


def test_a_sending_of_every_jour_ouvrable_keeps_sundays_and_holidays() -> None:
    scenario = scenario_of(
        period={"from": "2026-05-01", "to": "2026-06-01"},
        campaigns=[campaign(start="2026-05-01T08:00", every="jour-ouvrable")],
    )
    assert len(plan(scenario).streams) == 31 - 5 - 4  # five Sundays; 1, 8, 14 and 25 May are holidays
