"""Every incident of a period as one line: its class, the reason, and the time at which it leaves the window."""

from __future__ import annotations

import msgspec

from simbench.base.calendar import Calendar
from simbench.base.units import HOUR_US
from simbench.contract import Contract
from simbench.sla.availability import Year, year_of
from simbench.sla.classification import Counted, Service
from simbench.sla.restoration import outages_of, restored_within


class Ticket(msgspec.Struct, frozen=True):
    """One line of incidents.csv. Times are ISO 8601 in the contract's civil time, or empty."""

    ticket: str
    start: str
    end: str
    hours: float
    scope: str
    share: float
    subject: str
    planned: bool
    announced_at: str
    noticed_at: str
    restored_in_time: str
    attributed_to: str
    counted_as: str
    counted_in: str
    why: str
    leaves_window_at: str
    cause: str


def tickets(service: Service, contract: Contract) -> list[Ticket]:
    """Return all known incidents, including those of the history, by start."""
    year = year_of(service, contract)
    limit = contract.terms.quality.restoration_h.value * HOUR_US
    answers = {True: "yes", False: "no", None: "still lasts"}
    judged = {
        ticket: answers[restored_within(outage, limit, service.period.end)]
        for outage in outages_of(service)
        for ticket in outage.incident.ticket.split("+")
    }
    return [
        _ticket(one, year, contract.calendar, judged.get(one.incident.ticket, "not judged")) for one in service.counted
    ]


def _ticket(one: Counted, year: Year, calendar: Calendar, judged: str) -> Ticket:
    incident, until = one.incident, year.period.end
    leaves = year.windows.leaves(incident.end) if one.variants and incident.end is not None else None
    return Ticket(
        ticket=incident.ticket,
        start=moment(incident.start, calendar),
        end=moment(incident.end, calendar),
        hours=round(incident.lasted(max(until, incident.start)) / HOUR_US, 6),
        scope=incident.scope,
        share=incident.share,
        subject=incident.subject,
        planned=incident.planned,
        announced_at=moment(incident.announced_at, calendar),
        noticed_at=moment(incident.noticed_at, calendar),
        restored_in_time=judged,
        attributed_to=incident.attributed_to,
        counted_as=one.counted_as,
        counted_in=" ".join(one.variants),
        why=one.why,
        leaves_window_at=moment(leaves, calendar),
        cause=incident.cause,
    )


def moment(us: int | None, calendar: Calendar) -> str:
    """Write an instant as ISO 8601 with its offset, without a fraction if it is a whole second; empty for none."""
    return "" if us is None else calendar.iso(us)
