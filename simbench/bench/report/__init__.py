"""Figures, tables and pages of conformance reports."""

from simbench.bench.report.findings_file import Result, read_findings, write_findings
from simbench.bench.report.model import ExerciseRun, Info, Judgement
from simbench.bench.report.page import write_report

__all__ = [
    "ExerciseRun",
    "Info",
    "Judgement",
    "Result",
    "read_findings",
    "write_findings",
    "write_report",
]
