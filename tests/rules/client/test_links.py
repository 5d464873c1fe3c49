"""Connections over time, by hand: numbers in order, and a window that is full for good."""

from __future__ import annotations

from tests.rules.scene import Scene, alert, us

IN_ORDER, FREED = "submits.trn-in-order", "sessions.window-freed"
TIMER_S = 60  # the contract's


def numbered(*trns: int) -> Scene:
    scene = Scene().login(0.5)
    for place, trn in enumerate(trns):
        scene.submit(1 + place, trn)
    return scene


def test_numbers_follow_one_another_round_the_clock() -> None:
    assert numbered(98, 99, 0, 1).judged(IN_ORDER).outcome == "pass"
    found = numbered(98, 99, 1, 2).judged(IN_ORDER)
    assert (found.outcome, found.measured, found.evidence[0].start) == ("weak", 1, us(3))


def test_a_number_still_in_use_may_be_left_out() -> None:
    scene = Scene().login(0.5).submit(1, 0, answer=None)
    for place, trn in enumerate((*range(1, 100), 1)):
        scene.submit(2 + place, trn)
    assert scene.judged(IN_ORDER).outcome == "pass"


def test_keepalives_have_numbers_of_the_same_row() -> None:
    scene = Scene().login(0.5).submit(1, 0).wire(2, "in", alert(1)).submit(3, 2)
    assert scene.judged(IN_ORDER).outcome == "pass"


def full(places: int = 10) -> Scene:
    scene = Scene().login(0.5)
    for number in range(places):
        scene.submit(1 + number / 10, number, answer=None)
    return scene


def test_a_client_that_reconnects_after_its_result_timer_goes_on() -> None:
    scene = full().closed(61).login(62, 2).submit(63, 0, session=2)
    assert (scene.judged(FREED).outcome, scene.judged(FREED).measured) == ("pass", 59.1)


def test_a_client_that_sends_nothing_more_is_stuck() -> None:
    found = full().event(200, "end", "exercise", exercise="by-hand").judged(FREED)
    assert (found.outcome, found.blame, found.evidence[0].start) == ("fail", "client", us(1.9))


def test_a_record_that_ends_early_proves_nothing() -> None:
    assert full().event(1.9 + TIMER_S, "end", "exercise", exercise="by-hand").judged(FREED).outcome == "inconclusive"


def test_a_window_with_a_place_left_is_not_full() -> None:
    assert full(9).event(200, "end", "exercise", exercise="by-hand").judged(FREED).outcome == "inconclusive"
