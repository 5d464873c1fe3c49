"""A judgement as JUnit XML, for build servers: one test case a purpose. Decides no outcome.

Build servers know passed, failed, error and skipped: our inconclusive and unsupported are skipped, weak is passed,
and the property `outcome` says which it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from simbench.finding import Finding, tally
from simbench.report.exhibits import exhibit, shown_hex
from simbench.report.masking import masked_text
from simbench.report.model import Info
from simbench.report.page import write_octets
from simbench.report.words import legible

ELEMENTS = {"fail": "failure", "error": "error", "inconclusive": "skipped", "unsupported": "skipped"}


def write_junit(path: Path, findings: Sequence[Finding], info: Info, *, mask: bool = True) -> None:
    """Write the findings as JUnit XML; `mask` hides telephone numbers. Raises BadInput when it cannot be written."""
    suites = ET.Element("testsuites")
    counts = tally(findings)
    suite = ET.SubElement(
        suites,
        "testsuite",
        name=legible(str(info.get("system", "simbench"))),
        tests=str(len(findings)),
        failures=str(counts["fail"]),
        errors=str(counts["error"]),
        skipped=str(counts["inconclusive"] + counts["unsupported"]),
        time=str(info.get("duration_s", 0)),
    )
    _properties(suite, {name: str(value) for name, value in info.items()})
    for finding in findings:
        _case(suite, finding, mask)
    ET.indent(suites)
    write_octets(path, ET.tostring(suites, encoding="utf-8", xml_declaration=True) + b"\n")


def _case(suite: ET.Element, finding: Finding, mask: bool) -> None:
    case = ET.SubElement(suite, "testcase", classname=legible(finding.clause), name=legible(finding.purpose), time="0")
    values = {name: getattr(finding, name) for name in ("outcome", "measured", "limit", "unit", "blame", "exercise")}
    values["assumed"] = ", ".join(finding.assumed)
    _properties(case, {name: str(value) for name, value in values.items() if value not in {None, ""}})
    summary = legible(masked_text(finding.summary) if mask else finding.summary)
    element = ELEMENTS.get(finding.outcome)
    if element is None:
        ET.SubElement(case, "system-out").text = summary
        return
    message = summary if finding.outcome in {"fail", "error"} else f"{finding.outcome}: {summary}"
    child = ET.SubElement(case, element, message=message)
    if element != "skipped":
        child.set("type", finding.outcome)
    child.text = legible("\n".join([summary, *_evidence(finding, mask)]))


def _evidence(finding: Finding, mask: bool) -> list[str]:
    lines = []
    for evidence in finding.evidence:
        seen = exhibit(evidence, mask)
        lines.append("  ".join(filter(None, (seen.note, seen.when, seen.session, shown_hex(evidence, mask)))))
    return lines


def _properties(parent: ET.Element, values: dict[str, str]) -> None:
    if values:
        properties = ET.SubElement(parent, "properties")
        for name, value in values.items():
            ET.SubElement(properties, "property", name=legible(name), value=legible(value))
