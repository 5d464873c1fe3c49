"""Rules on a received bill: each row of the tariff grid against the acts and the messages of the month.

The rules share data (contract, acts, counts) with what makes invoices, and do their own arithmetic.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec

from simbench.base.text import count
from simbench.billing.acts import Acts, Month
from simbench.billing.counts import Counts, oddly_counted
from simbench.billing.due import Due, cents, prices, rate_in, tier_rows, what_is_due
from simbench.billing.readings import other_readings
from simbench.billing.received import Key, Received
from simbench.contract import Contract
from simbench.finding import Evidence, Finding, Outcome

SHOWN = 10


class Bill(msgspec.Struct, frozen=True):
    """What is judged: a month's bill, the acts and messages it must follow, and the contract."""

    contract: Contract
    acts: Acts
    counts: Counts
    month: Month
    received: Received

    @property
    def billed(self) -> dict[Key, tuple[int, Decimal]]:
        """Quantity and amount billed of each clause and code; rows of the whole contract may be split by its codes."""
        return self.received.by_key({code.code for code in self.acts.codes})


def judge_bill(bill: Bill) -> tuple[Finding, ...]:
    """One finding a row of the grid, and those on what the rows have in common (OPS-TAR-01 to 22)."""
    due = what_is_due(bill.contract, bill.acts, bill.counts, bill.month)
    billed = bill.billed
    others = {
        f"{name} {reading}": other
        for name, reading, contract in other_readings(bill.contract)
        if _read_so(billed, due, other := what_is_due(contract, bill.acts, bill.counts, bill.month))
    }
    rows = [_row(clause, bill, due, others) for clause in sorted(bill.contract.terms.row_ids())]
    return (
        *rows, _nothing_else(bill), _standard_rate(bill), _whole_months(bill), _sums(bill), _numbers_qualified(bill),
        _requests(bill), _in_service(bill),
    )  # fmt: skip


def balance(bill: Bill) -> Decimal:
    """What the lines of a bill come to beyond what is due before VAT: negative where too little was billed.

    Rows priced by quotation are left out on both sides.
    """
    due = what_is_due(bill.contract, bill.acts, bill.counts, bill.month)
    unknown = {key for key, (_, amount) in due.items() if amount is None}
    billed = sum((amount for key, (_, amount) in bill.billed.items() if key not in unknown), Decimal(0))
    return billed - _sum(due)


def _read_so(billed: dict[Key, tuple[int, Decimal]], due: Due, other: Due) -> bool:
    """Whether a bill follows another reading in every row it changes: half of a reading excuses nothing."""
    changed = {key[0] for key in due.keys() | other.keys() if due.get(key) != other.get(key)}
    return {key: value for key, value in billed.items() if key[0] in changed} == {
        key: value for key, value in other.items() if key[0] in changed
    }


SENTENCES: Final = {
    "bill.billed": "Each row of the tariff is billed with the quantity and amount that are due",
    "bill.nothing-else": "No row stands on the bill under a clause that has no price",
    "bill.in-service": "No messages are billed for a code before it opens or after it closes",
    "bill.standard-rate-included": "The standard rate of a code is not billed",
    "bill.whole-months": "Rate tiers are billed by the whole month",
    "bill.sums": "Sums, VAT and gross amount follow from the rows",
    "bill.each-number-billed": "Each qualified number is billed",
    "bill.requested": "Tiers that must be asked for have a request",
}


def _row(clause: str, bill: Bill, due: Due, others: dict[str, Due]) -> Finding:
    """What was billed under one clause against what is due, code by code."""
    billed = {key: value for key, value in bill.billed.items() if key[0] == clause}
    own = {key: value for key, value in due.items() if key[0] == clause}
    sums = (_sum(billed), _sum(own))
    wrong = [key for key in sorted(billed.keys() | own.keys()) if not _same(billed.get(key), own.get(key))]
    summary = f"{sums[0]:.2f} billed, {sums[1]:.2f} due"
    odd = _other_prices(clause, bill)
    if odd and not wrong:
        summary += f", and {count(len(odd), 'line')} at another unit price than the contract's"
        return _finding("bill.billed", clause, "fail", summary, sums, odd[:SHOWN])
    if not wrong:
        return _finding("bill.billed", clause, "pass", summary, sums)
    evidence = tuple(Evidence(f"{key[1] or 'contract'}: {_said(billed, key)} billed, {_said(own, key)} due")
                     for key in wrong[:SHOWN])  # fmt: skip
    for name, other in others.items():
        theirs = {key: value for key, value in other.items() if key[0] == clause}
        if billed == theirs:  # a price nobody knows proves nothing
            assumed = bill.contract.assumed(name.split()[0])
            outcome: Outcome = "weak" if assumed else "fail"
            return _finding("bill.billed", clause, outcome, f"{summary}; right under {name}", sums, evidence, assumed)
    return _finding("bill.billed", clause, "fail", summary, sums, evidence)


