"""The terms of a push-SMS contract by group: figures, hours, ranges of codes and rows of the tariff."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Literal, get_args

import msgspec

from simbench.base.calendar import Calendar
from simbench.base.errors import BadInput
from simbench.base.toml_files import Frozen, choice
from simbench.contract.term import (
    ClockTime,
    Count,
    Counts,
    Natural,
    Share,
    Term,
    TermGroups,
    Width,
    Word,
    check_amount,
)

Use = Literal["marketing", "reply", "presence", "interpersonal", "machines", "ordinary"]
Days = Literal["every-day", "monday-to-saturday", "monday-to-friday"]
Window = Literal["rolling", "month", "quarter", "year"]
Formula = Literal["V1", "V2", "V3", "V4"]
SenderNames = Literal["option", "always", "never"]
Charge = Literal[
    "opening", "rate_change", "other_change", "message", "code_month", "qualification_month", "qualification",
    "sender_name_month", "sender_name_act", "range_month",
]  # fmt: skip
Label = dict[str, Word]

CHARGES: tuple[Charge, ...] = get_args(Charge)
MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Tier(Term[Count], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rate in messages per second that a code can be subscribed to, and its monthly price in addition to the code's.

    The standard rate is a tier too. A tier with `by_quotation` has no price. `label` is the text of its row on a bill,
    by language.
    """

    price: Decimal | None = None
    by_quotation: bool = False
    label: Label = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reject prices that no bill can contain."""
        if self.price is not None:
            check_amount(self.price)


class Throughput(Frozen, frozen=True):
    """Rates in messages per second and code, and their measurement.

    `default_per_s` is the standard rate, one of the tiers. A rate of `request_from_per_s` or more must be requested
    from the operator; without this term no rate must be requested.
    """

    default_per_s: Term[Count]
    tiers: tuple[Tier, ...]
    interval_ms: Term[Count]
    jitter_ms: Term[Natural]
    max_hold_s: Term[Count]
    sustained_tolerance_share: Term[Share]
    use_share: Term[Share]
    mean_window_s: Term[Count]
    request_from_per_s: Term[Count] | None = None

    @property
    def rates(self) -> tuple[int, ...]:
        """The rates of the tiers, as listed."""
        return tuple(tier.value for tier in self.tiers)

    @property
    def paid_tiers(self) -> dict[int, Tier]:
        """The tiers other than the standard rate, by rate."""
        return {tier.value: tier for tier in self.tiers if tier.value != self.default_per_s.value}

    def must_ask(self, rate_per_s: int) -> bool:
        """Return whether a rate must be requested from the operator."""
        return self.request_from_per_s is not None and rate_per_s >= self.request_from_per_s.value


class Session(Frozen, frozen=True):
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


class Delivery(Frozen, frozen=True):
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
    other_operators_share_max: Term[Share]


class Quality(Frozen, frozen=True):
    """The operator's commitments for its platforms, and their measurement by the bench.

    `availability_window`: "rolling" looks back `availability_months` at every instant; the others are calendar periods,
    for which `availability_months` is not used. `availability_formula`: V1 counts unplanned outages against the whole
    window; V2 also counts planned ones ("24 hours a day" read literally); V3 counts unplanned ones against the window
    without planned time; V4 is V1 with partial outages counted by their share. `partial_restoration_h` is the limit for
    outages that are not total. `rate_floor_per_s` is the rate due to a code of unknown tier while its messages wait.
    `notice_days` applies to the operator's planned work, `client_notice_days` to the client's; the ambiguity on the
    topic `notice-days` decides which days count.
    """

    availability: Term[Share]
    availability_window: Term[Window]
    availability_months: Term[Count]
    availability_formula: Term[Formula]
    restoration_h: Term[Count]
    notice_days: Term[Count]
    client_notice_days: Term[Count]
    total_outage_after_s: Term[Count]
    rate_floor_per_s: Term[Count]
    rate_floor_offer_s: Term[Count]
    probe_every_s: Term[Count]
    probes_lost_in_a_row: Term[Count]
    partial_restoration_h: Term[Count] | None = None


class Marketing(Frozen, frozen=True):
    """The frequency of marketing to a user, opt-out, and sender names.

    `stop_word` is the word that a marketing message must contain; opt-outs are recognised by STOP. `stop_grace_h` is
    the time within which an opt-out must take effect. `reply_session_h` is the time after a user's message in which a
    code of a reply range may answer. `oadc_alpha_max` is the greatest length of sender names; `oadc_alpha_pattern`
    decides.
    """

    per_user_brand_day: Term[Count]
    stop_word: Term[Word]
    stop_grace_h: Term[Natural]
    reply_session_h: Term[Count]
    oadc_alpha_max: Term[Count]


class ClassHours(Frozen, frozen=True):
    """The hours and days at which messages of a traffic class may be sent, in the zone of the calendar.

    A time is a whole hour, or a text such as "08:30".
    """

    opens_at_h: Term[ClockTime]
    closes_at_h: Term[ClockTime]
    days: Term[Days]

    @property
    def opens_min(self) -> int:
        """Minutes from midnight to the opening time."""
        return minutes_of(self.opens_at_h.value)

    @property
    def closes_min(self) -> int:
        """Minutes from midnight to the closing time."""
        return minutes_of(self.closes_at_h.value)


class CalendarTerms(Frozen, frozen=True):
    """Civil time and public holidays: an IANA zone, a country by its two letters, and one of its regions.

    The region's additional holidays count only if the ambiguity "regional-holidays" is read so.
    """

    zone: Term[Word]
    country: Term[Word]
    region: Term[str]

    @property
    def calendar(self) -> Calendar:
        """The calendar of that zone and country."""
        return calendar_of(self.zone.value, self.country.value, self.region.value)


class CodeRange(Term[Word], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A range of short codes by its first digits, and its use.

    "marketing": advertising; "reply": only answers to users; "presence": recipients of a presence list;
    "interpersonal": messages between people; "machines": functional messages to machines; "ordinary": messages of every
    kind, including advertising.
    """

    use: Use


