"""Restoration (OPS-QOS-02): how long each total, unplanned outage lasted.

Time counts from the failure itself. The brochure leaves open whether it counts from the ticket; a verdict that depends
on this names the assumption.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from simbench.base.text import count
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.finding import Evidence
from simbench.ledger.incidents import PART, Incident
from simbench.rules.rule import Case, Verdict, missed, rule
from simbench.sla.classification import Class, Counted, Service, service_of
from simbench.sla.maintenance_notice import over_readings
from simbench.sla.purposes import RESTORATION
from simbench.sla.rolling_window import Instants

UNIT = "h"


def restoration_times(service: Service) -> tuple[Instants, NDArray[np.float64], tuple[str, ...]]:
    """Return starts (us), hours until restoration, and tickets of the total unplanned outages of the period.

    For an open outage, hours count up to the period's end.
    """
    outages = outages_of(service)
    starts = np.array([one.incident.start for one in outages], dtype=np.int64)
    lasted = np.array([one.incident.lasted(service.period.end) for one in outages], dtype=np.int64)
    return starts, lasted / HOUR_US, tuple(one.incident.ticket for one in outages)


def outages_of(service: Service) -> tuple[Counted, ...]:
    """Return the total unplanned outages that touch the period; adjoining or overlapping ones count as one.

    An outage keeps its parts before and after the period. A merged outage has all tickets joined by "+", opened at the
    time of the first.
    """
    return replace(service, counted=joined(service.counted)).of("unplanned")


def joined(counted: Iterable[Counted], counted_as: Class = "unplanned") -> tuple[Counted, ...]:
    """Return the incidents of a class, by start; adjoining or overlapping ones are merged and named by all tickets."""
    found: list[Counted] = []
    for one in counted:
        if one.counted_as != counted_as:
            continue
        before = found[-1] if found else None
        if before is None or (before.incident.end is not None and before.incident.end < one.incident.start):
            found.append(one)
            continue
        ends = (before.incident.end, one.incident.end)
        whole = replace(
            before.incident,
            ticket=_joined(before.incident.ticket, one.incident.ticket),
            noticed_at=min(ticketed_at(before.incident), ticketed_at(one.incident)),
            end=None if None in ends else max(end for end in ends if end is not None),
        )
        found[-1] = replace(before, incident=whole)
    return tuple(found)


def ticketed_at(incident: Incident) -> int:
    """Return when the ticket of an incident was opened (us); by default at its start."""
    return max(incident.start, incident.noticed_at if incident.noticed_at is not None else incident.start)


def _joined(*tickets: str) -> str:
    return "+".join(dict.fromkeys(name for ticket in tickets for name in ticket.split("+")))


def restored_within(one: Counted, limit_us: int, until: int) -> bool | None:
    """Tell whether an outage ended within the limit; None while it is open and below the limit."""
    incident = one.incident
    if incident.end is not None:
        return incident.end - incident.start <= limit_us
    return False if until - incident.start > limit_us else None


def _evidence(late: Iterable[Counted], end: int) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(f"{one.incident.ticket}: {one.why}", one.incident.start, one.incident.end or end) for one in late
    )


@rule(
    RESTORATION,
    "The service is restored within the contract's hours after every total, unplanned outage",
    binds="platform",
    catches=("seven-hours",),
    suites=("sla",),
)
def six_hours(case: Case) -> Verdict:
    """Check each outage that touches the period, by the instants of its ticket; partial ones if they have a limit."""
    period = service_of(case).period
    if period.end <= period.start:
        return Verdict("inconclusive", "the run covers no period", blame="bench")
    return over_readings(case, lambda service: _judged(case, service))


def _judged(case: Case, service: Service) -> Verdict:
    total, partial = _total(case, service), case.contract.terms.quality.partial_restoration_h
    return total if partial is None else _with_partial(total, service, case, partial.value)


def _with_partial(total: Verdict, service: Service, case: Case, limit_h: int) -> Verdict:
    """Combine the verdict with that on partial outages, which have their own limit.

    Adjoining or overlapping ones of one subject count as one; those without a subject may be of different parts.
    """
    end, limit, partial = service.period.end, limit_h * HOUR_US, service.of("partial")
    named = _joined_by_subject(service, [one for one in partial if one.incident.subject != PART])
    unnamed = [one for one in partial if one.incident.subject == PART]
    together = _joined_by_subject(service, unnamed)
    late, perhaps = (
        [one for one in ones if restored_within(one, limit, end) is False] for ones in ([*named, *unnamed], together)
    )
    number = len(named) + len(unnamed)
    text = f"{total.summary}; no partial outage"
    if partial:
        text = f"{total.summary}; {count(number, 'partial outage')}, {len(late):,} lasted more than {limit_h} h"
    if late and total.outcome not in {"fail", "weak"}:
        longest = max(one.incident.lasted(end) for one in late) / HOUR_US
        outcome = missed(case.contract, "quality.partial_restoration_h")
        return Verdict(outcome, text, longest, limit_h, UNIT, "platform", (), _evidence(late, end))
    still_open = any(restored_within(one, limit, end) is None for one in (*named, *together))
    if total.outcome == "pass" and (perhaps or still_open):
        why = "adjoining ones that name no part may be one" if perhaps else "one is still open"
        return Verdict("inconclusive", f"{text}; {why}", total.measured, total.limit, UNIT, "bench")
    return msgspec.structs.replace(total, summary=text)


def _joined_by_subject(service: Service, partial: Iterable[Counted]) -> list[Counted]:
    """Return the partial outages of these outages' subjects that touch the period, joined by subject."""
    found: list[Counted] = []
    for subject in dict.fromkeys(one.incident.subject for one in partial):
        own = (one for one in service.counted if one.incident.subject == subject)
        found += replace(service, counted=joined(own, "partial")).of("partial")
    return found


