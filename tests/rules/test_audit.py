from __future__ import annotations

from pathlib import Path

import pytest

from simbench.api.audit import Audited, AuditInputs, audit_capture, audit_run
from simbench.base.errors import BadInput
from simbench.base.units import HOUR_US
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.capture.files import CaptureFile
from simbench.capture.pcap import write_pcapng
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.ledger import open_run
from simbench.ledger.stimuli import Request
from simbench.rules.rule import Case, judge, load
from simbench.sla.imports.campaigns import tokens_of
from simbench.trace.trace import Trace
from simbench.ucp.content import compose
from simbench.ucp.frame import encode
from tests.capture.scenes import LOGIN, Line, pcap, without, write
from tests.capture.tunnels import Tunnel, capture, keys
from tests.rules.scene import CODE, RECIPIENT, Scene, us
from tests.rules.traffic import MONDAY, PLANTED, Sent, captured, in_order, run_of, sound

CAMPAIGNS = """
[[codes]]
code = "36010"
rate_per_s = 10
[[campaigns]]
code = "36010"
from = 2026-03-02T00:00:00+01:00
to = "2026-03-03T00:00:00+01:00"
class = "marketing"
brand = "MARQUE"
opted_in = false
"""
SENT = Line().open().talk().close().sent


def judged(path: Path, **beside: Path | int | str) -> dict[str, Finding]:
    return in_order(audited(path, **beside).findings)


def audited(path: Path, **beside: Path | int | str) -> Audited:
    return audit_capture(path, AuditInputs(**beside), load_contract())  # type: ignore[arg-type]  # named by the tests


