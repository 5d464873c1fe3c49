"""Rules on a received bill: each row of the tariff grid against the acts and the messages of the month.

The rules share data (contract, acts, counts) with the module `invoice`, but calculate independently.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

import msgspec

from simbench.base.text import count
from simbench.billing.acts import Acts, Month
from simbench.billing.counts import Counts, oddly_counted
from simbench.billing.due import Due, cents, prices, rate_in, tier_rows, what_is_due
from simbench.billing.readings import other_readings
from simbench.billing.received import Key, Received, sum_names
from simbench.contract import Contract
from simbench.finding import Evidence, Finding, Outcome, prose
from simbench.rulebook import Rulebook, Verdict

SHOWN = 10


class Bill(msgspec.Struct, frozen=True):
    """A month's bill to judge, with the acts and messages it must follow and the contract."""

    contract: Contract
    acts: Acts
    counts: Counts
    month: Month
    received: Received

    @property
    def billed(self) -> dict[Key, tuple[int, Decimal]]:
        """Billed quantity and amount by clause and code; rows of the whole contract may be split by its codes."""
        return self.received.by_key({code.code for code in self.acts.codes})


class Case(NamedTuple):
    """A bill with the amounts due, and those due under each other reading that the bill follows completely."""

    bill: Bill
    due: Due
    others: dict[str, Due]


# Besides those of the rows.
RULES: Final = Rulebook[Case](
    lambda case, purpose: case.bill.contract.clause_of(purpose), binds="platform", suites=("audit",)
)


def judge_bill(bill: Bill) -> tuple[Finding, ...]:
    """Return one finding per row of the grid, and those on all rows together."""
    due, billed = what_is_due(bill.contract, bill.acts, bill.counts, bill.month), bill.billed
    others = {
        f"{bill.contract.ambiguity_id(topic)} {reading}": other
        for topic, reading, contract in other_readings(bill.contract)
        if _read_so(billed, due, other := what_is_due(contract, bill.acts, bill.counts, bill.month))
    }
    case = Case(bill, due, others)
    return (*row_rules(bill.contract).judge_all(case, "bill"), *RULES.judge_all(case, "bill"))


def row_rules(contract: Contract) -> Rulebook[Case]:
    """Return a rule for each row of the contract's tariff grid."""
    rows = {f"bill.{name}.billed": clause for name, clause in contract.terms.row_clauses().items()}
    book = Rulebook[Case](
        lambda _, purpose: rows[purpose], binds="platform", suites=("audit",), unit=contract.terms.money.currency.value
    )
    for purpose, clause in sorted(rows.items(), key=lambda row: row[1]):
        book.rule(purpose, "The amount due by this row is billed, and no more")(partial(_row, clause))
    return book


def balance(bill: Bill) -> Decimal:
    """Return the excess of a bill's lines over the amount due before VAT; negative if too little was billed.

    Rows priced by quotation are left out on both sides.
    """
    due = what_is_due(bill.contract, bill.acts, bill.counts, bill.month)
    unknown = {key for key, (_, amount) in due.items() if amount is None}
    billed = sum((amount for key, (_, amount) in bill.billed.items() if key not in unknown), Decimal(0))
    return billed - _sum(due)


def _read_so(billed: dict[Key, tuple[int, Decimal]], due: Due, other: Due) -> bool:
    """Tell whether a bill follows another reading in every row it changes; a partial one excuses nothing."""
    changed = {key[0] for key in due.keys() | other.keys() if due.get(key) != other.get(key)}
    return {key: value for key, value in billed.items() if key[0] in changed} == {
        key: value for key, value in other.items() if key[0] in changed
    }


def _row(clause: str, case: Case) -> Verdict:
    """Compare the amount billed under one clause with the amount due, code by code."""
    bill, due, others = case
    billed = {key: value for key, value in bill.billed.items() if key[0] == clause}
    own = {key: value for key, value in due.items() if key[0] == clause}
    sums = (_sum(billed), _sum(own))
    wrong = [key for key in sorted(billed.keys() | own.keys()) if not _same(billed.get(key), own.get(key))]
    summary = f"{sums[0]:.2f} billed, {sums[1]:.2f} due"
    odd = _other_prices(clause, bill)
    if odd and not wrong:
        summary += f", and {count(len(odd), 'line')} at another unit price than the contract's"
        return _verdict("fail", summary, sums, odd)
    if not wrong:
        return _verdict("pass", summary, sums)
    evidence = [
        Evidence(f"{key[1] or 'contract'}: {_in_words(billed, key)} billed, {_in_words(own, key)} due") for key in wrong
    ]
    for name, other in others.items():
        theirs = {key: value for key, value in other.items() if key[0] == clause}
        if billed == theirs:  # an unknown price proves nothing
            assumed = bill.contract.assumed(name.split()[0])
            parts = (summary, f"right under {name}")
            return _verdict("weak" if assumed else "fail", parts, sums, evidence, assumed)
    return _verdict("fail", summary, sums, evidence)


