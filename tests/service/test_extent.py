"""How much of a ledger one request may take."""

from __future__ import annotations

import pytest

from simbench.ledger import MemoryLedger
from simbench.service import extent
from simbench.service.extent import following, latest


def filled(rows: int, octets: int) -> MemoryLedger:
    """A ledger with so many reads of so many octets."""
    ledger = MemoryLedger()
    for number in range(rows):
        ledger.wire.append((number, 1, "in", bytes(octets)))
    return ledger


@pytest.mark.parametrize(("rows", "size"), [(5_000, 10), (3_000, 50_000), (50, 10), (0, 10)])
@pytest.mark.parametrize(("most_rows", "most_octets"), [(1_000, 10**9), (10**6, 2_000_000), (10**6, 10**9)])
def test_the_latest_rows_are_as_many_as_rows_and_octets_allow(
    rows: int, size: int, most_rows: int, most_octets: int
) -> None:
    first = latest(filled(rows, size), "wire", "octets", most_rows, most_octets)
    taken = rows - first
    assert taken <= most_rows
    assert taken * size <= most_octets
    assert taken == min(rows, most_rows) or (taken + extent.PIECE_ROWS[1]) * (size + 16) > most_octets


@pytest.mark.parametrize("first", [0, 7, 4_999, 5_000, 6_000])
def test_following_rows_are_given_in_their_order_until_they_are_enough(first: int) -> None:
    ledger = filled(5_000, 1_000)
    whole = following(ledger, "wire", first, ["at", "octets"], (10**6, 10**9))
    assert whole.column("at").to_pylist() == list(range(first, 5_000))
    assert (
        following(ledger, "wire", first, ["at"], (150, 10**9)).column("at").to_pylist()
        == list(range(first, 5_000))[:150]
    )
    some = following(ledger, "wire", first, ["at", "octets"], (10**6, 500_000))
    assert some.nbytes < 500_000 + extent.PIECE_OCTETS + 100 * 1_100
    assert some.column("at").to_pylist() == list(range(first, 5_000))[: some.num_rows]
    assert some.num_rows or first >= 5_000
