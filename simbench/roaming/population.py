"""A population that travels: tables for the kernels, chunk by chunk, and the totals of every subscriber.

Memory is bounded by one chunk and one row of totals per subscriber, whatever the length of the run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from simbench.kernels import chance
from simbench.roaming.contract import RoamingContract, Service
from simbench.roaming.envelope import envelope
from simbench.roaming.kernels.fair_use import COLUMNS, STATES, Days, Outcome, Rules, Use, Who, follow
from simbench.roaming.kernels.travel import DAYS_MOST, ENTRIES, MILLION, Keys, Profiles, parts, travel
from simbench.roaming.scenario import Profile, RoamingScenario, Trip, plan_of

CHUNK = 2048  # subscribers: their days fit into a few megabytes
NEUR = 10**9  # nano-euros in a euro
MEGABYTE = 10**6
YEAR_DAYS = 365.25
PURPOSES = ("profile", "proof", "consent", "use", "day", "trip")


class Tables(NamedTuple):
    """A scenario as input of the kernels, the same for every chunk."""

    rules: Rules
    days: Days
    laws: Profiles
    weekdays: np.ndarray
    envelopes: np.ndarray
    bounds: np.ndarray
    plan_of_profile: np.ndarray
    excused_of_profile: np.ndarray
    consenting_of_profile: np.ndarray
    sims_of_profile: np.ndarray


class Followed(NamedTuple):
    """The result of a population: a row of `COLUMNS` and a profile for each subscriber, states by profile and day."""

    totals: np.ndarray
    profile: np.ndarray
    by_day: np.ndarray


class Traced(NamedTuple):
    """Some subscribers by day: their properties, their use, and the operator's rating."""

    who: Who
    use: Use
    outcome: Outcome


def tables_of(scenario: RoamingScenario, contract: RoamingContract) -> Tables:
    """Return the input of the kernels from scenario and contract; amounts in nano-euros, truncated."""
    profiles = tuple(scenario.profiles.values())
    names, excepted = list(scenario.plans), scenario.operator.exceptions
    days = _days(scenario, contract)
    first = scenario.population.starts
    bounds = np.cumsum([profile.share for profile in profiles]) * MILLION
    bounds[-1] = MILLION
    return Tables(
        rules=_rules(scenario, contract),
        days=days,
        laws=_laws(profiles, first),
        weekdays=np.array([(first + timedelta(days=day)).weekday() for day in range(scenario.population.days)]),
        envelopes=_envelopes(scenario, contract),
        bounds=np.round(bounds).astype(np.int64),
        plan_of_profile=np.array([names.index(profile.plan) for profile in profiles]),
        excused_of_profile=np.array(
            [round(MILLION * one.proves_share) if excepted and one.exception else 0 for one in profiles]
        ),
        consenting_of_profile=np.array([round(MILLION * one.consents_share) for one in profiles]),
        sims_of_profile=np.array([one.sim_periods for one in profiles]),
    )


def run_population(
    scenario: RoamingScenario, contract: RoamingContract, progress: Callable[[int], object] = lambda _done: None
) -> Followed:
    """Follow all subscribers; `progress` is called with the number done after each chunk."""
    tables, size = tables_of(scenario, contract), scenario.population.subscribers
    totals = np.zeros((size, len(COLUMNS)), np.int64)
    profile = np.zeros(size, np.int16)
    by_day = np.zeros((len(scenario.profiles), len(STATES), scenario.population.days), np.int64)
    use = _blank(min(CHUNK, size), scenario.population.days)
    for start in range(0, size, CHUNK):
        stop = min(start + CHUNK, size)
        own = Use(*(column[: stop - start] for column in use))
        who = fill(tables, scenario.seed, range(start, stop), own)
        follow(tables.rules, tables.days, who, own, tables.envelopes, _untraced(totals[start:stop], by_day))
        profile[start:stop] = who.profile
        progress(stop)
    return Followed(totals, profile, by_day)


def trace(scenario: RoamingScenario, contract: RoamingContract, subscribers: Sequence[int]) -> Traced:
    """Follow a few subscribers, with the result by day."""
    tables = tables_of(scenario, contract)
    use = _blank(len(subscribers), scenario.population.days)
    who = fill(tables, scenario.seed, subscribers, use)
    shape = use.place.shape
    outcome = Outcome(
        np.zeros((shape[0], len(COLUMNS)), np.int64),
        np.zeros((len(scenario.profiles), len(STATES), shape[1]), np.int64),
        np.zeros(shape, np.int8),
        *(np.zeros(shape, np.int64) for _ in range(3)),
    )
    follow(tables.rules, tables.days, who, use, tables.envelopes, outcome)
    return Traced(who, use, outcome)


def fill(tables: Tables, seed: int, subscribers: Sequence[int], use: Use) -> Who:
    """Draw the properties and the use of these subscribers; `use` is filled in."""
    entities = np.array(subscribers, dtype=np.uint64)
    key = {name: np.uint64(chance.key_of(seed, chance.entity_of("roaming", name))) for name in PURPOSES}
    with np.errstate(over="ignore"):  # draws overflow on purpose if run as plain Python
        profile, proves, consents = (parts(key[name], entities) for name in ("profile", "proof", "consent"))  # type: ignore[arg-type]  # kernels take uint64
        profile = np.searchsorted(tables.bounds, profile, side="right")
        day_of = entities[:, None] * np.uint64(DAYS_MOST) + np.arange(use.place.shape[1], dtype=np.uint64)
        keys = Keys(key["use"], key["day"], key["trip"])  # type: ignore[arg-type]  # kernels take uint64
        travel(keys, day_of, profile, tables.weekdays, tables.laws, use)
    return Who(
        profile,
        tables.plan_of_profile[profile],
        proves < tables.excused_of_profile[profile],
        consents < tables.consenting_of_profile[profile],
        tables.sims_of_profile[profile],
    )


