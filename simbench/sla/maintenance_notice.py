"""Notice of planned work (OPS-QOS-03, OPS-ENG-04), with the readings of AMB-04. What a late notice costs is counted
elsewhere.
"""  # fmt: skip

from __future__ import annotations

from simbench.base.units import DAY_US
from simbench.finding import Blame, Evidence, Outcome
from simbench.ledger.incidents import Incident
from simbench.rules.rule import Case, Judged, rule
from simbench.sla.classification import CLIENT, ORANGE, Service, noticed_in_time, service_of


@rule(
    "OPS-QOS-03/five-days",
    "Planned work on the platform is announced so many days ahead",
    binds="platform",
    catches=("late-notice",),
    suites=("sla",),
)
def five_days(case: Case) -> Judged:
    """Each planned interruption of Orange's that begins in the period."""
    days = case.contract.terms.quality.notice_days.value
    return _noticed(case, ORANGE, days, "platform", "quality.notice_days")


@rule(
    "OPS-ENG-04/five-days",
    "The client announces planned interruptions of its own equipment so many days ahead",
    catches=("client-late-notice",),
    suites=("sla",),
)
def client_five_days(case: Case) -> Judged:
    """Each planned interruption of the client's that begins in the period."""
    days = case.contract.terms.quality.client_notice_days.value
    return _noticed(case, CLIENT, days, "client", "quality.client_notice_days")


def planned_by(service: Service, whose: str) -> list[Incident]:
    """Planned interruptions of one party that begin in the period."""
    found = (one.incident for one in service.counted if one.incident.planned)
    return [
        one for one in found if one.attributed_to == whose and service.period.start <= one.start < service.period.end
    ]


def _noticed(case: Case, whose: str, days: int, blame: Blame, term: str) -> Judged:
    """Fails where every reading finds a notice late; weak where only the assumed one does."""
    contract = case.contract
    planned = planned_by(service_of(case), whose)
    if not planned:
        return Judged("unsupported", "nothing was planned", None, days, "days")
    readings = contract.ambiguities["AMB-04"].readings
    late = [one for one in planned if not noticed_in_time(one, contract)]
    by_reading = {name: [one for one in planned if not noticed_in_time(one, contract, name)] for name in readings}
    ahead = [(one.start - one.announced_at) / DAY_US for one in planned if one.announced_at is not None]
    measured = min(ahead, default=0.0) if len(ahead) == len(planned) else 0.0
    told = f"{len(planned)} planned, announced at least {measured:.2f} days ahead"
    if len(ahead) < len(planned):
        told = f"{len(planned)} planned, {len(planned) - len(ahead)} without any notice"
    differing = [f"{len(found)} late by {name}" for name, found in by_reading.items() if len(found) != len(late)]
    if differing:
        told += f" ({', '.join(differing)})"
    assumed = contract.assumed(term, *(("AMB-04",) if differing else ()))
    if not late:
        return Judged("pass", told, measured, days, "days", "", assumed)
    told += f"; {len(late)} too late, so counted as unplanned" if whose == ORANGE else f"; {len(late)} too late"
    surely = all(by_reading.values())
    evidence = tuple(Evidence(f"{one.ticket}: {_ahead(one)}", one.start, one.end or one.start) for one in late)
    outcome: Outcome = "fail" if surely or not assumed else "weak"
    return Judged(outcome, told, measured, days, "days", blame, assumed, evidence)


def _ahead(one: Incident) -> str:
    if one.announced_at is None:
        return "no notice is known"
    return f"announced {(one.start - one.announced_at) / DAY_US:.2f} days ahead"
