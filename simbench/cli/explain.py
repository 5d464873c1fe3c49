"""`simbench explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import cloup
import msgspec

from simbench.base.json_files import indented
from simbench.cli.options import RULES
from simbench.cli.pages import command

if TYPE_CHECKING:
    from simbench.cli.rulebooks import Known
    from simbench.contract import Clause, Contract

Test = tuple[str, str, str, tuple[str, ...]]
"""A purpose, where it is judged, its sentence, and its planted faults."""

STRENGTHS = {"must": "must", "should": "should (recommended)", "may": "may", "info": "information"}


@command(see=("simbench list", "docs/reference/clauses.md", "docs/reference/contract.md"))
@cloup.argument("name", metavar="CLAUSE|PURPOSE")
@RULES
@cloup.option_group("Output", cloup.option("--json", "as_json", is_flag=True, help="JSON instead of text."))
def explain(name: str, contract_name: str | None, *, as_json: bool) -> None:
    """Explain a clause or a purpose: the duty, its figures with their status, and its tests.

    A purpose is explained by each clause of the contract that it verifies. Each figure is marked: seed (given at the
    outset), source (read in a document), or assumption (ours, until a contract of your own confirms it).

    \b
    Examples:
      simbench explain OPS-ENG-01
      simbench explain rate.backlog-at-tier
    """
    from simbench.base.errors import BadInput
    from simbench.base.toml_files import choice
    from simbench.contract import DEFAULT, load_contract
    from simbench.rules.rule import current

    contract = load_contract(contract_name or DEFAULT)
    purpose = current(name)
    names = contract.clauses_for(purpose) or ((name,) if name in contract.clauses else ())
    if not names:
        tests = _tests((purpose,))
        if not tests:
            known = choice(name, (*contract.clauses, *_purposes()))
            raise BadInput(f"contract {contract.name}", f"no clause or purpose `{name}`", known)
        _explain_unasked(purpose, tests, contract, as_json=as_json)
        return
    explained = [_explained(each, contract.clause(each), contract) for each in names]
    if as_json:
        click.echo(indented(explained if len(explained) > 1 else explained[0]))
        return
    for place, each in enumerate(names):
        if place:
            click.echo()
        _print(each, contract)


def _explain_unasked(purpose: str, tests: list[Test], contract: Contract, *, as_json: bool) -> None:
    """Print a purpose that no clause of the contract names."""
    why = f"no clause of {contract.name} names it in verified_by, so it is not judged under this contract"
    if as_json:
        click.echo(indented({"purpose": purpose, "clauses": [], "tests": _as_json(tests), "unjudged_because": why}))
        return
    click.echo(f"{purpose}  {why}")
    _print_tests(tests)


def _print(clause_id: str, contract: Contract) -> None:
    clause = contract.clause(clause_id)
    click.echo(f"{clause_id}  {clause.gist}")
    click.echo(f"    key term   {clause.key_term}")
    click.echo(f"    binds      {', '.join(clause.bound)}; {STRENGTHS[clause.strength]}; source {clause.source}")
    click.echo(f"    check      {clause.check}")
    for heading, rows in (("terms", _terms(clause_id, contract)), ("open readings", _readings(clause_id, contract))):
        if rows:
            click.echo(f"\n  {heading}")
            for row in rows:
                click.echo(f"    {row}")
    tests = _tests(clause.verified_by)
    _print_tests(tests)
    if not tests:
        click.echo(f"    no test: {clause.not_verified}")


def _print_tests(tests: list[Test]) -> None:
    click.echo("\n  tested by")
    for purpose, exercise, sentence, catches in tests:
        click.echo(f"    {purpose}  ({exercise})\n        {sentence}")
        if catches:
            click.echo(f"        must catch: {', '.join(catches)}")


def _explained(clause_id: str, clause: Clause, contract: Contract) -> dict[str, object]:
    return {
        "clause": clause_id,
        **msgspec.to_builtins(clause),
        "terms": {
            name: msgspec.to_builtins(term)
            for name, term in contract.terms.by_name().items()
            if term.clause == clause_id
        },
        "readings": {
            name: msgspec.to_builtins(ambiguity)
            for name, ambiguity in contract.ambiguities.items()
            if clause_id in ambiguity.clauses
        },
        "tests": _as_json(_tests(clause.verified_by)),
        "untested_because": clause.not_verified,
    }


def _as_json(tests: list[Test]) -> list[dict[str, object]]:
    return [
        {"purpose": purpose, "exercise": exercise, "sentence": sentence, "catches": list(catches)}
        for purpose, exercise, sentence, catches in tests
    ]


def _terms(clause_id: str, contract: Contract) -> list[str]:
    return [
        f"{name:<36} {term.value} {term.unit}  [{term.status}]"
        for name, term in contract.terms.by_name().items()
        if term.clause == clause_id
    ]


def _readings(clause_id: str, contract: Contract) -> list[str]:
    return [
        f"{name}: {ambiguity.question} Read as {contract.reading(name)!r}."
        for name, ambiguity in contract.ambiguities.items()
        if clause_id in ambiguity.clauses
    ]


def _tests(purposes: tuple[str, ...]) -> list[Test]:
    """Return purpose, place of judgement, sentence and planted faults for each purpose that has a rule."""
    from simbench.bench.exercises.exercise import EXERCISES
    from simbench.bench.runner.selection import exercised

    rules, in_exercises = _purposes(), exercised()
    found = []
    for purpose in purposes:
        if rule := rules.get(purpose):
            places = [f"exercise {each.name}" for each in EXERCISES.values() if purpose in each.purposes]
            places = places or ["every exercise" if purpose in in_exercises else rule.command]
            found += [(purpose, place, rule.sentence, rule.catches) for place in places]
    return found


def _purposes() -> dict[str, Known]:
    from simbench.cli.rulebooks import known_purposes

    return known_purposes()
