"""The scenario file of a world as typed tables; unknown keys are refused.

Defaults come from the contract. Civil times are those of the contract's zone, written 2026-03-02T08:00.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from fake_smsc.core.delivery import Failure
from fake_smsc.scenario import CodeConfig, DeliveryConfig, PresetName, Share
from simbench.base.calendar import Calendar
from simbench.base.errors import ScenarioError
from simbench.base.toml_files import Frozen, choice, read_toml, shown
from simbench.contract import Contract
from simbench.contract.load import DEFAULT, contract_beside
from simbench.simulation.incidents import IncidentsConfig

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Priority = Annotated[int, msgspec.Meta(ge=0, le=9)]
Parts = Annotated[int, msgspec.Meta(ge=1, le=20)]
Minutes = Annotated[float, msgspec.Meta(ge=0, le=100_000)]
MOST_SUBSCRIBERS = 10_000_000  # the numbers from 0710 to 0719
Weights = tuple[Annotated[float, msgspec.Meta(ge=0, le=1000)], ...]
DAILY: Weights = (1, 1, 1, 1, 1, 2, 5, 12, 20, 24, 25, 24, 22, 21, 22, 23, 24, 25, 26, 24, 20, 14, 8, 3)
WEEKLY: Weights = (11, 11, 11, 11, 12, 9, 6)


class Period(Frozen, rename={"start": "from", "end": "to"}, frozen=True):
    """The period from `from` up to, but not including, `to`.

    Both are civil times of the contract's zone, such as 2026-03-02 (midnight) or 2026-03-02T08:00.
    """

    start: str
    end: str


class Campaign(Frozen, frozen=True):
    """One sending to many: `volume` messages, requested from `start` on (civil time of the contract's zone).

    The requests are spread evenly over `spread_min` minutes (0: all at once). `every` repeats the sending until the
    period ends: each day, each working day or each week; empty: once. `parts` is the number of segments of each
    message. `hours`: "legal" sends only on working days (jours ouvrables) within the marketing hours of the contract.
    On one code, the lowest `priority` is sent first.

    Recipients are `subscribers` of the base from number `first` on (0: all from there), in a shuffled order; none
    receives a second message before each has received one. `wrong_share` of the addresses are not mobile numbers.
    `validity_min`: minutes for which the platform tries to deliver; 0: the default of the contract. `notify`: the
    notifications requested, as a sum: 1 delivered, 2 not delivered, 4 buffered.

    `name` appears in the records of a run. `code` is the short code that sends the messages.
    """

    name: Word
    code: str
    start: str
    volume: Count
    priority: Priority = 5
    parts: Parts = 1
    hours: Literal["legal", "any"] = "legal"
    every: Literal["", "day", "jour-ouvrable", "week"] = ""
    spread_min: Minutes = 0
    first: Natural = 0
    subscribers: Natural = 0
    validity_min: Minutes = 0
    notify: Annotated[int, msgspec.Meta(ge=0, le=7)] = 3
    wrong_share: Share = 0.0


class Flow(Frozen, frozen=True):
    """Single messages at random times (Poisson process): `per_day` on an average day.

    `daily` are 24 weights by hour of the day, `weekly` 7 weights by weekday from Monday. Recipients are drawn from the
    whole base. `origin` is the traffic class. `priority`, `parts`, `hours`, `validity_min`, `notify` and `wrong_share`
    as for campaigns.

    `name` appears in the records of a run. `code` is the short code that sends the messages.
    """

    name: Word
    code: str
    per_day: Annotated[float, msgspec.Meta(gt=0, le=100_000_000)]
    origin: Literal["transactional", "web2sms"] = "transactional"
    daily: Weights = DAILY
    weekly: Weights = WEEKLY
    priority: Priority = 1
    parts: Parts = 1
    hours: Literal["legal", "any"] = "any"
    validity_min: Minutes = 0
    notify: Annotated[int, msgspec.Meta(ge=0, le=7)] = 3
    wrong_share: Share = 0.0


class Replies(Frozen, frozen=True):
    """The share of the recipients of a code's messages who reply.

    `median_min`: median time from delivery to reply, in minutes (log-normal).

    `code` is the short code. `share` is the share of the recipients who reply.
    """

    code: str
    share: Share
    median_min: Annotated[float, msgspec.Meta(gt=0, le=100_000)] = 10.0


class Client(Frozen, frozen=True):
    """The behaviour of a code's application; a code without a table has the defaults.

    `kind`: "ring" queues messages and keeps the rate itself; "offering" sends every message at once and takes a refusal
    as final; "reference" is the reference client, simulated with the octets of its frames (slower). After a cut the
    client tries again every `reconnect_s` seconds.

    `code` is the short code of the application.
    """

    code: str
    kind: Literal["ring", "offering", "reference"] = "ring"
    reconnect_s: Annotated[float, msgspec.Meta(ge=0.001, le=3600)] = 5.0


class Tier(Frozen, frozen=True):
    """A change of the code's rate at `at` (civil time), to `rate_per_s` messages (segments) per second.

    `code` is the short code.
    """

    at: str
    code: str
    rate_per_s: Count


class Porting(Frozen, frozen=True):
    """A wave of portings: at `at` (civil time), `share` of the subscribers move to another operator."""

    at: str
    share: Share


class Forecast(Frozen, frozen=True):
    """The client's announcement at `at` (civil time) of its number of messages from this code per month.

    `code` is the short code. `per_month` is the announced number of messages per month.
    """

    at: str
    code: str
    per_month: Natural


class Population(Frozen, frozen=True):
    """The subscribers: their number, when they are reachable, and the shares that are not served here.

    `preset` as in a live scenario: "attached" always reachable; "clean-base" about 12 % absent and 1 % unknown;
    "old-base" 25 % and 6 %; "etsi-2006" 38 % and none. `share_unknown` and `failures` replace the values of the preset;
    left out, the preset's apply. `share_ported_out` have moved to another operator, `share_roaming` are abroad.

    `count` is the number of subscribers.
    """

    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_SUBSCRIBERS)] = 1_000_000
    preset: PresetName = "clean-base"
    share_unknown: Share | None = None
    share_ported_out: Share = 0.0
    share_roaming: Share = 0.0
    failures: tuple[Failure, ...] | None = None


class History(Frozen, frozen=True):
    """The platform's past before the period, for service levels over a window longer than the period.

    `known_from`: civil time from which all incidents are known; empty: the start of the period. Scripted incidents and
    maintenance from then on count as history.
    """

    known_from: str = ""


class WorldScenario(Frozen, frozen=True):
    """A whole world. At least one campaign or flow is required.

    `name` appears in the records of a run, `title` describes the file to its reader. `seed` determines all draws.
    `contract` is a built-in contract or a file beside the scenario.
    """

    period: Period
    codes: Annotated[tuple[CodeConfig, ...], msgspec.Meta(min_length=1)]
    name: Word = "world"
    title: str = ""
    seed: Annotated[int, msgspec.Meta(ge=0, le=(1 << 62))] = 1
    contract: str = DEFAULT
    subscribers: Population = Population()
    delivery: DeliveryConfig = DeliveryConfig()
    clients: tuple[Client, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    flows: tuple[Flow, ...] = ()
    replies: tuple[Replies, ...] = ()
    tiers: tuple[Tier, ...] = ()
    portings: tuple[Porting, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    incidents: IncidentsConfig = IncidentsConfig()
    history: History = History()


def read_world(path: Path) -> WorldScenario:
    """Read and check a world. Raises ScenarioError, one line naming file, key, value and expectation."""
    scenario = read_toml(path, WorldScenario, ScenarioError)
    check_world(scenario, contract_beside(scenario.contract, path), str(path))
    return scenario


def check_world(scenario: WorldScenario, contract: Contract, place: str) -> None:
    """Check conditions on several keys or tables. Raises ScenarioError."""
    start, end = (
        moment(scenario.period.start, contract.calendar, f"{place}: period.from"),
        moment(scenario.period.end, contract.calendar, f"{place}: period.to"),
    )
    if end <= start:
        raise ScenarioError(f"{place}: period.to", f"is {shown(scenario.period.end)}", "a time after period.from")
    codes = [config.code for config in scenario.codes]
    for index, code in enumerate(codes):
        if code in codes[:index]:
            raise ScenarioError(f"{place}: codes[{index}].code", f"{code!r} appears twice", "each short code once")
    tiers = contract.terms.throughput.rates
    for table in ("clients", "campaigns", "flows", "replies", "tiers", "forecasts"):
        for index, entry in enumerate(getattr(scenario, table)):
            if entry.code not in codes:
                raise ScenarioError(f"{place}: {table}[{index}].code", f"{entry.code!r}", choice(entry.code, codes))
    for key, rate in [(f"codes[{n}]", c.rate_per_s) for n, c in enumerate(scenario.codes) if c.rate_per_s] + [
        (f"tiers[{n}]", t.rate_per_s) for n, t in enumerate(scenario.tiers)
    ]:
        if rate not in tiers:
            raise ScenarioError(f"{place}: {key}.rate_per_s", f"is {rate}", f"one of the tiers {tiers}")
    if not scenario.campaigns and not scenario.flows:
        raise ScenarioError(place, "no traffic: neither campaigns nor flows", "at least one of them")
    _check_traffic(scenario, (start, end), contract.calendar, place)
    _check_once(scenario, place)


def _check_traffic(scenario: WorldScenario, period: tuple[int, int], calendar: Calendar, place: str) -> None:
    for index, campaign in enumerate(scenario.campaigns):
        key = f"{place}: campaigns[{index}]"
        at = moment(campaign.start, calendar, f"{key}.start")
        if not period[0] <= at < period[1]:
            raise ScenarioError(f"{key}.start", f"{campaign.start} is outside the period", "a time within it")
        if campaign.first + max(1, campaign.subscribers) > scenario.subscribers.count:
            problem = f"{campaign.first} and {campaign.subscribers} more exceed the base"
            raise ScenarioError(f"{key}.first", problem, f"a range of the {scenario.subscribers.count} subscribers")
    for index, flow in enumerate(scenario.flows):
        for name, size in (("daily", 24), ("weekly", 7)):
            weights = getattr(flow, name)
            if len(weights) != size or not sum(weights):
                raise ScenarioError(
                    f"{place}: flows[{index}].{name}", "is not a profile", f"{size} weights, not all zero"
                )
    for table in ("tiers", "portings", "forecasts"):
        for index, entry in enumerate(getattr(scenario, table)):
            moment(entry.at, calendar, f"{place}: {table}[{index}].at")


def _check_once(scenario: WorldScenario, place: str) -> None:
    """Check that names are unique."""
    for table, field in (("campaigns", "name"), ("flows", "name"), ("clients", "code"), ("replies", "code")):
        names = [getattr(entry, field) for entry in getattr(scenario, table)]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ScenarioError(f"{place}: {table}[{index}].{field}", f"{shown(name)} appears twice", "each once")


def moment(text: str, calendar: Calendar, key: str) -> int:
    """Return a civil time of the file as an instant (us, UTC). Raises ScenarioError."""
    try:
        return calendar.from_civil(datetime.fromisoformat(text).replace(tzinfo=None))
    except ValueError:
        raise ScenarioError(key, f"is {shown(text)}", f"civil time of {calendar.zone} like 2026-03-02T08:00") from None
