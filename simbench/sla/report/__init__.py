"""The SLA report of any record: measures, figures, page and PDF.

Texts are data, one table per language (`en.toml`, `fr.toml`).
"""

from simbench.sla.report.judgement import SlaRun
from simbench.sla.report.page import write_sla

__all__ = ["SlaRun", "write_sla"]
