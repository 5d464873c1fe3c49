"""Rates and margins: what the bench's own lateness excuses, and where; what is offered, granted and used. By hand."""

from __future__ import annotations

import pytest

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from tests.rules.scene import Scene, paced, submit, us

AT_TIER = "rate.backlog-at-tier"


def ten_and_one_early(ms: float = 100, start: float = 1.0, scene: Scene | None = None) -> Scene:
    """Ten at once, and an eleventh so much less than a second later."""
    scene = scene or Scene().requested(0, "#00001").login(0.5)
    first = 0 if start < 5 else 20
    for number in range(10):
        scene.submit(start, first + number)
    return scene.submit(start + 1 - ms / 1000, first + 10)


def test_nothing_submitted_is_the_clients_affair_and_nothing_asked_the_benchs() -> None:
    assert Scene().requested(0, "#00001").login(1).judged(AT_TIER).blame == "client"
    assert Scene().login(1).judged(AT_TIER).blame == "bench"


@pytest.mark.parametrize(
    ("grain_ms", "outcome"), [(0, "fail"), (49.999, "fail"), (50, "inconclusive"), (200, "inconclusive")]
)
def test_lateness_of_the_bench_that_covers_the_margin_makes_it_inconclusive(grain_ms: float, outcome: str) -> None:
    """A hundred milliseconds early, fifty of which are tau: another fifty could have been the bench's."""
    found = ten_and_one_early(100).late(1.9, 1.95, grain_ms).judged(AT_TIER)
    assert (found.outcome, found.blame) == (outcome, "bench" if outcome == "inconclusive" else "client")


@pytest.mark.parametrize("instant", [0.5, 30.0])
def test_lateness_of_the_bench_elsewhere_excuses_nothing(instant: float) -> None:
    assert ten_and_one_early(100).late(instant, instant + 0.3, 500).judged(AT_TIER).outcome == "fail"


def test_where_the_bench_was_late_is_excused_and_the_rest_fails() -> None:
    scene = ten_and_one_early(100, 9, ten_and_one_early(100)).late(1.9, 1.95, 500)
    found = scene.judged(AT_TIER)
    assert (found.outcome, found.measured) == ("fail", 1)
    assert {(one.start, one.end) for one in found.evidence} == {(us(8.9), us(9.9))}
    assert scene.late(9.9, 9.95, 500).judged(AT_TIER).outcome == "inconclusive"


def test_the_bench_cannot_turn_a_pass_into_anything_else() -> None:
    assert ten_and_one_early(50).late(0, 60, 5000).judged(AT_TIER).outcome == "pass"


def test_after_an_outage_lateness_counts_only_where_it_was() -> None:
    purpose = "rate.after-reconnection"
    scene = ten_and_one_early(100, 9).outage(2, 5)
    assert scene.judged(purpose).outcome == "fail"
    assert scene.late(8, 8.1, 500).late(6, 6.1, 900).event(20, "end", "").judged(purpose).outcome == "fail"
    found = scene.late(9.5, 9.6, 500).judged(purpose)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")


def test_every_segment_counts_against_the_rate() -> None:
    long = "41" * 200  # more than one segment holds, in one operation
    scene = Scene().requested(0, "#00001").login(0.5)
    for number in range(6):
        scene.submit(1, number, Msg=long)
    assert scene.judged(AT_TIER).measured == 1


def test_falling_short_of_what_is_paid_for_is_only_weak() -> None:
    purpose = "rate.uses-its-tier"
    for rate, outcome in ((9.6, "pass"), (9.4, "weak")):
        scene = Scene().login(0.5)
        for number, at in enumerate(paced(rate, 120)):
            scene.submit(at, number % 100)
        assert scene.judged(purpose).outcome == outcome


def offered(per_s: float, granted_per_s: float) -> Scene:
    """Three hundred operations, results at a pace of their own."""
    scene = Scene().login(0.5)
    for number, at in enumerate(paced(per_s, 300)):
        answered = max(at + 0.001, 1.001 + number / granted_per_s)
        scene.wire(at, "in", submit(number % 100)).result(answered, number % 100)
    return scene


def test_the_platform_grants_the_tier_only_where_it_was_offered() -> None:
    purpose = "rate.tier-granted"
    assert offered(10, 10).judged(purpose).outcome == "pass"
    slow = offered(10, 9).judged(purpose)
    assert (slow.outcome, slow.blame) == ("fail", "platform")
    idle = offered(9, 10).judged(purpose)
    assert (idle.outcome, idle.blame) == ("inconclusive", "client")
    few = Scene().login(1).submit(2, 1).judged(purpose)
    assert (few.outcome, few.blame) == ("inconclusive", "client")


def test_results_the_bench_wrote_late_are_not_held_against_the_platform() -> None:
    scene = offered(10, 9).late(0, 60, 5000)
    assert scene.judged("rate.tier-granted").outcome == "inconclusive"


USES = "rate.uses-its-tier"


@pytest.mark.parametrize(("every_s", "outcome", "blame"), [(0.0, "weak", "client"), (0.2, "inconclusive", "bench")])
def test_a_client_that_is_handed_less_than_its_tier_is_not_blamed_for_sending_less(
    every_s: float, outcome: str, blame: str
) -> None:
    scene = Scene().login(0.5)
    for number in range(100):
        scene.requested(1 + every_s * number, f"#{number:05d}").submit(1.1 + 0.2 * number, number)
    found = scene.judged(USES)
    assert (found.outcome, found.blame) == (outcome, blame)
    assert ("requested at 5.1/s" in found.summary) == bool(every_s)
    assert ("no backlog" in scene.judged(AT_TIER).summary) == bool(every_s)
