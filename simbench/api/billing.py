"""`bill`: the cost of the messages of a run or a table, and the check of a received invoice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from simbench.api.contracts import Language, contract_in
from simbench.api.runs import Run
from simbench.base.errors import BadInput
from simbench.base.notebook import html_table
from simbench.base.python_words import in_python_words
from simbench.base.toml_files import choice
from simbench.billing.acts import Acts, Month, acts_in, read_acts
from simbench.billing.counts import Counts, count_run, read_counts
from simbench.billing.invoice import Invoice, effects, invoice
from simbench.billing.page import Bundle
from simbench.billing.received import Received, compare, read_received
from simbench.billing.rules import Bill as Given
from simbench.billing.rules import balance, judge_bill
from simbench.contract import Contract
from simbench.finding import Finding
from simbench.findings import Findings
from simbench.tables.frames import ArrowStream, Frame, frame_of
from simbench.tables.writer import Sheet

COLUMNS = ("month", "clause", "for", "code", "quantity", "unit_price", "amount")


class Bill:
    """The invoices of some months, and the findings on an invoice received.

    `invoices` are in order of months. `findings` is empty unless an invoice was received; then `billed` is its sum
    before VAT, and `beyond` how much of that is not due (negative: too little was billed).

    >>> acts = {"codes": [{"code": "36010", "opened": "2016-09-01"}]}
    >>> counts = Frame.of({"month": ["2016-10"], "code": ["36010"], "delivered": [1000]}, "counts")
    >>> bill(counts, acts).lines.columns[:3]
    ['month', 'clause', 'for']
    """

    def __init__(
        self, bundles: Sequence[Bundle], contract: Contract, findings: Findings, billed: Decimal | None, beyond: Decimal
    ) -> None:
        self.bundles, self.contract, self.findings = tuple(bundles), contract, findings
        self.billed, self.beyond = billed, beyond

    @property
    def invoices(self) -> tuple[Invoice, ...]:
        """The invoice of each month: `.month`, `.lines`, `.total_ht`, `.vat`, `.total_ttc`."""
        return tuple(one.invoice for one in self.bundles)

    @property
    def total(self) -> Decimal:
        """Euros before VAT over all months."""
        return sum((one.total_ht for one in self.invoices), Decimal(0))

    @cached_property
    def lines(self) -> Frame:
        """Every line: month, clause, for, code, quantity, unit_price and amount (before VAT)."""
        rows = tuple(
            (bill.month, line.clause, line.label, line.code, line.quantity, line.unit_price, line.amount)
            for bill in self.invoices
            for line in bill.lines
        )
        return frame_of(Sheet("lines", COLUMNS, rows))

    def __repr__(self) -> str:
        months = ", ".join(one.month for one in self.invoices)
        return f"<Bill {months}: {self.total:,.2f} {self.contract.terms.money.currency.value} before VAT>"

    def _repr_html_(self) -> str:
        rows = [(one.month, one.total_ht, one.vat, one.total_ttc) for one in self.invoices]
        heads = ("month", f"{self.contract.terms.money.currency.value} before VAT", "VAT", "with VAT")
        page = html_table(heads, rows, len(rows), "Invoices")
        return page + self.findings._repr_html_() if len(self.findings) else page


@in_python_words
def bill(
    source: Run | Path | str | ArrowStream,
    acts: Path | str | Mapping[str, Any],
    *,
    month: str | None = None,
    against: Path | str | ArrowStream | None = None,
    contract: Contract | Path | str | None = None,
    language: Language = "en",
) -> Bill:
    """Bill the messages of a run or of a table of counts, as `simbench bill` does.

    `source`: a run, or a table (month, code, delivered, accepted) as a file or DataFrame. `acts`: subscriptions,
    changes and set-ups as a file or its tables (docs/reference/campaign.md). `month`: "2016-10"; by default every month
    with messages. `against`: the invoice received, as a file or DataFrame, to be judged line by line.

    Raises BadInput for wrong input, and for messages of a short code without an act.

    >>> acts = {"codes": [{"code": "36010", "opened": "2016-09-01"}]}
    >>> bill(Frame.of({"month": ["2016-10"], "code": ["36010"], "delivered": [1000]}, "counts"), acts)
    <Bill 2016-10: ... EUR before VAT>
    """
    known = msgspec.structs.replace(contract_in(contract), language=language)
    done = acts_in(acts, known) if isinstance(acts, Mapping) else read_acts(Path(acts), known)
    counts = counts_in(source, known)
    received = None if against is None else read_received(_file(against, "the invoice received"), known)
    return billed(known, done, counts, received, month, _name(against))


def billed(
    contract: Contract, acts: Acts, counts: Counts, received: Received | None, month: str | None, name: str = ""
) -> Bill:
    """Return the invoices of the requested months, or of the month of a received invoice, with its judgement."""
    months = months_of(month, counts.months) if received is None else (_month_of(name, received, month),)
    _check_codes(acts, counts, months)
    bundles: list[Bundle] = []
    codes = {code.code for code in acts.codes}
    findings: tuple[Finding, ...] = ()
    beyond = Decimal(0)
    for one in months:
        made = invoice(contract, acts, counts, one)
        other = effects(contract, acts, counts, one)
        bundles.append(Bundle(made, other, counts.source, compare(made, received, codes) if received else ()))
        if received is not None:
            given = Given(contract, acts, counts, one, received)
            findings, beyond = judge_bill(given), balance(given)
    total = None if received is None else received.total
    return Bill(bundles, contract, Findings(findings), total, beyond)


def counts_in(source: Run | Path | str | ArrowStream, contract: Contract) -> Counts:
    """Return the messages by month of the contract's zone and by short code. Raises BadInput."""
    if isinstance(source, Run):
        return count_run(source.ledger, contract.calendar, source.name)
    return read_counts(_file(source, "the counts"), contract.calendar)


