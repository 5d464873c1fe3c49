"""`simbench roaming envelope` and `table`: what a plan must include abroad, on a date and on all dates.

Computes nothing itself; reads amounts as exact decimals.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click
import msgspec

from simbench.base.errors import BadInput
from simbench.base.json_files import indented
from simbench.roaming.contract import RoamingContract, load_roaming
from simbench.roaming.envelope import Envelope, Mode, Plan, envelope, envelopes

BINARY_OCTETS = 1 << 30


class PlanOptions(msgspec.Struct, frozen=True):
    """What the options of `envelope` and `table` have in common, as the user wrote them."""

    price: str
    mode: Mode = "regulation"
    vat: str = "FR"
    net: bool = False
    domestic_gb: str | None = None
    prepaid: bool = False
    gb: str = "decimal"
    contract: Path | None = None


def envelope_command(options: PlanOptions, day: str, *, as_json: bool) -> None:
    """Print the envelope of one plan on one day."""
    contract, on = _contract(options), day_of("--date", day)
    plan = _read(options, contract, on)
    found = envelope(plan, on, contract, options.mode)
    if as_json:
        told = {**_row(found), "price_eur": float(plan.price_eur), "vat_share": float(plan.vat_share)}
        click.echo(indented({**told, "mode": options.mode, "contract": contract.name}))
        return
    click.echo(f"{found.gb:f} GB  ({KINDS[found.kind]}; cap {found.cap_eur_per_gb} euros a gigabyte before VAT)")


def table_command(options: PlanOptions, plot: Path | None, *, as_json: bool) -> None:
    """Print the envelope of one plan under every cap there is, and draw it where asked."""
    contract = _contract(options)
    plan = _read(options, contract, contract.terms.caps.data[0].since)
    dated = not options.net and not _is_share(options.vat)
    rows = envelopes(plan, contract, options.mode, contract.vat_shares(options.vat) if dated else ())
    if plot is not None:
        from simbench.roaming.report.page import write_envelope_plot  # noqa: PLC0415 - matplotlib is slow to load

        write_envelope_plot(plot, rows)
    if as_json:
        click.echo(indented([_row(found) for found in rows]))
        return
    click.echo("from        cap euro/GB  envelope GB  bundle")
    for found in rows:
        click.echo(f"{found.day}  {found.cap_eur_per_gb:>11}  {found.gb:>11f}  {found.kind}")


KINDS = {
    "open": "open data bundle, price before VAT",
    "closed": "closed bundle: all of its domestic allowance",
    "prepaid": "prepaid credit before VAT",
    "article": "the article's arithmetic: price as printed, cut to 0.1 GB",
}


def amount_of(place: str, text: str) -> Decimal:
    """Read an amount with a point; BadInput names the option it was given to."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise BadInput(place, f"is {text[:40]!r}", "an amount such as 19.99") from None
    if not amount.is_finite():
        raise BadInput(place, f"is {text[:40]!r}", "an amount such as 19.99")
    return amount


def day_of(place: str, text: str) -> date:
    """Read a day as YYYY-MM-DD; BadInput names the option it was given to."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(place, f"is {text[:40]!r}", "a day such as 2017-06-15") from None


def _contract(options: PlanOptions) -> RoamingContract:
    contract = load_roaming(options.contract)
    return with_gigabyte(contract, BINARY_OCTETS) if options.gb == "binary" else contract


def _read(options: PlanOptions, contract: RoamingContract, day: date) -> Plan:
    price = amount_of("--price", options.price)
    domestic = None if options.domestic_gb is None else amount_of("--domestic-gb", options.domestic_gb)
    vat = Decimal(0) if options.net else _vat(options.vat, contract, day)
    return Plan(price, vat, domestic, options.prepaid)


def _vat(text: str, contract: RoamingContract, day: date) -> Decimal:
    return Decimal(text) if _is_share(text) else contract.vat_share(text, day)


def _is_share(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and text.isascii()


def with_gigabyte(contract: RoamingContract, octets: int) -> RoamingContract:
    """The contract with the other reading of a gigabyte."""
    replace = msgspec.structs.replace
    size = replace(contract.terms.envelope.gigabyte_octets, value=octets)
    return replace(
        contract, terms=replace(contract.terms, envelope=replace(contract.terms.envelope, gigabyte_octets=size))
    )


def _row(found: Envelope) -> dict[str, Any]:
    return {
        "date": found.day,
        "cap_eur_per_gb": float(found.cap_eur_per_gb),
        "envelope_gb": float(found.gb),
        "octets": found.octets,
        "bundle": found.kind,
    }
