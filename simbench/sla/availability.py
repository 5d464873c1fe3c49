"""Availability over the windows of the contract: measures as plain arrays, and the rule.

Variants (all reported, the verdict is V1's): V1 unplanned total down time over the window; V2 planned time as well;
V3 planned time left out of the window; V4 partial outages by their share as well; V5 the client's probes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.text import count
from simbench.base.units import DAY_US, HOUR_US
from simbench.contract import Contract
from simbench.contract.terms import MONTHS
from simbench.finding import Evidence
from simbench.ledger.incidents import Period
from simbench.rules.rule import Case, Verdict, missed, rule
from simbench.sla.classification import Class, Service, service_of
from simbench.sla.maintenance_notice import over_readings
from simbench.sla.probes import probes_of
from simbench.sla.purposes import AVAILABILITY
from simbench.sla.rolling_window import Downtime, Instants, Windows, calendar_windows, downtime_of, windows

YEAR_AHEAD = 400 * DAY_US  # longer than any window
VARIANTS = ("V1", "V2", "V3", "V4")
LOST_AS: dict[str, tuple[Class, ...]] = {
    "V1": ("unplanned",), "V2": ("unplanned", "planned"), "V3": ("unplanned",), "V4": ("unplanned", "partial"),
}  # fmt: skip
"""The classes whose time each variant counts as lost; a partial outage counts by its share."""
SHOWN = 10
SMALL = 100_000  # a year of microseconds times less than this fits into 64 bits
COVERED = 0.9  # the share of a window that probes must cover for V5
NAMED = {
    "V1": " (unplanned only)",
    "V2": " (planned as well)",
    "V3": " (without planned time)",
    "V4": " (with partial)",
}


class Rolling(msgspec.Struct, frozen=True, eq=False):
    """Windows that end at `at`: their lengths and down time (us; `partial` us times `parts`).

    `full`: history covers the whole window; otherwise `length` counts from the beginning of history.
    """

    at: Instants
    length: Instants
    full: NDArray[np.bool_]
    unplanned: Instants
    planned: Instants
    partial: Instants
    parts: int = 1

    def beyond(self, lengths: Instants, variant: str, allowed: Fraction) -> NDArray[np.bool_]:
        """Tell for each window whether more was lost than the allowed share of a window of these lengths."""
        whole: Any = np.int64 if allowed.denominator < SMALL and variant != "V4" else object  # products within 64 bits
        lost, over = self.unplanned.astype(whole), lengths.astype(whole)
        if variant == "V2":
            lost = lost + self.planned.astype(whole)
        elif variant == "V3":
            over = over - self.planned.astype(whole)
        elif variant == "V4":
            lost, over = lost * self.parts + self.partial.astype(object), over * self.parts
        broken = lost * allowed.denominator > over * allowed.numerator
        return broken.astype(np.bool_)

    def loss(self, place: int, variant: str) -> Fraction:
        """Return the exact unavailability of one window."""
        length, unplanned, planned = int(self.length[place]), int(self.unplanned[place]), int(self.planned[place])
        lost, over = {
            "V1": (unplanned, length),
            "V2": (unplanned + planned, length),
            "V3": (unplanned, length - planned),
            "V4": (unplanned * self.parts + int(self.partial[place]), length * self.parts),
        }[variant]
        return Fraction(lost, over) if over > 0 else Fraction(0)

    def availability(self, variant: str = "V1") -> NDArray[np.float64]:
        """Return the availability of every window as a share, for drawing; verdicts use `loss`."""
        lost = self.lost(variant)
        over = self.length - self.planned if variant == "V3" else self.length
        share: NDArray[np.float64] = 1 - np.divide(lost, over, out=np.zeros(len(over)), where=over > 0)
        return share

    def lost(self, variant: str = "V1") -> NDArray[np.float64]:
        """Return the down time (us) of every window, for drawing."""
        return _lost((self.unplanned, self.planned, self.partial), self.parts, variant)

    def where(self, chosen: NDArray[Any]) -> Rolling:
        """Return only these windows, selected by a mask or by their indices."""
        columns = {name: getattr(self, name)[chosen] for name in self.__struct_fields__ if name != "parts"}
        return msgspec.structs.replace(self, **columns)

    def worst(self, variant: str) -> int:
        """Return the index of the window with the lowest availability, the earliest of several."""
        shares = self.availability(variant)
        near = np.flatnonzero(shares <= shares.min() + 1e-9)
        return int(min(near.tolist(), key=lambda place: (-self.loss(place, variant), place)))


class Year(msgspec.Struct, frozen=True, eq=False):
    """Input of the measures of one service: its period, down time and windows, and the contract's commitment.

    `formula`: the variant that the contract means. `allowed`: the share of a window that may be lost.
    """

    period: Period
    downtime: Downtime
    windows: Windows
    formula: str
    allowed: Fraction


def year_of(service: Service, contract: Contract) -> Year:
    """Prepare the measures. Open incidents are assumed to last until the period's end."""
    period = service.period
    ahead = windows_of(contract, period, period.end + YEAR_AHEAD)  # outages leave later than the period ends
    formula = contract.terms.quality.availability_formula.value
    return Year(period, downtime_of(service.counted, period.end), ahead, formula, allowed_of(contract))


