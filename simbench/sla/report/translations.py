"""Texts of the SLA report in a language, with its numbers and dates. Knows no figure and no rule.

A text may hold names in braces, which whoever asks fills in; both tables have the same keys and the same names.
"""

from __future__ import annotations

import math
import string
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from simbench.base.calendar import civil

HOME: Final = Path(__file__).parent
LANGUAGES: Final = ("en", "fr")


class Words:
    """One language. Raises KeyError for a text it does not have: a mistake of ours, found by the tests."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.table: Mapping[str, str] = texts(language)

    def __call__(self, key: str, **values: object) -> str:
        """A text, filled in."""
        return self.table[key].format(**values)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self.table

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with the language's signs; "–" for none."""
        if value is None or not math.isfinite(value):
            return "–"
        text = f"{value:,.{digits}f}"
        if digits and "." in text:
            text = text.rstrip("0").rstrip(".")
        marks = {",": self.table["form.thousands"], ".": self.table["form.decimal"]}
        return "0" if text == "-0" else "".join(marks.get(char, char) for char in text)

    def share(self, value: float | None, digits: int = 4) -> str:
        """A share in percent, cut off and not rounded up: what is below a promise must not read as it."""
        if value is None or not math.isfinite(value):
            return "–"
        size = 10**digits
        return f"{self.number(math.floor(value * 100 * size + 1e-6) / size, digits)}\u00a0%"

    def hours(self, value: float) -> str:
        """Hours as hours and minutes, cut off: "6 h 05"."""
        minutes = int(value * 60 + 1e-9)
        return f"{self.number(minutes // 60)} h {minutes % 60:02}"

    def day(self, us: int) -> str:
        """The day of an instant in Paris: "8 Dec 2026"."""
        at = civil(us)
        return f"{at.day} {self.month(at.month)} {at.year}"

    def moment(self, us: int) -> str:
        """An instant in Paris to the minute, with its offset from UTC where clocks could mislead."""
        at = civil(us)
        return f"{self.day(us)}, {at:%H:%M}"

    def month(self, number: int) -> str:
        """The short name of a month, 1 to 12."""
        return self.table["form.months"].split()[number - 1]


@lru_cache
def texts(language: str) -> dict[str, str]:
    """The table of a language, with dotted keys."""
    read: dict[str, Any] = tomllib.loads((HOME / f"{language}.toml").read_text("utf-8"))
    return {f"{section}.{key}": text for section, entries in read.items() for key, text in entries.items()}


def names_in(text: str) -> frozenset[str]:
    """What a text wants filled in."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)
