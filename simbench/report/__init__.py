"""Figures, tables and pages: the only place with matplotlib. Decides no outcome."""

from simbench.report.model import ExerciseRun, Info, Judgement
from simbench.report.page import write_report
from simbench.report.result import Result, read_findings, write_findings

__all__ = [
    "ExerciseRun",
    "Info",
    "Judgement",
    "Result",
    "read_findings",
    "write_findings",
    "write_report",
]
