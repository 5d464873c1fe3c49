"""Derives the orders of a plan: orders, changes and cancellations with effective date, deadline and clause.

The offer states no time between order and effect: `lead_days` of the campaign file is the planner's assumption.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from simbench.billing.acts import Acts, CodeActs, Month
from simbench.billing.forecast import Forecast
from simbench.contract import Contract
from simbench.contract.terms import Charge

IN_SERVICE: Final = "sender.originator-in-service"
"""The purpose whose clause requires that codes are put in service."""


class Order(msgspec.Struct, frozen=True):
    """One act: the day it takes effect, its kind, the code, the new rate (0 for a closing), its clause.

    by: the last day to order it. request: whether the rate must be requested from the operator first. euros: the
    price before VAT. forms: the clauses on the documents to submit.
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
    """Return every act of a plan from a day on, and the forecasts to submit, by deadline."""
    forecast = contract.terms.forecast.per_year.clause
    found = [one for code in acts.codes for one in _of_code(code, contract, lead_days) if one.day >= begins]
    found += [
        Order(one.issued, "forecast", "", 0, forecast, by=one.issued, forms=_named(forecast)) for one in forecasts
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.by or one.day, one.day, one.code)))


def _of_code(code: CodeActs, contract: Contract, lead_days: int) -> list[Order]:
    terms = contract.terms
    request = terms.throughput.request_from_per_s.clause if terms.throughput.request_from_per_s else ""
    rate = terms.throughput.default_per_s.value
    tiers = {Month.parse(tier.month).first: tier for tier in code.tiers}
    assert code.opened is not None
    lead = timedelta(days=lead_days)
    first = tiers.pop(code.opened.replace(day=1), None)
    rate = first.rate_per_s if first else rate
    requested = bool(first and first.request_id)
    found = [
        Order(
            code.opened, "open", code.code, rate, _clause(contract, "opening"), requested, code.opened - lead,
            _price(contract, "opening"), (*contract.clauses_for(IN_SERVICE), *(_named(request) if requested else ())),
        )
    ]  # fmt: skip
    for day, tier in sorted(tiers.items()):
        requested = bool(tier.request_id)
        found.append(
            Order(
                day, "change", code.code, tier.rate_per_s, _clause(contract, "rate_change"), requested, day - lead,
                _price(contract, "rate_change"),
                (*_named(terms.money.tier_months.clause), *(_named(request) if requested else ())),
            )
        )  # fmt: skip
    if code.closed is not None:
        after, clause = code.closed + timedelta(days=1), _clause(contract, "other_change")
        price = _price(contract, "other_change")
        found.append(Order(after, "close", code.code, 0, clause, by=after - lead, euros=price, forms=_named(clause)))
    return found


def _clause(contract: Contract, charge: Charge) -> str:
    """Return the clause of the first price of an act, "" if it costs nothing."""
    return next((row.clause for row in contract.terms.rows(charge)), "")


def _price(contract: Contract, charge: Charge) -> Decimal:
    """Return the price of an act, the sum of its rows."""
    return sum((row.value for row in contract.terms.rows(charge)), Decimal(0))


def _named(clause: str) -> tuple[str, ...]:
    return (clause,) if clause else ()


def grouped(orders: Iterable[Order]) -> Iterator[tuple[list[str], Order]]:
    """Group orders that differ only in their code: yield the codes, and the order with the total price."""
    alike: dict[Order, list[str]] = {}
    for one in orders:
        alike.setdefault(replace(one, code=""), []).append(one.code)
    for first, codes in alike.items():
        yield [code for code in codes if code], replace(first, euros=first.euros * len(codes))
