"""A judgement as complete, unmasked JSON, the source of all other forms."""

from __future__ import annotations

from pathlib import Path

import msgspec

from simbench.base.errors import BadInput
from simbench.base.json_files import read_json, write_json
from simbench.bench.report.model import Judgement
from simbench.finding import Finding, tally
from simbench.rules.coverage import Untested


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `findings.json`: facts of the run, the number of findings by outcome, the findings in order.

    `untested` are the clauses of the contract without a finding.
    """

    run: dict[str, str | int | float]
    summary: dict[str, int]
    findings: tuple[Finding, ...]
    untested: tuple[Untested, ...] = ()


def write_findings(path: Path, judgement: Judgement) -> None:
    """Write `findings.json`. Raises BadInput when the file cannot be written."""
    findings = tuple(judgement.findings)
    result = Result(dict(judgement.info), tally(findings), findings, tuple(judgement.untested))
    write_json(path, result)


def read_findings(path: Path) -> Result:
    """Read `findings.json`. Raises BadInput when it is missing or invalid."""
    result = read_json(path, Result, "a findings.json", "the findings.json that the bench writes")
    counted = tally(result.findings)
    if result.summary != counted:
        raise BadInput(f"{path}: summary", f"is {result.summary}", f"{counted}, as the findings say")
    return result
