"""Window, duplicates and losses: what shows that a result was received, and what leaves it in doubt. By hand."""

from __future__ import annotations

import pytest

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from simbench.ledger.stimuli import ReportKind
from tests.rules.scene import CODE, Scene, us

WINDOW = "sessions.window"
DUPLICATES = "outage.no-duplicates"
LOST = "outage.nothing-lost"


# The window ------------------------------------------------------------------------------------------------------


def test_the_window_may_be_full_and_not_more() -> None:
    full, over = Scene().login(0.5), Scene().login(0.5)
    for number in range(10):
        full.submit(1 + number / 10, number, answer=None)
        over.submit(1 + number / 10, number, answer=None)
    assert full.judged(WINDOW).outcome == "pass"
    found = over.submit(2, 10, answer=None).judged(WINDOW)
    assert (found.outcome, found.measured) == ("fail", 11)


def test_a_number_in_use_is_one_breach_and_takes_no_place() -> None:
    scene = Scene().login(0.5).submit(1, 1, answer=None).submit(1.1, 1, answer=None).result(1.2, 1)
    found = scene.submit(2, 1).submit(3, 1).judged(WINDOW)
    assert (found.outcome, len(found.evidence), found.measured) == ("fail", 1, 1)


# Duplicates and losses -------------------------------------------------------------------------------------------


def again(scene: Scene, at: float = 50) -> Scene:
    """The first message once more, on a new connection."""
    return scene.closed(at - 1).login(at - 0.5, 2).submit(at, 1, "#00001", session=2)


def first_accepted() -> Scene:
    return Scene().login(0.5).submit(1, 1, "#00001")


def test_a_result_that_nothing_shows_to_have_arrived_is_in_doubt_and_may_be_repeated() -> None:
    found = again(first_accepted()).judged(DUPLICATES)
    assert found.outcome == "pass"
    assert found.summary == "1 accepted, 0 repeated after a received result, 1 in doubt"


def test_using_the_number_again_shows_that_the_result_arrived() -> None:
    found = again(first_accepted().submit(2, 1, "#00002")).judged(DUPLICATES)
    assert (found.outcome, found.measured, found.blame) == ("fail", 1, "client")
    assert [(one.start, one.session) for one in found.evidence] == [(us(50), 2)]


def test_using_the_number_before_its_result_was_written_shows_nothing() -> None:
    scene = Scene().login(0.5).submit(1, 1, "#00001", answer=3).submit(2, 1, "#00002", answer=None)
    assert again(scene).judged(DUPLICATES).outcome == "pass"


def test_using_the_number_on_another_connection_shows_nothing() -> None:
    scene = first_accepted().closed(2).login(3, 2).submit(4, 1, "#00002", session=2)
    assert scene.submit(50, 2, "#00001", session=2).judged(DUPLICATES).outcome == "pass"


def test_a_report_shows_that_the_result_arrived_from_then_on() -> None:
    assert again(first_accepted().reported(2, "accepted", "#00001")).judged(DUPLICATES).outcome == "fail"
    assert again(first_accepted().reported(51, "accepted", "#00001")).judged(DUPLICATES).outcome == "pass"


@pytest.mark.parametrize(("more", "outcome"), [(9, "pass"), (10, "fail")])
def test_a_window_that_only_its_result_could_have_freed_shows_that_it_arrived(more: int, outcome: str) -> None:
    """With nine more the window of ten is full; the tenth needs the place of the one result there is."""
    scene = first_accepted()
    for number in range(more):
        scene.submit(2 + number / 10, 2 + number, f"#000{10 + number}", answer=None)
    assert again(scene).judged(DUPLICATES).outcome == outcome


def test_of_two_results_the_one_written_first_is_the_one_that_freed_the_window() -> None:
    """The first message is answered late: the place that was used is that of the second."""
    scene = Scene().login(0.5).submit(1, 1, "#00001", answer=0.8).submit(1.1, 2, "#00002", answer=0.1)
    for number in range(9):
        scene.submit(2 + number / 10, 3 + number, f"#000{10 + number}", answer=None)
    found = again(scene).submit(51, 2, "#00002", session=2).judged(DUPLICATES)
    assert (found.outcome, found.measured) == ("fail", 1)
    assert found.evidence[0].start == us(51)


def test_a_repetition_that_is_known_received_itself_may_not_be_repeated() -> None:
    """The first result stays in doubt, that of the allowed repetition does not."""
    scene = again(first_accepted()).submit(51, 1, "#00002", session=2)
    found = scene.submit(60, 3, "#00001", session=2).judged(DUPLICATES)
    assert (found.outcome, found.measured) == ("fail", 1)
    assert found.evidence[0].start == us(60)


def test_what_was_refused_may_come_again() -> None:
    scene = Scene().login(0.5).submit(1, 1, "#00001", answer=None).result(1.1, 1, body="N/04/later/")
    found = scene.submit(2, 1, "#00001").judged(DUPLICATES)
    assert found.summary == "1 accepted, 0 repeated after a received result, 0 in doubt"


def test_parts_of_one_message_and_other_recipients_are_no_repetition() -> None:
    scene = first_accepted().reported(1.1, "accepted", "#00001").submit(2, 2, "#00001", AdC="33710000002")
    assert scene.judged(DUPLICATES).summary == "2 accepted, 0 repeated after a received result, 0 in doubt"


@pytest.mark.parametrize("parted", ["outage", "code outage", "drop"])
def test_losses_are_judged_once_anything_could_have_parted_message_and_result(parted: str) -> None:
    scene = Scene().requested(0.8, "#00001").requested(0.9, "#00002").login(0.5).submit(1, 1, "#00001")
    found = scene.judged(LOST)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")
    if parted == "outage":
        scene.outage(2, 3)
    elif parted == "drop":
        scene.drop(2)
    else:
        scene.event(2, "outage", CODE, mode="cut")
    found = scene.judged(LOST)
    assert (found.outcome, found.measured) == ("fail", 1)
    assert [one.start for one in found.evidence] == [us(0.9)]
    assert scene.submit(60, 2, "#00002").judged(LOST).outcome == "pass"


@pytest.mark.parametrize("kind", ["withheld", "refused"])
def test_a_message_that_the_client_withholds_is_not_lost(kind: ReportKind) -> None:
    scene = Scene().requested(0.9, "#00001").login(0.5).drop(2)
    assert scene.judged(LOST).outcome == "fail"
    assert scene.reported(3, kind, "#00001").judged(LOST).outcome == "pass"


def test_a_final_refusal_may_not_be_tried_again_and_a_passing_one_may() -> None:
    purpose = "recipients.final-refusals"
    for ec, outcome in (("06", "fail"), ("04", "unsupported")):
        scene = Scene().login(0.5).submit(1, 1, "#00001", answer=None).result(1.1, 1, body=f"N/{ec}/no/")
        assert scene.submit(5, 1, "#00001").judged(purpose).outcome == outcome