def _other_prices(clause: str, bill: Bill) -> tuple[Evidence, ...]:
    """Return the lines of a clause with a unit price other than the contract's."""
    price = prices(bill.contract, bill.acts)[clause]
    if price is None:  # by quotation
        return ()
    return tuple(
        Evidence(f"line {line.line}: a unit price of {line.unit_price}, {price} in the contract")
        for line in bill.received.lines
        if line.clause == clause and line.unit_price not in {None, price}
    )


@RULES.rule("bill.nothing-else", "No line names a clause without a price")
def nothing_else(case: Case) -> Verdict:
    """Check for lines of clauses without a price (OPS-TAR-08, 13 to 16 and similar ones)."""
    bill = case.bill
    priced = set(bill.contract.terms.row_ids())
    lines = [line for line in bill.received.lines if line.clause not in priced]
    evidence = [Evidence(f"line {line.line}: {line.amount:.2f} under {line.clause}") for line in lines]
    billed = sum((line.amount for line in lines), Decimal(0))
    summary = f"{count(len(lines), 'line')} under clauses that have no price, {billed:.2f} billed"
    found = _verdict("fail" if lines else "pass", summary, (billed, 0), evidence)
    return msgspec.structs.replace(found, unit=bill.contract.terms.money.currency.value)


def _same(billed: tuple[int, Decimal] | None, due: tuple[int, Decimal | None] | None) -> bool:
    if billed is None or due is None:
        return (billed or (0, Decimal(0))) == (due or (0, Decimal(0)))
    return billed[0] == due[0] and (due[1] is None or billed[1] == due[1])


def _in_words(lines: dict[Key, tuple[int, Decimal]] | Due, key: Key) -> str:
    quantity, amount = lines.get(key, (0, Decimal(0)))
    return f"{quantity} for {'a quoted price' if amount is None else f'{amount:.2f}'}"


@RULES.rule("bill.standard-rate-included", "A code at the standard rate has no rate line", unit="lines")
def standard_rate(case: Case) -> Verdict:
    """Check rate lines by the rate in the billed month."""
    bill = case.bill
    standard = bill.contract.terms.throughput.default_per_s.value
    rates = {code.code: rate_in(code, bill.contract, bill.month) for code in bill.acts.codes}
    rows = tier_rows(bill.contract)
    lines = [line for line in bill.received.lines if line.clause in rows and rates.get(line.code) == standard]
    evidence = [Evidence(f"line {line.line}: {line.clause} for {line.code}") for line in lines]
    return _none_wrong(f"{count(len(lines), 'rate line')} for codes at the standard rate", evidence)


@RULES.rule("bill.whole-months", "A tier is billed by whole calendar months", unit="lines")
def whole_months(case: Case) -> Verdict:
    """Check that each tier line is a multiple of its price."""
    bill = case.bill
    price_of, rows = prices(bill.contract, bill.acts), tier_rows(bill.contract)
    parts = [
        line
        for line in bill.received.lines
        if line.clause in rows and (price := price_of[line.clause]) is not None and line.amount != price * line.quantity
    ]
    evidence = [Evidence(f"line {line.line}: {line.amount:.2f} for {line.code}") for line in parts]
    return _none_wrong(f"{count(len(parts), 'tier')} not billed by the whole month", evidence)


