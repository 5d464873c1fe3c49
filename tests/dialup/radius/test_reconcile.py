"""Each clause passes on a faultless run and is caught by the fault planted against it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from simbench.dialup.calls import SetAside
from simbench.dialup.radius.journal import RecordedRun, Sent
from simbench.dialup.radius.reconcile import RULES, Reconciliation, reconcile
from simbench.dialup.radius.record import Heard
from simbench.finding import Finding, exit_status
from tests.dialup.radius.scenes import answered, kept, planned

COUNT = 60
replace = msgspec.structs.replace
Side = tuple[RecordedRun, list[Heard | SetAside]]


def faultless(*faults: str, interim_s: int = 60, whole: bool = True) -> Side:
    reported = answered(planned(COUNT, *faults, interim_s=interim_s), whole=whole)
    return reported, list(kept(reported))


def judged(side: Side) -> dict[str, Finding]:
    return {finding.purpose: finding for finding in reconcile(*side).findings}


def outcomes(side: Side) -> dict[str, str]:
    """Return the findings that did not pass."""
    return {purpose: finding.outcome for purpose, finding in judged(side).items() if finding.outcome != "pass"}


def place_of(found: list[Heard | SetAside], status: str) -> int:
    """A record of that status of some session in the middle."""
    return [n for n, each in enumerate(found) if isinstance(each, Heard) and each.record.status == status][5]


def without(side: Side, status: str) -> Side:
    reported, found = side
    del found[place_of(found, status)]
    return reported, found


def with_record(side: Side, status: str, **changed: object) -> Side:
    reported, found = side
    at = place_of(found, status)
    one = found[at]
    assert isinstance(one, Heard)
    found[at] = replace(one, record=replace(one.record, **changed))
    return reported, found


def with_sent(side: Side, status: str, change: Callable[[Sent], Sent]) -> Side:
    reported, found = side
    at = [n for n, each in enumerate(reported.sent) if each.planned.record.status == status][5]
    reported.sent[at] = change(reported.sent[at])
    return reported, found


def given_up(each: Sent) -> Sent:
    return replace(each, tries=each.tries * 6, answered_us=-1)


def unsigned(side: Side) -> Side:
    reported, found = side
    assert reported.end is not None
    return RecordedRun(reported.run, reported.sent, replace(reported.end, unsigned=3)), found


def reordered(side: Side) -> Side:
    """A Start that was answered before its Stop was sent stands behind it all the same."""
    reported, found = side
    found.append(found.pop(place_of(found, "Start")))
    return reported, found


def test_a_faultless_run_passes_every_clause() -> None:
    found = reconcile(*faultless())
    assert {finding.purpose for finding in found.findings} == set(RULES)
    assert {finding.outcome for finding in found.findings} == {"pass"}
    assert found.differences == ()
    assert found.counts["seconds carried"] == found.counts["seconds accounted"] > 0
    assert exit_status(found.findings) == 0


CAUGHT: dict[str, tuple[Callable[[], Side], dict[str, str]]] = {
    "a record that was given up": (
        lambda: with_sent(faultless(), "Start", given_up),
        {"accounting.answered": "fail"},
    ),
    "one retransmission too many": (
        lambda: with_sent(faultless(), "Start", lambda each: replace(each, tries=each.tries * 7)),
        {"accounting.answered": "fail"},
    ),
    "an acknowledged Start that was not kept": (lambda: without(faultless(), "Start"), {"accounting.kept": "fail"}),
    "an acknowledged Stop that was not kept": (
        lambda: without(faultless(), "Stop"),
        {"accounting.kept": "fail", "accounting.minutes-once": "fail"},
    ),
    "a session that was never sent": (
        lambda: with_record(faultless(), "Stop", session="FORGED"),
        {"accounting.kept": "fail", "accounting.minutes-once": "fail"},
    ),
    "a Stop made longer": (
        lambda: with_record(faultless(), "Stop", seconds=9_999),
        {"accounting.unaltered": "fail", "accounting.minutes-once": "fail"},
    ),
    "another user": (lambda: with_record(faultless(), "Start", user="other"), {"accounting.unaltered": "fail"}),
    "a Stop that was withheld": (lambda: faultless("lost-stop", interim_s=0), {"accounting.minutes-once": "fail"}),
    "a reboot": (lambda: faultless("nas-reboot", interim_s=0), {"accounting.minutes-once": "fail"}),
    "responses under another secret": (lambda: unsigned(faultless()), {"accounting.signed": "fail"}),
    "a clock that is ahead": (lambda: faultless("clock-skew"), {"accounting.clock": "fail"}),
    "a Start behind its Stop": (lambda: reordered(faultless()), {"accounting.order": "weak"}),
}


@pytest.mark.parametrize("fault", CAUGHT)
def test_each_planted_fault_is_caught_by_its_clause_and_no_other(fault: str) -> None:
    plant, expected = CAUGHT[fault]
    assert outcomes(plant()) == expected


def test_every_clause_is_caught_by_some_planted_fault() -> None:
    caught = {purpose for plant, _ in CAUGHT.values() for purpose in outcomes(plant())}
    assert caught == set(RULES)


@pytest.mark.parametrize(("apart_us", "answer_us", "outcome"), [(0, 500, "pass"), (1, 500, "pass"), (600, 500, "weak")])
def test_a_start_and_a_stop_on_their_way_together_may_arrive_in_any_order(
    apart_us: int, answer_us: int, outcome: str
) -> None:
    reported, found = reordered(faultless())
    last = found[-1]
    assert isinstance(last, Heard)
    name = last.record.session
    start, stop = (
        next(
            each
            for each in reported.sent
            if (each.planned.record.session, each.planned.record.status) == (name, status)
        )
        for status in ("Start", "Stop")
    )
    begun = start.tries[0].sent_us
    at = {id(start): begun, id(stop): begun + apart_us}
    sent = [
        replace(each, tries=(replace(each.tries[0], sent_us=at[id(each)]),), answered_us=at[id(each)] + answer_us)
        if id(each) in at else each
        for each in reported.sent
    ]  # fmt: skip
    findings = reconcile(RecordedRun(reported.run, sent, reported.end), found).findings
    assert {one.purpose: one.outcome for one in findings}["accounting.order"] == outcome


def test_copies_are_kept_twice_and_condemn_nobody() -> None:
    reported = answered(planned(COUNT, "duplicates"))
    found: Reconciliation = reconcile(reported, kept(reported))
    assert {finding.outcome for finding in found.findings} == {"pass"}
    assert found.counts["kept more than once"] > 0
    assert found.counts["seconds carried"] == found.counts["seconds accounted"]


def test_a_difference_names_call_seconds_and_reason() -> None:
    found = reconcile(*without(faultless(interim_s=0), "Stop"))
    (difference,) = found.differences
    assert difference.carried_s > 0 == difference.accounted_s
    assert "acknowledged and is not kept" in difference.why
    assert difference.session in str(difference)
    assert difference.user in str(difference)
    finding = next(each for each in found.findings if each.clause == "NRV-ACC-03")
    assert finding.measured == difference.carried_s
    assert finding.blame == "platform"
    assert finding.evidence[0].note == str(difference)


def test_a_second_accounting_of_one_call_is_a_difference() -> None:
    reported, found = faultless(interim_s=0)
    stop = found[place_of(found, "Stop")]
    assert isinstance(stop, Heard)
    later = replace(stop.record, event_us=stop.record.event_us + 9_000_000_000)
    differences = reconcile(reported, [*found, replace(stop, record=later, line=9_999)]).differences
    assert ["accounted 2 times" in each.why for each in differences] == [True]
    assert differences[0].accounted_s == 2 * differences[0].carried_s


def test_what_may_be_among_the_unreadable_records_is_inconclusive() -> None:
    reported, found = without(faultless(interim_s=0), "Stop")
    found.append(SetAside(9_999, "truncated"))
    assert outcomes((reported, found)) == {"accounting.kept": "inconclusive", "accounting.minutes-once": "inconclusive"}
    assert exit_status(reconcile(reported, found).findings) == 3
    del found[place_of(found, "Stop")]
    assert outcomes((reported, found)) == {"accounting.kept": "fail", "accounting.minutes-once": "fail"}


def test_a_journal_without_its_end_leaves_open_what_it_does_not_hold() -> None:
    reported, found = faultless(whole=False)
    cut = RecordedRun(reported.run, reported.sent[:-3], None)
    assert outcomes((cut, found)) == {
        "accounting.answered": "inconclusive",
        "accounting.kept": "inconclusive",
        "accounting.minutes-once": "inconclusive",
        "accounting.signed": "inconclusive",
    }


def test_nothing_at_all_is_inconclusive_throughout() -> None:
    reported = answered([])
    assert set(outcomes((reported, [])).values()) == {"inconclusive"}
    assert set(outcomes((reported, []))) == set(RULES)
    assert exit_status(reconcile(reported, []).findings) == 3


def test_a_stricter_limit_may_be_asked_for() -> None:
    reported, found = with_sent(faultless(), "Start", lambda each: replace(each, tries=each.tries * 3))
    assert judged((reported, found))["accounting.answered"].outcome == "pass"
    strict = reconcile(reported, found, retransmissions=1).findings[0]
    assert (strict.outcome, strict.measured, strict.limit) == ("fail", 2, 1)
