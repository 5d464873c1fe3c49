"""A dial-up scenario: months, population, pools and outages, as typed values read from TOML.

Missing values come from the offer.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from simbench.base.errors import ScenarioError
from simbench.base.toml_files import Frozen, choice, read_toml, shown
from simbench.base.units import MINUTE_US
from simbench.dialup.grid import Grid, grid_of, months_named
from simbench.dialup.offer import DEFAULT_OFFER, Offer, load_netrevenu

Ports = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]

MOST_CALLS = 40_000_000  # of one month: two and a half gigabytes of columns, far more than any provider had in 2000


class Pool(Frozen, frozen=True):
    """A point of presence: its number of `ports`, and the weight of the subscribers that dial it.

    Subscribers are divided among the pools in proportion to `weight`.

    `name` is the name of the access server in call records.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    ports: Ports
    weight: Positive = 1.0


class PoolOutage(Frozen, frozen=True):
    """A pool that fails at `starts` for `for_min` minutes.

    `starts` is civil time of the offer, as "2000-09-12T20:00". `mode`: "drop" ends the calls in progress, "refuse" only
    rejects new ones.

    `pool` is the name of the pool.
    """

    pool: str
    starts: str
    for_min: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    mode: Literal["drop", "refuse"] = "drop"


class RedialConfig(Frozen, frozen=True):
    """The behaviour of users whose call is blocked; without this table nobody dials again.

    `persistence`: share of blocked calls that are dialled again (-1: the value of the offer). `delay_mean_s`: mean time
    until then, in seconds. `most_tries`: the most attempts of a call. 0 for either: the value of the offer.
    """

    persistence: Annotated[float, msgspec.Meta(ge=-1, le=1)] = -1
    delay_mean_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0
    most_tries: Annotated[int, msgspec.Meta(ge=0, le=63)] = 0


class DialupScenario(Frozen, frozen=True):
    """The settings of a run. Either `minutes` or `subscribers` gives the offered load of the first month.

    `months`: "2000-09", "2000" (its twelve months) or "2000-09/2000-11". `minutes` are connection minutes per month;
    `subscribers` use the hours per month of the offer. `growth`: each month's load divided by that of the month before
    (1: constant). `seed` determines all draws.

    `clock`: the resolution of the times of calls. `pareto_tail` true: very long sessions follow a Pareto distribution
    instead of the log-normal one. `session_limit_h`: calls are cut after so many hours; 0: no limit. `contract`: a
    built-in offer or a file. `readings` chooses readings of the offer's ambiguities, as `NRV-AMB-02 = "minute"`.

    `name` and `title` appear in reports.
    """

    name: str
    title: str
    months: str
    pools: Annotated[tuple[Pool, ...], msgspec.Meta(min_length=1, max_length=500)]
    seed: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)] = 1
    minutes: Annotated[int, msgspec.Meta(ge=0, le=800_000_000)] = 0
    subscribers: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0
    growth: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.0
    clock: Literal["seconds", "microseconds"] = "seconds"
    pareto_tail: bool = False
    session_limit_h: Annotated[float, msgspec.Meta(ge=0, le=24)] = 0
    redial: RedialConfig | None = None
    outages: tuple[PoolOutage, ...] = ()
    contract: str = DEFAULT_OFFER
    readings: dict[str, str] = msgspec.field(default_factory=dict)

    def offer(self) -> Offer:
        """Give the offer of this scenario, with its readings."""
        return load_netrevenu(self.contract).with_readings(self.readings)

    def month_names(self) -> tuple[str, ...]:
        """Give the months of the run, in order."""
        return months_named(self.months)

    def minutes_of(self, place: int, offer: Offer) -> float:
        """Give the minutes offered in a month, counted from 0."""
        hours = offer.terms.demand.hours_per_subscriber.value
        return (self.minutes or self.subscribers * hours * 60) * self.growth**place

    def users(self, offer: Offer) -> int:
        """Return the number of subscribers: as given, or as many as the minutes of the first month need."""
        per_user = offer.terms.demand.hours_per_subscriber.value * 60
        return self.subscribers or max(1, round(self.minutes / per_user))


def read_dialup(path: Path) -> DialupScenario:
    """Read a scenario file. Raises ScenarioError, or ContractError and BadInput for the files it refers to."""
    scenario = read_toml(path, DialupScenario, ScenarioError)
    check_dialup(scenario, str(path))
    return scenario


def check_dialup(scenario: DialupScenario, file: str) -> None:
    """Check values that depend on several keys. Raises ScenarioError, or ContractError for the offer."""
    if bool(scenario.minutes) == bool(scenario.subscribers):
        raise ScenarioError(file, "has both minutes and subscribers, or neither", "one of `minutes` and `subscribers`")
    names = [pool.name for pool in scenario.pools]
    if len(set(names)) < len(names):
        raise ScenarioError(f"{file}: pools", "two pools have the same name", "a different name each")
    offer = scenario.offer()
    months = scenario.month_names()
    mean_s = 600  # no mixture of the offer's laws has a mean below half of this
    if max(scenario.minutes_of(0, offer), scenario.minutes_of(len(months) - 1, offer)) * 60 / mean_s > MOST_CALLS:
        raise ScenarioError(file, "offers too many calls a month", f"fewer than {MOST_CALLS:,}")
    outage_rows(scenario, grid_of(months, offer), file)


def outage_rows(scenario: DialupScenario, grid: Grid, file: str = "") -> list[tuple[int, int, int, int]]:
    """Return the outages as sorted rows (pool, from us, until us, drops). Raises ScenarioError if they are invalid."""
    names = [pool.name for pool in scenario.pools]
    rows = []
    for place, outage in enumerate(scenario.outages):
        where = f"{file or scenario.name}: outages[{place}]"
        if outage.pool not in names:
            raise ScenarioError(f"{where}.pool", f"is {shown(outage.pool)}", choice(outage.pool, names))
        try:
            starts = grid.calendar.from_civil(datetime.fromisoformat(outage.starts))
        except ValueError:
            raise ScenarioError(f"{where}.starts", f"is {shown(outage.starts)}", '"2000-09-12T20:00"') from None
        if not grid.first_us <= starts < grid.last_us:
            raise ScenarioError(f"{where}.starts", f"is {shown(outage.starts)}", f"an instant of {scenario.months}")
        until = starts + outage.for_min * MINUTE_US
        rows.append((names.index(outage.pool), starts, until, int(outage.mode == "drop")))
    rows.sort()
    for one, other in pairwise(rows):
        if one[0] == other[0] and other[1] <= one[2]:
            problem = f"two outages of {shown(names[one[0]])} overlap or touch"
            raise ScenarioError(f"{file or scenario.name}: outages", problem, "outages that do not overlap or touch")
    return rows
