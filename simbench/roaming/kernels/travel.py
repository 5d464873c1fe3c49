"""Location and use of subscribers by day, drawn from the tables of their profiles.

Every draw is a function of seed, subscriber and day, so that a subscriber does the same in any chunk of a population.
Figures are computed from draws in integer arithmetic only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simbench.kernels.chance import draw_with
from simbench.kernels.jit import kernel
from simbench.roaming.kernels.fair_use import ABROAD, AT_HOME, Use

ENTRIES = 1024  # of a quantile table: ten bits of a draw select one
DAYS_MOST = 2048  # distance between the entities of two subscribers
MILLION = 1_000_000


class Profiles(NamedTuple):
    """The behaviour of profiles as tables: laws are (profiles, ENTRIES), chances of a million, trips (profiles, trips).

    A fixed trip departs on day `departs` plus up to `spread` days, which may be before the run, and lasts `shortest` to
    `longest` days. A random trip begins on any day at home with chance `departure` and lasts `short` to `long` days.
    """

    home_octets: np.ndarray
    roam_octets: np.ndarray
    calls: np.ndarray
    call_s: np.ndarray
    sms: np.ndarray
    departure: np.ndarray
    short: np.ndarray
    long: np.ndarray
    silent: np.ndarray
    commutes: np.ndarray
    departs: np.ndarray
    spread: np.ndarray
    shortest: np.ndarray
    longest: np.ndarray


class Keys(NamedTuple):
    """Keys of the draws (`chance.key_of`): what is used, how the day goes, and trips."""

    use: int
    day: int
    trip: int


def within(drawn: int, low: int, high: int) -> int:
    """Return an integer from low to high, both included, by 16 bits of a draw."""
    return low + int(np.int64(drawn & 0xFFFF) * (high - low + 1) >> 16)


@kernel
def parts(key: int, entities: np.ndarray) -> np.ndarray:
    """Return a uniform number from 0 to 999,999 for each entity."""
    found = np.empty(len(entities), np.int64)
    for place in range(len(entities)):
        found[place] = np.int64(draw_with(key, entities[place]) >> 32) * MILLION >> 32
    return found


@kernel
def travel(
    keys: Keys, entities: np.ndarray, profile: np.ndarray, weekdays: np.ndarray, laws: Profiles, use: Use
) -> int:
    """Fill in the use of each subscriber on each day; `entities` are (subscribers, days), weekday 0 is Monday.

    The first and the last day of a trip are also spent in the home network, and so is every day of a commuter.
    """
    subscribers, length = use.place.shape
    fixed = laws.departs.shape[1]
    begins, ends = np.empty(fixed, np.int64), np.empty(fixed, np.int64)
    for one in range(subscribers):
        kind = profile[one]
        first, last = -1, -1  # days of the current trip
        for trip in range(fixed):
            drawn = draw_with(keys.trip, entities[one, trip])
            begins[trip] = laws.departs[kind, trip] + within(drawn, 0, laws.spread[kind, trip])
            lasts = within(drawn >> 16, laws.shortest[kind, trip], laws.longest[kind, trip])
            ends[trip] = begins[trip] + lasts - 1
            if begins[trip] < 0 <= ends[trip]:
                first, last = begins[trip], ends[trip]
        for day in range(length):
            word, mood = draw_with(keys.use, entities[one, day]), draw_with(keys.day, entities[one, day])
            for trip in range(fixed):
                if begins[trip] == day:
                    first, last = day, ends[trip]
            if day > last and np.int64(mood >> 32) * MILLION >> 32 < laws.departure[kind]:
                first, last = day, day + within(mood, laws.short[kind], laws.long[kind]) - 1
            away = day <= last
            commute = laws.commutes[kind] and weekdays[day] < 5 and not away
            place = AT_HOME
            if commute or (away and day in (first, last)):
                place = AT_HOME + ABROAD
            elif away:
                place = ABROAD
            if np.int64((mood >> 16) & 0xFFFF) * MILLION >> 16 < laws.silent[kind]:
                place = 0
            use.place[one, day] = place
            use.home_octets[one, day] = laws.home_octets[kind, np.int64(word & 1023)] if place & AT_HOME else 0
            use.roam_octets[one, day] = laws.roam_octets[kind, np.int64(word >> 10 & 1023)] if place & ABROAD else 0
            use.calls[one, day] = laws.calls[kind, np.int64(word >> 20 & 1023)] if place else 0
            use.call_s[one, day] = laws.call_s[kind, np.int64(word >> 30 & 1023)] if place else 0
            use.sms[one, day] = laws.sms[kind, np.int64(word >> 40 & 1023)] if place else 0
    return int(subscribers * length)
