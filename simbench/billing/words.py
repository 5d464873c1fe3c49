"""The texts of invoices in their language."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from simbench.contract import Contract
from simbench.reporting.translations import Translations

HOME: Final = Path(__file__).parent


def words(language: str, contract: Contract) -> Translations:
    """Return the texts of a language (default: English), with the currency and civil time of a contract."""
    known = language if (HOME / f"{language}.toml").exists() else "en"
    return Translations(known, HOME, contract.calendar, contract.terms.money.currency.value)
