"""Protocol violations of a client, by name and clause: from the wire alone, and from the SMSC's events."""

from __future__ import annotations

import struct

import pytest

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from fake_smsc.strictness import Profile, Strictness
from simbench.bench.report.causes import causes
from simbench.contract import load_contract
from simbench.rules.client.protocol_violations import SMSC_ONLY, VIOLATIONS, met_by
from simbench.rules.rule import Case
from simbench.ucp.frame import encode, encode_fields
from simbench.ucp.operations import build
from tests.fake_smsc.ucp_gateway.stage import logged_in
from tests.harness import START
from tests.rules.scene import CODE, RECIPIENT, Scene, alert, login, notice, submit
from tests.rules.test_meters import reading

FRAMES, REQUESTS = "sessions.violations", "submits.violations"


def cut(octets: bytes, *, digits: int, trn: bytes = b"") -> bytes:
    """The same frame with a checksum of one digit (its LEN fits), or another TRN."""
    body = (trn or octets[1:3]) + octets[3:-3]
    number = int(body[3:8]) - 2 + digits
    body = body[:3] + b"%05d" % number + body[8:]
    return b"\x02" + body + (b"%02X" % (sum(body) % 256))[-digits:] + b"\x03"


def one_digit() -> bytes:
    """An alert with a checksum below 16, written with one digit."""
    for trn in range(100):
        for last in range(10):
            octets = cut(build("31", "O", trn, AdC=f"3601{last}", PID="0539"), digits=1)
            if sum(octets[1:-2]) % 256 < 16:
                return octets
    raise AssertionError("one in sixteen is")


LOWER = submit(1, Msg="4a4b")
SEEN = {
    "checksum": (alert(1)[:-3] + b"00\x03", FRAMES, "fail"),
    "length": (alert(1).replace(b"/00027/", b"/00028/"), FRAMES, "fail"),
    "header": (alert(1).replace(b"/O/", b"/X/"), FRAMES, "fail"),
    "garbage": (b"noise" + alert(1), FRAMES, "fail"),
    "truncated": (alert(1)[:9] + alert(2), FRAMES, "fail"),
    "hex-trn": (cut(alert(1), digits=2, trn=b"0A"), FRAMES, "fail"),
    "short-checksum": (one_digit(), FRAMES, "fail"),
    "unsupported-operation": (encode(1, "O", "99", ""), FRAMES, "fail"),
    "line-ends": (b"\r\n" + alert(1), FRAMES, "weak"),
    "lower-case-checksum": (alert(1)[:-3] + alert(1)[-3:].lower(), FRAMES, "weak"),
    "lower-case-hex": (LOWER, FRAMES, "weak"),
    "missing-fields": (encode_fields(1, "O", "51", [RECIPIENT, CODE]), REQUESTS, "fail"),
    "surplus-fields": (encode_fields(1, "O", "31", [CODE, "0539", ""]), REQUESTS, "weak"),
    "odd-hex": (submit(1, Msg="414"), REQUESTS, "fail"),
    "must-be-empty": (submit(1, SCTS="020326100000"), REQUESTS, "weak"),
    "wrong-type": (submit(1, OTOA="1139"), REQUESTS, "weak"),
    "bits-beside-text": (submit(1, NB="0016"), REQUESTS, "weak"),
    "not-gsm": (submit(1, Msg="44E96AE0"), REQUESTS, "weak"),
    "no-bits": (submit(1, MT="4", MCLs="1"), REQUESTS, "weak"),
    "trn-in-use": (submit(1) + submit(1), REQUESTS, "fail"),
    "unexpected-result": (encode(5, "R", "53", "A///"), REQUESTS, "fail"),
    "second-login": (login(trn=3), REQUESTS, "weak"),
}


@pytest.mark.parametrize("name", sorted(SEEN))
def test_a_violation_on_the_wire_is_named_and_is_of_its_clause(name: str) -> None:
    sent, purpose, outcome = SEEN[name]
    scene = Scene().login(1).wire(2, "in", sent)
    found = scene.judged(purpose)
    assert (found.outcome, found.summary.split()[:2]) == (outcome, ["1", name]), found.summary
    assert (found.blame, found.measured) == ("client", 1)
    assert {one.note for one in found.evidence} == {name}
    assert found.evidence[0].frame
    assert ("(forgivable)" in found.summary) == (outcome == "weak")
    assert scene.judged(REQUESTS if purpose == FRAMES else FRAMES).outcome == "pass"


