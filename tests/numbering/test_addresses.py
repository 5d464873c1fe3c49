"""Every plain address has a key of its own, the same alone and in a column."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simbench.numbering.addresses import key_of, keys_of
from simbench.numbering.subscribers import ABSENT, ELSEWHERE, REACHED, SubscriberBase

DIGITS = st.integers(1, 16).flatmap(
    lambda size: st.lists(st.text("0123456789", min_size=size, max_size=size), min_size=1, max_size=20)
)


@given(DIGITS)
def test_a_column_of_addresses_has_the_keys_they_have_alone(digits: list[str]) -> None:
    keys, numbers = keys_of(np.array(digits, np.bytes_))
    assert keys.tolist() == [key_of(address) for address in digits]
    assert numbers.tolist() == [int(address) for address in digits]


@given(st.lists(st.text("0123456789", min_size=1, max_size=16) | st.text(), unique=True))
def test_no_two_addresses_share_a_key(addresses: list[str]) -> None:
    assert len({key_of(address) for address in addresses}) == len(addresses)
    assert all(0 < key_of(address) < 1 << 64 for address in addresses)


def test_standings_follow_every_change_in_every_spelling() -> None:
    base = SubscriberBase()
    written = np.array([b"33710000001", b"33639980001", b"33199000001"])
    national = np.array([b"0710000001"])
    assert base.standings(written, keys_of(written)[0]).tolist()[::2] == [REACHED, ELSEWHERE]
    assert base.standings(national, keys_of(national)[0]).tolist() == [REACHED]
    before = base.version
    base.detach("+33710000001")
    assert base.version != before
    assert base.standings(written, keys_of(written)[0]).tolist()[0] == ABSENT
    assert base.standings(national, keys_of(national)[0]).tolist() == [ABSENT]
    base.restore()
    assert base.standings(written, keys_of(written)[0]).tolist()[0] == REACHED
