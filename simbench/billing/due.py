"""Computes a month's bill from the contract: quantity and amount of each row of the tariff grid.

It calculates day by day, independently of `invoice`, so that a mistake there cannot hide a wrong bill.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from simbench.billing.acts import Acts, CodeActs, Month
from simbench.billing.counts import Counts
from simbench.billing.received import Key
from simbench.contract import Contract

Due = dict[Key, tuple[int, Decimal | None]]


def what_is_due(contract: Contract, acts: Acts, counts: Counts, month: Month) -> Due:
    """Return quantity and amount due of each clause and code; an amount of None is known only to the two parties."""
    due: Counter[Key] = Counter()
    days = list(_days(month))
    terms = contract.terms
    for code in acts.codes:
        for row in terms.rows("opening"):
            due[row.clause, code.code] += code.opened in days
        for row in terms.rows("other_change"):
            due[row.clause, code.code] += code.closed in days
        for row in terms.rows("rate_change"):
            due[row.clause, code.code] += _changed(code, contract, month)
    for change in acts.other_changes:
        for row in terms.rows("other_change"):
            due[row.clause, change.code] += change.day in days
    field = "accepted" if contract.reading("billed-message") == "routed" else "delivered"
    for code_name in counts.codes(month):
        for row in terms.rows("message"):
            due[row.clause, ""] += getattr(counts.of(month, code_name), field)
    for used in acts.qualifications:
        for row in terms.rows("qualification_month"):
            due[row.clause, ""] += used.month == str(month)
        for row in terms.rows("qualification"):
            due[row.clause, ""] += used.numbers if used.month == str(month) else 0
    _monthly(due, contract, acts, month, days)
    _options(due, contract, acts, days)
    price_of = prices(contract, acts)
    return {key: (count, _amount(price_of[key[0]], count)) for key, count in due.items() if count}


def _monthly(due: Counter[Key], contract: Contract, acts: Acts, month: Month, days: list[date]) -> None:
    """Add the monthly prices of codes by band, of codes in ranges with a separate price, and of their tiers."""
    terms, tiers = contract.terms, contract.terms.throughput.paid_tiers
    apart: Counter[str] = Counter()
    ordinary = 0
    for code in acts.codes:
        if not any(_serves(code, day) for day in days):
            continue
        rate = rate_in(code, contract, month)
        if rate in tiers:
            due[tiers[rate].clause, code.code] += 1
        special = next((digits for digits in terms.ranges_apart if code.code.startswith(digits)), "")
        apart[special] += bool(special)
        counted = not special or contract.reading("range-price") == "adds"
        ordinary += counted and (contract.reading("tier-price") == "adds" or rate not in tiers)
    bands = [(row.clause, row.first, row.last) for row in terms.rows("code_month")]
    slab = contract.reading("band-scope") == "slab"
    for number in range(1, ordinary + 1):
        due[_band(bands, ordinary if slab else number), ""] += 1
    earlier = contract.reading("band-overlap") == "from_10"
    for digits, codes in apart.items():
        bands = [
            (row.clause, row.first - (earlier and row.first > 1), row.last and row.last - earlier)
            for row in terms.rows("range_month")
            if terms.numbering.use_of(digits) in row.uses
        ]
        for number in range(1, codes + 1):
            due[_band(bands, number), ""] += 1


def _band(bands: list[tuple[str, int, int | None]], number: int) -> str:
    """Return the clause of the band for the n-th code; "" if no band has a price for it."""
    return next((clause for clause, first, last in bands if first <= number <= (last or number)), "")


def _options(due: Counter[Key], contract: Contract, acts: Acts, days: list[date]) -> None:
    """Add the sender names of each code: per month, and per activation and deactivation."""
    reading = contract.reading("sender-name-acts")
    for code in acts.codes:
        switched = [option.activated for option in code.oadc_options]
        if reading == "each_act":
            switched += [option.deactivated for option in code.oadc_options if option.deactivated is not None]
        active = any(
            option.activated <= day and (option.deactivated is None or day <= option.deactivated) and _serves(code, day)
            for option in code.oadc_options
            for day in days
        )
        for row in contract.terms.rows("sender_name_month"):
            due[row.clause, code.code] += active
        for row in contract.terms.rows("sender_name_act"):
            acted = active if reading == "monthly" else sum(day in days for day in switched)
            due[row.clause, code.code] += acted


def _days(month: Month) -> Iterator[date]:
    day = month.first
    while month.has(day):
        yield day
        day += timedelta(days=1)


def _serves(code: CodeActs, day: date) -> bool:
    return code.opened <= day and (code.closed is None or day <= code.closed)


def rate_in(code: CodeActs, contract: Contract, month: Month) -> int:
    """Return the rate to which a code is subscribed in a month, 0 before the month of its opening."""
    if month < (code.opened.year, code.opened.month):
        return 0
    rate = contract.terms.throughput.default_per_s.value
    for tier in code.tiers:
        rate = tier.rate_per_s if Month.parse(tier.month) <= month else rate
    return rate


def _changed(code: CodeActs, contract: Contract, month: Month) -> bool:
    before = month.first - timedelta(days=1)
    was = rate_in(code, contract, Month(before.year, before.month))
    return was > 0 and was != rate_in(code, contract, month) and any(_serves(code, day) for day in _days(month))


def prices(contract: Contract, acts: Acts) -> dict[str, Decimal | None]:
    """Return the price of each row by clause; None for a tier sold by quotation without a quote in the acts."""
    by_row: dict[str, Decimal | None] = {"": Decimal(0)}
    for row in contract.terms.tariff.values():
        by_row[row.clause] = row.value
        if row.charge == "message" and contract.reading("rounding") == "per_message":
            by_row[row.clause] = cents(row.value)
    tiers = contract.terms.throughput.paid_tiers
    quotation = contract.reading("high-rates") == "quotation"
    for rate, tier in tiers.items():
        quoted = tier.by_quotation or (quotation and rate > min(tiers))
        by_row[tier.clause] = acts.quotes.get(str(rate)) if quoted else tier.price
    return by_row


def tier_rows(contract: Contract) -> set[str]:
    """Return the clauses of the tiers other than the standard rate."""
    return {tier.clause for tier in contract.terms.throughput.paid_tiers.values()}


def _amount(price: Decimal | None, count: int) -> Decimal | None:
    return None if price is None else cents(price * count)


def cents(amount: Decimal) -> Decimal:
    """Round to the cent, half up."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
