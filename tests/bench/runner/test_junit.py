"""`junit.xml` agrees with the exit status for each finding, for any characters sent by a client."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from simbench.bench.runner.baseline import Baseline, Deviation, compare
from simbench.bench.runner.junit import JunitCase, junit
from simbench.finding import Finding, Outcome, prose

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))
TODAY = date(2026, 11, 30)
PURPOSE = "rate.window"
KNOWN = Baseline((Deviation(PURPOSE, "agreed", "T-1", TODAY),))


def written(outcome: Outcome, baseline: Baseline, *parts: str, strict: bool = False) -> ET.Element:
    finding = Finding(PURPOSE, "OPS-ENG-01", outcome, prose(parts), parts=parts)
    standings = compare([finding], baseline, TODAY, strict=strict)
    cases = [JunitCase(one.finding.purpose, one, [("outcome", outcome)], "\n".join(parts)) for one in standings]
    octets = junit(cases, 1234.5, strict=strict)
    SCHEMA.validate(octets.decode())
    return ET.fromstring(octets)  # noqa: S314 - written a moment ago


@pytest.mark.parametrize(
    ("outcome", "baseline", "strict", "end", "word"),
    [
        ("pass", Baseline(), False, "", ""),
        ("weak", Baseline(), False, "", ""),
        ("fail", Baseline(), False, "failure", "fail"),
        ("error", Baseline(), False, "error", "error"),
        ("inconclusive", Baseline(), False, "skipped", "inconclusive"),
        ("unsupported", Baseline(), True, "skipped", "unsupported"),
        ("weak", Baseline(), True, "failure", "weak"),
        ("inconclusive", Baseline(), True, "failure", "inconclusive"),
        ("fail", KNOWN, False, "skipped", "known"),
        ("pass", KNOWN, True, "failure", "pass"),
        ("pass", KNOWN, False, "", ""),
    ],
)
def test_a_case_ends_as_the_exit_status_counts_it(
    outcome: Outcome, baseline: Baseline, strict: bool, end: str, word: str
) -> None:
    root = written(outcome, baseline, "2 late", strict=strict)
    (case,) = root.iter("testcase")
    ended = [one for one in case if one.tag != "system-out"]
    assert [(one.tag, one.get("type")) for one in ended] == ([(end, word)] if end else [])
    (suite,) = root
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert all(root.get(name) == suite.get(name) for name in ("tests", "failures", "errors"))
    wanted = {"failure": "failures", "error": "errors", "skipped": "skipped"}.get(end)
    assert counts == {"tests": 1, "failures": 0, "errors": 0, "skipped": 0} | ({wanted: 1} if wanted else {})


def test_facts_of_a_case_are_lines_that_jenkins_reads_as_properties() -> None:
    (case,) = written("pass", Baseline(), "fine").iter("testcase")
    assert case.findtext("system-out") == "[[PROPERTY|outcome=pass]]"


def test_the_message_is_one_line_with_the_remark_and_the_text_is_given() -> None:
    (case,) = written("fail", KNOWN, "36010: 2 late", "36011: 1 late").iter("testcase")
    ended = case.find("skipped")
    assert ended is not None
    assert ended.get("message") == (
        "known: known deviation, until 2026-11-30: agreed (T-1). 36010: 2 late; 36011: 1 late"
    )
    assert ended.text == "36010: 2 late\n36011: 1 late"


@given(st.text(min_size=1))
def test_every_text_a_client_may_send_leaves_a_file_that_can_be_read(text: str) -> None:
    written("fail", Baseline(), text)