@RULES.rule("bill.sums", "The stated sums are those of the lines, with VAT on the total", unit="sums")
def sums(case: Case) -> Verdict:
    """Check the stated sums (AMB-15)."""
    bill = case.bill
    total = sum((line.amount for line in bill.received.lines), Decimal(0))
    vat = cents(total * bill.contract.terms.money.vat_share.value)
    right = {"HT": total, "VAT": vat, "TTC": total + vat}
    stated = bill.received.sums
    if not stated:
        return Verdict("unsupported", "the bill states no sums")
    wrong = [name for name, amount in stated.items() if amount != right[name]]
    called = sum_names(bill.contract)
    evidence = [
        Evidence(f"{called[name]}: {stated[name]:.2f} stated, {right[name]:.2f} by the lines") for name in wrong
    ]
    parts: tuple[str, ...] = (f"{len(wrong)} of {count(len(stated), 'sum')} wrong",)
    assumed = bill.contract.assumed("money.vat_share")
    net, stated_vat = stated.get("HT", total), stated.get("VAT")
    gross = stated.get("TTC", net + (stated_vat or Decimal(0)))
    share = _share(net, gross - net)
    outcome: Outcome = "fail" if wrong else "pass"
    if stated_vat is not None and net + stated_vat != gross:
        parts += (f"{net:.2f} and {stated_vat:.2f} of VAT are not {gross:.2f}",)
    elif assumed and wrong and "HT" not in wrong and share is not None:
        outcome, parts = "weak", (*parts, f"they agree at {share:.1%} of VAT")
    return _verdict(outcome, parts, (len(wrong), 0), evidence, assumed if outcome == "weak" else ())


def _share(net: Decimal, vat: Decimal) -> Decimal | None:
    """Return the rate of VAT, in tenths of a percent, that gives this VAT for a net amount; None if there is none."""
    if net <= 0 or not 0 <= vat <= net:
        return None
    share = (vat / net).quantize(Decimal("0.001"))
    return share if cents(net * share) == vat else None


@RULES.rule("bill.each-number-billed", "All qualified numbers are billed, and no others", unit="numbers")
def numbers_qualified(case: Case) -> Verdict:
    """Check the billed numbers by the qualifications of the month."""
    bill = case.bill
    used = sum(one.numbers for one in bill.acts.qualifications if one.month == str(bill.month))
    rows = {row.clause for row in bill.contract.terms.rows("qualification")}
    billed = sum(line.quantity for line in bill.received.lines if line.clause in rows)
    return _verdict("pass" if used == billed else "fail", f"{billed} billed, {used} qualified", (billed, used))


@RULES.rule("bill.requested", "A tier that must be requested was requested", binds="client", unit="tiers")
def requests(case: Case) -> Verdict:
    """Check the requests in the acts."""
    bill = case.bill
    throughput = bill.contract.terms.throughput
    floor = throughput.request_from_per_s.value if throughput.request_from_per_s else max(throughput.rates)
    without = [
        Evidence(f"{code.code} at {tier.rate_per_s}/s from {tier.month}")
        for code in bill.acts.codes
        for tier in code.tiers
        if throughput.must_ask(tier.rate_per_s) and not tier.request_id
    ]
    return _none_wrong(f"{count(len(without), 'tier')} from {floor}/s on without a request", without)


@RULES.rule("bill.in-service", "Messages are counted for codes in service", unit="codes")
def in_service(case: Case) -> Verdict:
    """Check that counted messages fit the acts, and that no more were delivered than accepted by then."""
    bill = case.bill
    odd = [Evidence(note) for note in oddly_counted(bill.acts, bill.counts, bill.month, bill.contract)]
    if odd:
        summary = "the message counts do not fit the acts, so the amount due for them is unknown"
        return _verdict("inconclusive", summary, (len(odd), 0), odd)
    return _verdict("pass", "only messages of codes in service", (0, 0))


def _sum(lines: dict[Key, tuple[int, Decimal]] | Due) -> Decimal:
    return sum((amount or Decimal(0) for _, amount in lines.values()), Decimal(0))


def _none_wrong(summary: str, evidence: Sequence[Evidence]) -> Verdict:
    return _verdict("fail" if evidence else "pass", summary, (len(evidence), 0), evidence)


def _verdict(
    outcome: Outcome, parts: str | tuple[str, ...], figures: tuple[Decimal | int, Decimal | int],
    evidence: Sequence[Evidence] = (), assumed: tuple[str, ...] = (),
) -> Verdict:  # fmt: skip
    parts = (parts,) if isinstance(parts, str) else parts
    measured, limit = map(float, figures)
    return Verdict(
        outcome, prose(parts), measured, limit, assumed=assumed, evidence=tuple(evidence[:SHOWN]), parts=parts
    )
