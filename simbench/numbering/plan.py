"""The numbering plan: the kind of a number, the operator its block was allotted to, and its canonical form.

Classification never raises, whatever the text. The present operator of a number is not part of a plan.

Source of the ranges: `plan_fr.toml`, whose prefixes are data; the notations are those of ITU-T E.164 and E.123.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

Kind = Literal["mobile", "m2m", "overseas", "fixed", "foreign", "malformed"]

MOST_DIGITS = 16  # longest address: the AdC field of EMI-UCP 4.0, section 5.1


class Number(msgspec.Struct, frozen=True, gc=False):
    """A classified address.

    `msisdn` holds the international digits without any prefix, the same for every notation of the number; for a
    malformed address it is the text as given. `holder` is the operator the block was allotted to: "orange", "sfr",
    "bouygues", "free", "other", or empty if unassigned or irrelevant.
    """

    msisdn: str
    kind: Kind
    holder: str = ""
    fictional: bool = False


class _Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prefixes: tuple[str, ...]
    kind: Kind
    holder: str = ""
    fictional: bool = False
    code: str = "33"
    digits: int = 10


class _Foreign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fewest_digits: int
    most_digits: int
    fictional: tuple[str, ...]
    country_codes: frozenset[str]


class _Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    country: str
    territories: dict[str, int]
    range: tuple[_Range, ...]
    foreign: _Foreign


_PLAN = msgspec.toml.decode(Path(__file__).with_name("plan_fr.toml").read_bytes(), type=_Plan)
_BY_PREFIX = {prefix: found for found in _PLAN.range for prefix in found.prefixes}
_LENGTHS = tuple(sorted({len(prefix) for prefix in _BY_PREFIX}, reverse=True))
_COUNTRY = _PLAN.country
LONGEST_SIGN = 5  # digits before the national prefix: 00 and a country code of three
_CODES = _PLAN.foreign.country_codes


def classify(address: str) -> Number:
    """Classify an address as written in AdC, a file or a control command.

    Accepted are 0612..., +33612..., 0033612... and 33612..., numbers of overseas territories with their own code or
    with 33, and numbers of other countries with +, 00 or nothing before their country code. Everything else is
    malformed, including any text with other characters than digits after the sign.
    """
    signed = address.startswith("+")
    digits = address[1:] if signed else address
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MOST_DIGITS:
        return Number(address, "malformed")
    if digits.startswith("0") and not signed:
        if not digits.startswith("00"):
            return _national(digits, address)
        digits = digits[2:]
    if digits.startswith(_COUNTRY):
        return _national("0" + digits[len(_COUNTRY) :], address)
    return _international(digits, address)


def kind_digits() -> int:
    """How many first digits of an address say, together with its length, which kind of number it is."""
    return LONGEST_SIGN + _LENGTHS[0]


def spellings(number: Number) -> tuple[str, ...]:
    """Return every address that `classify` maps to this number, its msisdn first."""
    msisdn = number.msisdn
    if number.kind == "malformed":
        return (msisdn,)
    bare = [msisdn]
    code = next((code for code in (_COUNTRY, *_PLAN.territories) if msisdn.startswith(code)), "")
    national = "0" + msisdn[len(code) :] if number.kind != "foreign" else ""
    if national and code != _COUNTRY:
        bare.append(_COUNTRY + national[1:])
    written = [prefix + each for prefix in ("", "+", "00") for each in bare] + [national]
    return tuple(each for each in written if each and classify(each).msisdn == msisdn)


def plain_mobile(prefix: str) -> bool:
    """Whether every 10-digit number with this prefix is a metropolitan mobile, whoever holds it.

    Lets a reader of millions of numbers accept them in bulk.
    """
    below = [found for known, found in _BY_PREFIX.items() if known.startswith(prefix)]
    above = next((_BY_PREFIX[prefix[:n]] for n in _LENGTHS if n <= len(prefix) and prefix[:n] in _BY_PREFIX), None)
    return above is not None and all(found.kind == "mobile" and found.digits == 10 for found in (above, *below))


def _national(national: str, address: str) -> Number:
    for length in _LENGTHS:
        found = _BY_PREFIX.get(national[:length])
        if found is not None:
            if len(national) != found.digits:
                break
            return Number(found.code + national[1:], found.kind, found.holder, found.fictional)
    return Number(address, "malformed")


def _international(digits: str, address: str) -> Number:
    short = _PLAN.territories.get(digits[:3])
    if short is not None:
        national = _national("0" + digits[3:], address)
        if national.kind == "overseas" and national.msisdn == digits:
            return national
        return Number(digits, "overseas") if len(digits) == 3 + short else Number(address, "malformed")
    foreign = _PLAN.foreign
    if not foreign.fewest_digits <= len(digits) <= foreign.most_digits:
        return Number(address, "malformed")
    if not any(digits[:length] in _CODES for length in (1, 2, 3)):
        return Number(address, "malformed")
    return Number(digits, "foreign", fictional=digits.startswith(foreign.fictional))
