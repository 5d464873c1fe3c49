"""Rules of NetRevenu: call records, statement and tariff function judged clause by clause.

The rules calculate everything independently (`recount`) from the offer's data.
"""

from __future__ import annotations

from simbench.dialup.rules import offer, records, statement  # registers their rules, in the order of the clauses
from simbench.dialup.rules.case import RULES, Case
from simbench.finding import Finding

__all__ = ["RULES", "Case", "judge", "offer", "records", "statement"]


def judge(case: Case) -> tuple[Finding, ...]:
    """Apply all rules, in the order of the clauses."""
    given = {"records": case.records is not None, "statement": case.statement is not None, "ports": bool(case.ports)}
    return tuple(RULES.judge_all(case, having=[name for name, there in given.items() if there]))
