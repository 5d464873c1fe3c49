"""The offer NetRevenu as typed data, and its tariff functions in exact arithmetic.

Amounts are exact decimals; `rounded` rounds them by the term `money.smallest`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar

import msgspec

from simbench.base.calendar import Calendar
from simbench.base.errors import BadInput
from simbench.base.toml_files import Frozen, Mistake, choice, shown
from simbench.contract.engine import ContractFile, Schema, digest_of, load
from simbench.contract.term import Ambiguity, Count, Hour, Natural, Term, TermGroups, Word
from simbench.contract.terms import CalendarTerms
from simbench.dialup.tariff_functions import Function, marginal_share, power_share, slab_share

DEFAULT_OFFER = "netrevenu_2000"

Weights = Annotated[tuple[Natural, ...], msgspec.Meta(min_length=48, max_length=48)]
Bound = Literal["operator", "provider", "access-server", "radius-server"]


class Points(Frozen, frozen=True):
    """The two published points: whole minutes per month, whole francs."""

    first_minutes: Term[Count]
    first_share_ff: Term[Count]
    second_minutes: Term[Count]
    second_share_over_ff: Term[Count]


class Money(Frozen, frozen=True):
    """The fixed rate between franc and euro, and the smallest amount."""

    ff_per_eur: Term[Decimal]
    smallest: Term[Decimal]


class Hours(Frozen, frozen=True):
    """The peak hours of a working day, in civil time."""

    peak_from_h: Term[Hour]
    peak_to_h: Term[Hour]


class Records(Frozen, frozen=True):
    """The limits of a call record."""

    longest_h: Term[Count]

    @property
    def longest_s(self) -> int:
        """The longest duration of a call, in seconds."""
        return self.longest_h.value * 3600


class Accounting(Frozen, frozen=True):
    """The requirements on accounting: tolerance of clocks, and number of retransmissions of a request."""

    clock_tolerance_s: Term[Count]
    retransmissions: Term[Natural]


class Demand(Frozen, frozen=True):
    """Calls of subscribers: time per month, laws of session durations, arrivals by half-hour of three kinds of day."""

    hours_per_subscriber: Term[Count]
    short_share: Term[Decimal]
    short_median_s: Term[Count]
    short_sigma: Term[Decimal]
    long_mean_s: Term[Count]
    long_sigma: Term[Decimal]
    pareto_from_s: Term[Count]
    pareto_alpha: Term[Decimal]
    cap_s: Term[Count]
    working_day: Term[Weights]
    saturday: Term[Weights]
    sunday: Term[Weights]


class Redial(Frozen, frozen=True):
    """The behaviour of a blocked user."""

    persistence: Term[Decimal]
    delay_mean_s: Term[Count]
    most_tries: Term[Count]


class OfferTerms(TermGroups, frozen=True):
    """Every number of the offer, by group."""

    points: Points
    money: Money
    hours: Hours
    calendar: CalendarTerms
    records: Records
    accounting: Accounting
    demand: Demand
    redial: Redial


class Retail(Frozen, frozen=True):
    """The price of a local call from a day on, with VAT: `credit_s` at one price, then by the minute."""

    since: date
    credit_ff: Decimal
    credit_s: Natural
    peak_ff_per_min: Decimal
    off_peak_ff_per_min: Decimal
    source: str


class Vat(Frozen, frozen=True):
    """The rate of VAT from a day on."""

    since: date
    share: Decimal
    source: str


class NrvClause(Frozen, frozen=True):
    """One promise of the offer, or an assumption of its settlement. `bound` is the obliged party: the operator pays the
    provider, whose access servers account for calls to its RADIUS server.
    """

    gist: str
    key_term: str
    bound: tuple[Bound, ...]
    strength: Literal["must", "should", "may", "info"]
    source: str
    check: str
    verified_by: tuple[Word, ...] = ()


class OfferFile(ContractFile, frozen=True, kw_only=True):
    """The top level of an offer's file, overlays merged."""

    terms: OfferTerms
    functions: dict[str, Function]
    retail: tuple[Retail, ...]
    vat: tuple[Vat, ...]
    ambiguities: dict[str, Ambiguity]
    clauses: dict[str, NrvClause]