@pytest.mark.parametrize("name", sorted(SEEN))
@pytest.mark.parametrize("profile", ["strict", "tolerant"])
def test_what_the_wire_shows_is_what_the_server_counted(name: str, profile: Profile) -> None:
    """Whatever the switches say; only that a strict server asks no further what a broken frame was meant to be."""
    sent = SEEN[name][0]
    peer = logged_in(strictness=Strictness(profile))
    if name == "trn-in-use":
        for trn in range(60, 71):  # beyond the rate the answer is held, so that the number stays in use
            peer.submit(trn, AdC=f"337100000{trn:02d}")
    if name == "line-ends" and profile == "tolerant":
        return
    peer.gateway.received(peer.number, sent, peer.now)
    coarser = {"hex-trn": "header", "short-checksum": "checksum"} if profile == "strict" else {}
    assert set(peer.gateway.protocol_violations) == {coarser.get(name, name)}


def test_before_the_login_nothing_else_may_come_and_each_such_operation_counts() -> None:
    scene = Scene().opened(1).wire(1.1, "in", submit(1)).wire(1.2, "in", alert(2)).login(2, session=2)
    found = scene.judged(REQUESTS)
    assert (found.outcome, found.measured) == ("fail", 2)
    assert found.summary == "2 operation-before-login"


def test_a_capture_that_begins_midway_says_nothing_of_the_login() -> None:
    assert Scene().wire(1, "in", alert(1)).judged(REQUESTS).outcome == "pass"


@pytest.mark.parametrize("name", SMSC_ONLY)
def test_a_violation_that_only_the_server_sees_comes_from_the_events(name: str) -> None:
    scene = Scene().login(1).event(5, "violation", "session:1", name=name)
    found = scene.judged(REQUESTS)
    assert found.outcome == ("weak" if VIOLATIONS[name].forgivable else "fail")
    assert (found.evidence[0].session, found.evidence[0].start - START) == (1, 5_000_000)


def test_what_both_see_is_counted_once() -> None:
    scene = Scene().login(1).wire(2, "in", SEEN["checksum"][0]).event(2, "violation", "session:1", name="checksum")
    assert scene.judged(FRAMES).measured == 1


def test_several_violations_are_named_one_by_one_the_gravest_first() -> None:
    scene = Scene().login(1)
    for number in range(5):
        scene.wire(2 + number, "in", b"\r\n" + alert(number))
    scene.wire(10, "in", SEEN["checksum"][0])
    found = scene.judged(FRAMES)
    assert (found.outcome, found.summary) == ("fail", "1 checksum, 5 line-ends (forgivable)")
    assert [one.note for one in found.evidence] == ["checksum"] + ["line-ends"] * 3


def test_a_client_that_sent_nothing_is_not_acquitted() -> None:
    assert Scene().opened(1).closed(2).judged(FRAMES).outcome == "inconclusive"


def test_every_violation_a_server_counts_has_a_clause() -> None:
    scene = Scene().login(1)
    for sent, _, _ in SEEN.values():
        scene.wire(2, "in", sent)
    named = {name for name, _ in met_by(Case(scene.trace(), reading("sliding")))}
    assert named <= set(VIOLATIONS)


# Connections that speak something else ----------------------------------------------------------------------------

SMPP = struct.pack(">IIII", 26, 9, 0, 1) + b"user\0secre"


def stranger(octets: bytes, closed_by: str = "peer: closed", after: float = 2.5) -> Scene:
    scene = Scene()
    scene.opened(1).wire(1.1, "in", octets)
    return scene.wire(1.1 + after, "close", closed_by.encode()) if closed_by else scene.event(20, "end", "")


