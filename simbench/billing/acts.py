"""The acts of a contract: short codes opened and closed, tiers, options, changes.

A month is written "2016-10"; dates are civil days of the contract's zone. A rate tier is subscribed by whole
calendar months; all other acts take effect on a day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from simbench.base.errors import BadInput
from simbench.base.python_tables import built
from simbench.base.toml_files import Frozen, read_toml
from simbench.contract import Contract

Quantity = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Text = Annotated[str, msgspec.Meta(max_length=200)]
LARGEST_QUOTE = 10**9


class ActsError(BadInput):
    """A file of acts is invalid."""


class Month(NamedTuple):
    """A calendar month."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read "2016-10", of the years 1970 to 2199; ValueError for anything else."""
        if not re.fullmatch(r"(19[7-9]|20[0-9]|21[0-9])[0-9]-(0[1-9]|1[0-2])", text):
            raise ValueError(text)
        return cls(int(text[:4]), int(text[5:]))

    @property
    def first(self) -> date:
        """The first day of the month."""
        return date(self.year, self.month, 1)

    @property
    def following(self) -> Month:
        """Return the next month."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def has(self, day: date | None) -> bool:
        """Tell whether a day is in the month."""
        return day is not None and (day.year, day.month) == self

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


class Tier(Frozen, frozen=True):
    """From this month ("2016-10") on the code is subscribed to `rate_per_s` messages per second.

    `request_id` is the reference of the request to the operator, which the higher rates need (OPS-ACH-06).

    `month` is the first month of the rate.
    """

    month: str
    rate_per_s: int
    request_id: Text = ""


class Option(Frozen, frozen=True):
    """The OAdC option of a code: its days of activation and deactivation; left out: active until the code is closed.

    `activated` is the day of activation, `deactivated` the day of deactivation.
    """

    activated: date
    deactivated: date | None = None


class CodeActs(Frozen, frozen=True):
    """One short code: when it was opened and closed, its tiers in order, its OAdC options in order.

    `closed` left out: still open.

    `code` is the short code, `opened` the day of its opening.
    """

    code: str
    opened: date
    closed: date | None = None
    tiers: tuple[Tier, ...] = ()
    oadc_options: tuple[Option, ...] = ()


class OtherChange(Frozen, frozen=True):
    """A change billed individually (OPS-TAR-03), such as another IP address.

    `what` describes it. `code`: the short code it concerns; empty: none. The closing of a code needs no table here:
    `closed` is enough.

    `day` is the day of the change.
    """

    day: date
    what: Text
    code: str = ""


class Qualification(Frozen, frozen=True):
    """One company's use of basic qualification in a month ("2016-10").

    Each table is billed the monthly access, and `numbers`, the telephone numbers qualified.

    `company` is the name of the company, `month` the month of its use.
    """

    company: Text
    month: str
    numbers: Quantity = 0


class Acts(Frozen, frozen=True):
    """The data on which a bill depends, besides the messages.

    `quotes` are the agreed monthly prices of rates sold by quotation (AMB-07), in euros by rate, as `100 = 1500`.
    """

    codes: tuple[CodeActs, ...]
    other_changes: tuple[OtherChange, ...] = ()
    qualifications: tuple[Qualification, ...] = ()
    quotes: dict[str, Decimal] = msgspec.field(default_factory=dict)


def read_acts(path: Path, contract: Contract) -> Acts:
    """Read and check a file of acts. Raises ActsError, which names file, key, value and expectation."""
    acts = read_toml(path, Acts, ActsError)
    check_acts(acts, contract, str(path))
    return acts


def acts_in(tables: Mapping[str, Any], contract: Contract) -> Acts:
    """Read acts given as the tables of such a file. Raises ActsError."""
    acts = built(Acts, tables, ActsError, "acts")
    check_acts(acts, contract, "acts")
    return acts


def check_acts(acts: Acts, contract: Contract, place: str) -> None:
    """Check that codes are valid and unique, tiers exist and acts are in order. Raises ActsError."""
    if not acts.codes:
        raise ActsError(f"{place}: codes", "no short code", "at least one [[codes]] table")
    seen: set[str] = set()
    for index, code in enumerate(acts.codes):
        key = f"{place}: codes[{index}]"
        if not re.fullmatch(contract.terms.numbering.code_pattern, code.code):
            expected = f"a short code matching {contract.terms.numbering.code_pattern}"
            raise ActsError(f"{key}.code", f"{code.code!r}", expected)
        if code.code in seen:
            raise ActsError(f"{key}.code", f"{code.code!r} appears twice", "each short code once")
        seen.add(code.code)
        _check_code(code, contract, key)
    for index, change in enumerate(acts.other_changes):
        if change.code and change.code not in seen:
            raise ActsError(f"{place}: other_changes[{index}].code", f"{change.code!r}", "a short code above")
    companies: set[tuple[str, str]] = set()
    for index, used in enumerate(acts.qualifications):
        _month(used.month, f"{place}: qualifications[{index}].month")
        if (used.company, used.month) in companies:
            problem = f"{used.company!r} appears twice in {used.month}"
            raise ActsError(f"{place}: qualifications[{index}].company", problem, "one table a company and month")
        companies.add((used.company, used.month))
    tiers = {str(rate) for rate in contract.terms.throughput.paid_tiers}
    for rate, price in acts.quotes.items():
        if rate not in tiers:
            raise ActsError(f"{place}: quotes.{rate}", "no such tier", f"one of {', '.join(sorted(tiers, key=int))}")
        if not (price.is_finite() and 0 <= price <= LARGEST_QUOTE):
            raise ActsError(f"{place}: quotes.{rate}", f"is {price!s:.40}", f"an amount from 0 to {LARGEST_QUOTE}")


def _check_code(code: CodeActs, contract: Contract, key: str) -> None:
    if code.closed is not None and code.closed < code.opened:
        raise ActsError(f"{key}.closed", f"{code.closed}", f"a day from {code.opened} on, when it was opened")
    tiers, latest = contract.terms.throughput.rates, Month(code.opened.year, code.opened.month)
    for place, tier in enumerate(code.tiers):
        where = f"{key}.tiers[{place}]"
        month = _month(tier.month, f"{where}.month")
        if tier.rate_per_s not in tiers:
            raise ActsError(f"{where}.rate_per_s", f"{tier.rate_per_s}", f"one of the tiers {tiers}")
        if month < latest or (place and month == latest):
            raise ActsError(f"{where}.month", f"{tier.month}", f"a month {'after' if place else 'from'} {latest}")
        if code.closed is not None and month > (code.closed.year, code.closed.month):
            raise ActsError(f"{where}.month", f"{tier.month}", f"a month up to {code.closed}, when the code was closed")
        latest = month
    after = code.opened
    for place, option in enumerate(code.oadc_options):
        where = f"{key}.oadc_options[{place}]"
        if option.activated < after:
            raise ActsError(f"{where}.activated", f"{option.activated}", f"a day from {after} on")
        if option.deactivated is not None and option.deactivated < option.activated:
            raise ActsError(f"{where}.deactivated", f"{option.deactivated}", f"a day from {option.activated} on")
        if code.closed is not None and max(option.activated, option.deactivated or option.activated) > code.closed:
            raise ActsError(
                where, f"{option.deactivated or option.activated}", f"days up to {code.closed}, its closing"
            )
        if option.deactivated is None and place + 1 < len(code.oadc_options):
            raise ActsError(f"{where}.deactivated", "is missing", "a day, since another activation follows")
        after = option.deactivated or option.activated


def _month(text: str, key: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        raise ActsError(key, f"{text!r}", 'a month such as "2016-10"') from None
