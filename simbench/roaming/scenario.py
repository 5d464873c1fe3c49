"""Roaming scenarios: population, plans and rules as typed values read from TOML.

Missing values come from the contract. `extends` names another scenario file, whose tables are merged.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from simbench.base.errors import BadInput, ScenarioError
from simbench.base.toml_files import Frozen, as_typed, choice, label, read_table, refusal, shown
from simbench.contract.layers import merged
from simbench.roaming.contract import RoamingContract
from simbench.roaming.envelope import Mode, Plan, envelope

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Megabytes = Annotated[float, msgspec.Meta(ge=0, le=100_000)]
DayCount = Annotated[int, msgspec.Meta(ge=1, le=2000)]
DayRange = tuple[DayCount, DayCount]

LAYERS_MOST = 8


class Population(Frozen, frozen=True):
    """The number of subscribers, the first day and the number of days.

    Billing periods are months counted from the day `starts`.

    `subscribers` is the number of subscribers, `days` the number of days.
    """

    subscribers: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]
    starts: date
    days: DayCount


class Operator(Frozen, frozen=True):
    """The home operator: its prices, its wholesale cost and its policy.

    `price_share` and `wholesale_share` are its surcharges and its wholesale cost, each as a share of the regulated cap.
    `cap_eur_per_gb` replaces every data cap (a what-if); left out, the caps of the contract apply.

    `fair_use` false: no customer is alerted. `linked_sims` true: the observation window continues when a customer takes
    another SIM. `exceptions` true: customers who prove an exception are excused. `mode` is the formula of the data
    volume abroad: "regulation", or "article", the simplified one of the press, which uses the price with VAT.
    """

    price_share: Decimal = Decimal(1)
    wholesale_share: Decimal = Decimal("0.5")
    cap_eur_per_gb: Decimal | None = None
    fair_use: bool = True
    linked_sims: bool = False
    exceptions: bool = True
    mode: Mode = "regulation"


class PlanConfig(Frozen, frozen=True):
    """A plan on sale.

    `price_eur` is the price of a billing period with VAT, `vat` the country whose VAT applies (two letters),
    `domestic_gb` the data volume at home in GB (left out: unlimited). `prepaid` true: a prepaid credit.
    """

    price_eur: Decimal
    vat: str
    domestic_gb: Decimal | None = None
    prepaid: bool = False


class Trip(Frozen, frozen=True):
    """A trip that every subscriber of the profile makes.

    It begins on the day `departs` or up to `spread_days` days later, and lasts from the first to the second number of
    `days`.
    """

    departs: date
    days: DayRange
    spread_days: Annotated[int, msgspec.Meta(ge=0, le=2000)] = 0


class Profile(Frozen, frozen=True):
    """A kind of traveller: `share` of the subscribers (all shares sum to 1), with the plan named `plan`.

    `home_mb` and `roam_mb` are the median data volumes of a day at home and abroad, in MB. `calls_per_day` and
    `sms_per_day` are means; `call_s` is the median length of a call in seconds. `sigma` is the standard deviation of
    the logarithm of volumes and call lengths. `silent_share`: share of days on which the phone is off.

    `trips_per_year`: random trips in addition to `trips`, each from the first to the second number of `trip_days` long.
    `commutes` true: abroad on working days, and home every night.

    `exception` is a ground for being excused from fair use, which `proves_share` of the subscribers prove; empty: none.
    `consents_share` agreed to spend more than the limit of the contract. `sim_periods`: billing periods after which a
    new SIM is taken; 0: never.
    """

    share: Share
    plan: str
    home_mb: Megabytes
    roam_mb: Megabytes
    sigma: Annotated[float, msgspec.Meta(ge=0, le=3)] = 0.8
    calls_per_day: Annotated[float, msgspec.Meta(ge=0, le=50)] = 1.0
    call_s: Annotated[float, msgspec.Meta(ge=0, le=20_000)] = 90.0
    sms_per_day: Annotated[float, msgspec.Meta(ge=0, le=200)] = 1.0
    trips: tuple[Trip, ...] = ()
    trips_per_year: Annotated[float, msgspec.Meta(ge=0, le=200)] = 0.0
    trip_days: DayRange = (1, 7)
    silent_share: Share = 0.02
    commutes: bool = False
    exception: Literal["", "student", "frontier"] = ""
    proves_share: Share = 1.0
    consents_share: Share = 0.0
    sim_periods: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0


class RoamingScenario(Frozen, frozen=True):
    """One run: a population under an operator's rules.

    `extends` names another scenario file in the same folder, whose keys apply if this file lacks them. `name` and
    `title` appear in reports. `seed` determines all draws.
    """

    name: str
    title: str
    population: Population
    plans: Annotated[dict[str, PlanConfig], msgspec.Meta(min_length=1, max_length=100)]
    profiles: Annotated[dict[str, Profile], msgspec.Meta(min_length=1, max_length=100)]
    operator: Operator = Operator()
    seed: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)] = 1
    extends: str = ""

    def period_starts(self) -> list[date]:
        """The first day of each billing period."""
        first, length = self.population.starts, self.population.days
        dated = (months_after(first, months) for months in range(length // 28 + 1))
        return [start for start in dated if start < first + timedelta(days=length)]


def months_after(day: date, months: int) -> date:
    """Return the same day some months later, the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def read_roaming_scenario(path: Path, contract: RoamingContract) -> RoamingScenario:
    """Read a scenario file and those it extends.

    Raises ScenarioError, one line with file and key, for unknown keys, overlapping trips, shares that do not sum to
    one, unknown plans or VAT, impossible prices, and days without a cap.
    """
    scenario = as_typed(reduce(merged, _layers(path)), RoamingScenario, ScenarioError, lambda _keys: label(path))
    for keys, problem, expected in _contradictions(scenario, contract):
        raise refusal(ScenarioError, label(path), keys, problem, expected)
    return scenario


