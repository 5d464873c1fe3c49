"""`simbench bill`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cloup
import msgspec

from simbench.base.json_files import indented
from simbench.cli.options import OUTPUT_FOLDER, RULES, language_option
from simbench.cli.pages import JUDGED, command

if TYPE_CHECKING:
    from simbench.billing.invoice import Invoice
    from simbench.billing.page import Bundle
    from simbench.contract import Contract
    from simbench.finding import Finding
    from simbench.reporting.translations import Translations


@command(
    exits={**JUDGED, 1: "with --against: a row of the invoice received failed"},
    files="With -o: invoices.html, invoices.json and invoice-MONTH.csv for each month.",
    see=("simbench forecast", "simbench plan", "docs/guides/billing.md"),
)
@cloup.argument("source", type=click.Path(path_type=Path, exists=True))
@cloup.option_group(
    "Input",
    cloup.option(
        "--acts",
        "acts_file",
        required=True,
        type=click.Path(path_type=Path),
        help="Acts under the contract: subscriptions, changes, set-ups (TOML).",
    ),
    cloup.option("--month", metavar="YYYY-MM", help="Calendar month to bill (default: every month with messages)."),
    cloup.option(
        "--against", type=click.Path(path_type=Path), help="Invoice received (CSV, Parquet, XLSX), to be judged."
    ),
)
@RULES
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for printable pages, JSON and CSV."),
    language_option("invoices and their page"),
    cloup.option("--json", "form", flag_value="json", help="JSON instead of tables."),
    cloup.option("--csv", "form", flag_value="csv", help="CSV in the columns of an invoice received."),
)
def bill(  # noqa: PLR0913 - one argument an option
    source: Path,
    acts_file: Path,
    month: str | None,
    against: Path | None,
    contract_name: str | None,
    output: Path | None,
    language: str,
    form: str | None,
) -> int:
    """Bill the messages of a run (or a table of counts), and judge an invoice received line by line.

    A message counts in the month (the contract's zone) in which it was delivered, a long one by its segments. The
    output lists every ambiguity of the offer that changes the total, with the difference.

    \b
    Examples:
      simbench bill reports/first --acts acts.toml
      simbench bill counts.csv --acts acts.toml --month 2016-10 -o reports/bill
      simbench bill counts.csv --acts acts.toml --month 2016-10 --against received.csv --json
    """
    from simbench.api.billing import billed
    from simbench.billing.acts import read_acts
    from simbench.billing.counts import read_counts
    from simbench.billing.page import write_all
    from simbench.billing.received import read_received
    from simbench.billing.words import words
    from simbench.contract import DEFAULT, load_contract
    from simbench.finding import exit_status

    contract = msgspec.structs.replace(load_contract(contract_name or DEFAULT), language=language)
    acts, counts = read_acts(acts_file, contract), read_counts(source, contract.calendar)
    received = read_received(against, contract) if against is not None else None
    made = billed(contract, acts, counts, received, month, str(against))
    if output is not None:
        for path in write_all(output, made.bundles, contract):
            click.echo(str(path), err=True)
    due = None if made.billed is None else (made.billed, made.beyond)
    _print(form or "table", made.bundles, tuple(made.findings), due, words(language, contract), contract)
    return exit_status(made.findings) if received is not None else 0


def _print(
    form: str, bundles: Sequence[Bundle], findings: Sequence[Finding], billed: tuple[Decimal, Decimal] | None,
    t: Translations, contract: Contract,
) -> None:  # fmt: skip
    """Print invoices in the requested form; `billed`: the sum of an invoice received and the excess it bills."""
    from simbench.billing.page import as_csv, as_json
    from simbench.cli.findings import print_findings

    if form == "json":
        shown = msgspec.json.decode(as_json(bundles))
        over = {} if billed is None else {"billed_ht": billed[0], "over_billed_ht": billed[1]}
        click.echo(indented({**over, **shown, "findings": findings}))
        return
    if form == "csv":
        click.echo("\n".join(as_csv(one.invoice, contract) for one in bundles), nl=False)
        return
    if billed is not None:
        click.echo(_balance(*billed, t))
    for bundle in bundles:
        _print_invoice(bundle.invoice, t, contract.terms.money.vat_share.value)
        _print_effects(bundle, t)
    if billed is not None:
        print_findings(findings)


def _balance(billed: Decimal, beyond: Decimal, t: Translations) -> str:
    """Return the total of a received invoice, in one line."""
    total = f"{t.money(billed)} billed before VAT"
    if not beyond:
        return f"{total}, the amount due"
    return f"{total}: {t.money(abs(beyond))} {'more' if beyond > 0 else 'less'} than the amount due"


def _print_invoice(bill: Invoice, t: Translations, vat_share: Decimal) -> None:
    from rich.table import Table

    from simbench.cli.console import console

    out, table = console(140), Table(title=f"Invoice {bill.month}", box=None)
    for heading in ("clause", "for", "code"):
        table.add_column(heading)
    for heading in ("quantity", "unit price", "amount"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in bill.lines:
        table.add_row(
            line.clause, line.label, line.code, f"{line.quantity:,}", t.money(line.unit_price), t.money(line.amount)
        )
    table.add_section()
    vat = t("page.vat", share=f"{t.number(float(100 * vat_share), 2)}\u00a0%")
    for name, amount in ((t("page.net"), bill.total_ht), (vat, bill.vat), (t("page.gross"), bill.total_ttc)):
        table.add_row("", name, "", "", "", t.money(amount))
    out.print(table)
    for note in bill.notes:
        out.print(f"note: {note}")
    if not bill.complete:
        out.print("note: a price is known by quotation only; the totals leave it out")


def _print_effects(bundle: Bundle, t: Translations) -> None:
    for one in bundle.effects:
        sign = "+" if one.difference >= 0 else ""
        click.echo(f"  {one.ambiguity} read as {one.reading}: {sign}{t.money(one.difference)}")
