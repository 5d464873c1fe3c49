"""Tariff functions: the gross share for the minutes of a month, in exact arithmetic."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from simbench.contract.term import Natural


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rate per minute from a number of minutes on."""

    from_minutes: Natural
    ff_per_min: Decimal


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tariff function: "marginal" and "slab" have rates, "power" an exponent."""

    kind: Literal["marginal", "slab", "power"]
    gist: str
    rates: tuple[Rate, ...] = ()
    exponent: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Check the function."""
        edges = [rate.from_minutes for rate in self.rates]
        if self.kind == "power":
            exponent = self.exponent
            if self.rates or not (1 <= exponent <= 4) or exponent.as_tuple().exponent not in range(-3, 1):
                raise ValueError("expected no rates, and an exponent from 1 to 4 with at most 3 decimals")
        elif not edges or edges[0] != 0 or edges != sorted(set(edges)) or self.exponent:
            raise ValueError("expected rates from 0 minutes on, rising, and no exponent")
        if any(not (rate.ff_per_min.is_finite() and 0 <= rate.ff_per_min <= 1000) for rate in self.rates):
            raise ValueError("expected rates from 0 to 1000 FF a minute")


def marginal_share(minutes: int, rates: Sequence[Rate]) -> Decimal:
    """Give the exact share when each minute has the rate of its own bracket."""
    edges = [*(rate.from_minutes for rate in rates[1:]), minutes]
    total = Decimal(0)
    for rate, end in zip(rates, edges, strict=True):
        total += rate.ff_per_min * max(0, min(end, minutes) - rate.from_minutes)
    return total


def slab_share(minutes: int, rates: Sequence[Rate]) -> Decimal:
    """Return the exact share if the rate of the bracket reached applies to every minute."""
    reached = bisect_right([rate.from_minutes for rate in rates], minutes) - 1
    return rates[reached].ff_per_min * minutes


def power_share(minutes: int, point: tuple[int, int], exponent: Decimal, smallest: Decimal) -> Decimal:
    """Give `ff * (minutes / of) ** exponent` for `point` = (of, ff), rounded to `smallest`, halves up.

    The value is irrational, but with exponent p / q its rounding is computed exactly in integers, as the largest n with
    n^q * of^p <= (2 * ff / smallest)^q * minutes^p. No precision is chosen anywhere.
    """
    of, ff = point
    p, q = exponent.as_integer_ratio()
    doubled, rest = divmod(2 * ff, smallest)
    assert rest == 0
    halves = _root(int(doubled) ** q * minutes**p // of**p, q)
    return (halves + 1) // 2 * smallest


def _root(number: int, degree: int) -> int:
    """Return the integer part of a root, by Newton's method from above."""
    if number < 2:
        return number
    guess = 1 << -(-number.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + number // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better
