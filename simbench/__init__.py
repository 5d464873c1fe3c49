"""Telecom network simulator and conformance test bench. PYTEST_DONT_REWRITE

>>> import simbench
>>> run = simbench.simulate("year/06_year_with_15_outages")
>>> simbench.judge(run).outcome
'fail'

Each name is loaded when it is first used, so `import simbench` and `--help` stay fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simbench.base.lazy_names import lazy_names
from simbench.base.version import __version__ as __version__

if TYPE_CHECKING:
    from fake_smsc import FakeSmsc, Scenario
    from simbench import dialup, roaming
    from simbench.api.billing import Bill, bill
    from simbench.api.clients import Client
    from simbench.api.judgements import Judgement
    from simbench.api.judges import judge
    from simbench.api.planning import Plan, Sweep, plan, sweep, what_if
    from simbench.api.reports import Report, report
    from simbench.api.runs import Run, open_run, simulate
    from simbench.api.sessions import Session, conform, read_session
    from simbench.api.worlds import World
    from simbench.base.errors import BadInput, SimbenchError, Trouble
    from simbench.bench.sut.protocol import Capabilities, SystemUnderTest, Target
    from simbench.client.messages import Outgoing
    from simbench.contract import Contract, load_contract
    from simbench.finding import Evidence, Finding
    from simbench.findings import Findings
    from simbench.tables.frames import Frame

_PLACES: Final = {
    "fake_smsc": ("FakeSmsc", "Scenario"),
    "simbench.api.billing": ("Bill", "bill"),
    "simbench.api.clients": ("Client",),
    "simbench.api.judgements": ("Judgement",),
    "simbench.api.judges": ("judge",),
    "simbench.api.planning": ("Plan", "Sweep", "plan", "sweep", "what_if"),
    "simbench.api.reports": ("Report", "report"),
    "simbench.api.runs": ("Run", "open_run", "simulate"),
    "simbench.api.sessions": ("Session", "conform", "read_session"),
    "simbench.api.worlds": ("World",),
    "simbench.base.errors": ("BadInput", "SimbenchError", "Trouble"),
    "simbench.bench.sut.protocol": ("Capabilities", "SystemUnderTest", "Target"),
    "simbench.client.messages": ("Outgoing",),
    "simbench.contract": ("Contract", "load_contract"),
    "simbench.finding": ("Evidence", "Finding"),
    "simbench.findings": ("Findings",),
    "simbench.tables.frames": ("Frame",),
}

__all__ = [
    "BadInput", "Bill", "Capabilities", "Client", "Contract", "Evidence", "FakeSmsc", "Finding", "Findings", "Frame",
    "Judgement", "Outgoing", "Plan", "Report", "Run", "Scenario", "Session", "SimbenchError", "Sweep",
    "SystemUnderTest", "Target", "Trouble", "World", "bill", "conform", "dialup", "judge", "load_contract", "open_run",
    "plan", "read_session", "report", "roaming", "simulate", "sweep", "what_if",
]  # fmt: skip


if not TYPE_CHECKING:  # checkers know the names above, and no others
    __getattr__, __dir__ = lazy_names(__name__, _PLACES, ("dialup", "roaming"))
