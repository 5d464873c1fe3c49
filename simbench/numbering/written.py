"""Telephone numbers as people and spreadsheets write them, converted to the plan's canonical form."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from simbench.numbering.plan import classify

_FILLERS: Final = re.compile(r"[\s.\-/\u2010-\u2015]+")  # ITU-T E.123 has spaces; people type the others
_TRUNK_ZERO: Final = re.compile(r"^(\+|00)?(33)\(0\)")  # +33 (0)6 ..., common though E.123 advises against it
_AS_FLOAT: Final = re.compile(r"(\+?[0-9]+)[.,]0+")
_ZERO_LOST: Final = re.compile(r"[67][0-9]{8}")  # a French mobile number that a spreadsheet read as a quantity


def number_of(cell: Any) -> str | None:
    """Return the canonical digits of a telephone number, the same for every notation; None if it is not a number.

    Accepted are spaces, dots, hyphens and slashes, `+33`, `0033`, `33` and `0`, `(0)` after the country code, a
    leading apostrophe, `33639980012.0`, and nine digits that lost their leading zero. Scientific notation has lost
    digits and is not accepted.
    """
    if isinstance(cell, bool):
        return None
    if isinstance(cell, float):
        return _number_of(str(int(cell))) if cell.is_integer() and abs(cell) < 1e16 else None
    return _number_of(str(cell))


@lru_cache(maxsize=1 << 16)
def _number_of(text: str) -> str | None:
    text = text.strip().removeprefix("'").strip()
    as_float = _AS_FLOAT.fullmatch(text)
    text = as_float[1] if as_float else _FILLERS.sub("", text)
    text = _TRUNK_ZERO.sub(r"\1\2", text).replace("(", "").replace(")", "")
    if _ZERO_LOST.fullmatch(text):
        text = f"0{text}"
    found = classify(text)
    return None if found.kind == "malformed" else found.msisdn


@lru_cache(maxsize=1 << 16)
def address_key(address: str) -> str:
    """Return the form in which addresses on the wire are compared: canonical digits, else the address itself."""
    return classify(address).msisdn
