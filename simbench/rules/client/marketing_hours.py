"""Rules on the hours in which marketing may be sent and delivered (OPS-PRO-03), by the contract's calendar.

The bench measures the client's clock. A message outside the hours by the platform's clock but within them by a time the
client's clock may have shown is inconclusive.
"""

from __future__ import annotations

from collections.abc import Iterable

from simbench.base.text import count
from simbench.finding import Outcome
from simbench.ledger.stimuli import Request
from simbench.rules.client.client_clock import believed, prove
from simbench.rules.client.deferral import due
from simbench.rules.evidence import first_frames
from simbench.rules.requests import MARKETING, sends, wholes
from simbench.rules.rule import Case, RuleFunction, Verdict, none_wrong, rule

SPECIAL = "special"  # the trait of messages under the clause's "cas particuliers"
READINGS = ("regional-holidays", "closing-second")


def allowed(case: Case, at: int) -> bool:
    """Return whether marketing may be sent at an instant, in the contract's readings."""
    return case.contract.may_send(MARKETING, at)


def figures(case: Case) -> tuple[str, ...]:
    """Return the terms of the contract for the hours; none if it has no hours."""
    return tuple(f"hours.{MARKETING}.{name}" for name in ("opens_at_h", "closes_at_h", "days")) * (
        MARKETING in case.contract.terms.hours
    )


def hours_missed(case: Case, instants: Iterable[int]) -> Outcome:
    """Return the outcome of marketing at these instants: fail, or weak if each breaks only figures that we assume."""
    broken = (case.contract.hours_broken(MARKETING, at) for at in instants)
    return "fail" if any(len(case.contract.assumed(*names)) < len(names) for names in broken) else "weak"


def _bound(one: Request) -> bool:
    return one.traffic_class == MARKETING and SPECIAL not in one.traits


def in_hours(case: Case) -> Verdict:
    """Check that marketing requested outside the hours was not sent outside them."""
    assumed = case.contract.assumed(*figures(case), *READINGS)
    forbidden = [one for one in sends(case).values() if _bound(one) and not allowed(case, one.at)]
    if not forbidden:
        return Verdict("inconclusive", "no marketing outside the hours was requested", blame="bench")
    proof = prove(case)
    sent = [one for one in wholes(case) if one.asked is not None and _bound(one.asked)]
    outside = [one for one in sent if not allowed(case, one.at)]
    wrong = [one for one in outside if not any(allowed(case, at) for at in believed(proof, one.at))]
    summary = (
        f"{count(len(forbidden), 'marketing message')} requested outside the hours; "
        f"{len(outside):,} of {len(sent):,} sent outside them"
    )
    if wrong:
        at = case.contract.calendar.civil(wrong[0].at).strftime("%A %d %B %Y, %H:%M:%S")
        evidence = first_frames("marketing outside the hours", wrong)
        summary, outcome = f"{summary}, the first on {at}", hours_missed(case, (one.at for one in wrong))
        open_ = case.contract.assumed("hours-bind")  # a contract that states what the hours bind leaves no doubt
        if open_ and all(allowed(case, due(case, one.at, one.frame)) for one in wrong):
            summary, outcome = f"{summary}; all are deferred to within the hours", "weak"
            assumed += open_
        return Verdict(outcome, summary, len(wrong), 0, "messages", "client", assumed, evidence)
    if outside:
        evidence = first_frames("outside the hours, but perhaps within them by the client's clock", outside)
        return Verdict("inconclusive", summary, len(outside), 0, "messages", "bench", assumed, evidence)
    if not sent:
        return Verdict(
            "inconclusive", f"{summary}; the client sent no marketing at all", blame="client", assumed=assumed
        )
    return Verdict("pass", summary, 0, 0, "messages", "", assumed)


PLACES = {
    "morning-edge": ("The client sends no marketing before the hours begin", ("opens-early", "ignores-quiet-hours")),
    "evening-edge": ("The client sends no marketing after the hours end", ("closes-late", "ignores-quiet-hours")),
    "sundays": ("The client sends no marketing on a Sunday", ("works-on-sundays", "ignores-quiet-hours")),
    "holidays": (
        "The client sends no marketing on public holidays",
        ("works-on-holidays", "ignores-quiet-hours"),
    ),
    "summer-time": (
        "After the change to summer time the client keeps the hours in summer time",
        ("keeps-winter-time",),
    ),
    "winter-time": (
        "After the change to winter time the client keeps the hours in winter time",
        ("keeps-summer-time",),
    ),
}


def _enter(slug: str, sentence: str, catches: tuple[str, ...]) -> RuleFunction:
    return rule(f"hours.{slug}", sentence, catches=catches, capability="keeps_quiet_hours")(in_hours)


for _slug, (_sentence, _catches) in PLACES.items():
    _enter(_slug, _sentence, _catches)


@rule(
    "hours.delivered-in-hours",
    "Marketing not delivered within the hours is not delivered after them",
    catches=("night-delivery",),
    capability="keeps_quiet_hours",
    at_worst="weak",
)
def delivered_in_hours(case: Case) -> Verdict:
    """Judge by the delivery notifications; weak unless the hours bind the delivery (reading of AMB-06)."""
    binds = case.contract.reading("hours-bind") == "delivery"
    assumed = case.contract.assumed(*figures(case), "hours-bind", *READINGS)
    marketing = {token for token, row in sends(case).items() if _bound(row)}
    sent = {
        (case.plan.key(r.recipient), r.scts) for r in case.trace.submits.rows() if r.token in marketing and r.ack == "A"
    }
    first = {
        (case.plan.key(r.recipient), r.scts): r
        for r in reversed([*case.trace.notifications.rows()])
        if r.outcome in {0, 2}
    }
    final = [row for key, row in first.items() if key in sent]
    late = [r for r in final if r.outcome == 0 and not allowed(case, r.at)]
    over = [r for r in final if not allowed(case, r.at)]
    if not over:
        return Verdict("inconclusive", "no final notification of marketing came outside the hours", blame="bench")
    summary = (
        f"{count(len(over), 'marketing message')} pending at the end of the hours, {len(late):,} delivered after it"
    )
    evidence = first_frames("delivered outside the hours", late)
    outcome = hours_missed(case, (row.at for row in late)) if binds else "weak"
    return none_wrong(summary, len(late), "messages", evidence, outcome=outcome, assumed=assumed)
