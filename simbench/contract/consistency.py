"""Finds values of a push-SMS contract that are well typed but contradict each other, such as overlapping bands."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from simbench.base.calendar import countries
from simbench.base.toml_files import Keys, Mistake, choice, dotted, shown
from simbench.contract.plan import wrong_ranges
from simbench.contract.sms import FIGURE, Role, SmsFile
from simbench.contract.terms import TariffRow, Terms
from simbench.rulebook import is_former

TOKEN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")  # as in tables of subscribers
TAKEN: Final = (
    "client", "unknown", "none", "other", "other-operator", "ported-out", "m2m", "malformed", "fixed",
    "overseas", "foreign",
)  # fmt: skip
BANDED: Final = ("code_month", "range_month")  # charges whose price may depend on the number of codes
ONCE: Final[tuple[Role, ...]] = ("operator", "client")


def contradictions(file: SmsFile) -> Iterator[Mistake]:
    """Yield every contradiction, parties and clauses first."""
    yield from _parties(file)
    if file.compensation and file.compensation not in file.clauses:
        problem = f"unknown clause: {shown(file.compensation)}"
        yield Mistake(("compensation",), problem, choice(file.compensation, file.clauses))
    yield from _figures(file)
    yield from _tiers(file.terms)
    yield from _ranges(file.terms)
    yield from _bands(file.terms.tariff)
    yield from _row_clauses(file.terms)
    yield from _hours(file.terms)
    for name, holds, expected in _RELATIONS:
        if not holds(file.terms):
            value = file.terms.by_name()[name].value
            yield Mistake(("terms", *name.split("."), "value"), f"is {shown(value)}", expected)
    yield from wrong_ranges(file.numbering_plan)
    yield from _plan(file)
    zone = file.terms.calendar.zone.value
    if not _is_zone(zone):
        yield Mistake(
            ("terms", "calendar", "zone", "value"), f"is {shown(zone)}", choice(zone, sorted(available_timezones()))
        )


def _plan(file: SmsFile) -> Iterator[Mistake]:
    """Find a numbering plan of another country, and an operator whose key has another meaning."""
    country, planned = file.terms.calendar.country.value, file.numbering_plan.country
    if planned and planned != country:
        problem = f"is the plan of {planned}, while terms.calendar.country is {shown(country)}"
        yield Mistake(("numbering_plan",), problem, '"invented", or a file with the numbers of that country')
    for key, party in file.parties.items():
        if party.role == "operator" and not TOKEN.fullmatch(key):
            yield Mistake(
                ("parties", key), "is not a valid key for an operator", "lower-case letters, digits and hyphens"
            )
        elif party.role == "operator" and key in TAKEN:
            yield Mistake(("parties", key), "has another meaning in ledgers", f"none of {', '.join(TAKEN)}")


def unknown_country(file: SmsFile) -> Iterator[Mistake]:
    """Yield a country or region whose public holidays are unknown; slow, as it loads those of every country."""
    calendar, known = file.terms.calendar, countries()
    country, region = calendar.country.value, calendar.region.value
    if country not in known:
        yield Mistake(
            ("terms", "calendar", "country", "value"), f"is {shown(country)}", choice(country, _alike(country, known))
        )
    elif region and region not in known[country]:
        expected = choice(region, known[country])
        yield Mistake(("terms", "calendar", "region", "value"), f"is {shown(region)}", expected)


def _alike(country: str, known: Collection[str]) -> list[str]:
    """Sort countries, those with the same first letter first."""
    return sorted(known, key=lambda one: (one[:1] != country[:1], one))


def unknown_purposes(file: SmsFile, purposes: Collection[str]) -> Iterator[Mistake]:
    """Yield purposes named by a clause for which there is no rule."""
    for name, clause in file.clauses.items():
        for place, purpose in enumerate(clause.verified_by):
            if purpose not in purposes and not is_former(purpose):
                where: Keys = ("clauses", name, "verified_by", place)
                yield Mistake(where, f"no such purpose: {shown(purpose)}", choice(purpose, purposes))


def _parties(file: SmsFile) -> Iterator[Mistake]:
    roles = [party.role for party in file.parties.values()]
    for role in ONCE:
        if roles.count(role) != 1:
            yield Mistake(("parties",), f"has {roles.count(role)} of role {role}", "one")
    for name, clause in file.clauses.items():
        for place, party in enumerate(clause.bound):
            if party not in file.parties:
                where: Keys = ("clauses", name, "bound", place)
                yield Mistake(where, f"is {shown(party)}", choice(party, file.parties))
        if not clause.verified_by and not clause.not_verified:
            expected = "verified_by, a list of purposes, or not_verified, the reason why there are none"
            yield Mistake(("clauses", name), "has neither verified_by nor not_verified", expected)


def _figures(file: SmsFile) -> Iterator[Mistake]:
    """Find names of figures in sentences that are not terms."""
    known = file.terms.by_name()
    for name, clause in file.clauses.items():
        for key in ("gist", "key_term", "check"):
            for figure in FIGURE.findall(getattr(clause, key)):
                if figure not in known:
                    yield Mistake(
                        ("clauses", name, key), f"names {{{figure}}}, which is not a term", choice(figure, known)
                    )


def _tiers(terms: Terms) -> Iterator[Mistake]:
    place: Keys = ("terms", "throughput", "tiers")
    throughput = terms.throughput
    for number, tier in enumerate(throughput.tiers):
        if tier.value in throughput.rates[:number]:
            yield Mistake((*place, number, "value"), f"is {tier.value}, which another tier has", "each rate once")
        elif number and tier.value < throughput.rates[number - 1]:
            yield Mistake((*place, number, "value"), f"is {tier.value}", "rates in ascending order")
        if tier.price is None and not tier.by_quotation:
            yield Mistake((*place, number, "price"), "is missing", "an amount, or by_quotation = true")
    if throughput.default_per_s.value not in throughput.rates:
        problem, expected = f"is {throughput.default_per_s.value}", f"one of the tiers {throughput.rates}"
        yield Mistake(("terms", "throughput", "default_per_s", "value"), problem, expected)


def _ranges(terms: Terms) -> Iterator[Mistake]:
    digits, seen = terms.numbering.code_digits.value, set[str]()
    if not terms.numbering.ranges:
        yield Mistake(("terms", "numbering", "ranges"), "is empty", "the first digits of at least one range")
    for number, one in enumerate(terms.numbering.ranges):
        where: Keys = ("terms", "numbering", "ranges", number, "value")
        if not (one.value.isascii() and one.value.isdigit()):
            yield Mistake(where, f"is {shown(one.value)}, which no code can begin with", "digits")
        elif len(one.value) >= digits:
            yield Mistake(where, f"is {shown(one.value)}, which no code can have", f"fewer than {digits} digits")
        elif one.value in seen:
            yield Mistake(where, f"is {shown(one.value)}, which another range has", "each range once")
        seen.add(one.value)


def _bands(tariff: dict[str, TariffRow]) -> Iterator[Mistake]:
    """Find bands of one charge that overlap, leave a gap or end before they begin."""
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[str, TariffRow]]] = {}
    for name, row in tariff.items():
        if row.last is not None and row.last < row.first:
            yield Mistake(("terms", "tariff", name, "last"), f"is {row.last}", f"at least {row.first}, `first`")
        if row.charge == "range_month" and not row.uses:
            yield Mistake(("terms", "tariff", name, "uses"), "is missing", "the uses of the ranges the price is for")
        if row.charge in BANDED:
            groups.setdefault((row.charge, row.uses), []).append((name, row))
        elif row.first > 1 or row.last is not None:
            key, value = ("first", row.first) if row.first > 1 else ("last", row.last)
            yield Mistake(
                ("terms", "tariff", name, key),
                f'is {value}, but the charge "{row.charge}" has one price',
                "no band; only the charges code_month and range_month have bands of codes",
            )
    for rows in groups.values():
        rows.sort(key=lambda named: named[1].first)
        for (low_name, low), (name, row) in pairwise(rows):
            where: Keys = ("terms", "tariff", name, "first")
            if low.last is None or row.first <= low.last:
                yield Mistake(where, f"is {row.first}: the band overlaps that of {low_name}", _after(low))
            elif row.first > low.last + 1:
                yield Mistake(where, f"is {row.first}: no price between this and {low_name}", _after(low))


def _row_clauses(terms: Terms) -> Iterator[Mistake]:
    """Find two prices with one clause, for which the line of a bill would be ambiguous."""
    places: list[tuple[Keys, str]] = [
        (("terms", "throughput", "tiers", number, "clause"), tier.clause)
        for number, tier in enumerate(terms.throughput.tiers)
    ]
    places += [(("terms", "tariff", name, "clause"), row.clause) for name, row in terms.tariff.items()]
    seen: dict[str, Keys] = {}
    for keys, clause in places:
        if clause in seen:
            problem = f"is {shown(clause)}, which is also the clause of {dotted(seen[clause][1:-1])}"
            yield Mistake(keys, problem, "a different clause for each price, because bills name their lines by it")
        seen.setdefault(clause, keys)


def _after(low: TariffRow) -> str:
    return "a last code of the band before" if low.last is None else str(low.last + 1)


def _hours(terms: Terms) -> Iterator[Mistake]:
    for traffic_class, hours in terms.hours.items():
        if hours.opens_min >= hours.closes_min:
            keys: Keys = ("terms", "hours", traffic_class, "opens_at_h", "value")
            expected = f"earlier than {dotted(('hours', traffic_class, 'closes_at_h'))}"
            yield Mistake(keys, f"is {shown(hours.opens_at_h.value)}", expected)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # an unknown zone, or an invalid name
        return False
    return True


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


_RELATIONS: tuple[tuple[str, Callable[[Terms], bool], str], ...] = (
    ("session.window", lambda t: t.session.window.value <= t.session.window_max.value, "at most session.window_max"),
    ("session.window_max", lambda t: t.session.window_max.value <= 100, "at most 100, the number of TRNs"),
    (
        "delivery.validity_default_h",
        lambda t: t.delivery.validity_default_h.value <= t.delivery.validity_max_h.value,
        "at most delivery.validity_max_h",
    ),
    ("numbering.code_digits", lambda t: t.numbering.code_digits.value <= 16, "at most 16, the digits of an address"),
    ("numbering.oadc_alpha_pattern", lambda t: _compiles(t.numbering.oadc_alpha_pattern.value), "a regular expression"),
    ("money.vat_share", lambda t: t.money.vat_share.value < 1, "a share below 1"),
)
