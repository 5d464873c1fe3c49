"""Planted faults of the service level: histories in which one promise is broken, by the name a rule must catch."""

from __future__ import annotations

import json

from simbench.base.units import SECOND_US
from simbench.ledger import MemoryLedger
from simbench.ledger.incidents import Incident
from simbench.rules.rule import Case
from tests.sla.years import START, YEAR, case_of, maintenance, outage, outages


def _kept() -> list[Incident]:
    """A year that keeps every promise, with something of everything in it."""
    quiet = [
        *outages(9, 6),
        maintenance(5000, 3, 6, 20),
        outage(5200, 40, 21, scope="partial", share=0.2, subject="link"),
    ]
    return [*quiet, outage(5400, 30, 22, attributed_to="client"), maintenance(6000, 8, 7, 23, attributed_to="client")]


TAMPERINGS: dict[str, list[Incident]] = {
    "": _kept(),
    "fifteen-outages": [*_kept(), *(outage(6500 + 40 * n, 6, 30 + n) for n in range(6))],
    "seven-hours": [*_kept(), outage(6500, 7, 30)],
    "late-notice": [*_kept(), maintenance(6500, 1, 4.5, 30)],
    "client-late-notice": [*_kept(), maintenance(6500, 1, 4.5, 30, attributed_to="client")],
    "slow-minutes": _kept(),
}


def tampered(name: str) -> Case:
    """The year with one fault; a platform that grants a tenth less than the tier where that is the fault."""
    ledger = MemoryLedger()
    ledger.events.append((START, "limit", "36010", None, json.dumps({"rate_per_s": 10, "mode": "delay"})))
    granted = 9 if name == "slow-minutes" else 10
    for number in range(1500):
        submitted, answered = START + number * SECOND_US // 20, START + SECOND_US + number * SECOND_US // granted
        ledger.centre.append((submitted, "held", 1, "36010", "33639980001", 0, 0, 0, None, 1, 0, 0))
        ledger.centre.append(
            (answered, "accepted", 1, "36010", "33639980001", number, 0, 0, answered // SECOND_US, 1, 0, 0)
        )
    ledger.centre.sort(key=lambda row: int(str(row[0])))
    return case_of(TAMPERINGS[name], YEAR, ledger=ledger)
