"""`junit.xml` for CI systems: a test case per finding, with the names and properties of the pytest items."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from simbench.base.json_files import write_octets
from simbench.base.terminal import harmless
from simbench.bench.exercises.exercise import Chosen
from simbench.bench.report.evidence_folders import EVIDENCE, folder_name
from simbench.bench.report.words import three_lines
from simbench.bench.runner.baseline import Standing, remark
from simbench.bench.runner.session import Judgements
from simbench.bench.runner.session_findings import items_of
from simbench.finding import Finding

SUITE: Final = "simbench conform"
_PROPERTIES: Final = ("clause", "purpose", "outcome", "measured", "limit", "unit", "blame", "exercise")
_FORBIDDEN: Final = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2

End = Literal["", "failure", "error", "skipped"]


def named_items(chosen: Chosen) -> list[tuple[str, str, str]]:
    """Return name, exercise and purpose of each finding, in order; the name contains the exercise if necessary."""
    items = items_of(chosen)
    times = Counter(purpose for _, purpose in items)
    return [(f"{purpose}:{exercise}" if times[purpose] > 1 else purpose, exercise, purpose)
            for exercise, purpose in items]  # fmt: skip


def properties(finding: Finding, judgements: Judgements) -> list[tuple[str, str]]:
    """Return the properties of the test case of a finding."""
    attempt = judgements.attempt(finding.exercise)
    own = [(name, str(getattr(finding, name))) for name in _PROPERTIES]
    return own + ([("attempts", attempt)] if attempt else [])


def end_of(standing: Standing, *, strict: bool) -> tuple[End, str]:
    """Return the end of a test case, "" for passed, and its word: the outcome, or "known" for a known deviation."""
    outcome = standing.finding.outcome
    if standing.state == "known":
        return "skipped", "known"
    if outcome == "error":
        return "error", outcome
    if outcome == "fail" or standing.state in {"new", "expired"} or (strict and standing.state == "passes"):
        return "failure", outcome
    return ("", outcome) if outcome in {"pass", "weak"} else ("skipped", outcome)


def write_junit(path: Path, judgements: Judgements, standings: Sequence[Standing], *, strict: bool) -> None:
    """Write the file. Raises BadInput if that is impossible."""
    names = {(purpose, exercise): name for name, exercise, purpose in named_items(judgements.plan.chosen)}
    cases = [
        JunitCase(
            names[one.finding.purpose, one.finding.exercise], one, properties(one.finding, judgements),
            case_text(one, judgements),
        )
        for one in standings
    ]  # fmt: skip
    write_octets(path, junit(cases, judgements.record().duration_s, strict=strict))


class JunitCase(NamedTuple):
    """A test case: its name, its finding compared with the baseline, its properties, and its text unless it passed."""

    name: str
    standing: Standing
    properties: list[tuple[str, str]]
    text: str


def case_text(standing: Standing, judgements: Judgements) -> str:
    """Return the text of a case: expectation, observation and consequence, one line each, and the evidence folder."""
    finding, plan = standing.finding, judgements.plan
    place = plan.folder / EVIDENCE / folder_name(finding, finding.purpose in judgements.several)
    lines = three_lines(finding, plan.contract, remark(standing))
    return lines.text("" if finding.outcome == "unsupported" else str(place))


def junit(cases: Iterable[JunitCase], duration_s: float, *, strict: bool = False) -> bytes:
    """Return the contents of the file: a test case for each finding."""
    suite = ET.Element("testsuite", name=SUITE, time=str(duration_s))
    ends: Counter[End] = Counter()
    for name, standing, listed, text in cases:
        finding, (end, word) = standing.finding, end_of(standing, strict=strict)
        ends[end] += 1
        case = ET.SubElement(
            suite, "testcase", classname=finding.clause or finding.purpose.partition(".")[0], name=name
        )
        if end:
            message = f"{word}: {remark(standing)} {finding.summary}".replace("  ", " ")
            ET.SubElement(case, end, type=word, message=_text(message)).text = _text(text)
        # Jenkins allows no properties of a case but reads lines of this form as properties; other systems show them.
        lines = (f"[[PROPERTY|{key}={value}]]" for key, value in listed if value)
        ET.SubElement(case, "system-out").text = _text("\n".join(lines))
    counts = {"failures": ends["failure"], "errors": ends["error"], "tests": sum(ends.values())}
    common = {"name": SUITE, "time": str(duration_s)} | {key: str(value) for key, value in counts.items()}
    suite.attrib |= common | {"skipped": str(ends["skipped"])}
    root = ET.Element("testsuites", common)
    root.append(suite)
    ET.indent(root)
    return bytes(ET.tostring(root, "utf-8", xml_declaration=True)) + b"\n"


def _text(value: str) -> str:
    """Write characters that XML does not allow, or that control a terminal, as escapes."""
    return _FORBIDDEN.sub(lambda found: f"\\x{ord(found[0]):02x}", harmless(value))
