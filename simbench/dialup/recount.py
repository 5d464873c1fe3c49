"""The rules' own calculation of a month's minutes and money, independent of the settlement's code.

Minutes are counted by edge over all calls, not by call over the hours. Money is calculated in fractions, without the
functions of the offer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

import numpy as np

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.dialup.calls import I64, Calls
from simbench.dialup.offer import Offer

UNIT_US = {"exact": 1, "second": SECOND_US, "minute": MINUTE_US}


@dataclass(frozen=True)
class Counted:
    """One month of the records: microseconds and calls by period."""

    peak_us: int
    off_peak_us: int
    peak_calls: int
    off_peak_calls: int


def recount(calls: Calls, month: str, offer: Offer) -> Counted:
    """Count a month's minutes and calls from records sorted by start."""
    edges, peaks = _edges(month, offer)
    unit = UNIT_US[offer.reading("minute-count")]
    if offer.reading("month-of-call") == "start":
        calls = calls.take((calls.start_us >= edges[0]) & (calls.start_us < edges[-1]))
        edges, peaks = _prolonged(edges, peaks, offer)
    before = [_units_before(calls, edge, unit) for edge in edges]
    begun = np.searchsorted(calls.start_us, edges).tolist()
    sums = {(peak, what): 0 for peak in (True, False) for what in ("us", "calls")}
    for place, peak in enumerate(peaks):
        sums[peak, "us"] += (before[place + 1] - before[place]) * unit
        sums[peak, "calls"] += begun[place + 1] - begun[place]
    return Counted(sums[True, "us"], sums[False, "us"], sums[True, "calls"], sums[False, "calls"])


def _units_before(calls: Calls, edge: int, unit: int) -> int:
    """Count units begun before an instant: all of ended calls, and those begun by then of other calls."""
    started = int(np.searchsorted(calls.start_us, edge))
    elapsed: I64 = np.minimum(edge - calls.start_us[:started], calls.duration_us[:started])
    return int(np.sum(-(-elapsed // unit) if unit > 1 else elapsed))


def _edges(month: str, offer: Offer) -> tuple[list[int], list[bool]]:
    """Return the instants at which the tariff period may change in a month, and whether it is peak after each."""
    year, number = (int(part) for part in month.split("-"))
    day, edges, peaks = date(year, number, 1), [], []
    opens, closes = offer.terms.hours.peak_from_h.value, offer.terms.hours.peak_to_h.value
    while day.month == number:
        ordinary = offer.reading("holiday-hours") == "ordinary"
        working = day.weekday() < 5 and (ordinary or offer.calendar.is_jour_ouvre(day))
        for hour, peak in ((0, False), (opens, working), (closes, False)):
            edges.append(offer.calendar.instant(day.year, day.month, day.day, hour))
            peaks.append(peak)
        day += timedelta(days=1)
    return [*edges, offer.calendar.instant(day.year, day.month, 1)], peaks


def _prolonged(edges: list[int], peaks: list[bool], offer: Offer) -> tuple[list[int], list[bool]]:
    """Extend the edges after the month by the longest duration of a call."""
    after, more = _edges(offer.calendar.civil(edges[-1]).strftime("%Y-%m"), offer)
    days = 3 * (offer.terms.records.longest_h.value // 24 + 1)
    return [*edges[:-1], *after[: days + 1]], [*peaks, *more[:days]]


def share_is(amount: Fraction, minutes: int, offer: Offer, tariff: str) -> bool:
    """Tell whether an amount is the share of these minutes, rounded by the offer: halves up."""
    half = Fraction(offer.terms.money.smallest.value) / 2
    function = offer.functions[tariff]
    if function.kind == "power":
        points = offer.terms.points
        ratio = Fraction(minutes, points.first_minutes.value)
        p, q = Fraction(function.exponent).as_integer_ratio()
        exact = ratio**p * points.first_share_ff.value**q
        return max(amount - half, Fraction(0)) ** q <= exact < (amount + half) ** q and _whole(amount, offer)
    return is_rounded(amount, share_of(minutes, offer, tariff), offer)


def share_of(minutes: int, offer: Offer, tariff: str) -> Fraction:
    """Return the exact share by a function with rates, of type slab or marginal."""
    function = offer.functions[tariff]
    rates = [(rate.from_minutes, Fraction(rate.ff_per_min)) for rate in function.rates]
    if function.kind == "slab":
        return max(pair for pair in rates if pair[0] <= minutes)[1] * minutes
    steps = zip(rates, [Fraction(0), *(rate for _, rate in rates)], strict=False)
    return sum(((rate - below) * max(0, minutes - edge) for (edge, rate), below in steps), Fraction(0))


def is_rounded(amount: Fraction, exact: Fraction, offer: Offer) -> bool:
    """Tell whether an amount is an exact one rounded to the smallest amount, halves up."""
    half = Fraction(offer.terms.money.smallest.value) / 2
    return amount - half <= exact < amount + half and _whole(amount, offer)


def _whole(amount: Fraction, offer: Offer) -> bool:
    return (amount / Fraction(offer.terms.money.smallest.value)).denominator == 1


def vat_of(month: str, offer: Offer) -> Fraction:
    """Give the rate of VAT on the last day of a month."""
    year, number = (int(part) for part in month.split("-"))
    last = date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)
    return Fraction(max((rate.since, rate.share) for rate in offer.vat if rate.since <= last)[1])
