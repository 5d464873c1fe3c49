"""The bulk way: kernels over columns, a code at a time. What it cannot carry it refuses by name; it never approximates.

Its ledger equals that of the event-driven way: same rows, same counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fake_smsc.core.delivery import FAILURE, LATENCY
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.kernels.chance import key_of
from simbench.kernels.meter import LONG_AGO
from simbench.kernels.presence import presence_key
from simbench.numbering.subscribers import OUT, UNKNOWN, wave_purpose
from simbench.simulation.demand import NOTHING, Demand, Source, joined, spans
from simbench.simulation.kernels.delivery import DISCARDED, FATE, Desk, Laws, decisions, fates
from simbench.simulation.kernels.submission import (
    DELAY,
    LOST_END,
    LOST_FIRST,
    MESSAGE,
    MONITOR,
    NEXT,
    OPENING,
    OWN_RING,
    QUEUES,
    RATE,
    REFUSE,
    SESSION,
    STEP,
    Line,
    submissions,
)
from simbench.simulation.plan import FIRST_MSISDN, Interval, World

Integers = NDArray[np.int64]
A_SPAN = 120_000  # messages handled at once: what they need stays near the processor
POLICIES = {"monitor": MONITOR, "delay": DELAY, "nack": REFUSE, "discard": REFUSE}
WRONG, ELSEWHERE, TIME_OVER, TOO_MANY = 6, 6, 22, 4  # error codes of refusals (centre.core, centre.routing)


def not_carried(world: World) -> list[str]:
    """What of a world the bulk way cannot carry, each by name; nothing when it can."""
    found = []
    accounts: set[str] = set()
    for config in world.scenario.codes:
        client = world.client(config.code)
        if client.kind == "reference":
            found.append(f"the reference client of {config.code}")
        if client.kind == "offering" and config.limit == "close":
            found.append(f"a meter that closes connections on the offering client of {config.code}")
        meter = world.tiers(config.code)[0][1].meter
        if meter != "sliding":
            found.append(f"the {meter} meter of {config.code}")
        if config.state != "active":
            found.append(f"an account that is {config.state}, of {config.code}")
        account = config.account or config.code
        if account in accounts:
            found.append(f"the account {account} that several codes share")
        accounts.add(account)
    return found


class Batch:
    """What a client sent, an entry each time a message was sent, and what became of it.

    at: when each was asked for. sent: rows (`kernels.submission`); codes, scts, fates: as `kernels.delivery` has them.
    """

    def __init__(self, demand: Demand, sent: Integers) -> None:
        self.sent = sent
        first, last = int(sent[MESSAGE, 0]), int(sent[MESSAGE, -1])
        # Mostly one stretch of one queue: then nothing is gathered.
        straight = last - first + 1 == sent.shape[1] and bool((np.diff(sent[MESSAGE]) == 1).all())
        which = slice(first, last + 1) if straight else sent[MESSAGE]
        self.at, self.entity, self.recipient = demand.at[which], demand.entity[which], demand.recipient[which]
        self.codes, self.scts = np.empty(len(self.entity), np.int16), np.empty(len(self.entity), np.int64)
        self.fates = np.empty((0, FATE), np.int64)  # until it is walked; good until the next batch is

    def __len__(self) -> int:
        return len(self.entity)

    @property
    def session(self) -> Integers:
        """The place of each entry's session among the link's."""
        places: Integers = self.sent[SESSION]
        return places


class Sender:
    """The client of one code and the centre's meter, span after span."""

    def __init__(self, world: World, code: str) -> None:
        link, limit = world.link(code), world.tiers(code)[0][1]
        queues = world.queues(code)
        intervals = [_both(link.up, world.legal if hours == "legal" else None) for _, hours in queues]
        bounds = np.cumsum([0, *map(len, intervals)])
        opens, closes = columns([each for queue in intervals for each in queue])
        changes = [(at, changed.rate_per_s) for at, changed in world.tiers(code)[1:]]
        own = world.client(code).kind == "ring"
        paces = OWN_RING if own else POLICIES[limit.mode]
        patience_us = limit.max_hold_us if paces == DELAY else limit.jitter_us
        self.line = Line(opens, closes, bounds, columns(link.up), columns(changes), paces, patience_us)
        fastest = max(changed.rate_per_s for _, changed in world.tiers(code))
        self._ring = np.full(fastest, LONG_AGO)
        self._state = np.zeros(QUEUES + STEP * len(queues), np.int64)
        self._state[RATE] = limit.rate_per_s
        self._state[QUEUES + OPENING :: STEP] = bounds[:-1]
        # At most so many are held at once, or were held when a cut came and are not yet sent again.
        room = 1 if own else 2 * fastest * (limit.max_hold_us // SECOND_US + 2)
        self._lost = np.zeros((len(queues), room, 2), np.int64)
        self._waiting = [NOTHING] * len(queues)
        self._again = [np.empty((0, 2), np.int64)] * len(queues)

    def send(self, asked: list[Demand], until: int) -> Iterator[Batch]:
        """Everything sent before `until`, given what was asked for until then and not before."""
        parts = [joined([waiting, new]) for waiting, new in zip(self._waiting, asked, strict=True)]
        firsts = np.cumsum([0, *map(len, parts)])
        whole = joined(parts)
        self._resume(firsts)
        sent = np.empty((4, len(whole) + 16), np.int64)
        filled = sent.shape[1]
        while filled == sent.shape[1]:
            filled = submissions(whole.at, firsts[1:], self.line, self._ring, self._state, self._lost, until, sent)
            if filled:
                yield Batch(whole, sent[:, :filled].copy())
        self._remember(whole, firsts)

    def _resume(self, firsts: Integers) -> None:
        """Of each queue first what is to be sent again, at hand by its place; then what waits and what is new."""
        for k, again in enumerate(self._again):
            mine, skip = QUEUES + STEP * k, len(again)
            self._lost[k, :skip, 0], self._lost[k, :skip, 1] = firsts[k] + np.arange(skip), again[:, 1]
            self._state[[mine + LOST_FIRST, mine + LOST_END, mine + NEXT]] = 0, skip, firsts[k] + skip

    def _remember(self, whole: Demand, firsts: Integers) -> None:
        for k in range(len(self._again)):
            mine, room = QUEUES + STEP * k, self._lost.shape[1]
            first, end = self._state[mine + LOST_FIRST], self._state[mine + LOST_END]
            assert end - first <= room, "more was held than the longest hold allows"
            again = self._lost[k, np.arange(first, end) % room]
            rest = np.arange(self._state[mine + NEXT], firsts[k + 1])
            self._again[k], self._waiting[k] = again, whole.take(np.concatenate([again[:, 0], rest]))


class Walker:
    """The centre's decisions and deliveries of one code, batch after batch."""

    def __init__(self, world: World, code: str) -> None:
        self.laws, self._end = laws_of(world), world.end
        settings, limit = world.settings, world.settings.limits[code]
        over = {"delay": int(limit.overflow_ec), "discard": DISCARDED}.get(limit.mode, int(limit.nack_ec))
        self.desk = Desk(
            over, WRONG, ELSEWHERE if settings.routing.refuse_elsewhere else 0, TIME_OVER, TOO_MANY, FIRST_MSISDN,
            world.start // SECOND_US, settings.scts_ahead_max_s, settings.validity_default_us, settings.validity_max_us,
        )  # fmt: skip
        self._before = np.full((max(1, len(world.queues(code))), 2), -1, np.int64)
        self._fates = np.empty((0, FATE), np.int64)
        self._last = np.full(world.scenario.subscribers.count, -1, np.int32)

    def walk(self, batch: Batch) -> None:
        """Fill in what becomes of a batch."""
        b = batch
        if len(self._fates) < len(b):  # one place for all: fresh memory costs more than what is written to it
            self._fates = np.empty((len(b), FATE), np.int64)
        b.fates = self._fates[: len(b)]
        decisions(b.sent, b.entity, b.recipient, self.laws, self.desk, self._last, b.codes, b.scts)
        fates(b.sent, b.entity, b.recipient, b.codes, (self.laws, self.desk), self._before, self._end, b.fates)


def laws_of(world: World) -> Laws:
    """Everything delivery goes by."""
    seed, delivery, law, profile = world.scenario.seed, world.settings.delivery, world.law, world.profile.ppm()
    keys = [key_of(seed, LATENCY), key_of(seed, FAILURE), presence_key(seed), key_of(seed, UNKNOWN), key_of(seed, OUT)]
    tables = (
        delivery.latency_us, delivery.ladders(), delivery.bounds(), delivery.kinds(),
        [failure.reason for failure in delivery.failures], law.chances, law.lengths,
        [profile["share_unknown"], profile["share_ported_out"]],
    )  # fmt: skip
    waves = np.array(law.waves, np.int64).reshape(-1, 2)
    wave_keys = np.array([key_of(seed, wave_purpose(number)) for number in range(len(waves))], np.uint64)
    most = max(stream.number for stream in world.streams) + 1
    validity_us, queue, notify = (np.zeros(most, np.int64) for _ in range(3))
    for stream in world.streams:
        validity_us[stream.number] = round(stream.source.validity_min * MINUTE_US)
        queue[stream.number], notify[stream.number] = stream.queue, stream.source.notify
    arrays = [np.array(table, np.int64) for table in tables]
    return Laws._make(
        [*np.array(keys, np.uint64), *arrays, wave_keys, waves, validity_us, queue, notify, columns(world.downs)]
    )


def spans_of(world: World, code: str) -> Iterator[tuple[list[Demand], Iterator[Batch]]]:
    """Everything the client of a code is asked to send, span by span, and what it sends."""
    source, sender = Source(world, code), Sender(world, code)
    if not source.queues:
        return
    for start, end in spans(world, A_SPAN, source.volume()):
        asked = source.between(start, end)
        yield asked, sender.send(asked, end)


def _both(up: tuple[Interval, ...], hours: tuple[Interval, ...] | None) -> list[Interval]:
    """When both hold."""
    if hours is None:
        return list(up)
    found, place = [], 0
    for start, end in up:
        while place < len(hours) and hours[place][1] <= start:
            place += 1
        at = place
        while at < len(hours) and hours[at][0] < end:
            found.append((max(start, hours[at][0]), min(end, hours[at][1])))
            at += 1
    return found


def columns(pairs: Iterable[Any]) -> Integers:
    """Pairs as two rows."""
    both = np.array(list(pairs), np.int64).reshape(-1, 2)
    rows: Integers = both.T.copy()
    return rows
