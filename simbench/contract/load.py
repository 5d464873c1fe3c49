"""Push-SMS contracts: the built-in ones, the user's own, and overlays that extend another file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from simbench.base.arguments import checked
from simbench.contract.consistency import contradictions
from simbench.contract.engine import Loaded, Schema, load
from simbench.contract.layers import HOME
from simbench.contract.sms import Contract, SmsFile, with_figures, written

DEFAULT: Final = (HOME / "default.txt").read_text("utf-8").strip()
"""The name of the built-in contract that applies by default."""

SWITCHES: Final = (
    "band-overlap", "band-scope", "tier-price", "notice-days", "rate-meter", "hours-bind", "high-rates",
    "sender-name-acts", "home-customer", "sender-name-option", "billed-message", "machine-codes", "every-mobile",
    "several-platforms", "rounding", "regional-holidays", "marketing-day", "who-limits", "range-price",
    "closing-second",
)  # fmt: skip
"""The topics of the ambiguities that the program follows."""

MOVED: Final = {
    "terms.throughput.tiers_per_s": "terms.throughput.tiers",
    "terms.delivery.non_orange_share_max": "terms.delivery.other_operators_share_max",
    "terms.marketing.opens_at_h": "terms.hours.marketing.opens_at_h",
    "terms.marketing.closes_at_h": "terms.hours.marketing.closes_at_h",
    "terms.numbering.code_pattern": "terms.numbering.ranges",
    "terms.tariff.vat_share": "terms.money.vat_share",
    "terms.tariff.tier_months": "terms.money.tier_months",
    "terms.tariff.code_month_band": "`last` of terms.tariff.code_month_1_20",
    "terms.tariff.green_geo_band": "`last` of terms.tariff.green_geo_month_1_10",
    **{f"terms.tariff.tier_{rate}": "terms.throughput.tiers, `price`" for rate in ("20", "50", "100", "150")},
    **{
        f"terms.numbering.{use}_prefix": "terms.numbering.ranges"
        for use in ("reply", "geo", "marketing", "interpersonal", "m2m")
    },
}
"""Keys of contract files of earlier versions, and their present keys."""

SMS: Final = Schema("sms", SmsFile, contradictions, SWITCHES, MOVED, {"numbering_plan": "plans"})


@checked
def load_contract(name_or_path: str | Path = DEFAULT) -> Contract:
    """Load a built-in contract by name, or a contract or overlay file by path.

    A text without a directory and without ".toml" is a name. Raises ContractError for any error in a file.

    >>> load_contract("demo_telecom").name
    'demo_telecom'
    """
    return contract_of(load(SMS, name_or_path))


def contract_beside(name: str, path: Path | None = None) -> Contract:
    """The contract that a file names: a built-in one, or a file next to it. Raises ContractError."""
    return load_contract(path.parent / name if path is not None and name.endswith(".toml") else name)


def contract_named(source: str) -> Contract:
    """Load the contract of a `Contract.source`; the default one for an empty text. Raises ContractError."""
    return load_contract(source or DEFAULT)


def contract_of(loaded: Loaded[SmsFile]) -> Contract:
    """Return the contract of a file, with the figures in its sentences filled in."""
    file = loaded.content
    values = {name: written(term) for name, term in file.terms.by_name().items()}
    clauses = {name: with_figures(clause, values) for name, clause in file.clauses.items()}
    return Contract(
        name=loaded.name,
        title=file.title,
        digest=loaded.digest,
        files=loaded.files,
        clauses=clauses,
        terms=file.terms,
        ambiguities=file.ambiguities,
        parties=file.parties,
        numbering_plan=file.numbering_plan,
        language=file.language,
        invented=file.invented,
        compensation=file.compensation,
        topics=file.topics,
        source=loaded.source,
    )
