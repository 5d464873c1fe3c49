"""Rules for a billing system: purposes `ROM-…`, their checks of each account, and their findings.

The rules read the billing files and the contract; they share data with the simulator but calculate independently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Final, NamedTuple

from simbench.base.calendar import UTC_CALENDAR
from simbench.base.text import count
from simbench.contract.term import clause_of
from simbench.finding import Evidence, Finding
from simbench.roaming.billing import Billing, Record
from simbench.roaming.contract import RoamingContract, Service
from simbench.roaming.history import DAY, History, histories, least_octets, months_before
from simbench.rulebook import Rulebook, Verdict

MOST_EVIDENCE = 20
PERIOD_DAYS = 31  # the longest period of an envelope


class Breach(NamedTuple):
    """One violation of a rule; `assumed` names the assumptions beyond contract and sources on which it depends.

    `unseen`: it is none if the days before the files explain it.
    """

    day: date
    note: str
    measured: float
    limit: float
    assumed: tuple[str, ...] = ()
    unseen: bool = False


class Bench(NamedTuple):
    """The reference of the rules: the contract, and the operator's window of observation in days, if known (0: not)."""

    contract: RoamingContract
    own_days: int

    @property
    def window_days(self) -> int:
        """The window in days: the operator's own, or else the contract's."""
        return self.own_days or self.contract.terms.fair_use.observation_days.value


class Given(NamedTuple):
    """The input of all rules: the reference, and the history of each account."""

    bench: Bench
    histories: Sequence[History]


Checked = Breach | None
Check = Callable[[History, Bench], Iterator[Checked]]
RULES: Final = Rulebook[Given](
    lambda given, purpose: clause_of(given.bench.contract.clauses, purpose), binds="platform"
)


def rule(purpose: str, sentence: str, unit: str) -> Callable[[Check], Check]:
    """Register the check of one account as the rule of a purpose: it yields None for each correct item."""

    def enter(check: Check) -> Check:
        RULES.rule(purpose, sentence, unit=unit)(partial(_judged, check, sentence))
        return check

    return enter


def judge_billing(billing: Billing, contract: RoamingContract, window_days: int | None = None) -> list[Finding]:
    """Return one finding per rule, over all accounts. `window_days`: the operator's window; default: the contract's.

    A breach that depends only on an assumption is weak; a rule without any item in the files is unsupported.
    """
    bench = Bench(contract, window_days or 0)
    return RULES.judge_all(Given(bench, histories(billing.accounts.values())))


def _judged(check: Check, sentence: str, given: Given) -> Verdict:
    checked, breaches = 0, []
    for history in given.histories:
        for verdict in check(history, given.bench):
            checked += 1
            if verdict is not None:
                breaches.append((history.account.subscriber, verdict))
    if not checked:
        return Verdict("unsupported", "Nothing in the files is of this kind.")
    if not breaches:
        return Verdict("pass", f"{sentence} {checked:,} checked.")
    breaches.sort(key=lambda pair: (pair[1].unseen, bool(pair[1].assumed), -abs(pair[1].measured - pair[1].limit)))
    worst = breaches[0][1]
    if worst.unseen:
        return Verdict(
            "inconclusive",
            f"{len(breaches):,} of {checked:,} depend on days before the first day of the files: {breaches[0][0]} on "
            f"{worst.day}, {worst.note}",
            evidence=tuple(_evidence(who, breach) for who, breach in breaches[:MOST_EVIDENCE]),
        )
    breaches = [pair for pair in breaches if not pair[1].unseen]
    return Verdict(
        outcome="weak" if worst.assumed else "fail",
        summary=f"{len(breaches):,} of {checked:,} break it, the worst: {breaches[0][0]} on {worst.day}, {worst.note}",
        measured=worst.measured,
        limit=worst.limit,
        assumed=tuple(sorted({name for _, breach in breaches for name in breach.assumed})),
        evidence=tuple(_evidence(who, breach) for who, breach in breaches[:MOST_EVIDENCE]),
    )


def _evidence(subscriber: str, breach: Breach) -> Evidence:
    start = UTC_CALENDAR.from_civil(datetime.combine(breach.day, datetime.min.time()))
    return Evidence(
        f"{subscriber}: {breach.note}",
        start,
        UTC_CALENDAR.from_civil(datetime.combine(breach.day + DAY, datetime.min.time())),
    )


# ---------------------------------------------------------------- the envelope


@rule("roaming.granted", "Every period grants the minimum roaming volume.", "GB")
def _granted(history: History, bench: Bench) -> Iterator[Checked]:
    size = bench.contract.terms.envelope.gigabyte_octets.value
    for period in history.periods:
        least = least_octets(history.account, period.starts, bench.contract)
        had, due = float(period.granted / Fraction(size)), float(least / size)
        yield (
            None if period.granted >= least else Breach(period.starts, f"{had:.4f} GB granted, {due:.4f} due", had, due)
        )
    early = history.before_any_envelope()
    certain = [record for record in early if not _unseen(history, record.day, PERIOD_DAYS + 1)]
    for record in (certain or early)[:1]:
        yield Breach(record.day, "roaming data before any notification of the envelope", 0, 1, unseen=not certain)


