"""Rules on what the client tells of a message's fate: OPS-PRO-06. Whoever asks what became of it gets a true answer.

Notifications may come before the result, late, twice or never; what the client tells follows the wire, once.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from simbench.finding import Evidence
from simbench.numbering.written import address_key
from simbench.rules.rule import Case, Judged, RuleFunction, rule

FINAL = {0: "delivered", 2: "undelivered"}

# The wire fault that a purpose is about: slug, sentence, the client faults it must catch.
WAYS = {
    "early-notification": (
        "early-notifications",
        "A notification that comes before the result of its submit is not lost",
        ("forgets-early",),
    ),
    "late-notification": (
        "late-notifications",
        "A notification that comes late is passed on all the same",
        ("forgets-late",),
    ),
    "double-notification": (
        "doubled-notifications",
        "A notification that comes twice is passed on once",
        ("reports-every-53",),
    ),
    "lost-notification": (
        "lost-notifications",
        "Of a message whose notification never comes no fate is told",
        ("believes-in-delivery",),
    ),
}


def _codes(case: Case, fault: str) -> set[str]:
    """The short codes that a wire fault was set on."""
    return {
        row.detail.get("code", "")
        for row in case.reading.story.rows()
        if row.kind == "fault" and row.subject == fault and row.detail.get("what") == "begins"
    }


def _fates(case: Case) -> dict[tuple[str, str], list[Any]]:
    """(recipient, stamp) to the final notifications the client acknowledged."""
    fates: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in case.reading.notices.rows():
        if row.outcome in FINAL and row.ack == "A":
            fates[address_key(row.subscriber), row.scts].append(row)
    return fates


def told_truly(case: Case, fault: str) -> Judged:
    """Of each accepted message of a code with that fault: what the wire told of it against what the client told."""
    codes, fates = _codes(case, fault), _fates(case)
    told: dict[str, list[str]] = defaultdict(list)
    for row in case.reading.asked.rows():
        if row.kind in FINAL.values():
            told[row.mark].append(row.kind)
    wrong: list[Evidence] = []
    checked = 0
    for row in case.reading.submits.rows():
        if row.code not in codes or row.ack != "A" or not row.mark:
            continue
        checked += 1
        heard = fates.get((address_key(row.adc), row.scts), [])
        due = [FINAL[heard[0].outcome]] if heard else []
        if told[row.mark] != due:
            note = f"{row.mark}: told {' and '.join(told[row.mark]) or 'nothing'}, not {due[0] if due else 'nothing'}"
            wrong.append(Evidence(note, row.at, row.at, row.session, row.frame.hex().upper()))
    if not checked:
        return Judged("inconclusive", "no message met such a notification", blame="bench")
    summary = f"{checked} messages, of {len(wrong)} the client told something else than the wire"
    if not wrong:
        return Judged("pass", summary, 0, 0, "messages")
    return Judged("fail", summary, len(wrong), 0, "messages", "client", (), tuple(wrong[:6]))


def _enter(fault: str, slug: str, sentence: str, catches: tuple[str, ...]) -> RuleFunction:
    def judge(case: Case) -> Judged:
        return told_truly(case, fault)

    return rule(f"OPS-PRO-06/{slug}", sentence, catches=catches, capability="reports_outcomes")(judge)


for _fault, (_slug, _sentence, _catches) in WAYS.items():
    _enter(_fault, _slug, _sentence, _catches)
