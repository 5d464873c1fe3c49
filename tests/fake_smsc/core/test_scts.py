"""A stamp is the same whether it is asked for alone or among many."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fake_smsc.core.scts import SctsAllocator
from simbench.base.units import SECOND_US
from simbench.numbering.addresses import key_of

START_S = 1_772_445_600
ROUNDS = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.integers(0, 9), min_size=1, max_size=8, unique=True)), max_size=12
)


@given(ROUNDS, st.integers(1, 3))
def test_many_at_once_get_the_stamps_they_get_one_by_one(rounds: list[tuple[int, list[int]]], ahead_s: int) -> None:
    alone, together, second = SctsAllocator(ahead_s), SctsAllocator(ahead_s), START_S
    for passed, who in rounds:
        second += passed
        recipients = [f"3363998000{number}" for number in who]
        one_by_one = []
        for recipient in recipients:
            stamp = alone.take("36010", recipient, second * SECOND_US)
            if stamp < 0:
                break
            one_by_one.append(stamp)
        keys = np.array([key_of(recipient) for recipient in recipients], np.uint64)
        assert together.take_many("36010", keys, second * SECOND_US).tolist() == one_by_one


def test_stamps_of_a_quarter_million_recipients_are_forgotten_when_they_bind_nobody() -> None:
    stamps, keys = SctsAllocator(10), np.arange(1, 250_001, dtype=np.uint64)
    stamps.take_many("36010", keys, START_S * SECOND_US)
    assert stamps.take_many("36010", keys[:5], (START_S + 1) * SECOND_US).tolist() == [START_S + 1] * 5
    assert stamps.take_many("36010", keys[:5], (START_S + 1) * SECOND_US).tolist() == [START_S + 2] * 5
    assert stamps._last["36010"].count == 5
