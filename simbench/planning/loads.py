"""The demand of a plan and its replications, as input of the fluid kernel.

Replication n is the same for every code plan (common random numbers) and any number of workers.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.calendar import Calendar
from simbench.base.spans import merged
from simbench.base.units import HOUR_US, SECOND_US
from simbench.kernels.chance import draw, entity_of
from simbench.ledger.incidents import Incident
from simbench.planning.campaign import FIRST, LEGAL, Plan, Sending, Steady
from simbench.planning.kernels.fluid import Load, Supply, fluid
from simbench.simulation.incidents import incidents
from simbench.simulation.plan import connected

DAY = timedelta(days=1)
RECONNECT_US = 5 * SECOND_US  # same as the clients of a world (world.config.Client)
SEED, VOLUME, EACH = (entity_of("plan", what) for what in ("replication", "volume", "each volume"))
CHOOSING, SCORING = 1 << 20, 1 << 21
"""The first futures of the sets for choosing and for scoring a code plan; code plans are found in those from 0 on."""
Floats = NDArray[np.float64]


class Occasion(msgspec.Struct, frozen=True):
    """One sending of a demand: start and deadline (us), its messages in segments, the index of its month."""

    demand: Sending
    start: int
    due: int
    volume: int
    month: int


class Replication(msgspec.Struct, frozen=True):
    """One future: the incidents of the platform, the deviations of volumes, the connected time of clients (s).

    factors: the multiplier of each occasion of a sending, or of each day of a flow, by demand.
    """

    number: int
    incidents: tuple[Incident, ...]
    factors: dict[str, Floats]
    up: Floats


class Group:
    """The demand on one range of codes, in detail."""

    def __init__(self, plan: Plan, prefix: str) -> None:
        campaign = plan.campaign
        self.plan, self.prefix = plan, prefix
        self.sendings = tuple(one for one in campaign.sendings if plan.prefix(one.kind) == prefix)
        self.flows = tuple(one for one in campaign.flows if plan.prefix(one.kind) == prefix)
        self.occasions = tuple(
            sorted((one for each in self.sendings for one in occasions(plan, each)), key=lambda one: one.start)
        )

    @cached_property
    def load(self) -> Load:
        """The input of the kernel."""
        start, end = self.plan.span
        both: tuple[Sending | Steady, ...] = (*self.sendings, *self.flows)
        queues = sorted({(FIRST[one.kind], one.kind in LEGAL) for one in both})
        rank = {one.name: queues.index((FIRST[one.kind], one.kind in LEGAL)) for one in both}
        sent = np.array(
            [
                [(one.start - start) / SECOND_US, one.demand.spread_min * 60, rank[one.demand.name],
                 one.demand.kind in LEGAL, self.sendings.index(one.demand)]
                for one in self.occasions
            ], np.float64,
        ).reshape(-1, 5).T.copy()  # fmt: skip
        hours = _civil_hours(start, end, self.plan.calendar)
        flows = np.array([[_per_s(flow, *each[:2]) for each in hours] for flow in self.flows], np.float64)
        flow_is = np.array([[rank[one.name], one.kind in LEGAL] for one in self.flows], np.int64).reshape(-1, 2)
        return Load(
            sent, flows.reshape(len(self.flows), len(hours)), flow_is.T.copy(),
            np.array([each[2] for each in hours], np.int64), len(queues), (end - start) // SECOND_US,
        )  # fmt: skip

    @cached_property
    def days(self) -> tuple[int, ...]:
        """The index of the month of each civil day of the period."""
        first = self.plan.months[0].first
        months = [str(month) for month in self.plan.months]
        return tuple(months.index(f"{first + day * DAY:%Y-%m}") for day in range(int(self.load.day_of[-1]) + 1))

    def midnight(self, day: int) -> float:
        """Return when a day of the period begins (s after the period's start); the period's end after the last day."""
        return self._midnights[day]

    def day_at(self, at: int) -> int:
        """Return the day of the period that contains an instant (us)."""
        return (self.plan.calendar.civil(at).date() - self.plan.months[0].first).days

    @cached_property
    def _midnights(self) -> tuple[float, ...]:
        first = datetime.combine(self.plan.months[0].first, datetime.min.time())
        return tuple(
            (self.plan.calendar.from_civil(first + day * DAY) - self.plan.span[0]) / SECOND_US
            for day in range(len(self.days) + 1)
        )

    def run(
        self, rates: tuple[int, ...], replication: Replication, curve: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Return each occasion's completion (s after the period's start) and the longest wait (s) of each flow's days.

        curve: (sendings, points), receives the waiting messages of each sending's occasions, evenly over the period.
        """
        volumes = self.volumes(replication)
        factors = np.array([replication.factors[flow.name] for flow in self.flows]).reshape(-1, len(self.days))
        waits = np.zeros((len(self.flows), len(self.days)))
        supply = Supply(np.array(rates, np.int64), self._ends, replication.up, self._legal)
        done = fluid(self.load, supply, volumes, factors, waits, np.empty((0, 0)) if curve is None else curve)
        return done, waits

    def late(self, done: Floats, waits: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Mark the occasions, and the days of each flow, that were late."""
        return done > self.due, waits > self.within

    @cached_property
    def due(self) -> Floats:
        """The deadline of each occasion (s after the period's start)."""
        return np.array([(one.due - self.plan.span[0]) / SECOND_US for one in self.occasions])

    @cached_property
    def within(self) -> Floats:
        """The allowed wait (s) of each flow's messages, as a column."""
        return np.array([flow.within_min * 60 for flow in self.flows]).reshape(-1, 1)

    def volumes(self, replication: Replication) -> Floats:
        """Return the segments of each occasion in a future."""
        if not self.occasions:
            return np.empty(0)
        factors = np.concatenate([replication.factors[one.name] for one in self.sendings])
        found: Floats = self._volumes * factors[self._places]
        return found

    @cached_property
    def _volumes(self) -> Floats:
        return np.array([one.volume for one in self.occasions], np.float64)

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """The index of each occasion if all are ordered by demand."""
        names = [one.name for one in self.sendings]
        which = np.array([names.index(one.demand.name) for one in self.occasions], np.int64)
        return np.argsort(np.argsort(which, kind="stable"))

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        midnights = [
            self.plan.calendar.from_civil(datetime.combine(one.following.first, datetime.min.time()))
            for one in self.plan.months
        ]
        return np.array([(at - self.plan.span[0]) // SECOND_US for at in midnights], np.int64)

    @cached_property
    def _legal(self) -> Floats:
        return legal_of(self.plan)

    def messages(self) -> dict[int, int]:
        """The requested segments, by the index of the month."""
        found = dict.fromkeys(range(len(self.plan.months)), 0)
        for one in self.occasions:
            found[one.month] += one.volume
        for flow in self.load.flows:
            for hour, rate in enumerate(flow):
                found[self.days[int(self.load.day_of[hour])]] += rate * 3600
        return {month: round(volume) for month, volume in found.items()}


def occasions(plan: Plan, sending: Sending) -> list[Occasion]:
    """Return every occasion of a sending within the period."""
    at, found = datetime.fromisoformat(sending.start), []
    each = DAY * (7 if sending.every.startswith("week") else 1)
    months = [str(month) for month in plan.months]
    while (start := plan.calendar.from_civil(at)) < plan.span[1]:
        if not sending.every.endswith("ouvrable") or plan.calendar.is_jour_ouvrable(at.date()):
            due = plan.calendar.from_civil(at + timedelta(hours=sending.deadline_h))
            found.append(Occasion(sending, start, due, sending.volume * sending.parts, months.index(f"{at:%Y-%m}")))
        if not sending.every:
            break
        at += each
    return found


def replications(plan: Plan, amount: int | None = None, first: int = 0) -> list[Replication]:
    """Return so many futures (default: the plan's number) from the first on."""
    wide = widths(plan)
    return [_replication(plan, number, wide) for number in range(first, first + (amount or plan.campaign.replications))]


def widths(plan: Plan) -> dict[str, int]:
    """Return the number of volumes of each demand: occasions of a sending, days of a flow."""
    days = (plan.months[-1].following.first - plan.months[0].first).days
    found = {one.name: len(occasions(plan, one)) for one in plan.campaign.sendings}
    return found | {flow.name: days for flow in plan.campaign.flows}


def _replication(plan: Plan, number: int, wide: dict[str, int]) -> Replication:
    campaign, (start, end) = plan.campaign, plan.span
    seed = draw(campaign.seed, number, SEED) & ((1 << 62) - 1)
    found = incidents(campaign.outages, seed, (start, end), plan.contract, "campaign: outages")
    factors = {}
    demands: tuple[Sending | Steady, ...] = (*campaign.sendings, *campaign.flows)
    for demand in demands:
        entity = entity_of(demand.name)
        off = np.full(wide[demand.name], demand.sigma_period * _normal(seed, entity, VOLUME))
        if demand.sigma:
            off += [demand.sigma * _normal(seed, entity + nth, EACH) for nth in range(len(off))]
        factors[demand.name] = np.exp(off)
    return Replication(number, found, factors, up_of(found, start, end))


def _normal(seed: int, entity: int, purpose: int) -> float:
    return NormalDist().inv_cdf(((draw(seed, entity, purpose) >> 12) + 0.5) / (1 << 52))


def up_of(found: tuple[Incident, ...], start: int, end: int) -> Floats:
    """Return the intervals in which clients are connected (s after `start`)."""
    cuts = merged((one.start, one.end or end) for one in found)
    return _seconds(connected(cuts, start, end, RECONNECT_US), start)


def _per_s(flow: Steady, weekday: int, hour: int) -> float:
    weight = flow.weekly[weekday] * 7 / sum(flow.weekly) * flow.daily[hour] / sum(flow.daily)
    return flow.per_day * flow.parts * weight / 3600


@lru_cache(maxsize=16)
def _civil_hours(start: int, end: int, calendar: Calendar) -> tuple[tuple[int, int, int], ...]:
    """Return weekday, hour and number of the day of each hour of the period."""
    first = calendar.civil(start).date()
    moments = (calendar.civil(at) for at in range(start, end, HOUR_US))
    return tuple((moment.weekday(), moment.hour, (moment.date() - first).days) for moment in moments)


def legal_of(plan: Plan) -> Floats:
    """Return the intervals in which marketing may leave (OPS-PRO-03; s after the period's start)."""
    key = (plan.contract.digest, plan.contract.reading("regional-holidays"), plan.span)
    if key not in _LEGAL:
        found = list(plan.contract.openings("marketing", *plan.span))
        _LEGAL[key] = _seconds(found, plan.span[0])
    return _LEGAL[key]


_LEGAL: dict[tuple[str, str, tuple[int, int]], Floats] = {}  # cache of the last periods


def _seconds(intervals: Any, start: int) -> Floats:
    pairs = np.array(list(intervals), np.float64).reshape(-1, 2)
    return ((pairs - start) / SECOND_US).T.copy()
