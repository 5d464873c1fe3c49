"""Known deviations: accepted until they expire, and never forgotten once they pass."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.bench.runner.baseline import (
    Baseline,
    Deviation,
    compare,
    read_baseline,
    remark,
    status,
    updated,
    write_baseline,
)
from simbench.finding import Evidence, Finding, Outcome

TODAY = date(2026, 11, 22)
ONE, TWO = "rate.one-by-one", "sender.forbidden-requests"
KNOWN = (ONE, TWO)


def finding(purpose: str, outcome: Outcome = "fail", exercise: str = "events") -> Finding:
    return Finding(purpose, purpose.partition(".")[0], outcome, "seen", exercise=exercise)


def baseline(purpose: str = ONE, expires: date = TODAY, exercise: str = "") -> Baseline:
    return Baseline((Deviation(purpose, "agreed", "T-1", expires, exercise),))


def states(findings: list[Finding], known: Baseline, *, strict: bool = False) -> list[str]:
    return [one.state for one in compare(findings, known, TODAY, strict=strict)]


def of_the_session(*exercises: str, outcome: Outcome = "fail") -> Finding:
    evidence = tuple(Evidence("seen", exercise=name) for name in exercises)
    return Finding(ONE, ONE.partition(".")[0], outcome, "seen", evidence=evidence)


def test_a_failure_of_the_session_is_known_once_each_exercise_in_which_it_failed_has_an_entry() -> None:
    both = Baseline((*baseline(exercise="one").deviation, *baseline(exercise="two").deviation))
    assert states([of_the_session("one", "two")], baseline(exercise="one")) == ["new"]
    assert states([of_the_session("one", "two")], both) == ["known"]
    assert states([of_the_session("one", "two")], baseline()) == ["known"]
    assert states([of_the_session("one", "two", outcome="pass")], baseline(exercise="one")) == ["passes"]


def test_a_known_deviation_does_not_fail_the_run_on_its_last_day() -> None:
    standings = compare([finding(ONE)], baseline(), TODAY)
    assert [one.state for one in standings] == ["known"]
    assert status(standings) == 0
    assert remark(standings[0]) == "known deviation, until 2026-11-22: agreed (T-1)."


def test_an_expired_one_fails_again() -> None:
    standings = compare([finding(ONE)], baseline(expires=date(2026, 11, 21)), TODAY)
    assert [one.state for one in standings] == ["expired"]
    assert status(standings) == 1


def test_a_new_failure_shows_beside_a_known_one() -> None:
    standings = compare([finding(ONE), finding(TWO)], baseline(), TODAY)
    assert [one.state for one in standings] == ["known", "new"]
    assert status(standings) == 1


def test_an_unexpected_pass_shows_and_fails_a_strict_run() -> None:
    standings = compare([finding(ONE, "pass")], baseline(), TODAY)
    assert [one.state for one in standings] == ["passes"]
    assert (status(standings), status(standings, strict=True)) == (0, 1)


def test_an_entry_of_one_exercise_excuses_no_other() -> None:
    assert states([finding(ONE), finding(ONE, exercise="other")], baseline(exercise="other")) == ["new", "known"]


@pytest.mark.parametrize("outcome", ["weak", "inconclusive", "error"])
def test_strict_counts_everything_but_a_pass_as_a_failure(outcome: Outcome) -> None:
    findings = [finding(ONE, outcome), finding(TWO, "pass")]
    strict = compare(findings, Baseline(), TODAY, strict=True)
    assert (strict[0].state, status(strict, strict=True)) == ("new", 1)
    assert status(compare(findings, Baseline(), TODAY)) == (0 if outcome == "weak" else 3)


def test_only_unsupported_findings_are_not_a_success() -> None:
    assert status(compare([finding(ONE, "unsupported")], Baseline(), TODAY)) == 3


def test_an_update_leaves_nothing_new_and_drops_what_passes(tmp_path: Path) -> None:
    findings = [finding(ONE, "pass"), finding(TWO)]
    before = compare(findings, baseline(), TODAY)
    write_baseline(tmp_path / "known.toml", updated(before, baseline(), TODAY))
    after = read_baseline(tmp_path / "known.toml", KNOWN)
    assert [entry.purpose for entry in after.deviation] == [TWO]
    assert states(findings, after) == ["", "known"]


@given(st.text(min_size=1).filter(str.strip), st.text(), st.dates())
def test_any_written_reason_is_read_again(tmp_path: Path, reason: str, ticket: str, day: date) -> None:
    try:
        expected = (reason.encode().decode(), ticket.encode().decode())
    except UnicodeEncodeError:  # a lone surrogate is no text, and is written as "?"
        return
    written = Baseline((Deviation(ONE, expected[0], expected[1], day),))
    (tmp_path / "known.toml").unlink(missing_ok=True)
    write_baseline(tmp_path / "known.toml", written)
    assert read_baseline(tmp_path / "known.toml", KNOWN) == written


ENTRY = f"[[deviation]]\npurpose = '{ONE}'\nreason = 'r'\nticket = 't'\nexpires = 2027-01-01\n"


@pytest.mark.parametrize(
    "text",
    [
        ENTRY.replace(ONE, "rate.nothing"), ENTRY.replace("'r'", "' '"), ENTRY.replace("2027-01-01", "'soon'"),
        ENTRY + ENTRY, ENTRY + "who = 'me'\n", "[deviation]\n", ENTRY.replace("ticket = 't'\n", ""), "\x00",
    ],
)  # fmt: skip
def test_a_bad_baseline_is_one_clear_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        read_baseline(path, KNOWN)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)
