"""Rules on traffic without requests: the tier, required acceptances, the granted rate. Scenes by hand."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from simbench.base.units import HOUR_US, SECOND_US
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.ledger.info import RunInfo, Times
from simbench.rules.client.admission import objections
from simbench.rules.rule import Case
from simbench.ucp.alphabet import encode_oadc
from simbench.ucp.content import compose
from simbench.ucp.frame import encode
from simbench.ucp.notifications import deliver_body
from tests.rules.scene import CODE, RECIPIENT, Scene, paced, submit, us

AT_TIER, ACCEPTED, GRANTED = "rate.backlog-at-tier", "recipients.accepted", "rate.tier-granted"
IN_SERVICE, USES, PACE = "sender.originator-in-service", "rate.uses-its-tier", "sessions.reconnect-pace"
BACK, WINDOW, ONLY_CODE = "outage.comes-back", "sessions.window", "sender.short-code-only"
REFUSED = "N/04/no/"
NAME = encode_oadc("MARQUE")


def blamed(found: Finding) -> tuple[str, str]:
    return found.outcome, found.blame


def stream(scene: Scene, instants: Iterable[float], answer: float | None = 0.001, OAdC: str = CODE) -> Scene:  # noqa: N803 - the field's name
    """Submits at these instants, each to a number of its own."""
    for number, at in enumerate(instants):
        scene.submit(at, number % 100, answer=answer, AdC=f"3371{number:07d}", OAdC=OAdC)
    return scene


def metered(per_s: float, count: int, rate: int = 10, session: int = 1, scene: Scene | None = None) -> Scene:
    """A client at a pace of its own on a platform that accepts `rate` in any second and refuses the rest."""
    scene, taken = scene or Scene(mode="nack").login(0.5), list[int]()
    for number, at in enumerate(paced(per_s, count)):
        within = sum(us(at) - one < SECOND_US for one in taken) < rate
        body = f"A//{RECIPIENT}:020326100000/" if within else REFUSED
        taken += [us(at)] if within else []
        scene.submit(at, number % 100, answer=None, session=session, AdC=f"3371{number:07d}")
        scene.result(at + 0.001, number % 100, session, body)
    return scene


# The client's rate ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("per_s", "outcome"), [(30, ("fail", "client")), (10, ("pass", ""))])
def test_the_tier_is_judged_though_nobody_asked_for_anything(per_s: float, outcome: tuple[str, str]) -> None:
    assert blamed(stream(Scene().login(0.5), paced(per_s, 120)).judged(AT_TIER)) == outcome


def test_a_code_that_sends_nothing_leaves_the_verdict_of_the_others_alone() -> None:
    scene = stream(Scene().login(0.5), paced(10, 30)).event(
        0, "limit", "36020", rate_per_s=20, mode="delay", account="x"
    )
    assert blamed(scene.judged(AT_TIER)) == ("pass", "")


def test_requests_of_one_code_blind_nobody_to_another() -> None:
    scene = Scene().login(0.5).event(0, "limit", "36020", rate_per_s=10, mode="monitor", account=CODE)
    stream(scene, paced(10, 20)).requested(0.8, "#00001")
    assert blamed(stream(scene, paced(30, 90), OAdC="36020").judged(AT_TIER)) == ("fail", "client")


def test_traffic_before_a_rate_was_lowered_is_held_against_the_rate_of_its_time() -> None:
    scene = stream(Scene(rate=50).login(0.5), paced(50, 100))
    assert scene.event(60, "limit", CODE, rate_per_s=10, mode="monitor").judged(AT_TIER).outcome == "pass"


def test_a_client_that_keeps_the_rate_it_was_given_before_is_not_convicted_and_beyond_both_it_is() -> None:
    def lowered(per_s: int) -> Finding:
        scene = Scene(rate=50).login(0.5).event(0.9, "limit", CODE, rate_per_s=10, mode="monitor")
        return stream(scene, paced(per_s, 200)).judged(AT_TIER)

    assert blamed(lowered(50)) == ("inconclusive", "bench")
    assert blamed(lowered(80)) == ("fail", "client")
    raised = stream(Scene().login(0.5).event(0.9, "limit", CODE, rate_per_s=50, mode="monitor"), paced(50, 200))
    assert blamed(raised.judged(AT_TIER)) == ("pass", "")


def test_an_outage_does_not_count_against_the_use_of_a_tier() -> None:
    def used(pause_s: float, *, down: bool) -> Finding:
        scene = stream(Scene().login(0.5), [*paced(10, 50), *paced(10, 50, 6 + pause_s)])
        return (scene.outage(5.95, 5.95 + pause_s) if down else scene).judged(USES)

    assert used(60, down=True).outcome == "pass"
    assert blamed(used(60, down=False)) == ("weak", "client")


# What the platform ought to accept ------------------------------------------------------------------------------


def against(scene: Scene) -> list[set[str]]:
    return [set(one) for one in objections(Case(scene.trace(), load_contract()))]


def one(body: str = REFUSED, login: bool = True, at: float = 3, **fields: str) -> Scene:
    """One submit, after a login or without, and its result."""
    scene = Scene().login(0.5) if login else Scene().opened(0.5)
    return scene.wire(at, "in", submit(1, **fields)).result(at + 0.001, 1, body=body)


@pytest.mark.parametrize(
    ("scene", "objection"),
    [
        (one(login=False), {"no session"}),
        (one(Msg="4"), {"malformed"}),
        (one(OAdC=""), {"malformed"}),
        (one(OAdC="36999"), {"originator"}),
        (one(OAdC=NAME, OTOA="5039"), {"originator"}),
        (one(AdC="33199001234"), {"recipient"}),
        (one(AdC="262692001234"), {"recipient"}),
        (one(AdC="4915112345678"), {"recipient"}),
        (one(AdC="12"), {"recipient"}),
        (one(AdC="33700000000001"), {"recipient"}),
        (one(VP="0203260959"), {"validity"}),
        (one(PR="1"), {"special"}),
        (one().event(1, "account", CODE, state="suspended"), {"suspended"}),
        (one().outage(2, 4), {"outage"}),
        (one(), set()),
        (one().event(1, "account", CODE, state="suspended").event(2, "account", CODE, state="active"), set()),
        (one().outage(0.1, 0.2), set()),
        (one(VP="0203261100"), set()),
    ],
    ids=[
        "before a login", "malformed", "no originator", "foreign originator", "a name without the option", "fixed line",
        "overseas", "foreign number", "too short a number", "a machine", "validity over", "priority", "suspended",
        "an outage", "nothing", "suspended before", "an outage before", "a validity to come",
    ],
)  # fmt: skip
def test_a_refusal_with_a_reason_is_no_fault_of_the_platform_and_one_without_is(
    scene: Scene, objection: set[str]
) -> None:
    assert against(scene) == [objection]
    found = scene.judged(ACCEPTED)
    assert blamed(found) == (("inconclusive", "bench") if objection else ("fail", "platform"))


def test_refusals_over_the_rate_are_right_and_refusals_within_it_are_not() -> None:
    scene = metered(30, 120)
    assert blamed(scene.judged(ACCEPTED)) == ("pass", "")
    assert blamed(scene.judged(GRANTED)) == ("pass", "")
    stingy = metered(30, 120, rate=5)
    assert blamed(stingy.judged(ACCEPTED)) == ("fail", "platform")


def test_beyond_the_window_a_submit_may_be_refused_and_a_code_with_a_larger_window_has_that_one() -> None:
    def full(window: int) -> Scene:
        scene = (
            Scene(rate=50)
            .login(0.5)
            .event(0.1, "limit", CODE, rate_per_s=50, mode="delay", window=window, account=CODE)
        )
        for number in range(12):
            scene.submit(1 + number / 100, number, answer=None, AdC=f"3371{number:07d}")
        return scene.result(1.2, 11, body=REFUSED)

    assert against(full(10))[-1] == {"window"}
    assert against(full(20))[-1] == set()
    assert blamed(full(10).judged(WINDOW)) == ("fail", "client")
    assert blamed(full(20).judged(WINDOW)) == ("pass", "")


def test_an_operation_that_was_given_up_takes_no_place_and_frees_its_number() -> None:
    scene = Scene(mode="discard").login(0.5)
    for number in range(10):
        scene.submit(1 + number / 10, number, answer=None)
    later = scene.submit(63, 0).judged(WINDOW)
    assert blamed(later) == ("pass", "")
    assert blamed(scene.judged("submits.violations")) == ("pass", "")


def test_an_originator_out_of_service_must_be_refused_and_an_empty_one_is_none() -> None:
    assert blamed(one(OAdC="36999").judged(IN_SERVICE)) == ("pass", "")
    accepted = one(f"A//{RECIPIENT}:020326100000/", OAdC="36999")
    assert blamed(accepted.judged(IN_SERVICE)) == ("fail", "platform")
    assert blamed(one("N/06/no/", OAdC="36999").judged(IN_SERVICE)) == ("fail", "platform")
    assert blamed(one("N/06/no/", OAdC="36999", AdC="33199001234").judged(IN_SERVICE)) == ("pass", "")
    assert one("N/02/OAdC/", OAdC="").judged(IN_SERVICE).outcome == "unsupported"


def test_a_name_is_judged_by_the_option_and_without_knowing_of_it_nobody_is_accused() -> None:
    taken = f"A//{RECIPIENT}:020326100000/"
    assert blamed(one(taken, OAdC=NAME, OTOA="5039").judged(ONLY_CODE)) == ("fail", "client")
    allowed = one(taken, OAdC=NAME, OTOA="5039").event(0, "account", CODE, oadc_option=True)
    assert blamed(allowed.judged(ONLY_CODE)) == ("pass", "")
    assert blamed(allowed.judged("sender.sender-names")) == ("pass", "")
    assert allowed.judged(IN_SERVICE).outcome == "unsupported"
    captured = one(taken, OAdC=NAME, OTOA="5039").event(0, "metadata", "", given=["codes"])
    assert blamed(captured.judged(ONLY_CODE)) == ("inconclusive", "bench")


# What it grants -------------------------------------------------------------------------------------------------


def test_a_round_trip_is_no_rate() -> None:
    for per_s in (1, 5, 9.5):
        assert stream(Scene().login(0.5), paced(per_s, 60), answer=0.12).judged(GRANTED).blame != "platform"
    stop_and_wait = stream(Scene(rate=20).login(0.5), (1 + number / 10 for number in range(100)), answer=0.1)
    assert blamed(stop_and_wait.judged(GRANTED)) == ("inconclusive", "client")


def windowed(latency_s: float, rate: int, count: int, quick: int = 0) -> Scene:
    """A window of ten that is always full: an operation goes as soon as the tenth before it is answered."""
    scene, answers = Scene(rate=rate).login(0.5), list[float]()
    for number in range(count):
        at = 1 + number / 1000 if number < 10 else answers[number - 10] + 0.0005
        answers.append(max(at + (0.001 if number < quick else latency_s), answers[-1] + 0.001 if answers else 0))
        scene.wire(at, "in", b"").submit(at, number % 100, answer=None, AdC=f"3371{number:07d}")
        scene.result(answers[-1], number % 100)
    return scene


def test_a_full_window_that_goes_slower_than_the_tier_is_withheld_unless_the_round_trip_explains_it() -> None:
    """Ten in flight with 0.7 s each are 14 a second of 20: the way there and back, or the platform's holding."""
    assert blamed(windowed(0.7, 20, 400).judged(GRANTED)) == ("inconclusive", "client")
    assert blamed(windowed(0.7, 20, 400, quick=30).judged(GRANTED)) == ("fail", "platform")


