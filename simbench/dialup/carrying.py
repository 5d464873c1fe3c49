"""Carrying: calls through pools of modems, their outcomes, and redials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simbench.base.units import NEVER, SECOND_US
from simbench.dialup.calls import I32, I64, U8, Calls
from simbench.dialup.demand import exponential_table
from simbench.dialup.kernels.arrivals import WORD
from simbench.dialup.kernels.loss_system import (
    BLOCKED,
    CUT,
    DROPPED,
    MOST_TRIES,
    REFUSED,
    lose_microseconds,
    lose_seconds,
)
from simbench.dialup.kernels.ports import assign_ports
from simbench.kernels.chance import entity_of, key_of

USER_REQUEST, LOST_SERVICE, SESSION_TIMEOUT = 1, 3, 5
"""Causes of an end, by their RADIUS numbers (RFC 2866, section 5.10)."""

MOST_RING_ENTRIES: Final = 1 << 27  # half a gigabyte; with more the heap is used


@dataclass(frozen=True)
class Redial:
    """Blocked users dial again with this probability, after an exponential wait, up to so many tries in total."""

    persistence: float
    delay_mean_s: int
    most_tries: int
    seed: int


@dataclass(frozen=True)
class Rules:
    """The rules of all pools: the longest session, redials, outages as rows (pool, from, until, drops).

    Instants and durations are in microseconds, 0 for none. No redial occurs at or after `redials_until_us`.
    """

    limit_us: int = 0
    redials_until_us: int = 0
    redial: Redial | None = None
    outages: Sequence[tuple[int, int, int, int]] = ()


@dataclass(frozen=True)
class Carried:
    """Calls after the pools: `calls` are the carried ones; `outcome` and `tries` (first included) cover all offered.

    Outcomes are numbered in `kernels.loss`. Carried calls are in order of start.
    """

    calls: Calls
    outcome: U8
    tries: U8
    pool: I32
    ports: I64

    @property
    def offered(self) -> int:
        """The number of calls offered, without redials."""
        return len(self.outcome)

    @property
    def attempts(self) -> int:
        """The number of attempts, redials included."""
        return int(self.tries.sum(dtype=np.int64))

    @property
    def lost(self) -> NDArray[np.bool_]:
        """A mask of the offered calls that were never carried."""
        lost: NDArray[np.bool_] = (self.outcome == BLOCKED) | (self.outcome == REFUSED)
        return lost

    def count(self, outcome: int) -> int:
        """Count the calls with an outcome of `kernels.loss`."""
        return int(np.count_nonzero(self.outcome == outcome))


def carry(calls: Calls, ports: Sequence[int], rules: Rules) -> Carried:
    """Carry calls sorted by start through pools, numbered by `calls.nas`: exact, on the clock of the calls.

    If all times are whole seconds a ring is used, otherwise a heap; both give the same result.
    """
    unit = SECOND_US if _whole_seconds(calls, rules) else 1
    start, hold = (column // unit if unit > 1 else column for column in (calls.start_us, calls.duration_us))
    longest = int(hold.max()) if len(hold) else 0
    conditions = _conditions(rules, unit, longest)
    sizes = np.array(ports, dtype=np.int64)
    width = 1 << max(int(conditions[0][0]), 1).bit_length()
    if unit > 1 and width * len(ports) <= MOST_RING_ENTRIES:
        ring = np.zeros((len(ports), width), dtype=np.int32)
        began, length, outcome, tries = lose_seconds(start, hold, calls.nas, sizes, ring, conditions)
    else:
        began, length, outcome, tries = lose_microseconds(start, hold, calls.nas, sizes, conditions)
    return _gathered(calls, (began * unit, length * unit, outcome, tries), sizes, bool(rules.redial))


def with_ports(carried: Carried) -> Calls:
    """Return the carried calls with their ports, as in call records, in order of start."""
    calls = carried.calls
    port = assign_ports(calls.start_us, calls.duration_us, calls.nas, carried.ports)
    return replace(calls, port=port)


def _gathered(calls: Calls, done: tuple[I64, I64, U8, U8], sizes: I64, redialled: bool) -> Carried:
    began, length, outcome, tries = done
    places = np.flatnonzero((outcome != BLOCKED) & (outcome != REFUSED))
    if redialled:
        places = places[np.argsort(began[places], kind="stable")]
    kept = calls.take(places)
    outcomes = outcome[places]
    cause = np.full(len(places), USER_REQUEST, dtype=np.uint8)
    cause[outcomes == CUT] = SESSION_TIMEOUT
    cause[outcomes == DROPPED] = LOST_SERVICE
    kept = replace(kept, start_us=began[places], duration_us=length[places], cause=cause)
    return Carried(kept, outcome, tries, calls.nas, sizes)


def _whole_seconds(calls: Calls, rules: Rules) -> bool:
    columns = (calls.start_us, calls.duration_us)
    if any(len(column) and column[0] % SECOND_US for column in columns) or rules.limit_us % SECOND_US:
        return False
    if any(row[1] % SECOND_US or row[2] % SECOND_US for row in rules.outages):
        return False
    return not any(np.any(column % SECOND_US) for column in columns)


def _conditions(rules: Rules, unit: int, longest: int) -> tuple[I64, I64, I64]:
    limit = min(rules.limit_us // unit or NEVER, longest)
    redial = rules.redial
    key, share, tries, delays = 0, 0, 1, np.array([1, 1])
    if redial:
        key = key_of(redial.seed, entity_of("dialup redials"))
        share, tries = round(redial.persistence * WORD), min(redial.most_tries, MOST_TRIES - 1)
        delays = np.maximum(np.array(exponential_table(redial.delay_mean_s * SECOND_US)) // unit, 1)
    span = int(delays[-1]) * (tries - 1)
    key = key - (1 << 64) if key >= 1 << 63 else key  # the same 64 bits as a signed number
    rows = [(pool, starts // unit, until // unit, drops) for pool, starts, until, drops in rules.outages]
    return (
        np.array([limit, key, share, tries, span, rules.redials_until_us // unit or NEVER]),
        np.array(rows, dtype=np.int64).reshape(-1, 4),
        delays,
    )
