"""`simbench contract list`."""

from __future__ import annotations

import click
import cloup

from simbench.cli.pages import command


@command("list", see=("simbench contract show", "docs/reference/contract.md"))
@cloup.option_group("Output", cloup.option("--json", "as_json", is_flag=True, help="JSON instead of a table."))
def list_(*, as_json: bool) -> None:
    """List the built-in contracts, and those of installed packages: name, product, title, number of clauses.

    Bases, which can only be extended, are marked.

    \b
    Example:
      simbench contract list
    """
    from simbench.base.json_files import indented
    from simbench.cli.contract.kinds import schemas
    from simbench.contract.layers import builtin_names, layers_of

    rows = []
    for name in builtin_names():
        layers = layers_of(name)
        table = layers[-1].table
        kind = next((layer.table["kind"] for layer in layers if "kind" in layer.table), "sms")
        if kind in schemas():
            rows.append(
                {
                    "name": name,
                    "kind": kind,
                    "title": table.get("title", ""),
                    "clauses": len({clause for layer in layers for clause in layer.table.get("clauses", {})}),
                    "base": bool(table.get("abstract")),
                    "invented": bool(table.get("invented")),
                    "file": str(layers[-1].path),
                }
            )
    if as_json:
        click.echo(indented(rows))
        return
    for row in rows:
        what = "base, to be extended" if row["base"] else f"{row['clauses']} clauses"
        click.echo(f"{row['name']:<18} {row['kind']:<8} {row['title']}  ({what})")
