"""Rules on the final status a client reports for a message: OPS-PRO-06. It must match the delivery notification.

Notifications may come before the result, late, twice or never; the client reports each final status once.
"""

from __future__ import annotations

from collections import defaultdict

from simbench.base.text import count
from simbench.finding import Evidence
from simbench.ledger.events import FaultActed
from simbench.rules.evidence import framed
from simbench.rules.rule import Case, RuleFunction, Verdict, none_wrong, rule
from simbench.trace.rows import Notification

FINAL = {0: "delivered", 2: "undelivered"}

# Wire fault to its purpose: slug, sentence, the client faults it must catch, usual cause.
WAYS = {
    "early-notification": (
        "early-notifications",
        "The client uses a notification that arrives before the result of its submit",
        ("forgets-early",),
        "A notification is matched by a time stamp that only the result brings.",
    ),
    "late-notification": (
        "late-notifications",
        "The client reports the status of a late notification",
        ("forgets-late",),
        "",
    ),
    "double-notification": (
        "doubled-notifications",
        "The client reports a notification that arrives twice only once",
        ("reports-every-53",),
        "Each notification is reported when it arrives, and none is remembered.",
    ),
    "lost-notification": (
        "lost-notifications",
        "The client reports no final status for a message whose notification never arrives",
        ("believes-in-delivery",),
        "A status is assumed after a while without a notification.",
    ),
}


def _codes(case: Case, fault: str) -> set[str]:
    """Return the short codes on which a wire fault was set."""
    faults = (event for _, event in case.trace.events if isinstance(event, FaultActed))
    return {event.code for event in faults if event.name == fault and event.what == "begins"}


def _outcomes(case: Case) -> dict[tuple[str, str], list[Notification]]:
    """Return the final notifications that the client acknowledged, by (recipient, SCTS)."""
    outcomes: dict[tuple[str, str], list[Notification]] = defaultdict(list)
    for row in case.trace.notifications.rows():
        if row.outcome in FINAL and row.ack == "A":
            outcomes[case.plan.key(row.recipient), row.scts].append(row)
    return outcomes


def reported_truly(case: Case, fault: str) -> Verdict:
    """Compare the notified status of each accepted message of a code with the fault with the client's report."""
    codes, outcomes = _codes(case, fault), _outcomes(case)
    reported: dict[str, list[str]] = defaultdict(list)
    for report in case.trace.reports:
        if report.kind in FINAL.values():
            reported[report.token].append(report.kind)
    wrong: list[Evidence] = []
    checked = 0
    for row in case.trace.submits.rows():
        if row.code not in codes or row.ack != "A" or not row.token:
            continue
        checked += 1
        heard = outcomes.get((case.plan.key(row.recipient), row.scts), [])
        due = [FINAL[heard[0].outcome]] if heard else []
        if reported[row.token] != due:
            stated = " and ".join(reported[row.token]) or "nothing"
            note = f"{row.token}: {stated} reported, {due[0] if due else 'nothing'} notified"
            wrong.append(framed(note, row))
    if not checked:
        return Verdict("inconclusive", "no accepted message had such a notification", blame="bench")
    summary = f"{checked - len(wrong)} of {count(checked, 'message')} reported as notified"
    return none_wrong(summary, len(wrong), "messages", tuple(wrong[:6]))


def _enter(fault: str, slug: str, sentence: str, catches: tuple[str, ...], usual_cause: str) -> RuleFunction:
    def judge(case: Case) -> Verdict:
        """Compare reported with notified status, for each accepted message of the code with that fault."""
        return reported_truly(case, fault)

    return rule(
        f"notifications.{slug}", sentence, catches=catches, capability="reports_outcomes", usual_cause=usual_cause
    )(judge)


for _fault, _way in WAYS.items():
    _enter(_fault, *_way)
