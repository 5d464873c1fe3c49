"""The measures that the SLA report shows: availability, error budget, months, recovery.

The rules use the same functions, so a figure never differs from its finding.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.calendar import Calendar
from simbench.base.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simbench.finding import Finding
from simbench.ledger.incidents import Incident
from simbench.rules.rule import Case, judge, ordered
from simbench.sla.availability import Rolling, Year, budget, lost_until, rolling, turning_points, year_of
from simbench.sla.classification import Counted, Service, service_of
from simbench.sla.granted_rate import rates_at
from simbench.sla.report.counts import Hours, Traffic, traffic_of
from simbench.sla.restoration import outages_of
from simbench.sla.rolling_window import Instants, month_starts

POINTS: Final = 730  # evenly spaced, besides every turning point
FOLLOWED_US: Final = DAY_US  # how long a backlog is followed after its outage
LEAST_AROUND_US: Final = 30 * MINUTE_US  # the time shown before the longest outage; twice as much is shown after it
MOST_AROUND_US: Final = 400 * HOUR_US  # the maximum number of outages followed by the minute
Progress = Callable[[str, int, int], None]  # the next step, the number of steps done, the number of all steps


class Month(msgspec.Struct, frozen=True):
    """One calendar month within the period: hours of down time, counts of messages."""

    first: date
    hours: float
    unplanned_h: float
    planned_h: float
    outages: int
    availability: float  # of this month only, by the contract's formula
    offered: int
    accepted: int
    refused: int
    delivered: int
    busiest_share: float
    """Messages accepted in the busiest minute, as a share of the code's tier; 0 without traffic."""


class Recovery(msgspec.Struct, frozen=True):
    """The backlog after an outage: messages at its end and at most, minutes until cleared (None: not cleared).

    `after` and `waiting`: minutes since the outage's end, and messages waiting then.
    """

    ticket: str
    start: int
    end: int
    planned: bool
    at_end: int
    most: int
    gone_after_min: int | None
    after: tuple[int, ...]
    waiting: tuple[int, ...]


class View(msgspec.Struct, frozen=True, eq=False):
    """The measures of a run, from which figures and tables are made."""

    case: Case
    findings: tuple[Finding, ...]
    service: Service
    year: Year
    rolled: Rolling
    allowed_h: NDArray[np.float64]
    spent_h: NDArray[np.float64]
    traffic: Traffic
    months: tuple[Month, ...]
    recoveries: tuple[Recovery, ...]

    @property
    def calendar(self) -> Calendar:
        """The civil time of the contract."""
        return self.case.contract.calendar

    @property
    def outages(self) -> tuple[Counted, ...]:
        """The total, unplanned outages, merged as in the rule on restoration."""
        return outages_of(self.service)

    def tier(self, code: str, at: Instants) -> Instants:
        """Return the tier of a code (messages per second) at ascending instants."""
        return rates_at(self.case, code, at)


