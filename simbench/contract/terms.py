"""Types of a contract: terms with their provenance, clauses, ambiguities, and the contract that holds them.

The values come from TOML files through `load.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import choice

T = TypeVar("T")

Status = Literal["seed", "source", "assumption", "contract"]
Party = Literal["orange", "cocontractant", "emetteur"]
Strength = Literal["must", "should", "may", "info"]
Means = Literal["wire", "simulation", "bill", "declaration"]

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Hour = Annotated[int, msgspec.Meta(ge=0, le=24)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Width = Annotated[float, msgspec.Meta(ge=0, le=10)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Counts = Annotated[tuple[Count, ...], msgspec.Meta(min_length=1, max_length=100)]
Words = Annotated[tuple[Word, ...], msgspec.Meta(min_length=1, max_length=20)]


class _Frozen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all structs here: immutable, and strict about unknown keys."""


class Term(_Frozen, Generic[T], frozen=True, forbid_unknown_fields=True):
    """One value of the contract, in `unit`, with the clause it serves and its origin.

    `status`: "seed" (from the brochure), "source" (a public source), "assumption" (ours), "contract" (confirmed by an
    overlay). `source` is the line of the brochure ("B:137") or the document.
    """

    value: T
    unit: str
    status: Status
    clause: str
    source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Reject amounts no bill can contain: msgspec has no bounds for decimals."""
        if isinstance(self.value, Decimal) and not (
            self.value.is_finite() and 0 <= self.value <= 1_000_000 and self.value.as_tuple().exponent in range(-6, 1)
        ):
            raise ValueError('expected an amount from "0" to "1000000" with at most 6 decimals')


class Throughput(_Frozen, frozen=True):
    """Rates in messages per second and code, and how they are measured."""

    default_per_s: Term[Count]
    tiers_per_s: Term[Counts]
    interval_ms: Term[Count]
    jitter_ms: Term[Natural]
    max_hold_s: Term[Count]
    request_from_per_s: Term[Count]
    sustained_tolerance_share: Term[Share]
    use_share: Term[Share]
    mean_window_s: Term[Count]


class Session(_Frozen, frozen=True):
    """UCP sessions: window, timers, reconnection."""

    window: Term[Count]
    window_max: Term[Count]
    keepalive_expected_s: Term[Count]
    idle_close_s: Term[Count]
    login_timer_s: Term[Count]
    login_failures_close: Term[Count]
    sessions_per_code: Term[Count]
    notice_retry_s: Term[Counts]
    result_timer_max_s: Term[Count]
    reconnect_attempts_per_minute: Term[Count]
    reconnect_grace_s: Term[Count]


class Delivery(_Frozen, frozen=True):
    """Validity, latency and retry of one message; schedules repeat their last step until the validity ends."""

    validity_default_h: Term[Count]
    validity_max_h: Term[Count]
    scts_ahead_max_s: Term[Count]
    latency_median_ms: Term[Count]
    latency_sigma: Term[Width]
    absent_retry_min: Term[Counts]
    network_retry_min: Term[Counts]
    memory_full_first_min: Term[Count]
    memory_full_max_h: Term[Count]
    non_orange_share_max: Term[Share]


class Quality(_Frozen, frozen=True):
    """What Orange commits to for its platforms, and how the bench observes it."""

    availability: Term[Share]
    availability_months: Term[Count]
    restoration_h: Term[Count]
    notice_days: Term[Count]
    client_notice_days: Term[Count]
    total_outage_after_s: Term[Count]
    rate_floor_per_s: Term[Count]
    rate_floor_offer_s: Term[Count]
    probe_every_s: Term[Count]


class Marketing(_Frozen, frozen=True):
    """When and how often users may receive marketing, and how they stop it."""

    opens_at_h: Term[Hour]
    closes_at_h: Term[Hour]
    per_user_brand_day: Term[Count]
    stop_word: Term[Word]
    stop_grace_h: Term[Natural]
    reply_session_h: Term[Count]
    oadc_alpha_max: Term[Count]


class Numbering(_Frozen, frozen=True):
    """Short codes and sender names."""

    code_pattern: Term[Word]
    reply_prefix: Term[Word]
    geo_prefix: Term[Word]
    marketing_prefix: Term[Word]
    interpersonal_prefix: Term[Word]
    m2m_prefix: Term[Word]
    oadc_alpha_pattern: Term[Word]


class Forecast(_Frozen, frozen=True):
    """Traffic forecasts the Cocontractant must provide."""

    per_year: Term[Count]
    tolerance_share: Term[Share]


class Tariff(_Frozen, frozen=True):
    """Prices in euros before VAT, as exact decimals; bands count short codes."""

    code_technical_setup: Term[Decimal]
    rate_change: Term[Decimal]
    other_change: Term[Decimal]
    code_admin_setup: Term[Decimal]
    per_delivered_mt: Term[Decimal]
    code_month_1_20: Term[Decimal]
    code_month_21_on: Term[Decimal]
    code_month_band: Term[Count]
    tier_20: Term[Decimal]
    tier_50: Term[Decimal]
    tier_100: Term[Decimal]
    tier_150: Term[Decimal]
    tier_months: Term[Count]
    qualification_month: Term[Decimal]
    qualification_act: Term[Decimal]
    oadc_option_month: Term[Decimal]
    oadc_option_act: Term[Decimal]
    green_geo_month_1_10: Term[Decimal]
    green_geo_month_11_on: Term[Decimal]
    green_geo_band: Term[Count]
    vat_share: Term[Decimal]

    def tier_month(self) -> dict[int, Decimal]:
        """Monthly price of each tier above the standard rate: {messages a second: euros} (OPS-TAR-09..12)."""
        tiers = {name: name.removeprefix("tier_") for name in self.__struct_fields__}
        return {int(tier): getattr(self, name).value for name, tier in tiers.items() if tier.isdigit()}


class Terms(_Frozen, frozen=True):
    """Every number and price of the contract, by group."""

    throughput: Throughput
    session: Session
    delivery: Delivery
    quality: Quality
    marketing: Marketing
    numbering: Numbering
    forecast: Forecast
    tariff: Tariff

    def by_name(self) -> dict[str, Term[Any]]:
        """Give every term under its dotted name, "throughput.jitter_ms", in the order of the structs."""
        groups = {name: getattr(self, name) for name in self.__struct_fields__}
        return {f"{name}.{term}": getattr(group, term) for name, group in groups.items() for term in _fields(group)}


class Clause(_Frozen, frozen=True):
    """One promise of the contract, in our words; `key_term` is the French term it turns on."""

    chapter: str
    gist: str
    key_term: str
    bound: tuple[Party, ...]
    strength: Strength
    verify: tuple[Means, ...]
    source: str
    check: str


class Ambiguity(_Frozen, frozen=True):
    """A place the contract can be read in several ways: `readings` maps a key to its explanation.

    `reading` is the choice ("" means `default`); it counts as an assumption until an overlay says "contract".
    """

    question: str
    clauses: Words
    default: str
    readings: dict[str, str]
    reading: str = ""
    status: Literal["assumption", "contract"] = "assumption"


class Contract(msgspec.Struct, frozen=True):
    """A whole contract as read: `digest` names its content (16 hexadecimal digits), `files` where it came from."""

    name: str
    title: str
    digest: str
    files: tuple[str, ...]
    clauses: dict[str, Clause]
    terms: Terms
    ambiguities: dict[str, Ambiguity]

    def clause(self, clause_id: str) -> Clause:
        """Give one clause; BadInput names the nearest id when there is none."""
        return _known(self.clauses, clause_id, f"contract {self.name}", "clause")

    def reading(self, amb_id: str) -> str:
        """Give the key of the reading in force for one ambiguity; BadInput when there is no such ambiguity."""
        ambiguity = _known(self.ambiguities, amb_id, f"contract {self.name}", "ambiguity")
        return ambiguity.reading or ambiguity.default

    def assumed(self, *names: str) -> tuple[str, ...]:
        """Keep those of the given terms ("throughput.jitter_ms") and ambiguities that only we assume.

        The order is kept, for `Finding.assumed`; BadInput when a name is unknown.
        """
        known = self.terms.by_name() | self.ambiguities
        place = f"contract {self.name}"
        return tuple(name for name in names if _known(known, name, place, "term").status == "assumption")


K = TypeVar("K")


def _known(table: dict[str, K], name: str, place: str, what: str) -> K:
    if name not in table:
        raise BadInput(place, f"no {what} `{name}`", choice(name, table))
    return table[name]


def _fields(struct: msgspec.Struct) -> tuple[str, ...]:
    return struct.__struct_fields__