def test_only_acceptances_count_as_granted() -> None:
    scene = Scene().login(0.5)
    for number, at in enumerate(paced(12, 120)):
        scene.submit(at, number % 100, answer=None, AdC=f"3371{number:07d}").result(
            at + 0.001, number % 100, body=REFUSED
        )
    found = scene.judged(GRANTED)
    assert (blamed(found), found.measured) == (("fail", "platform"), 0)
    assert "valid submits refused or unanswered" in found.summary


def test_what_was_never_answered_is_withheld_unless_the_record_ends_before_its_time() -> None:
    scene = Scene().login(0.5).event(0.1, "limit", CODE, rate_per_s=10, mode="delay", window=100, account=CODE)
    stream(scene, paced(10, 60), answer=None)
    assert scene.judged(GRANTED).outcome == "inconclusive"
    assert blamed(scene.event(200, "ended", "").judged(GRANTED)) == ("fail", "platform")


def test_an_outage_is_not_time_in_which_the_tier_was_withheld() -> None:
    scene = stream(Scene().login(0.5), [*paced(10, 60), *paced(10, 60, 70)]).outage(7.5, 69)
    assert blamed(scene.judged(GRANTED)) == ("pass", "")


# The end of the record ------------------------------------------------------------------------------------------


def left(closed_by: str = "server: outage", at: float = 10.001) -> Scene:
    scene = Scene().login(1).submit(2, 1).outage(10, 13, "reset")
    return scene.wire(at, "close", closed_by.encode())


