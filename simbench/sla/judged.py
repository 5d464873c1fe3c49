"""A record judged, as answers and reports take it."""

from __future__ import annotations

import msgspec

from simbench.finding import Finding
from simbench.rules.rule import Case
from simbench.sla.dispute import Dispute
from simbench.sla.forecast import BackTest, Forecast
from simbench.sla.imports.decisions import Decision
from simbench.tables.rows import RejectedRow


class Judged(msgspec.Struct, frozen=True):
    """A judged record: facts about it, a finding for each purpose, notes on rejected rows.

    `before` contains the findings before `decisions`. `case` and `case_before` are the input of the rules of the
    service level, None for a capture.
    """

    kind: str
    facts: dict[str, str | int | float]
    findings: tuple[Finding, ...]
    before: tuple[Finding, ...] = ()
    notes: tuple[RejectedRow, ...] = ()
    dispute: Dispute | None = None
    forecast: Forecast | None = None
    back_test: BackTest | None = None
    case: Case | None = None
    case_before: Case | None = None
    decisions: tuple[Decision, ...] = ()
    rows: int = 0
    captured: bool = False
