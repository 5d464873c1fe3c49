"""The report as one HTML file that contains its styles and figures.

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
from simbench.bench.report.causes import OPEN, causes
from simbench.bench.report.evidence_folders import exercises_of
from simbench.bench.report.model import Judgement
from simbench.bench.report.surroundings import Piece, Surroundings
from simbench.bench.report.timeline import timeline
from simbench.contract import Clause, Contract
from simbench.finding import Finding, Outcome, exit_status, tally
from simbench.reporting.evidence import MOST_EXHIBITS
from simbench.reporting.format import (
    WORST_FIRST,
    duration,
    moment,
    rank,
    source,
)
from simbench.reporting.html import rendered
from simbench.rules.meaning import Meaning, meaning_of
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
    """One cause: its worst finding with clause, values and evidence, and its other findings."""

    anchor: str
    finding: Finding
    clause: Clause | None
    values: tuple[Value, ...]
    more_values: tuple[Value, ...]
    exhibits: tuple[Piece, ...]
    rest: int
    others: tuple[Finding, ...] = ()
    expected: str = ""
    remark: str = ""
    meaning: Meaning = Meaning("", "")  # noqa: RUF009 - frozen, so one for all is safe

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of the cause."""
        return (self.finding, *self.others)

    @property
    def exercises(self) -> list[str]:
        """The exercises that show the cause."""
        return list(dict.fromkeys(name for one in self.findings for name in exercises_of(one)))


@dataclass(frozen=True)
class Row:
    """One clause of the matrix, with the anchors of its cases by outcome."""

    clause: str
    gist: str
    anchors: dict[Outcome, list[str]]


def write_report(path: Path, judgement: Judgement, *, mask: bool = True) -> None:
    """Write the report of a run as one HTML file; `mask` hides telephone numbers except for two digits.

    Raises BadInput if the file cannot be written.
    """
    write_octets(path, page(judgement, mask=mask))


def page(judgement: Judgement, *, mask: bool = True) -> str:
    """The report of a run as HTML."""
    from simbench.bench.report.figures.catalogue import draw_all  # noqa: PLC0415 - matplotlib is slow to load

    findings = sorted(judgement.findings, key=rank)
    hide: Callable[[str], str] = masked_text if mask else str
    groups = [*causes(findings), *((one,) for one in findings if one.outcome == "pass")]
    around = Surroundings(judgement.exercises, mask, judgement.contract.calendar)
    cases = [_case(place, group, judgement, around) for place, group in enumerate(groups, 1)]
    disputed = {name for group in groups if group[0].outcome in OPEN for one in group for name in exercises_of(one)}
    counts = tally(findings)
    return rendered(
        Path(__file__).with_name("page.html.j2"),
        findings,
        hide,
        title=_title(judgement),
        zone=judgement.contract.calendar.zone,
        verdict=VERDICTS[exit_status(findings)],
        verdict_detail=_verdict_detail(counts, len(findings)),
        facts=facts(judgement),
        cases=cases,
        matrix=matrix(cases, judgement.contract),
        untested=[(one, judgement.contract.clauses[one.clause].gist) for one in judgement.untested],
        language=judgement.contract.language,
        outcomes=WORST_FIRST,
        timelines=[
            timeline(run, findings, mask, judgement.contract.calendar)
            for run in judgement.exercises
            if run.name in disputed
        ],
        to_prove=[case for case in cases if case.finding.outcome != "pass"],
        passed=[case for case in cases if case.finding.outcome == "pass"],
        album=draw_all(judgement, of_findings=True),
        masked=mask,
    )


def facts(judgement: Judgement) -> list[tuple[str, str]]:
    """Return the facts of the run as (name, value), the known ones first; the contract supplies missing ones."""
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


def matrix(cases: Sequence[Case], contract: Contract) -> list[Row]:
    """Return the clauses by name, each with its cases by outcome."""
    rows: dict[str, Row] = {}
    every = [(finding, case) for case in cases for finding in case.findings]
    for finding, case in sorted(every, key=lambda pair: (pair[0].clause, pair[0].purpose)):
        name = finding.clause
        if name not in rows:
            clause = contract.clauses.get(name)
            rows[name] = Row(name, clause.gist if clause else "", {outcome: [] for outcome in WORST_FIRST})
        rows[name].anchors[finding.outcome].append(case.anchor)
    return list(rows.values())


def _case(place: int, group: tuple[Finding, ...], judgement: Judgement, around: Surroundings) -> Case:
    contract, finding = judgement.contract, group[0]
    exhibits = tuple(around.piece(evidence, finding) for evidence in finding.evidence[:MOST_EXHIBITS])
    return Case(
        anchor=f"case-{place}",
        finding=finding,
        clause=contract.clauses.get(finding.clause),
        values=tuple(_values(finding.assumed, contract)),
        more_values=tuple(_values(_of_clause(finding, contract), contract)),
        exhibits=exhibits,
        rest=len(finding.evidence) - len(exhibits),
        others=group[1:],
        expected=judgement.expected.get(finding.purpose, ""),
        remark=judgement.remarks.get((finding.purpose, finding.exercise), ""),
        meaning=meaning_of(finding.purpose),
    )


def _of_clause(finding: Finding, contract: Contract) -> list[str]:
    """The terms of the clause on which the verdict does not depend."""
    terms = contract.terms.by_name().items()
    return [name for name, term in terms if term.clause == finding.clause and name not in finding.assumed]


def _values(names: Sequence[str], contract: Contract) -> Sequence[Value]:
    """These terms and interpretations, with their status."""
    terms = contract.terms.by_name()
    values = []
    for name in names:
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