def _neur(scenario: RoamingScenario, contract: RoamingContract, service: Service, day: date, share: Decimal) -> int:
    cap = cap_eur(scenario, contract, service, day) * share
    terms = contract.terms
    unit = {
        "data": Fraction(terms.rating.data_step_octets.value, terms.envelope.gigabyte_octets.value),
        "voice": Fraction(1, 60),
        "sms": Fraction(1),
    }[service]
    return int(Fraction(cap) * unit * NEUR)


def cap_eur(scenario: RoamingScenario, contract: RoamingContract, service: Service, day: date) -> Decimal:
    """Return the cap of a day, or the scenario's replacement."""
    instead = scenario.operator.cap_eur_per_gb if service == "data" else None
    return contract.cap(service, day).value if instead is None else instead


def _days(scenario: RoamingScenario, contract: RoamingContract) -> Days:
    first, operator = scenario.population.starts, scenario.operator
    dates = [first + timedelta(days=day) for day in range(scenario.population.days)]
    starts = scenario.period_starts()
    period = np.searchsorted([start.toordinal() for start in starts], [day.toordinal() for day in dates], side="right")
    services: tuple[Service, ...] = ("data", "voice", "sms")
    prices = [
        np.array([_neur(scenario, contract, service, day, share) for day in dates])
        for share in (operator.price_share, operator.wholesale_share)
        for service in services
    ]
    return Days(period - 1, *prices)


def _rules(scenario: RoamingScenario, contract: RoamingContract) -> Rules:
    terms, operator = contract.terms, scenario.operator
    limit = terms.spending.limit_eur.value * NEUR
    return Rules(
        window_days=terms.fair_use.observation_days.value,
        prevail_permille=round(terms.fair_use.prevail_share.value * 1000),
        alert_days=terms.fair_use.alert_days.value,
        home_logon_counts=terms.fair_use.home_logon_counts.value,
        enforced=operator.fair_use,
        linked_sims=operator.linked_sims,
        limit_neur=int(limit),
        warning_neur=int(limit * Decimal(str(terms.spending.warning_share.value))),
        data_step_octets=terms.rating.data_step_octets.value,
        voice_first_s=terms.rating.voice_first_s.value,
        voice_step_s=terms.rating.voice_step_s.value,
    )


def _envelopes(scenario: RoamingScenario, contract: RoamingContract) -> np.ndarray:
    """Return octets by plan and billing period; the cap of the period's first day applies to all of it."""
    starts = scenario.period_starts()
    rows = []
    for config in scenario.plans.values():
        plan = plan_of(config, contract, scenario.population.starts)
        cap = scenario.operator.cap_eur_per_gb
        rows.append([envelope(plan, start, contract, scenario.operator.mode, cap).octets for start in starts])
    return np.array(rows)


def _laws(profiles: tuple[Profile, ...], first: date) -> Profiles:
    most = max(1, *(len(profile.trips) for profile in profiles))
    trips = [
        [profile.trips[place] if place < len(profile.trips) else None for place in range(most)] for profile in profiles
    ]
    before = -(10**6)  # a day before any run

    def of_trips(value: Callable[[Trip], int], absent: int) -> np.ndarray:
        return np.array([[absent if trip is None else value(trip) for trip in row] for row in trips])

    return Profiles(
        home_octets=_laws_of(
            profiles, lambda one: chance.lognormal_table(round(one.home_mb * MEGABYTE), one.sigma, ENTRIES)
        ),
        roam_octets=_laws_of(
            profiles, lambda one: chance.lognormal_table(round(one.roam_mb * MEGABYTE), one.sigma, ENTRIES)
        ),
        calls=_laws_of(profiles, lambda one: poisson_table(one.calls_per_day)),
        call_s=_laws_of(profiles, lambda one: chance.lognormal_table(round(one.call_s), one.sigma, ENTRIES)),
        sms=_laws_of(profiles, lambda one: poisson_table(one.sms_per_day)),
        departure=np.array([round(MILLION * min(one.trips_per_year / YEAR_DAYS, 1)) for one in profiles]),
        short=np.array([one.trip_days[0] for one in profiles]),
        long=np.array([one.trip_days[1] for one in profiles]),
        silent=np.array([round(MILLION * one.silent_share) for one in profiles]),
        commutes=np.array([one.commutes for one in profiles]),
        departs=of_trips(lambda trip: (trip.departs - first).days, before),
        spread=of_trips(lambda trip: trip.spread_days, 0),
        shortest=of_trips(lambda trip: trip.days[0], 1),
        longest=of_trips(lambda trip: trip.days[1], 1),
    )


def _laws_of(profiles: tuple[Profile, ...], law: Callable[[Profile], tuple[int, ...]]) -> np.ndarray:
    return np.array([law(profile) for profile in profiles], np.int64)


def poisson_table(mean: float) -> tuple[int, ...]:
    """Return the Poisson law as quantiles at the middles of equal shares."""
    found, value = [], 0
    reached = term = math.exp(-mean)
    for place in range(ENTRIES):
        while reached < (place + 0.5) / ENTRIES:
            value += 1
            term *= mean / value
            reached += term
        found.append(value)
    return tuple(found)


def _blank(subscribers: int, days: int) -> Use:
    shape = (subscribers, days)
    kinds = (np.int8, np.int64, np.int64, np.int16, np.int32, np.int16)
    return Use(*(np.zeros(shape, kind) for kind in kinds))


def _untraced(totals: np.ndarray, by_day: np.ndarray) -> Outcome:
    none = np.zeros((0, 0), np.int64)
    return Outcome(totals, by_day, np.zeros((0, 0), np.int8), none, none, none)
