from __future__ import annotations

from simbench.client import receipts as r
from tests.paris import PLAN

NUMBER, STAMP = "33639980001", "150626100001"
DELIVERED = r.Notification(r.DELIVERED, "000")


def awaited(ref: str, at: int = 0) -> r.Awaited:
    return r.Awaited(ref, 1, at)


def test_two_segments_under_one_key_are_matched_in_turn() -> None:
    receipts = r.Receipts(PLAN)
    receipts.expect(NUMBER, STAMP, awaited("a"))
    receipts.expect(NUMBER, STAMP, awaited("b"))
    matched = [receipts.match(NUMBER, STAMP, DELIVERED) for _ in range(3)]
    assert matched == [("matched", awaited("a")), ("matched", awaited("b")), ("duplicate", None)]


def test_a_result_without_a_time_stamp_awaits_nothing() -> None:
    receipts = r.Receipts(PLAN)
    receipts.expect(NUMBER, "", awaited("a"))
    assert len(receipts) == 0


def test_what_is_never_notified_is_forgotten_in_the_end() -> None:
    receipts = r.Receipts(PLAN)
    receipts.expect(NUMBER, STAMP, awaited("a"))
    receipts.expect(NUMBER, "150626100002", awaited("b", r.LIFE_US + 1))
    assert receipts.match(NUMBER, STAMP, DELIVERED) == ("unknown", None)
    assert len(receipts) == 1


def test_memory_for_strangers_is_bounded() -> None:
    receipts = r.Receipts(PLAN)
    for number in range(2 * r.EARLY):
        receipts.match(NUMBER, f"{number:012d}", DELIVERED)
    assert receipts.expect(NUMBER, "0" * 12, awaited("a")) is None
    assert receipts.expect(NUMBER, f"{2 * r.EARLY - 1:012d}", awaited("b")) == DELIVERED
    assert receipts.unknown == 2 * r.EARLY - 1
