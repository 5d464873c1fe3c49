"""The demand of a world: the instant, number and recipient of every message, in columns that both engines use.

Each message is a function of the seed, its stream and its index, so any span can be made independently.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from math import gcd

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.units import DAY_US, HOUR_US, MINUTE_US
from simbench.kernels.chance import draw, entity_of, key_of
from simbench.simulation.kernels.demand import poisson_counts, poisson_instants, recipients_at_random, wrong_recipients
from simbench.simulation.plan import INDEX_SHIFT, Stream, World
from simbench.simulation.scenario import Campaign, Flow

STRIDE = 7_368_787  # a prime near the golden section of ten million: consecutive recipients are far apart in the base
COUNT, INSTANT, RECIPIENT, WRONG, OFFSET = (
    entity_of("demand", what) for what in ("count", "instant", "recipient", "wrong", "offset")
)
Integers = NDArray[np.int64]


class Demand(msgspec.Struct, frozen=True):
    """Messages of one queue (each part counts as one) in order of request: instants, numbers, recipients."""

    at: Integers
    entity: Integers
    recipient: Integers

    def __len__(self) -> int:
        return len(self.at)

    def take(self, which: slice | NDArray[np.bool_] | Integers) -> Demand:
        """Return these messages only."""
        return Demand(self.at[which], self.entity[which], self.recipient[which])


NOTHING = Demand(*(np.empty(0, np.int64) for _ in range(3)))


def joined(parts: list[Demand]) -> Demand:
    """Concatenate demands."""
    if len(parts) == 1:
        return parts[0]
    return Demand(*(np.concatenate([getattr(part, name) for part in parts]) for name in Demand.__struct_fields__))


class Source:
    """The demand of one code, span by span."""

    def __init__(self, world: World, code: str) -> None:
        self.world, self.queues = world, len(world.queues(code))
        self.streams = [stream for stream in world.streams if stream.code == code]
        self._hours = -(-(world.end - world.start) // HOUR_US)
        self._flows: dict[int, tuple[Integers, Integers]] = {}

    def volume(self) -> float:
        """Return the approximate number of messages."""
        days = (self.world.end - self.world.start) / DAY_US
        return sum(
            stream.source.parts
            * (stream.source.volume if isinstance(stream.source, Campaign) else stream.source.per_day * days)
            for stream in self.streams
        )

    def between(self, start: int, end: int) -> list[Demand]:
        """Return the messages requested in [start, end) (whole minutes, or the period's end) by queue and instant."""
        parts: list[list[Demand]] = [[] for _ in range(self.queues)]
        for stream in self.streams:
            if isinstance(stream.source, Campaign) and not _meets(stream, stream.source, start, end):
                continue
            found = self._of(stream, start, end)
            if len(found):
                parts[stream.queue].append(found)
        return [_in_order(each) for each in parts]

    def _of(self, stream: Stream, start: int, end: int) -> Demand:
        source = stream.source
        found = self._sent(stream, source, start, end) if isinstance(source, Campaign) else None
        if found is None:
            assert isinstance(source, Flow)
            found = self._arising(stream, source, start, end)
        at, index, recipient = found
        if source.wrong_share and len(index):
            key, bound = self._key(WRONG), round(source.wrong_share * (1 << 32))
            recipient = wrong_recipients(key, stream.entity, index, bound, recipient, self.world.wrong_msisdn)
        entity = stream.entity + (index << INDEX_SHIFT)
        if source.parts > 1:
            at, recipient = np.repeat(at, source.parts), np.repeat(recipient, source.parts)
            entity = np.repeat(entity, source.parts) + np.tile(np.arange(source.parts), len(entity))
        return Demand(at, entity, recipient)

    def _sent(self, stream: Stream, source: Campaign, start: int, end: int) -> tuple[Integers, Integers, Integers]:
        spread = max(1, round(source.spread_min * MINUTE_US))
        first, last = (_not_before(at - stream.start, source.volume, spread) for at in (start, end))
        index = np.arange(first, last, dtype=np.int64)
        at = stream.start + index * spread // source.volume
        size = source.subscribers or self.world.scenario.subscribers.count - source.first
        stride = next(each for each in range(STRIDE, STRIDE + size) if gcd(each, size) == 1)
        offset = draw(self.world.scenario.seed, stream.entity, OFFSET) % size
        return at, index, self.world.first_msisdn + source.first + (index * stride + offset) % size

    def _arising(self, stream: Stream, source: Flow, start: int, end: int) -> tuple[Integers, Integers, Integers]:
        laws, cumulated = self._law(stream.number, source)
        world = self.world
        slots = np.arange((start - world.start) // MINUTE_US, -(-(end - world.start) // MINUTE_US), dtype=np.int64)
        counts = poisson_counts(self._key(COUNT), stream.entity, slots, laws[slots // 60], cumulated)
        at, index = poisson_instants(self._key(INSTANT), stream.entity, slots, counts, world.start, MINUTE_US)
        keep = at < world.end
        at, index = at[keep], index[keep]
        size = world.scenario.subscribers.count
        return (
            at,
            index,
            recipients_at_random(self._key(RECIPIENT), stream.entity, index, size, self.world.first_msisdn),
        )

    def _law(self, number: int, flow: Flow) -> tuple[Integers, NDArray[np.int64]]:
        """Return the row of each hour, and the rows: probability of at most n messages a minute, in units of 2^-32."""
        if number not in self._flows:
            rates = [self._per_minute(flow, hour) for hour in range(self._hours)]
            distinct = sorted(set(rates))
            cumulated = [_cumulated(rate) for rate in distinct]
            longest = max(map(len, cumulated))
            table = np.full((len(distinct), longest), 1 << 32, np.int64)
            for row, each in enumerate(cumulated):
                table[row, : len(each)] = each
            places = {rate: place for place, rate in enumerate(distinct)}
            self._flows[number] = np.array([places[rate] for rate in rates], np.int64), table
        return self._flows[number]

    def _per_minute(self, flow: Flow, hour: int) -> float:
        day, of_day = self._civil[hour]
        return flow.per_day * flow.weekly[day] * 7 / sum(flow.weekly) * flow.daily[of_day] / sum(flow.daily) / 60

    @cached_property
    def _civil(self) -> list[tuple[int, int]]:
        """The weekday and hour of the day at the beginning of each hour of the period."""
        moments = (self.world.calendar.civil(self.world.start + hour * HOUR_US) for hour in range(self._hours))
        return [(moment.weekday(), moment.hour) for moment in moments]

    def _key(self, purpose: int) -> np.uint64:
        return np.uint64(key_of(self.world.scenario.seed, purpose))


def spans(world: World, per_span: float, volume: float) -> Iterator[tuple[int, int]]:
    """Cut the period at whole hours into spans of about `per_span` messages."""
    hours = (world.end - world.start) / HOUR_US
    each = max(1, min(24 * 7, int(per_span / max(volume / hours, 1e-9)))) * HOUR_US
    for start in range(world.start, world.end, each):
        yield start, min(start + each, world.end)


def _meets(stream: Stream, campaign: Campaign, start: int, end: int) -> bool:
    """Return whether a sending has messages in a span."""
    return stream.start < end and start <= stream.start + max(1, round(campaign.spread_min * MINUTE_US))


def _not_before(offset_us: int, volume: int, spread_us: int) -> int:
    """Return the index of the first message of a sending at or after an offset from its start."""
    return min(volume, max(0, -(-offset_us * volume // spread_us)))


def _in_order(parts: list[Demand]) -> Demand:
    if not parts:
        return NOTHING
    whole = joined(parts)
    return whole if len(parts) == 1 else whole.take(np.argsort(whole.at, kind="stable"))


def _cumulated(mean: float) -> NDArray[np.int64]:
    """Return the Poisson distribution: for n = 0, 1... the probability of at most n, in units of 2^-32, up to 1."""
    if mean <= 0:
        return np.array([1 << 32], np.int64)
    most = int(mean + 12 * math.sqrt(mean) + 12)
    n = np.arange(1, most + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(mean / n))]) - mean
    chances: Integers = np.minimum(np.rint(np.cumsum(np.exp(logs)) * (1 << 32)), 1 << 32).astype(np.int64)
    return chances