def _other_prices(clause: str, bill: Bill) -> tuple[Evidence, ...]:
    """Lines of a clause that state a unit price which is not the contract's."""
    price = prices(bill.contract, bill.acts)[clause]
    if price is None:  # by quotation
        return ()
    return tuple(
        Evidence(f"line {line.line}: a unit price of {line.unit_price}, {price} in the contract")
        for line in bill.received.lines
        if line.clause == clause and line.unit_price not in {None, price}
    )


def _nothing_else(bill: Bill) -> Finding:
    """No row stands on the bill under a clause that has no price (OPS-TAR-08, 13 to 16 and the like)."""
    priced = set(bill.contract.terms.row_ids())
    lines = [line for line in bill.received.lines if line.clause not in priced]
    evidence = tuple(Evidence(f"line {line.line}: {line.amount:.2f} under {line.clause}") for line in lines[:SHOWN])
    billed = sum((line.amount for line in lines), Decimal(0))
    return _finding(
        "bill.nothing-else", bill.contract.clause_of("bill.nothing-else"),
        "fail" if lines else "pass",
        f"{count(len(lines), 'line')} under clauses that have no price, {billed:.2f} billed", (billed, 0), evidence,
    )  # fmt: skip


def _in_service(bill: Bill) -> Finding:
    """Messages are counted for codes in service, and no more were delivered than accepted by then (OPS-TAR-05)."""
    odd = tuple(Evidence(note) for note in oddly_counted(bill.acts, bill.counts, bill.month))
    if odd:
        summary = "the message counts do not fit the acts, so the amount due for them is unknown"
        return _finding(
            "bill.in-service",
            bill.contract.clause_of("bill.in-service"),
            "inconclusive",
            summary,
            (len(odd), 0),
            odd[:SHOWN],
            unit="codes",
        )
    return _finding(
        "bill.in-service",
        bill.contract.clause_of("bill.in-service"),
        "pass",
        "messages of codes in service alone",
        (0, 0),
        unit="codes",
    )


def _same(billed: tuple[int, Decimal] | None, due: tuple[int, Decimal | None] | None) -> bool:
    if billed is None or due is None:
        return (billed or (0, Decimal(0))) == (due or (0, Decimal(0)))
    return billed[0] == due[0] and (due[1] is None or billed[1] == due[1])


def _said(lines: dict[Key, tuple[int, Decimal]] | Due, key: Key) -> str:
    quantity, amount = lines.get(key, (0, Decimal(0)))
    return f"{quantity} for {'a quoted price' if amount is None else f'{amount:.2f}'}"


def _standard_rate(bill: Bill) -> Finding:
    """No rate line for a code at the standard rate (OPS-TAR-08)."""
    standard = bill.contract.terms.throughput.default_per_s.value
    rates = {code.code: rate_in(code, bill.contract, bill.month) for code in bill.acts.codes}
    rows = tier_rows(bill.contract)
    lines = [line for line in bill.received.lines if line.clause in rows and rates.get(line.code) == standard]
    outcome: Outcome = "fail" if lines else "pass"
    evidence = tuple(Evidence(f"line {line.line}: {line.clause} for {line.code}") for line in lines[:SHOWN])
    return _finding(
        "bill.standard-rate-included", bill.contract.clause_of("bill.standard-rate-included"),
        outcome, f"{len(lines)} rate lines for codes at the standard rate",
        (len(lines), 0), evidence, unit="lines",
    )  # fmt: skip


def _whole_months(bill: Bill) -> Finding:
    """A tier is billed by whole calendar months, never in part (OPS-TAR-13)."""
    price_of, rows = prices(bill.contract, bill.acts), tier_rows(bill.contract)
    parts = [
        line
        for line in bill.received.lines
        if line.clause in rows and (price := price_of[line.clause]) is not None and line.amount != price * line.quantity
    ]
    evidence = tuple(Evidence(f"line {line.line}: {line.amount:.2f} for {line.code}") for line in parts[:SHOWN])
    return _finding(
        "bill.whole-months", bill.contract.clause_of("bill.whole-months"),
        "fail" if parts else "pass", f"{len(parts)} tiers not billed by the whole month",
        (len(parts), 0), evidence, unit="lines",
    )  # fmt: skip


