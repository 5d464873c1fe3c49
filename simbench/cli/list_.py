"""`simbench list`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
import cloup
import msgspec

from simbench.base.json_files import indented
from simbench.cli.pages import command

JUDGE = "simbench judge"
Row = dict[str, Any]
CONTRACT_HELP = "Contract whose clauses are named with the purposes."


@command("list", see=("simbench explain", "simbench conform", "docs/reference/clauses.md"))
@cloup.option_group("Contract and rules", cloup.option("--contract", "contract_name", help=CONTRACT_HELP))
@cloup.option_group("Output", cloup.option("--json", "as_json", is_flag=True, help="JSON instead of a table."))
def list_(contract_name: str | None, *, as_json: bool) -> None:
    """List exercises, purposes, clients and client faults.

    An exercise creates one situation for a client and checks several test purposes; other purposes are judged by the
    command named with them. Each purpose is followed by the clauses of the contract that it verifies; a purpose without
    a clause is not judged. Faults can be planted in the reference client, to see that the rules detect them.

    \b
    Examples:
      simbench list
      simbench list --contract my-operator.toml
      simbench list --json
    """
    list_command(contract_name, as_json=as_json)


def list_command(contract_name: str | None, *, as_json: bool) -> None:
    """Print exercises with their purposes, other purposes, clients, and faults of client and platform."""
    from fake_smsc.faults import FAULTS as WIRE_FAULTS
    from simbench.api.reports import forms
    from simbench.bench.exercises.exercise import EXERCISES
    from simbench.bench.runner.selection import exercised
    from simbench.bench.sut.registry import known_suts
    from simbench.cli.rulebooks import known_purposes
    from simbench.client.faults import FAULTS
    from simbench.contract import DEFAULT, load_contract
    from simbench.rules.rule import load, standing

    contract, rules = load_contract(contract_name or DEFAULT), known_purposes()
    everywhere, watched, in_exercises = standing(), load("watched"), exercised()

    def rows(purposes: Iterable[str]) -> list[Row]:
        return [
            {"purpose": one, "sentence": rules[one].sentence, "clauses": list(contract.clauses_for(one))}
            for one in purposes
        ]

    elsewhere: dict[str, list[str]] = {}
    for purpose, rule in rules.items():
        if purpose not in in_exercises:
            elsewhere.setdefault(rule.command, []).append(purpose)
    listing: dict[str, Any] = {
        "contract": contract.name,
        "exercises": [
            {
                "name": each.name,
                "title": each.title,
                "seconds": each.seconds,
                "alone": each.alone,
                "purposes": rows(
                    dict.fromkeys((*each.purposes, *(one for one in everywhere if each.asks or one in watched)))
                ),
            }
            for each in EXERCISES.values()
        ],
        "elsewhere": {applied_by: rows(purposes) for applied_by, purposes in elsewhere.items()},
        "reports": list(forms()),
        "clients": {name: msgspec.to_builtins(known) for name, known in known_suts().items()},
        "faults": {
            "client": {name: _first_line(fault) for name, fault in FAULTS.items()},
            "platform": {name: _first_line(fault) for name, fault in WIRE_FAULTS.items()},
        },
    }
    if as_json:
        click.echo(indented(listing))
        return
    for each in EXERCISES.values():
        alone = ", alone" if each.alone else ""
        click.echo(f"{each.name}: {each.title} (about {each.seconds:.0f} s{alone})")
        _print(rows(purpose for purpose in each.purposes if purpose not in everywhere))
    click.echo("in every exercise:")
    _print(rows(everywhere))
    for applied_by, purposes in elsewhere.items():
        click.echo(f"\nby {applied_by}:")
        _print(rows(purposes), needs_clause=applied_by == JUDGE)
    click.echo("\nclients (--sut):")
    for client, known in known_suts().items():
        click.echo(f"    {client:<12} {known.description}{'' if known.installed else '  [not installed]'}")
    if forms():
        click.echo(f"\nreports of packages (simbench report --form): {', '.join(forms())}")
    click.echo("\nfaults of the reference client (--fault):")
    for fault_name, fault in FAULTS.items():
        click.echo(f"    {fault_name:<24} {_first_line(fault)}")
    click.echo("\nfaults of the platform ([[faults]] in a scenario):")
    for fault_name, wire_fault in WIRE_FAULTS.items():
        click.echo(f"    {fault_name:<24} {_first_line(wire_fault)}")


def _print(rows: list[Row], *, needs_clause: bool = True) -> None:
    """Print each purpose with its clauses; bills, forecasts and probes are judged without one as well."""
    for row in rows:
        clauses = ", ".join(row["clauses"]) or ("no clause" if needs_clause else "")
        click.echo(f"    {row['purpose']:<38} {row['sentence']}" + (f"  [{clauses}]" if clauses else ""))


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").partition("\n")[0]
