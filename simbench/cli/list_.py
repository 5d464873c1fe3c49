"""`simbench list`."""

from __future__ import annotations

import click
import cloup
import msgspec

from simbench.base.json_files import indented
from simbench.cli.pages import command


@command("list", see=("simbench explain", "simbench conform", "docs/reference/clauses.md"))
@cloup.option_group("Output", cloup.option("--json", "as_json", is_flag=True, help="JSON instead of a table."))
def list_(*, as_json: bool) -> None:
    """List exercises, purposes, clients and client faults.

    An exercise puts a client into one situation and checks several test purposes. Faults can be planted in the
    reference client, to see the rules catch them.

    \b
    Examples:
      simbench list
      simbench list --json
    """
    list_command(as_json=as_json)


def list_command(*, as_json: bool) -> None:
    """Print exercises with their purposes, clients, and faults of the reference client and of the platform."""
    from fake_smsc.faults import FAULTS as WIRE_FAULTS
    from simbench.bench.runner.selection import select
    from simbench.bench.sut.registry import known_suts
    from simbench.client.faults import FAULTS
    from simbench.rules.rule import load, standing

    chosen, rules = select(), load()
    everywhere = standing()
    listing = {
        "exercises": [
            {
                "name": name,
                "title": exercise.title,
                "seconds": exercise.seconds,
                "alone": exercise.alone,
                "purposes": [{"purpose": p, "sentence": rules[p].sentence} for p in purposes],
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
            if purpose not in everywhere:
                click.echo(f"    {purpose:<34} {rules[purpose].sentence}")
    click.echo("in every exercise:")
    for purpose in everywhere:
        click.echo(f"    {purpose:<34} {rules[purpose].sentence}")
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