def view_of(case: Case, progress: Progress = lambda *_: None, judged: tuple[Finding, ...] | None = None) -> View:
    """Judge a run, unless its findings are given, and compute its measures; `progress` is called for each step.

    Raises LedgerError.
    """
    findings: list[Finding] = list(judged or ())
    purposes = ordered(case.contract, "sla") if judged is None else []
    steps = len(purposes) + 2
    for number, purpose in enumerate(purposes):
        progress(purpose, number, steps)
        findings.append(judge(purpose, case, "run"))
    progress("traffic", len(purposes), steps)
    service = service_of(case)
    if service.period.end <= service.period.start:  # an empty run: its period is made a second long
        service = msgspec.structs.replace(
            service, period=msgspec.structs.replace(service.period, end=service.period.start + SECOND_US)
        )
    spans = [span for _, span in _followed(service)]
    longest = around_longest(service)
    if longest is not None and longest[1] - longest[0] <= MOST_AROUND_US:
        spans.append((longest[0] // MINUTE_US * MINUTE_US, longest[1]))
    traffic = traffic_of(case.trace.run, spans)
    progress("availability", len(purposes) + 1, steps)
    year = year_of(service, case.contract)
    at = _instants(year)
    allowed, spent = budget(year, at)
    return View(
        case, tuple(findings), service, year, rolling(year, at), allowed, spent, traffic,
        tuple(_months(case, service, year, traffic.hours)), tuple(_recoveries(service, traffic)),
    )  # fmt: skip


def _instants(year: Year) -> Instants:
    """Return every turning point, and enough instants between them for a smooth curve."""
    period = year.period
    even = np.linspace(period.start, period.end, POINTS).astype(np.int64)
    begun = year.windows.since + 1 if year.windows.calendar else year.windows.since[:0]
    at = np.unique(np.concatenate([turning_points(year), even, begun]))
    found: Instants = at[(at > period.known_from) & (at >= period.start) & (at <= period.end)]
    return found


def _months(case: Case, service: Service, year: Year, hours: Hours) -> list[Month]:
    start, end = service.period.start, service.period.end
    edges = [start, *(at for at in month_starts(case.contract.calendar, start, end) if at > start), end]
    unplanned, planned, _ = year.downtime.until(np.array(edges, dtype=np.int64))
    shares = _alone(year, np.array(edges, dtype=np.int64))
    tiers = {code: hours.of(code) for code in hours.codes}
    peaks = {
        code: own.busiest / 60 / np.maximum(1, rates_at(case, code, own.busiest_at)) for code, own in tiers.items()
    }
    found = []
    begun = np.array(sorted(one.incident.start for one in outages_of(service)), dtype=np.int64)
    for place, (since, until) in enumerate(pairwise(edges)):
        within = (hours.at >= since) & (hours.at < until)
        sums = {name: int(hours.sums[name][within].sum()) for name in ("offered", "accepted", "refused", "delivered")}
        busiest = [
            float(peaks[code][inside].max())
            for code, own in tiers.items()
            if (inside := (own.at >= since) & (own.at < until)).any()
        ]
        found.append(
            Month(
                first=case.contract.calendar.civil(since).date().replace(day=1),
                hours=(until - since) / HOUR_US,
                unplanned_h=float(unplanned[place + 1] - unplanned[place]) / HOUR_US,
                planned_h=float(planned[place + 1] - planned[place]) / HOUR_US,
                availability=float(shares[place]),
                outages=int(np.diff(np.searchsorted(begun, [since, until]))[0]),
                busiest_share=max(busiest, default=0.0),
                **sums,
            )
        )
    return found


def _alone(year: Year, edges: Instants) -> NDArray[np.float64]:
    """Return the availability between each pair of edges."""
    lengths = np.diff(edges).astype(np.float64)
    if year.formula == "V3":
        lengths -= np.diff(year.downtime.until(edges)[1])
    share: NDArray[np.float64] = 1 - np.diff(lost_until(year, edges)) / np.maximum(1.0, lengths)
    return share


def _followed(service: Service) -> list[tuple[Incident, tuple[int, int]]]:
    """Return the ended total outages, with the interval in which their backlog is followed."""
    whole = [one.incident for one in outages_of(service)] + [one.incident for one in service.of("planned")]
    whole.sort(key=lambda one: one.start)
    ended = [one for one in whole if one.end is not None and one.end < service.period.end]
    starts = [one.start for one in whole]
    spans = []
    for one in ended:
        assert one.end is not None
        after = bisect_left(starts, one.end)
        following = starts[after] if after < len(starts) else service.period.end
        until = min(one.end + FOLLOWED_US, following, service.period.end)
        spans.append((one, (one.start // MINUTE_US * MINUTE_US - MINUTE_US, until)))
    return spans


def _recoveries(service: Service, traffic: Traffic) -> list[Recovery]:
    """Return the backlog after each outage; a minute without a row has none."""
    if traffic.around is None or "waiting" not in traffic.around:
        return []
    at, backlog = traffic.around["at"], traffic.around["waiting"]
    found = []
    for one, (since, until) in _followed(service):
        assert one.end is not None
        minutes = np.arange(since, until, MINUTE_US, dtype=np.int64)
        first, last = np.searchsorted(at, [since, until]).tolist()
        waiting = np.zeros(len(minutes), dtype=np.int64)
        waiting[(at[first:last] - since) // MINUTE_US] = backlog[first:last]
        after = (minutes + MINUTE_US - one.end) // MINUTE_US  # a minute's backlog is that at its end
        gone = np.flatnonzero((after >= 0) & (waiting <= waiting[0]))
        at_end = waiting[after == 0]
        stop = int(gone[0]) + 1 if len(gone) else len(minutes)
        found.append(
            Recovery(
                one.ticket,
                one.start,
                one.end,
                one.planned,
                int(at_end[0]) if len(at_end) else 0,
                int(waiting[:stop].max(initial=0)),
                int(after[gone[0]]) if len(gone) else None,
                tuple(after[: stop + 5].tolist()),
                tuple(waiting[: stop + 5].tolist()),
            )
        )
    return found


def longest_of(service: Service) -> Incident | None:
    """Return the longest total, unplanned outage of the period."""
    end, outages = service.period.end, outages_of(service)
    return max((one.incident for one in outages), key=lambda one: one.lasted(end), default=None)


def around_longest(service: Service) -> tuple[int, int] | None:
    """Return the longest outage with some time before and after it (us)."""
    longest, period = longest_of(service), service.period
    if longest is None:
        return None
    start, end = longest.start, longest.end or period.end
    around = max(LEAST_AROUND_US, (end - start) // 6)
    return start - around, min(end + 2 * around, max(period.end, end))


def columns_of(rows: Any) -> dict[str, list[Any]]:
    """Convert structs to columns."""
    rows = list(rows)
    names = rows[0].__struct_fields__ if rows else ()
    return {name: [getattr(row, name) for row in rows] for name in names}
