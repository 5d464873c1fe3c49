"""A world may be part of a longer run: earlier incidents count for the year, without affecting traffic."""

from __future__ import annotations

import pytest

import simbench.sla.rules  # noqa: F401 - enters the rules
from simbench.contract import load_contract
from simbench.rules.rule import Case, load
from simbench.simulation.run import Way
from simbench.trace.trace import Trace
from tests.simulation.worlds import FRIDAY, campaign, kinds, run, scenario_of

PAST = {"scripted": [{"at": "2025-06-10T10:00:00", "for_h": 200}]}


@pytest.mark.parametrize("way", ["bulk", "events"])
def test_an_outage_of_the_year_before_breaks_the_availability_and_cuts_nobody(way: Way) -> None:
    outcomes = []
    for tables in ({}, {"incidents": PAST, "history": {"known_from": "2025-03-01"}}):
        ledger = run(scenario_of(campaigns=[campaign()], **tables), way)
        assert len(kinds(ledger, "accepted")) == 100
        assert not kinds(ledger, "logout")
        case = Case(Trace(ledger.snapshot()), load_contract())
        outcomes.append(load()["sla.availability"].judge(case).outcome)
    # Without a loss, less than twelve months leave the year open; the outage of the year before overdraws its budget.
    assert outcomes == ["inconclusive", "fail"]


def test_an_outage_under_way_when_the_period_begins_keeps_its_beginning() -> None:
    scripted = [{"at": "2026-03-26T22:00:00", "for_h": 3}]
    ledger = run(scenario_of(campaigns=[campaign()], incidents={"scripted": scripted}), "bulk")
    first = {str(row[1]): row[0] for row in reversed(ledger.events)}
    assert first["outage"] < first["period"], f"the history of {FRIDAY} begins before it"  # type: ignore[operator]  # instants
