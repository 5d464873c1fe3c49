"""Results of queueing theory for the meter, the spool and the centre, within confidence bounds."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest

from fake_smsc.core.limiter import Limiter
from fake_smsc.core.records import Limit
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.kernels.chance import draw
from simbench.ledger import MemoryLedger
from simbench.simulation.bulk import Sender
from simbench.simulation.demand import Integers, Source
from simbench.simulation.event_driven import Drive
from simbench.simulation.plan import World, plan
from simbench.simulation.timeline import Rank
from tests.simulation.worlds import CODE, run, scenario_of

pytestmark = pytest.mark.slow

DAY_S = 86_400
EVEN = {"daily": [1] * 24, "weekly": [1] * 7}


def flowing(per_s: float, days: int = 2) -> World:
    """A code at 10 a second to which messages come evenly at random."""
    return plan(
        scenario_of(
            period={"from": "2026-03-02", "to": f"2026-03-{2 + days:02}"},
            codes=[{"code": CODE}],
            subscribers={"count": 1_000_000, "preset": "attached"},
            flows=[{"name": "f", "code": CODE, "per_day": per_s * DAY_S, **EVEN}],
        )
    )


def arrivals(world: World) -> Integers:
    return Source(world, CODE).between(world.start, world.end)[0].at


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """The mean of a series that hangs together, and its standard error by means of twenty batches."""
    batches = [float(np.mean(batch)) for batch in np.array_split(np.array(values), 20)]
    return float(np.mean(batches)), float(np.std(batches, ddof=1) / math.sqrt(len(batches)))


def erlang_b(servers: int, load: float) -> float:
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


def erlang_c(servers: int, load: float) -> float:
    blocked = erlang_b(servers, load)
    return blocked / (1 - load / servers * (1 - blocked))


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_a_meter_of_one_a_second_is_the_queue_m_d_1(load: float) -> None:
    meter = Limiter(Limit(1, "monitor"))
    waits = [(meter.offer(at, 1) - at) / SECOND_US for at in arrivals(flowing(load)).tolist()]
    mean, error = mean_and_error(waits)
    assert abs(mean - load / (2 * (1 - load))) < 4 * error
    assert abs(sum(wait > 0 for wait in waits) / len(waits) - load) < 0.02  # who arrives at random finds it busy


def test_a_meter_of_ten_a_second_waits_about_half_of_what_erlang_c_says() -> None:
    meter, load = Limiter(Limit(10, "monitor")), 9.0
    waits = [(meter.offer(at, 1) - at) / SECOND_US for at in arrivals(flowing(load)).tolist()]
    mean, error = mean_and_error(waits)
    m_m_c = erlang_c(10, load) / (10 - load)
    cosmetatos = 1 + (1 - load / 10) * 9 * (math.sqrt(4 + 50) - 2) / (16 * 10 * (load / 10))  # his correction for M/D/c
    assert abs(mean - m_m_c / 2 * cosmetatos) < 4 * error + 0.02 * m_m_c


def test_what_waits_is_the_rate_times_how_long_it_waits() -> None:
    world = flowing(9.6)
    sender = Sender(world, CODE)
    demand = Source(world, CODE).between(world.start, world.end)
    sent = np.concatenate([batch.sent.sent_at for batch in sender.send(demand, world.end)])
    waited_s = (sent - demand[0].at[: len(sent)]) / SECOND_US
    rate_per_s = len(sent) / ((world.end - world.start) / SECOND_US)
    backlog = [int(str(row[-1])) for row in run(world.scenario, "bulk", "minute").minute]
    minutes = (world.end - world.start) // MINUTE_US
    mean, error = mean_and_error([*map(float, backlog), *[0.0] * (minutes - len(backlog))])
    assert rate_per_s * waited_s.mean() > 5
    assert abs(mean - rate_per_s * waited_s.mean()) < 4 * error


def test_messages_on_the_way_are_poisson_and_as_many_as_rate_times_latency() -> None:
    world = flowing(1.0, days=1)
    drive = Drive(world, MemoryLedger(), "minute")
    seen: list[float] = []

    def look(now: int) -> None:
        seen.append(float(drive.centre.delivery.on_the_way))
        if now + 20 * SECOND_US < world.end:
            drive.timeline.at(now + 20 * SECOND_US, Rank.NOTICES, look)

    drive.timeline.at(world.start + MINUTE_US, Rank.NOTICES, look)
    drive.run()
    mean, error = mean_and_error(seen)
    latency_s = float(np.mean(world.settings.delivery.latency_us)) / SECOND_US
    assert abs(mean - 1.0 * latency_s) < 4 * error
    assert 0.85 < np.var(seen) / mean < 1.15


def exponential_us(mean_s: float, entity: int) -> int:
    return round(-math.log((draw(5, entity, 9) + 1) / 2**64) * mean_s * SECOND_US)


@pytest.mark.parametrize(("servers", "per_s"), [(3, 2.0), (10, 8.0)])
def test_demand_finds_servers_busy_as_erlang_c_says(servers: int, per_s: float) -> None:
    free = [0] * servers
    waits = []
    for number, at in enumerate(arrivals(flowing(per_s)).tolist()):
        begins = max(at, heapq.heappop(free))
        heapq.heappush(free, begins + exponential_us(1.0, number))
        waits.append((begins - at) / SECOND_US)
    waiting, error = mean_and_error([float(wait > 0) for wait in waits])
    assert abs(waiting - erlang_c(servers, per_s)) < 4 * error
    mean, error = mean_and_error(waits)
    assert abs(mean - erlang_c(servers, per_s) / (servers - per_s)) < 4 * error


def test_demand_is_blocked_as_erlang_b_says() -> None:
    servers, per_s = 8, 6.0
    busy: list[int] = []
    blocked = []
    for number, at in enumerate(arrivals(flowing(per_s)).tolist()):
        while busy and busy[0] <= at:
            heapq.heappop(busy)
        blocked.append(float(len(busy) == servers))
        if len(busy) < servers:
            heapq.heappush(busy, at + exponential_us(1.0, number))
    mean, error = mean_and_error(blocked)
    assert abs(mean - erlang_b(servers, per_s)) < 4 * error
