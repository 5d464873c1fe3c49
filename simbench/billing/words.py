"""The texts of invoices in their language."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from simbench.reporting.translations import Translations

HOME: Final = Path(__file__).parent


@cache
def words(language: str) -> Translations:
    """The texts of a language; English for one that has none."""
    return Translations(language if (HOME / f"{language}.toml").exists() else "en", HOME)
