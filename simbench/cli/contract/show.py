"""`simbench contract show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import cloup

from simbench.cli.pages import command

if TYPE_CHECKING:
    from simbench.contract.engine import Loaded


@command(see=("simbench explain", "docs/reference/contract.md"))
@cloup.argument("contract", help="Name of a built-in contract, or a contract file.")
@cloup.option_group(
    "Output",
    cloup.option("--assumed", is_flag=True, help="Only figures that the contract does not state itself."),
    cloup.option("--json", "as_json", is_flag=True, help="The whole contract as JSON, overlays merged."),
)
def show(contract: str, *, assumed: bool, as_json: bool) -> None:
    """Show a contract: its figures with their clauses and origins, its open readings, its clauses.

    \b
    Examples:
      simbench contract show demo_telecom
      simbench contract show my-operator.toml --assumed
    """
    import msgspec

    from simbench.base.json_files import indented
    from simbench.cli.contract.kinds import examined
    from simbench.contract.term import named_terms

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
    for name, term in named_terms(content.terms).items():
        if term.status == "assumption" or not assumed:
            origin = term.status + (f", {term.source}" if term.source else "")
            click.echo(f"    {name:<42} {_written(term.value)} {term.unit}  [{term.clause or '-'}; {origin}]")
    ambiguities = getattr(content, "ambiguities", {})
    if ambiguities:
        click.echo("\nreadings")
    for name, one in ambiguities.items():
        if one.status == "assumption" or not assumed:
            click.echo(f"    {name}  {one.question} Read as {one.reading or one.default}. [{one.status}]")
    if not assumed:
        click.echo("\nclauses")
        for name, clause in _clauses(loaded).items():
            click.echo(f"    {name:<14} {clause.gist}")


def _written(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _clauses(loaded: Loaded[Any]) -> Any:
    """The clauses, their sentences with figures."""
    from simbench.contract.load import contract_of
    from simbench.contract.sms import SmsFile

    return contract_of(loaded).clauses if isinstance(loaded.content, SmsFile) else loaded.content.clauses
