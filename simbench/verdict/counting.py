"""Which incidents count against the service level, as what, and why. Measures no time.

Readings: AMB-04 (days of a notice), AMB-14 (one platform of several). What somebody else than Orange caused does not
count; what was announced too late counts as unplanned (OPS-QOS-03).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from simbench.contract import Contract
from simbench.contract.calendar import days_before
from simbench.incident import PLATFORM, Incident, Period, incidents_of, period_of
from simbench.verdict.rule import Case

Class = Literal["unplanned", "planned", "partial", "excluded"]

VARIANTS_OF: dict[Class, tuple[str, ...]] = {
    "unplanned": ("V1", "V2", "V3", "V4"),
    "planned": ("V2", "V3"),
    "partial": ("V4",),
    "excluded": (),
}
"""In which variants of availability a class of incident is felt; in V3 planned time leaves the window itself."""

ORANGE, CLIENT = "orange", "client"


class Counted(msgspec.Struct, frozen=True):
    """An incident, the class it counts as, and the reason in one sentence. `late`: announced, but too late."""

    incident: Incident
    klass: Class
    why: str
    late: bool = False

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants of availability it is felt in."""
        return VARIANTS_OF[self.klass]


class Service(msgspec.Struct, frozen=True):
    """What rules on the service level see: the period judged and its incidents, those of the history included."""

    period: Period
    counted: tuple[Counted, ...]

    def of(self, *classes: Class) -> tuple[Counted, ...]:
        """Those of some classes that touch the period, by start."""
        return tuple(
            one
            for one in self.counted
            if one.klass in classes
            and one.incident.start < self.period.end
            and (one.incident.end is None or one.incident.end > self.period.start)
        )


def service_of(case: Case) -> Service:
    """The period and the counted incidents of a run; a story that says no period begins and ends with its ledger."""
    story = list(case.reading.story.rows())
    period = period_of(story) or Period(*case.reading.span, case.reading.span[0])
    return Service(period, counted(incidents_of(story), case.contract))


def counted(incidents: Iterable[Incident], contract: Contract) -> tuple[Counted, ...]:
    """Every incident with the class it counts as, by start."""
    return tuple(_counted(one, contract) for one in sorted(incidents, key=lambda one: (one.start, one.ticket)))


def noticed_in_time(incident: Incident, contract: Contract, reading: str = "") -> bool:
    """Whether an announcement reached the other party so many days ahead, under a reading of AMB-04."""
    quality = contract.terms.quality
    days = (quality.notice_days if incident.attributed_to == ORANGE else quality.client_notice_days).value
    latest = days_before(incident.start, days, reading or contract.reading("AMB-04"))
    return incident.announced_at is not None and incident.announced_at <= latest


def whole(incident: Incident, contract: Contract) -> bool:
    """Whether the service was down altogether (AMB-14): the whole platform was, or under "any_down" one of several."""
    one_platform = incident.subject == PLATFORM or incident.subject.startswith(f"{PLATFORM}:")
    return incident.scope == "total" or (one_platform and contract.reading("AMB-14") == "any_down")


def _counted(incident: Incident, contract: Contract) -> Counted:
    if incident.attributed_to != ORANGE:
        return Counted(incident, "excluded", f"caused by {incident.attributed_to or 'nobody named'}, not by Orange")
    total = whole(incident, contract)
    if incident.planned and noticed_in_time(incident, contract):
        if total:
            return Counted(incident, "planned", "announced in time")
        return Counted(incident, "excluded", "partial and announced in time")
    late = incident.planned
    why = "total, not announced" if total else f"partial, {incident.share:.0%} of the platform, not announced"
    if late:
        told = "no notice is known" if incident.announced_at is None else "announced too late"
        why = f"{'total' if total else 'partial'}, {told}: counts as unplanned"
    return Counted(incident, "unplanned" if total else "partial", why, late)
