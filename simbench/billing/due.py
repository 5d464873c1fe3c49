"""What a month's bill must contain by the contract: quantity and amount of each row of the tariff grid.

It calculates day by day, independently of `invoice`, so that a mistake there cannot acquit a bill.
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

TIER_ROWS = ("OPS-TAR-09", "OPS-TAR-10", "OPS-TAR-11", "OPS-TAR-12")  # of the tiers, the lowest first

Due = dict[Key, tuple[int, Decimal | None]]


def what_is_due(contract: Contract, acts: Acts, counts: Counts, month: Month) -> Due:
    """Quantity and amount due of each clause and code; an amount of None is known to the two parties only."""
    due: Counter[Key] = Counter()
    days = list(_days(month))
    for code in acts.codes:
        due["OPS-TAR-01", code.code] += code.opened in days
        due["OPS-TAR-04", code.code] += code.opened in days
        due["OPS-TAR-03", code.code] += code.closed in days
        due["OPS-TAR-02", code.code] += _changed(code, contract, month)
    for change in acts.other_changes:
        due["OPS-TAR-03", change.code] += change.day in days
    field = "accepted" if contract.reading("AMB-11") == "routed" else "delivered"
    for code_name in counts.codes(month):
        due["OPS-TAR-05", ""] += getattr(counts.of(month, code_name), field)
    for used in acts.qualifications:
        due["OPS-TAR-17", ""] += used.month == str(month)
        due["OPS-TAR-18", ""] += used.numbers if used.month == str(month) else 0
    _monthly(due, contract, acts, month, days)
    _options(due, contract, acts, days)
    price_of = prices(contract, acts)
    return {key: (count, _amount(price_of[key[0]], count)) for key, count in due.items() if count}


def _monthly(due: Counter[Key], contract: Contract, acts: Acts, month: Month, days: list[date]) -> None:
    """The monthly prices of codes by band (OPS-TAR-06, 07, 21, 22) and of their tiers (OPS-TAR-09 to 12)."""
    numbering, tariff = contract.terms.numbering, contract.terms.tariff
    tiers = _tiers(contract)
    apart: Counter[str] = Counter()
    ordinary = 0
    for code in acts.codes:
        if not any(_serves(code, day) for day in days):
            continue
        rate = rate_in(code, contract, month)
        if rate in tiers:
            due[tiers[rate], code.code] += 1
        prefix = code.code[:2]
        is_apart = prefix in {numbering.reply_prefix.value, numbering.geo_prefix.value}
        apart[prefix] += is_apart
        counted = not is_apart or contract.reading("AMB-19") == "adds"
        ordinary += counted and (contract.reading("AMB-03") == "adds" or rate not in tiers)
    above = max(0, ordinary - tariff.code_month_band.value)
    if above and contract.reading("AMB-02") == "slab":
        above = ordinary
    due["OPS-TAR-06", ""] += ordinary - above
    due["OPS-TAR-07", ""] += above
    for count in apart.values():
        over = max(0, count - tariff.green_geo_band.value + (contract.reading("AMB-01") == "from_10"))
        due["OPS-TAR-21", ""] += count - over
        due["OPS-TAR-22", ""] += over


def _options(due: Counter[Key], contract: Contract, acts: Acts, days: list[date]) -> None:
    """The OAdC option of each code (OPS-TAR-19, 20)."""
    reading = contract.reading("AMB-08")
    for code in acts.codes:
        switched = [option.activated for option in code.oadc_options]
        if reading == "each_act":
            switched += [option.deactivated for option in code.oadc_options if option.deactivated is not None]
        active = any(
            option.activated <= day and (option.deactivated is None or day <= option.deactivated) and _serves(code, day)
            for option in code.oadc_options
            for day in days
        )
        due["OPS-TAR-19", code.code] += active
        due["OPS-TAR-20", code.code] += active if reading == "monthly" else sum(day in days for day in switched)


def _days(month: Month) -> Iterator[date]:
    day = month.first
    while month.has(day):
        yield day
        day += timedelta(days=1)


def _serves(code: CodeActs, day: date) -> bool:
    return code.opened <= day and (code.closed is None or day <= code.closed)


def rate_in(code: CodeActs, contract: Contract, month: Month) -> int:
    """The rate a code is subscribed to in a month, 0 before the month it was opened in."""
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
    """The price of each row; None for a tier sold by quotation that the acts name no quote for."""
    tariff = contract.terms.tariff
    by_row: dict[str, Decimal | None] = {
        "OPS-TAR-01": tariff.code_technical_setup.value,
        "OPS-TAR-02": tariff.rate_change.value,
        "OPS-TAR-03": tariff.other_change.value,
        "OPS-TAR-04": tariff.code_admin_setup.value,
        "OPS-TAR-05": tariff.per_delivered_mt.value,
        "OPS-TAR-06": tariff.code_month_1_20.value,
        "OPS-TAR-07": tariff.code_month_21_on.value,
        "OPS-TAR-17": tariff.qualification_month.value,
        "OPS-TAR-18": tariff.qualification_act.value,
        "OPS-TAR-19": tariff.oadc_option_month.value,
        "OPS-TAR-20": tariff.oadc_option_act.value,
        "OPS-TAR-21": tariff.green_geo_month_1_10.value,
        "OPS-TAR-22": tariff.green_geo_month_11_on.value,
    }
    quotation = contract.reading("AMB-07") == "quotation"
    for rate, price in tariff.tier_month().items():
        quoted = quotation and rate > min(tariff.tier_month())
        by_row[_tiers(contract)[rate]] = acts.quotes.get(str(rate)) if quoted else price
    if contract.reading("AMB-15") == "per_message":
        by_row["OPS-TAR-05"] = cents(tariff.per_delivered_mt.value)
    return by_row


def _tiers(contract: Contract) -> dict[int, str]:
    """The row of each tier."""
    return dict(zip(sorted(contract.terms.tariff.tier_month()), TIER_ROWS, strict=True))


def _amount(price: Decimal | None, count: int) -> Decimal | None:
    return None if price is None else cents(price * count)


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, half up."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
