"""The report as one HTML file, with styles and pictures inside.

The same judgement gives the same octets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simbench.base.calendar import Calendar
from simbench.base.json_files import write_octets
from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.bench.report.evidence_folders import exercises_of
from simbench.bench.report.model import Judgement
from simbench.bench.report.timeline import timeline
from simbench.contract import Clause, Contract
from simbench.finding import Finding, Outcome, exit_status, tally
from simbench.reporting.evidence import MOST_EXHIBITS, Exhibit, exhibit
from simbench.reporting.format import (
    WORST_FIRST,
    duration,
    moment,
    rank,
    source,
)
from simbench.reporting.html import environment, stylesheet
from simbench.ucp.masking import masked_text

VERDICTS: Final = {0: "conforms", 1: "does not conform", 3: "conformance undetermined"}
FACTS: Final = {
    "system": "System under test",
    "system_version": "Client version",
    "contract": "Contract",
    "contract_digest": "Contract digest",
    "seed": "Seed",
    "bench_version": "Bench version",
    "started_at": "Started at",
    "duration_s": "Duration",
}


@dataclass(frozen=True)
class Value:
    """One value the clause depends on: a term, or the interpretation of an ambiguity."""

    name: str
    says: str
    status: str
    note: str


@dataclass(frozen=True)
class Case:
    """One finding with its clause, values and evidence."""

    anchor: str
    finding: Finding
    clause: Clause | None
    values: tuple[Value, ...]
    exhibits: tuple[Exhibit, ...]
    rest: int
    expected: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Row:
    """One clause of the matrix: for each outcome the anchors of its cases."""

    clause: str
    gist: str
    anchors: dict[Outcome, list[str]]


def write_report(path: Path, judgement: Judgement, *, mask: bool = True) -> None:
    """Write the report of a run as one HTML file; `mask` hides telephone numbers but for two digits.

    Raises BadInput when the file cannot be written.
    """
    write_octets(path, page(judgement, mask=mask).encode())


def page(judgement: Judgement, *, mask: bool = True) -> str:
    """The report of a run as HTML."""
    from simbench.bench.report.figures.catalogue import draw_all  # noqa: PLC0415 - matplotlib is slow to load
    from simbench.reporting.style import COLOURS  # noqa: PLC0415 - as above

    findings = sorted(judgement.findings, key=rank)
    hide: Callable[[str], str] = masked_text if mask else str
    cases = [_case(place, finding, judgement, mask) for place, finding in enumerate(findings, 1)]
    counts = tally(findings)
    status = exit_status(findings)
    return (
        environment(Path(__file__).parent, hide)
        .get_template("page.html.j2")
        .render(
            title=_title(judgement),
            zone=judgement.contract.calendar.zone,
            verdict=VERDICTS[status],
            tone={0: "pass", 1: "fail", 3: "inconclusive"}[status],
            verdict_detail=_verdict_detail(counts, len(findings)),
            chips=[(outcome, counts[outcome]) for outcome in WORST_FIRST if counts[outcome]],
            facts=facts(judgement),
            cases=cases,
            matrix=matrix(cases),
            outcomes=WORST_FIRST,
            timelines=[timeline(run, findings, mask, judgement.contract.calendar) for run in judgement.exercises],
            disputed={one for finding in findings if finding.outcome == "fail" for one in exercises_of(finding)},
            to_prove=[case for case in cases if case.finding.outcome != "pass"],
            passed=[case for case in cases if case.finding.outcome == "pass"],
            album=draw_all(judgement),
            colours=COLOURS,
            styles=stylesheet(),
            masked=mask,
        )
    )


def facts(judgement: Judgement) -> list[tuple[str, str]]:
    """The facts of the run as (name, value), the known ones first; the contract's where they are not given."""
    own = {"contract": judgement.contract.title, "contract_digest": judgement.contract.digest}
    info = {**own, **judgement.info}
    names = [*(name for name in FACTS if name in info), *(name for name in info if name not in FACTS)]
    return [
        (FACTS.get(name, name.replace("_", " ").capitalize()), _fact(name, info[name], judgement.contract.calendar))
        for name in names
    ]


def _fact(name: str, value: str | float, calendar: Calendar) -> str:
    if name == "started_at" and isinstance(value, int):
        return moment(value, calendar)
    if name == "duration_s" and isinstance(value, int | float):
        return duration(value * SECOND_US)
    return str(value)


def _title(judgement: Judgement) -> str:
    info = judgement.info
    return " ".join(str(info[name]) for name in ("system", "system_version") if info.get(name)) or "A client"


def _verdict_detail(counts: dict[str, int], total: int) -> str:
    if not total:
        return "Nothing was judged."
    if counts["pass"] == total:
        return f"{'The one purpose' if total == 1 else f'All {total} purposes'} passed."
    return f"{counts['pass']} of {count(total, 'purpose')} passed."


def matrix(cases: Sequence[Case]) -> list[Row]:
    """Clauses by name, each with the cases of every outcome."""
    rows: dict[str, Row] = {}
    for case in sorted(cases, key=lambda case: (case.finding.clause, case.finding.purpose)):
        name = case.finding.clause
        if name not in rows:
            rows[name] = Row(name, case.clause.gist if case.clause else "", {outcome: [] for outcome in WORST_FIRST})
        rows[name].anchors[case.finding.outcome].append(case.anchor)
    return list(rows.values())


def _case(place: int, finding: Finding, judgement: Judgement, mask: bool) -> Case:
    contract = judgement.contract
    exhibits = tuple(
        exhibit(evidence, mask, judgement.contract.calendar) for evidence in finding.evidence[:MOST_EXHIBITS]
    )
    return Case(
        anchor=f"case-{place}",
        finding=finding,
        clause=contract.clauses.get(finding.clause),
        values=tuple(_values(finding, contract)),
        exhibits=exhibits,
        rest=len(finding.evidence) - len(exhibits),
        expected=judgement.expected.get(finding.purpose, ""),
        remark=judgement.remarks.get((finding.purpose, finding.exercise), ""),
    )


def _values(finding: Finding, contract: Contract) -> Sequence[Value]:
    """The terms of the clause and every assumption of the finding, with their status."""
    terms = contract.terms.by_name()
    own = [name for name, term in terms.items() if term.clause == finding.clause]
    values = []
    for name in dict.fromkeys([*own, *finding.assumed]):
        if name in terms:
            term = terms[name]
            shown = ", ".join(map(str, term.value)) if isinstance(term.value, tuple) else str(term.value)
            status = f"{term.status}, {source(term.source)}" if term.source else term.status
            values.append(Value(name, f"{shown} {term.unit}", status, term.note))
        elif name in contract.ambiguities:
            ambiguity = contract.ambiguities[name]
            reading = contract.reading(name)
            values.append(Value(name, ambiguity.readings.get(reading, reading), ambiguity.status, ambiguity.question))
        else:
            values.append(Value(name, "", "assumption", ""))
    return values