def allowed_of(contract: Contract) -> Fraction:
    """Return the share of a window that may be lost."""
    return 1 - Fraction(str(contract.terms.quality.availability.value))


def windows_of(contract: Contract, period: Period, until: int) -> Windows:
    """Return the windows over which the contract promises availability: rolling months, or calendar periods."""
    quality = contract.terms.quality
    kind = quality.availability_window.value
    if kind == "rolling":
        return windows(period.start, until, quality.availability_months.value, contract.calendar)
    return calendar_windows(min(period.known_from, period.start), until, MONTHS[kind], contract.calendar)


def rolling(year: Year, at: Instants) -> Rolling:
    """Return the windows that end at ascending instants (us), exactly.

    Within a piece of constant window length both ends only go forward, so one pass is enough.
    """
    known = year.period.known_from
    cuts = np.searchsorted(at, year.windows.since[1:], side="right" if year.windows.calendar else "left")
    parts = []
    for piece in np.split(at, cuts):
        if len(piece):
            begun = year.windows.begins(piece)
            since = np.maximum(begun, known)
            ends, begins = year.downtime.until(piece), year.downtime.until(since)
            lost = (until - before for until, before in zip(ends, begins, strict=True))
            parts.append((piece, piece - since, year.windows.whole(piece) & (begun >= known), *lost))
    if not parts:
        nothing = np.empty(0, dtype=np.int64)
        return Rolling(nothing, nothing, np.empty(0, dtype=np.bool_), nothing, nothing, nothing)
    whole, lengths, full, unplanned, planned, partial = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    return Rolling(whole, lengths, full, unplanned, planned, partial, year.downtime.parts)


def turning_points(year: Year) -> Instants:
    """Return the instants of the period between which availability only rises or only falls, in any variant.

    These are the edges of incidents, the instants at which such an edge leaves the window, and both sides of each
    change of the window's length. The lowest availability of the period is at one of them.
    """
    edges, since = year.downtime.edges[1:], year.windows.since
    begins = np.append(edges, year.period.known_from)
    leaving = [] if year.windows.calendar else [begins + length for length in np.unique(year.windows.length)]
    period = year.period
    points = np.concatenate([[period.start, period.end], edges, since, since - 1, *leaving])
    points = np.sort(points[(points >= period.start) & (points <= period.end) & (points > period.known_from)])
    found: Instants = points[np.diff(points, prepend=points[:1] - 1) > 0]  # many times faster than np.unique
    return found.astype(np.int64)


