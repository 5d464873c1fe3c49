from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.bench.report import read_findings, write_findings
from simbench.finding import Evidence, Finding, tally
from tests.bench.report.cases import INFO, findings, judgement


def test_findings_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_findings(tmp_path / "findings.json", judgement())
    result = read_findings(tmp_path / "findings.json")
    assert list(result.findings) == findings()
    assert result.run == dict(INFO)
    assert result.summary == tally(findings())


def test_the_file_has_the_shape_others_rely_on(tmp_path: Path) -> None:
    write_findings(tmp_path / "findings.json", judgement())
    raw = json.loads((tmp_path / "findings.json").read_bytes())
    assert list(raw) == ["run", "summary", "findings", "untested"]
    assert raw["summary"] == {"pass": 3, "fail": 2, "weak": 1, "inconclusive": 1, "error": 1, "unsupported": 1}
    assert set(raw["findings"][0]) == set(Finding.__struct_fields__)


def test_the_same_judgement_gives_the_same_octets(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_findings(tmp_path / name, judgement())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"run": {}, "summary": {}, "findings": [{"purpose": 1}]}',
        '{"run": {}, "summary": {"pass": 1}, "findings": []}', "\xff",
    ],
)  # fmt: skip
def test_an_invalid_findings_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "findings.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput, match=r"findings\.json"):
        read_findings(tmp_path / "findings.json")


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_findings(tmp_path / "findings.json")


@given(octets=st.binary(max_size=200))
def test_reading_any_octets_gives_findings_or_the_error(tmp_path_factory: object, octets: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"  # type: ignore[attr-defined]  # pytest's factory
    path.write_bytes(octets)
    with pytest.raises(BadInput):
        read_findings(path)


@given(
    summary=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    measured=st.floats(allow_nan=False, allow_infinity=False),
    start=st.integers(-(2**62), 2**62),
)
def test_any_finding_survives(tmp_path_factory: object, summary: str, measured: float, start: int) -> None:
    path = tmp_path_factory.getbasetemp() / "one.json"  # type: ignore[attr-defined]  # pytest's factory
    path.unlink(missing_ok=True)  # only a new file, or its own, may be written
    found = [Finding("A/b", "A", "weak", summary, measured, evidence=(Evidence(summary, start),))]
    write_findings(path, judgement(found=found))
    assert list(read_findings(path).findings) == found
