"""`simbench explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import cloup
import msgspec

from simbench.base.json_files import indented
from simbench.cli.pages import command

if TYPE_CHECKING:
    from simbench.contract import Clause, Contract

STRENGTHS = {"must": "must", "should": "should (recommended)", "may": "may", "info": "information"}


@command(see=("simbench list", "docs/reference/clauses.md", "docs/reference/contract.md"))
@cloup.argument("clause")
@cloup.option_group(
    "Contract and rules", cloup.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
)
@cloup.option_group("Output", cloup.option("--json", "as_json", is_flag=True, help="JSON instead of text."))
def explain(clause: str, contract_name: str | None, *, as_json: bool) -> None:
    """Explain a clause: its duty, its figures with their status, and its tests.

    Each figure is marked: seed (given with the task), source (read in a document), or assumption (ours, until a
    contract of your own confirms it).

    \b
    Example:
      simbench explain OPS-ENG-01
    """
    explain_command(clause, contract_name, as_json=as_json)


def explain_command(clause_id: str, contract_name: str | None, *, as_json: bool) -> None:
    """Print one clause: its sentence, terms with their status, rules, exercises."""
    from simbench.contract import load_contract
    from simbench.rules.coverage import reasons

    contract = load_contract(contract_name or "orange_ops_2016")
    clause = contract.clause(clause_id.partition("/")[0])
    explained = _explained(clause_id.partition("/")[0], clause, contract)
    if as_json:
        click.echo(indented(explained))
        return
    click.echo(f"{explained['clause']}  {clause.gist}")
    click.echo(f"    key term   {clause.key_term}")
    click.echo(f"    binds      {', '.join(clause.bound)}; {STRENGTHS[clause.strength]}; source {clause.source}")
    click.echo(f"    check      {clause.check}")
    for heading, rows in (("terms", _terms(clause_id, contract)), ("open readings", _readings(clause_id, contract))):
        if rows:
            click.echo(f"\n  {heading}")
            for row in rows:
                click.echo(f"    {row}")
    click.echo("\n  tested by")
    tests = _tests(clause_id.partition("/")[0])
    for purpose, exercise, sentence, catches in tests:
        click.echo(f"    {purpose}  (exercise {exercise})\n        {sentence}")
        if catches:
            click.echo(f"        must catch: {', '.join(catches)}")
    if not tests:
        reason = reasons().get(clause_id.partition("/")[0], "")
        click.echo(f"    no test: {reason}" if reason else f"    no test yet; verifiable by {', '.join(clause.verify)}")


def _explained(clause_id: str, clause: Clause, contract: Contract) -> dict[str, object]:
    from simbench.rules.coverage import reasons

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
        "tests": [
            {"purpose": purpose, "exercise": exercise, "sentence": sentence, "catches": list(catches)}
            for purpose, exercise, sentence, catches in _tests(clause_id)
        ],
        "untested_because": "" if _tests(clause_id) else reasons().get(clause_id, ""),
    }


def _terms(clause_id: str, contract: Contract) -> list[str]:
    return [
        f"{name:<36} {term.value} {term.unit}  [{term.status}]"
        for name, term in contract.terms.by_name().items()
        if term.clause == clause_id.partition("/")[0]
    ]


def _readings(clause_id: str, contract: Contract) -> list[str]:
    return [
        f"{name}: {ambiguity.question} Read as {contract.reading(name)!r}."
        for name, ambiguity in contract.ambiguities.items()
        if clause_id.partition("/")[0] in ambiguity.clauses
    ]


def _tests(clause_id: str) -> list[tuple[str, str, str, tuple[str, ...]]]:
    from simbench.bench.exercises.exercise import EXERCISES
    from simbench.bench.runner.selection import select
    from simbench.rules.rule import load

    select()
    rules = load()
    return [
        (purpose, exercise.name, rules[purpose].sentence, rules[purpose].catches)
        for exercise in EXERCISES.values()
        for purpose in exercise.purposes
        if rules[purpose].clause == clause_id
    ]
