"""Time stamps for one recipient are unique, and are removed once they are in the past."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_smsc.core import scts as module
from fake_smsc.core.scts import SctsAllocator
from simbench.base.units import SECOND_US

START_S = 1_772_445_600
REQUESTS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["a", "b"]), st.integers(0, 3)), max_size=60)


@given(REQUESTS, st.integers(1, 3))
def test_no_account_gives_a_recipient_a_stamp_twice_or_far_ahead(
    requests: list[tuple[int, str, int]], ahead_s: int
) -> None:
    stamps, second, taken = SctsAllocator(ahead_s), START_S, list[tuple[str, int, int]]()
    for passed, account, who in requests:
        second += passed
        stamp = stamps.take(account, f"3363998000{who}", second * SECOND_US)
        last = max((at for name, number, at in taken if (name, number) == (account, who)), default=0)
        if stamp < 0:
            assert last >= second + ahead_s
        else:
            assert stamp == max(second, last + 1)
            taken.append((account, who, stamp))


def test_stamps_are_removed_once_they_are_in_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PRUNE_AT", 1_000)
    stamps = SctsAllocator(10)
    stamps._prune_at = 1_000
    for number in range(1_001):
        stamps.take("36010", f"{33_710_000_000 + number}", START_S * SECOND_US)
    recipients = [f"{33_710_000_000 + number}" for number in range(5)]
    later = (START_S + 1) * SECOND_US
    assert [stamps.take("36010", each, later) for each in recipients] == [START_S + 1] * 5
    assert [stamps.take("36010", each, later) for each in recipients] == [START_S + 2] * 5
    assert stamps.last.count == 5
