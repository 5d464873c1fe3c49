"""The sample of an SLA report: the year with fifteen outages, run and reported."""

from __future__ import annotations

import tempfile
from pathlib import Path

from simbench.base.version import __version__
from simbench.contract.load import contract_beside
from simbench.ledger import Ledger, RunInfo, open_run
from simbench.simulation.plan import plan
from simbench.simulation.run import run_world
from simbench.simulation.scenario import read_world
from simbench.sla.report import SlaRun, write_sla

SCENARIO = Path(__file__).parents[2] / "scenarios" / "year" / "06_year_with_15_outages.toml"


def write_year_sample(folder: Path) -> Path:
    """Run the year and write its report, findings and data; return the page."""
    read = read_world(SCENARIO)
    contract = contract_beside(read.contract, SCENARIO)
    info = RunInfo(
        run=SCENARIO.stem, scenario=read.name, seed=read.seed, contract=contract.name, contract_digest=contract.digest,
        versions={"simbench": __version__}, keep="digest",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        with Ledger.create(Path(place) / "run", info, daily=False) as ledger:
            run_world(plan(read, contract, str(SCENARIO)), ledger, "minute")
        _, written = write_sla(folder, SlaRun(open_run(Path(place) / "run"), contract))
    return written[0]
