from __future__ import annotations

from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.runner.selection import exercised
from simbench.cli.rulebooks import known_purposes
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.rules.coverage import untested
from simbench.rules.rule import current, load
from tools.reference.clauses import on_a_run, page


def test_every_clause_names_rules_or_a_reason_and_not_both() -> None:
    assert [
        name for name, one in load_contract().clauses.items() if bool(one.verified_by) == bool(one.not_verified)
    ] == []


def test_every_rule_verifies_a_clause_of_the_contract_and_every_purpose_named_has_a_rule() -> None:
    named = {purpose for clause in load_contract().clauses.values() for purpose in clause.verified_by}
    assert set(load()) <= named
    assert named <= set(known_purposes())


def test_a_clause_seen_on_the_wire_has_a_rule_unless_it_is_about_attribution_or_areas() -> None:
    clauses = load_contract().clauses
    assert {name for name in on_a_run(load_contract()) if not clauses[name].verified_by} <= {"OPS-CON-06", "OPS-OPT-02"}


def test_clauses_without_a_finding_are_named_with_their_reason() -> None:
    contract = load_contract("demo_telecom")
    found = {
        one.clause: one.reason for one in untested(contract, [Finding("hours.sundays", "5.2", "fail", "")], exercised())
    }
    assert "5.2" not in found
    assert set(found) | {"5.2"} == set(contract.clauses)
    assert found["6.1"] == "judged by `simbench judge`"
    assert found["3.1"] == "not part of this session"
    assert found["7.1"] == contract.clauses["7.1"].not_verified
    assert found["6.5"] == "not part of this session; also judged by `simbench judge`"
    everything = [Finding(purpose, "", "pass", "") for purpose in known_purposes()]
    left = {one.clause for one in untested(contract, everything, exercised())}
    assert left == {name for name, clause in contract.clauses.items() if not clause.verified_by}


def test_every_purpose_of_an_exercise_has_its_rule() -> None:
    assert {purpose for exercise in EXERCISES.values() for purpose in exercise.purposes} <= set(load())


def test_an_id_of_the_older_form_is_taken_for_the_purpose_it_meant() -> None:
    for clause, slug, purpose in (
        ("OPS-ENG-01", "backlog-at-tier", "rate.backlog-at-tier"),
        ("OPS-CON-02", "oddities", "sessions.violations"),
        ("OPS-QOS-03", "five-days", "sla.maintenance-notice"),
        ("OPS-ENG-04", "five-days", "sla.interruption-notice"),
        ("OPS-QOS-01", "rolling-year", "sla.availability"),
    ):
        assert current(f"{clause}/{slug}") == purpose
    assert current("rate.backlog-at-tier") == "rate.backlog-at-tier"
    assert current("OPS-ENG-01") == "OPS-ENG-01"
    assert current("rate.nothing-of-that-name") == "rate.nothing-of-that-name"


def test_no_cell_of_the_page_is_empty() -> None:
    assert [line for line in page().splitlines() if "| `` |" in line or "|  |" in line] == []
