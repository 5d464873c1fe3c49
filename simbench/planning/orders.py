"""What to order, change and cancel, from when, and by when: the acts of a plan as a list to work off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec

from simbench.billing.acts import Acts, CodeActs, Month
from simbench.contract import Contract
from simbench.contract.terms import Charge

ACTS: Final[tuple[Charge, ...]] = ("opening", "rate_change", "other_change")


class Order(msgspec.Struct, frozen=True):
    """One act: the day it takes effect, what it is, the code, the rate it brings (0 when it is closed), its clause.

    request: whether the rate must be requested from the operator first.
    """

    day: date
    what: str
    code: str
    rate_per_s: int
    clause: str
    request: bool = False


def orders_of(acts: Acts, contract: Contract) -> tuple[Order, ...]:
    """Every act of a plan, by day and code."""
    found = [one for code in acts.codes for one in _of_code(code, contract)]
    return tuple(sorted(found, key=lambda one: (one.day, one.code)))


def _of_code(code: CodeActs, contract: Contract) -> list[Order]:
    terms = contract.terms
    opening, change, close = (_clause_of(contract, charge) for charge in ACTS)
    rate = terms.throughput.default_per_s.value
    tiers = {Month.parse(tier.month).first: tier for tier in code.tiers}
    assert code.opened is not None
    first = tiers.pop(code.opened.replace(day=1), None)
    rate = first.rate_per_s if first else rate
    asked = bool(first and first.request_id)
    found = [Order(code.opened, "open", code.code, rate, opening, asked)]
    for day, tier in sorted(tiers.items()):
        found.append(Order(day, "change", code.code, tier.rate_per_s, change, bool(tier.request_id)))
    if code.closed is not None:
        found.append(Order(code.closed + timedelta(days=1), "close", code.code, 0, close))
    return found


def _clause_of(contract: Contract, charge: Charge) -> str:
    """The clause of the first price of an act, "" where it costs nothing."""
    return next((row.clause for row in contract.terms.rows(charge)), "")
