"""The vectorised engine: compiled kernels over columns, one code at a time.

Its ledger equals that of the event-driven engine, row for row. `not_carried` names what it does not support.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fake_smsc.core.delivery import FAILURE, LATENCY
from fake_smsc.core.records import INVALID_ADDRESS, INVALID_TIME, NOT_ALLOWED
from simbench.base.spans import common
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.kernels.chance import key_of
from simbench.kernels.meter import LONG_AGO
from simbench.kernels.presence import presence_key
from simbench.numbering.subscribers import OUT, UNKNOWN, wave_purpose
from simbench.simulation.demand import NOTHING, Demand, Source, joined, spans
from simbench.simulation.kernels.delivery import Admission, DeliveryTables, decisions, deliveries
from simbench.simulation.kernels.layout import (
    CLIENT,
    CLIENT_METER,
    DELAY,
    DISCARDED,
    MONITOR,
    OUTCOME,
    PART,
    QUEUE,
    REFUSE,
    RESEND,
    WAVE,
    Sent,
)
from simbench.simulation.kernels.submission import Schedule, consecutive, submissions
from simbench.simulation.plan import World

Integers = NDArray[np.int64]
Rows = NDArray[Any]
"""Rows of a type of `kernels.layout`."""
A_SPAN = 120_000  # messages processed at once, so that they stay in the processor's cache
MODES = {"monitor": MONITOR, "delay": DELAY, "nack": REFUSE, "discard": REFUSE}


def not_carried(world: World) -> list[str]:
    """Return descriptions of the features of a world that the vectorised engine does not support."""
    found = []
    accounts: set[str] = set()
    for config in world.scenario.codes:
        client = world.client(config.code)
        if client.kind == "reference":
            found.append(f"the reference client ({config.code})")
        if client.kind == "offering" and config.limit == "close":
            found.append(f"a meter that closes the connections of an offering client ({config.code})")
        meter = world.tiers(config.code)[0][1].meter
        if meter != "sliding":
            found.append(f"a {meter} meter ({config.code})")
        if config.state != "active":
            found.append(f"an account that is {config.state} ({config.code})")
        account = config.account or config.code
        if account in accounts:
            found.append(f"an account shared by several codes ({account})")
        accounts.add(account)
    return found


class Batch:
    """Messages that a client sent (a message sent twice counts twice), and their outcomes.

    `at`: instant of each request; `sent`: columns; `outcomes`: rows of OUTCOME; `codes`, `scts`: the SMSC's decisions
    (`kernels.delivery.decisions`).
    """

    def __init__(self, demand: Demand, sent: Sent) -> None:
        self.sent = sent
        # Most batches are consecutive messages of one queue: a slice then saves a copy.
        first = int(sent.message[0])
        which = slice(first, first + len(sent.message)) if consecutive(sent.message) else sent.message
        self.at, self.entity, self.recipient = demand.at[which], demand.entity[which], demand.recipient[which]
        self.codes, self.scts = np.empty(len(self.entity), np.int16), np.empty(len(self.entity), np.int64)
        self.outcomes = np.empty(0, OUTCOME)  # filled by `process`; valid until the next batch is processed

    def __len__(self) -> int:
        return len(self.entity)


class Sender:
    """The client of one code and the SMSC's meter, simulated span by span."""

    def __init__(self, world: World, code: str) -> None:
        link, limit = world.link(code), world.tiers(code)[0][1]
        queues = world.queues(code)
        intervals = [common(link.up, world.legal) if hours == "legal" else list(link.up) for _, hours in queues]
        bounds = np.cumsum([0, *map(len, intervals)])
        own = world.client(code).kind == "ring"
        pacing = CLIENT_METER if own else MODES[limit.mode]
        patience_us = limit.max_hold_us if pacing == DELAY else limit.jitter_us
        self.schedule = Schedule(
            *columns([each for queue in intervals for each in queue]), bounds, *columns(link.up),
            *columns([(at, changed.rate_per_s) for at, changed in world.tiers(code)[1:]]), pacing, patience_us,
        )  # fmt: skip
        fastest = max(changed.rate_per_s for _, changed in world.tiers(code))
        self._ring = np.full(fastest, LONG_AGO)
        self._client: Any = np.zeros(1, CLIENT)[0]
        self._client.rate = limit.rate_per_s
        self._queues: Rows = np.zeros(len(queues), QUEUE)
        self._queues["opening"] = bounds[:-1]
        # The most messages held at once, or held at a cut and not yet sent again.
        room = 1 if own else 2 * fastest * (limit.max_hold_us // SECOND_US + 2)
        self._resend: Rows = np.zeros((len(queues), room), RESEND)
        self._waiting = [NOTHING] * len(queues)
        self._again: list[Rows] = [np.empty(0, RESEND)] * len(queues)

    def send(self, requested: list[Demand], until: int) -> Iterator[Batch]:
        """Yield everything sent before `until`, given the messages requested since the last call and before `until`."""
        parts = [joined([waiting, new]) for waiting, new in zip(self._waiting, requested, strict=True)]
        firsts = np.cumsum([0, *map(len, parts)])
        whole = joined(parts)
        self._resume(firsts)
        room = len(whole) + 16
        sent = Sent(*np.empty((len(Sent._fields), room), np.int64))
        filled = room
        while filled == room:
            filled = submissions(
                whole.at, firsts[1:], self.schedule, self._ring, self._client, self._queues, self._resend, until, sent
            )
            if filled:
                yield Batch(whole, Sent(*(column[:filled].copy() for column in sent)))
        self._remember(whole, firsts)

    def _resume(self, firsts: Integers) -> None:
        """Order each queue: messages to be sent again, then waiting ones, then new ones."""
        for k, again in enumerate(self._again):
            skip, queue = len(again), self._queues[k]
            rows = self._resend[k, :skip]
            rows["message"], rows["ready_at"] = firsts[k] + np.arange(skip), again["ready_at"]
            queue.resend_first, queue.resend_end, queue.next = 0, skip, firsts[k] + skip

    def _remember(self, whole: Demand, firsts: Integers) -> None:
        for k, queue in enumerate(self._queues):
            room = self._resend.shape[1]
            assert queue.resend_end - queue.resend_first <= room, "more messages are held than the longest hold allows"
            again = self._resend[k, np.arange(queue.resend_first, queue.resend_end) % room]
            rest = np.arange(queue.next, firsts[k + 1])
            self._again[k], self._waiting[k] = again, whole.take(np.concatenate([again["message"], rest]))


class BulkSmsc:
    """The SMSC's decisions and deliveries for one code, batch by batch."""

    def __init__(self, world: World, code: str) -> None:
        self.tables, self._end = delivery_tables(world), world.end
        settings, limit = world.settings, world.settings.limits[code]
        over_rate = {"delay": int(limit.overflow_ec), "discard": DISCARDED}.get(limit.mode, int(limit.nack_ec))
        self.admission = Admission(
            over_rate=over_rate,
            invalid_address=int(INVALID_ADDRESS),
            ported_out=int(INVALID_ADDRESS) if settings.routing.refuse_elsewhere else 0,
            validity_over=int(INVALID_TIME),
            no_free_stamp=int(NOT_ALLOWED),
            first_subscriber=world.first_msisdn,
            base_second=world.start // SECOND_US,
            ahead_max_s=settings.scts_ahead_max_s,
            validity_default_us=settings.validity_default_us,
            validity_max_us=settings.validity_max_us,
        )
        self._last_parts: Rows = np.full(max(1, len(world.queues(code))), -1, PART)
        self._outcomes: Rows = np.empty(0, OUTCOME)
        self._last_stamps = np.full(world.scenario.subscribers.count, -1, np.int32)

    def process(self, batch: Batch) -> None:
        """Fill in the decisions and outcomes of a batch."""
        b = batch
        if len(self._outcomes) < len(b):  # reused, because new memory costs more than writing the outcomes
            self._outcomes = np.empty(len(b), OUTCOME)
        b.outcomes = self._outcomes[: len(b)]
        decisions(b.sent, b.entity, b.recipient, self.tables, self.admission, self._last_stamps, b.codes, b.scts)
        deliveries(
            b.sent, b.entity, b.recipient, b.codes, self.tables, self.admission, self._last_parts, self._end, b.outcomes
        )


def delivery_tables(world: World) -> DeliveryTables:
    """Return the tables that decide on delivery in a world."""
    seed, delivery, law, profile = world.scenario.seed, world.settings.delivery, world.law, world.profile.ppm()
    waves: Rows = np.array(law.waves, np.int64).reshape(-1, 2).view(WAVE).reshape(-1)
    wave_keys = [key_of(seed, wave_purpose(number)) for number in range(len(waves))]
    most = max(stream.number for stream in world.streams) + 1
    validity_us, queue, notify = (np.zeros(most, np.int64) for _ in range(3))
    for stream in world.streams:
        validity_us[stream.number] = round(stream.source.validity_min * MINUTE_US)
        queue[stream.number], notify[stream.number] = stream.queue, stream.source.notify
    starts, ends = columns(world.downs)
    return DeliveryTables(
        latency_key=np.uint64(key_of(seed, LATENCY)),
        failure_key=np.uint64(key_of(seed, FAILURE)),
        presence_key=np.uint64(presence_key(seed)),
        unknown_key=np.uint64(key_of(seed, UNKNOWN)),
        out_key=np.uint64(key_of(seed, OUT)),
        latency=np.array(delivery.latency_us, np.int64),
        retry_schedules=np.array(delivery.retry_schedules(), np.int64),
        bounds=np.array(delivery.bounds(), np.int64),
        kinds=np.array(delivery.kinds(), np.int64),
        reasons=np.array([failure.reason for failure in delivery.failures], np.int64),
        chances=np.array(law.chances, np.int64),
        lengths=np.array(law.lengths, np.int64),
        unknown_ppm=profile["share_unknown"],
        out_ppm=profile["share_ported_out"],
        wave_keys=np.array(wave_keys, np.uint64),
        waves=waves,
        validity_us=validity_us,
        queue=queue,
        notify=notify,
        down_starts=starts,
        down_ends=ends,
    )


def spans_of(world: World, code: str) -> Iterator[tuple[list[Demand], Iterator[Batch]]]:
    """Yield the demand of a code by queue and the batches that its client sends, span by span."""
    source, sender = Source(world, code), Sender(world, code)
    if not source.queues:
        return
    for start, end in spans(world, A_SPAN, source.volume()):
        requested = source.between(start, end)
        yield requested, sender.send(requested, end)


def columns(pairs: Iterable[Any]) -> tuple[Integers, Integers]:
    """Return pairs of numbers as two arrays: the first numbers, and the second."""
    both = np.array(list(pairs), np.int64).reshape(-1, 2)
    return both[:, 0].copy(), both[:, 1].copy()
