"""The forms of a field's text: digits, hexadecimal, visible ASCII, dates. A check returns "" or a key of PROBLEMS."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Callable
from datetime import datetime
from typing import Final


def digits(value: str) -> str:
    """ "" for decimal digits, else the problem."""
    return "" if value.isascii() and value.isdigit() else "not-digits"


def hexadecimal(value: str) -> str:
    """ "" for whole octets in hexadecimal, else the problem."""
    try:
        unhexlify(value)
    except ValueError:
        return "odd-hex" if len(value) % 2 else "not-hex"
    return ""


def printable(value: str) -> str:
    """ "" for visible ASCII, else the problem."""
    return "" if value.isascii() and value.isprintable() else "not-printable"


def moment(value: str) -> tuple[int, ...] | None:
    """(year, month, day, hour, minute, second) of DDMMYYHHmm or DDMMYYHHmmss, None if there is no such time.

    The SMSC's civil time; two-digit years below 90 belong to this century.
    """
    if len(value) not in {10, 12} or digits(value):
        return None
    day, month, year, hour, minute, second = (int(value[at : at + 2] or 0) for at in range(0, 12, 2))
    try:
        return datetime(year + (2000 if year < 90 else 1900), month, day, hour, minute, second).timetuple()[:6]
    except ValueError:
        return None


def _date(length: int) -> Callable[[str], str]:
    return lambda value: "" if len(value) == length and moment(value) else "not-a-date"


FORMS: Final[dict[str, Callable[[str], str]]] = {
    "digits": digits,
    "list": digits,
    "hex": hexadecimal,
    "chars": printable,
    "text": printable,
    "date10": _date(10),
    "date12": _date(12),
}
