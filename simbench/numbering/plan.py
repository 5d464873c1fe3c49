"""The numbering plan: the kind of a number, the operator its range was allotted to, and its canonical form.

Classification never raises. The present operator of a ported number is not part of a plan. The ranges are those of the
contract, the notations those of ITU-T E.164 and E.123.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from simbench.base.toml_files import Keys, Mistake, shown
from simbench.contract import Contract
from simbench.contract.plan import BenchNumbers, NumberRange, PlanData

Kind = Literal["mobile", "m2m", "overseas", "fixed", "foreign", "malformed"]

MOST_DIGITS = 16  # longest address: the AdC field of EMI-UCP 4.0, section 5.1
LONGEST_SIGN = 5  # digits before the national prefix: 00 and a country code of three
REMEMBERED: Final = 1 << 16

_FILLERS: Final = re.compile(r"[\s.\-/\u2010-\u2015]+")  # spaces as in ITU-T E.123, and other common separators
_AS_FLOAT: Final = re.compile(r"(\+?[0-9]+)[.,]0+")


class Number(msgspec.Struct, frozen=True, gc=False):
    """A classified address.

    `msisdn` holds the international digits without any prefix, the same for every notation of the number; for a
    malformed address it is the text as given. `holder` is the operator the range was allotted to, by its token, "other"
    for one that the plan does not name, or empty if unassigned or irrelevant.
    """

    msisdn: str
    kind: Kind
    holder: str = ""
    fictional: bool = False


class _World(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fewest_digits: int
    most_digits: int
    country_codes: frozenset[str]
    fictional: tuple[str, ...]


_WORLD = msgspec.toml.decode(Path(__file__).with_name("country_codes.toml").read_bytes(), type=_World)


class NumberingPlan:
    """A contract's plan; `home` is the token of its operator, `away` those of the networks numbers are ported to.

    `key(address)` is the form in which addresses are compared: canonical digits, else the address itself.
    """

    def __init__(self, data: PlanData, home: str) -> None:
        self.data, self.home, self.away = data, home, data.away(home)
        self._by_prefix = {prefix: one for one in data.ranges for prefix in one.prefixes}
        self._lengths = tuple(sorted({len(prefix) for prefix in self._by_prefix}, reverse=True))
        self._holders = {"home": home} | {f"away-{place}": one for place, one in enumerate(self.away, 1)}
        self._territories = {one.code: one.short for one in data.territories}
        self._heads = {prefix[len(data.trunk)] for prefix, one in self._by_prefix.items() if one.kind == "mobile"}
        zero = rf"^(\+|00)?({data.country_code})\({data.trunk or 0}\)"
        self._trunk_in_brackets = re.compile(zero)  # +33 (0)6 ..., common although E.123 advises against it
        self.key = lru_cache(REMEMBERED)(lambda address: self.classify(address).msisdn)
        self._read = lru_cache(REMEMBERED)(self._number_of)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy the plan without its caches."""
        return NumberingPlan, (self.data, self.home)

    def classify(self, address: str) -> Number:
        """Classify an address as written in AdC, a file or a control command.

        Accepted are national numbers, international ones with +, 00 or nothing before the country code, and numbers of
        overseas territories with their own code or the country's. Everything else is malformed, including any text with
        characters other than digits after the sign.
        """
        signed = address.startswith("+")
        digits = address[1:] if signed else address
        if not (digits.isascii() and digits.isdigit()) or len(digits) > MOST_DIGITS:
            return Number(address, "malformed")
        if not signed:
            if digits.startswith("00"):
                digits = digits[2:]
            elif self.data.trunk and digits.startswith(self.data.trunk):
                return self._national(digits, address)
            elif not self.data.trunk and (national := self._national(digits, address)).kind != "malformed":
                return national
        code = self.data.country_code
        if digits.startswith(code):
            return self._national(self.data.trunk + digits[len(code) :], address)
        return self._international(digits, address)

    def kind_digits(self) -> int:
        """Return the number of first digits that, with the length of an address, determine its kind."""
        return LONGEST_SIGN + self._lengths[0]

    def spellings(self, number: Number) -> tuple[str, ...]:
        """Return every address that `classify` maps to this number, its msisdn first."""
        msisdn, trunk = number.msisdn, self.data.trunk
        if number.kind == "malformed":
            return (msisdn,)
        bare = [msisdn]
        codes = (self.data.country_code, *self._territories)
        code = next((code for code in codes if msisdn.startswith(code)), "")
        national = trunk + msisdn[len(code) :] if number.kind != "foreign" else ""
        if national and code != self.data.country_code:
            bare.append(self.data.country_code + national[len(trunk) :])
        written = [prefix + each for prefix in ("", "+", "00") for each in bare] + [national]
        return tuple(each for each in written if each and self.classify(each).msisdn == msisdn)

    def plain_mobile(self, prefix: str) -> bool:
        """Return whether every number of usual length with this prefix is a mobile number of the country.

        Readers of millions of numbers use this to accept them in bulk.
        """
        known = self._by_prefix
        below = [found for each, found in known.items() if each.startswith(prefix)]
        above = next((known[prefix[:n]] for n in self._lengths if n <= len(prefix) and prefix[:n] in known), None)
        return above is not None and all(one.kind == "mobile" and not one.digits for one in (above, *below))

    def read(self, cell: Any) -> str | None:
        """Return the canonical digits of a number as people and spreadsheets write it; None if it is not a number.

        Accepted are spaces, dots, hyphens and slashes, every notation of `classify`, the national prefix in brackets
        after the country code, a leading apostrophe, `33639980012.0`, and mobile numbers that lost a leading zero.
        Scientific notation has lost digits and is not accepted.
        """
        if isinstance(cell, bool):
            return None
        if isinstance(cell, float):
            return self._read(str(int(cell))) if cell.is_integer() and abs(cell) < 1e16 else None
        return self._read(str(cell))

    # The bench's own numbers ---------------------------------------------------------------------------------------

    def own(self, number: int) -> str:
        """Return the msisdn of the operator's fictional subscriber with a number from 0 to below ten million."""
        return self._nth(self.data.numbers.crowd, number)

    def writer(self, number: int) -> str:
        """Return the msisdn of one of the operator's subscribers who send messages, from 0 to below six thousand."""
        return self._nth(self.data.numbers.writers, number)

    def elsewhere(self, number: int) -> str:
        """Return the msisdn of a subscriber of another network."""
        return self._nth(self.data.numbers.elsewhere, number)

    def fixed(self, number: int) -> str:
        """Return the msisdn of a fixed line."""
        return self._nth(self.data.numbers.fixed, number)

    def one(self, kind: Literal["machine", "overseas", "foreign"]) -> str:
        """Return the msisdn of the bench's number of a kind, "" if the plan has none."""
        written = getattr(self.data.numbers, kind)
        return self.classify(written).msisdn if written else ""

    def short(self) -> str:
        """Return an address that is too short to be a number."""
        return self.data.numbers.writers[:4]

    def _nth(self, written: str, number: int) -> str:
        return str(int(self.classify(written).msisdn) + number)

    # ---------------------------------------------------------------------------------------------------------------

    def _number_of(self, text: str) -> str | None:
        text = text.strip().removeprefix("'").strip()
        as_float = _AS_FLOAT.fullmatch(text)
        text = as_float[1] if as_float else _FILLERS.sub("", text)
        text = self._trunk_in_brackets.sub(r"\1\2", text).replace("(", "").replace(")", "")
        trunk = self.data.trunk
        if trunk and len(text) == self.data.digits - len(trunk) and text[0] in self._heads and text.isdecimal():
            text = trunk + text
        found = self.classify(text)
        return None if found.kind == "malformed" else found.msisdn

    def _national(self, national: str, address: str) -> Number:
        for length in self._lengths:
            found = self._by_prefix.get(national[:length])
            if found is not None:
                if len(national) != (found.digits or self.data.digits):
                    break
                return self._of(found, national)
        return Number(address, "malformed")

    def _of(self, found: NumberRange, national: str) -> Number:
        code, holder = found.code or self.data.country_code, self._holders.get(found.holder, found.holder)
        return Number(code + national[len(self.data.trunk) :], found.kind, holder, found.fictional)

    def _international(self, digits: str, address: str) -> Number:
        short = self._territories.get(digits[:3])
        if short is not None:
            national = self._national(self.data.trunk + digits[3:], address)
            if national.kind == "overseas" and national.msisdn == digits:
                return national
            return Number(digits, "overseas") if len(digits) == 3 + short else Number(address, "malformed")
        if not _WORLD.fewest_digits <= len(digits) <= _WORLD.most_digits:
            return Number(address, "malformed")
        if not any(digits[:length] in _WORLD.country_codes for length in (1, 2, 3)):
            return Number(address, "malformed")
        return Number(digits, "foreign", fictional=digits.startswith(_WORLD.fictional))


