"""The edges of rules: what they cannot tell, what is only our assumption, what is not the client's; by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simbench.bench.runner.selection  # noqa: F401 - importing it enters the exercises
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.run_exercise import Conducted
from simbench.bench.sut.protocol import Capabilities
from simbench.bench.sut.registry import EVERYTHING
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.rulebook import Rulebook
from simbench.rules.rule import Case, Verdict, judge, load, standing, worst
from simbench.ucp.frame import encode
from simbench.ucp.operations import build
from tests.rules.anything import anything
from tests.rules.scene import CODE, RECIPIENT, Chunk, Scene, alert, notice, signed, submit

RULES = load()
ON_CLIENT = sorted(purpose for purpose, entry in RULES.items() if entry.binds == "client")
KEEPALIVE = "sessions.keepalive"
ANSWERS = "sessions.answers-notifications"
WELL_FORMED = "sessions.well-formed"
LOGIN_FIRST = "sessions.login-first"


# Of every rule ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", sorted(RULES))
def test_a_run_in_which_nothing_happened_proves_nothing(purpose: str) -> None:
    found = Scene().judged(purpose)
    assert found.outcome in {"inconclusive", "unsupported"}, found.summary


@pytest.mark.parametrize("purpose", ON_CLIENT)
def test_a_client_that_logged_in_and_did_nothing_more_is_not_acquitted_of_its_traffic(purpose: str) -> None:
    found = Scene().requested(0.5, "#00001").login(1).judged(purpose)
    of_frames = {WELL_FORMED, LOGIN_FIRST, *(one for one in standing() if not RULES[one].capability)}
    expected = {"pass"} if purpose in of_frames else {"inconclusive", "unsupported"}
    assert found.outcome in expected, found.summary


@given(st.lists(st.tuples(st.integers(1, 2), anything), max_size=20), st.booleans())
def test_no_rule_breaks_on_anything_that_stands_on_a_wire(chunks: list[tuple[int, Chunk]], opened: bool) -> None:
    scene = Scene().requested(0, "#00001").reported(0.5, "accepted", "#00001").outage(1, 2).drop(3).late(1, 2, 30)
    if opened:
        scene.login(0.1).login(0.2, 2).closed(5, 2)
    for number, (session, (direction, octets)) in enumerate(chunks):
        scene.wire(1 + number / 4, direction, octets, session)
    case = Case(scene.trace(), load_contract())
    for purpose in RULES:
        found = judge(purpose, case, "by-hand")
        assert found.outcome != "error", f"{purpose}: {found.summary}"


def test_a_rule_that_breaks_is_an_error_of_the_bench() -> None:
    book = Rulebook[None]()

    @book.rule("topic.broken", "Breaks")
    def broken(nothing: None) -> Verdict:
        raise ZeroDivisionError("by nothing")

    found = book.judge("topic.broken", None)
    assert (found.outcome, found.blame) == ("error", "bench")
    assert "by nothing" in found.summary


def test_one_failure_outweighs_everything_and_nothing_at_all_is_inconclusive() -> None:
    one = [Verdict(outcome, outcome) for outcome in ("unsupported", "pass", "weak", "inconclusive", "error", "fail")]
    assert [worst(one[:many]).outcome for many in range(1, 7)] == [
        "unsupported", "pass", "weak", "inconclusive", "error", "fail",
    ]  # fmt: skip
    assert worst([]).outcome == "inconclusive"


# Frames and login ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        (alert(1), "pass"),
        (b"\r\n" + alert(1), "weak"),
        (alert(1)[:-3] + alert(1)[-3:].lower(), "weak"),
        (alert(1)[:-3] + b"00\x03", "fail"),
        (b"\r\nnoise" + alert(1), "fail"),
        (submit(1) + submit(1), "fail"),
        (encode("05", "R", "53", "A///"), "fail"),
    ],
    ids=["sound", "line ends", "lower case", "checksum", "noise", "TRN in use", "answers nothing"],
)
def test_what_is_only_odd_is_weak_and_what_is_wrong_fails(sent: bytes, outcome: str) -> None:
    found = Scene().login(1).wire(2, "in", sent).judged(WELL_FORMED)
    assert found.outcome == outcome, found.summary
    assert bool(found.evidence) == (outcome != "pass")


def test_a_refused_login_fails_and_a_connection_ended_at_once_does_not_count() -> None:
    assert Scene().login(1, answer="N/07//").judged(LOGIN_FIRST).outcome == "fail"
    assert Scene().opened(1).closed(1.1).login(2, session=2).judged(LOGIN_FIRST).outcome == "pass"


def test_a_login_refused_for_another_reason_than_its_password_blames_nobody() -> None:
    found = Scene().login(1, answer="N/04/suspended/").login(2, session=2).judged(LOGIN_FIRST)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")


def password_change(trn: int) -> bytes:
    passwords = {"PWD": b"secret".hex().upper(), "NPWD": b"x".hex().upper()}
    return build("60", "O", trn, OAdC=CODE, OTON="6", ONPI="5", STYP="3", VERS="0100", **passwords)


@pytest.mark.parametrize("answer", ["N/02/too short/", "A//"])
def test_a_change_of_the_password_is_no_login(answer: str) -> None:
    scene = Scene().login(1).wire(2, "in", password_change(1)).wire(2.1, "out", encode("01", "R", "60", answer))
    scene.submit(3, 2).wire(50, "in", alert(3)).wire(80, "in", alert(4)).closed(81)
    assert scene.judged(LOGIN_FIRST).outcome == "pass"
    assert scene.judged("sessions.refused-pace").outcome == "inconclusive"
    assert scene.judged(KEEPALIVE).outcome == "pass"


def test_a_session_seen_only_from_its_middle_says_nothing_about_its_login() -> None:
    scene = Scene().wire(1, "in", submit(1))
    assert scene.judged(LOGIN_FIRST).outcome == "inconclusive"
    assert scene.login(2, session=2).judged(LOGIN_FIRST).outcome == "pass"


def test_a_session_seen_only_from_its_middle_may_use_any_code_there_is_and_no_other() -> None:
    purpose = "sender.short-code-only"
    assert Scene().submit(1, 1).judged(purpose).outcome == "pass"
    assert Scene().submit(1, 1, OAdC="36999").judged(purpose).outcome == "fail"


# Limits that only we assume --------------------------------------------------------------------------------------


def silence(seconds: float) -> Scene:
    scene = Scene().login(1)
    return scene.wire(2, "in", alert(1)).wire(2 + seconds, "in", alert(2)).closed(3 + seconds)


def answered_after(seconds: float) -> Scene:
    scene = Scene().login(1).wire(2, "out", notice(1))
    return scene.wire(2 + seconds, "in", encode("01", "R", "53", "A///")).closed(200)


def storm(attempts: int) -> Scene:
    scene = Scene().login(1).outage(10, 70).closed(10.001)
    for number in range(attempts):
        scene.opened(11 + number / 10, 2 + number).closed(11.01 + number / 10, 2 + number)
    return scene


def back_after(seconds: float) -> Scene:
    return Scene().login(1).outage(10, 20).closed(10.001).login(20 + seconds, 2).event(400, "end", "by-hand")


def to_others(share_of_hundred: int) -> Scene:
    scene = Scene().login(1).event(0, "subscriber", "33199001234", standing="fixed", operator="", attached=True)
    for number in range(100):
        recipient = "33199001234" if number < share_of_hundred else RECIPIENT
        scene.submit(2 + number, number, AdC=recipient)
    return scene


@pytest.mark.parametrize(
    ("purpose", "within", "beyond", "term"),
    [
        (KEEPALIVE, silence(60), silence(60.001), "session.keepalive_expected_s"),
        (ANSWERS, answered_after(60), answered_after(60.001), "session.result_timer_max_s"),
        ("sessions.reconnect-pace", storm(12), storm(13), "session.reconnect_attempts_per_minute"),
        ("outage.comes-back", back_after(119), back_after(120.1), "session.reconnect_grace_s"),
        ("recipients.other-operators-share", to_others(1), to_others(2), "delivery.other_operators_share_max"),
    ],
    ids=["keepalive", "answers late", "reconnect pace", "comes back", "other operators share"],
)
def test_missing_a_limit_is_weak_while_assumed_and_a_failure_once_confirmed(
    purpose: str, within: Scene, beyond: Scene, term: str, tmp_path: Path
) -> None:
    confirmed = signed(tmp_path, term)
    assert within.judged(purpose).outcome == within.judged(purpose, confirmed).outcome == "pass"
    weak, failed = beyond.judged(purpose), beyond.judged(purpose, confirmed)
    assert (weak.outcome, failed.outcome) == ("weak", "fail"), weak.summary
    assert (term in weak.assumed, term in failed.assumed) == (True, False)
    assert weak.blame == failed.blame == "client"
    assert weak.evidence


def test_what_no_contract_could_allow_fails_whatever_is_assumed() -> None:
    never = Scene().login(1).outage(10, 20).closed(10.001).event(400, "end", "by-hand")
    assert never.judged("outage.comes-back").outcome == "fail"
    unanswered = Scene().login(1).wire(2, "out", notice(1)).closed(200)
    assert unanswered.judged(ANSWERS).outcome == "fail"
    refused = Scene().login(1).wire(2, "out", notice(1)).wire(3, "in", encode("01", "R", "53", "N/02//"))
    assert refused.judged(ANSWERS).outcome == "fail"


# Inconclusive verdicts -------------------------------------------------------------------------------------------


def test_sessions_too_short_to_need_a_keepalive_prove_none() -> None:
    found = Scene().login(1).closed(50).judged(KEEPALIVE)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")


def test_a_notice_at_the_very_end_of_a_connection_may_stay_unanswered() -> None:
    scene = Scene().login(1).wire(5, "out", notice(1)).closed(5.9)
    assert scene.judged(ANSWERS).outcome == "inconclusive"
    assert Scene().login(1).wire(5, "out", notice(1)).closed(6.1).judged(ANSWERS).outcome == "fail"


def test_who_was_not_watched_long_enough_after_an_outage_may_still_come_back() -> None:
    found = Scene().login(1).outage(10, 20).closed(10.001).event(100, "end", "by-hand").judged("outage.comes-back")
    assert (found.outcome, found.blame) == ("inconclusive", "bench")


def test_attempts_after_the_outage_are_no_storm_upon_it() -> None:
    scene = storm(12)
    for number in range(20):
        scene.opened(70.1 + number / 10, 100 + number)
    assert scene.judged("sessions.reconnect-pace").measured == 12


@pytest.mark.parametrize(("sessions", "limit"), [(1, 12), (2, 24), (4, 48), (6, 48)])
def test_an_account_may_attempt_for_each_session_that_it_had_and_the_contract_allows(sessions: int, limit: int) -> None:
    within, beyond = (storm(attempts) for attempts in (limit, limit + 1))
    for scene in (within, beyond):
        for number in range(1, sessions):
            scene.login(1, 200 + number).closed(10, 200 + number)
    found = within.judged("sessions.reconnect-pace")
    assert (found.outcome, found.limit) == ("pass", limit)
    assert beyond.judged("sessions.reconnect-pace").outcome == "weak"


def test_sessions_one_after_the_other_and_those_of_the_outage_are_one_link() -> None:
    scene = storm(13).closed(0.5, 300).login(0.1, 300).login(12, 301).login(12, 302)
    assert scene.judged("sessions.reconnect-pace").outcome == "weak"


def test_a_failed_attempt_at_the_start_takes_no_link_from_a_later_outage() -> None:
    """As of a client that starts before the platform."""
    scene = Scene().event(0.1, "attempt", "192.0.2.7:40000", to="", outcome="refused").outage(100, 170)
    for session in (1, 2):
        scene.login(90, session).closed(100, session)
    for number in range(24):
        scene.opened(101 + number, 3 + number).closed(101.1 + number, 3 + number)
    found = scene.judged("sessions.reconnect-pace")
    assert (found.outcome, found.measured, found.limit) == ("pass", 24, 24)


def test_a_storm_over_one_link_fails_beside_another_outage_with_more_links_and_attempts() -> None:
    scene = storm(13).outage(200, 270)
    for session in range(100, 104):
        scene.login(190, session).closed(200, session)
    for number in range(40):
        scene.opened(201 + number, 200 + number).closed(201.1 + number, 200 + number)
    found = scene.judged("sessions.reconnect-pace")
    assert (found.outcome, found.measured, found.limit) == ("weak", 13, 12)


def test_sessions_amid_failed_attempts_are_no_links() -> None:
    scene = Scene().login(1).closed(10)
    for number in range(13):
        scene.event(11 + number * 4, "attempt", "192.0.2.7:40000", to="", outcome="refused")
    for number in range(3):
        scene.login(12 + number, 2 + number)
    found = scene.judged("sessions.reconnect-pace")
    assert (found.outcome, found.measured, found.limit) == ("weak", 13, 12)


def test_an_account_that_was_not_connected_before_the_outage_owes_no_return() -> None:
    scene = back_after(30).login(200, 3, account="36020")
    assert scene.judged("outage.comes-back").outcome == "pass"


def test_a_session_that_outlived_the_outage_is_back() -> None:
    assert Scene().login(1).outage(10, 20, "silent").judged("outage.comes-back").outcome == "pass"


@pytest.mark.parametrize("purpose", ["sessions.reconnect-pace", "outage.comes-back", "rate.after-reconnection"])
def test_without_a_total_outage_nothing_is_known_of_how_one_is_lived_through(purpose: str) -> None:
    found = Scene().requested(1, "#00001").login(1).submit(2, 1, "#00001").drop(3).judged(purpose)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")


def test_a_client_not_tempted_is_not_acquitted_and_the_bench_is_to_blame() -> None:
    scene = Scene().requested(1, "#00001").login(1).submit(2, 1, "#00001")
    found = scene.judged("sender.forbidden-requests")
    assert (found.outcome, found.blame) == ("inconclusive", "bench")
    assert scene.requested(3, "#00002", oadc="MARQUE").judged("sender.forbidden-requests").outcome == "pass"


def test_what_the_client_never_tries_is_unsupported() -> None:
    scene = Scene().login(1).submit(2, 1, "#00001")
    assert scene.judged("recipients.final-refusals").outcome == "unsupported"
    assert scene.judged("sender.originator-in-service").outcome == "unsupported"


def test_the_platform_is_not_blamed_for_refusing_what_was_unsound() -> None:
    purpose = "recipients.accepted"
    scene = Scene().login(1).submit(2, 1, answer=None, Msg="4").result(2.001, 1, body="N/02/Msg/")
    assert scene.judged(purpose).outcome == "inconclusive"
    assert scene.submit(3, 2).judged(purpose).outcome == "pass"
    found = scene.submit(4, 3, answer=None).result(4.001, 3, body="N/04/no/").judged(purpose)
    assert (found.outcome, found.blame) == ("fail", "platform")


# Before any rule is asked ----------------------------------------------------------------------------------------


def judged_with(capabilities: Capabilities, trouble: str = "") -> Finding:
    scene = Scene().requested(0.5, "#00001").login(1)
    ran = Conducted(EXERCISES["backlog-monitored"], scene.trace().run, trouble, "client" if trouble else "")
    (found,) = judge_exercise(ran, ["rate.backlog-at-tier"], load_contract(), capabilities)
    return found


def test_a_capability_the_client_lacks_or_does_not_declare_leaves_its_purpose_unsupported() -> None:
    for declared, reason in ((None, "not claimed"), (False, "disclaimed")):
        found = judged_with(Capabilities(limits_rate=declared), trouble="ended by itself")
        assert found.outcome == "unsupported"
        assert reason in found.summary
    assert judged_with(Capabilities(limits_rate=True)).outcome == "inconclusive"


def test_what_an_exercise_could_not_show_because_the_client_broke_is_inconclusive() -> None:
    found = judged_with(EVERYTHING, trouble="ended by itself")
    assert (found.outcome, found.summary, found.blame) == ("inconclusive", "ended by itself", "client")


@pytest.mark.parametrize(("late_s", "expected"), [(9.9, "weak"), (10.1, "inconclusive")])
def test_a_keepalive_that_the_bench_read_late_does_not_blame_the_client(late_s: float, expected: str) -> None:
    found = silence(70).late(60, 65, late_s * 1000).judged(KEEPALIVE)
    assert (found.outcome, found.blame) == (expected, "bench" if expected == "inconclusive" else "client")