def test_a_client_that_never_comes_back_is_watched_until_the_server_ended() -> None:
    assert left().judged(BACK).outcome == "inconclusive"
    assert blamed(left().event(100, "ended", "").judged(BACK)) == ("inconclusive", "bench")
    assert blamed(left().event(134, "ended", "").judged(BACK)) == ("fail", "client")


def test_who_had_hung_up_before_the_outage_owes_no_return() -> None:
    gone = left("peer: closed", at=5).event(200, "ended", "")
    assert gone.judged(BACK).outcome == "inconclusive"
    assert "no account was connected" in gone.judged(BACK).summary


@pytest.mark.parametrize(("speeds", "ends"), [((), 200), ((1.0,), 2.1)], ids=["machine's clock", "moved clock"])
def test_the_wall_clock_says_when_a_run_ended_unless_its_own_clock_was_moved(
    speeds: tuple[float, ...], ends: float
) -> None:
    scene = Scene().login(1).submit(2, 1, answer=0.1)
    for speed in speeds:
        scene.event(0.5, "clock", "", speed=speed)
    scene.ledger.info = RunInfo("run", Times(wall_started=us(-2), wall_ended=us(200)))
    assert scene.trace().span == (us(0), us(ends))


def test_attempts_on_a_closed_port_are_not_seen_and_in_a_capture_they_are() -> None:
    live = left().login(15, 2)
    assert blamed(live.judged(PACE)) == ("inconclusive", "bench")
    for number in range(13):
        live.event(11 + number / 10, "attempt", "192.0.2.7:40000", to="", outcome="refused")
    assert blamed(live.judged(PACE)) == ("weak", "client")
    for number in range(120):
        live.event(11 + number / 100, "attempt", "192.0.2.7:40000", to="", outcome="refused")
    assert blamed(live.judged(PACE)) == ("fail", "client")


