"""Roaming: a million subscribers over a year on one core, against the same model as plain Python in the same run."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from msgspec.structs import replace

from simbench.roaming.contract import load_roaming
from simbench.roaming.kernels.fair_use import OVERAGE
from simbench.roaming.population import run_population
from simbench.roaming.scenario import RoamingScenario, read_roaming_scenario
from tests.roaming.oracle import World

SCENARIO = Path(__file__).parents[2] / "scenarios" / "roaming" / "01_a_year_abroad.toml"
SUBSCRIBERS, PLAIN = 1_000_000, 60
MOST_S, MOST_GB, LEAST_RATIO = 20.0, 3.0, 100


def roaming(subscribers: int = SUBSCRIBERS) -> list[tuple[str, bool]]:
    """Subscriber-days a second with windows, states and rating; memory; the ratio to plain Python."""
    contract = load_roaming()
    scenario = _sized(read_roaming_scenario(SCENARIO, contract), subscribers)
    days = scenario.population.days
    started = time.perf_counter()
    run_population(_sized(scenario, 10), contract)
    ready_s = time.perf_counter() - started
    # Time of the processor, since one core is what the gate speaks of, and others may be at work on it.
    started, begun = time.perf_counter(), time.process_time()
    followed = run_population(scenario, contract)
    wall_s, took_s = time.perf_counter() - started, time.process_time() - begun
    begun = time.process_time()
    world = World(_sized(scenario, PLAIN), contract)
    agreed = all(_plain(world, number) == followed.totals[number, OVERAGE] for number in range(PLAIN))
    plain_ns, compiled_ns = (time.process_time() - begun) * 1e9 / PLAIN / days, took_s * 1e9 / subscribers / days
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    ratio = plain_ns / compiled_ns
    print(
        f"roaming: {subscribers:,} subscribers x {days} days in {took_s:.1f} s of one core, {wall_s:.1f} s by the "
        f"clock ({compiled_ns:.0f} ns a subscriber-day, compiled or loaded in {ready_s:.1f} s), at most "
        f"{memory_gb:.2f} GB; plain Python {plain_ns / 1000:.1f} us, ratio {ratio:.0f}; "
        f"the same euros: {'yes' if agreed else 'NO'}"
    )
    return [
        ("roaming year under 20 s", took_s < MOST_S),
        ("roaming under 3 GB", memory_gb < MOST_GB),
        ("roaming 100 times plain Python", ratio >= LEAST_RATIO),
        ("roaming agrees with plain Python", agreed),
    ]


def _sized(scenario: RoamingScenario, subscribers: int) -> RoamingScenario:
    return replace(scenario, population=replace(scenario.population, subscribers=subscribers))


def _plain(world: World, number: int) -> int:
    """The overage of one subscriber in nano-euros, by the oracle."""
    name, person = world.person(number)
    return int(world.fate(person, world.life(number, name)).euros["overage"] * 10**9)


if __name__ == "__main__":
    print([name for name, passed in roaming() if not passed] or "every gate passed")
