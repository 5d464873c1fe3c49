"""The SLA report of a run in virtual time: measures, pictures, page and PDF. Decides no outcome.

Texts are data, one table a language (`en.toml`, `fr.toml`).
"""

from simbench.report.sla.gathered import SlaRun
from simbench.report.sla.page import write_sla

__all__ = ["SlaRun", "write_sla"]
