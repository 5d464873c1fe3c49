"""Texts written the same everywhere: amounts with their nouns, unforeseen errors."""

from __future__ import annotations

import traceback
from pathlib import Path


def broken(error: BaseException) -> str:
    """An error that nobody foresaw in a line: its class, its words, and where it was raised."""
    words = (str(error).splitlines() or [""])[0]
    where = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(where[-1].filename).name}, line {where[-1].lineno})" if where else ""
    return f"{type(error).__name__}{': ' if words else ''}{words}{place}"


def is_number(text: str, digits: int) -> bool:
    """Tell whether a text is a whole number of at most so many ASCII digits."""
    return text.isascii() and text.isdigit() and len(text) <= digits


def count(amount: int, noun: str, plural: str = "") -> str:
    """Write "1 code" or "2 codes"."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"
