"""Sender names without their type, and logins that were not refused, by hand."""

from __future__ import annotations

import pytest

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from simbench.ucp.alphabet import encode_oadc
from tests.rules.scene import CODE, Scene, login

NAMES, AS_REQUESTED, ALLOTTED = "sender.sender-names", "sender.names-as-requested", "sender.allotted-codes"
SHORT_CODE = "sender.short-code-only"
EVERY, FIELDS, FIRST = "sessions.every-account", "submits.violations", "sessions.login-first"


def named(oadc: str, requested: str = "MARQUE", otoa: str = "", option: bool = True) -> Scene:
    scene = Scene().event(0, "account", CODE, oadc_option=option).requested(0.8, "#00001", oadc=requested).login(0.5)
    return scene.submit(1, 0, "#00001", answer=None, OAdC=oadc, OTOA=otoa).result(1.001, 0, body="N/02//")


@pytest.mark.parametrize("oadc", ["MARQUE", encode_oadc("MARQUE"), encode_oadc("MARQUE", "octets")])
def test_a_name_without_its_type_is_one_finding_on_its_field(oadc: str) -> None:
    scene = named(oadc)
    assert scene.judged(FIELDS).outcome == "fail"
    assert scene.judged(AS_REQUESTED).outcome == "pass"
    assert scene.judged(ALLOTTED).outcome == "inconclusive"  # no number shows which codes the client uses
    assert scene.judged(NAMES).outcome != "fail"


def test_a_name_without_its_type_is_still_the_name_that_was_requested_or_not() -> None:
    assert named("MARQ").judged(AS_REQUESTED).outcome == "fail"
    assert named("MARQUE LUXE", "MARQUE LUXE").judged(NAMES).outcome == "fail"
    assert named("ABBA", "ABBA").judged(AS_REQUESTED).outcome == "pass"  # hexadecimal digits, and a name


@pytest.mark.parametrize("oadc", ["", b"MARQUE".hex().upper()])
def test_an_originator_that_is_missing_or_broken_is_one_finding_as_well(oadc: str) -> None:
    scene = named(oadc)
    assert scene.judged(FIELDS).outcome == "fail"
    assert "fail" not in {scene.judged(one).outcome for one in (NAMES, ALLOTTED, SHORT_CODE)}


def test_digits_of_another_party_are_no_name() -> None:
    assert named("36999", CODE).judged(NAMES).outcome == "fail"
    assert Scene().login(0.5).submit(1, 0, OAdC="36999").judged(ALLOTTED).outcome == "fail"


def test_an_account_that_does_not_return_was_refused_nothing_and_the_finding_says_so() -> None:
    gone = Scene().login(0.5).wire(2, "close", b"smsc: dropped").event(70, "end", "exercise", exercise="by-hand")
    found = gone.judged(EVERY)
    assert (found.outcome, found.blame) == ("inconclusive", "client")
    assert "36010 did not return in the 68 s" in found.summary


def test_an_account_that_tried_again_or_left_by_itself_is_not_gone() -> None:
    tried = Scene().login(0.5).wire(2, "close", b"smsc: dropped").opened(5, 2).wire(5.1, "in", login(), 2)
    left = Scene().login(0.5).closed(2)
    for scene in (tried, left, Scene().login(0.5)):
        found = scene.event(70, "end", "exercise", exercise="by-hand").judged(EVERY)
        assert (found.outcome, found.blame) == ("inconclusive", "bench")


def test_a_wrong_password_fails_beside_a_login_that_the_platform_refuses_for_another_reason() -> None:
    both = Scene().login(0.5, answer="N/07//").opened(1, 2).login(1.1, 2, answer="N/04//")
    found = both.judged(FIRST)
    assert (found.outcome, found.blame, found.measured) == ("fail", "client", 1)
    assert Scene().login(0.5, answer="N/04//").judged(FIRST).outcome == "inconclusive"


def test_a_login_that_a_fault_of_the_platform_refuses_blames_nobody() -> None:
    refused = Scene().login(0.5, answer="N/07//")
    assert refused.judged(FIRST).outcome == "fail"
    found = refused.event(0.5, "fault", "login-refused", what="O/60", line=1).judged(FIRST)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")


def test_a_wrong_password_fails_although_another_fault_acts_on_the_connection() -> None:
    refused = Scene().login(0.5, answer="N/07//").event(0.5, "fault", "late-result", what="R/60", line=1)
    assert (refused.judged(FIRST).outcome, refused.judged(FIRST).blame) == ("fail", "client")
