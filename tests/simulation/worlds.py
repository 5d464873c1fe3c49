"""Small worlds for tests, and what makes two of their ledgers equal."""

from __future__ import annotations

from typing import Any

import msgspec

from simbench.ledger import MemoryLedger
from simbench.simulation.event_driven import Detail
from simbench.simulation.plan import plan
from simbench.simulation.run import Way, run_world
from simbench.simulation.scenario import WorldScenario

CODE, OTHER = "36050", "36010"
FRIDAY = "2026-03-27"
Facts = tuple[Any, ...]
"""A row of a ledger, of which the tests know what stands in it."""
RING = {"code": CODE, "rate_per_s": 50, "request_id": "R1"}


def scenario_of(**tables: Any) -> WorldScenario:
    """A scenario: two days, one code and a thousand subscribers unless said otherwise."""
    given = {
        "period": {"from": FRIDAY, "to": "2026-03-29"},
        "codes": [RING],
        "subscribers": {"count": 1000},
        **tables,
    }
    return msgspec.convert(given, WorldScenario)


def campaign(name: str = "c", code: str = CODE, **more: Any) -> dict[str, Any]:
    """A sending of a hundred at eight in the morning unless said otherwise."""
    return {"name": name, "code": code, "start": f"{FRIDAY}T08:00", "volume": 100, **more}


def run(scenario: WorldScenario, way: Way, detail: Detail = "rows") -> MemoryLedger:
    """A ledger of the scenario run one way."""
    ledger = MemoryLedger()
    run_world(plan(scenario), ledger, detail, way)
    return ledger


def kinds(ledger: MemoryLedger, *names: str) -> list[Facts]:
    """The rows of table "centre" of some kinds, in order."""
    return sorted((row for row in ledger.centre if row[1] in names), key=order)


def order(row: Facts) -> Any:
    """Sort by instant, kind, message, attempt, and the other distinguishing columns."""
    return (row[0], row[1], row[5], row[6], row[2], row[3], row[4], row[7], row[8] or 0)


def sorted_rows(ledger: MemoryLedger) -> list[Facts]:
    """The rows of table "centre" in the order in which ledgers are compared."""
    return sorted(ledger.centre, key=order)


def sorted_minutes(ledger: MemoryLedger) -> list[Facts]:
    """The rows of table "minute" by code and instant."""
    return sorted(ledger.minute, key=lambda row: (row[1], row[0]))
