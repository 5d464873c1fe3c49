"""A campaign file: the messages to send, deadlines, required probability, and possible interruptions.

Civil times are those of the contract's zone. The traffic class determines the range of short codes and the hours.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from simbench.base.calendar import Calendar
from simbench.base.errors import BadInput
from simbench.base.text import count
from simbench.base.toml_files import Frozen, choice, read_toml, shown
from simbench.billing.acts import Month
from simbench.contract import Contract
from simbench.contract.load import DEFAULT, contract_beside
from simbench.contract.terms import Use
from simbench.ledger.incidents import TOTAL
from simbench.simulation.incidents import IncidentsConfig
from simbench.simulation.scenario import DAILY, WEEKLY, Count, Parts, Weights, Word

Class = Literal["marketing", "transactional", "reply", "geo", "web2sms", "m2m"]
Every = Literal["", "day", "jour-ouvrable", "week", "week-ouvrable"]
Width = Annotated[float, msgspec.Meta(ge=0, le=2)]
Probability = Annotated[float, msgspec.Meta(gt=0, le=1)]
LEGAL: frozenset[str] = frozenset({"marketing", "geo"})  # classes bound to the hours of OPS-PRO-03
FIRST: dict[str, int] = {"transactional": 1, "reply": 1, "web2sms": 2, "m2m": 2, "geo": 5, "marketing": 5}
"""Priorities on a code that several classes share: messages with the lowest number leave first."""


USES: Final[dict[str, Use]] = {
    "marketing": "marketing", "reply": "reply", "geo": "presence", "web2sms": "interpersonal", "m2m": "machines",
}  # fmt: skip


class CampaignError(BadInput):
    """A campaign file is invalid, or no plan can meet it."""


class Period(Frozen, rename={"first": "from"}, frozen=True):
    """`months` whole calendar months from the month `from` on, as "2026-10".

    Rates are subscribed by the month (OPS-TAR-13).
    """

    first: str
    months: Annotated[int, msgspec.Meta(ge=1, le=36)] = 1


class Sending(Frozen, rename={"kind": "class"}, frozen=True):
    """A sending of `volume` messages at `start`, all of which must have left within `deadline_h` hours.

    `class` is the traffic class, which determines the range of short codes and the hours. `start` is civil time of the
    contract's zone, as 2026-11-03T08:00. `every` repeats the sending until the period ends; "jour-ouvrable" and
    "week-ouvrable" leave out Sundays and public holidays; empty: once. For a monthly sending write one table per month.

    `spread_min`: minutes over which the messages arrive (0: all at once). `parts` is the number of segments of each
    message; each counts against the rate. `sigma` is the uncertainty of the volume (standard deviation of its
    logarithm; 0: exact), drawn for each repetition; `sigma_period` is drawn once for all repetitions of a replication.

    `name` is the name of the sending in reports.
    """

    name: Word
    kind: Class
    start: str
    volume: Count
    deadline_h: Annotated[float, msgspec.Meta(gt=0, le=1000)]
    every: Every = ""
    spread_min: Annotated[float, msgspec.Meta(ge=0, le=100_000)] = 0
    parts: Parts = 1
    sigma: Width = 0.0
    sigma_period: Width = 0.0


class Steady(Frozen, rename={"kind": "class"}, frozen=True):
    """Messages requested one by one: `per_day` on a mean day, each to leave within `within_min` minutes.

    `daily` are 24 weights by hour of the day, `weekly` 7 weights by weekday from Monday. `class` and `parts` are as for
    sendings. `sigma` is drawn for each day, `sigma_period` once for all days of a replication.

    `name` is the name of the flow in reports.
    """

    name: Word
    kind: Class
    per_day: Annotated[float, msgspec.Meta(gt=0, le=100_000_000)]
    within_min: Annotated[float, msgspec.Meta(gt=0, le=100_000)] = 5.0
    parts: Parts = 1
    daily: Weights = DAILY
    weekly: Weights = WEEKLY
    sigma: Width = 0.0
    sigma_period: Width = 0.0


class Holding(Frozen, frozen=True):
    """A short code that is already held when the period begins, and its rate then (messages per second).

    `code` is the short code, `rate_per_s` its rate.
    """

    code: str
    rate_per_s: Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class CampaignPlan(Frozen, frozen=True):
    """The messages to send and the required promise. At least one sending or flow is required.

    `promise`: "sending" requires that at least the share `probability` of each demand's sendings (of a flow: of its
    days) is on time; "period" that with this probability nothing is late in the whole period. `replications`: random
    futures in which plans are searched; the chosen one is evaluated in at least a thousand others. `seed` determines
    all draws.

    `codes_max`: the most short codes in all. `requests` true: rates that must be requested from the operator may be
    used. `delivered_share`: share of the messages that is delivered and hence billed. `held`: codes held already, for
    which no opening is paid. `lead_days`: days between an order and its effect (the offer states no time). Incidents in
    `outages` must have the scope "total". `contract` is a built-in contract or a file beside this one.

    `name` and `title` appear in reports.
    """

    period: Period
    name: Word = "campaign"
    title: str = ""
    seed: Annotated[int, msgspec.Meta(ge=0, le=(1 << 62))] = 1
    contract: str = DEFAULT
    probability: Probability = 0.95
    promise: Literal["sending", "period"] = "sending"
    replications: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    codes_max: Annotated[int, msgspec.Meta(ge=1, le=500)] = 60
    requests: bool = True
    delivered_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    sendings: tuple[Sending, ...] = ()
    flows: tuple[Steady, ...] = ()
    outages: IncidentsConfig = IncidentsConfig()
    held: tuple[Holding, ...] = ()
    lead_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 30


class Plan(msgspec.Struct, frozen=True, dict=True):
    """A campaign file with its contract, the input of the advisor."""

    campaign: CampaignPlan
    contract: Contract

    @property
    def calendar(self) -> Calendar:
        """Civil time and holidays of the contract."""
        return self.contract.calendar

    @cached_property
    def months(self) -> tuple[Month, ...]:
        """The months of the period."""
        found = [Month.parse(self.campaign.period.first)]
        while len(found) < self.campaign.period.months:
            found.append(found[-1].following)
        return tuple(found)

    @cached_property
    def span(self) -> tuple[int, int]:
        """Start and end of the period (us)."""
        after = self.months[-1].following
        begins, ends = (self.calendar.from_civil(_midnight(month)) for month in (self.months[0], after))
        return begins, ends

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The ranges of short codes that are needed, sorted."""
        demands: tuple[Sending | Steady, ...] = (*self.campaign.sendings, *self.campaign.flows)
        return tuple(sorted({self.prefix(demand.kind) for demand in demands}))

    def prefix(self, kind: str) -> str:
        """Return the range of codes of a class (OPS-DEO-07 to 11; for transactional traffic by AMB-12)."""
        use = USES.get(kind)
        numbering = self.contract.terms.numbering
        ordinary = numbering.prefixes("ordinary")
        if use is None:  # transactional
            brochure = self.contract.reads_as_usual("machine-codes")
            use = "ordinary" if ordinary else "marketing" if brochure else "machines"
        prefixes = numbering.prefixes(use) or ordinary * (use in {"marketing", "interpersonal"})
        if not prefixes:
            known = {one.use for one in numbering.ranges}
            raise CampaignError(f"traffic of kind {kind}", "the contract has no range for it", choice(use, known))
        return prefixes[0]

    @cached_property
    def held(self) -> dict[str, int]:
        """The rate of each code held when the period begins."""
        return {one.code: one.rate_per_s for one in self.campaign.held}

    @property
    def tiers(self) -> tuple[int, ...]:
        """The rates a code may have, lowest first."""
        terms = self.contract.terms.throughput
        return tuple(rate for rate in sorted(terms.rates) if self.campaign.requests or not terms.must_ask(rate))


