"""Classification of incidents: which ones count against the service level, as which class, and why.

The contract says in which days notice is counted, and whether an outage of one platform of several is total. Incidents
that the operator did not cause do not count; maintenance announced too late counts as unplanned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from simbench.contract import Contract
from simbench.ledger.incidents import PLATFORM, Incident, Period, incidents_of, named_operator, period_of
from simbench.rules.rule import Case

Class = Literal["unplanned", "planned", "partial", "excluded"]

VARIANTS_OF: dict[Class, tuple[str, ...]] = {
    "unplanned": ("V1", "V2", "V3", "V4"),
    "planned": ("V2", "V3"),
    "partial": ("V4",),
    "excluded": (),
}
"""The variants of availability that each class affects; in V3 planned time is left out of the window."""

CLIENT = "client"
PLATFORM_OF_SEVERAL = f"{PLATFORM}:"  # prefix of the subject of one platform of several
OVERRUN = " (overrun)"  # after the ticket: the part of announced work beyond its announced end
ROUNDED = 0.005  # rounding error of a share written with two decimals


class Counted(msgspec.Struct, frozen=True):
    """An incident, the class it counts as, and the reason. `late`: announced, but too late."""

    incident: Incident
    counted_as: Class
    why: str
    late: bool = False

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants of availability it affects."""
        return VARIANTS_OF[self.counted_as]


class Service(msgspec.Struct, frozen=True):
    """Input of the rules on the service level: the judged period and its incidents, including those of the history."""

    period: Period
    counted: tuple[Counted, ...]

    def of(self, *classes: Class) -> tuple[Counted, ...]:
        """Return the incidents of some classes that touch the period, by start."""
        start, end = self.period.start, self.period.end
        return tuple(one for one in self.counted if one.counted_as in classes and one.incident.touches(start, end))


def service_of(case: Case) -> Service:
    """Return the period and the classified incidents of a run, computed once per case.

    If the ledger records no period, the span of the ledger is the period.
    """
    return case.once(_service_of)


def service_under(case: Case, days: str) -> Service:
    """Return the same period with the incidents classified under another reading of a day of notice (AMB-04)."""
    return _service_of(case, days)


def _service_of(case: Case, days: str = "") -> Service:
    events = case.trace.events
    period = period_of(events) or Period(*case.trace.span, case.trace.span[0])
    return Service(period, counted(incidents_of(events), case.contract, days))


def counted(incidents: Iterable[Incident], contract: Contract, days: str = "") -> tuple[Counted, ...]:
    """Return every incident with its class, by start; an outage of all platforms at once counts as one incident.

    `days`: another reading of AMB-04 than the contract's.
    """
    found = [
        _counted(part, contract, days)
        for one in sorted(incidents, key=lambda one: (one.start, one.ticket))
        for part in _parts(named_operator(one, contract.operator), contract, days)
    ]
    if contract.reading("several-platforms") == "all_down":
        several = [one for one in found if one.incident.subject.startswith(PLATFORM_OF_SEVERAL)]
        found += _all_down(several, contract.operator)
    # Sorted again: the overrun of announced work begins later than an incident that began during that work.
    return tuple(sorted(found, key=lambda one: (one.incident.start, one.incident.ticket)))


def _parts(incident: Incident, contract: Contract, days: str) -> tuple[Incident, ...]:
    """Return an incident, or its announced part and its overrun; the overrun counts as unplanned."""
    until = incident.announced_end
    if not incident.planned or until is None or not incident.start < until:
        return (incident,)
    if (incident.end is not None and incident.end <= until) or not noticed_in_time(incident, contract, days):
        return (incident,)
    over = replace(
        incident,
        ticket=incident.ticket + OVERRUN,
        start=until,
        planned=False,
        announced_at=None,
        announced_end=None,
    )
    return replace(incident, end=until), over


