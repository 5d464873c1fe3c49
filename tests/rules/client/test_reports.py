"""A client's reports on a message compared with the wire, by hand."""

from __future__ import annotations

import pytest

from simbench.ledger.stimuli import ReportKind
from tests.rules.scene import Scene, notice

PURPOSE = "reports.as-on-the-wire"
REFUSED = "N/06/no/"


def submitted_in_vain() -> Scene:
    return Scene().requested(0.8, "#00001").login(0.5).submit(1, 1, "#00001", answer=None)


def submitted(body: str = "") -> Scene:
    scene = submitted_in_vain()
    return scene.result(1.5, 1, body=body) if body else scene.result(1.5, 1)


@pytest.mark.parametrize(
    ("kind", "at", "expected"),
    [("accepted", 2, "pass"), ("accepted", 1.2, "fail"), ("refused", 2, "fail"), ("delivered", 2, "fail")],
)
def test_an_accepted_message_is_reported_as_such_once_it_is(kind: ReportKind, at: float, expected: str) -> None:
    found = submitted().reported(at, kind, "#00001").judged(PURPOSE)
    assert (found.outcome, found.blame) == (expected, "client" if expected == "fail" else "")


@pytest.mark.parametrize(("kind", "expected"), [("accepted", "fail"), ("refused", "pass"), ("undelivered", "pass")])
def test_a_refused_message_is_reported_as_refused(kind: ReportKind, expected: str) -> None:
    found = submitted(REFUSED).reported(2, kind, "#00001").judged(PURPOSE)
    assert found.outcome == expected
    if expected == "fail":
        assert found.evidence[0].note == "#00001 reported accepted; on the wire: N 06"


@pytest.mark.parametrize(("kind", "expected"), [("delivered", "pass"), ("undelivered", "fail")])
def test_a_final_status_is_that_of_the_notification(kind: ReportKind, expected: str) -> None:
    scene = submitted().wire(3, "out", notice(0, 0, 3))
    assert scene.reported(4, kind, "#00001").judged(PURPOSE).outcome == expected


def test_a_message_refused_and_then_accepted_was_both() -> None:
    scene = submitted(REFUSED).reported(2, "refused", "#00001").submit(3, 2, "#00001").reported(4, "accepted", "#00001")
    assert scene.judged(PURPOSE).outcome == "pass"


def test_what_the_client_decides_by_itself_is_not_compared() -> None:
    scene = (
        Scene().requested(0.8, "#00001").login(0.5).reported(1, "refused", "#00001").reported(1, "withheld", "#00001")
    )
    assert scene.judged(PURPOSE).outcome == "unsupported"


def test_a_report_on_a_message_that_was_never_submitted_is_named() -> None:
    found = Scene().requested(0.8, "#00001").login(0.5).reported(1, "accepted", "#00001").judged(PURPOSE)
    assert (found.outcome, found.measured) == ("fail", 1)


def test_a_report_on_a_message_of_another_exercise_does_not_count() -> None:
    assert submitted().reported(2, "accepted", "#00001").reported(2, "refused", "#0ZZZZ").judged(PURPOSE).measured == 0


@pytest.mark.parametrize(
    ("kind", "at", "expected"),
    [("accepted", 4, "pass"), ("delivered", 4, "pass"), ("undelivered", 4, "fail"), ("accepted", 2.5, "fail")],
)
def test_a_notification_shows_that_a_message_without_a_result_was_accepted(
    kind: ReportKind, at: float, expected: str
) -> None:
    """The recipient identifies the message, because the notification has no other message."""
    scene = submitted_in_vain().wire(3, "out", notice(0, 0, 3)).reported(at, kind, "#00001")
    assert scene.judged(PURPOSE).outcome == expected


def test_a_notification_of_another_message_shows_nothing_of_one_without_a_result() -> None:
    scene = submitted_in_vain().requested(0.9, "#00002").submit(1.1, 2, "#00002")
    scene.wire(3, "out", notice(0, 0, 3)).reported(4, "delivered", "#00001")
    assert scene.judged(PURPOSE).outcome == "fail"


def test_a_message_that_was_notified_and_got_no_result_is_not_lost() -> None:
    found = submitted_in_vain().outage(2, 2.5).login(3, session=2)
    assert found.judged("outage.nothing-lost").outcome == "fail"
    notified = submitted_in_vain().outage(2, 2.5).login(3, session=2).wire(4, "out", notice(0, 0, 3), session=2)
    assert notified.judged("outage.nothing-lost").outcome == "pass"


def test_one_notification_finds_one_of_two_messages_without_a_result() -> None:
    scene = submitted_in_vain().requested(0.9, "#00002").submit(1.1, 2, "#00002", answer=None).outage(2, 2.5)
    found = scene.login(3, session=2).wire(4, "out", notice(0, 0, 3), session=2).judged("outage.nothing-lost")
    assert (found.outcome, found.measured) == ("fail", 1)


def test_of_two_messages_with_one_number_the_result_names_the_accepted_one() -> None:
    other = "33639980099"
    scene = Scene().requested(0.8, "#00001").requested(0.8, "#00002").login(0.5)
    scene.submit(1, 7, "#00001", answer=None, AdC=other).submit(1.1, 7, "#00002", answer=None)
    scene.result(1.5, 7).reported(2, "accepted", "#00002")
    assert scene.judged(PURPOSE).outcome == "pass"


def test_a_result_that_names_another_message_of_that_number_confirms_nothing() -> None:
    scene = Scene().requested(0.8, "#00001").requested(0.8, "#00002").login(0.5)
    scene.submit(1, 7, "#00001", answer=None).submit(1.1, 7, "#00002", answer=None, AdC="33639980099")
    scene.result(1.5, 7).reported(2, "accepted", "#00002")
    assert scene.judged(PURPOSE).outcome == "fail"


def test_a_result_confirms_one_message_if_its_number_was_used_again_for_the_same_recipient() -> None:
    scene = Scene().requested(0.8, "#00001").requested(99, "#00002").login(0.5).submit(1, 1, "#00001", answer=None)
    scene.submit(100, 1, "#00002", answer=None).result(100.5, 1)
    both = scene.reported(101, "accepted", "#00001").reported(101, "accepted", "#00002")
    assert (both.judged(PURPOSE).outcome, both.judged(PURPOSE).measured) == ("fail", 1)


def test_two_results_of_one_instant_confirm_two_messages_with_one_number() -> None:
    scene = Scene().requested(0.8, "#00001").requested(0.8, "#00002").login(0.5).submit(1, 1, "#00001", answer=None)
    scene.submit(1.1, 1, "#00002", answer=None).result(1.5, 1).result(1.5, 1)
    both = scene.reported(2, "accepted", "#00001").reported(2, "accepted", "#00002")
    assert both.judged(PURPOSE).outcome == "pass"
