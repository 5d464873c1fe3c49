"""The roaming contract: wholesale caps by date, fair-use figures, VAT; typed, with their sources.

The values come from `roaming_eu.toml` or from a file of the user's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import Frozen, Mistake, choice, shown
from simbench.contract.engine import ContractFile, Schema, load
from simbench.contract.term import Count, Share, Term, TermGroups, Word

DEFAULT: Final = "roaming_eu"
Service = Literal["data", "voice", "sms"]


class Cap(Term[Decimal], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cap of the wholesale price in euros before VAT, in force from `since` until the next one."""

    since: date


class VatShare(Term[Decimal], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The standard rate of VAT of a country, in force from `since` until the next one."""

    since: date = date.min


Caps = Annotated[tuple[Cap, ...], msgspec.Meta(min_length=1, max_length=100)]


class CapTables(Frozen, frozen=True):
    """The caps of each service, oldest first, and their last day."""

    last_day: Term[date]
    data: Caps
    voice: Caps
    sms: Caps


class EnvelopeTerms(Frozen, frozen=True):
    """The terms of the minimum roaming volume."""

    factor: Term[Count]
    prepaid_factor: Term[Count]
    article_step_gb: Term[Decimal]
    gigabyte_octets: Term[Annotated[int, msgspec.Meta(ge=1_000_000_000, le=1 << 30)]]


class FairUseTerms(Frozen, frozen=True):
    """The limits of fair use, and the conditions of a surcharge."""

    observation_months: Term[Count]
    observation_days: Term[Annotated[int, msgspec.Meta(ge=1, le=1000)]]
    prevail_share: Term[Share]
    alert_days: Term[Count]
    home_logon_counts: Term[bool]


class RatingTerms(Frozen, frozen=True):
    """The counting of calls and data before pricing."""

    voice_first_s: Term[Count]
    voice_step_s: Term[Count]
    data_step_octets: Term[Count]


class SpendingTerms(Frozen, frozen=True):
    """The spending limit of roaming data in a billing period, before VAT, and its warning."""

    limit_eur: Term[Decimal]
    warning_share: Term[Share]


class RoamingTerms(TermGroups, frozen=True):
    """Every number of the roaming contract, by group; VAT shares by country."""

    caps: CapTables
    envelope: EnvelopeTerms
    fair_use: FairUseTerms
    rating: RatingTerms
    spending: SpendingTerms
    vat: dict[str, VatShare | Annotated[tuple[VatShare, ...], msgspec.Meta(min_length=1, max_length=100)]]


class RoamingClause(Frozen, frozen=True):
    """One obligation of the home operator, paraphrased; `key_term` is the decisive French term."""

    gist: str
    key_term: str
    source: str
    verified_by: tuple[Word, ...] = ()


class RoamingFile(ContractFile, frozen=True, kw_only=True):
    """The top level of a roaming contract's file, overlays merged."""

    terms: RoamingTerms
    clauses: dict[str, RoamingClause]


class RoamingContract(RoamingFile, frozen=True, kw_only=True):
    """The roaming contract as loaded; `digest` identifies its content (16 hexadecimal digits)."""

    name: str
    digest: str

    def cap(self, service: Service, day: date) -> Cap:
        """Return the cap in force on a day.

        Raises BadInput before the first or after the last day of regulated roaming.
        """
        caps: tuple[Cap, ...] = getattr(self.terms.caps, service)
        first, last = caps[0].since, self.terms.caps.last_day.value
        if not first <= day <= last:
            raise BadInput(f"date {day}", "no wholesale cap is in force", f"a day from {first} to {last}")
        return [cap for cap in caps if cap.since <= day][-1]

    def vat_shares(self, country: str) -> tuple[tuple[date, Decimal], ...]:
        """Return the VAT shares of a country by its two letters, each with its first day.

        Raises BadInput if unknown.
        """
        if country not in self.terms.vat:
            raise BadInput(f"VAT {shown(country)}", "unknown VAT", choice(country, self.terms.vat) + ", or a share")
        held = self.terms.vat[country]
        return tuple((one.since, one.value) for one in (held if isinstance(held, tuple) else (held,)))

    def vat_share(self, country: str, day: date) -> Decimal:
        """Return the VAT share of a country on a day, the first known one for earlier days.

        Raises BadInput if unknown.
        """
        shares = self.vat_shares(country)
        return [share for since, share in shares if since <= day or since == shares[0][0]][-1]

    def assumed(self, *names: str) -> tuple[str, ...]:
        """Return those of the terms ("fair_use.alert_days", "caps.voice[1]") that are assumptions."""
        known = self.terms.by_name()
        return tuple(name for name in names if known[name].status == "assumption")


def load_roaming(name_or_path: str | Path | None = None) -> RoamingContract:
    """Load the built-in roaming contract, another one by name, or a complete file or overlay by path.

    Raises ContractError, which names file and key, for every mistake in it.
    """
    loaded = load(ROAMING, DEFAULT if name_or_path is None else name_or_path)
    return RoamingContract(name=loaded.name, digest=loaded.digest, **msgspec.structs.asdict(loaded.content))


def _contradictions(file: RoamingFile) -> Iterable[Mistake]:
    """Yield contradictions between valid values: order of dates, shares, zero steps."""
    yield from _of_caps(file.terms.caps)
    for name, holds, expected in _RELATIONS:
        if not holds(file.terms):
            value = file.terms.by_name()[name].value
            yield Mistake(("terms", *name.split("."), "value"), f"is {shown(value)}", expected)
    for country, held in file.terms.vat.items():
        shares = held if isinstance(held, tuple) else (held,)
        for place, share in enumerate(shares):
            where = ("terms", "vat", country, *((place,) if isinstance(held, tuple) else ()))
            if share.value >= 1:
                yield Mistake((*where, "value"), f"is {share.value}", "a share below 1")
            if place and share.since <= shares[place - 1].since:
                yield Mistake((*where, "since"), f"is {share.since}", "dates in ascending order")


def _of_caps(caps: CapTables) -> Iterable[Mistake]:
    for service in ("data", "voice", "sms"):
        dated: tuple[Cap, ...] = getattr(caps, service)
        for place, (early, late) in enumerate(pairwise(dated)):
            if late.since <= early.since:
                where = ("terms", "caps", service, place + 1, "since")
                yield Mistake(where, f"is {late.since}", "dates in ascending order")
        for place, cap in enumerate(dated):
            if not cap.value:
                yield Mistake(("terms", "caps", service, place, "value"), "is zero", "a price above zero")
        if dated[0].since != caps.data[0].since:
            yield Mistake(("terms", "caps", service, 0, "since"), f"is {dated[0].since}", "the first day of caps.data")
    if caps.last_day.value < max(cap.since for cap in caps.data):
        yield Mistake(("terms", "caps", "last_day", "value"), "is before the last cap", "a later day")


_RELATIONS: tuple[tuple[str, Callable[[RoamingTerms], bool], str], ...] = (
    ("envelope.article_step_gb", lambda t: t.envelope.article_step_gb.value > 0, "a step above zero"),
    ("spending.limit_eur", lambda t: t.spending.limit_eur.value > 0, "an amount above zero"),
    (
        "fair_use.observation_days",
        lambda t: t.fair_use.observation_days.value >= 30 * t.fair_use.observation_months.value,
        "at least fair_use.observation_months",
    ),
)

ROAMING: Final = Schema("roaming", RoamingFile, _contradictions)
