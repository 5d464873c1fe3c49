"""The loss system: both kernels do what a process a call does, to the instant."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.dialup.kernels.arrivals import WORD
from simbench.dialup.kernels.loss_system import BLOCKED, CARRIED, CUT, DROPPED, REFUSED, lose_microseconds, lose_seconds
from tests.kernels.processes import Pools

RING = 64
FEW = settings(max_examples=150)


@st.composite
def pools(draw: st.DrawFn) -> tuple[Pools, list[int], list[int], list[int]]:
    """A few crowded pools, short times so that instants meet, and every rule."""
    count = draw(st.integers(1, 3))
    calls = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, count - 1)), max_size=60))
    outages = []
    for where in range(count):
        at = draw(st.integers(0, 30))
        for gap, lasts in draw(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 20)), max_size=2)):
            at += gap
            outages.append((where, at, at + lasts, draw(st.integers(0, 1))))
            at += lasts
    made = Pools(
        ports=[draw(st.integers(1, 4)) for _ in range(count)],
        limit=draw(st.sampled_from([5, 12, 20])),
        outages=outages,
        key=draw(st.integers(0, 2**63 - 1)),
        share=draw(st.sampled_from([0, WORD // 2, WORD])),
        most_tries=draw(st.integers(1, 5)),
        until=draw(st.sampled_from([40, 1 << 62])),
        delays=(1, 2, 9),
    )
    return made, list(accumulate(gap for gap, _, _ in calls)), [c[1] for c in calls], [c[2] for c in calls]


def kernels_say(made: Pools, start: list[int], hold: list[int], pool: list[int]) -> list[list[tuple[int, ...]]]:
    span = (made.most_tries - 1) * made.delays[-1] if made.share else 0
    rules = np.array([made.limit, made.key, made.share, made.most_tries, span, made.until])
    conditions = (rules, np.array(made.outages, dtype=np.int64).reshape(-1, 4), np.array(made.delays))
    columns = np.array(start, np.int64), np.array(hold, np.int64), np.array(pool, np.int32)
    ports = np.array(made.ports)
    ring = np.zeros((len(ports), RING), np.int32)
    done = lose_seconds(*columns, ports, ring, conditions), lose_microseconds(*columns, ports, conditions)
    return [list(zip(*(column.tolist() for column in each), strict=True)) for each in done]


@FEW
@given(pools())
def test_ring_and_heap_do_what_a_process_a_call_does(given_: tuple[Pools, list[int], list[int], list[int]]) -> None:
    made, *calls = given_
    wanted = made.run(*calls)
    ring, heap = kernels_say(made, *calls)
    assert ring == wanted
    assert heap == wanted


def outcomes(made: Pools, start: list[int], hold: list[int]) -> list[int]:
    ring, heap = kernels_say(made, start, hold, [0] * len(start))
    assert ring == heap
    return [row[2] for row in ring]


def test_a_port_is_free_again_at_the_instant_a_call_ends() -> None:
    assert outcomes(Pools([1], 20), [0, 4, 5], [5, 1, 1]) == [CARRIED, BLOCKED, CARRIED]


def test_a_call_beyond_the_session_limit_is_cut_and_its_port_is_free() -> None:
    assert outcomes(Pools([1], 5), [0, 5, 6], [6, 5, 1]) == [CUT, CARRIED, BLOCKED]


def test_a_failing_pool_drops_its_calls_or_only_takes_no_more() -> None:
    start, hold = [0, 3, 10], [8, 1, 1]
    assert outcomes(Pools([2], 20, [(0, 2, 6, 1)]), start, hold) == [DROPPED, REFUSED, CARRIED]
    assert outcomes(Pools([2], 20, [(0, 2, 6, 0)]), start, hold) == [CARRIED, REFUSED, CARRIED]


def test_an_outage_after_the_last_arrival_still_drops() -> None:
    assert outcomes(Pools([1], 20, [(0, 7, 9, 1)]), [0], [20]) == [DROPPED]


def test_a_call_that_ends_as_the_pool_fails_has_ended() -> None:
    assert outcomes(Pools([1], 20, [(0, 5, 9, 1)]), [0], [5]) == [CARRIED]
