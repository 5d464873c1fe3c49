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


MONTHS_OF = {"month": 1, "quarter": 3, "year": 12}


def calendar_period(us: int, months: int) -> tuple[int, int]:
    """The calendar period that ends at an instant, or holds what is just before it."""
    then = paris(us - 1)
    first = (then.month - 1) // months * months
    ends = then.year * 12 + first + months
    opens = datetime(then.year, first + 1, 1, tzinfo=PARIS)
    return micros(opens), micros(datetime(ends // 12, ends % 12 + 1, 1, tzinfo=PARIS))


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


def is_planned(one: Facts, reading: str, since: int) -> bool:
    """Tell whether an interruption from an instant on was announced in time; an overrun was not."""
    if not one["planned"] or not announced_in_time(one, 5, reading):
        return False
    until = one["announced_end"]
    return bool(until is None or until <= one["start"] or since < until)


def classes(one: Facts, reading: str, platforms: str, since: int) -> str:
    """The letter of the class of what lasts from an instant on: U, P, Q, or nothing."""
    if one["party"] != "orange":
        return ""
    whole = one["scope"] == "total" or (platforms == "any_down" and one["subject"].startswith("platform"))
    if is_planned(one, reading, since):
        return "P" if whole else ""
    return "U" if whole else "Q"


def pieces(table: list[Facts], reading: str, platforms: str) -> tuple[list[int], list[tuple[int, int, Fraction]]]:
    """The edges, and between each two of them whether it is unplanned, planned, and what share is lost in part."""
    edges = sorted({
        edge for one in table for edge in (one["start"], one["end"], one["announced_end"])
        if edge is not None and one["start"] <= edge <= one["end"]
    })  # fmt: skip
    states = []
    for since, until in pairwise(edges):
        on = [one for one in table if one["start"] <= since and until <= one["end"]]
        letters = {classes(one, reading, platforms, since) for one in on}
        parts = [one for one in on if one["party"] == "orange" and one["subject"].startswith("platform:")]
        if platforms == "all_down" and together(parts):
            announced = all(is_planned(one, reading, since) for one in parts)
            letters.add("P" if announced else "U")
        lost = sum(
            (Fraction(one["share"]) for one in on if classes(one, reading, platforms, since) == "Q"), start=Fraction(0)
        )
        unplanned, planned = "U" in letters, "P" in letters and "U" not in letters
        states.append((int(unplanned), int(planned), Fraction(0) if unplanned or planned else min(Fraction(1), lost)))
    return edges, states


def together(parts: list[Facts]) -> bool:
    """Tell whether the shares of several platforms add up to 1; each share is written to half a hundredth."""
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
        for edge in (one["start"], one["end"], one["announced_end"] or one["end"]):
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
    for month in range(1, 13):
        found |= {
            micros(datetime(year, month, 1, tzinfo=PARIS)) for year in range(paris(start).year, paris(end).year + 1)
        }
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


def worst(
    table: list[Facts], period: tuple[int, int, int], reading: str, platforms: str, window: str = "rolling",
    formula: str = "V1",
) -> dict[str, Fraction]:  # fmt: skip
    """The largest share lost in any window that decides, for each variant; `formula` is the contract's variant."""
    start, end, known = period
    sums, found = Sums(*pieces(table, reading, platforms)), dict[str, Fraction]()
    for at, since, until in windows_of(tuple(instants(table, start, end)), window):
        if at <= known:
            continue
        begun = max(since, known)
        lost = shares_lost(sums, begun, at, at - begun)
        if since < known or at < until:  # not whole, or not wholly known
            lost = shares_lost(sums, begun, at, until - since)
            if lost[formula] * 100 <= 1:
                continue
        for name, share in lost.items():
            found[name] = max(found.get(name, Fraction(0)), share)
    if found:
        return found
    (_, since, _), *_ = windows_of((end,), window)
    return shares_lost(sums, max(since, known), end, end - max(since, known))


def windows_of(at: tuple[int, ...], window: str) -> list[tuple[int, int, int]]:
    """Each instant with the begin and the end of its window."""
    if (at, window) not in _KEPT:
        _KEPT.clear()
        if window == "rolling":
            _KEPT[at, window] = [(one, a_year_before(one), one) for one in at]
        else:
            _KEPT[at, window] = [(one, *calendar_period(one, MONTHS_OF[window])) for one in at]
    return _KEPT[at, window]


_KEPT: dict[tuple[tuple[int, ...], str], list[tuple[int, int, int]]] = {}


def longest(
    table: list[Facts], period: tuple[int, int, int], reading: str, platforms: str, *, from_ticket: bool = False
) -> int | None:
    """The longest total, unplanned down time without a gap that touches the period (us), from its begin or ticket."""
    edges, states = pieces(table, reading, platforms)
    stretches: list[list[int]] = []
    for place, (unplanned, _, _) in enumerate(states):
        if unplanned and stretches and stretches[-1][1] == edges[place]:
            stretches[-1][1] = edges[place + 1]
        elif unplanned:
            stretches.append([edges[place], edges[place + 1]])
    touching = [(start, end) for start, end in stretches if start < period[1] and end > period[0]]
    if not from_ticket:
        return max((end - start for start, end in touching), default=None)
    first = {
        start: min(ticket for began, ticket in ticketed(table, reading, platforms) if start <= began < end)
        for start, end in touching
    }
    return max((end - first[start] for start, end in touching), default=None)


def ticketed(table: list[Facts], reading: str, platforms: str) -> list[tuple[int, int]]:
    """Return when each total, unplanned outage began and when its ticket was opened (default: its start)."""
    found = []
    edges = sorted({edge for one in table for edge in (one["start"], one["end"], one["announced_end"]) if edge})
    for one in table:
        begins = one["start"]
        if is_planned(one, reading, begins):
            begins = one["announced_end"] or one["end"]
        if begins < one["end"] and classes(one, reading, platforms, begins) == "U":
            found.append((begins, max(begins, one["noticed"] or begins)))
    before: list[Facts] = []
    for at in edges if platforms == "all_down" else ():
        parts = [
            one for one in table
            if one["party"] == "orange" and one["scope"] == "partial" and one["subject"].startswith("platform:")
            and one["start"] <= at < one["end"]
        ]  # fmt: skip
        changed = parts != before or any(one["announced_end"] == at for one in parts)
        if changed and together(parts) and not all(is_planned(one, reading, at) for one in parts):
            found.append((at, max([at, *(one["noticed"] for one in parts if one["noticed"])])))
        before = parts
    return found
