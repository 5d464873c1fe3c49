"""A received invoice, read from a table and compared line by line with one's own.

Columns: clause,code,quantity,unit_price,amount; `code` is empty for lines of the whole contract; `month` and
`currency` are optional. Lines of the clauses HT, VAT and TTC give the sums. A line with negative quantity and amount
is a credit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import choice
from simbench.billing.counts import LARGEST, all_rows, whole
from simbench.billing.invoice import Invoice
from simbench.contract import Contract
from simbench.contract.terms import Charge
from simbench.tables.cells import digits_of, number_of, text_of
from simbench.tables.frames import Frame, place_of
from simbench.tables.rows import Kind, Row

KINDS: Final[Mapping[str, Kind]] = {
    "clause": "text", "code": "text", "quantity": "number", "unit_price": "number", "amount": "number",
}  # fmt: skip
COLUMNS = tuple(KINDS)
BESIDE: Final[Mapping[str, Kind]] = {"month": "text", "currency": "text"}
SIGNS: Final[Mapping[str, frozenset[str]]] = {
    "EUR": frozenset({"EURO", "EUROS", "€"}), "GBP": frozenset({"£"}), "USD": frozenset({"$", "US$"}),
    "CHF": frozenset({"FR.", "SFR."}),
}  # fmt: skip
"""Notations of a currency in bills, besides its code."""
BY_CONTRACT: Final[tuple[Charge, ...]] = (
    "message", "code_month", "qualification_month", "qualification", "range_month",
)  # fmt: skip
"""Charges for the whole contract, which a bill may split by code."""
SUMS = ("HT", "VAT", "TTC")
"""The sums of a bill before VAT, of VAT, and with it, as French contracts name them."""
NAMES_OF_SUMS = {"fr": {"HT": "HT", "VAT": "VAT", "TTC": "TTC"}, "en": {"HT": "NET", "VAT": "VAT", "TTC": "GROSS"}}
_KNOWN_SUMS = {name: total for names in NAMES_OF_SUMS.values() for total, name in names.items()} | {"TVA": "VAT"}

Key = tuple[str, str]


class ReceivedLine(msgspec.Struct, frozen=True):
    """One line as billed; `line` is its number in the file, `unit_price` is None if not stated."""

    line: int
    clause: str
    code: str
    quantity: int
    unit_price: Decimal | None
    amount: Decimal


class Received(msgspec.Struct, frozen=True):
    """An invoice as received: its lines, stated sums and stated months.

    `by_contract` are the clauses of rows due for the whole contract.
    """

    lines: tuple[ReceivedLine, ...]
    sums: dict[str, Decimal]
    months: tuple[str, ...] = ()
    by_contract: frozenset[str] = frozenset()

    def by_key(self, codes: Collection[str] = ()) -> dict[Key, tuple[int, Decimal]]:
        """Return the billed quantity and amount of each clause and code; rows for the whole contract that are split by
        these codes are added up.
        """
        return added_up(
            (
                line.clause,
                "" if line.clause in self.by_contract and line.code in codes else line.code,
                line.quantity,
                line.amount,
            )
            for line in self.lines
        )

    @property
    def total(self) -> Decimal:
        """Return the sum of the lines, before VAT."""
        return sum((line.amount for line in self.lines), Decimal(0))


class Difference(msgspec.Struct, frozen=True):
    """One clause and code where two invoices differ: ours against theirs."""

    clause: str
    code: str
    what: Literal["missing", "unexpected", "different"]
    quantity: int
    amount: Decimal | None
    billed_quantity: int
    billed_amount: Decimal


def read_received(path: Path | Frame, contract: Contract) -> Received:
    """Read a received invoice. Raises BadInput, which names file, line, value and expectation."""
    lines, sums, months = [], {}, set()
    clauses = _clauses(contract)
    currency_due = contract.terms.money.currency.value
    written = {"", currency_due, *SIGNS.get(currency_due, ())}
    by_contract = frozenset(row.clause for row in contract.terms.tariff.values() if row.charge in BY_CONTRACT)
    for row in all_rows(path, {**KINDS, **BESIDE}, ("clause", "amount")):
        place, clause = f"{place_of(path)}: line {row.line}", _spelled(text_of(row.cells["clause"]), clauses)
        currency = text_of(row.cells.get("currency", ""))
        if currency.upper() not in written:
            raise BadInput(f"{place}: currency", f"{currency!r:.20}", f"{currency_due}, the currency of the contract")
        if month := text_of(row.cells.get("month", "")):
            months.add(month)
        amount = _amount(row, "amount", place)
        if clause in SUMS:
            if clause in sums:
                raise BadInput(f"{place}: clause", f"{clause} appears twice", "one sum of each kind")
            sums[clause] = amount
            continue
        if clause not in clauses:
            raise BadInput(
                f"{place}: clause", f"{clause!r:.40}", choice(clause, (*sum_names(contract).values(), *clauses))
            )
        quantity = whole(row, "quantity", place, -LARGEST)
        price = _amount(row, "unit_price", place) if text_of(row.cells.get("unit_price", "")) else None
        code = digits_of(row.cells.get("code", ""))
        lines.append(ReceivedLine(row.line, clause, code, quantity, price, amount))
    return Received(tuple(lines), sums, tuple(sorted(months)), by_contract)


def sum_names(contract: Contract) -> dict[str, str]:
    """Return the names of SUMS in the language of the contract."""
    return NAMES_OF_SUMS.get(contract.language, NAMES_OF_SUMS["en"])


def _clauses(contract: Contract) -> list[str]:
    """Return the clauses that a line may name: those of prices and those of their chapters."""
    priced = contract.terms.row_ids()
    chapters = {contract.clauses[name].chapter for name in priced if name in contract.clauses}
    return [name for name, clause in contract.clauses.items() if clause.chapter in chapters]


def _spelled(written: str, clauses: list[str]) -> str:
    """Return a clause in the contract's spelling, or a sum in either language; case does not matter."""
    known = {name.upper(): name for name in clauses} | _KNOWN_SUMS
    return known.get(written.upper(), written)


