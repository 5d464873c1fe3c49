"""`simbench list`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click
import cloup
import msgspec

from simbench.base.json_files import indented
from simbench.cli.pages import command
from simbench.cli.rulebooks import known_purposes

if TYPE_CHECKING:
    from simbench.contract import Contract

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
    from simbench.contract import DEFAULT, load_contract

    contract = load_contract(contract_name or DEFAULT)
    listing = _listing(contract)
    if as_json:
        click.echo(indented(listing))
    else:
        _show(listing, contract)


def _listing(contract: Contract) -> dict[str, Any]:
    """Exercises with their purposes, other purposes, clients, and faults of client and platform."""
    from fake_smsc.faults import FAULTS as WIRE_FAULTS
    from simbench.api.reports import forms
    from simbench.bench.exercises.exercise import EXERCISES
    from simbench.bench.runner.selection import exercised
    from simbench.bench.sut.registry import known_suts
    from simbench.client.faults import FAULTS
    from simbench.rules.rule import load, standing

    rules, everywhere, watched, in_exercises = known_purposes(), standing(), load("watched"), exercised()
    elsewhere: dict[str, list[str]] = {}
    for purpose, rule in rules.items():
        if purpose not in in_exercises:
            elsewhere.setdefault(rule.command, []).append(purpose)
    return {
        "contract": contract.name,
        "exercises": [
            {
                "name": each.name,
                "title": each.title,
                "seconds": each.seconds,
                "alone": each.alone,
                "purposes": _rows(
                    dict.fromkeys((*each.purposes, *(one for one in everywhere if each.asks or one in watched))),
                    contract,
                ),
            }
            for each in EXERCISES.values()
        ],
        "elsewhere": {applied_by: _rows(purposes, contract) for applied_by, purposes in elsewhere.items()},
        "reports": list(forms()),
        "clients": {name: msgspec.to_builtins(known) for name, known in known_suts().items()},
        "faults": {
            "client": {name: _first_line(fault) for name, fault in FAULTS.items()},
            "platform": {name: _first_line(fault) for name, fault in WIRE_FAULTS.items()},
        },
    }


def _rows(purposes: Iterable[str], contract: Contract) -> list[Row]:
    rules = known_purposes()
    return [
        {"purpose": one, "sentence": rules[one].sentence, "clauses": list(contract.clauses_for(one))}
        for one in purposes
    ]


def _show(listing: dict[str, Any], contract: Contract) -> None:
    """Print what is listed; the purposes of every exercise once."""
    from simbench.rules.rule import standing

    everywhere = standing()
    for each in listing["exercises"]:
        alone = ", alone" if each["alone"] else ""
        click.echo(f"{each['name']}: {each['title']} (about {each['seconds']:.0f} s{alone})")
        _print([row for row in each["purposes"] if row["purpose"] not in everywhere])
    click.echo("in every exercise:")
    _print(_rows(everywhere, contract))
    for applied_by, rows in listing["elsewhere"].items():
        click.echo(f"\nby {applied_by}:")
        _print(rows, needs_clause=applied_by == JUDGE)
    click.echo("\nclients (--sut):")
    for client, known in listing["clients"].items():
        click.echo(f"    {client:<12} {known['description']}{'' if known['installed'] else '  [not installed]'}")
    if listing["reports"]:
        click.echo(f"\nreports of packages (simbench report --form): {', '.join(listing['reports'])}")
    headings = {"client": "the reference client (--fault)", "platform": "the platform ([[faults]] in a scenario)"}
    for whose, faults in listing["faults"].items():
        click.echo(f"\nfaults of {headings[whose]}:")
        for name, sentence in faults.items():
            click.echo(f"    {name:<24} {sentence}")


def _print(rows: list[Row], *, needs_clause: bool = True) -> None:
    """Print each purpose with its clauses; bills, forecasts and probes are judged without one as well."""
    for row in rows:
        clauses = ", ".join(row["clauses"]) or ("no clause" if needs_clause else "")
        click.echo(f"    {row['purpose']:<38} {row['sentence']}" + (f"  [{clauses}]" if clauses else ""))


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").partition("\n")[0]
