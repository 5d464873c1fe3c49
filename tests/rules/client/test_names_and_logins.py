"""Sender names without their type, and logins that were not refused, by hand."""

from __future__ import annotations

import pytest

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from simbench.ucp.alphabet import encode_oadc
from simbench.ucp.frame import encode
from simbench.ucp.operations import build
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
    found = refused.event(0.501, "fault", "login-refused", what="O/60", line=1).judged(FIRST)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")


def test_a_wrong_password_fails_although_another_fault_acts_on_the_connection() -> None:
    refused = Scene().login(0.5, answer="N/07//").event(0.5, "fault", "late-result", what="R/60", line=1)
    assert (refused.judged(FIRST).outcome, refused.judged(FIRST).blame) == ("fail", "client")


def test_a_wrong_password_fails_after_a_fault_refused_an_earlier_login_of_the_connection() -> None:
    refused = Scene().login(0.5, answer="N/07//").event(0.501, "fault", "login-refused", what="O/60", line=1)
    again = build("60", "O", 1, OAdC=CODE, OTON="6", ONPI="5", STYP="1", PWD=b"wrong".hex(), VERS="0100")
    assert refused.wire(2, "in", again).wire(2.1, "out", answered("N/07//", 1)).judged(FIRST).outcome == "fail"


def test_a_login_to_a_closed_account_blames_nobody_and_before_its_closing_the_client() -> None:
    refused = Scene().login(1.5, answer="N/07//")
    found = refused.event(1, "account", CODE, state="closed").judged(FIRST)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")
    assert found.summary == "1 of 1 login refused with EC 07; account 36010 is closed"
    later = Scene().login(0.5, answer="N/07//").event(1, "account", CODE, state="closed")
    assert later.judged(FIRST).outcome == "fail"
    reopened = refused.event(1.2, "account", CODE, state="active")
    assert reopened.judged(FIRST).outcome == "fail"


def test_an_account_that_the_scenario_does_not_have_is_the_clients_mistake_only_in_an_exercise() -> None:
    unknown = Scene().login(0.5, answer="N/07//", account="36020")
    found = unknown.judged(FIRST)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")
    assert found.summary.endswith("; no account of the scenario has this name")
    assert unknown.event(9, "end", "exercise", exercise="by-hand").judged(FIRST).outcome == "fail"


def change(trn: int, old: str = "secret", new: str = "changed") -> bytes:
    passwords = {"PWD": old.encode().hex().upper(), "NPWD": new.encode().hex().upper()}
    return build("60", "O", trn, OAdC=CODE, OTON="6", ONPI="5", STYP="3", VERS="0100", **passwords)


def tried(scene: Scene, at: float, session: int, password: str, answer: str) -> Scene:
    octets = build("60", "O", 0, OAdC=CODE, OTON="6", ONPI="5", STYP="1", PWD=password.encode().hex(), VERS="0100")
    scene.opened(at, session).wire(at + 0.1, "in", octets, session)
    return scene.wire(at + 0.2, "out", answered(answer), session)


def answered(answer: str, trn: int = 0) -> bytes:
    return encode(trn, "R", "60", answer)


def test_a_password_that_the_platform_had_accepted_and_refuses_later_blames_nobody() -> None:
    changed = Scene().login(0.5).wire(1, "in", change(1)).wire(1.1, "out", answered("A//", 1)).closed(2)
    lost = tried(changed, 3, 2, "changed", "N/07//").judged(FIRST)
    assert (lost.outcome, lost.blame) == ("inconclusive", "bench")
    assert "the platform had accepted this password before" in lost.summary


@pytest.mark.parametrize("answer", ["A//", "N/19//"])
def test_a_client_that_uses_another_password_than_the_one_accepted_last_fails(answer: str) -> None:
    changed = Scene().login(0.5).wire(1, "in", change(1)).wire(1.1, "out", answered(answer, 1)).closed(2)
    wrong = "secret" if answer == "A//" else "changed"
    assert tried(changed, 3, 2, wrong, "N/07//").judged(FIRST).outcome == "fail"


@pytest.mark.parametrize("password", ["secret", "changed"])
def test_after_a_change_without_a_result_both_passwords_may_be_the_right_one(password: str) -> None:
    changed = Scene().login(0.5).wire(1, "in", change(1)).wire(1.5, "close", b"server: killed")
    found = tried(changed, 3, 2, password, "N/07//").judged(FIRST)
    assert found.outcome == "inconclusive"
    assert tried(changed, 4, 3, "another", "N/07//").judged(FIRST).outcome == "fail"


def test_a_wrong_password_that_the_bench_gave_blames_nobody() -> None:
    given = Scene().event(0.1, "account", CODE, password_known=False).login(0.5, answer="N/07//")
    assert given.judged(FIRST).outcome == "inconclusive"


SUSPENDED = "sessions.suspended"


def test_a_platform_may_accept_an_account_again_after_its_suspension() -> None:
    scene = Scene().login(0.5).event(1, "account", CODE, state="suspended").event(3, "account", CODE, state="active")
    assert scene.submit(4, 1).judged(SUSPENDED).outcome == "inconclusive"
    found = scene.submit(2, 2).judged(SUSPENDED)
    assert (found.outcome, found.blame, found.measured) == ("fail", "platform", 1)


def test_each_suspension_of_an_account_is_judged() -> None:
    scene = Scene().login(0.5).event(1, "account", CODE, state="suspended").submit(2, 1)
    scene.event(3, "account", CODE, state="suspended").submit(4, 2, answer=None).result(4.1, 2, body="N/04//")
    found = scene.judged(SUSPENDED)
    assert (found.outcome, found.measured) == ("fail", 1)


def test_a_suspended_account_is_refused_for_a_wrong_password_as_well() -> None:
    scene = Scene().event(0.1, "account", CODE, state="suspended").login(0.5, answer="N/07//")
    assert scene.judged(SUSPENDED).outcome == "pass"
    assert Scene().event(0.1, "account", CODE, state="suspended").login(0.5).judged(SUSPENDED).outcome == "fail"


def test_an_account_that_is_suspended_at_the_end_need_not_be_connected() -> None:
    scene = Scene().login(0.5, answer="N/04//").event(0.1, "account", CODE, state="suspended")
    found = scene.judged(EVERY)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")
    assert found.summary == "no account could be connected at the end of the run"
    assert scene.event(3, "account", CODE, state="active").judged(EVERY).outcome == "fail"


@pytest.mark.parametrize(("account", "outcome"), [(CODE, "pass"), ("36020", "inconclusive")])
def test_a_login_without_a_result_leaves_the_account_of_its_session_open(account: str, outcome: str) -> None:
    """As in a capture of one direction."""
    scene = Scene().opened(0.5).wire(0.6, "in", login(account)).submit(1, 1, answer=None)
    assert scene.judged(ALLOTTED).outcome == outcome
