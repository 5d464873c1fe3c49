"""Findings on the service level in sentences of the report's language."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from simbench.contract import Clause
from simbench.finding import Finding
from simbench.sla.classification import CLIENT, noticed_in_time
from simbench.sla.granted_rate import NO_BACKLOG
from simbench.sla.maintenance_notice import planned_by
from simbench.sla.report.translations import Words
from simbench.sla.report.view import View

_NAME: Final = re.compile(r"[A-Z]+-[0-9]+|[a-z_]+(\.[a-z_]+)+")
_ROWS: Final = re.compile(r"([0-9]+) of ([0-9]+) rows")
TERMS = {
    "availability": "availability",
    "restoration": "restoration_h",
    "maintenance-notice": "notice_days",
    "interruption-notice": "client_notice_days",
}


@dataclass(frozen=True)
class VerdictRow:
    """One finding: the commitment, the result, both values as text, and the clause of the contract."""

    finding: Finding
    outcome: str
    promise: str
    sentence: str
    measured: str
    limit: str
    clause: Clause | None
    source: str
    assumed: tuple[str, ...] = ()
    language: str = "en"  # of the clause


def verdict_of(finding: Finding, view: View, words: Words) -> VerdictRow:
    """Return a finding in words."""
    purpose = finding.purpose.rpartition(".")[2]
    terms = view.case.contract.terms.quality
    limit = getattr(terms, TERMS[purpose]).value if purpose in TERMS else finding.limit
    shown, measured = _value(purpose, limit, words), _value(purpose, finding.measured, words)
    planned = {
        "maintenance-notice": planned_by(view.service, view.case.contract.operator),
        "interruption-notice": planned_by(view.service, CLIENT),
    }.get(purpose, [])
    count = len(view.outages) if purpose == "restoration" else len(planned)
    late = sum(not noticed_in_time(one, view.case.contract) for one in planned)
    key = _result(finding, purpose, count)
    kind, months = terms.availability_window.value, words.number(terms.availability_months.value)
    window = words(f"window.{kind}", months=months)
    days = words(f"days.{view.case.contract.reading('notice-days')}")
    values = {
        "measured": measured, "limit": shown, "count": words.number(count), "window": window, "days": days,
        "late": words.number(late),
    }  # fmt: skip
    return VerdictRow(
        finding,
        words(f"outcome.{finding.outcome}"),
        words(f"promise.{purpose}", limit=shown, window=window, days=days),
        words(key, **values),
        measured + _unit(purpose, words) if key in {f"result.{purpose}", f"result.{purpose}-so-far"} else "–",
        shown if limit is None else shown + _unit(purpose, words),
        view.case.contract.clauses.get(finding.clause),
        _source(view.case.contract.clauses.get(finding.clause), words),
        tuple(dict.fromkeys(_assumed(name, words) for name in finding.assumed)),
        view.case.contract.language,
    )


def _result(finding: Finding, purpose: str, count: int) -> str:
    """Return the key of the sentence on the result."""
    if finding.outcome == "error":
        return "result.error"
    if purpose == "availability":
        if finding.measured is None:
            return "result.availability-none"
        return "result.availability-so-far" if finding.summary.startswith("provisional") else "result.availability"
    if purpose == "rate-with-backlog":
        unknown = "-none" if finding.summary.startswith(NO_BACKLOG) else "-unknown"
        return "result.rate-with-backlog" + (unknown if finding.measured is None else "")
    return f"result.{purpose}" if count else f"result.{purpose}-none"


def _assumed(name: str, words: Words) -> str:
    """Return an assumption of a verdict: a term or reading of the contract by its name, others translated."""
    if words.language == "en" or _NAME.fullmatch(name):
        return name
    rows = _ROWS.match(name)
    if rows:
        return words("assumed.rows", some=rows[1], of=rows[2])
    return words(
        {"variant V1 of availability": "assumed.variant"}.get(
            name, "assumed.failure" if "failure" in name else "assumed.other"
        )
    )


def _value(purpose: str, value: float | None, words: Words) -> str:
    if value is None:
        return "–"
    if purpose == "availability":
        return words.share(value)
    if purpose == "restoration":
        return words.hours(value, exact=True)
    return words.number(math.floor(value * 1000) / 1000, 3)  # 4.9999 days are not 5


def _unit(purpose: str, words: Words) -> str:
    """Return the unit after a value in a table, if the value does not include it."""
    return {"availability": "", "restoration": "", "rate-with-backlog": " min"}.get(purpose, f" {words('form.days')}")


def _source(clause: Clause | None, words: Words) -> str:
    """Return the source of the clause; "B:137" is a line of the brochure."""
    if clause is None:
        return ""
    text = clause.source
    return words("page.source", lines=text.replace("B:", "")) if text.startswith("B:") else text
