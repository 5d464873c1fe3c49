"""Writes numbers, instants and texts for people.

Text from the wire passes through `legible`, which replaces control characters and lone surrogates.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from simbench.base.calendar import Calendar
from simbench.base.units import SECOND_US
from simbench.finding import OUTCOMES, Finding, Outcome

# Symbol and word together show the outcome, so that it does not depend on colour alone.
SYMBOLS: Final[dict[Outcome, str]] = {
    "pass": "✓",
    "fail": "✗",
    "weak": "≈",
    "inconclusive": "?",
    "error": "!",
    "unsupported": "–",
}
WORST_FIRST: Final[tuple[Outcome, ...]] = ("fail", "error", "inconclusive", "weak", "unsupported", "pass")
BLAMED: Final = {
    "": "–",
    "client": "client",
    "platform": "platform (as scheduled)",
    "bench": "bench (undetermined)",
}

assert set(WORST_FIRST) == set(SYMBOLS) == set(OUTCOMES)

_ILLEGIBLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PLURAL: Final = re.compile(r"^([a-z]{3,})s\b(?!/)")  # plural of a unit: messages, operations too early
_MOST_DIGITS: Final = 9
_UNITS: Final = ((1_000_000, "s"), (1_000, "ms"), (1, "µs"))


def legible(text: str) -> str:
    """Replace every character not allowed in HTML or XML by its code, as in "\\x00"."""
    return _ILLEGIBLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def number(value: float, digits: int = 3) -> str:
    """Write a number with thousands separators, at most `digits` decimals and no trailing zeros."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "unlimited" if value > 0 else "-unlimited"
    if value and abs(value) < 10**-digits:
        return f"{value:.2g}"
    text = f"{value:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:,.0f}"
    return "0" if text == "-0" else text


_SIGNS = {"EUR": "€"}  # currency signs by code (ISO 4217)


def money(amount: Decimal | None, language: str, currency: str) -> str:
    """Write an amount with at least two decimals: "1,234.50 EUR", in French "1 234,50 €"; None is by quotation."""
    if amount is None:
        return "sur devis" if language == "fr" else "by quotation"
    places = max(2, -int(amount.normalize().as_tuple().exponent))
    text = f"{amount:,.{places}f}"
    if language == "fr":
        return text.replace(",", "\u202f").replace(".", ",") + f"\u00a0{_SIGNS.get(currency, currency)}"
    return f"{text} {currency}"


def quantity(value: float | None, unit: str, limit: float | None = None) -> str:
    """Write a measured value or a limit with its unit: "1 message", "99.5 % accepted" for a share, "–" for None.

    With a limit, a value has as many decimals as are needed to distinguish it from the limit.
    """
    if value is None:
        return "–"
    scale = 100 if unit.partition(" ")[0] == "share" else 1
    digits = 3
    if limit is not None and value != limit:
        while digits < _MOST_DIGITS and number(value * scale, digits) == number(limit * scale, digits):
            digits += 1
    text = number(value * scale, digits)
    if scale == 100:
        return f"{text} %{unit.removeprefix('share')}"
    if value == 1:
        unit = _PLURAL.sub(r"\1", unit)
    return f"{text} {unit}".rstrip()


def duration(us: float) -> str:
    """Write a duration given in microseconds: "12.3 ms", "5 min 12.5 s", "6 h 2 min"."""
    if abs(us) >= 120 * SECOND_US:
        return _long_duration(us)
    for size, unit in _UNITS:
        if abs(us) >= size:
            value = us / size
            return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:.3g} {unit}"
    return "0 s" if us == 0 else f"{us:.2g} µs"


def _long_duration(us: float) -> str:
    minutes, seconds = divmod(round(abs(us) / SECOND_US, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    small = f"{minutes} min" if hours else f"{seconds:.3g} s"
    large = f"{hours:,} h" if hours else f"{minutes} min"
    return ("-" if us < 0 else "") + (large if small.startswith("0 ") else f"{large} {small}")


def moment(us: int, calendar: Calendar) -> str:
    """Write an instant (us, UTC) in civil time, to the microsecond, with its offset."""
    try:
        day, clock, offset = _civil(us, calendar)
    except OverflowError:
        return f"{us:,} µs since 1970 (outside the calendar)"
    return f"{day} {clock} {offset}"


def _civil(us: int, calendar: Calendar) -> tuple[str, str, str]:
    day, _, clock = calendar.civil(us).isoformat(" ", "microseconds").partition(" ")
    return day, clock[:15], clock[15:]


def interval(start: int, end: int, calendar: Calendar) -> str:
    """Write an interval in civil time: one instant if it has no length, "" if both ends are unknown."""
    if not start and not end:
        return ""
    if end <= start:
        return moment(start or end, calendar)
    try:
        (day, opens, offset), (last_day, closes, last_offset) = _civil(start, calendar), _civil(end, calendar)
    except OverflowError:
        return f"{moment(start, calendar)} to {moment(end, calendar)}"
    if (day, offset) == (last_day, last_offset):
        return f"{day} {opens} to {closes} {offset} ({duration(end - start)})"
    return f"{day} {opens} {offset} to {last_day} {closes} {last_offset} ({duration(end - start)})"


def rank(finding: Finding) -> tuple[int, str]:
    """Return the sort key of a finding: worst outcome first, then by purpose."""
    return WORST_FIRST.index(finding.outcome), finding.purpose


def source(text: str) -> str:
    """Write the source of a commitment or number; "B:137" is a line of the brochure."""
    lines = text.replace("B:", "")
    many = any(mark in lines for mark in "-,")
    return f"brochure, {'lines' if many else 'line'} {lines}" if text.startswith("B:") else text


def sentence(names: list[str], most: int = 6) -> str:
    """Join names: "a, b and c"; beyond `most` the rest is counted."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
