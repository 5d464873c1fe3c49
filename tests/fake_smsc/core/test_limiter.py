from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_smsc.core.limiter import Limiter
from fake_smsc.core.records import Limit
from simbench.base.units import SECOND_US

TIERS = (10, 20, 50, 100, 150)


def limiter(rate: int, mode: str = "delay", hold_s: int = 20) -> Limiter:
    return Limiter(Limit(rate, mode, jitter_us=50_000, max_hold_us=hold_s * SECOND_US))  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", TIERS)
def test_a_backlog_conforms_at_exactly_the_rate(rate: int) -> None:
    meter = limiter(rate, hold_s=10**6)
    due = [meter.offer(0, 1) for _ in range(60 * rate)]
    assert (len(due) - rate) * SECOND_US / (due[-1] - due[rate - 1]) == rate
    assert all(later - earlier >= SECOND_US for earlier, later in zip(due, due[rate:], strict=False))


@pytest.mark.parametrize("rate", TIERS)
def test_pacing_exactly_on_the_tier_is_never_late(rate: int) -> None:
    meter = limiter(rate, "nack")
    assert all(meter.offer(n * SECOND_US // rate, 1) == n * SECOND_US // rate for n in range(60 * rate))


def test_jitter_within_tau_is_admitted_and_does_not_accumulate() -> None:
    meter = limiter(10, "nack")
    admitted = [meter.offer(n * SECOND_US // 10 - (40_000 if n % 2 else 0), 1) for n in range(1, 6000)]
    assert -1 not in admitted


def test_one_percent_too_fast_is_refused_before_a_minute_is_over() -> None:
    meter = limiter(10, "nack")
    assert -1 in [meter.offer(int(n * SECOND_US / 10.1), 1) for n in range(600)]


def test_refused_operations_do_not_advance_the_ring() -> None:
    meter = limiter(10, "nack")
    for _ in range(10):
        assert meter.offer(0, 1) == 0
    assert [meter.offer(500_000, 1) for _ in range(50)] == [-1] * 50
    assert meter.offer(SECOND_US, 1) == SECOND_US


def test_delay_holds_no_longer_than_its_limit() -> None:
    meter = limiter(10, hold_s=2)
    due = [meter.offer(0, 1) for _ in range(40)]
    assert due[:30] == [second * SECOND_US for second in (0, 1, 2) for _ in range(10)]
    assert due[30:] == [-1] * 10


def test_every_segment_counts() -> None:
    whole, parts = limiter(10, hold_s=100), limiter(10, hold_s=100)
    for _ in range(20):
        assert whole.offer(0, 3) == [parts.offer(0, 1) for _ in range(3)][-1]


def test_a_message_of_more_segments_than_the_rate_waits_for_its_last_one() -> None:
    assert limiter(10, hold_s=100).offer(0, 25) == 2 * SECOND_US


@given(
    st.lists(st.tuples(st.integers(0, 3 * SECOND_US), st.integers(1, 4)), max_size=200),
    st.sampled_from(TIERS),
)
def test_no_sliding_second_contains_more_than_the_rate_for_any_offered_traffic(
    gaps: list[tuple[int, int]], rate: int
) -> None:
    meter, now, admitted = limiter(rate, hold_s=10**6), 0, []
    for gap, segments in gaps:
        now += gap
        admitted += [meter.offer(now, 1) for _ in range(segments)]
    assert all(later - earlier >= SECOND_US for earlier, later in zip(admitted, admitted[rate:], strict=False))


def test_after_a_tier_change_admitted_operations_still_count() -> None:
    meter = limiter(20)
    for _ in range(20):
        meter.offer(0, 1)
    slower = meter.retuned(Limit(10, "delay", max_hold_us=20 * SECOND_US), 500_000)
    assert slower.offer(500_000, 1) == SECOND_US
    faster = meter.retuned(Limit(50, "delay", max_hold_us=20 * SECOND_US), 500_000)
    assert [faster.offer(500_000, 1) for _ in range(31)] == [500_000] * 30 + [SECOND_US]
