from __future__ import annotations

from simbench.bench.exercises.exercise import EXERCISES
from simbench.contract import load_contract
from simbench.rules.coverage import reasons, rules_of
from simbench.rules.rule import load
from tools.reference.clauses import PLACE, on_a_run, page


def test_every_clause_has_a_rule_or_a_reason() -> None:
    assert [name for name in load_contract().clauses if not rules_of(name) and not reasons().get(name)] == []


def test_every_rule_and_every_reason_is_about_a_clause_of_the_contract() -> None:
    clauses = set(load_contract().clauses)
    assert {rule.clause for rule in load().values()} <= clauses
    assert set(reasons()) <= clauses


def test_a_clause_seen_on_the_wire_has_a_rule_unless_it_is_about_money_or_a_year() -> None:
    without = {name for name in on_a_run(load_contract()) if not rules_of(name)}
    elsewhere = {"OPS-CON-06", "OPS-ACH-05", "OPS-OPT-02", "OPS-OPT-03", "OPS-TAR-05", "OPS-TAR-08"}
    over_a_year = {"OPS-QOS-01", "OPS-QOS-02", "OPS-QOS-03", "OPS-ENG-04"}
    assert without <= elsewhere | over_a_year


def test_every_purpose_of_an_exercise_has_its_rule() -> None:
    assert {purpose for exercise in EXERCISES.values() for purpose in exercise.purposes} <= set(load())


def test_the_page_of_clauses_is_up_to_date() -> None:
    assert PLACE.read_text("utf-8") == page(), "run python -m tools.reference.clauses --write"


def test_no_cell_of_the_page_is_empty() -> None:
    assert [line for line in page().splitlines() if "| `` |" in line or "|  |" in line] == []