class Offer(OfferFile, frozen=True, kw_only=True):
    """The offer as loaded; `digest` identifies its content, readings included (16 hexadecimal digits)."""

    name: str
    digest: str

    @property
    def calendar(self) -> Calendar:
        """Civil time and holidays of the offer."""
        return self.terms.calendar.calendar

    def ambiguity_id(self, topic: str) -> str:
        """Return the offer's name for the ambiguity on a topic; other words, such as a name, are returned unchanged."""
        return self.topics.get(topic, topic)

    def reading(self, topic: str) -> str:
        """Give the key of the reading in force for an ambiguity of the offer, by topic or name."""
        ambiguity = self.ambiguities[self.ambiguity_id(topic)]
        return ambiguity.reading or ambiguity.default

    def with_readings(self, readings: Mapping[str, str]) -> Offer:
        """Give the offer with other readings; BadInput names an ambiguity or reading there is not."""
        ambiguities = dict(self.ambiguities)
        for topic, reading in readings.items():
            name = self.ambiguity_id(topic)
            if name not in ambiguities:
                raise BadInput(f"reading {shown(name)}", "no such ambiguity", choice(name, ambiguities))
            if reading not in ambiguities[name].readings:
                raise BadInput(f"reading {name}", f"is {shown(reading)}", choice(reading, ambiguities[name].readings))
            ambiguities[name] = msgspec.structs.replace(ambiguities[name], reading=reading)
        changed = msgspec.structs.replace(self, ambiguities=ambiguities)
        return msgspec.structs.replace(changed, digest=digest_of(changed))

    def assumed(self, *names: str) -> tuple[str, ...]:
        """Return those of the given terms and ambiguities that are assumptions, by the offer's names."""
        known: dict[str, Any] = self.terms.by_name() | self.ambiguities
        return tuple(name for name in map(self.ambiguity_id, names) if known[name].status == "assumption")

    def function(self, name: str = "") -> Function:
        """Return a tariff function by name, "" for the one in force (NRV-AMB-01).

        Raises BadInput for an unknown name.
        """
        name = name or self.reading("tariff-function")
        if name not in self.functions:
            raise BadInput(f"tariff function {shown(name)}", "no such function", choice(name, self.functions))
        return self.functions[name]

    def share_ff(self, minutes: int, name: str = "") -> Decimal:
        """Return the gross share of a month's whole minutes in FF, rounded by `money.smallest`."""
        function = self.function(name)
        if minutes < 0:
            raise BadInput("minutes", f"is {minutes}", "0 or more")
        if function.kind == "power":
            points = self.terms.points
            base = (points.first_minutes.value, points.first_share_ff.value)
            return power_share(minutes, base, function.exponent, self.terms.money.smallest.value)
        exact = marginal_share if function.kind == "marginal" else slab_share
        return self.rounded(exact(minutes, function.rates))

    def rounded(self, amount: Decimal) -> Decimal:
        """Round an amount of money: to the smallest amount, halves away from zero."""
        with localcontext() as context:
            context.prec = 60
            return amount.quantize(self.terms.money.smallest.value, ROUND_HALF_UP)

    def eur(self, ff: Decimal) -> Decimal:
        """Convert an amount in francs: divided by the full fixed rate, then rounded."""
        with localcontext() as context:
            context.prec = 60
            return self.rounded(ff / self.terms.money.ff_per_eur.value)

    def vat_on(self, day: date) -> Decimal:
        """Give the rate of VAT in force on a day. BadInput before the first one known."""
        return _in_force(self.vat, day, "VAT").share

    def retail_on(self, day: date) -> Retail:
        """Give the retail tariff in force on a day. BadInput before the first one known."""
        return _in_force(self.retail, day, "retail tariff")


@lru_cache(maxsize=8)
def load_netrevenu(name_or_path: str | Path = DEFAULT_OFFER) -> Offer:
    """Load the built-in offer by name, or a file of the same shape or an overlay by path. Raises ContractError."""
    loaded = load(DIALUP, name_or_path)
    return Offer(name=loaded.name, digest=loaded.digest, **msgspec.structs.asdict(loaded.content))


def _contradictions(file: OfferFile) -> Iterator[Mistake]:
    """Yield contradictions: dates that do not increase, a peak that ends too early, a reading without a function."""
    series: tuple[tuple[str, Sequence[_Dated]], ...] = (("retail", file.retail), ("vat", file.vat))
    for table, entries in series:
        days = [entry.since for entry in entries]
        if not days or days != sorted(set(days)):
            yield Mistake((table,), "dates do not increase", "one entry a date, in order")
    hours = file.terms.hours
    if hours.peak_from_h.value >= hours.peak_to_h.value:
        yield Mistake(("terms", "hours"), "the peak ends before it begins")
    question = file.ambiguities.get(file.topics.get(FUNCTIONS, ""))
    for reading in question.readings if question else ():
        if reading not in file.functions:
            yield Mistake(("functions", reading), "is missing", "a function for each reading")


FUNCTIONS: Final = "tariff-function"
READINGS: Final = (FUNCTIONS, "minute-count", "month-of-call", "holiday-hours", "share-vat", "retail-unit")
"""The topics of the ambiguities that affect calculations."""

DIALUP: Final = Schema("dialup", OfferFile, _contradictions, READINGS)


class _Dated(Protocol):
    @property
    def since(self) -> date: ...


D = TypeVar("D", bound=_Dated)


def _in_force(entries: Sequence[D], day: date, what: str) -> D:
    place = bisect_right([entry.since for entry in entries], day) - 1
    if place < 0:
        raise BadInput(f"{what} on {day}", "is not known", f"a day from {entries[0].since} on")
    return entries[place]
