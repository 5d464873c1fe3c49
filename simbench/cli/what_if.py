"""`simbench plan --from LEDGER`: past traffic under other codes and tiers."""

from __future__ import annotations

from pathlib import Path

import click

from simbench.base.errors import BadInput
from simbench.base.json_files import indented, write_json
from simbench.base.outputs import claim
from simbench.cli.console import console
from simbench.cli.findings import columns
from simbench.contract import DEFAULT, load_contract
from simbench.planning.what_if import otherwise


def what_if_command(
    ledger: Path, contract_name: str | None, output: Path | None, late_min: float, *, as_json: bool
) -> int:
    """Print the cost, lateness and losses of a ledger's traffic under other codes and tiers."""
    if not ledger.exists():
        raise BadInput(f"--from {ledger}", "is not there", "the folder of a run")
    contract = load_contract(contract_name or DEFAULT)
    rows = otherwise(ledger, contract, late_min)
    summary = {"late_after_min": late_min, "otherwise": rows}
    if output is not None:
        claim(output)
        write_json(output / "otherwise.json", summary)
    if as_json:
        click.echo(indented(summary))
        return 0
    euros = f"{contract.terms.money.currency.value} before VAT"
    heads = (euros, "messages", f"late (> {late_min:g} min)", "lost", "longest wait (s)")
    table = columns("range", "codes and tier", figures=heads)
    for row in rows:
        figures = (f"{row.euros:,.2f}", *(f"{n:,}" for n in (row.messages, row.late, row.lost, row.longest_wait_s)))
        table.add_row(f"{row.prefix}ABC", row.words, *figures)
    console(140).print(table)
    if any(row.at_most for row in rows):
        click.echo("note: only the minute of each message is known: late, lost and longest wait are upper bounds")
    if any(row.since == "submitted" for row in rows):
        click.echo("note: the ledger has the instants of submission, not the time before that in the client:")
        click.echo("      waits count from there and miss what the client held back (a world's --detail minute knows)")
    return 0
