"""Reads the cells of a table: truth values, numbers and codes, as people and spreadsheets write them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from simbench.base.errors import BadInput
from simbench.base.toml_files import shown

YES: Final = frozenset({"true", "yes", "y", "1", "oui", "o", "vrai", "ok"})
NO: Final = frozenset({"false", "no", "n", "0", "non", "faux"})

_SPACES = re.compile(r"\s+")  # no-break and thin spaces too
_WHOLE_AS_FLOAT = re.compile(r"(-?[0-9]+)[.,]0+")
_PLAIN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+", re.ASCII)


def text_of(cell: Any) -> str:
    """Return a cell as text; a whole number stored as 36010.0 by a spreadsheet loses its decimals."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def digits_of(cell: Any) -> str:
    """Return a code as text, undoing spreadsheet notations (36010.0, '36010, 36 010); anything else is unchanged."""
    text = _SPACES.sub("", text_of(cell)).removeprefix("'")
    as_float = _WHOLE_AS_FLOAT.fullmatch(text)
    return as_float[1] if as_float else text


def truth_of(cell: Any, place: str, yes: frozenset[str] = YES, no: frozenset[str] = NO) -> bool:
    """Read yes or no in English or French, in any case, or 1 and 0. Raises BadInput."""
    word = cell if isinstance(cell, str) and (cell in yes or cell in no) else digits_of(cell).lower()
    if word in yes:
        return True
    if word in no:
        return False
    raise BadInput(place, f"is {shown(str(cell))}", "true or false")


def number_of(cell: Any, place: str, *, decimal_comma: bool = False) -> Decimal:
    """Read a number with a decimal point or comma, with or without thousands separators; "50 %" is 0.5.

    "1,600" is 1.6 if the table uses decimal commas and 1600 if it groups by commas; otherwise it is refused. Raises
    BadInput.
    """
    expected = "a number such as 1600.50"
    if isinstance(cell, bool):
        raise BadInput(place, f"is {cell}", expected)
    text = _SPACES.sub("", str(cell))
    percent = text.endswith("%")
    text = text.removesuffix("%")
    if _GROUPED.fullmatch(text) and not decimal_comma:
        grouped, part = text.replace(",", ""), text.replace(",", ".", 1)
        both = f" or {part}" if text.count(",") == 1 else ""
        if both:
            raise BadInput(place, f"{shown(text)} is {grouped}{both}", "a number without thousands separators")
        text = grouped
    text = _with_point(text)
    try:
        value = Decimal(text) if _PLAIN.fullmatch(text) else Decimal("NaN")
        if isinstance(cell, (int, float, Decimal)):
            value = Decimal(str(cell))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise BadInput(place, f"is {shown(str(cell))}", expected)
    return value / 100 if percent else value


def _with_point(text: str) -> str:
    """Write the decimal mark as a point: the last point or comma is decimal, one that occurs twice groups digits."""
    point, comma = text.rfind("."), text.rfind(",")
    if comma > point:
        return text.replace(".", "").replace(",", ".") if text.count(",") == 1 else text.replace(",", "")
    if comma >= 0:
        return text.replace(",", "")
    return text.replace(".", "") if text.count(".") > 1 else text


def whole_of(cell: Any, place: str, least: int = 0, most: int = 10**12, *, decimal_comma: bool = False) -> int:
    """Read a whole number within bounds. Raises BadInput."""
    expected = f"a whole number from {least}" + (f" to {most}" if most < 10**12 else " on")
    try:
        value = number_of(cell, place, decimal_comma=decimal_comma)
    except BadInput:
        value = Decimal("0.5")
    if value != value.to_integral_value() or not least <= value <= most:
        raise BadInput(place, f"is {shown(str(cell))}", expected)
    return int(value)
