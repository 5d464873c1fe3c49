from __future__ import annotations

import pytest

from simbench.bench.report import Judgement
from simbench.bench.report.page import page
from tests.bench.report import simulated
from tests.bench.report.cases import judgement


@pytest.fixture(scope="session")
def judged() -> Judgement:
    return judgement(
        simulated.exercise("at-tier", "Backlog far above the tier", lambda: simulated.at_tier(12, {"36050": 57})),
        simulated.exercise("outage", "The platform goes away", simulated.outage),
        simulated.exercise("delay", "The platform delays its answers", simulated.delayed),
    )


@pytest.fixture(scope="session")
def html(judged: Judgement) -> str:
    return page(judged)