class Numbering(Frozen, frozen=True):
    """Short codes and sender names.

    `sender_names`: allowed as an "option" of a code, "always" or "never". `oadc_alpha_pattern` is the regular
    expression of a valid sender name (OAdC).
    """

    code_digits: Term[Count]
    ranges: tuple[CodeRange, ...]
    sender_names: Term[SenderNames]
    oadc_alpha_pattern: Term[Word]

    def prefixes(self, *uses: Use) -> tuple[str, ...]:
        """Return the first digits of the ranges for these uses; none if the contract has no such range."""
        return tuple(one.value for one in self.ranges if one.use in uses)

    def first_for(self, use: Use) -> str:
        """Return the first digits of the range for a use, else of the first ordinary range, else of the first range."""
        return (*self.prefixes(use), *self.prefixes("ordinary"), self.ranges[0].value)[0]

    def use_of(self, code: str) -> Use | None:
        """Return the use of a code's range, the longest that matches; None for a code outside all ranges."""
        fits = [one for one in self.ranges if code.startswith(one.value)]
        return max(fits, key=lambda one: len(one.value)).use if fits else None

    def code_of(self, use: Use, number: int) -> str:
        """Return the code with a number in the first range for a use. Raises BadInput if there is no such range."""
        prefixes = self.prefixes(use)
        if not prefixes:
            raise BadInput(f"range for {use}", "the contract has none", choice(use, {one.use for one in self.ranges}))
        digits = self.code_digits.value - len(prefixes[0])
        return prefixes[0] + f"{number:0{digits}d}"

    def codes_in(self, prefix: str) -> Iterator[str]:
        """Yield the codes of a range in order, from number 1 on."""
        digits = self.code_digits.value - len(prefix)
        return (f"{prefix}{number:0{digits}d}" for number in range(1, 10**digits))

    @property
    def code_pattern(self) -> str:
        """A regular expression of the codes."""
        return _pattern(sorted({one.value for one in self.ranges}), self.code_digits.value)


class Forecast(Frozen, frozen=True):
    """Traffic forecasts the client must provide."""

    per_year: Term[Count]
    tolerance_share: Term[Share]


class Money(Frozen, frozen=True):
    """The currency of all prices (ISO 4217), the rate of VAT, and the minimum months of a tier's subscription.

    `vat_share` is a text: "0.21" for 21 %. Prices are before VAT.
    """

    currency: Term[Word]
    vat_share: Term[Decimal]
    tier_months: Term[Count]


