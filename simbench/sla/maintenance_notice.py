"""Announcements of planned work (OPS-QOS-03, OPS-ENG-04), under the readings of AMB-04.

`classification` counts maintenance announced too late as unplanned.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from msgspec.structs import replace

from simbench.base.text import count
from simbench.base.units import DAY_US
from simbench.finding import Blame, Evidence, Outcome
from simbench.ledger.incidents import Incident
from simbench.rules.rule import Case, Verdict, rule
from simbench.sla.classification import CLIENT, Service, noticed_in_time, service_of, service_under

DAYS = {
    "ouvres": "working days (jours ouvrés)", "ouvrables": "jours ouvrables", "calendar": "days of 24 hours",
    "civil": "civil days",
}  # fmt: skip
_BREACHES = {"fail", "weak"}


@rule(
    "sla.maintenance-notice",
    "Planned work on the platform is announced the contract's number of days ahead",
    binds="platform",
    catches=("late-notice",),
    suites=("sla",),
)
def five_days(case: Case) -> Verdict:
    """Check each planned interruption by the operator that begins in the period."""
    days = case.contract.terms.quality.notice_days.value
    return _noticed(case, case.contract.operator, days, "platform", "quality.notice_days")


@rule(
    "sla.interruption-notice",
    "The client announces planned interruptions of its own equipment the contract's number of days ahead",
    catches=("client-late-notice",),
    suites=("sla",),
)
def client_five_days(case: Case) -> Verdict:
    """Check each planned interruption by the client that begins in the period."""
    days = case.contract.terms.quality.client_notice_days.value
    return _noticed(case, CLIENT, days, "client", "quality.client_notice_days")


def over_readings(case: Case, judged: Callable[[Service], Verdict]) -> Verdict:
    """Judge the service level; a breach that only the assumed reading of a day of notice makes is weak.

    Work announced too late counts as unplanned, so the reading may decide on availability and restoration as well.
    """
    contract, service = case.contract, service_of(case)
    found = judged(service)
    assumed = contract.assumed("notice-days")
    if not assumed or found.outcome == "inconclusive" or not any(one.incident.planned for one in service.counted):
        return found
    breach = found.outcome in _BREACHES
    differing = []
    for name in contract.ambiguity("notice-days").readings:
        other = service_under(case, name)
        outcome = judged(other).outcome if other.counted != service.counted else found.outcome
        if outcome != "inconclusive" and (outcome in _BREACHES) != breach:
            differing.append(DAYS.get(name, name))
    if not differing:
        return found
    summary = (
        f"{found.summary}; would {'pass' if breach else 'fail'} if notice were counted in {' or '.join(differing)}"
    )
    return replace(found, outcome="weak" if breach else "pass", summary=summary, assumed=(*found.assumed, *assumed))


def planned_by(service: Service, whose: str) -> list[Incident]:
    """Return the planned interruptions of one party that begin in the period."""
    found = (one.incident for one in service.counted if one.incident.planned)
    return [
        one for one in found if one.attributed_to == whose and service.period.start <= one.start < service.period.end
    ]


def _noticed(case: Case, whose: str, days: int, blame: Blame, term: str) -> Verdict:
    """Return a fail if an announcement is late under every reading; a weak one if it is under the assumed reading only.

    If the number of days is itself assumed, only work that was not announced at all fails.
    """
    contract = case.contract
    planned = planned_by(service_of(case), whose)
    if not planned:
        return Verdict("unsupported", "no planned interruption", None, days, "days")
    readings = contract.ambiguity("notice-days").readings
    late = [one for one in planned if not noticed_in_time(one, contract)]
    by_reading = {name: [one for one in planned if not noticed_in_time(one, contract, name)] for name in readings}
    ahead = [(one.start - one.announced_at) / DAY_US for one in planned if one.announced_at is not None]
    measured = min(ahead, default=0.0) if len(ahead) == len(planned) else 0.0
    parts = [count(len(planned), "planned interruption")]
    unannounced = len(planned) - len(ahead)
    if unannounced:
        parts.append("without announcement" if unannounced == len(planned) else f"{unannounced} without announcement")
    else:
        parts.append(_announced(measured, shortest=len(planned) > 1))
    too_late = sum(one.announced_at is not None for one in late)
    if too_late:
        parts.append(f"{too_late} announced too late")
    if late and whose == contract.operator:
        parts.append("counted as unplanned")
    summary = ", ".join(parts)
    differing = [
        f"{len(found):,} would be late in {DAYS.get(name, name)}"
        for name, found in by_reading.items()
        if len(found) != len(late)
    ]
    if differing:
        summary += f" ({', '.join(differing)})"
    assumed = contract.assumed(term, *(("notice-days",) if differing else ()))
    if not late:
        return Verdict("pass", summary, measured, days, "days", "", assumed)
    surely = all(by_reading.values()) and (unannounced > 0 or not contract.assumed(term))
    evidence = tuple(Evidence(f"{one.ticket}: {_ahead(one)}", one.start, one.end or one.start) for one in late)
    outcome: Outcome = "fail" if surely or not assumed else "weak"
    return Verdict(outcome, summary, measured, days, "days", blame, assumed, evidence)


def _ahead(one: Incident) -> str:
    if one.announced_at is None:
        return "no announcement is known"
    return _announced((one.start - one.announced_at) / DAY_US)


def _announced(days: float, *, shortest: bool = False) -> str:
    """Write how long before the start (days) an interruption was announced, truncated: 4.999 is not 5 days."""
    cut = math.floor(abs(days) * 1000) / 1000 if days >= 0 else math.ceil(abs(days) * 1000) / 1000
    size = f"{cut:.3f}".rstrip("0").rstrip(".")
    unit = "day" if size == "1" else "days"
    if days < 0:
        return f"announced {size} {unit} after the start"
    return f"announced {'at least ' if shortest else ''}{size} {unit} ahead"
