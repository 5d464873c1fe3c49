"""The data of a purpose are stated once, on its rule, and every entry point finds the same rules after any imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fake_smsc
import simbench
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.runner.selection import select
from simbench.contract import load_contract
from simbench.rulebook import SUITES, Rulebook, Verdict
from simbench.rules.audit import KINDS
from simbench.rules.rule import load, ordered, standing

DOORS = {
    "nothing else": "",
    "a rule's own module": "import simbench.rules.client.refusals",
    "the service level": "import simbench.sla.restoration, simbench.sla.rules",
    "the commands": "import simbench.cli.main, simbench.api.audit, simbench.cli.conform",
    "the service": "import simbench.service.judging",
    "the exercises": "import simbench.bench.exercises.endurance, simbench.bench.runner.selection",
    "pytest": "import simbench.bench.pytest.plugin",
}
TELL = "\nfrom simbench.rules.rule import load\nprint(*(f'{p}={r.suites}' for p, r in load().items()), sep='\\n')"


@pytest.mark.parametrize("door", DOORS)
def test_every_door_sees_the_same_rules_in_a_fresh_process(door: str) -> None:
    done = subprocess.run([sys.executable, "-c", DOORS[door] + TELL], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{purpose}={rule.suites}" for purpose, rule in load().items()]


def test_a_suite_is_the_rules_that_carry_its_tag() -> None:
    assert set().union(*(load(suite) for suite in SUITES)) == set(load())
    for suite in SUITES:
        assert all(suite in rule.suites for rule in load(suite).values())
    assert ordered(load_contract(), "sla") == [
        "sla.availability", "sla.restoration", "sla.maintenance-notice", "sla.rate-with-backlog",
        "sla.interruption-notice",
    ]  # fmt: skip


def test_what_a_rule_reads_beside_the_wire_can_be_given_and_only_an_audit_asks_for_it() -> None:
    for rule in load().values():
        assert set(rule.reads) <= set(KINDS), rule.purpose
        audited = rule.reads or rule.absence or rule.counts_all or rule.by_duration or rule.excused_by
        assert "audit" in rule.suites or not audited, rule.purpose


def test_a_purpose_has_one_rule() -> None:
    book = Rulebook[None]()
    book.rule("topic.once", "Judged once")(lambda _: Verdict("pass", "once"))
    with pytest.raises(ValueError, match="has a rule already"):
        book.rule("topic.once", "Judged twice")(lambda _: Verdict("pass", "twice"))


NAMED_BY = {
    "purposes.py",  # of the service level: rules and readers of records take them from there
    "protocol_violations.py",  # its table says which of its two purposes a violation breaks
    "rule.py",  # what ids of the older form meant
    "orders.py",  # the clause that an order cites
    "refusals.py",  # the clause that a refusal of the SMSC cites
}


def test_no_purpose_is_named_outside_its_rule_and_its_exercise() -> None:
    """A purpose written anywhere else would be the key of a second table of facts about it."""
    select()
    purposes = set(load())
    assert {purpose for exercise in EXERCISES.values() for purpose in exercise.purposes} <= purposes
    found = [
        f"{path}:{line}: {purpose}"
        for package in (simbench, fake_smsc)
        for path in sorted(Path(package.__path__[0]).rglob("*.py"))
        for line, purpose in _named(ast.parse(path.read_text("utf-8")))
        if purpose in purposes and path.name not in NAMED_BY
    ]
    assert found == []
    assert len(standing()) == 3


def _named(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Strings of a module, but the purpose with which a rule is entered and those an exercise is for."""
    calls = [(call, _name(call.func)) for call in ast.walk(tree) if isinstance(call, ast.Call)]
    entered = {
        id(text)
        for call, name in calls
        if name in {"rule", "exercise"}
        for argument in (call.args[:1] if name == "rule" else call.args[1:2])
        for text in ast.walk(argument)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in entered:
            yield node.lineno, node.value


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