def budget(year: Year, at: Instants) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the error budget at ascending instants: hours allowed by the window's length, and hours spent.

    Both follow the contract's formula: V3 allows a share of the window without its planned time.
    """
    seen, lengths = rolling(year, at), year.windows.length_at(at)
    if year.formula == "V3":
        lengths = lengths - seen.planned
    return float(year.allowed) * lengths / HOUR_US, seen.lost(year.formula) / HOUR_US


def lost_until(year: Year, at: Instants) -> NDArray[np.float64]:
    """Return the down time (us) before ascending instants, as the contract's formula counts it."""
    return _lost(year.downtime.until(at), year.downtime.parts, year.formula)


def _lost(amounts: tuple[Instants, Instants, Instants], parts: int, variant: str) -> NDArray[np.float64]:
    unplanned, planned, partial = amounts
    lost: NDArray[np.float64] = unplanned.astype(np.float64)
    if variant == "V2":
        lost = lost + planned
    elif variant == "V4":
        lost = lost + (partial / parts).astype(np.float64)
    return lost


def timeline(service: Service) -> tuple[Instants, Instants, tuple[str, ...]]:
    """Return starts and ends (us) of every incident that touches the period, and the class each counts as."""
    shown = service.of("unplanned", "planned", "partial", "excluded")
    starts = np.array([one.incident.start for one in shown], dtype=np.int64)
    ends = starts + np.array([one.incident.lasted(service.period.end) for one in shown], dtype=np.int64)
    return starts, ends, tuple(one.counted_as for one in shown)


@rule(
    AVAILABILITY,
    "The platform's availability over every window of the contract reaches its level",
    binds="platform",
    catches=("fifteen-outages",),
    suites=("sla",),
)
def rolling_year(case: Case) -> Verdict:
    """Judge the contract's formula (V1 by default) at every instant that can have the lowest availability.

    With less than a window of history the figures are provisional and the verdict is inconclusive, even if nothing was
    lost. More down time than a complete window allows is a fail nevertheless.
    """
    period = service_of(case).period
    if period.end <= period.start:
        return Verdict("inconclusive", "the run covers no period", blame="bench")
    return over_readings(case, lambda service: _judged(case, service))


def _judged(case: Case, service: Service) -> Verdict:
    year = year_of(service, case.contract)
    found, formula = decided(year), year.formula
    failing = {variant: found.loss_by(variant) > year.allowed for variant in VARIANTS}
    fails = failing[formula]
    summary = _summary(found, year, case.contract)
    disagreeing = [variant for variant in VARIANTS if failing[variant] != fails]
    if disagreeing:
        summary += f"; {', '.join(disagreeing)} would {'pass' if fails else 'fail'}"
    summary += _probed(case, year, failing=fails)
    assumed = (f"variant {formula} of availability",) if disagreeing else ()
    measured, limit = 1 - float(found.loss), case.contract.terms.quality.availability.value
    if found.provisional:
        return Verdict("inconclusive", summary, measured, limit, "share", "bench", assumed)
    if not fails:
        return Verdict("pass", summary, measured, limit, "share", "", assumed)
    outcome = missed(case.contract, "quality.availability")
    evidence = _evidence(service, year, found.at)
    return Verdict(outcome, summary, measured, limit, "share", "platform", assumed, evidence)


class Decided(msgspec.Struct, frozen=True, eq=False):
    """The windows that decide a verdict, whether it is provisional, and the index of the worst for each variant.

    `formula` is the variant that the contract means; `at`, `length` (us) and `loss` are of its worst window.
    """

    windows: Rolling
    provisional: bool
    worst: dict[str, int]
    formula: str

    @property
    def at(self) -> int:
        """When the worst window ends."""
        return int(self.windows.at[self.worst[self.formula]])

    @property
    def length(self) -> int:
        """The length of the worst window."""
        return int(self.windows.length[self.worst[self.formula]])

    @property
    def loss(self) -> Fraction:
        """The share of the worst window that was lost."""
        return self.loss_by(self.formula)

    def loss_by(self, variant: str) -> Fraction:
        """Return the lost share of the worst window of a variant."""
        return self.windows.loss(self.worst[variant], variant)


