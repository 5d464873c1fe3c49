"""What to order, change and cancel, when it takes effect, by when to ask for it and on which clause.

The offer names no time that an order takes: `lead_days` of the campaign file is the planner's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from simbench.billing.acts import Acts, CodeActs, Month
from simbench.billing.forecast import Forecast
from simbench.contract import Contract

SERVICE, REQUEST, FORECAST, WHOLE_MONTH = "OPS-ACH-02", "OPS-ACH-06", "OPS-ENG-03", "OPS-TAR-13"


class Order(msgspec.Struct, frozen=True):
    """One act: the day it takes effect, what it is, the code, the rate it brings (0 when it is closed), its clause.

    by: the last day to ask for it. request: whether the rate must be requested from the operator first. euros: its
    price before VAT. forms: the clauses that say what is to be handed in.
    """

    day: date
    what: Literal["open", "change", "close", "forecast"]
    code: str
    rate_per_s: int
    clause: str
    request: bool = False
    by: date | None = None
    euros: Decimal = Decimal(0)
    forms: tuple[str, ...] = ()


def orders_of(
    acts: Acts, contract: Contract, begins: date, lead_days: int = 0, forecasts: Iterable[Forecast] = ()
) -> tuple[Order, ...]:
    """Every act of a plan from a day on, and the forecasts to hand in, by the day each is to be asked for."""
    found = [one for code in acts.codes for one in _of_code(code, contract, lead_days) if one.day >= begins]
    found += [
        Order(one.issued, "forecast", "", 0, FORECAST, by=one.issued, forms=(FORECAST,)) for one in forecasts
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.by or one.day, one.day, one.code)))


def _of_code(code: CodeActs, contract: Contract, lead_days: int) -> list[Order]:
    terms, tariff = contract.terms, contract.terms.tariff
    rate = terms.throughput.default_per_s.value
    tiers = {Month.parse(tier.month).first: tier for tier in code.tiers}
    assert code.opened is not None
    lead = timedelta(days=lead_days)
    first = tiers.pop(code.opened.replace(day=1), None)
    rate = first.rate_per_s if first else rate
    asked = bool(first and first.request_id)
    setup = Decimal(tariff.code_technical_setup.value) + Decimal(tariff.code_admin_setup.value)
    found = [
        Order(
            code.opened, "open", code.code, rate, tariff.code_technical_setup.clause, asked, code.opened - lead, setup,
            (SERVICE, *((REQUEST,) if asked else ())),
        )
    ]  # fmt: skip
    for day, tier in sorted(tiers.items()):
        asked = bool(tier.request_id)
        found.append(
            Order(
                day, "change", code.code, tier.rate_per_s, tariff.rate_change.clause, asked, day - lead,
                Decimal(tariff.rate_change.value), (WHOLE_MONTH, *((REQUEST,) if asked else ())),
            )
        )  # fmt: skip
    if code.closed is not None:
        after, clause = code.closed + timedelta(days=1), tariff.other_change.clause
        price = Decimal(tariff.other_change.value)
        found.append(Order(after, "close", code.code, 0, clause, by=after - lead, euros=price, forms=(clause,)))
    return found