def _total(case: Case, service: Service) -> Verdict:
    limit_h = case.contract.terms.quality.restoration_h.value
    limit, end = limit_h * HOUR_US, service.period.end
    outages = outages_of(service)
    if not outages:
        return Verdict("pass", "no total, unplanned outage", 0, limit_h, UNIT)
    _, hours, tickets = restoration_times(service)
    longest = int(np.argmax(hours))
    number = count(len(outages), "total, unplanned outage")
    summary = f"{number}, the longest {tickets[longest]} with {_clock(hours[longest])}"
    late = [one for one in outages if restored_within(one, limit, end) is False]
    unsure = [one for one in outages if _too_near(one, limit, case) or restored_within(one, limit, end) is None]
    certain = [one for one in late if one not in unsure]
    if certain:
        summary += f"; {len(certain):,} lasted more than {limit_h} h"
        by_ticket = [one for one in certain if _in_time_since_noticed(one, limit)]
        assumed = ("time counts from the failure",) if len(by_ticket) == len(certain) else ()
        if by_ticket:
            summary += f" ({len(by_ticket):,} of them would not if time counted from the ticket)"
        outcome = missed(case.contract, "quality.restoration_h")
        evidence = _evidence(certain, end)
        return Verdict(outcome, summary, float(hours[longest]), limit_h, UNIT, "platform", assumed, evidence)
    if unsure:
        summary += f"; {_unsure(unsure)}"
        return Verdict("inconclusive", summary, float(hours[longest]), limit_h, UNIT, "bench")
    return Verdict("pass", summary, float(hours[longest]), limit_h, UNIT)


def _too_near(one: Counted, limit: int, case: Case) -> bool:
    """Tell whether an outage's duration differs from the limit by less than the precision of its ends."""
    incident = one.incident
    if incident.end is None:
        return False
    late_us = case.trace.largest_timing_error(incident.start, incident.end)
    return late_us > 0 and abs(incident.end - incident.start - limit) < late_us


def _unsure(outages: list[Counted]) -> str:
    """Return why some outages have no verdict: still open, or closer to the limit than the precision of the times."""
    still_open = sum(one.incident.end is None for one in outages)
    near = len(outages) - still_open
    parts = [count(still_open, "is still open", "are still open")] if still_open else []
    if near:
        verb = "is" if near == 1 else "are"
        parts.append(f"{near} {verb} closer to the limit than the precision of the times")
    return ", ".join(parts)


def _in_time_since_noticed(one: Counted, limit: int) -> bool:
    end = one.incident.end
    return one.incident.noticed_at is not None and end is not None and end - ticketed_at(one.incident) <= limit


def _clock(hours: float) -> str:
    """Write hours as "6 h 00" or "6 h 00 min 00.5 s": a time just over a limit must not read as the limit."""
    minutes, microseconds = divmod(round(hours * HOUR_US), MINUTE_US)
    seconds = f"{microseconds / SECOND_US:09.6f}".rstrip("0").rstrip(".")
    rest = f" min {seconds} s" if microseconds else ""
    return f"{minutes // 60} h {minutes % 60:02}{rest}"
