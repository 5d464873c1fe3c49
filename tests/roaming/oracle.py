"""One subscriber at a time, day after day, in plain Python with decimals: what the kernels must say as well.

Shares with them the contract, the scenario and the draws, and no other code.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import accumulate

from simbench.kernels.chance import draw, draw_with, entity_of, key_of, lognormal_table
from simbench.roaming.contract import RoamingContract
from simbench.roaming.scenario import Profile, RoamingScenario

NANO = Decimal("1e-9")
MONEY = ("overage", "data_surcharge", "voice_surcharge", "sms_surcharge", "wholesale")
SPACING = 2048  # between the entities of two subscribers


@dataclass
class Day:
    """The use of a subscriber on a day; `networks` contains "home", "abroad", both or neither."""

    networks: frozenset[str]
    home_octets: int = 0
    roam_octets: int = 0
    calls: int = 0
    call_s: int = 0
    sms: int = 0


@dataclass
class Person:
    """Who a subscriber is."""

    plan: str
    excused: bool = False
    consents: bool = False
    sim_periods: int = 0


@dataclass
class Fate:
    """The result of a subscriber: sums by name, the state of each day, and notices as (day, name)."""

    sums: Counter[str] = field(default_factory=Counter)
    euros: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(MONEY, Decimal(0)))
    states: list[str] = field(default_factory=list)
    served: list[int] = field(default_factory=list)
    notices: list[tuple[int, str]] = field(default_factory=list)


class World:
    """A scenario and a contract, worked out once."""

    def __init__(self, scenario: RoamingScenario, contract: RoamingContract) -> None:
        self.scenario, self.contract = scenario, contract
        first, length = scenario.population.starts, scenario.population.days
        self.dates = [first + timedelta(days=day) for day in range(length)]
        self.period = [_period(first, day) for day in self.dates]
        operator = scenario.operator
        self.prices = [self._prices(day, operator.price_share) for day in self.dates]
        self.costs = [self._prices(day, operator.wholesale_share) for day in self.dates]
        self.first_of = {period: self.dates[self.period.index(period)] for period in set(self.period)}
        self.laws = {name: Laws(profile, first) for name, profile in scenario.profiles.items()}

    def _prices(self, day: date, share: Decimal) -> tuple[Decimal, Decimal, Decimal]:
        """Euros a kilobyte, a second, an SMS, cut at the ninth decimal."""
        terms = self.contract.terms
        data = self.scenario.operator.cap_eur_per_gb or self.contract.cap("data", day).value
        kilobytes = Decimal(terms.envelope.gigabyte_octets.value) / terms.rating.data_step_octets.value
        exact = (
            data * share / kilobytes,
            self.contract.cap("voice", day).value * share / 60,
            self.contract.cap("sms", day).value * share,
        )
        return tuple(price.quantize(NANO, ROUND_DOWN) for price in exact)  # type: ignore[return-value]  # three of three

    def envelope(self, plan: str, period: int) -> int:
        """Octets, worked out in decimals with a margin for their last digit."""
        config, size = self.scenario.plans[plan], self.contract.terms.envelope.gigabyte_octets.value
        cap = self.scenario.operator.cap_eur_per_gb or self.contract.cap("data", self.first_of[period]).value
        net = config.price_eur / (1 + self.contract.vat_share(config.vat, self.scenario.population.starts))
        allowance = config.domestic_gb
        if allowance is not None and not config.prepaid and net >= allowance * cap - Decimal("1e-20"):
            return math.ceil(allowance * size)
        octets = math.ceil(net * (1 if config.prepaid else 2) / cap * size - Decimal("1e-12"))
        return octets if allowance is None else min(octets, math.ceil(allowance * size))

    def person(self, number: int) -> tuple[str, Person]:
        """The profile of a subscriber and who he is."""
        part = {
            name: (draw(self.scenario.seed, number, entity_of("roaming", name)) >> 32) * 10**6 >> 32
            for name in ("profile", "proof", "consent")
        }
        shares = list(accumulate(profile.share for profile in self.scenario.profiles.values()))
        place = sum(part["profile"] >= round(reached * 10**6) for reached in shares[:-1])
        name, profile = list(self.scenario.profiles.items())[place]
        excepted = self.scenario.operator.exceptions and profile.exception != ""
        excused = excepted and part["proof"] < round(profile.proves_share * 10**6)
        consents = part["consent"] < round(profile.consents_share * 10**6)
        return name, Person(profile.plan, excused, consents, profile.sim_periods)

    def life(self, number: int, name: str) -> list[Day]:
        """Return the use of a subscriber of a profile, from the same draws as for all."""
        laws, profile = self.laws[name], self.scenario.profiles[name]
        use, mood, trip = (key_of(self.scenario.seed, entity_of("roaming", what)) for what in ("use", "day", "trip"))
        away = laws.planned([draw_with(trip, number * SPACING + place) for place in range(len(profile.trips))])
        days, back, left = [], -1, -1
        for day, today in enumerate(self.dates):
            word, chance = draw_with(use, number * SPACING + day), draw_with(mood, number * SPACING + day)
            for begins, ends in away:
                if begins == day or (day == 0 and begins < 0 <= ends):
                    left, back = begins, ends
            if day > back and (chance >> 32) * 10**6 >> 32 < laws.departure:
                left, back = day, day + laws.between(chance, *profile.trip_days) - 1
            networks = laws.networks(day, left, back, today.weekday())
            if ((chance >> 16) % 65536) * 10**6 >> 16 < round(profile.silent_share * 10**6):
                networks = frozenset()
            days.append(laws.day(networks, word))
        return days

    def fate(self, person: Person, life: Sequence[Day]) -> Fate:
        """Follow one subscriber through his days."""
        fair, rating, spending = (getattr(self.contract.terms, name) for name in ("fair_use", "rating", "spending"))
        window = Balance(fair.observation_days.value, Decimal(str(fair.prevail_share.value)))
        fate, state, alerted_on = Fate(), "normal", 0
        account = Account()
        for day, done in enumerate(life):
            period = self.period[day]
            if day == 0 or period != self.period[day - 1]:
                account = Account(self.envelope(person.plan, period))
                if person.sim_periods and period % person.sim_periods == 0 and not self.scenario.operator.linked_sims:
                    window, state = Balance(window.days.maxlen or 0, window.share), "normal"
            prevailing = self.scenario.operator.fair_use and window.abroad_prevails()
            if prevailing and person.excused:
                fate.states.append("excused")
            else:
                if not prevailing:
                    state = "normal"
                elif state == "normal":
                    state, alerted_on = "alerted", day
                    fate.notices.append((day, "alert"))
                elif state == "alerted" and day >= alerted_on + fair.alert_days.value:
                    state = "surcharged"
                    fate.notices.append((day, "surcharge"))
                fate.states.append(state)
            voice_s = done.calls * _billed(done.call_s, rating.voice_first_s.value, rating.voice_step_s.value)
            served = 0
            if "abroad" in done.networks:
                limit = Decimal("Infinity") if person.consents else spending.limit_eur.value
                step, price = rating.data_step_octets.value, self.prices[day][0]
                served, money, free = account.data(done.roam_octets, state == "surcharged", price, limit, step)
                self._book(fate, day, state, done, (served, free, voice_s), money)
                warning = spending.limit_eur.value * Decimal(str(spending.warning_share.value))
                noticed = account.notices(warning, spending.limit_eur.value)
                fate.notices += [(day, name) for name in noticed]
            else:
                fate.sums.update(home_voice_s=done.calls * done.call_s, home_sms=done.sms)
            fate.sums.update(home_octets=done.home_octets)
            fate.served.append(served)
            window.add(self._presence(done), done.home_octets, served)
        return fate

    def _presence(self, done: Day) -> str:
        if len(done.networks) == 2:
            return "home" if self.contract.terms.fair_use.home_logon_counts.value else "abroad"
        return "".join(done.networks)

    def _book(self, fate: Fate, day: int, state: str, done: Day, amounts: tuple[int, int, int], money: Decimal) -> None:
        served, free, voice_s = amounts
        fate.sums.update(roam_octets=served, included_octets=free, blocked_octets=done.roam_octets - served)
        fate.sums.update(roam_days=1, roam_voice_s=voice_s, roam_sms=done.sms)
        data, voice, sms = self.costs[day]
        kilobytes = -(-served // self.contract.terms.rating.data_step_octets.value)
        fate.euros["wholesale"] += kilobytes * data + voice_s * voice + done.sms * sms
        if state == "surcharged":
            fate.euros["data_surcharge"] += money
            fate.euros["voice_surcharge"] += voice_s * self.prices[day][1]
            fate.euros["sms_surcharge"] += done.sms * self.prices[day][2]
        else:
            fate.euros["overage"] += money


class Balance:
    """Presence and consumption of the last days."""

    def __init__(self, days: int, share: Decimal) -> None:
        self.share = share
        self.days: deque[tuple[str, int, int]] = deque(maxlen=days)
        self.present: Counter[str] = Counter()
        self.home = self.abroad = 0

    def add(self, presence: str, home: int, abroad: int) -> None:
        """A day enters, and the oldest leaves a full window."""
        if len(self.days) == self.days.maxlen:
            was, gone_home, gone_abroad = self.days[0]
            self.present[was] -= 1
            self.home -= gone_home
            self.abroad -= gone_abroad
        self.days.append((presence, home, abroad))
        self.present[presence] += 1
        self.home += home
        self.abroad += abroad

    def abroad_prevails(self) -> bool:
        """Tell whether both prevail in a full window."""
        if len(self.days) < (self.days.maxlen or 0):
            return False
        here, away = self.present["home"], self.present["abroad"]
        return away > self.share * (here + away) and self.abroad > self.share * (self.home + self.abroad)


class Account:
    """One billing period of one subscriber."""

    def __init__(self, envelope: int = 0) -> None:
        self.left, self.spent, self.sent = envelope, Decimal(0), set[str]()
        self.blocked = self.beyond = False

    def data(
        self, octets: int, surcharged: bool, price: Decimal, limit: Decimal, step: int
    ) -> tuple[int, Decimal, int]:
        """Octets served, euros charged, octets taken from the envelope."""
        free = 0 if surcharged else min(octets, self.left)
        wanted = -(-(octets - free) // step)
        room = limit - self.spent
        charged = wanted if wanted * price <= room else int(room / price)
        self.left -= free
        self.spent += charged * price
        served = min(octets, free + charged * step)
        self.blocked, self.beyond = served < octets, octets > free and not surcharged
        return served, charged * price, free

    def notices(self, warning: Decimal, limit: Decimal) -> list[str]:
        """The notices that the day's data called for, each once."""
        due = [
            ("exhausted", self.beyond),
            ("warning", self.blocked or self.spent >= warning),
            ("limit", self.blocked or self.spent >= limit),
        ]
        reported = [name for name, holds in due if holds and name not in self.sent]
        self.sent.update(reported)
        return reported


