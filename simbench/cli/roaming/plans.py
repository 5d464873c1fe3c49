"""The plan of an envelope, from its options."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from simbench.roaming.contract import RoamingContract, load_roaming
from simbench.roaming.envelope import Envelope, Mode, Plan, amount_of, is_share

BINARY_OCTETS = 1 << 30


class PlanOptions(msgspec.Struct, frozen=True):
    """The options of `envelope` and `table`, as given by the user."""

    price: str
    mode: Mode
    vat: str
    net: bool
    domestic_gb: str | None
    prepaid: bool
    gb: str
    contract: Path | None


def read_contract(options: PlanOptions) -> RoamingContract:
    """Return the contract of the options. Raises ContractError."""
    contract = load_roaming(options.contract)
    return with_gigabyte(contract, BINARY_OCTETS) if options.gb == "binary" else contract


def read_plan(options: PlanOptions, contract: RoamingContract, day: date) -> Plan:
    """Return the plan of the options, with the VAT of that day. Raises BadInput and ContractError."""
    price = amount_of("--price", options.price)
    domestic = None if options.domestic_gb is None else amount_of("--domestic-gb", options.domestic_gb)
    vat = Decimal(0) if options.net else _vat(options.vat, contract, day)
    return Plan(price, vat, domestic, options.prepaid)


def _vat(text: str, contract: RoamingContract, day: date) -> Decimal:
    return Decimal(text) if is_share(text) else contract.vat_share(text, day)


def with_gigabyte(contract: RoamingContract, octets: int) -> RoamingContract:
    """Return the contract with the other reading of a gigabyte."""
    replace = msgspec.structs.replace
    size = replace(contract.terms.envelope.gigabyte_octets, value=octets)
    return replace(
        contract, terms=replace(contract.terms, envelope=replace(contract.terms.envelope, gigabyte_octets=size))
    )


def row_of(found: Envelope) -> dict[str, Any]:
    """An envelope as JSON."""
    return {
        "date": found.day,
        "cap_eur_per_gb": float(found.cap_eur_per_gb),
        "envelope_gb": float(found.gb),
        "octets": found.octets,
        "bundle": found.kind,
    }
