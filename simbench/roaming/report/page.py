"""The report of a roaming run as one self-contained HTML file, and the envelope's plot.

The same run gives the same octets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simbench.base.json_files import write_octets
from simbench.finding import Finding, exit_status
from simbench.reporting.evidence import MOST_EXHIBITS, Exhibit, exhibit
from simbench.reporting.format import number, rank
from simbench.reporting.html import rendered
from simbench.roaming.contract import RoamingClause, RoamingContract
from simbench.roaming.envelope import Envelope
from simbench.roaming.results import Summary

VERDICTS = {0: "bills as the rules require", 1: "bills against the rules", 3: "not judged"}


@dataclass(frozen=True)
class RoamingRun:
    """The content of a report: results, envelopes by plan, findings, and the facts of the run in order."""

    summary: Summary
    envelopes: Mapping[str, Sequence[Envelope]]
    findings: Sequence[Finding]
    contract: RoamingContract
    info: Mapping[str, str] = field(default_factory=dict)
    set_aside: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One finding with its clause and evidence."""

    finding: Finding
    clause: RoamingClause | None
    exhibits: tuple[Exhibit, ...]


def write_roaming_report(path: Path, run: RoamingRun) -> None:
    """Write the report of a run as one HTML file. Raises BadInput when the file cannot be written."""
    write_octets(path, roaming_page(run))


def roaming_page(run: RoamingRun) -> str:
    """The report of a run as HTML."""
    from simbench.reporting.style import look  # noqa: PLC0415 - as above
    from simbench.roaming.report import figures  # noqa: PLC0415 - matplotlib is slow to load

    findings = sorted(run.findings, key=rank)
    last = run.contract.terms.caps.last_day.value
    with look():
        envelopes = [figures.draw_envelopes(rows, f"Plan {name}", last) for name, rows in run.envelopes.items()]
        states, margins = figures.draw_states(run.summary), figures.draw_margins(run.summary)
    return rendered(
        Path(__file__).with_name("roaming.html.j2"),
        findings,
        run=run,
        summary=run.summary,
        verdict=VERDICTS[exit_status(findings)],
        cases=[_case(finding, run.contract) for finding in findings],
        pictures=(states, margins, *envelopes),
        number=number,
    )


def write_envelope_plot(path: Path, rows: Sequence[Envelope]) -> None:
    """Draw envelopes into an SVG file, in the colours of paper. Raises BadInput when it cannot be written."""
    from simbench.reporting.style import LIGHT, look  # noqa: PLC0415 - as above
    from simbench.roaming.report import figures  # noqa: PLC0415 - matplotlib is slow to load

    with look():
        svg = figures.draw_envelopes(rows, "Envelope", rows[-1].day.replace(year=rows[-1].day.year + 5)).svg
    for role, light in LIGHT.items():
        svg = svg.replace(f"var(--{role})", light)
    named = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" font-family="sans-serif"'
    write_octets(path, svg.replace("<svg", f"<svg {named}", 1))


def _case(finding: Finding, contract: RoamingContract) -> Case:
    exhibits = tuple(exhibit(evidence, mask=False) for evidence in finding.evidence[:MOST_EXHIBITS])
    return Case(finding, contract.clauses.get(finding.clause), exhibits)