def plan_of(config: PlanConfig, contract: RoamingContract, day: date) -> Plan:
    """Return a plan for the computation of envelopes, with the VAT of the day on which a run starts.

    Raises BadInput for an unknown VAT.
    """
    return Plan(config.price_eur, contract.vat_share(config.vat, day), config.domestic_gb, config.prepaid)


def _layers(path: Path) -> list[dict[str, Any]]:
    """Return the tables of a file and of those it extends, the base first."""
    tables: list[dict[str, Any]] = []
    while True:
        tables.insert(0, read_table(path, ScenarioError))
        base = tables[0].get("extends")
        if not isinstance(base, str) or not base:
            return tables
        if len(tables) == LAYERS_MOST:
            raise refusal(
                ScenarioError, label(path), ("extends",), "too many files in a chain", f"at most {LAYERS_MOST}"
            )
        path = path.parent / base


Contradiction = tuple[tuple[str | int, ...], str, str]


def _contradictions(scenario: RoamingScenario, contract: RoamingContract) -> Iterator[Contradiction]:
    total = sum(profile.share for profile in scenario.profiles.values())
    if abs(total - 1) > 1e-6:
        yield ("profiles",), f"shares sum to {total:g}", "1"
    if problem := _problem(lambda: contract.cap("data", scenario.population.starts)):
        yield ("population", "starts"), f"{problem.problem} on {scenario.population.starts}", problem.expected
    last = scenario.population.starts + timedelta(days=scenario.population.days - 1)
    if problem := _problem(lambda: contract.cap("data", last)):
        yield ("population", "days"), f"{problem.problem} on {last}", problem.expected
    for name, config in scenario.plans.items():
        if problem := _problem(
            lambda c=config: envelope(
                plan_of(c, contract, contract.terms.caps.data[0].since), contract.terms.caps.data[0].since, contract
            )
        ):
            yield ("plans", name), f"{problem.place} {problem.problem}", problem.expected
    for key in ("price_share", "wholesale_share", "cap_eur_per_gb"):
        amount = getattr(scenario.operator, key)
        if amount is not None and not (
            amount.is_finite() and 0 <= amount <= 1000 and (amount or key != "cap_eur_per_gb")
        ):
            yield ("operator", key), f"is {amount}", "a number from 0 to 1000, a cap above zero"
    for name, profile in scenario.profiles.items():
        if profile.plan not in scenario.plans:
            yield ("profiles", name, "plan"), f"is {shown(profile.plan)}", choice(profile.plan, scenario.plans)
        yield from _of_trips(name, profile)


def _of_trips(name: str, profile: Profile) -> Iterator[Contradiction]:
    if profile.trip_days[0] > profile.trip_days[1]:
        yield ("profiles", name, "trip_days"), f"is {list(profile.trip_days)}", "the shortest first"
    for place, trip in enumerate(profile.trips):
        if trip.days[0] > trip.days[1]:
            yield ("profiles", name, "trips", place, "days"), f"is {list(trip.days)}", "the shortest first"
    dated = sorted(enumerate(profile.trips), key=lambda pair: pair[1].departs)
    for (_, early), (place, late) in pairwise(dated):
        lasts = early.spread_days + early.days[1]
        if (late.departs - early.departs).days < lasts:
            problem = f"is {late.departs}, while the trip of {early.departs} may last {lasts} days"
            yield ("profiles", name, "trips", place, "departs"), problem, "no overlap"


def _problem(attempt: Any) -> BadInput | None:
    try:
        attempt()
    except BadInput as problem:
        return problem
    return None