def reported(folder: Path, text: str, name: str = "campaigns.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def thinned(path: Path, keep: range | None = None, drop: frozenset[int] = frozenset()) -> Path:
    """The packets of a capture, numbered from 1, less some of them."""
    with path.open("rb") as file:
        packets = [(n, at, octets) for n, at, _, octets, _ in CaptureFile(file, str(path))]
    kept = [(at, octets) for n, at, octets in packets if n not in drop and (keep is None or n in keep)]
    return write(path.parent, pcap(kept), "thinned.pcap")


def test_a_capture_of_our_own_server_is_judged_as_the_run_it_was_written_from(tmp_path: Path) -> None:
    found = judged(captured("session", tmp_path))
    of_run = in_order(audit_run(run_of("session"), load_contract()).findings)
    both = {purpose for purpose in of_run if found[purpose].outcome != "unsupported"}
    assert both >= {"sessions.violations", "sessions.keepalive", "sessions.answers-notifications"}
    assert {p: found[p].outcome for p in both} == {p: of_run[p].outcome for p in both}


def test_what_needs_metadata_it_was_not_given_is_unsupported_and_named(tmp_path: Path) -> None:
    found = judged(captured("session", tmp_path))
    assert found["rate.backlog-at-tier"].outcome == "unsupported"
    assert "[[codes]]" in found["rate.backlog-at-tier"].summary
    assert "--requests" in found["outage.nothing-lost"].summary
    assert "simbench conform" in found["rate.one-by-one"].summary


def test_metadata_given_makes_its_purposes_judged(tmp_path: Path) -> None:
    found = judged(captured("session", tmp_path), campaigns=reported(tmp_path, CAMPAIGNS))
    assert found["rate.backlog-at-tier"].outcome == "pass"
    assert found["sender.short-code-only"].outcome == "pass"
    consent = found["marketing.consent-on-the-wire"]
    assert (consent.outcome, consent.measured) == ("fail", 30)
    assert consent.evidence[0].frame


def test_a_lower_rate_than_the_one_used_fails(tmp_path: Path) -> None:
    slower = CAMPAIGNS.replace("rate_per_s = 10", "rate_per_s = 5")
    found = judged(captured("session", tmp_path), campaigns=reported(tmp_path, slower))
    assert found["rate.backlog-at-tier"].outcome == "fail"


def test_a_campaign_without_consents_leaves_consent_unsupported(tmp_path: Path) -> None:
    silent = CAMPAIGNS.replace("opted_in = false", "")
    found = judged(captured("session", tmp_path), campaigns=reported(tmp_path, silent))
    assert found["marketing.consent-on-the-wire"].outcome == "unsupported"
    assert found["hours.hours-on-the-wire"].outcome == "pass"


def test_who_agreed_may_stand_in_a_file_beside(tmp_path: Path) -> None:
    recipients = [row["recipient"] for row in run_of("session").stimuli.to_pylist() if row["kind"] == "send"]
    reported(tmp_path, "\n".join(recipients[1:]), "agreed.txt")
    campaigns = reported(tmp_path, CAMPAIGNS.replace("opted_in = false", 'consents = "agreed.txt"'))
    assert judged(captured("session", tmp_path), campaigns=campaigns)["marketing.consent-on-the-wire"].measured == 1


def requests(folder: Path, *, more: str = "") -> Path:
    """Return the bench's requests in the session exercise, as an external log."""
    rows = [row for row in run_of("session").stimuli.to_pylist() if row["kind"] == "send"]
    lines = [f"2026-03-02T10:00:00+01:00,{r['code']},{r['recipient']},{r['text']}" for r in rows]
    return reported(folder, "at,code,recipient,text\n" + "\n".join(lines) + more, "log.csv")


OUTAGE = '[[outages]]\nfrom = "2026-03-02T10:00:10+01:00"\nto = "2026-03-02T10:00:11+01:00"\n'


ONE_MORE = "\n2026-03-02T10:00:01+01:00,36010,33639980009,x"


@pytest.mark.parametrize("outage", [OUTAGE, ""], ids=["with an outage", "without one"])
@pytest.mark.parametrize(
    ("more", "agreed", "outcome"),
    [("", "true", "pass"), (ONE_MORE, "true", "fail"), (ONE_MORE, "false", "inconclusive")],
    ids=["all sent", "one lost", "one perhaps withheld"],
)
def test_a_requested_message_that_never_was_accepted_is_lost(
    tmp_path: Path, more: str, agreed: str, outcome: str, outage: str
) -> None:
    """The one that is missing is marketing: to a user who had not agreed, a client may be right to withhold it."""
    known = CAMPAIGNS.replace("opted_in = false", f"opted_in = {agreed}")
    campaigns = reported(tmp_path, known + outage)
    found = judged(captured("session", tmp_path), campaigns=campaigns, requests=requests(tmp_path, more=more))
    assert found["outage.nothing-lost"].outcome == outcome
    assert found["outage.no-duplicates"].outcome == "pass"


def test_what_was_asked_for_at_the_very_end_may_be_sent_after_the_capture(tmp_path: Path) -> None:
    late = "\n2026-03-02T10:01:20+01:00,36010,33639980009,x"
    campaigns = reported(tmp_path, CAMPAIGNS + OUTAGE)
    found = judged(captured("session", tmp_path), campaigns=campaigns, requests=requests(tmp_path, more=late))
    assert found["outage.nothing-lost"].outcome == "pass"


def test_unreadable_rows_of_requests_are_set_aside(tmp_path: Path) -> None:
    found = audited(captured("session", tmp_path), requests=requests(tmp_path, more="\nyesterday,36010,1,x"))
    assert [one.line for one in found.notes] == [32]


def spaced(number: str) -> str:
    return f"+33 {number[-9]} {number[-8:-6]} {number[-6:-4]} {number[-4:-2]} {number[-2:]}"


def test_every_request_is_found_on_the_wire_with_spaces_in_its_number(tmp_path: Path) -> None:
    log = requests(tmp_path)
    rows = [line.split(",") for line in log.read_text("utf-8").splitlines()]
    lines = [",".join([at, f"{code}.0", spaced(to), *text]) for at, code, to, *text in rows[1:]]
    log.write_text("\n".join([",".join(rows[0]), *lines]), "utf-8")
    found = judged(captured("session", tmp_path), campaigns=reported(tmp_path, CAMPAIGNS + OUTAGE), requests=log)
    assert found["outage.nothing-lost"].outcome == "pass"


def test_requests_that_could_not_be_read_leave_what_hangs_on_them_open(tmp_path: Path) -> None:
    more = "\n2026-03-02T10:00:01+01:00,36010,3.363998E+10,x"
    path, campaigns = captured("session", tmp_path), reported(tmp_path, CAMPAIGNS + OUTAGE)
    result = audited(path, campaigns=campaigns, requests=requests(tmp_path, more=more))
    found = in_order(result.findings)
    assert found["outage.nothing-lost"].outcome == "inconclusive"
    assert found["outage.nothing-lost"].summary.endswith(", but 1 line of the requests could not be read")
    assert found["outage.no-duplicates"].outcome == "pass"  # one request more would excuse, not accuse
    assert (result.facts["set_aside"], result.facts["unread"]) == (1, "1 line of the requests")
    lost = requests(tmp_path, more=f"{more}\n2026-03-02T10:00:01+01:00,36010,33639980009,x")
    service = reported(tmp_path, CAMPAIGNS.replace("marketing", "service") + OUTAGE, "service.toml")
    assert judged(path, campaigns=service, requests=lost)["outage.nothing-lost"].outcome == "fail"


def test_consents_that_could_not_be_read_excuse_and_prove_nothing(tmp_path: Path) -> None:
    recipients = [row["recipient"] for row in run_of("session").stimuli.to_pylist() if row["kind"] == "send"]
    campaigns = reported(tmp_path, CAMPAIGNS.replace("opted_in = false", 'consents = "agreed.txt"'))
    path = captured("session", tmp_path)
    for lines, outcome in (
        ([*map(spaced, recipients)], "pass"),
        ([*map(spaced, recipients[1:])], "fail"),
        ([*map(spaced, recipients[1:]), "3.363998E+10"], "inconclusive"),
        ([*map(spaced, recipients), "3.363998E+10"], "pass"),
    ):
        reported(tmp_path, "\n".join(lines), "agreed.txt")
        assert judged(path, campaigns=campaigns)["marketing.consent-on-the-wire"].outcome == outcome


def test_recipients_may_be_a_list_with_spaces_in_its_numbers(tmp_path: Path) -> None:
    recipients = [row["recipient"] for row in run_of("session").stimuli.to_pylist() if row["kind"] == "send"]
    campaigns = reported(tmp_path, CAMPAIGNS + 'recipients = "list.csv"\n')
    path = captured("session", tmp_path)
    reported(tmp_path, "msisdn;name\n" + "\n".join(f"{spaced(one)};x" for one in recipients[:3]), "list.csv")
    found = judged(path, campaigns=campaigns)["marketing.consent-on-the-wire"]
    assert (found.outcome, found.measured) == ("fail", 3)


# Holes and beginnings ------------------------------------------------------------------------------------------


def test_answers_that_fell_into_a_hole_are_not_held_against_the_client(tmp_path: Path) -> None:
    path = captured("session", tmp_path)
    whole = judged(path)["sessions.answers-notifications"]
    found = judged(thinned(path, drop=frozenset(range(150, 200))))
    assert (whole.outcome, found["sessions.answers-notifications"].outcome) == ("pass", "inconclusive")
    assert "not captured" in found["sessions.answers-notifications"].summary
    assert found["sessions.well-formed"].outcome == "pass"
    assert found["sessions.window"].outcome == "inconclusive"


def test_a_breach_beside_the_hole_stays_one(tmp_path: Path) -> None:
    lost = without(SENT, 9)
    bad = Line(isn=5_000).open()
    bad.keys = {"in": SENT[0][1][0][:8] + b"\x9c\x41\x13\x88", "out": SENT[1][1][0][:8] + b"\x13\x88\x9c\x41"}
    bad.sent.clear()
    bad.open().send("in", b"\x0200/00016/O/31/99\x03")
    found = judged(capture(tmp_path, [*lost, *bad.sent], None))["sessions.well-formed"]
    assert found.outcome == "fail"


def test_a_capture_of_one_direction_blames_nobody_for_the_other(tmp_path: Path) -> None:
    one_way = [each for each in SENT if each[1][0] == SENT[0][1][0]]
    found = judged(capture(tmp_path, one_way, None))
    assert found["sessions.window"].outcome == "inconclusive"
    assert "one direction only" in found["sessions.window"].summary


def test_a_capture_that_begins_midway_judges_no_login(tmp_path: Path) -> None:
    path = captured("session", tmp_path)
    found = judged(thinned(path, keep=range(20, 10_000)))
    assert found["sessions.login-first"].outcome == "inconclusive"
    assert found["submits.violations"].outcome == "pass"


def test_a_login_that_somebody_elses_platform_refuses_blames_nobody(tmp_path: Path) -> None:
    refused = Line().open()
    refused.send("in", LOGIN)
    refused.send("out", encode("00", "R", "60", "N/07/no/"))
    found = judged(capture(tmp_path, refused.close("out").sent, None))["sessions.login-first"]
    assert (found.outcome, found.blame) == ("inconclusive", "bench")


# Tunnels -------------------------------------------------------------------------------------------------------

BOTH = ("sessions.clear-from-client", "sessions.clear-from-smsc")


def test_all_inside_a_tunnel_passes_each_direction_and_the_rest_is_judged_too(tmp_path: Path) -> None:
    found = judged(capture(tmp_path, SENT, Tunnel()), keys=keys(tmp_path))
    assert [found[purpose].outcome for purpose in BOTH] == ["pass", "pass"]
    assert found["sessions.login-first"].outcome == "pass"


@pytest.mark.parametrize(("place", "failing"), [(7, 0), (8, 1)])
def test_a_planted_clear_frame_fails_its_direction_with_the_frame(tmp_path: Path, place: int, failing: int) -> None:
    found = judged(capture(tmp_path, SENT, Tunnel(), clear=[place]), keys=keys(tmp_path))
    outcomes = ["pass", "pass"]
    outcomes[failing] = "fail"
    assert [found[purpose].outcome for purpose in BOTH] == outcomes
    broken = found[BOTH[failing]]
    assert broken.evidence[0].frame == SENT[place][1][4].hex().upper()
    assert broken.blame == load()[BOTH[failing]].binds


def test_without_a_tunnel_its_rules_are_unsupported(tmp_path: Path) -> None:
    found = judged(capture(tmp_path, SENT, None))
    assert [found[purpose].outcome for purpose in BOTH] == ["unsupported", "unsupported"]


def test_with_keys_and_no_tunnel_all_is_in_clear(tmp_path: Path) -> None:
    found = judged(capture(tmp_path, SENT, None), keys=keys(tmp_path))
    assert [found[purpose].outcome for purpose in BOTH] == ["fail", "fail"]


def test_a_closed_tunnel_alone_is_no_traffic_to_judge(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no UCP in its 24 packets; 24 ESP packets not decrypted"):
        judged(capture(tmp_path, SENT, Tunnel()))


# Marketing on the wire -----------------------------------------------------------------------------------------

OF_CAMPAIGNS = {fault: purpose for purpose, rule in load().items() for fault in rule.catches if fault in PLANTED}


def test_sound_marketing_passes_every_rule_on_it() -> None:
    found = in_order(audit_run(sound().run(), load_contract()).findings)
    assert {found[purpose].outcome for purpose in OF_CAMPAIGNS.values()} == {"pass"}


@pytest.mark.parametrize(("ddt", "hours", "daily"), [("0303260900", "weak", "pass"), ("0203262330", "fail", "weak")])
def test_marketing_of_the_night_that_is_deferred_to_the_hours_is_weak(ddt: str, hours: str, daily: str) -> None:
    sent = sound().marketing(MONDAY + 13 * HOUR_US, to="33639980003").until(ddt)
    found = in_order(audit_run(sent.marketing(MONDAY, to="33639980003").run(), load_contract()).findings)
    assert found["hours.hours-on-the-wire"].outcome == hours
    assert found["marketing.daily-on-the-wire"].outcome == daily


@pytest.mark.parametrize("reading", ["submission", "delivery"])
def test_deferred_marketing_fails_if_the_contract_states_what_the_hours_bind(tmp_path: Path, reading: str) -> None:
    overlay = f'extends = "orange_ops_2016"\n[ambiguities.AMB-06]\nreading = "{reading}"\nstatus = "contract"\n'
    contract = load_contract(reported(tmp_path, overlay, "stated.toml"))
    sent = sound().marketing(MONDAY + 13 * HOUR_US, to="33639980003").until("0303260900")
    assert in_order(audit_run(sent.run(), contract).findings)["hours.hours-on-the-wire"].outcome == "fail"


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_marketing_is_caught_by_its_rule_and_by_no_other(fault: str) -> None:
    found = in_order(audit_run(PLANTED[fault]().run(), load_contract()).findings)
    broken = {p for p in OF_CAMPAIGNS.values() if found[p].outcome != "pass"}
    assert broken == {OF_CAMPAIGNS[fault]}
    one = found[OF_CAMPAIGNS[fault]]
    weak = fault in {"marketing-twice-a-day", "marketing-after-stop"}  # recommended; a grace that is our assumption
    assert (one.outcome, one.measured, one.blame) == ("weak" if weak else "fail", 1, "client")


# Again ---------------------------------------------------------------------------------------------------------


def test_a_kept_ledger_is_judged_again_alike_and_otherwise_under_another_contract(tmp_path: Path) -> None:
    campaigns = reported(tmp_path, CAMPAIGNS)
    first = audited(captured("session", tmp_path), campaigns=campaigns, output=tmp_path / "out")
    run = open_run(tmp_path / "out" / "ledger")
    assert list(first.findings) == list(audit_run(run, load_contract()).findings)
    new = reported(
        tmp_path,
        'extends = "orange_ops_2016"\n[terms.session]\nkeepalive_expected_s = { value = 45, status = "contract" }\n',
        "new.toml",
    )
    found = in_order(audit_run(run, load_contract(new)).findings)
    assert in_order(first.findings)["sessions.keepalive"].outcome == "pass"
    assert found["sessions.keepalive"].outcome == "fail"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("MARQUE: soldes. Stop SMS au 36010", "pass"),
        ("MARQUE: soldes. STOP\n36010.", "pass"),
        ("MARQUE: stop aux prix hauts", "fail"),  # the word alone is no way to opt out
        ("MARQUE: STOP au 33639980012", "fail"),  # digits of a telephone number are no short code
        ("MARQUE 36010: soldes STOP", "fail"),
    ],
)
def test_a_way_to_opt_out_is_the_word_and_behind_it_a_short_code(text: str, outcome: str) -> None:
    run = Sent().marketing(text=text).run()
    found = judge("marketing.stop-on-the-wire", Case(Trace(run, tokens_of(Trace(run))), load_contract()), "")
    assert found.outcome == outcome
    scene = Scene().login(0)
    scene.stimulus(Request(us(1), "#ABCDE", CODE, RECIPIENT, text, "marketing", "MARQUE", opted_in=True))
    scene.submit(1, 1, Msg=compose(f"#ABCDE {text}")[0].msg)
    assert scene.judged("marketing.stop-mention").outcome == outcome


