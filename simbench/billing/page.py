"""An invoice as a self-contained page to print, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from simbench.base.json_files import indented, write_octets
from simbench.base.outputs import claim
from simbench.billing.invoice import Effect, Invoice
from simbench.billing.received import COLUMNS, Difference, sum_names
from simbench.billing.words import words
from simbench.contract import Contract
from simbench.reporting.html import environment
from simbench.tables.writer import csv_text


class Bundle(msgspec.Struct, frozen=True):
    """One month as shown: the invoice, the effects of other readings, and the differences from a received bill."""

    invoice: Invoice
    effects: tuple[Effect, ...]
    source: str
    differences: tuple[Difference, ...] = ()


def as_csv(invoice: Invoice, contract: Contract) -> str:
    """Write the lines and sums in the columns of a received invoice, so that an own invoice can be compared as well."""
    rows = [(line.clause, line.code, line.quantity, line.unit_price, line.amount) for line in invoice.lines]
    amounts = (invoice.total_ht, invoice.vat, invoice.total_ttc)
    sums = zip(sum_names(contract).values(), amounts, strict=True)
    return csv_text(COLUMNS, [*rows, *((name, "", "", "", amount) for name, amount in sums)])


def as_json(bundles: Sequence[Bundle]) -> str:
    """Write every month with its effects and differences; amounts are texts, exact to the cent."""
    return indented({"invoices": bundles}).decode()


def as_html(bundles: Sequence[Bundle], contract: Contract) -> str:
    """Write one self-contained page in the contract's language, one sheet of paper per month."""
    t = words(contract.language, contract)
    share = f"{t.number(float(100 * contract.terms.money.vat_share.value), 2)}\u00a0%"
    template = environment(Path(__file__).parent, str).get_template("invoice.html.j2")
    return template.render(bundles=bundles, contract=contract, t=t, money=t.money, vat=share)


def write_all(folder: Path, bundles: Sequence[Bundle], contract: Contract) -> list[Path]:
    """Write invoices.html, invoices.json and one CSV per month; return the paths.

    Raises the errors of `write_octets`.
    """
    texts = {"invoices.html": as_html(bundles, contract), "invoices.json": as_json(bundles) + "\n"}
    texts |= {f"invoice-{one.invoice.month}.csv": as_csv(one.invoice, contract) for one in bundles}
    claim(folder)
    for name, text in texts.items():
        write_octets(folder / name, text)
    return [folder / name for name in texts]