def months_of(month: str | None, counted: tuple[Month, ...]) -> tuple[Month, ...]:
    """Return the requested month, or every month with messages. Raises BadInput."""
    if month is None:
        if not counted:
            raise BadInput("--month", "missing, and the source has no message", "a month such as 2016-10")
        return counted
    try:
        return (Month.parse(month),)
    except ValueError:
        raise BadInput("--month", f"{month!r:.40}", "a month such as 2016-10") from None


def _month_of(name: str, received: Received, month: str | None) -> Month:
    """Return the month of a received invoice: the stated or the requested one. Raises BadInput."""
    if len(received.months) > 1:
        raise BadInput(f"{name}: month", f"{len(received.months)} months", "an invoice of one month")
    named = received.months[0] if received.months else None
    try:
        stated = Month.parse(named) if named else None
    except ValueError:
        raise BadInput(f"{name}: month", f"{named!r:.40}", "a month such as 2016-10") from None
    asked = months_of(month, ())[0] if month is not None else stated
    if asked is None:
        raise BadInput(f"--against {name}", "the invoice states no month", "--month YYYY-MM as well")
    if stated not in {None, asked}:
        raise BadInput(f"{name}: month", f"the invoice is for {stated}", f"{asked}, the month of --month")
    return asked


def _check_codes(acts: Acts, counts: Counts, months: Sequence[Month]) -> None:
    """Raise BadInput for messages of a code without an act."""
    known = {code.code for code in acts.codes}
    for month in months:
        for code in counts.codes(month):
            if code not in known:
                expected = f"{choice(code, sorted(known))}, the codes with acts"
                raise BadInput(f"{counts.source}: {month}", f"messages of {code!r:.40}", expected)


def _file(given: Path | str | ArrowStream, name: str) -> Path | Frame:
    return Path(given) if isinstance(given, Path | str) else Frame.of(given, name)


def _name(given: Path | str | ArrowStream | None) -> str:
    return str(given) if isinstance(given, Path | str) else "the invoice received"
