"""Restoration (OPS-QOS-02): how long each total, unplanned outage lasted. Counts no availability.

The clock runs from the failure itself; the brochure does not say whether a ticket starts it, so a verdict that this
would change says so.
"""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from simbench.base.units import HOUR_US
from simbench.finding import Evidence
from simbench.rules.rule import Case, Judged, missed, rule
from simbench.sla.classification import Counted, Service, service_of
from simbench.sla.rolling_window import Instants

UNIT = "h"


def restoration_times(service: Service) -> tuple[Instants, NDArray[np.float64], tuple[str, ...]]:
    """Starts (us), hours until restoration, and tickets of the total unplanned outages of the period.

    One that still lasts has the hours up to the period's end.
    """
    outages = outages_of(service)
    starts = np.array([one.incident.start for one in outages], dtype=np.int64)
    ends = np.array([one.incident.end or service.period.end for one in outages], dtype=np.int64)
    return starts, (ends - starts) / HOUR_US, tuple(one.incident.ticket for one in outages)


def outages_of(service: Service) -> tuple[Counted, ...]:
    """The total unplanned outages that touch the period, those that touch or overlap as one: nothing was restored.

    An outage keeps what of it lies before or after the period. Its ticket names all of theirs, joined by "+".
    """
    found: list[Counted] = []
    for one in service.counted:
        if one.klass != "unplanned":
            continue
        before = found[-1] if found else None
        if before is None or (before.incident.end is not None and before.incident.end < one.incident.start):
            found.append(one)
            continue
        ends = (before.incident.end, one.incident.end)
        joined = replace(
            before.incident,
            ticket=_joined(before.incident.ticket, one.incident.ticket),
            end=None if None in ends else max(end for end in ends if end is not None),
        )
        found[-1] = replace(before, incident=joined)
    return replace(service, counted=tuple(found)).of("unplanned")


def _joined(*tickets: str) -> str:
    return "+".join(dict.fromkeys(name for ticket in tickets for name in ticket.split("+")))


def restored_within(one: Counted, limit_us: int, until: int) -> bool | None:
    """Whether an outage ended within the limit; None while it lasts and may still."""
    incident = one.incident
    if incident.end is not None:
        return incident.end - incident.start <= limit_us
    return False if until - incident.start > limit_us else None


@rule(
    "OPS-QOS-02/six-hours",
    "Every total, unplanned outage is over within the hours promised",
    binds="platform",
    catches=("seven-hours",),
    suites=("sla",),
)
def six_hours(case: Case) -> Judged:
    """Each outage that ends or lasts in the period, by the instants of its ticket."""
    service = service_of(case)
    limit_h = case.contract.terms.quality.restoration_h.value
    limit, end = limit_h * HOUR_US, service.period.end
    if end <= service.period.start:
        return Judged("inconclusive", "the story tells no period of time", blame="bench")
    outages = outages_of(service)
    if not outages:
        return Judged("pass", "no total, unplanned outage", 0, limit_h, UNIT)
    _, hours, tickets = restoration_times(service)
    longest = int(np.argmax(hours))
    told = f"{len(outages)} total, unplanned outages, the longest {tickets[longest]} with {_clock(hours[longest])}"
    late = [one for one in outages if restored_within(one, limit, end) is False]
    unsure = [one for one in outages if _too_near(one, limit, case) or restored_within(one, limit, end) is None]
    certain = [one for one in late if one not in unsure]
    if certain:
        told += f"; {len(certain)} lasted more than {limit_h} h"
        by_ticket = [one for one in certain if _in_time_since_noticed(one, limit)]
        assumed = ("the clock starts with the failure",) if len(by_ticket) == len(certain) else ()
        if by_ticket:
            told += f" ({len(by_ticket)} of them not, counted from the ticket)"
        evidence = tuple(
            Evidence(f"{one.incident.ticket}: {one.why}", one.incident.start, one.incident.end or end)
            for one in certain
        )
        outcome = missed(case.contract, "quality.restoration_h")
        return Judged(outcome, told, float(hours[longest]), limit_h, UNIT, "platform", assumed, evidence)
    if unsure:
        told += f"; {len(unsure)} still last or are known no better than the margin"
        return Judged("inconclusive", told, float(hours[longest]), limit_h, UNIT, "bench")
    return Judged("pass", told, float(hours[longest]), limit_h, UNIT)


def _too_near(one: Counted, limit: int, case: Case) -> bool:
    """Whether its length differs from the limit by less than its ends are known to."""
    incident = one.incident
    if incident.end is None:
        return False
    grain = case.reading.local_grain(incident.start, incident.end)
    return grain > 0 and abs(incident.end - incident.start - limit) < grain


def _in_time_since_noticed(one: Counted, limit: int) -> bool:
    noticed, end = one.incident.noticed_at, one.incident.end
    return noticed is not None and end is not None and end - noticed <= limit


def _clock(hours: float) -> str:
    minutes, seconds = divmod(int(round(hours * 3600, 3)), 60)
    rest = f" min {seconds:02} s" if seconds else ""
    return f"{minutes // 60} h {minutes % 60:02}{rest}"