class Laws:
    """A profile's tables, and how a day comes out of them."""

    def __init__(self, profile: Profile, first: date) -> None:
        self.profile = profile
        self.starts = [(trip.departs - first).days for trip in profile.trips]
        self.departure = round(10**6 * min(profile.trips_per_year / 365.25, 1))
        volumes = (profile.home_mb * 10**6, profile.roam_mb * 10**6, profile.call_s)
        self.home, self.roam, self.call_s = (lognormal_table(round(volume), profile.sigma) for volume in volumes)
        self.calls, self.sms = _poisson(profile.calls_per_day), _poisson(profile.sms_per_day)

    @staticmethod
    def between(drawn: int, low: int, high: int) -> int:
        return low + (drawn % 65536) * (high - low + 1) // 65536

    def planned(self, drawn: list[int]) -> list[tuple[int, int]]:
        trips = []
        for start, word, trip in zip(self.starts, drawn, self.profile.trips, strict=True):
            begins = start + self.between(word, 0, trip.spread_days)
            trips.append((begins, begins + self.between(word >> 16, *trip.days) - 1))
        return trips

    def networks(self, day: int, left: int, back: int, weekday: int) -> frozenset[str]:
        if left <= day <= back:
            return frozenset({"home", "abroad"} if day in {left, back} else {"abroad"})
        commutes = self.profile.commutes and weekday < 5
        return frozenset({"home", "abroad"} if commutes else {"home"})

    def day(self, networks: frozenset[str], word: int) -> Day:
        home, roam, calls, call_s, sms = (word // 1024**place % 1024 for place in range(5))
        if not networks:
            return Day(networks)
        return Day(
            networks,
            self.home[home] if "home" in networks else 0,
            self.roam[roam] if "abroad" in networks else 0,
            self.calls[calls],
            self.call_s[call_s],
            self.sms[sms],
        )


def _billed(seconds: int, first_s: int, step_s: int) -> int:
    if seconds == 0:
        return 0
    return first_s + math.ceil(max(seconds - first_s, 0) / step_s) * step_s


def _poisson(mean: float) -> list[int]:
    found, value = [], 0
    for place in range(1024):
        while sum(mean**k / math.factorial(k) for k in range(value + 1)) * math.exp(-mean) < (place + 0.5) / 1024:
            value += 1
        found.append(value)
    return found


def _period(first: date, day: date) -> int:
    months = (day.year - first.year) * 12 + day.month - first.month
    last = (date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(days=1)).day
    return months if day.day >= min(first.day, last) else months - 1