def read_campaign(path: Path) -> Plan:
    """Read and check a campaign file. Raises CampaignError, one line with file, key, value and expectation."""
    campaign = read_toml(path, CampaignPlan, CampaignError)
    return checked(campaign, contract_beside(campaign.contract, path), str(path))


def checked(campaign: CampaignPlan, contract: Contract, place: str = "campaign") -> Plan:
    """Check the contents of a campaign file and return the plan. Raises CampaignError."""
    if not campaign.sendings and not campaign.flows:
        raise CampaignError(place, "nothing is to be sent: neither sendings nor flows", "at least one of them")
    try:
        Month.parse(campaign.period.first)
    except ValueError:
        raise CampaignError(
            f"{place}: period.from", f"is {shown(campaign.period.first)}", "a month such as 2026-10"
        ) from None
    plan = Plan(campaign, contract)
    _check_names(campaign, place)
    for index, sending in enumerate(campaign.sendings):
        key = f"{place}: sendings[{index}]"
        at = _start(sending, contract.calendar, f"{key}.start")
        if not plan.span[0] <= at < plan.span[1]:
            expected = f"a moment of {plan.months[0]} to {plan.months[-1]}"
            raise CampaignError(f"{key}.start", f"{sending.start} is outside the period", expected)
    for index, flow in enumerate(campaign.flows):
        for field, size in (("daily", 24), ("weekly", 7)):
            weights = getattr(flow, field)
            if len(weights) != size or not sum(weights):
                raise CampaignError(
                    f"{place}: flows[{index}].{field}", "is not a profile", f"{size} weights, not all 0"
                )
    _check_held(plan, place)
    for table in ("scripted", "maintenance", "drawn"):
        for index, one in enumerate(getattr(campaign.outages, table)):
            if one.scope != TOTAL:
                problem = f"is {shown(one.scope)}: a plan supports total interruptions only"
                raise CampaignError(f"{place}: outages.{table}[{index}].scope", problem, '"total"')
    return plan


