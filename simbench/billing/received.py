"""An invoice received, read from CSV and laid beside one's own. Decides nobody's right.

Columns: clause,code,quantity,unit_price,amount; `code` empty for lines of the whole contract. Lines of the clauses
HT, VAT and TTC give the sums.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import choice
from simbench.billing.counts import csv_rows, whole
from simbench.billing.invoice import Invoice
from simbench.contract import Contract

COLUMNS = ("clause", "code", "quantity", "unit_price", "amount")
SUMS = ("HT", "VAT", "TTC")
AMOUNT = re.compile(r"-?[0-9]{1,12}([.,][0-9]{1,6})?", re.ASCII)

Key = tuple[str, str]


class ReceivedLine(msgspec.Struct, frozen=True):
    """One line as billed; `line` is its place in the file."""

    line: int
    clause: str
    code: str
    quantity: int
    unit_price: Decimal
    amount: Decimal


class Received(msgspec.Struct, frozen=True):
    """An invoice as received: its lines, and the sums it states."""

    lines: tuple[ReceivedLine, ...]
    sums: dict[str, Decimal]

    def by_key(self) -> dict[Key, tuple[int, Decimal]]:
        """Quantity and amount billed of each clause and code."""
        return added_up((line.clause, line.code, line.quantity, line.amount) for line in self.lines)


class Difference(msgspec.Struct, frozen=True):
    """One clause and code where two invoices differ: ours against theirs."""

    clause: str
    code: str
    what: Literal["missing", "unexpected", "different"]
    quantity: int
    amount: Decimal | None
    billed_quantity: int
    billed_amount: Decimal


def read_received(path: Path, contract: Contract) -> Received:
    """Read an invoice received. Raises BadInput naming file, line, value and expectation."""
    lines, sums = [], {}
    clauses = [name for name in contract.clauses if name.startswith("OPS-TAR-")]
    for number, row in csv_rows(path, COLUMNS):
        place, clause = f"{path}: line {number}", row["clause"]
        amount = _amount(row["amount"], f"{place}: amount")
        if clause in SUMS:
            if clause in sums:
                raise BadInput(f"{place}: clause", f"{clause} appears twice", "one sum of each kind")
            sums[clause] = amount
            continue
        if clause not in clauses:
            raise BadInput(f"{place}: clause", f"{clause!r:.40}", choice(clause, (*SUMS, *clauses)))
        quantity = whole(row["quantity"], f"{place}: quantity")
        price = _amount(row["unit_price"], f"{place}: unit_price")
        lines.append(ReceivedLine(number, clause, row["code"], quantity, price, amount))
    return Received(tuple(lines), sums)


def compare(own: Invoice, received: Received) -> tuple[Difference, ...]:
    """Where the invoices differ, clause by clause and code by code, in order."""
    ours = added_up((line.clause, line.code, line.quantity, line.amount or Decimal(0)) for line in own.lines)
    unknown = {(line.clause, line.code) for line in own.lines if line.amount is None}
    theirs = received.by_key()
    found = []
    for key in sorted(ours.keys() | theirs.keys()):
        quantity, amount = ours.get(key, (0, Decimal(0)))
        billed_quantity, billed_amount = theirs.get(key, (0, Decimal(0)))
        if (quantity, amount) == (billed_quantity, billed_amount):
            continue
        if key in unknown and quantity == billed_quantity:
            continue  # sold by quotation: nobody but the two parties knows the price
        what: Literal["missing", "unexpected", "different"] = (
            "unexpected" if key not in ours else "missing" if key not in theirs else "different"
        )
        shown = None if key in unknown else amount
        found.append(Difference(*key, what, quantity, shown, billed_quantity, billed_amount))
    return tuple(found)


def added_up(lines: Iterable[tuple[str, str, int, Decimal]]) -> dict[Key, tuple[int, Decimal]]:
    """Quantities and amounts by clause and code."""
    sums: dict[Key, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for clause, code, quantity, amount in lines:
        before = sums[clause, code]
        sums[clause, code] = (before[0] + quantity, before[1] + amount)
    return dict(sums)


def _amount(text: str, place: str) -> Decimal:
    if not AMOUNT.fullmatch(text):
        raise BadInput(place, f"{text!r:.40}", "an amount such as 150.00")
    return Decimal(text.replace(",", "."))
