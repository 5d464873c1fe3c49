"""Telecom network simulator and conformance test bench. PYTEST_DONT_REWRITE

>>> import simbench
>>> run = simbench.simulate("year/01_quiet_day")
>>> simbench.judge(run).outcome
'pass'

Nothing is loaded before it is asked for: `import simbench` and `--help` stay light.
"""

from __future__ import annotations


from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fake_smsc.built_scenario import Scenario
    from simbench import dialup, roaming
    from simbench.api.runs import Run, open_run, simulate
    from simbench.api.worlds import World
    from simbench.base.errors import BadInput, SimbenchError, Trouble
    from simbench.bench.sut.protocol import Capabilities, SystemUnderTest, Target
    from simbench.bench.sut.protocol import Report as ClientReport
    from simbench.client.messages import Outgoing
    from simbench.contract import Contract, load_contract
    from simbench.finding import Evidence, Finding
    from simbench.tables.frames import Frame

__version__ = "0.1.0"
