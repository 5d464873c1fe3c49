"""Kinds of originators of a submit: a number, a sender name, or a broken field that is neither."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from simbench.rules.rule import Case
from simbench.trace.rows import Submit
from simbench.trace.view import Bools
from simbench.ucp.alphabet import LONGEST_OADC, decode_oadc, encode_oadc
from simbench.ucp.forms import hexadecimal

_NUMBER: Final = re.compile(r"\+?([0-9]+)")


def number_of(oadc: str, alphanumeric: bool) -> str:
    """Return the digits of a numeric originator, "" for any other.

    `submits.violations` reports a plus before the digits; the rules on numbers judge the number without it.
    """
    found = None if alphanumeric else _NUMBER.fullmatch(oadc)
    return found[1] if found else ""


def name_of(oadc: str, alphanumeric: bool) -> str:
    """Return the sender name of an originator, "" for a number and for a field that is neither.

    Letters are treated as a name even without the OTOA of a name: `submits.violations` reports the missing OTOA, and
    the rules on names judge the name.
    """
    if alphanumeric:
        return oadc
    if not any(character.isalpha() for character in oadc):
        return ""
    try:
        name = decode_oadc(oadc)
        written = {encode_oadc(name), encode_oadc(name, "octets")}
    except ValueError:  # not hexadecimal, or more characters than a name has
        written = set()
    if oadc in written:
        return name
    octets = not hexadecimal(oadc) and len(oadc) > LONGEST_OADC  # too long for a name
    return "" if octets else oadc


def name_in(row: Submit) -> str:
    """Return the sender name of a submit."""
    return name_of(row.oadc, row.alphanumeric)


def number_in(row: Submit) -> str:
    """Return the number a submit comes from."""
    return number_of(row.oadc, row.alphanumeric)


def numeric(case: Case) -> Bools:
    """Return which submits have a number as originator."""
    oadcs, which = case.trace.submits.texts("oadc")
    numbers = np.array([bool(number_of(oadc, alphanumeric=False)) for oadc in oadcs], np.bool_)[which]
    found: Bools = numbers & ~case.trace.submits.alphanumeric
    return found
