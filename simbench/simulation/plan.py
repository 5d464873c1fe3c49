"""A world as both engines run it: instants, links, streams and distributions, computed from its scenario.

All of this is known before the first message, because incidents, reconnections and opening hours depend on no other
event.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from msgspec.structs import replace

from fake_smsc.core.centre import CentreSettings
from fake_smsc.core.presets import PRESETS
from fake_smsc.core.provision import centre_settings, delivery_settings, limit_of
from fake_smsc.core.records import Limit
from fake_smsc.scenario import CodeConfig
from simbench.base.calendar import Calendar
from simbench.base.errors import ScenarioError
from simbench.base.spans import Span, merged
from simbench.contract import Contract
from simbench.contract.load import contract_beside
from simbench.kernels.chance import MILLION, entity_of, share
from simbench.ledger.incidents import TOTAL, Incident
from simbench.numbering.plan import plan_of
from simbench.numbering.subscribers import AbsenceDistribution, BaseProfile, SubscriberBase
from simbench.simulation.incidents import incidents as incidents_of
from simbench.simulation.scenario import Campaign, Client, Flow, WorldScenario, check_world, moment

SESSIONS_A_CODE = 100_000
MOST_STREAMS = 1 << 14
STREAM_SHIFT, INDEX_SHIFT = 48, 8  # bits of an entity: stream, index, part
STRUCK = entity_of("world", "partial incident")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Stream:
    """One sending of a campaign, or one flow: its number (from 1), its code, its queue and its start."""

    number: int
    code: str
    source: Campaign | Flow
    queue: int
    start: int = 0

    @property
    def entity(self) -> int:
        """The number of the first message; the others add their index and part."""
        return self.number << STREAM_SHIFT


@dataclass(frozen=True)
class Link:
    """The sessions of a client: [login, cut) each; the n-th one has the number `first_session + n`."""

    account: str
    first_session: int
    up: tuple[Span, ...]


@dataclass(frozen=True)
class World:
    """A world, ready to run."""

    scenario: WorldScenario
    contract: Contract
    start: int
    end: int
    incidents: tuple[Incident, ...]
    settings: CentreSettings

    @property
    def calendar(self) -> Calendar:
        """Civil time and holidays of the contract."""
        return self.contract.calendar

    @cached_property
    def first_msisdn(self) -> int:
        """The number of the first subscriber; the others follow it."""
        return int(plan_of(self.contract).own(0))

    @cached_property
    def wrong_msisdn(self) -> int:
        """The first of ten thousand fixed lines, used as wrong recipients."""
        return int(plan_of(self.contract).fixed(0))

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The short codes, in the order of the file."""
        return tuple(config.code for config in self.scenario.codes)

    @cached_property
    def downs(self) -> tuple[Span, ...]:
        """The intervals in which the whole platform is down."""
        return merged((one.start, one.end or self.end) for one in self.incidents if one.scope == "total")

    @cached_property
    def legal(self) -> tuple[Span, ...]:
        """The intervals in which marketing may be sent."""
        return tuple(self.contract.openings("marketing", self.start, self.end))

    def client(self, code: str) -> Client:
        """Return the configuration of a code's client."""
        return next((client for client in self.scenario.clients if client.code == code), Client(code))

    def config(self, code: str) -> CodeConfig:
        """Return the configuration of a code."""
        return next(config for config in self.scenario.codes if config.code == code)

    def link(self, code: str) -> Link:
        """Return the sessions of a code's client."""
        place, config = self.codes.index(code), self.config(code)
        cuts = merged((one.start, one.end or self.end) for one in self.incidents if self.strikes(one, code))
        up = connected(cuts, self.start, self.end, round(self.client(code).reconnect_s * MILLION))
        return Link(config.account or code, place * SESSIONS_A_CODE + 1, up)

    def strikes(self, incident: Incident, code: str) -> bool:
        """Return whether an incident cuts a code off; a partial one that names no code affects its share of them."""
        if incident.scope == TOTAL or incident.subject == code:
            return True
        if incident.subject in self.codes:
            return False
        return share(self.scenario.seed, entity_of(incident.ticket, code), STRUCK, round(incident.share * MILLION))

    def tiers(self, code: str) -> tuple[tuple[int, Limit], ...]:
        """Return the limits of a code: that at the start, then each change within the period."""
        changes = sorted(
            (moment(tier.at, self.calendar, "tiers"), tier.rate_per_s)
            for tier in self.scenario.tiers
            if tier.code == code
        )
        limit = limit_of(self.config(code), self.contract)
        found = [(self.start, limit)]
        for at, rate_per_s in changes:
            if self.start < at < self.end:
                found.append((at, limit_of(_at_rate(self.config(code), rate_per_s), self.contract)))
        return tuple(found)

    @cached_property
    def streams(self) -> tuple[Stream, ...]:
        """Every sending and flow, numbered in the order of the file."""
        sources: list[tuple[Campaign | Flow, int]] = [(flow, self.start) for flow in self.scenario.flows]
        sources += [(one, at) for one in self.scenario.campaigns for at in self._sendings(one)]
        if len(sources) >= MOST_STREAMS:
            raise ScenarioError("campaigns", f"{len(sources)} sendings", f"fewer than {MOST_STREAMS}")
        ranks = {code: self.queues(code) for code in self.codes}
        return tuple(
            Stream(number, source.code, source, ranks[source.code].index((source.priority, source.hours)), at)
            for number, (source, at) in enumerate(sources, 1)
        )

    def queues(self, code: str) -> tuple[tuple[int, str], ...]:
        """Return the queues of a code's client, (priority, hours), in the order in which they send."""
        sources: tuple[Campaign | Flow, ...] = (*self.scenario.flows, *self.scenario.campaigns)
        return tuple(sorted({(source.priority, source.hours) for source in sources if source.code == code}))

    def _sendings(self, campaign: Campaign) -> list[int]:
        first = self.calendar.civil(moment(campaign.start, self.calendar, "campaigns")).replace(tzinfo=None)
        if not campaign.every:
            return [self.calendar.from_civil(first)]
        found, each = [], DAY * (7 if campaign.every == "week" else 1)
        while (at := self.calendar.from_civil(first)) < self.end:
            if campaign.every != "jour-ouvrable" or self.calendar.is_jour_ouvrable(first.date()):
                found.append(at)
            first += each
        return found

    @cached_property
    def law(self) -> AbsenceDistribution:
        """Presence and portings of the subscribers."""
        waves = tuple(
            (moment(wave.at, self.calendar, "portings"), round(wave.share * MILLION)) for wave in self.scenario.portings
        )
        return PRESETS[self.scenario.subscribers.preset].law(waves)

    @cached_property
    def profile(self) -> BaseProfile:
        """The shares of unknown, ported-out and roaming subscribers."""
        config = self.scenario.subscribers
        unknown = PRESETS[config.preset].unknown_share if config.share_unknown is None else config.share_unknown
        return BaseProfile(
            share_unknown=unknown, share_ported_out=config.share_ported_out, share_roaming=config.share_roaming
        )

    def base(self) -> SubscriberBase:
        """Return the subscriber base that the SMSC core uses."""
        return SubscriberBase(plan_of(self.contract), self.scenario.seed, self.profile, law=self.law)