@rule("roaming.free-within", "Data within the envelope is free of charge.", "kB")
def _free_within(history: History, bench: Bench) -> Iterator[Checked]:
    step = bench.contract.terms.rating.data_step_octets.value
    for period in history.periods:
        used = 0
        for record in period.data:
            if history.surcharged(record.day):
                continue
            left = max(period.granted - used, 0)
            most = -(-max(record.quantity - left, 0) // step)
            used += record.quantity
            note = f"{record.charged:,} kB charged, {most:,} lie beyond the envelope"
            yield None if record.charged <= most else Breach(record.day, note, record.charged, most)


@rule(
    "roaming.used-up-alert",
    "The customer is notified of the envelope's end before anything beyond it is charged.",
    "notices",
)
def _used_up_alert(history: History, _bench: Bench) -> Iterator[Checked]:
    for period in history.periods:
        charged = [record for record in period.data if record.amount and not history.surcharged(record.day)]
        for record in charged[:1]:
            notified = period.told_by("envelope-used-up", record.day)
            yield (
                None
                if notified
                else Breach(record.day, "charged beyond the envelope without notification of its end", 0, 1)
            )


# ---------------------------------------------------------------- fair use


@rule(
    "roaming.two-weeks",
    "A surcharge begins two weeks after an alert, and nothing is surcharged without one.",
    "days",
)
def _two_weeks(history: History, bench: Bench) -> Iterator[Checked]:
    least = bench.contract.terms.fair_use.alert_days.value
    alerted: date | None = None
    for notice in history.account.notices:
        if notice.kind == "alert":
            alerted = _alerted(history, bench, alerted, notice.day)
        elif notice.kind == "surcharge-begins":
            waited = (notice.day - alerted).days if alerted else -1
            note = f"surcharged {count(waited, 'day')} after the alert" if alerted else "surcharged without an alert"
            unseen = alerted is None and _unseen(history, notice.day, least)
            yield None if waited >= least else Breach(notice.day, note, waited, least, unseen=unseen)
            alerted = None
    for record in history.abroad:
        if record.service != "data" and record.amount:
            inside = history.surcharged(record.day)
            note = f"{record.service} charged with no surcharge in force"
            yield None if inside else Breach(record.day, note, float(record.amount), 0)


def _alerted(history: History, bench: Bench, before: date | None, day: date) -> date:
    """Return the alert that counts at another one: the earlier, unless what it alerted to ended in between."""
    if before is None:
        return day
    seen = (_prevailing(history, bench, before + number * DAY, "") for number in range(1, (day - before).days + 1))
    return day if any(found is not None and not found.assumed for found in seen) else before


@rule("roaming.both-prevailed", "Every alert rests on four months in which presence and use abroad prevailed.", "days")
def _both_prevailed(history: History, bench: Bench) -> Iterator[Checked]:
    months = bench.contract.terms.fair_use.observation_months.value
    for notice in history.account.notices:
        if notice.kind != "alert" or history.since is None:
            continue
        observed = min((notice.day - history.since).days, bench.window_days)
        least = (notice.day - months_before(notice.day, months)).days
        unseen = bench.window_days >= least and _unseen(history, notice.day, least)
        if observed < least and not (unseen and _never(history, bench, notice.day)):
            note = f"alerted after {observed} days of observation"
            yield Breach(notice.day, note, observed, least, unseen=unseen)
        else:
            yield _prevailing(history, bench, notice.day, "alerted")


@rule("roaming.ends", "A surcharge ends when presence or use abroad no longer prevails.", "days")
def _ends(history: History, bench: Bench) -> Iterator[Checked]:
    for record in history.abroad:
        if record.amount and history.surcharged(record.day):
            yield _prevailing(history, bench, record.day, "surcharged")


def _prevailing(history: History, bench: Bench, day: date, what: str) -> Checked:
    """Return a breach if abroad did not prevail; it depends on a reading if another one would allow it.

    The other readings are those of days in both networks, and, if the operator's window is not known, four months
    instead of the contract's days.
    """
    fair = bench.contract.terms.fair_use
    share, mixed = Fraction(str(fair.prevail_share.value)), fair.home_logon_counts.value
    if history.prevails(day, bench.window_days, share, mixed):
        return None
    sums = history.balance(day, bench.window_days)
    note = (
        f"{what} after {sums.abroad} days abroad, {sums.home} at home, {sums.mixed} in both, "
        f"{sums.abroad_octets / 1e9:.1f} GB abroad, {sums.home_octets / 1e9:.1f} GB at home"
    )
    months_days = (day - months_before(day, fair.observation_months.value)).days
    assumed: tuple[str, ...] = ()
    if history.prevails(day, bench.window_days, share, not mixed):
        assumed = ("fair_use.home_logon_counts",)
    elif not bench.own_days and history.prevails(day, months_days, share, mixed):
        assumed = ("fair_use.observation_days",)
    unseen = _unseen(history, day, bench.window_days) and not _never(history, bench, day)
    return Breach(day, note, sums.abroad, sums.home + sums.mixed, assumed, unseen)


def _unseen(history: History, day: date, days: int) -> bool:
    """Tell whether some of these days before a day may lie before the files, in the life of the account."""
    return not history.whole and history.since is not None and (day - history.since).days < days


def _never(history: History, bench: Bench, day: date) -> bool:
    """Tell whether abroad cannot have prevailed, even if every day of the window before the files was abroad."""
    if history.since is None:
        return False
    sums = history.balance(day, bench.window_days)
    share = Fraction(str(bench.contract.terms.fair_use.prevail_share.value))
    most = sums.abroad + sums.mixed + bench.window_days - (day - history.since).days
    return most <= share * (most + sums.home)


# ---------------------------------------------------------------- prices


def _under_cap(history: History, bench: Bench, service: Service, units: Fraction) -> Iterator[Checked]:
    """Check that no amount exceeds its charged units at the cap of the day; `units` of them are one unit of the cap."""
    for record in history.abroad:
        if record.service != service or not record.amount:
            continue
        cap = bench.contract.cap(service, record.day)
        if Fraction(record.amount) * units <= Fraction(cap.value) * record.charged:
            yield None
            continue
        price = float(Fraction(record.amount) * units / record.charged) if record.charged else float(record.amount)
        place = getattr(bench.contract.terms.caps, service).index(cap)
        assumed = bench.contract.assumed(f"caps.{service}[{place}]") if record.charged else ()
        yield Breach(record.day, f"{price:.4f} {cap.unit}, cap {cap.value}", price, float(cap.value), assumed)


@rule("roaming.data-price", "Data costs at most the wholesale cap of the day.", "euro/GB")
def _data_price(history: History, bench: Bench) -> Iterator[Checked]:
    terms = bench.contract.terms
    units = Fraction(terms.envelope.gigabyte_octets.value, terms.rating.data_step_octets.value)
    return _under_cap(history, bench, "data", units)


@rule("roaming.voice-price", "A minute costs at most the wholesale cap of the day.", "euro/min")
def _voice_price(history: History, bench: Bench) -> Iterator[Checked]:
    return _under_cap(history, bench, "voice", Fraction(60))


@rule("roaming.sms-price", "An SMS costs at most the wholesale cap of the day.", "euro/SMS")
def _sms_price(history: History, bench: Bench) -> Iterator[Checked]:
    return _under_cap(history, bench, "sms", Fraction(1))


# ---------------------------------------------------------------- spending limit and rounding


def _spending(history: History) -> Iterator[tuple[Decimal, Record, Callable[[str], bool]]]:
    """Yield each charged data record with the amount spent in its period so far, and a test for notices given."""
    for period in history.periods:
        spent = Decimal(0)
        for record in period.data:
            spent += record.amount
            if record.amount:
                yield spent, record, lambda kind, record=record, period=period: period.told_by(kind, record.day)  # type: ignore[misc]  # bound at once


@rule("roaming.spending-alerts", "The customer is notified at 80 % and at 100 % of the spending limit.", "euro")
def _spending_alerts(history: History, bench: Bench) -> Iterator[Checked]:
    spending = bench.contract.terms.spending
    limit = spending.limit_eur.value
    marks = {"warning": limit * Decimal(str(spending.warning_share.value)), "limit": limit}
    for spent, record, notified in _spending(history):
        for kind, mark in marks.items():
            if spent >= mark:
                note = f"{spent:.2f} euros spent and no notice of {mark:.2f}"
                yield None if notified(kind) else Breach(record.day, note, float(spent), float(mark))


@rule("roaming.stops", "Spending stops at the limit unless the customer agreed to go on.", "euro")
def _limit_stops(history: History, bench: Bench) -> Iterator[Checked]:
    limit = bench.contract.terms.spending.limit_eur.value
    if history.account.agreed:
        return
    for spent, record, _ in _spending(history):
        yield None if spent <= limit else Breach(record.day, f"{spent:.2f} euros spent", float(spent), float(limit))


@rule("roaming.by-second", "Calls are counted by the second after the first thirty.", "s")
def _by_second(history: History, bench: Bench) -> Iterator[Checked]:
    rating = bench.contract.terms.rating
    first, step = rating.voice_first_s.value, rating.voice_step_s.value
    for record in history.abroad:
        if record.service == "voice" and record.amount:
            beyond = max(record.quantity - first, 0)
            most = (first + (beyond + step - 1) // step * step) if record.quantity else 0
            note = f"{record.charged} s charged for {record.quantity} s"
            yield None if record.charged <= most else Breach(record.day, note, record.charged, most)


@rule("roaming.by-kilobyte", "Data is counted by the kilobyte.", "kB")
def _by_kilobyte(history: History, bench: Bench) -> Iterator[Checked]:
    step = bench.contract.terms.rating.data_step_octets.value
    for record in history.abroad:
        if record.service == "data" and record.amount:
            most = -(-record.quantity // step)
            note = f"{record.charged:,} kB charged for {record.quantity:,} octets"
            yield None if record.charged <= most else Breach(record.day, note, record.charged, most)
