"""A standing purpose has one finding per session: its summary, its evidence, and its position."""

from __future__ import annotations

import pytest

from simbench.bench.runner.selection import select
from simbench.bench.runner.session_findings import EVERY, concluded, exercises_of, items_of
from simbench.finding import Blame, Evidence, Finding, Outcome
from simbench.rules.rule import standing

PURPOSE = "sessions.violations"


def of(exercise: str, outcome: Outcome = "pass", summary: str = "no violations", count: float | None = 0) -> Finding:
    evidence = (Evidence("line-ends", 5, 5, 1, "02"),) if outcome in {"fail", "weak"} else ()
    blame: Blame = "client" if evidence else ""
    return Finding(
        PURPOSE, "OPS-CON-02", outcome, summary, count, 0, "violations", blame, evidence=evidence, exercise=exercise
    )


def test_a_session_has_one_finding_for_each_standing_purpose_and_one_for_every_other_item() -> None:
    chosen = select()
    items = items_of(chosen)
    assert items[-len(standing()) :] == [(EVERY, purpose) for purpose in standing()]
    assert len({purpose for _, purpose in items}) == len(items)
    assert all(exercises_of(chosen, purpose) == list(chosen) for purpose in standing())


def test_a_purpose_that_passes_everywhere_names_each_exercise_as_its_evidence() -> None:
    found = concluded([of("one"), of("two")])
    assert (found.outcome, found.summary, found.exercise) == ("pass", "no violations, in 2 exercises", "")
    assert [(one.note, one.exercise) for one in found.evidence] == [("no violations", "one"), ("no violations", "two")]
    assert concluded([of("one")]).summary == "no violations, in 1 exercise"


def test_the_worst_exercise_decides_and_shows_its_evidence() -> None:
    found = concluded(
        [
            of("one"),
            of("two", "weak", "1 line-ends", 1),
            of("three", "fail", "2 checksum", 2),
            of("four", "unsupported"),
        ]
    )
    assert (found.outcome, found.blame, found.measured) == ("fail", "client", 3)
    assert found.summary == "in 1 of 3 exercises: three (2 checksum)"
    assert [(one.exercise, one.session, one.frame) for one in found.evidence] == [("three", 1, "02")]


def test_a_long_list_of_exercises_is_cut() -> None:
    found = concluded([of(f"e{number}", "fail", f"{number} checksum", number) for number in range(1, 9)])
    assert found.parts[0] == "in 8 of 8 exercises"
    assert found.parts[-2:] == ("e5: 5 checksum", "and in 3 other exercises")
    assert len(found.evidence) == 8


@pytest.mark.parametrize("outcome", ["inconclusive", "error", "unsupported"])
def test_a_purpose_that_no_exercise_could_judge_remains_undecided(outcome: Outcome) -> None:
    assert concluded([of("one", outcome, "the client sent nothing", None)]).outcome == outcome
    assert concluded([of("one", outcome, "the client sent nothing", None)]).measured is None
