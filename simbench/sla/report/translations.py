"""Texts, numbers and dates of the SLA report in its language."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from simbench.report import translations
from simbench.report.translations import LANGUAGES, Translations

__all__ = ["LANGUAGES", "Words", "texts"]
HOME: Final = Path(__file__).parent


class Words(Translations):
    """The texts of one language. Raises KeyError for an unknown key."""

    def __init__(self, language: str) -> None:
        super().__init__(language, HOME)


def texts(language: str) -> dict[str, str]:
    """The table of a language, with dotted keys."""
    return translations.texts(language, HOME)