@pytest.mark.parametrize("closed_by", ["peer: closed", "server: login timer", ""])
@pytest.mark.parametrize(
    ("octets", "expected"),
    [(SMPP, "SMPP (bind_transceiver)"), (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "an HTTP request")],
)
def test_another_protocol_is_a_violation_that_names_it(octets: bytes, expected: str, closed_by: str) -> None:
    found = stranger(octets, closed_by).judged(FRAMES)
    assert (found.outcome, found.blame) == ("fail", "client")
    assert "1 foreign-protocol" in found.summary
    assert found.evidence[0].note == f"foreign-protocol: {expected}"


@pytest.mark.parametrize(
    ("octets", "closed_by", "after", "name"),
    [
        (alert(1)[:-1], "peer: closed", 2, "unended"),
        (alert(1)[:-1], "server: login timer", 2, "unended"),
        (alert(1)[:-1], "", 0, "unended"),
        (alert(1)[:-1], "peer: closed", 0.5, ""),  # killed, or cut off
        (alert(1)[:-1], "server: outage", 0.5, ""),
        (alert(1)[:-1], "capture: octets are missing", 2, ""),
        (b"hello" * 10, "peer: closed", 0.5, "garbage"),
        (b"\r\n", "peer: closed", 2, ""),
    ],
)
def test_octets_without_an_end_are_the_clients_where_it_waits_behind_them(
    octets: bytes, closed_by: str, after: float, name: str
) -> None:
    scene = stranger(octets, closed_by, after)
    assert [found for found, _ in met_by(Case(scene.trace(), load_contract()))] == ([name] if name else [])


def test_an_answer_to_an_operation_nobody_knows_is_no_violation() -> None:
    scene = Scene().opened(0).login(0.1)
    scene.wire(1, "out", encode_fields(7, "O", "59", [CODE] + [""] * 32))
    scene.wire(1.1, "in", encode_fields(7, "R", "59", ["A", "", ""]))
    assert list(met_by(Case(scene.trace(), load_contract()))) == []


def test_a_trn_that_stays_the_same_is_counted_apart() -> None:
    scene = Scene().opened(0).login(0.1)
    for n in range(3):
        scene.submit(1 + n, 5).result(1.5 + n, 5)
    found = scene.judged("submits.trn-discipline")
    assert found.outcome == "weak"
    assert "0 out of order, 2 with the number of the previous one" in found.summary


def jumps(first: int) -> Scene:
    """So many operations without a result, their numbers in order; then results of 90 and 91, which are used again."""
    scene = Scene().opened(0).login(0.1)
    for n in range(first, 100):
        scene.submit(1 + n / 100, n, answer=None)
    return scene.result(3, 90).result(3, 91).submit(4, 90, answer=None).submit(5, 91)


def test_a_number_after_many_that_are_in_use_is_in_order() -> None:
    assert jumps(0).judged("submits.trn-discipline").outcome == "pass"


def test_a_number_far_off_while_others_are_free_is_out_of_order() -> None:
    found = jumps(70).judged("submits.trn-discipline")
    assert (found.outcome, found.measured) == ("weak", 1)


@pytest.mark.parametrize(("stepped_at", "outcome"), [(1.5, "pass"), (60.5, "pass"), (61.5, "fail"), (400, "fail")])
def test_a_notification_that_waited_across_a_step_of_the_clock_blames_nobody(stepped_at: float, outcome: str) -> None:
    scene = Scene().login(0.5).wire(1, "out", notice(1))
    scene.event(61, "violation", "session:1", name="unanswered-notice")
    scene.event(stepped_at + 60, "clock", "step", seconds=60.0).event(500, "end", "exercise", exercise="by-hand")
    assert scene.judged(REQUESTS).outcome == outcome


def test_a_notification_that_was_given_up_is_shown_by_its_frame_as_in_the_rule_on_answers() -> None:
    scene = Scene().login(0.5).wire(1, "out", notice(1)).wire(2, "out", notice(2))
    scene.wire(2.5, "in", encode("02", "R", "53", "A///"))
    scene.event(61, "violation", "session:1", name="unanswered-notice").event(
        200, "end", "exercise", exercise="by-hand"
    )
    violated, unanswered = scene.judged(REQUESTS), scene.judged("sessions.answers-notifications")
    assert [one.frame for one in violated.evidence] == [one.frame for one in unanswered.evidence]
    assert violated.evidence[0].frame == notice(1).hex().upper()
    assert len(causes([violated, unanswered])) == 1