def decided(year: Year) -> Decided:
    """Return the measurement that decides on a year's availability."""
    windows, provisional = _decisive(rolling(year, turning_points(year)), year)
    return Decided(windows, provisional, {variant: windows.worst(variant) for variant in VARIANTS}, year.formula)


def _decisive(seen: Rolling, year: Year) -> tuple[Rolling, bool]:
    """Return the windows that decide the verdict, and whether it is provisional.

    These are the complete windows, and the incomplete ones that already lost more than a complete one may. Without any
    of either, it is the incomplete window at the period's end.
    """
    lengths = year.windows.length_at(seen.at)
    beyond = seen.beyond(lengths, year.formula, year.allowed)
    whole = seen.full | beyond
    if whole.any():
        overdrawn = ~seen.full & beyond
        chosen = seen.where(whole)
        lengths = np.where(overdrawn, lengths, seen.length)[whole].astype(np.int64)
        return msgspec.structs.replace(chosen, length=lengths), False
    return seen.where(seen.at == year.period.end), True


def _summary(found: Decided, year: Year, contract: Contract) -> str:
    formula, length_h = found.formula, found.length / HOUR_US
    at = contract.calendar.civil(found.at).isoformat(sep=" ", timespec="seconds")
    shares = ", ".join(
        f"{name}{NAMED[name] if name == formula else ''} {_percent(1 - found.loss_by(name))}" for name in VARIANTS
    )
    down_h = float(found.loss) * length_h
    if formula == "V3":
        down_h = int(found.windows.unplanned[found.worst[formula]]) / HOUR_US
    least = "so far" if found.provisional else "lowest"
    text = f"{least}: {shares}; {formula} at {at}: {down_h:.2f} h down in {length_h:,.0f} h"
    if found.provisional:
        period = year.period
        days = (period.end - period.known_from) * 100 // DAY_US / 100  # truncated
        whole_h = int(year.windows.length_at(np.array([found.at]))[0]) * year.allowed / HOUR_US
        text = (
            f"provisional, {days:.2f} days of history; {text}; {float(whole_h) - down_h:.2f} h of the "
            f"{float(whole_h):.2f} h that a whole window may lose are left"
        )
    return text


def _percent(share: Fraction) -> str:
    """Write a share in percent, truncated: a share below 99 % must not read 99 %."""
    return f"{int(share * 10**6) / 10**4:.4f} %"


def _probed(case: Case, year: Year, *, failing: bool) -> str:
    """Describe V5 over the last window, if the ledger holds probes that cover it."""
    end, probes = year.period.end, probes_of(case)
    since = max(year.period.known_from, int(year.windows.begins(np.array([end]))[0]))
    tried, good = probes.between(since, end)
    if not tried:
        return ""
    covered = probes.covered(since, end)
    if covered < COVERED:
        return f"; no V5: the probes cover {covered:.1%} of the window"
    share = Fraction(good, tried)
    differs = ((1 - share) > year.allowed) != failing
    verdict = ", which would " + ("pass" if failing else "fail") if differs else ""
    return f"; V5: {good} of {count(tried, 'probe')} answered ({_percent(share)}), covering {covered:.1%}{verdict}"


def _evidence(service: Service, year: Year, at: int) -> tuple[Evidence, ...]:
    """Return the outages that count in the window that ends at an instant, longest first."""
    since = int(year.windows.begins(np.array([at]))[0])
    found = []
    for one in service.counted:
        start, end = one.incident.start, min(one.incident.end or at, at)
        if one.counted_as in LOST_AS[year.formula] and end > since and start < at:
            found.append(Evidence(f"{one.incident.ticket}: {one.why}", max(start, since), end))
    return tuple(sorted(found, key=lambda one: one.start - one.end)[:SHOWN])
