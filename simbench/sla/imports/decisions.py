"""Decisions on incidents: which incident was reclassified, by whom, when and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from simbench.base.errors import BadInput
from simbench.base.toml_files import choice, label, read_toml, shown
from simbench.ledger.incidents import OPERATOR, Incident, named_operator
from simbench.tables.instants import instant_of
from simbench.tables.rows import Remark

MEANING: dict[str, dict[str, Any]] = {
    "unplanned": {"planned": False, "attributed_to": OPERATOR, "scope": "total", "share": 1.0},
    "planned": {"planned": True, "attributed_to": OPERATOR},
    "partial": {"scope": "partial", "attributed_to": OPERATOR},
    "operator": {"attributed_to": OPERATOR},
    "client": {"attributed_to": "client"},
    "void": {"attributed_to": "nobody, by decision"},
}
"""The fields of an incident that each new class sets."""


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"counted_as": "class"}):
    """One decision that changes the class of an incident.

    `incident` is the ticket. `class`: "unplanned" (a total, unplanned outage), "planned" (announced work), "partial",
    "operator" (attributed to the operator), "client" (attributed to the client) or "void" (attributed to nobody); the
    last two do not count against the service level. `reason`, `who` and `when` (a date such as 2026-03-02) are shown in
    the report.

    `share` corrects the part of the platform that was down, above 0 and at most 1; `announced_at` corrects the instant
    of the announcement.
    """

    incident: str
    counted_as: str
    reason: str
    who: str
    when: Any  # a TOML date, or a text of one
    share: float | None = None
    announced_at: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    decisions: tuple[Decision, ...]


def read_decisions(path: Path, operator: str) -> tuple[Decision, ...]:
    """Read `decisions.toml`: [[decisions]] with incident, class, reason, who, when.

    The token of the operator stands for the class "operator". Raises BadInput."""
    stated = read_toml(path, _File, BadInput).decisions
    found = tuple(replace(one, counted_as=OPERATOR) if one.counted_as == operator else one for one in stated)
    seen: set[str] = set()
    for number, one in enumerate(found):
        place = f"{label(path)}: decisions[{number}]"
        for name in ("incident", "reason", "who"):
            if not getattr(one, name).strip():
                raise BadInput(f"{place}.{name}", "is empty", "a text")
        if one.counted_as not in MEANING:
            raise BadInput(f"{place}.class", f"is {shown(one.counted_as)}", choice(one.counted_as, MEANING))
        if not _is_date(one.when):
            raise BadInput(f"{place}.when", f"is {shown(str(one.when))}", "a date like 2026-03-02")
        if one.share is not None and not 0 < one.share <= 1:
            raise BadInput(f"{place}.share", f"is {one.share}", "a number above 0 and at most 1")
        if one.incident in seen:
            raise BadInput(f"{place}.incident", f"{shown(one.incident)} has two decisions", "one decision per incident")
        seen.add(one.incident)
    return found


def decided(
    incidents: Iterable[Incident], decisions: Iterable[Decision], place: str, operator: str, zone: tzinfo | None = None
) -> tuple[Incident, ...]:
    """Return the incidents as the decisions classify them. Raises BadInput for a decision on an unknown incident."""
    by_ticket = {one.ticket: named_operator(one, operator) for one in incidents}
    for number, one in enumerate(decisions):
        key = f"{place}: decisions[{number}]"
        before = by_ticket.get(one.incident)
        if before is None:
            raise BadInput(f"{key}.incident", f"no incident {shown(one.incident)}", choice(one.incident, by_ticket))
        changed = dict(MEANING[one.counted_as])
        if changed.get("attributed_to") == OPERATOR:
            changed["attributed_to"] = operator
        if one.share is not None:
            changed["share"] = one.share
        if one.announced_at:
            changed["announced_at"] = instant_of(one.announced_at, zone, f"{key}.announced_at")
        if replace(before, **changed) == before:
            problem = f"changes nothing: {shown(one.incident)} is {one.counted_as} already"
            raise BadInput(key, problem, "a decision that changes its incident, or none")
        cause = f"{before.cause} [{one.counted_as}: {one.reason}; {one.who}, {one.when}]".strip()
        by_ticket[one.incident] = replace(before, cause=cause, **changed)
    return tuple(by_ticket.values())


def decision_notes(incidents: Iterable[Incident], decisions: Iterable[Decision]) -> tuple[Remark, ...]:
    """Return remarks on decisions with less effect than they state: planned work without a known announcement."""
    by_ticket = {one.ticket: one for one in incidents}
    notes = []
    for one in decisions:
        before = by_ticket.get(one.incident)
        if one.counted_as == "planned" and not one.announced_at and before and before.announced_at is None:
            notes.append(
                Remark(0, f"decision on {one.incident}: planned work without a known announcement still counts as "
                          "unplanned, as announced too late; announced_at says when it was announced")
            )  # fmt: skip
    return tuple(notes)


def _is_date(when: object) -> bool:
    if isinstance(when, date):  # includes datetime
        return True
    try:
        datetime.fromisoformat(str(when))
    except ValueError:
        return False
    return True