def _check_held(plan: Plan, place: str) -> None:
    campaign = plan.campaign
    for index, holding in enumerate(campaign.held):
        check_code(plan, holding.code, holding.rate_per_s, f"{place}: held[{index}]")
        if any(holding.code == other.code for other in campaign.held[:index]):
            raise CampaignError(f"{place}: held[{index}].code", f"{holding.code} appears twice", "each code once")
    if len(campaign.held) > campaign.codes_max:
        raise CampaignError(
            f"{place}: codes_max", f"is {campaign.codes_max}", f"at least the {count(len(campaign.held), 'code')} held"
        )


def check_code(plan: Plan, code: str, rate_per_s: int, place: str) -> None:
    """Raise CampaignError for a code outside the needed ranges, or a rate that is not a tier of the contract."""
    tiers = sorted(plan.contract.terms.throughput.rates)
    is_number = code.isascii() and code.isdecimal()
    name = code if is_number else shown(code)
    if rate_per_s not in tiers:
        expected = f"a tier of the contract: {', '.join(map(str, tiers))}"
        raise CampaignError(place, f"{name} at {rate_per_s}/s", expected)
    digits = plan.contract.terms.numbering.code_digits.value
    if not code.startswith(plan.groups) or len(code) != digits or not is_number:
        ranges = ", ".join(prefix + "ABCDEFGHIJ"[: digits - len(prefix)] for prefix in plan.groups)
        raise CampaignError(place, f"{name} has no traffic in this plan", f"codes of {ranges}")


def _start(sending: Sending, calendar: Calendar, key: str) -> int:
    """Return the first start of a sending (us). Raises CampaignError, also for a time with a zone."""
    try:
        civil = datetime.fromisoformat(sending.start)
        if civil.tzinfo is not None:
            raise ValueError(sending.start)
        return calendar.from_civil(civil)
    except ValueError:
        expected = f"civil time of {calendar.zone} like 2026-10-01T08:00"
        raise CampaignError(key, f"is {shown(sending.start)}", expected) from None


def _check_names(campaign: CampaignPlan, place: str) -> None:
    seen: set[str] = set()
    for table in ("sendings", "flows"):
        for index, demand in enumerate(getattr(campaign, table)):
            if demand.name in seen:
                problem = f"{shown(demand.name)} appears twice"
                raise CampaignError(f"{place}: {table}[{index}].name", problem, "a unique name")
            seen.add(demand.name)


def _midnight(month: Month) -> datetime:
    return datetime.combine(month.first, datetime.min.time())
