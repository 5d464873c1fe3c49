"""A message's number is the same whether it is asked for alone or among many."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fake_smsc.core.message_id import MessageIds
from simbench.base.units import DAY_US

MESSAGES = st.lists(
    st.tuples(st.integers(0, 10**16 - 1).map(str), st.sampled_from(["", "41", "42"])),
    min_size=1, unique_by=lambda message: message[0],
)  # fmt: skip


@given(MESSAGES, st.integers(1, 3))
def test_many_at_once_get_the_numbers_they_get_one_by_one(messages: list[tuple[str, str]], days: int) -> None:
    alone, together = MessageIds(DAY_US), MessageIds(DAY_US)
    for now in range(0, days * DAY_US // 2, DAY_US // 2):
        one_by_one = [alone.take("36010", recipient, text, now) for recipient, text in messages]
        recipients = np.array([int(recipient) for recipient, _ in messages], np.uint64)
        texts = [text for _, text in messages]
        assert together.take_many("36010", recipients, texts, now).tolist() == one_by_one
        assert all(0 <= number < 1 << 63 for number in one_by_one)


def test_a_repeated_message_gets_another_number_and_the_next_day_the_same_ones() -> None:
    message_ids = MessageIds(DAY_US)
    first = [message_ids.take("36010", "33710000001", "41", 0) for _ in range(3)]
    assert len(set(first)) == 3
    assert [message_ids.take("36010", "33710000001", "41", DAY_US) for _ in range(3)] == first
