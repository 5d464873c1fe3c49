"""The arithmetic of the service level written a second time, from the contract's text: no line of the product is used.

Incidents are plain dictionaries, time is cut at every edge, and each piece has one state. Windows are counted in whole
microseconds, shares in fractions.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR, DAY = 3_600_000_000, 86_400_000_000
HOLIDAYS = {  # of the years the tables are drawn from
    *(date(year, month, day) for year in (2023, 2024, 2025)
      for month, day in ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))),
    date(2023, 4, 10), date(2023, 5, 18), date(2023, 5, 29), date(2024, 4, 1), date(2024, 5, 9), date(2024, 5, 20),
    date(2025, 4, 21), date(2025, 5, 29), date(2025, 6, 9),
}  # fmt: skip

Facts = dict[str, Any]


def paris(us: int) -> datetime:
    return (EPOCH + timedelta(microseconds=us)).astimezone(PARIS)


def micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def a_year_before(us: int) -> int:
    then = paris(us)
    day = 28 if (then.month, then.day) == (2, 29) else then.day
    return micros(then.replace(year=then.year - 1, day=day))


def announced_in_time(one: Facts, days: int, reading: str) -> bool:
    if one["announced"] is None:
        return False
    if reading == "calendar":
        return bool(one["announced"] <= one["start"] - days * DAY)
    begins = paris(one["start"])
    day, left = begins.date(), days
    while left:
        day -= timedelta(days=1)
        closed = {"civil": set(), "ouvrables": {6}, "ouvres": {5, 6}}[reading]
        off = reading != "civil" and day in HOLIDAYS
        left -= day.weekday() not in closed and not off
    latest = datetime.combine(day, time(begins.hour, begins.minute, begins.second, begins.microsecond), PARIS)
    return bool(one["announced"] <= micros(latest.replace(fold=begins.fold)))


def classes(one: Facts, reading: str, platforms: str) -> str:
    """The letter of a class: U, P, Q, or nothing."""
    if one["party"] != "orange":
        return ""
    whole = one["scope"] == "total" or (platforms == "any_down" and one["subject"].startswith("platform"))
    if one["planned"] and announced_in_time(one, 5, reading):
        return "P" if whole else ""
    return "U" if whole else "Q"


def pieces(table: list[Facts], reading: str, platforms: str) -> tuple[list[int], list[tuple[int, int, Fraction]]]:
    """The edges, and between each two of them whether it is unplanned, planned, and what share is lost in part."""
    edges = sorted({edge for one in table for edge in (one["start"], one["end"])})
    states = []
    for since, until in pairwise(edges):
        on = [one for one in table if one["start"] <= since and until <= one["end"]]
        letters = {classes(one, reading, platforms) for one in on}
        parts = [one for one in on if one["party"] == "orange" and one["subject"].startswith("platform:")]
        if platforms == "all_down" and together(parts):
            announced = all(one["planned"] and announced_in_time(one, 5, reading) for one in parts)
            letters.add("P" if announced else "U")
        lost = sum((Fraction(one["share"]) for one in on if classes(one, reading, platforms) == "Q"), start=Fraction(0))
        unplanned, planned = "U" in letters, "P" in letters and "U" not in letters
        states.append((int(unplanned), int(planned), Fraction(0) if unplanned or planned else min(Fraction(1), lost)))
    return edges, states


def together(parts: list[Facts]) -> bool:
    """Whether several platforms make up the whole; each share is written to half a hundredth."""
    shares: dict[str, float] = {}
    for one in parts:
        shares[one["subject"]] = max(float(one["share"]), shares.get(one["subject"], 0.0))
    return len(shares) > 1 and sum(shares.values()) >= 1 - 0.005 * len(shares)


class Sums:
    """Lost time before any instant, of each kind."""

    def __init__(self, edges: list[int], states: list[tuple[int, int, Fraction]]) -> None:
        self.edges, self.states, self.before = edges, [*states, (0, 0, Fraction(0))], [(0, 0, Fraction(0))]
        for place, state in enumerate(states):
            length = edges[place + 1] - edges[place]
            u, p, q = self.before[-1]
            self.before.append((u + state[0] * length, p + state[1] * length, q + state[2] * length))

    def until(self, us: int) -> tuple[int, int, Fraction]:
        place = bisect_right(self.edges, us) - 1
        if place < 0:
            return 0, 0, Fraction(0)
        (u, p, q), state, length = self.before[place], self.states[place], us - self.edges[place]
        return u + state[0] * length, p + state[1] * length, q + state[2] * length


def instants(table: list[Facts], start: int, end: int) -> list[int]:
    """Every instant at which a rolling year can be worst, and many more."""
    found = {start, end}
    for one in table:
        for edge in (one["start"], one["end"]):
            then = paris(edge)
            feb29 = (then.month, then.day) == (2, 29)
            for later in (0, 1):
                then_on = then.replace(year=then.year + later, day=28 if feb29 and later else then.day)
                found |= {
                    micros(then_on.replace(fold=fold)) + shift * HOUR for fold in (0, 1) for shift in (-1, 0, 1, 24)
                }
            found.add(edge)
    for year in range(paris(start).year - 1, paris(end).year + 1):
        changing = [(2, 28), (3, 1), *(last_sunday(year + back, month) for back in (-1, 0, 1) for month in (3, 10))]
        for month, day in changing:
            opens = micros(datetime(year, month, day, tzinfo=PARIS)) - DAY
            found |= {opens + hour * HOUR - before for hour in range(73) for before in (0, 1)}
    return sorted(at for at in found if start <= at <= end)


def last_sunday(year: int, month: int) -> tuple[int, int]:
    day = date(year, month, 31)
    return month, day.day - (day.weekday() + 1) % 7


def shares_lost(sums: Sums, since: int, at: int, over: int) -> dict[str, Fraction]:
    (u1, p1, q1), (u0, p0, q0) = sums.until(at), sums.until(since)
    u, p, q = u1 - u0, p1 - p0, q1 - q0
    return {
        "V1": Fraction(u, over),
        "V2": Fraction(u + p, over),
        "V3": Fraction(u, over - p) if over > p else Fraction(0),
        "V4": (u + q) / Fraction(over),
    }


def worst(table: list[Facts], period: tuple[int, int, int], reading: str, platforms: str) -> dict[str, Fraction]:
    """The largest share lost in any window that decides, for each variant."""
    start, end, known = period
    sums, found = Sums(*pieces(table, reading, platforms)), dict[str, Fraction]()
    for at, since in windows_of(tuple(instants(table, start, end))):
        if at <= known:
            continue
        length = at - since
        lost = shares_lost(sums, max(since, known), at, at - max(since, known))
        if since < known:
            down = sums.until(at)[0] - sums.until(known)[0]
            if down * 100 <= length:
                continue
            lost = shares_lost(sums, known, at, length)
        for name, share in lost.items():
            found[name] = max(found.get(name, Fraction(0)), share)
    return found or shares_lost(sums, known, end, end - known)


def windows_of(at: tuple[int, ...]) -> list[tuple[int, int]]:
    if at not in _KEPT:
        _KEPT.clear()
        _KEPT[at] = [(one, a_year_before(one)) for one in at]
    return _KEPT[at]


_KEPT: dict[tuple[int, ...], list[tuple[int, int]]] = {}


def longest(table: list[Facts], period: tuple[int, int, int], reading: str, platforms: str) -> int | None:
    """The longest stretch of total, unplanned down time that touches the period (us)."""
    edges, states = pieces(table, reading, platforms)
    stretches: list[list[int]] = []
    for place, (unplanned, _, _) in enumerate(states):
        if unplanned and stretches and stretches[-1][1] == edges[place]:
            stretches[-1][1] = edges[place + 1]
        elif unplanned:
            stretches.append([edges[place], edges[place + 1]])
    touching = [end - start for start, end in stretches if start < period[1] and end > period[0]]
    return max(touching, default=None)
