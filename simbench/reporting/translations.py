"""Writes texts, numbers, amounts and dates of a report in its language.

A text may contain names in braces, which the caller fills in; both languages have the same keys and names.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from simbench.base.calendar import UTC_CALENDAR, Calendar
from simbench.reporting.format import money

LANGUAGES: Final = ("en", "fr")


class Translations:
    """The texts of one language, from the folder `home` (en.toml, fr.toml). Raises KeyError for an unknown key.

    Instants are written in the zone of `calendar`, amounts in the `currency` (ISO 4217).
    """

    def __init__(self, language: str, home: Path, calendar: Calendar = UTC_CALENDAR, currency: str = "") -> None:
        self.language, self.calendar, self.currency = language, calendar, currency
        self.table: Mapping[str, str] = texts(language, home)

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of a key with `values` filled in; {currency} is the currency of amounts."""
        return self.table[key].format(**{"currency": self.currency, **values})

    def has(self, key: str) -> bool:
        """Return whether the key has a text."""
        return key in self.table

    def number(self, value: float | None, digits: int = 0) -> str:
        """Write a number in the language's notation; "–" for None."""
        if value is None or not math.isfinite(value):
            return "–"
        text = f"{value:,.{digits}f}"
        if digits and "." in text:
            text = text.rstrip("0").rstrip(".")
        marks = {",": self.table["form.thousands"], ".": self.table["form.decimal"]}
        return "0" if text == "-0" else "".join(marks.get(char, char) for char in text)

    def count(self, amount: int, key: str) -> str:
        """Write an amount with its noun, from the texts `key_one` and `key_many`."""
        return self(f"{key}_{'one' if amount == 1 else 'many'}", n=self.number(amount))

    def percent(self, value: float) -> str:
        """Write a probability in whole percent, with one decimal below 1 % and above 99 %; 0 and 100 only if exact."""
        if 0 < value < 0.001 or 0.999 < value < 1:
            return f"{'<' if value < 0.5 else '>'}\u00a0{self.number(0.1 if value < 0.5 else 99.9, 1)}\u00a0%"
        return f"{self.number(value * 100, 1 if min(value, 1 - value) < 0.01 else 0)}\u00a0%"

    def share(self, value: float | None, digits: int = 4) -> str:
        """Write a share in percent, truncated, so that a value below a target never reads as the target."""
        if value is None or not math.isfinite(value):
            return "–"
        size = 10**digits
        return f"{self.number(math.floor(value * 100 * size + 1e-6) / size, digits)}\u00a0%"

    def money(self, amount: Decimal | None) -> str:
        """Write an amount in the currency; see `format.money`."""
        return money(amount, self.language, self.currency)

    def hours(self, value: float, *, exact: bool = False) -> str:
        """Write hours as "6 h 05", truncated to the minute; with `exact` as "6 h 05 min 30 s" if seconds remain."""
        minutes = int(value * 60 + 1e-9)
        milliseconds = round(value * 3_600_000) - minutes * 60_000
        rest = f"\u00a0min\u00a0{self.number(milliseconds / 1000, 3)}\u00a0s" if exact and milliseconds > 0 else ""
        return f"{self.number(minutes // 60)}\u00a0h\u00a0{minutes % 60:02}{rest}"

    def day(self, us: int) -> str:
        """Write the day of an instant: "8 Dec 2026"."""
        at = self.calendar.civil(us)
        first = at.day == 1 and self.language == "fr"
        return f"{'1er' if first else at.day}\u00a0{self.month(at.month)} {at.year}"

    def moment(self, us: int) -> str:
        """Write an instant to the minute, with its offset from UTC on days of a clock change."""
        at = self.calendar.civil(us)
        offsets = {at.replace(hour=hour, fold=fold).utcoffset() for hour, fold in ((0, 0), (23, 1))}
        return f"{self.day(us)}, {at:%H:%M}" + (f" ({at:%z})" if len(offsets) > 1 else "")

    def month(self, number: int) -> str:
        """Return the short name of a month, 1 to 12."""
        return self.table["form.months"].split()[number - 1]


@lru_cache
def texts(language: str, home: Path) -> dict[str, str]:
    """Return the texts of a language by dotted key."""
    read: dict[str, Any] = tomllib.loads((home / f"{language}.toml").read_text("utf-8"))
    return {f"{section}.{key}": text for section, entries in read.items() for key, text in entries.items()}
