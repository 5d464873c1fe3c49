"""Findings with the same cause are grouped; those with another cause are not."""

from __future__ import annotations

from simbench.bench.report.causes import causes
from simbench.bench.report.page import page
from simbench.finding import Evidence, Finding, Outcome
from tests.bench.report.cases import FRAME, judgement
from tests.bench.report.simulated import START, Simulation, exercise
from tests.reporting.markup import Markup


def found(purpose: str, exercise: str, summary: str, *evidence: Evidence, outcome: Outcome = "fail") -> Finding:
    blame = "client" if outcome in {"fail", "weak"} else "bench"
    return Finding(purpose, "OPS-ENG-01", outcome, summary, blame=blame, evidence=evidence, exercise=exercise)  # type: ignore[arg-type]  # one of two words


def purposes(findings: list[Finding]) -> list[list[str]]:
    return [[one.purpose for one in group] for group in causes(findings)]


def test_findings_that_differ_in_their_numbers_only_have_one_cause() -> None:
    several = [found(f"outage.{number}", f"x{number}", f"360{number}0 never reconnected") for number in range(5)]
    assert purposes(several) == [[one.purpose for one in several]]


def test_findings_on_one_frame_have_one_cause() -> None:
    frame = Evidence("odd", START, START, 1, FRAME.hex().upper())
    again = Evidence("too long", START, START, 1, FRAME.hex().upper())
    elsewhere = Evidence("beyond the window", START, START, 2, FRAME.hex().upper())
    three = [
        found("texts.a", "x", "1 a", frame),
        found("submits.b", "x", "1 b", again),
        found("rate.c", "x", "c", elsewhere),
    ]
    assert {frozenset(group) for group in purposes(three)} == {
        frozenset({"texts.a", "submits.b"}),
        frozenset({"rate.c"}),
    }


def test_a_frame_of_another_exercise_is_another_frame() -> None:
    frame = Evidence("a", START, START, 1, FRAME.hex().upper())
    other = Evidence("b", START, START, 1, FRAME.hex().upper())
    assert len(causes([found("rate.a", "x", "p", frame), found("rate.b", "y", "q", other)])) == 2


def test_findings_that_blame_different_parties_have_different_causes() -> None:
    both = [found("rate.a", "x", "late"), found("rate.b", "x", "late", outcome="inconclusive")]
    assert purposes(both) == [["rate.a"], ["rate.b"]]
    assert causes([found("rate.a", "x", "fine", outcome="pass")]) == []


def test_one_cause_is_one_article_with_its_exercises_and_lists_the_others() -> None:
    several = [found(f"outage.{number}", f"x{number}", f"360{number}0 never reconnected") for number in range(36)]
    html = page(judgement(found=several))
    text = Markup(html).text
    assert html.count("<article") == 1
    assert "35 further findings of the same cause" in text
    assert all(f"outage.{number} " in text for number in range(36))
    assert html.index('id="findings"') < html.index('id="evidence"') < html.index('id="matrix"')


def test_evidence_shows_the_frames_beside_it_with_both_times() -> None:
    world = Simulation()
    session = world.login("36050", START)
    for number in range(4):
        world.submit((session, "36050"), START + 1_000_000 * (number + 1), world.ask("36050", START), 5_000)
    run = exercise("x", "", world.trace)
    row = run.trace.submits.rows()[1]
    evidence = Evidence("odd", row.at, row.at, row.session, row.frame.hex().upper())
    text = Markup(page(judgement(run, found=[found("rate.a", "x", "1 odd", evidence)]))).text
    beside = text[text.index("Since the start Civil time Direction Frame") :][:900]
    assert beside.count("client → SMSC") == 3  # itself, the one before and the one after
    assert beside.count("SMSC → client") == 2
    assert "+2.000000 s 2016-10-03 10:00:02.000000 +02:00 client → SMSC 51 submit" in beside