def _sums(bill: Bill) -> Finding:
    """The sums a bill states are those of its lines, with VAT on the total (AMB-15)."""
    total = sum((line.amount for line in bill.received.lines), Decimal(0))
    vat = cents(total * bill.contract.terms.money.vat_share.value)
    right = {"HT": total, "VAT": vat, "TTC": total + vat}
    stated = bill.received.sums
    if not stated:
        return _finding(
            "bill.sums", bill.contract.clause_of("bill.sums"), "unsupported", "the bill states no sums", None
        )
    wrong = [name for name, amount in stated.items() if amount != right[name]]
    evidence = tuple(Evidence(f"{name}: {stated[name]:.2f} stated, {right[name]:.2f} by the lines") for name in wrong)
    summary = f"{len(wrong)} of {len(stated)} sums wrong"
    assumed = bill.contract.assumed("money.vat_share")
    net, stated_vat = stated.get("HT", total), stated.get("VAT")
    gross = stated.get("TTC", net + (stated_vat or Decimal(0)))
    share = _share(net, gross - net)
    outcome: Outcome = "fail" if wrong else "pass"
    if stated_vat is not None and net + stated_vat != gross:
        summary += f"; {net:.2f} and {stated_vat:.2f} of VAT are not {gross:.2f}"
    elif assumed and wrong and "HT" not in wrong and share is not None:
        outcome, summary = "weak", f"{summary}; they agree at {share:.1%} of VAT"
    return _finding(
        "bill.sums",
        bill.contract.clause_of("bill.sums"),
        outcome,
        summary,
        (len(wrong), 0),
        evidence,
        assumed if outcome == "weak" else (),
        unit="sums",
    )


def _share(net: Decimal, vat: Decimal) -> Decimal | None:
    """The rate of VAT, in whole tenths of a percent, at which a net amount has this VAT; None: there is none."""
    if net <= 0 or not 0 <= vat <= net:
        return None
    share = (vat / net).quantize(Decimal("0.001"))
    return share if cents(net * share) == vat else None


def _numbers_qualified(bill: Bill) -> Finding:
    """Every number that was qualified stands on the bill, and none besides (OPS-OPT-03)."""
    used = sum(one.numbers for one in bill.acts.qualifications if one.month == str(bill.month))
    rows = {row.clause for row in bill.contract.terms.rows("qualification")}
    billed = sum(line.quantity for line in bill.received.lines if line.clause in rows)
    return _finding(
        "bill.each-number-billed", bill.contract.clause_of("bill.each-number-billed"),
        "pass" if used == billed else "fail", f"{billed} billed, {used} qualified",
        (billed, used), unit="numbers",
    )  # fmt: skip


def _requests(bill: Bill) -> Finding:
    """A tier that must be asked for was asked for (OPS-ACH-06)."""
    throughput = bill.contract.terms.throughput
    floor = throughput.request_from_per_s.value if throughput.request_from_per_s else max(throughput.rates)
    without = [
        f"{code.code} at {tier.rate_per_s}/s from {tier.month}"
        for code in bill.acts.codes
        for tier in code.tiers
        if throughput.must_ask(tier.rate_per_s) and not tier.request_id
    ]
    return _finding(
        "bill.requested", bill.contract.clause_of("bill.requested"),
        "fail" if without else "pass",
        f"{len(without)} tiers from {floor}/s on without a request", (len(without), 0),
        tuple(Evidence(one) for one in without[:SHOWN]), unit="tiers", blame="client",
    )  # fmt: skip


def _sum(lines: dict[Key, tuple[int, Decimal]] | Due) -> Decimal:
    return sum((amount or Decimal(0) for _, amount in lines.values()), Decimal(0))


def _finding(  # noqa: PLR0913 - a finding's own parts
    purpose: str, clause: str, outcome: Outcome, summary: str, figures: tuple[Decimal | int, Decimal | int] | None,
    evidence: tuple[Evidence, ...] = (), assumed: tuple[str, ...] = (), *, unit: str = "euro",
    blame: Literal["client", "platform"] = "platform",
) -> Finding:  # fmt: skip
    return Finding(
        purpose=purpose,
        clause=clause,
        outcome=outcome,
        summary=summary,
        measured=None if figures is None else float(figures[0]),
        limit=None if figures is None else float(figures[1]),
        unit=unit,
        blame="" if outcome in {"pass", "unsupported"} else blame,
        assumed=assumed,
        evidence=evidence,
        exercise="bill",
    )
