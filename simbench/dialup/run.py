"""A scenario run: months generated, carried, distributed over hours and settled, one after the other.

Calls in progress at the end of a month keep their ports in the next one, so that the result is that of one long run;
redials end with their month.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
import numpy as np

from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.dialup.calls import I64, Calls, joined
from simbench.dialup.carrying import Carried, Redial, Rules, carry
from simbench.dialup.demand import Population, calls_of_month, parts_of, session_law
from simbench.dialup.grid import Grid, grid_of, start_of
from simbench.dialup.kernels.loss_system import CUT, DROPPED
from simbench.dialup.minutes import LENGTH_EDGES_S, Laid, Month, by_month, lay, length_counts
from simbench.dialup.offer import Offer
from simbench.dialup.scenario import DialupScenario, outage_rows
from simbench.dialup.settlement import Settled, retail_ff, settle

Progress = Callable[[str, int, int], object]
"""Called with the current step, the amount done, and the total."""


class PoolTotal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One pool over the run: calls offered and lost, minutes carried, and the load of its busiest hour."""

    name: str
    ports: int
    offered: int
    lost: int
    minutes: int
    busiest_erlangs: float


class Totals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The totals of a run. `lost` calls were never carried; `attempts` includes redials."""

    offered: int
    attempts: int
    carried: int
    lost: int
    cut: int
    dropped: int
    blocking: float
    offered_minutes: int
    carried_minutes: int
    busy_hour_share: float
    months: tuple[Month, ...]
    settled: tuple[Settled, ...]
    retail_ff: Decimal
    pools: tuple[PoolTotal, ...]


@dataclass(frozen=True)
class DialupRun:
    """A run: its scenario, its results, and the hours and durations for figures.

    `last` are the carried calls of the last month, for call records; `offered_us` and `attempts` are by hour.
    """

    scenario: DialupScenario
    offer: Offer
    laid: Laid
    totals: Totals
    offered_us: I64
    offered_calls: I64
    lost_calls: I64
    lengths: I64
    last: Carried = field(repr=False)


@dataclass
class _Sums:
    """Sums over the months so far."""

    grid: Grid
    offered_us: I64
    offered_calls: I64
    lost_calls: I64
    lengths: I64
    laid: Laid | None = None
    counts: Counter[str] = field(default_factory=Counter)
    by_pool: dict[str, I64] = field(default_factory=dict)


def run_dialup(scenario: DialupScenario, progress: Progress = lambda _what, _done, _all: None) -> DialupRun:
    """Run a scenario. The same scenario gives the same run, on any machine."""
    offer = scenario.offer()
    grid = grid_of(scenario.month_names(), offer)
    hours, pools = len(grid.month), len(scenario.pools)
    offered_us, offered_calls, lost_calls = np.zeros((3, hours), np.int64)
    sums = _Sums(grid, offered_us, offered_calls, lost_calls, np.zeros(len(LENGTH_EDGES_S), np.int64))
    sums.by_pool = {name: np.zeros(pools, np.int64) for name in ("offered", "lost", "carried_us")}
    sums.by_pool["peaks"] = np.zeros((pools, hours), np.int64)
    steps, over, carried = 3 * len(grid.months), None, None
    for place, month in enumerate(grid.months):
        progress(f"{month}: drawing", 3 * place, steps)
        fresh = calls_of_month(_population(scenario, offer, place), grid, place, offer)
        progress(f"{month}: carrying", 3 * place + 1, steps)
        held = 0 if over is None else len(over)
        calls = fresh if over is None else joined(over, fresh)
        until = start_of(grid.months[place + 1], grid.calendar) if place + 1 < len(grid.months) else grid.last_us
        carried = carry(calls, [pool.ports for pool in scenario.pools], _rules(scenario, grid, until))
        over = carried.calls.take(carried.calls.end_us > until)
        progress(f"{month}: counting", 3 * place + 2, steps)
        carried = _without_first(carried, held)
        _gather(sums, fresh, carried, offer)
    progress("settling", steps, steps)
    assert carried is not None
    assert sums.laid is not None
    totals = _totals(sums, sums.laid, scenario, offer)
    return DialupRun(
        scenario, offer, sums.laid, totals, offered_us, offered_calls, lost_calls, sums.lengths, carried
    )  # fmt: skip


def _population(scenario: DialupScenario, offer: Offer, place: int) -> Population:
    return Population(
        minutes=scenario.minutes_of(place, offer),
        parts=parts_of(scenario.users(offer), [pool.weight for pool in scenario.pools]),
        pools=tuple(pool.name for pool in scenario.pools),
        law=session_law(offer, pareto_tail=scenario.pareto_tail),
        seed=scenario.seed,
        unit_us=SECOND_US if scenario.clock == "seconds" else 1,
    )


def _rules(scenario: DialupScenario, grid: Grid, until: int) -> Rules:
    redial, own = None, scenario.redial
    if own is not None:
        terms = scenario.offer().terms.redial
        redial = Redial(
            persistence=own.persistence if own.persistence >= 0 else float(terms.persistence.value),
            delay_mean_s=own.delay_mean_s or terms.delay_mean_s.value,
            most_tries=own.most_tries or terms.most_tries.value,
            seed=scenario.seed,
        )
    limit_us = round(scenario.session_limit_h * 3600) * SECOND_US
    return Rules(limit_us, until, redial, outage_rows(scenario, grid))


def _without_first(carried: Carried, held: int) -> Carried:
    """Remove the calls of the month before: they are the first offered, all carried, and the first begun."""
    if not held:
        return carried
    places = np.arange(held, len(carried.calls))
    return Carried(
        carried.calls.take(places), carried.outcome[held:], carried.tries[held:], carried.pool[held:], carried.ports
    )


def _gather(sums: _Sums, fresh: Calls, carried: Carried, offer: Offer) -> None:
    grid, pools = sums.grid, len(carried.ports)
    laid = lay(carried.calls, grid, offer)
    sums.laid = laid if sums.laid is None else sums.laid.plus(laid)
    hour = fresh.start_us // HOUR_US - grid.first_hour
    lost, size = carried.lost, len(grid.month)
    sums.offered_calls += np.bincount(hour, minlength=size)
    sums.lost_calls += np.bincount(hour[lost], minlength=size)
    sums.offered_us += np.bincount(hour, fresh.duration_us, minlength=size).astype(np.int64)
    sums.lengths += length_counts(carried.calls)
    sums.by_pool["offered"] += np.bincount(carried.pool, minlength=pools)
    sums.by_pool["lost"] += np.bincount(carried.pool[lost], minlength=pools)
    for pool in range(pools):
        own = lay(carried.calls.take(carried.calls.nas == pool), grid, offer).counted if pools > 1 else laid.counted
        sums.by_pool["peaks"][pool] += own
        sums.by_pool["carried_us"][pool] += int(own[grid.inside].sum()) * laid.unit_us
    sums.counts.update(
        offered=carried.offered, attempts=carried.attempts, carried=len(carried.calls), cut=carried.count(CUT),
        dropped=carried.count(DROPPED), offered_us=int(fresh.duration_us.sum()),
    )  # fmt: skip


def _totals(sums: _Sums, laid: Laid, scenario: DialupScenario, offer: Offer) -> Totals:
    months, counts = by_month(laid, offer), sums.counts
    unit_h = laid.unit_us / HOUR_US
    pools = tuple(
        PoolTotal(
            name=pool.name,
            ports=pool.ports,
            offered=int(sums.by_pool["offered"][place]),
            lost=int(sums.by_pool["lost"][place]),
            minutes=int(sums.by_pool["carried_us"][place]) // MINUTE_US,
            busiest_erlangs=round(float(sums.by_pool["peaks"][place].max()) * unit_h, 3),
        )
        for place, pool in enumerate(scenario.pools)
    )
    lost = counts["offered"] - counts["carried"]
    return Totals(
        **{name: counts[name] for name in ("offered", "attempts", "carried", "cut", "dropped")},
        lost=lost,
        blocking=lost / counts["offered"] if counts["offered"] else 0.0,
        offered_minutes=counts["offered_us"] // MINUTE_US,
        carried_minutes=sum(month.minutes for month in months),
        busy_hour_share=busy_hour_share(laid.grid, sums.offered_us),
        months=months,
        settled=settle(months, offer),
        retail_ff=retail_ff(laid, offer),
        pools=pools,
    )


def busy_hour_share(grid: Grid, offered_us: I64) -> float:
    """Return the share of an average day's load in its busiest hour."""
    by_hour = np.bincount(grid.civil_hour[grid.inside], offered_us[grid.inside], minlength=24)
    return float(by_hour.max() / by_hour.sum()) if by_hour.sum() else 0.0
