from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from simbench.finding import Evidence, Finding
from simbench.report import write_junit
from tests.report.cases import INFO, findings


def _written(folder: Path, found: list[Finding], **options: bool) -> ET.Element:
    write_junit(folder / "junit.xml", found, INFO, **options)
    return ET.fromstring((folder / "junit.xml").read_bytes())  # noqa: S314 - our own file


def _properties(case: ET.Element) -> dict[str | None, str | None]:
    return {one.get("name"): one.get("value") for one in case.iterfind("properties/property")}


def test_there_is_one_case_a_purpose_under_its_clause(tmp_path: Path) -> None:
    cases = _written(tmp_path, findings()).findall("testsuite/testcase")
    assert [(case.get("classname"), case.get("name")) for case in cases] == [(f.clause, f.purpose) for f in findings()]


def test_the_suite_counts_what_its_cases_hold(tmp_path: Path) -> None:
    suite = _written(tmp_path, findings())[0]
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(count, "")) == len(list(suite.iter(tag))) > 0
    assert suite.get("tests") == "9"
    assert suite.get("time") == "312.5"


def test_outcomes_map_to_what_build_servers_know(tmp_path: Path) -> None:
    cases = _written(tmp_path, findings()).findall("testsuite/testcase")
    shapes = {
        _properties(case)["outcome"]: [child.tag for child in case if child.tag != "properties"] for case in cases
    }
    assert shapes == {
        "fail": ["failure"], "error": ["error"], "inconclusive": ["skipped"], "unsupported": ["skipped"],
        "weak": ["system-out"], "pass": ["system-out"],
    }  # fmt: skip


def test_skipped_cases_name_their_outcome(tmp_path: Path) -> None:
    told = [case.get("message", "") for case in _written(tmp_path, findings()).iter("skipped")]
    assert [text.split(":")[0] for text in told] == ["inconclusive", "unsupported"]


def test_measure_limit_unit_and_blame_are_properties(tmp_path: Path) -> None:
    case = _written(tmp_path, findings())[0].findall("testcase")[0]
    assert _properties(case) == {
        "outcome": "fail", "measured": "57", "limit": "50", "unit": "submits/s", "blame": "client",
        "exercise": "at-tier", "assumed": "throughput.jitter_ms, AMB-05",
    }  # fmt: skip


def test_failures_carry_summary_and_evidence_with_numbers_hidden(tmp_path: Path) -> None:
    (first, _) = _written(tmp_path, findings()).iter("failure")
    assert first.get("message") == "36050 went above its tier of 50: 57 submits within one second."
    assert "10:00:21.000123 to 10:00:22.000123 +02:00" in (first.text or "")
    assert b"33612345678".hex() not in (first.text or "").lower()
    (first, _) = _written(tmp_path, findings(), mask=False).iter("failure")
    assert b"33612345678".hex() in (first.text or "").lower()


def test_a_measured_zero_is_a_property_too(tmp_path: Path) -> None:
    found = [Finding("OPS-ACH-04/x", "OPS-ACH-04", "pass", "None.", 0, 0, "messages")]
    assert _properties(_written(tmp_path, found)[0].findall("testcase")[0])["measured"] == "0"


@given(text=st.text(max_size=40))
def test_any_text_gives_xml_that_can_be_read(tmp_path_factory: object, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # pytest's factory
    evidence = Evidence(text, 1, 2, 3, text)
    _written(folder, [Finding(text, text, "fail", text, unit=text, assumed=(text,), evidence=(evidence,))])