def plan(scenario: WorldScenario, contract: Contract | None = None, place: str = "world") -> World:
    """Compute the world of a scenario. Raises ScenarioError for overlapping incidents, unknown codes, no traffic..."""
    contract = contract or contract_beside(scenario.contract)
    check_world(scenario, contract, place)
    start, end = (
        moment(text, contract.calendar, f"{place}: period") for text in (scenario.period.start, scenario.period.end)
    )
    figures = PRESETS[scenario.subscribers.preset]
    failures = figures.failures if scenario.subscribers.failures is None else scenario.subscribers.failures
    settings = centre_settings(
        scenario.codes,
        contract,
        delivery_settings(scenario.seed, contract, scenario.delivery, failures),
        scenario.delivery,
        1.0,
    )
    found = incidents_of(scenario.incidents, scenario.seed, (start, end), contract, f"{place}: incidents")
    world = World(scenario, contract, start, end, found, settings)
    if not world.streams:
        raise ScenarioError(place, "no traffic within the period", "a sending or a flow that falls into it")
    return world


def connected(cuts: tuple[Span, ...], start: int, end: int, retry_us: int) -> tuple[Span, ...]:
    """Return the sessions of a client that connects at once and, after each cut, tries every `retry_us`."""
    found, starts = [], [cut[0] for cut in cuts]
    lost, at = start, start
    while at < end:
        place = bisect_right(starts, at) - 1
        if place >= 0 and at < cuts[place][1]:
            at = lost - (lost - cuts[place][1]) // retry_us * retry_us  # the first attempt that succeeds
            continue
        until = min(starts[place + 1], end) if place + 1 < len(cuts) else end
        found.append((at, until))
        lost, at = until, until + retry_us
    return tuple(found)


def _at_rate(config: CodeConfig, rate_per_s: int) -> CodeConfig:
    return replace(config, rate_per_s=rate_per_s)
