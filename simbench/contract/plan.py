"""A numbering plan as a contract has it: ranges of numbers, their kind, and the operator each block was allotted to."""

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

    `holder` is the operator the block was allotted to, empty for nobody: its token, or "home" for the operator of the
    contract and "away-1" for the first of the other networks. `code` and `digits` stand where they are not the plan's.
    """

    kind: RangeKind
    prefixes: Annotated[tuple[Digits, ...], msgspec.Meta(min_length=1, max_length=1000)]
    holder: Holder = ""
    fictional: bool = False
    code: Digits | None = None
    digits: Length | None = None


class Territory(Frozen, frozen=True):
    """A country code of its own within the plan; `short` digits follow it in numbers shorter than the national ones."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{3}\Z")]
    short: Annotated[int, msgspec.Meta(ge=0, le=15)] = 0


class BenchNumbers(Frozen, frozen=True):
    """Fictional numbers that the bench uses, written nationally, or with + and a country code.

    The first of ten million subscribers of the operator (`crowd`), of six thousand who also write (`writers`), of a
    million subscribers of another network (`elsewhere`), of ten thousand fixed lines (`fixed`), and one of the others.
    """

    crowd: Number
    writers: Number
    elsewhere: Number
    fixed: Number
    foreign: Number
    machine: Number | None = None
    overseas: Number | None = None


class PlanData(Frozen, frozen=True):
    """The numbers of a country, as far as the bench needs them.

    `country`: its two letters, "" for none; `trunk`: what precedes a national number and never follows the country
    code; `digits`: how many a national number has, `trunk` among them; `operators`: the networks among which numbers
    are ported.
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
        """The networks that numbers of the operator `home` are ported to."""
        return tuple(one for one in self.operators if one != home)


def wrong_ranges(plan: PlanData) -> Iterator[Mistake]:
    """Find prefixes that stand twice, cannot begin a national number, or are as long as one."""
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
                yield Mistake(where, f"is {shown(prefix)}, a prefix of ranges[{seen[prefix]}] too", "each prefix once")
            seen.setdefault(prefix, number)
        longest = digits - len(plan.trunk) + len(one.code or plan.country_code)
        if longest > MOST_DIGITS:
            expected = f"at most {MOST_DIGITS} digits with the country code"
            yield Mistake(("numbering_plan", "ranges", number, "digits"), f"is {digits}", expected)
