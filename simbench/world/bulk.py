"""The bulk way: kernels over columns, a code at a time. What it cannot carry it refuses by name; it never approximates.

Its ledger equals that of the event-driven way: same rows, same counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simbench.kernels import delivery as kernels
from simbench.kernels.chance import MILLION, entity_of, key_of
from simbench.kernels.meter import LONG_AGO
from simbench.kernels.presence import presence_key
from simbench.kernels.submission import (
    CHANGE,
    DELAY,
    LOST,
    LOST_END,
    LOST_FIRST,
    MONITOR,
    NEVER,
    NEXT,
    OPENING,
    OWN_RING,
    QUEUES,
    RATE,
    REFUSE,
    REFUSED,
    submissions,
)
from simbench.numbering.subscribers import wave_purpose
from simbench.world.demand import Demand, Source, joined, spans
from simbench.world.plan import FIRST_MSISDN, STREAM_SHIFT, WRONG_MSISDN, Interval, World

Integers = NDArray[np.int64]
A_SPAN = 1_000_000  # messages handled at once
POLICIES = {"monitor": MONITOR, "delay": DELAY, "nack": REFUSE, "discard": REFUSE}
WRONG, ELSEWHERE, TIME_OVER, TOO_MANY = "06", "06", "22", "04"  # error codes of refusals
SECOND_US, MINUTE_US = 1_000_000, 60_000_000


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
        if config.state != "active":
            found.append(f"an account that is {config.state}, of {config.code}")
        account = config.account or config.code
        if account in accounts:
            found.append(f"the account {account} that several codes share")
        accounts.add(account)
    return found


class Submitted:
    """What a client sent in one span: an entry each time a message was sent, in the order sent."""

    def __init__(self, demand: Demand, sent: Integers) -> None:
        self.demand = demand.take(sent[:, 0])
        self.at, self.decided, self.session = sent[:, 1], sent[:, 2], sent[:, 3]


class Sender:
    """The client of one code and the centre's meter, span after span."""

    def __init__(self, world: World, code: str) -> None:
        self.world, self.code = world, code
        link, limit = world.link(code), world.tiers(code)[0][1]
        self.queues = world.queues(code)
        intervals = [_both(link.up, world.legal if hours == "legal" else None) for _, hours in self.queues]
        bounds = np.cumsum([0, *map(len, intervals)])
        opens, closes = _columns([each for queue in intervals for each in queue])
        self._hours = opens, closes, bounds
        self._up = np.array([*_columns(link.up)])
        changes = [(at, changed.rate_per_s) for at, changed in world.tiers(code)[1:]]
        self._changes = np.array([*_columns(changes)])
        own = world.client(code).kind == "ring"
        paces = OWN_RING if own else POLICIES.get(limit.mode, MONITOR)
        patience = limit.max_hold_us if paces == DELAY else limit.jitter_us
        self._policy = np.array([paces, patience])
        fastest = max(changed.rate_per_s for _, changed in world.tiers(code))
        self._ring = np.full(fastest, LONG_AGO)
        self._state = np.zeros(QUEUES + 4 * len(self.queues), np.int64)
        self._state[RATE] = limit.rate_per_s
        self._state[QUEUES + OPENING :: 4] = bounds[:-1]
        room = 1 if own else 2 * fastest * (limit.max_hold_us // SECOND_US + 2)
        self._lost = np.zeros((len(self.queues), room, 2), np.int64)
        self._waiting = [Demand(*(np.empty(0, np.int64) for _ in range(3)))] * len(self.queues)
        self._again: list[Integers] = [np.empty((0, 2), np.int64)] * len(self.queues)
        assert self._state[CHANGE] == 0

    def send(self, asked: list[Demand], until: int) -> Iterator[Submitted]:
        """Everything sent before `until`, given what was asked for until then and not before."""
        state, queues = self._state, range(len(self.queues))
        # Of each queue first what is to be sent again, at hand by its place; then what waits, then what is new.
        parts = [joined([waiting, new]) for waiting, new in zip(self._waiting, asked, strict=True)]
        firsts = np.cumsum([0, *map(len, parts)])
        whole = joined(parts)
        for k in queues:
            skip = len(self._again[k])
            self._lost[k, :skip, 0], self._lost[k, :skip, 1] = firsts[k] + np.arange(skip), self._again[k][:, 1]
            mine = QUEUES + 4 * k
            state[mine + LOST_FIRST], state[mine + LOST_END], state[mine + NEXT] = 0, skip, firsts[k] + skip
        sent = np.empty((len(whole) + 16, 4), np.int64)
        while True:
            filled = submissions(
                whole.at, firsts[1:], self._hours, self._up, self._changes, self._policy, self._ring, state,
                self._lost, until, sent,
            )  # fmt: skip
            assert filled >= 0, "more was held than the longest hold allows"
            if filled:
                yield Submitted(whole, sent[:filled].copy())
            if filled < len(sent):
                break
        for k in queues:
            mine, room = QUEUES + 4 * k, self._lost.shape[1]
            again = self._lost[k, np.arange(state[mine + LOST_FIRST], state[mine + LOST_END]) % room]
            rest = np.arange(state[mine + NEXT], firsts[k + 1])
            self._again[k], self._waiting[k] = again, whole.take(np.concatenate([again[:, 0], rest]))


class Walker:
    """The centre's decisions and deliveries of one code, span after span."""

    def __init__(self, world: World, code: str) -> None:
        self.world, self.code = world, code
        seed, delivery = world.scenario.seed, world.settings.delivery
        self._refuse_elsewhere = world.settings.routing.refuse_elsewhere
        profile = world.profile.ppm()
        purposes = [entity_of("subscriber", purpose) for purpose in ("unknown", "out")]
        self._gone_keys = _keys(key_of(seed, purpose) for purpose in purposes)
        self._gone_shares = np.array([profile["share_unknown"], profile["share_ported_out"]])
        self._wave_keys = _keys(key_of(seed, wave_purpose(number)) for number in range(len(world.law.waves)))
        self._waves = np.array(world.law.waves, np.int64).reshape(-1, 2)
        self._keys = _keys([key_of(seed, 1), key_of(seed, 3), presence_key(seed)])
        self._tables = tuple(
            np.array(table, np.int64)
            for table in (
                delivery.latency_us, delivery.ladders(), delivery.bounds(), delivery.kinds(),
                [failure.reason for failure in delivery.failures], world.law.chances, world.law.lengths,
            )
        )  # fmt: skip
        self.downs = np.array([*_columns(world.downs)])
        self._before = np.full((max(1, len(world.queues(code))), 2), -1, np.int64)
        self._last = np.full(world.scenario.subscribers.count, -1, np.int32)
        self._base_second = world.start // SECOND_US
        streams = world.streams
        most = max((stream.number for stream in streams), default=0) + 1
        self._queue, self._validity, self.notify = (np.zeros(most, np.int64) for _ in range(3))
        for stream in streams:
            self._queue[stream.number] = stream.queue
            self._validity[stream.number] = round(stream.source.validity_min * MINUTE_US)
            self.notify[stream.number] = stream.source.notify

    def decide(self, sent: Submitted) -> tuple[NDArray[np.int16], Integers]:
        """For each entry the error code of its refusal (0: none), and its stamp where it is accepted."""
        settings, demand = self.world.settings, sent.demand
        limit = settings.limits[self.code]
        over = {"delay": limit.overflow_ec, "discard": "0"}.get(limit.mode, limit.nack_ec)
        codes = np.zeros(len(demand), np.int16)
        open_ = sent.decided >= 0
        codes[sent.decided == REFUSED] = int(over)
        wrong = open_ & (demand.recipient < FIRST_MSISDN) & (demand.recipient >= WRONG_MSISDN)
        codes[wrong] = int(WRONG)
        open_ &= ~wrong
        if self._refuse_elsewhere and self._gone_shares[1]:
            elsewhere = open_ & (self.gone(demand.recipient) == 2)
            codes[elsewhere] = int(ELSEWHERE)
            open_ &= ~elsewhere
        validity = self._validity[demand.entity >> STREAM_SHIFT]
        late = open_ & (validity > 0) & (sent.at + validity <= sent.decided)
        codes[late] = int(TIME_OVER)
        open_ &= ~late
        scts = np.full(len(demand), -1, np.int64)
        scts[open_] = kernels.stamps(
            sent.decided[open_], demand.recipient[open_] - FIRST_MSISDN, self._base_second,
            settings.scts_ahead_max_s, self._last,
        )  # fmt: skip
        codes[open_ & (scts < 0)] = int(TOO_MANY)
        return codes, scts

    def gone(self, recipients: Integers) -> NDArray[np.int8]:
        """Which recipients the base does not serve."""
        if not self._gone_shares.any():
            return np.zeros(len(recipients), np.int8)
        found: NDArray[np.int8] = kernels.gone(recipients, self._gone_keys, self._gone_shares)
        return found

    def walk(self, sent: Submitted, accepted: NDArray[np.bool_]) -> Integers:
        """The fates of the entries that were accepted: six columns (`kernels.delivery`)."""
        settings, demand = self.world.settings, sent.demand.take(accepted)
        decided, stream = sent.decided[accepted], demand.entity >> STREAM_SHIFT
        validity = self._validity[stream]
        latest = decided + settings.validity_max_us
        expires = np.where(
            validity > 0, np.minimum(sent.at[accepted] + validity, latest), decided + settings.validity_default_us
        )
        found = np.empty((len(demand), 6), np.int64)
        kernels.fates(
            decided, expires, demand.entity, demand.recipient, self.gone(demand.recipient), self._queue[stream],
            self._keys, self._tables, self._wave_keys, self._waves, self.downs, self._before, self.world.end, found,
        )  # fmt: skip
        return found


def spans_of(world: World, code: str) -> Iterator[tuple[list[Demand], Iterator[Submitted]]]:
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


def _columns(pairs: Any) -> tuple[Integers, Integers]:
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return both[:, 0].copy(), both[:, 1].copy()


def _keys(keys: Any) -> NDArray[np.uint64]:
    return np.array(list(keys), np.uint64)


assert MILLION and LOST < REFUSED < 0 < NEVER