def _all_down(partial: Sequence[Counted], operator: str) -> list[Counted]:
    """Return the periods in which all platforms were down: their shares add up to 1, apart from rounding.

    Such a period is planned if all its incidents are planned and announced. It is attributed to the operator if all its
    incidents are.
    """
    edges: list[tuple[int, bool, int]] = []
    for place, one in enumerate(partial):
        if one.incident.attributed_to == operator and one.incident.scope == "partial":
            edges.append((one.incident.start, True, place))
            edges += [] if one.incident.end is None else [(one.incident.end, False, place)]
    found: list[Counted] = []
    down: set[int] = set()
    since: int | None = None
    for at, begins, place in sorted(edges):  # at the same instant, an end precedes a beginning
        if since is not None and at > since:
            found.append(_together([partial[one] for one in sorted(down)], since, at))
        down = down | {place} if begins else down - {place}
        since = at if _is_whole(partial[one].incident for one in down) else None
    if since is not None:
        found.append(_together([partial[one] for one in sorted(down)], since, None))
    return found


def _is_whole(incidents: Iterable[Incident]) -> bool:
    """Tell whether the shares of several platforms add up to 1; a third may be written as 0.33."""
    shares: dict[str, float] = {}
    for one in incidents:
        shares[one.subject] = max(one.share, shares.get(one.subject, 0.0))
    return len(shares) > 1 and sum(shares.values()) >= 1 - ROUNDED * len(shares)


def _together(parts: Sequence[Counted], start: int, end: int | None) -> Counted:
    planned = all(one.incident.planned and not one.late for one in parts)
    noticed = [one.incident.noticed_at for one in parts if one.incident.noticed_at is not None]
    names = ", ".join(dict.fromkeys(one.incident.subject.removeprefix(PLATFORM_OF_SEVERAL) for one in parts))
    whole = msgspec.structs.replace(
        parts[0].incident, ticket="+".join(one.incident.ticket for one in parts), start=start, end=end, scope="total",
        share=1.0, subject=PLATFORM, planned=planned, noticed_at=max(noticed, default=None),
    )  # fmt: skip
    why = f"all platforms were down at once: {names}"
    return Counted(whole, "planned" if planned else "unplanned", why, any(one.late for one in parts))


def noticed_in_time(incident: Incident, contract: Contract, reading: str = "") -> bool:
    """Tell whether an incident was announced the required number of days ahead, under a reading of AMB-04."""
    quality = contract.terms.quality
    days = (quality.notice_days if incident.attributed_to == contract.operator else quality.client_notice_days).value
    latest = contract.calendar.days_before(incident.start, days, reading or contract.reading("notice-days"))
    return incident.announced_at is not None and incident.announced_at <= latest


def whole(incident: Incident, contract: Contract) -> bool:
    """Tell whether the outage was total (AMB-14): of the whole platform, or of one of several under "any_down"."""
    one_platform = incident.subject == PLATFORM or incident.subject.startswith(PLATFORM_OF_SEVERAL)
    return incident.scope == "total" or (one_platform and contract.reading("several-platforms") == "any_down")


def _counted(incident: Incident, contract: Contract, days: str = "") -> Counted:
    if incident.attributed_to != contract.operator:
        return Counted(incident, "excluded", _excluded(incident.attributed_to, contract.party("operator").name))
    total = whole(incident, contract)
    if incident.planned and noticed_in_time(incident, contract, days):
        if total:
            return Counted(incident, "planned", "announced in time")
        return Counted(incident, "excluded", "partial and announced in time")
    late = incident.planned
    why = "total, not announced" if total else f"partial, {incident.share:.0%} of the platform, not announced"
    if late:
        reason = "no announcement is known" if incident.announced_at is None else "announced too late"
        why = f"{'total' if total else 'partial'}, {reason}: counts as unplanned"
    return Counted(incident, "unplanned" if total else "partial", why, late)


def _excluded(party: str, operator: str) -> str:
    """Return the reason why an incident that is not attributed to the operator does not count."""
    return f"caused by {party}, not by {operator}" if party else f"attributed to nobody, so not to {operator}"
