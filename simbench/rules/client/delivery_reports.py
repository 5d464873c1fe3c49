"""Rules on the final status a client reports for a message: OPS-PRO-06. It must match the delivery notification.

Notifications may come before the result, late, twice or never; the client reports each final status once.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from simbench.base.text import count
from simbench.finding import Evidence
from simbench.numbering.written import address_key
from simbench.rules.rule import Case, RuleFunction, Verdict, rule

FINAL = {0: "delivered", 2: "undelivered"}

# The wire fault that a purpose is about: slug, sentence, the client faults it must catch.
WAYS = {
    "early-notification": (
        "early-notifications",
        "The client uses a notification that arrives before the result of its submit",
        ("forgets-early",),
    ),
    "late-notification": (
        "late-notifications",
        "The client reports the status of a late notification",
        ("forgets-late",),
    ),
    "double-notification": (
        "doubled-notifications",
        "The client reports a notification that arrives twice only once",
        ("reports-every-53",),
    ),
    "lost-notification": (
        "lost-notifications",
        "The client reports no final status for a message whose notification never arrives",
        ("believes-in-delivery",),
    ),
}


def _codes(case: Case, fault: str) -> set[str]:
    """The short codes that a wire fault was set on."""
    return {
        row.detail.get("code", "")
        for row in case.trace.event_rows.rows()
        if row.kind == "fault" and row.subject == fault and row.detail.get("what") == "begins"
    }


def _fates(case: Case) -> dict[tuple[str, str], list[Any]]:
    """(recipient, stamp) to the final notifications the client acknowledged."""
    fates: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in case.trace.notifications.rows():
        if row.outcome in FINAL and row.ack == "A":
            fates[address_key(row.recipient), row.scts].append(row)
    return fates


def reported_truly(case: Case, fault: str) -> Verdict:
    """For each accepted message of a code with that fault: the notified status against the one the client reports."""
    codes, fates = _codes(case, fault), _fates(case)
    reported: dict[str, list[str]] = defaultdict(list)
    for row in case.trace.stimuli.rows():
        if row.kind in FINAL.values():
            reported[row.token].append(row.kind)
    wrong: list[Evidence] = []
    checked = 0
    for row in case.trace.submits.rows():
        if row.code not in codes or row.ack != "A" or not row.token:
            continue
        checked += 1
        heard = fates.get((address_key(row.recipient), row.scts), [])
        due = [FINAL[heard[0].outcome]] if heard else []
        if reported[row.token] != due:
            stated = " and ".join(reported[row.token]) or "nothing"
            note = f"{row.token}: {stated} reported, {due[0] if due else 'nothing'} notified"
            wrong.append(Evidence(note, row.at, row.at, row.session, row.frame.hex().upper()))
    if not checked:
        return Verdict("inconclusive", "no accepted message had such a notification", blame="bench")
    summary = f"{checked - len(wrong)} of {count(checked, 'message')} reported as notified"
    if not wrong:
        return Verdict("pass", summary, 0, 0, "messages")
    return Verdict("fail", summary, len(wrong), 0, "messages", "client", (), tuple(wrong[:6]))


def _enter(fault: str, slug: str, sentence: str, catches: tuple[str, ...]) -> RuleFunction:
    def judge(case: Case) -> Verdict:
        return reported_truly(case, fault)

    return rule(f"notifications.{slug}", sentence, catches=catches, capability="reports_outcomes")(judge)


for _fault, (_slug, _sentence, _catches) in WAYS.items():
    _enter(_fault, _slug, _sentence, _catches)