def compare(own: Invoice, received: Received, codes: Collection[str] = ()) -> tuple[Difference, ...]:
    """Return the differences between the invoices by clause and code, in order."""
    ours = added_up((line.clause, line.code, line.quantity, line.amount or Decimal(0)) for line in own.lines)
    unknown = {(line.clause, line.code) for line in own.lines if line.amount is None}
    theirs = received.by_key(codes)
    found = []
    for key in sorted(ours.keys() | theirs.keys()):
        quantity, amount = ours.get(key, (0, Decimal(0)))
        billed_quantity, billed_amount = theirs.get(key, (0, Decimal(0)))
        if (quantity, amount) == (billed_quantity, billed_amount):
            continue
        if key in unknown and quantity == billed_quantity:
            continue  # sold by quotation: only the two parties know the price
        what: Literal["missing", "unexpected", "different"] = (
            "unexpected" if key not in ours else "missing" if key not in theirs else "different"
        )
        shown = None if key in unknown else amount
        found.append(Difference(*key, what, quantity, shown, billed_quantity, billed_amount))
    return tuple(found)


def added_up(lines: Iterable[tuple[str, str, int, Decimal]]) -> dict[Key, tuple[int, Decimal]]:
    """Add up quantities and amounts by clause and code."""
    sums: dict[Key, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for clause, code, quantity, amount in lines:
        before = sums[clause, code]
        sums[clause, code] = (before[0] + quantity, before[1] + amount)
    return dict(sums)


def _amount(row: Row, name: str, place: str) -> Decimal:
    amount = number_of(row.cells.get(name, ""), f"{place}: {name}", decimal_comma=row.decimal_comma)
    if abs(amount) > LARGEST:
        raise BadInput(f"{place}: {name}", f"is {amount}", f"an amount up to {LARGEST}")
    return amount
