"""Every plain address has a key of its own, and what is kept by it follows every change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simbench.numbering.addresses import key_of
from simbench.numbering.subscribers import ABSENT, ELSEWHERE, REACHED, SubscriberBase
from tests.paris import PLAN


@given(st.lists(st.text("0123456789", min_size=1, max_size=16) | st.text(), unique=True))
def test_no_two_addresses_share_a_key(addresses: list[str]) -> None:
    assert len({key_of(address) for address in addresses}) == len(addresses)
    assert all(0 < key_of(address) < 1 << 64 for address in addresses)


def test_what_reaches_an_address_follows_every_change_in_every_spelling() -> None:
    base = SubscriberBase(PLAN)
    assert [base.reach(address) for address in ("33710000001", "33199000001", "0710000001")] == [
        REACHED, ELSEWHERE, REACHED,
    ]  # fmt: skip
    before = base.version
    base.detach("+33710000001")
    assert base.version != before
    for address in ("33710000001", "0710000001"):
        assert base.reaches.values[base.reaches.place(key_of(address))] == 0
        assert base.reach(address) == ABSENT
    base.restore()
    assert base.reach("33710000001") == REACHED
