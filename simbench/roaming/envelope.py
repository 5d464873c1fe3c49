"""The data envelope: the roaming volume that a plan must include on a date. Exact fractions, rounded for display."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from fractions import Fraction
from typing import Literal

import msgspec

from simbench.base.errors import BadInput
from simbench.roaming.contract import RoamingContract

Dated = tuple[date, Decimal]  # a share of VAT and its first day
Mode = Literal["regulation", "article"]
Kind = Literal["open", "closed", "prepaid", "article"]

MOST_EUROS = 10_000
MOST_GB = 1_000_000
SHOWN = Decimal("0.0001")  # digits of a gigabyte in tables


class Plan(msgspec.Struct, frozen=True):
    """The properties of a plan that determine its envelope.

    `price_eur` is the price of a billing period or, if `prepaid` (a tariff per unit), the credit left; it includes VAT
    if `vat_share` is above zero. `domestic_gb` is the volume included at home, None if unlimited.
    """

    price_eur: Decimal
    vat_share: Decimal = Decimal(0)
    domestic_gb: Decimal | None = None
    prepaid: bool = False


class Envelope(msgspec.Struct, frozen=True):
    """A minimum roaming volume: `octets` is the minimum to grant, `gb` the same for display."""

    day: date
    cap_eur_per_gb: Decimal
    kind: Kind
    octets: int
    gb: Decimal


def amount_of(place: str, given: Decimal | float | str) -> Decimal:
    """An amount of an option or argument, with a point. Raises BadInput, which names its place."""
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise BadInput(place, f"is {str(given)[:40]!r}", "an amount such as 19.99")
    return amount


def is_share(vat: str) -> bool:
    """Tell whether VAT is given as a share, not as a country."""
    return vat.replace(".", "", 1).isdecimal() and vat.isascii()


def envelope(
    plan: Plan, day: date, contract: RoamingContract, mode: Mode = "regulation", cap_eur_per_gb: Decimal | None = None
) -> Envelope:
    """Return the envelope of a plan for a billing period that starts on `day` (ROM-ENV-01; article R).

    "article": the printed price divided by the cap in euros per gigabyte, times two, truncated to 0.1 GB.
    "regulation": the price net of VAT divided by the cap; times two for an open bundle (unlimited at home, or cheaper
    per gigabyte than the cap), once for a prepaid credit, never above the domestic allowance; a closed bundle may use
    all of its allowance abroad. Octets are rounded up, because the volume is a minimum. `cap_eur_per_gb` replaces
    the cap of the day (what-if).

    Raises BadInput for a negative, missing or absurd price, VAT or allowance, and for a day without a cap.
    """
    _check(plan)
    cap = cap_eur_per_gb or contract.cap("data", day).value
    terms = contract.terms.envelope
    size = terms.gigabyte_octets.value
    if mode == "article":
        step = terms.article_step_gb.value
        steps = (plan.price_eur / cap * terms.factor.value / step).to_integral_value(ROUND_FLOOR)
        gb = steps * step
        return Envelope(day, cap, "article", int(gb * size), gb)
    kind, exact = _regulated(plan, cap, contract)
    return Envelope(day, cap, kind, -(-exact * size // 1), _shown(exact))


def envelopes(
    plan: Plan, contract: RoamingContract, mode: Mode = "regulation", vat: Sequence[Dated] = ()
) -> list[Envelope]:
    """Return one envelope for each cap of the contract on its first day, and for each dated share of VAT."""
    caps = contract.terms.caps
    first, last = caps.data[0].since, caps.last_day.value
    days = {cap.since for cap in caps.data} | {since for since, _ in vat if first <= since <= last}
    found = []
    for day in sorted(days):
        share = [share for since, share in vat if since <= day] or [plan.vat_share]
        found.append(envelope(msgspec.structs.replace(plan, vat_share=share[-1]), day, contract, mode))
    return found


def net_price(plan: Plan) -> Fraction:
    """Return the exact price before VAT, in euros."""
    return Fraction(plan.price_eur) / (1 + Fraction(plan.vat_share))


def _regulated(plan: Plan, cap: Decimal, contract: RoamingContract) -> tuple[Kind, Fraction]:
    price, terms = net_price(plan), contract.terms.envelope
    domestic = None if plan.domestic_gb is None else Fraction(plan.domestic_gb)
    if not plan.prepaid and domestic is not None and price >= domestic * Fraction(cap):
        return "closed", domestic
    factor = terms.prepaid_factor if plan.prepaid else terms.factor
    volume = price * factor.value / Fraction(cap)
    kind: Kind = "prepaid" if plan.prepaid else "open"
    return kind, volume if domestic is None else min(domestic, volume)


def _shown(exact: Fraction) -> Decimal:
    """Round up to the digits of a table: the displayed volume is never below the legal minimum."""
    units = -(-exact / Fraction(SHOWN) // 1)
    return (units * SHOWN).quantize(SHOWN)


def _check(plan: Plan) -> None:
    for name, value, most in (
        ("price", plan.price_eur, MOST_EUROS),
        ("VAT share", plan.vat_share, 1),
        ("domestic allowance", plan.domestic_gb or Decimal(0), MOST_GB),
    ):
        if not value.is_finite() or not 0 <= value <= most:
            raise BadInput(f"{name} {value}", "is not possible", f"a number from 0 to {most}")