def test_attempts_that_nobody_took_show_that_the_platform_was_down() -> None:
    scene = Scene().login(1)
    for number in range(12):
        scene.event(11 + number, "attempt", "192.0.2.7:40000", to="", outcome="unanswered")
    assert blamed(scene.judged(PACE)) == ("pass", "")
    assert blamed(scene.event(40, "attempt", "", to="", outcome="refused").judged(PACE)) == ("weak", "client")


# Ranges, without anybody having asked ----------------------------------------------------------------------------


def replies(*instants: float, wrote: float | None = None) -> Scene:
    """A code of the range of replies, and what it sends to a user who wrote to it at an instant, or never."""
    scene = Scene("34010").login(0.5, account="34010")
    if wrote is not None:
        body = deliver_body("34010", RECIPIENT, "020326100000", compose("Oui")[0])
        scene.wire(wrote, "out", encode(1, "O", "52", body))
    for number, at in enumerate(instants):
        scene.submit(at, number, OAdC="34010")
    return scene


def test_a_reply_to_who_never_wrote_fails_and_before_a_capture_he_may_have_written() -> None:
    begun = "ranges.begun-by-user"
    assert blamed(replies(2).judged(begun)) == ("fail", "client")
    midway = replies(2).event(0, "metadata", "", given=["codes"])
    assert blamed(midway.judged(begun)) == ("inconclusive", "bench")


def test_a_reply_after_the_session_is_over_counts_though_nobody_asked() -> None:
    over = load_contract().terms.marketing.reply_session_h.value * HOUR_US / SECOND_US
    session_over = "ranges.session-over"
    assert replies(3, wrote=1).judged("ranges.begun-by-user").outcome == "pass"
    assert replies(3, 1 + over, wrote=1).judged(session_over).outcome == "inconclusive"
    found = replies(3, over + 10, wrote=1).judged(session_over)
    assert (found.measured, found.blame) == (1, "client")
