"""Numbering plans in contracts: ranges of numbers, their kind, and the operator each was allotted to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from simbench.base.toml_files import Frozen, Keys, Mistake, shown

RangeKind = Literal["mobile", "m2m", "overseas", "fixed"]
Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}\Z")]
Length = Annotated[int, msgspec.Meta(ge=1, le=15)]
Token = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
Holder = Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9][a-z0-9-]{0,31})?\Z")]
Number = Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9]{1,16}\Z")]

MOST_DIGITS = 15  # ITU-T E.164, with the country code


class NumberRange(Frozen, frozen=True):
    """Numbers by their first digits, written nationally.

    `holder` is the operator the range was allotted to, empty if none: its token, or "home" for the operator of the
    contract, or "away-1" for the first of the other networks. `code` and `digits` replace the plan's for this range.
    """

    kind: RangeKind
    prefixes: Annotated[tuple[Digits, ...], msgspec.Meta(min_length=1, max_length=1000)]
    holder: Holder = ""
    fictional: bool = False
    code: Digits | None = None
    digits: Length | None = None


class Territory(Frozen, frozen=True):
    """A territory with its own country code; `short` is the number of digits after it in shorter numbers (0: none)."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{3}\Z")]
    short: Annotated[int, msgspec.Meta(ge=0, le=15)] = 0


class BenchNumbers(Frozen, frozen=True):
    """Fictional numbers that the bench uses, written nationally, or with + and a country code.

    Each is the first of a block: ten million subscribers of the operator (`crowd`), six thousand who also send messages
    (`writers`), a million subscribers of another network (`elsewhere`), ten thousand fixed lines (`fixed`). `foreign`,
    `machine` and `overseas` are single numbers.
    """

    crowd: Number
    writers: Number
    elsewhere: Number
    fixed: Number
    foreign: Number
    machine: Number | None = None
    overseas: Number | None = None


class PlanData(Frozen, frozen=True):
    """The numbering plan of a country, as far as the bench needs it.

    `country`: its two letters, "" for none; `trunk`: the prefix of national numbers, which is not dialled after the
    country code; `digits`: digits of a national number, including `trunk`; `operators`: the networks among which
    numbers are ported.
    """

    country_code: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}\Z")]
    digits: Length
    numbers: BenchNumbers
    ranges: Annotated[tuple[NumberRange, ...], msgspec.Meta(min_length=1, max_length=1000)]
    country: Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{2})?\Z")] = ""
    trunk: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,3}\Z")] = ""
    operators: tuple[Token, ...] = ()
    territories: tuple[Territory, ...] = ()

    def away(self, home: str) -> tuple[str, ...]:
        """Return the networks that numbers of the operator `home` are ported to."""
        return tuple(one for one in self.operators if one != home)


def wrong_ranges(plan: PlanData) -> Iterator[Mistake]:
    """Find prefixes that occur twice or cannot begin a national number, and numbers that are too long."""
    seen: dict[str, int] = {}
    for number, one in enumerate(plan.ranges):
        digits = one.digits or plan.digits
        for place, prefix in enumerate(one.prefixes):
            where: Keys = ("numbering_plan", "ranges", number, "prefixes", place)
            if not prefix.startswith(plan.trunk):
                yield Mistake(where, f"is {shown(prefix)}", f"{shown(plan.trunk)} first, as in every national number")
            elif len(prefix) > digits:
                yield Mistake(where, f"is {shown(prefix)}, which no number of {digits} digits can begin with")
            elif prefix in seen:
                yield Mistake(where, f"is {shown(prefix)}, also a prefix of ranges[{seen[prefix]}]", "each prefix once")
            seen.setdefault(prefix, number)
        longest = digits - len(plan.trunk) + len(one.code or plan.country_code)
        if longest > MOST_DIGITS:
            expected = f"at most {MOST_DIGITS} digits with the country code"
            yield Mistake(("numbering_plan", "ranges", number, "digits"), f"is {digits}", expected)