class TariffRow(Term[Decimal], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of the tariff: the price, before VAT, of one `charge`.

    `first` and `last` are the band of codes to which the price applies, counted from 1; without `last` the band is
    open. `uses` are the ranges to which a "range_month" applies, each counted separately. `label` is the text of the
    row on a bill, by language; it may contain {first}, {last}, {range} and {company}.
    """

    charge: Charge
    label: Label = msgspec.field(default_factory=dict)
    first: Count = 1
    last: Count | None = None
    uses: tuple[Use, ...] = ()


class Terms(TermGroups, frozen=True):
    """Every number and price of the contract, by group; hours by traffic class, rows of the tariff by name."""

    throughput: Throughput
    session: Session
    delivery: Delivery
    quality: Quality
    marketing: Marketing
    hours: dict[str, ClassHours]
    calendar: CalendarTerms
    numbering: Numbering
    forecast: Forecast
    money: Money
    tariff: dict[str, TariffRow]

    @property
    def ranges_apart(self) -> tuple[str, ...]:
        """The first digits of the ranges with their own monthly price, each counted separately."""
        uses = {use for row in self.rows("range_month") for use in row.uses}
        return tuple(one.value for one in self.numbering.ranges if one.use in uses)

    def row_ids(self) -> list[str]:
        """Return the clauses of the rows of a bill, tariff and tiers, in the order of a bill."""
        rows = sorted(self.tariff.values(), key=lambda row: CHARGES.index(row.charge))
        before = [row.clause for row in rows if CHARGES.index(row.charge) <= CHARGES.index("code_month")]
        tiers = [tier.clause for tier in self.throughput.paid_tiers.values()]
        return [*before, *tiers, *(row.clause for row in rows if row.clause not in before)]

    def code_per_tier(self) -> dict[str, int]:
        """Return a code for each tier, with its rate: in the marketing range (`first_for`), numbered by the rate."""
        numbering, found = self.numbering, dict[str, int]()
        prefix = numbering.first_for("marketing")
        size = numbering.code_digits.value - len(prefix)
        for rate in self.throughput.rates:
            free = (code for code in numbering.codes_in(prefix) if code not in found)
            wanted = f"{prefix}{rate:0{size}d}"
            found[wanted if len(str(rate)) <= size and wanted not in found else next(free)] = rate
        return found

    def row_clauses(self) -> dict[str, str]:
        """Return the clause of each row of a bill by the row's name: its key in the tariff, or `rate-20` for a tier."""
        tiers = {f"rate-{rate}": tier.clause for rate, tier in self.throughput.paid_tiers.items()}
        return {name: row.clause for name, row in self.tariff.items()} | tiers

    def rows(self, charge: Charge) -> list[TariffRow]:
        """Return the rows of the tariff for a charge, by band."""
        return sorted((row for row in self.tariff.values() if row.charge == charge), key=lambda row: row.first)


def minutes_of(time: int | str) -> int:
    """Return the minutes from midnight to a time of the day, a whole hour or a text such as "08:30"."""
    hours, _, minutes = str(time).partition(":")
    return int(hours) * 60 + int(minutes or 0)


@lru_cache(maxsize=32)
def calendar_of(zone: str, country: str, region: str) -> Calendar:
    """Return a calendar, the same object for the same arguments."""
    return Calendar(zone, country, region)


def _pattern(prefixes: list[str], digits: int) -> str:
    """Return a short regular expression of the codes of these ranges."""
    by_stem: dict[tuple[str, int], list[str]] = {}
    for prefix in prefixes:
        by_stem.setdefault((prefix[:-1], digits - len(prefix)), []).append(prefix[-1])
    parts = [f"{stem}{_signs(last)}" + (f"[0-9]{{{rest}}}" if rest else "") for (stem, rest), last in by_stem.items()]
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"


def _signs(digits: list[str]) -> str:
    if len(digits) == 1:
        return digits[0]
    runs: list[list[int]] = []
    for digit in map(int, digits):
        if runs and digit == runs[-1][-1] + 1:
            runs[-1].append(digit)
        else:
            runs.append([digit])
    return "[" + "".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else "".join(map(str, run)) for run in runs) + "]"
