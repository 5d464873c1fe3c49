"""`simbench contract show`."""

from __future__ import annotations

from typing import Any

import click
import cloup

from simbench.cli.pages import command


@command(see=("simbench explain", "docs/reference/contract.md"))
@cloup.argument("contract", help="Name of a built-in contract, or a contract file.")
@cloup.option_group(
    "Output",
    cloup.option("--assumed", is_flag=True, help="Only figures that the contract does not state itself."),
    cloup.option("--json", "as_json", is_flag=True, help="The whole contract as JSON, overlays merged."),
)
def show(contract: str, *, assumed: bool, as_json: bool) -> None:
    """Show a contract: its figures and prices with their clauses and origins, its open readings, its clauses.

    \b
    Examples:
      simbench contract show demo_telecom
      simbench contract show my-operator.toml --assumed
    """
    import msgspec

    from simbench.base.json_files import indented
    from simbench.cli.contract.comparison import clauses_of, value_of
    from simbench.cli.contract.kinds import base_of, examined

    if (base := base_of(contract)) is not None:
        _show_base(contract, base, as_json=as_json)
        return
    _, loaded, problems = examined(contract)
    if loaded is None:
        raise problems[0].error()
    content = loaded.content
    if as_json:
        click.echo(indented({"name": loaded.name, "digest": loaded.digest, **msgspec.to_builtins(content)}))
        return
    invented = ", invented" if content.invented else ""
    click.echo(f"{content.title}  ({loaded.name} {loaded.digest}{invented})")
    for key, party in getattr(content, "parties", {}).items():
        click.echo(f"    {party.role:<10} {party.name} ({key})")
    click.echo("\nfigures")
    for name, term in content.terms.by_name().items():
        if term.status == "assumption" or not assumed:
            origin = term.status + (f", {term.source}" if term.source else "")
            click.echo(f"    {name:<42} {value_of(term)}  [{term.clause or '-'}; {origin}]")
    ambiguities = getattr(content, "ambiguities", {})
    if ambiguities:
        click.echo("\nreadings (the one in force is marked *)")
    for name, one in ambiguities.items():
        if one.status == "assumption" or not assumed:
            click.echo(f"    {name}  {one.question}  [{one.status}]")
            _print_readings(one.readings, one.reading or one.default)
    if not assumed:
        click.echo("\nclauses")
        for name, clause in clauses_of(loaded).items():
            click.echo(f"    {name:<14} {clause.gist}")


def _print_readings(readings: dict[str, str], in_force: str) -> None:
    for key, meaning in readings.items():
        click.echo(f"        {'*' if key == in_force else ' '} {key}: {meaning}")


def _show_base(name: str, table: dict[str, Any], *, as_json: bool) -> None:
    """Show the figures and readings of a base."""
    from simbench.base.json_files import indented
    from simbench.contract.engine import term_tables

    if as_json:
        click.echo(indented({"name": name, **table}))
        return
    click.echo(f"{table.get('title', '')}  ({name}, a base to be extended)\n\nfigures")
    for keys, term in term_tables(table):
        value = term.get("value", "")
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        place = ".".join(map(str, keys[1:]))
        click.echo(f"    {place:<42} {shown} {term.get('unit', '')}  [{term.get('status', '-')}]")
    click.echo("\nreadings (the one in force is marked *)")
    for key, one in table.get("ambiguities", {}).items():
        click.echo(f"    {key}  {one.get('question', '')}")
        _print_readings(one.get("readings", {}), one.get("reading") or one.get("default", ""))