def test_marketing_to_users_who_were_informed_before_needs_no_mention_of_stop() -> None:
    """A campaign's trait "optout-told", as files and exercises write it."""
    scene = Scene().login(0)
    for at, traits in enumerate(((), ("optout-told",)), 1):
        text = f"MARQUE: soldes {at}"
        scene.stimulus(
            Request(us(at), f"#ABCD{at}", CODE, RECIPIENT, text, "marketing", "MARQUE", opted_in=True, traits=traits)
        )
        scene.submit(at, at, Msg=compose(f"#ABCD{at} {text}")[0].msg)
    for purpose in ("marketing.stop-mention", "marketing.stop-on-the-wire"):
        found = scene.judged(purpose)
        assert (found.outcome, found.measured) == ("fail", 1.0), found.summary


@pytest.mark.parametrize(
    ("exercise", "fault", "purpose"),
    [
        ("ranges", "people-on-machine-codes", "ranges.machines-on-the-wire"),
        ("originators", "sends-any-oadc", "sender.senders-on-the-wire"),
    ],
)
def test_what_the_wire_alone_tells_is_judged_without_any_metadata(
    exercise: str, fault: str, purpose: str, tmp_path: Path
) -> None:
    assert judged(captured(exercise, tmp_path))[purpose].outcome == "pass"
    write_pcapng(conduct_in_memory(EXERCISES[exercise], load_contract(), (fault,)).run, tmp_path / "faulty.pcapng")
    found = judged(tmp_path / "faulty.pcapng")[purpose]
    assert (found.outcome, found.blame) == ("fail", "client")
    assert found.evidence
