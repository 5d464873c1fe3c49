"""`simbench list` and `simbench explain`: what can be tested, and what a clause means. Runs nothing."""

from __future__ import annotations

import click
import msgspec

from fake_smsc.faults import FAULTS as WIRE_FAULTS
from simbench.base.json_files import indented
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.runner.selection import select
from simbench.bench.sut.registry import known_suts
from simbench.client.faults import FAULTS
from simbench.contract import Clause, Contract, load_contract
from simbench.rules.coverage import reasons
from simbench.rules.rule import load

STRENGTHS = {"must": "must", "should": "should (recommended)", "may": "may", "info": "information"}


def list_command(*, as_json: bool) -> None:
    """Print exercises with their purposes, clients, and faults of the reference client and of the platform."""
    chosen = select()
    listing = {
        "exercises": [
            {
                "name": name,
                "title": exercise.title,
                "seconds": exercise.seconds,
                "alone": exercise.alone,
                "purposes": [{"purpose": p, "sentence": load()[p].sentence} for p in purposes],
            }
            for name, (exercise, purposes) in chosen.items()
        ],
        "clients": {name: msgspec.to_builtins(known) for name, known in known_suts().items()},
        "faults": {
            "client": {name: _first_line(fault) for name, fault in FAULTS.items()},
            "platform": {name: _first_line(fault) for name, fault in WIRE_FAULTS.items()},
        },
    }
    if as_json:
        click.echo(indented(listing))
        return
    for name, (exercise, purposes) in chosen.items():
        alone = ", alone" if exercise.alone else ""
        click.echo(f"{name}: {exercise.title} (about {exercise.seconds:.0f} s{alone})")
        for purpose in purposes:
            click.echo(f"    {purpose:<34} {load()[purpose].sentence}")
    click.echo("\nclients (--sut):")
    for client, known in known_suts().items():
        click.echo(f"    {client:<12} {known.description}{'' if known.installed else '  [not installed]'}")
    click.echo("\nfaults of the reference client (--fault):")
    for fault_name, fault in FAULTS.items():
        click.echo(f"    {fault_name:<24} {_first_line(fault)}")
    click.echo("\nfaults of the platform ([[faults]] in a scenario):")
    for fault_name, wire_fault in WIRE_FAULTS.items():
        click.echo(f"    {fault_name:<24} {_first_line(wire_fault)}")


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def explain_command(clause_id: str, contract_name: str | None, *, as_json: bool) -> None:
    """Print one clause: its sentence, terms with their status, rules, exercises."""
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
        click.echo(f"    nothing: {reason}" if reason else f"    nothing yet; verifiable by {', '.join(clause.verify)}")


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
    select()
    return [
        (purpose, exercise.name, load()[purpose].sentence, load()[purpose].catches)
        for exercise in EXERCISES.values()
        for purpose in exercise.purposes
        if load()[purpose].clause == clause_id
    ]
