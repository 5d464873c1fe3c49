"""Each rule fails on the named faults of the party it binds, and passes without them; all of it in virtual time."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace

from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.run_exercise import Conducted
from simbench.bench.runner.selection import select
from simbench.bench.sut.registry import EVERYTHING
from simbench.client.faults import FAULTS
from simbench.contract import Contract, load_contract
from simbench.finding import Finding
from simbench.rules.rule import load, standing
from tests.mutants.platform import PLATFORM_FAULTS, REVEALED_BY

CHOSEN = select()
RULES = load()
PURPOSES = [(name, purpose) for name, (_, purposes) in CHOSEN.items() for purpose in purposes]
OWN = [(name, purpose) for name, exercise in EXERCISES.items() for purpose in exercise.purposes]
PLANTED = [(name, fault, purpose) for name, purpose in OWN for fault in RULES[purpose].catches]
# A rule that only looks at what the platform answers to a forbidden request, which a correct client does not carry out.
NOT_REVEALED = {"sender.originator-in-service"}
# A rule that judges the instrument, not a party: without a clock that can be moved it says unsupported.
OF_THE_BENCH = {"hours.clock"}
FORGIVABLE = {"lower-case", "line-ends"}
ALONE = {name for name, kind in FAULTS.items() if kind.__module__.endswith(("_connection", "_text"))}
# Frames that are beside the protocol as well, and a result that two messages of one number share.
CONSEQUENCES = {
    "latin-1-texts": {"submits.violations"},
    "counts-octets": {"submits.violations"},
    "counts-characters": {"submits.violations"},
    "reuses-trn-after-return": {"submits.violations"},
}
Key = TypeVar("Key")


@lru_cache(maxsize=1)
def signed() -> Contract:
    """Return a contract with confirmed limits, so that missing one is a fail instead of weak."""
    return load_contract(Path(__file__).parent / "signed.toml")


def is_large(exercise: str) -> bool:
    return EXERCISES[exercise].alone and len(EXERCISES[exercise].under(signed()).rates) > 2


@lru_cache(maxsize=2)
def conducted(exercise: str, fault: str, *, whole: bool = False) -> Conducted:
    played = EXERCISES[exercise]
    if is_large(exercise) and not whole:  # two tiers show a fault as well as five
        played = replace(played, names=("first", "third"))
    if fault in PLATFORM_FAULTS:
        return conduct_in_memory(played, signed(), REVEALED_BY.get(fault, ()), tamper=PLATFORM_FAULTS[fault])
    return conduct_in_memory(played, signed(), (fault,) if fault else ())


def findings(exercise: str, fault: str, purposes: Iterable[str], *, whole: bool = False) -> dict[str, Finding]:
    found = judge_exercise(conducted(exercise, fault, whole=whole), list(purposes), signed(), EVERYTHING)
    return {one.purpose: one for one in found}


def finding(exercise: str, fault: str, purpose: str) -> Finding:
    (found,) = findings(exercise, fault, [purpose]).values()
    return found


def purposes_by(pairs: Iterable[tuple[Key, str]]) -> dict[Key, list[str]]:
    """All that is asked of one run, so that it runs once."""
    found: dict[Key, list[str]] = {}
    for key, purpose in pairs:
        found.setdefault(key, []).append(purpose)
    return found


CORRECT = purposes_by(PURPOSES)
FAULTY = purposes_by(((name, fault), purpose) for name, fault, purpose in sorted(PLANTED))


@pytest.mark.slow
@pytest.mark.parametrize("exercise", [name for name in CORRECT if is_large(name)])
def test_a_correct_client_passes_at_every_tier_at_once(exercise: str) -> None:
    assert_pass(CORRECT[exercise], findings(exercise, "", CORRECT[exercise], whole=True))


@pytest.mark.parametrize("exercise", CORRECT)
def test_a_correct_client_on_a_correct_platform_passes(exercise: str) -> None:
    assert_pass(CORRECT[exercise], findings(exercise, "", CORRECT[exercise]))


def assert_pass(purposes: list[str], found: dict[str, Finding]) -> None:
    wanted = {purpose: "unsupported" if purpose in NOT_REVEALED else "pass" for purpose in purposes}
    summaries = [one.summary for one in found.values() if one.outcome != wanted[one.purpose]]
    assert {purpose: one.outcome for purpose, one in found.items()} == wanted, summaries


@pytest.mark.parametrize(("exercise", "fault"), FAULTY)
def test_a_planted_fault_fails_the_rules_that_must_catch_it(exercise: str, fault: str) -> None:
    purposes = FAULTY[exercise, fault]
    found = findings(exercise, fault, purposes)
    summaries = [one.summary for one in found.values()]
    assert {purpose: one.outcome for purpose, one in found.items()} == {
        purpose: RULES[purpose].at_worst for purpose in purposes
    }, summaries
    assert {purpose: one.blame for purpose, one in found.items()} == {
        purpose: RULES[purpose].binds for purpose in purposes
    }, summaries
    assert all(one.evidence or one.outcome == "weak" for one in found.values())


@pytest.mark.parametrize(("exercise", "fault"), [pair for pair in FAULTY if pair[1] in ALONE])
def test_a_fault_is_caught_by_the_rule_named_for_it_and_by_no_other(exercise: str, fault: str) -> None:
    purposes = CHOSEN[exercise][1]
    found = findings(exercise, fault, purposes)
    caught = {one.purpose for one in found.values() if one.outcome not in {"pass", "unsupported"}}
    assert caught == set(FAULTY[exercise, fault]) | CONSEQUENCES.get(fault, set())


def test_a_correct_platform_passes_whatever_a_client_does_to_see_it() -> None:
    for purpose in NOT_REVEALED:
        (fault,) = REVEALED_BY[RULES[purpose].catches[0]]
        exercise = next(name for name, known in OWN if known == purpose)
        assert finding(exercise, fault, purpose).outcome == "pass"


@pytest.mark.parametrize("fault", sorted(FORGIVABLE))
def test_what_a_server_may_let_pass_is_reported_all_the_same(fault: str) -> None:
    found = finding("session", fault, "sessions.violations")
    assert (found.outcome, found.blame) == ("weak", "client")
    assert "(forgivable)" in found.summary
    assert finding("session", fault, "submits.violations").outcome == "pass"


def test_every_exercise_is_judged_by_the_standing_purposes() -> None:
    assert set(PURPOSES) >= {(name, purpose) for name in EXERCISES for purpose in standing()}


def test_every_rule_names_a_fault_it_catches() -> None:
    assert {purpose for _, purpose in OWN if not RULES[purpose].catches} == OF_THE_BENCH


def test_every_fault_is_caught_by_a_rule_and_every_one_named_exists() -> None:
    assert {fault for _, fault, _ in PLANTED} | FORGIVABLE == set(FAULTS) | set(PLATFORM_FAULTS)


def test_the_rules_of_the_client_suite_are_those_an_exercise_is_for_and_those_that_stand_in_each() -> None:
    assert {purpose for _, purpose in OWN} | set(standing()) == set(load("client"))


def test_no_purpose_is_at_home_in_two_exercises() -> None:
    assert len({purpose for _, purpose in OWN}) == len(OWN)


@pytest.mark.parametrize("exercise", ["mixed-recipients", "total-outage", "opt-outs"])
def test_rules_never_need_what_the_centre_wrote(exercise: str) -> None:
    ran = conducted(exercise, "")
    blind = Conducted(ran.exercise, ran.run.without("centre"))
    purposes = CHOSEN[exercise][1]
    assert judge_exercise(blind, purposes, signed(), EVERYTHING) == judge_exercise(ran, purposes, signed(), EVERYTHING)
