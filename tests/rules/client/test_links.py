"""Connections over time, by hand: numbers in order, and a window that is full for good."""

from __future__ import annotations

import pytest

from tests.rules.scene import Scene, alert, submit, us

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


BROKEN = {"fields": submit(20, NRq="9"), "checksum": submit(20)[:-3] + b"ZZ" + submit(20)[-1:]}


@pytest.mark.parametrize("broken", BROKEN)
def test_the_number_of_a_faulty_operation_without_a_result_is_in_use(broken: str) -> None:
    """55 numbers wait for a result, one of them of a faulty operation; the next free number is then 55."""
    for first_free, outcome in ((55, "pass"), (56, "weak")):
        scene = Scene().login(0.5)
        for number in range(100):
            if number == 20:
                scene.wire(1.2, "in", BROKEN[broken])
            else:
                scene.submit(1 + number / 100, number, answer=0.005 if number >= 55 else None)
        assert scene.submit(3, first_free).judged("submits.trn-discipline").outcome == outcome


@pytest.mark.parametrize("broken", BROKEN)
def test_a_faulty_operation_takes_its_number_whether_it_is_refused_or_not(broken: str) -> None:
    for refused in (True, False):
        scene = Scene().login(0.5).submit(1, 19).wire(2, "in", BROKEN[broken]).submit(3, 21)
        if refused:
            scene.result(2.1, 20, body="N/02//")
        assert scene.judged(IN_ORDER).outcome == "pass"
        assert scene.submit(4, 23).judged(IN_ORDER).measured == 1


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