def plan_of(contract: Contract) -> NumberingPlan:
    """Return the plan of a contract, the same object for the same contract."""
    key = contract.digest, contract.operator
    if key not in _PLANS:
        _PLANS[key] = NumberingPlan(contract.numbering_plan, contract.operator)
    return _PLANS[key]


_PLANS: dict[tuple[str, str], NumberingPlan] = {}


def wrong_numbers(data: PlanData, home: str) -> Iterator[Mistake]:
    """Find numbers of the bench that are of another kind than their name says, or that may belong to a subscriber."""
    plan = NumberingPlan(data, home)
    for name in BenchNumbers.__struct_fields__:
        written, (kind, amount, whose) = getattr(data.numbers, name), _BENCH[name]
        if written is None:
            continue
        keys: Keys = ("numbering_plan", "numbers", name)
        first = plan.classify(written)
        last = first if first.kind == "malformed" else plan.classify(str(int(first.msisdn) + amount - 1))
        holders = {"operator": {home}, "other": {*plan.away, "other"}}.get(whose, {first.holder})
        if any(one.kind != kind or one.holder not in holders for one in (first, last)):
            what = {"operator": " of the operator", "other": " of another network"}.get(whose, "")
            rest = f", and the {amount:,} from it on" if amount > 1 else ""
            yield Mistake(keys, f"is {shown(written)}", f"a {kind} number{what}{rest}")
        elif not (first.fictional and last.fictional):
            yield Mistake(
                keys, f"is {shown(written)}, which may belong to a subscriber", "a number of a fictional range"
            )


# The numbers of the bench: kind, size of the block, and operator.
_BENCH: Final[dict[str, tuple[Kind, int, str]]] = {
    "crowd": ("mobile", 10_000_000, "operator"), "writers": ("mobile", 6_000, "operator"),
    "elsewhere": ("mobile", 1_000_000, "other"), "fixed": ("fixed", 10_000, ""), "foreign": ("foreign", 1, ""),
    "machine": ("m2m", 1, "operator"), "overseas": ("overseas", 1, ""),
}  # fmt: skip
