"""Demand: the calls of a population in a month, the same for any chunks and number of workers.

Arrivals are a Poisson process whose rate follows the half-hours of a working day, a Saturday or a Sunday. Durations
are a mixture of a short and a long distribution. A user is one of the subscribers, and dials the pool of the region.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from simbench.base.calendar import Calendar
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.dialup.calls import I64, Calls, generated
from simbench.dialup.grid import Grid
from simbench.dialup.kernels.arrivals import WORD, count_arrivals, fill_arrivals, poisson_thresholds
from simbench.dialup.offer import Offer
from simbench.kernels.chance import entity_of, key_of, lognormal_table

HALF_HOUR_S = 1800
ENTRIES = 4096


@dataclass(frozen=True)
class Law:
    """Durations of calls: quantile tables (us) of two components, and the share of the first as a part of 2^32."""

    short: tuple[int, ...]
    long: tuple[int, ...]
    short_share: int

    @property
    def mean_us(self) -> float:
        """Return the mean duration of the tables, with linear interpolation between entries."""
        share = self.short_share / WORD
        return share * _mean(self.short) + (1 - share) * _mean(self.long)

    def arrays(self) -> tuple[I64, I64, I64]:
        """Return the law as input of the kernels."""
        return np.array(self.short), np.array(self.long), np.array([self.short_share])


def session_law(offer: Offer, *, pareto_tail: bool = False) -> Law:
    """Return the offer's law of session durations; `pareto_tail` replaces the part beyond `pareto_from_s`."""
    demand = offer.terms.demand
    cap = demand.cap_s.value * SECOND_US
    sigma = float(demand.long_sigma.value)
    median_us = round(demand.long_mean_s.value * SECOND_US * math.exp(-(sigma**2) / 2))
    short = lognormal_table(demand.short_median_s.value * SECOND_US, float(demand.short_sigma.value), ENTRIES)
    long = lognormal_table(median_us, sigma, ENTRIES)
    if pareto_tail:
        begins, alpha = demand.pareto_from_s.value * SECOND_US, float(demand.pareto_alpha.value)
        beyond = sum(entry > begins for entry in long)
        body = len(long) - beyond
        # The share of each entry beyond is that of its middle: (beyond - place + 1/2) entries are longer.
        tail = (round(begins * (beyond / (beyond - place - 0.5)) ** (1 / alpha)) for place in range(beyond))
        long = (*long[:body], *tail)
    short_share = int(demand.short_share.value * WORD)
    return Law(tuple(min(e, cap) for e in short), tuple(min(e, cap) for e in long), short_share)


def exponential_table(mean_us: int) -> tuple[int, ...]:
    """Give the exponential law as quantiles in microseconds, from 1 on."""
    return tuple(max(1, round(-mean_us * math.log(1 - (place + 0.5) / ENTRIES))) for place in range(ENTRIES))


@dataclass(frozen=True)
class Population:
    """The users, their calls per month and durations: users below each bound of `parts` dial each pool."""

    minutes: float
    parts: tuple[int, ...]
    pools: tuple[str, ...]
    law: Law
    seed: int
    unit_us: int = SECOND_US


def parts_of(users: int, weights: list[float]) -> tuple[int, ...]:
    """Divide users among pools by weight, as bounds of their numbers; every user has a pool."""
    bounds = np.cumsum(weights) / sum(weights) * users
    return (*(round(float(bound)) for bound in bounds[:-1]), users)


def profile(grid: Grid, month: int, offer: Offer) -> tuple[I64, list[int]]:
    """Give the arrival weight of each half-hour of a month, and the seconds (first, one after the last) it spans."""
    demand = offer.terms.demand
    hours = np.flatnonzero(grid.month == month) + grid.first_hour
    days: dict[date, tuple[int, ...]] = {}
    weights: list[int] = []
    for hour in hours.tolist():
        moment = grid.calendar.civil(hour * HOUR_US)
        if moment.date() not in days:
            days[moment.date()] = getattr(demand, _kind_of(moment.date(), grid.calendar)).value
        weights += days[moment.date()][2 * moment.hour : 2 * moment.hour + 2]
    return np.array(weights), [int(hours[0]) * 3600, (int(hours[-1]) + 1) * 3600]


def calls_of_month(population: Population, grid: Grid, month: int, offer: Offer) -> Calls:
    """Draw the calls a population makes in a month, sorted by start."""
    weights, (from_s, to_s) = profile(grid, month, offer)
    calls = population.minutes * MINUTE_US / population.law.mean_us
    per_s = calls * weights / (weights.sum() * HALF_HOUR_S)
    return calls_between(population, per_s, from_s, to_s)


def calls_between(population: Population, per_s: np.ndarray, from_s: int, to_s: int) -> Calls:
    """Draw the calls between two seconds; `per_s` has the mean calls a second of each half-hour from the first on."""
    means, row = np.unique(per_s, return_inverse=True)
    tables = [poisson_thresholds(float(mean)) for mean in means]
    widest = max(map(len, tables))
    thresholds = np.array([table + [WORD] * (widest - len(table)) for table in tables], dtype=np.int64)
    keys = [np.uint64(key_of(population.seed, entity_of(purpose))) for purpose in PURPOSES]
    seconds = np.array([from_s, to_s])
    counts = count_arrivals(seconds, row.astype(np.int32), thresholds, keys[0])  # type: ignore[arg-type]  # 64 bits
    start, length, user, pool = fill_arrivals(
        from_s, counts, np.array(keys[1:]), population.law.arrays(), np.array(population.parts), population.unit_us
    )
    return generated(start, length, user, pool, population.pools)


PURPOSES = ("dialup arrivals", "dialup offsets", "dialup lengths", "dialup users")


def _kind_of(day: date, calendar: Calendar) -> str:
    if calendar.is_jour_ouvre(day):
        return "working_day"
    return "saturday" if calendar.is_jour_ouvrable(day) else "sunday"


def _mean(table: tuple[int, ...]) -> float:
    if len(table) == 1:
        return float(table[0])
    return sum(one + other for one, other in pairwise(table)) / 2 / (len(table) - 1)
