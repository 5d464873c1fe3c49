"""Incidents: interruptions of the platform or a part of it, and the events that record them.

An announced incident is maintenance; a rule decides whether it was announced in time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from simbench.base.errors import BadInput
from simbench.ledger.events import At, EventRow, MaintenanceBegan, OutageBegan, PeriodCovered, Restored, row_of

Scope = Literal["total", "partial"]

PLATFORM = "platform"
PART = "part"  # the subject of a partial outage that names none
TOTAL = "total"  # the subject of events about the whole platform, as the live server writes it
BEGINS = {False: "outage", True: "maintenance"}
ENDS = "restored"
PERIOD = "period"
OPERATOR = "operator"  # the operator of the platform; the contract has the name


class Incident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One interruption, [start, end). Instants in microseconds, UTC; `end` is None while it lasts.

    `share` is the share of the platform that is down, 0 to 1. `subject` is "platform", one platform of several
    ("platform:north"), a short code or a link. `announced_at` is when the announcement, with the end `announced_end`,
    reached the other party; `noticed_at` is when the ticket was opened. `attributed_to` is the party that caused it:
    the operator, by its token or as "operator", "client", or another.
    """

    ticket: str
    start: int
    end: int | None = None
    scope: Scope = "total"
    share: float = 1.0
    subject: str = PLATFORM
    planned: bool = False
    announced_at: int | None = None
    noticed_at: int | None = None
    attributed_to: str = OPERATOR
    cause: str = ""
    announced_end: int | None = None

    def lasted(self, until: int) -> int:
        """Return how long the incident lasted (us), up to `until` while it is open."""
        return (self.end or until) - self.start

    def touches(self, start: int, end: int) -> bool:
        """Tell whether any of the incident is in [start, end)."""
        return self.start < end and (self.end is None or self.end > start)


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The period to judge, [start, end); every incident is known from `known_from` on (microseconds, UTC)."""

    start: int
    end: int
    known_from: int


def named_operator(incident: Incident, operator: str) -> Incident:
    """Return the incident with the operator's token if it is attributed to "operator"."""
    if incident.attributed_to != OPERATOR:
        return incident
    return msgspec.structs.replace(incident, attributed_to=operator)


_STATED = ("ticket", "scope", "share", "announced_at", "announced_end", "noticed_at", "attributed_to", "cause")


def incident_rows(incident: Incident) -> list[EventRow]:
    """Return the rows of an incident: "outage" or "maintenance", and "restored" if it has ended.

    Each row has its own instant, so the rows of several incidents must be sorted before they are written.
    """
    subject = TOTAL if incident.scope == "total" and incident.subject == PLATFORM else incident.subject
    kind = MaintenanceBegan if incident.planned else OutageBegan
    stated = {name: getattr(incident, name) for name in _STATED}
    rows = [row_of(incident.start, kind(subject, incident.end if incident.planned else None, **stated))]
    if incident.end is not None:
        rows.append(row_of(incident.end, Restored(subject, ticket=incident.ticket)))
    return rows


def incidents_of(events: Iterable[At]) -> tuple[Incident, ...]:
    """Return the incidents that events record, by start.

    Events of the live server name no ticket: their incidents are numbered; "total" is the platform, any other subject a
    part whose unknown share is counted as 1. An end without a beginning is left out, and so is a second beginning of a
    subject that is already down.
    """
    found: list[Incident] = []
    since: dict[tuple[str, str], int] = {}  # subject and ticket ("" if none) -> index in `found`
    for at, event in events:
        match event:
            case OutageBegan() | MaintenanceBegan() if (event.subject, event.ticket) not in since:
                since[event.subject, event.ticket] = len(found)
                found.append(_begun(at, event, event.ticket or f"I{len(found) + 1:04}"))
            case Restored() if (event.subject, event.ticket) in since:
                place = since.pop((event.subject, event.ticket))
                found[place] = msgspec.structs.replace(found[place], end=at)
    return tuple(sorted(found, key=lambda one: (one.start, one.ticket)))


def period_row(period: Period) -> EventRow:
    """Return the row for the period that events cover completely; without it they cover that of their ledger."""
    return row_of(period.start, PeriodCovered(period.end, period.known_from))


def period_of(events: Iterable[At]) -> Period | None:
    """Return the period that events cover, None if they do not give it."""
    for at, event in events:
        if isinstance(event, PeriodCovered):
            return Period(at, event.until, event.known_from)
    return None


def check_incidents(incidents: Iterable[Incident], place: str, error: type[BadInput] = BadInput) -> None:
    """Raise `error` for an end not after its start, a share outside 0 to 1, or two incidents of one subject at once.

    A total incident overlaps with incidents of every subject.
    """
    ordered = sorted(incidents, key=lambda one: (one.start, one.ticket))
    latest: dict[str, Incident] = {}
    for one in ordered:
        named = f"{place}: incident {one.ticket}"
        if one.end is not None and one.end <= one.start:
            raise error(named, "ends before it starts" if one.end < one.start else "ends as it starts", "a later end")
        if not 0 < one.share <= 1:
            raise error(named, f"has a share of {one.share}", "more than 0 and at most 1")
        others = (
            latest.values() if one.scope == "total" else [latest[key] for key in (one.subject, TOTAL) if key in latest]
        )
        for other in others:
            if other.end is None or one.start < other.end:
                raise error(named, f"begins while {other.ticket} lasts", "incidents of one subject one after another")
        key = TOTAL if one.scope == "total" else one.subject
        before = latest.get(key)
        if before is None or before.end is not None:
            latest[key] = one


def _begun(at: int, event: OutageBegan | MaintenanceBegan, ticket: str) -> Incident:
    whole = event.subject == TOTAL
    incident = Incident(
        ticket=ticket,
        start=at,
        scope=event.scope or ("total" if whole else "partial"),
        share=1.0 if event.share is None else event.share,
        subject=PLATFORM if whole else event.subject,
        planned=isinstance(event, MaintenanceBegan),
        announced_at=event.announced_at,
        announced_end=event.announced_end,
        noticed_at=event.noticed_at,
        cause=event.cause,
    )
    if event.attributed_to is None:
        return incident
    return msgspec.structs.replace(incident, attributed_to=event.attributed_to)
