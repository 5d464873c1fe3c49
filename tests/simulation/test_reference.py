"""The reference client lives in a world: in octets against the gateway, through cuts, at its tier."""

from __future__ import annotations

import pytest

from simbench.base.errors import ScenarioError
from simbench.base.units import SECOND_US
from tests.simulation.worlds import CODE, FRIDAY, OTHER, RING, campaign, kinds, run, scenario_of

REFERENCE = {"code": CODE, "kind": "reference"}


def test_the_reference_client_sends_everything_once_and_keeps_to_its_tier() -> None:
    scenario = scenario_of(
        clients=[REFERENCE],
        campaigns=[campaign(volume=400)],
        flows=[{"name": "f", "code": CODE, "per_day": 200}],
        incidents={"scripted": [{"at": f"{FRIDAY}T08:00:03", "for_h": 0.5}]},
    )
    ledger = run(scenario, "auto")
    accepted = kinds(ledger, "accepted")
    recipients = [row[4] for row in accepted]
    assert len(recipients) >= 750
    assert len({row[5] for row in accepted}) == len(accepted)
    instants = [row[0] for row in accepted]
    assert all(late - early >= SECOND_US - 10_000 for early, late in zip(instants, instants[50:], strict=False))
    outage = kinds(ledger, "logout")[0][0]
    assert not [at for at in instants if outage < at < outage + 1800 * SECOND_US]
    assert len(kinds(ledger, "login")) == 2


def test_by_minute_it_is_counted_like_any_other() -> None:
    scenario = scenario_of(clients=[REFERENCE], campaigns=[campaign(volume=60)])
    minutes = run(scenario, "auto", "minute").minute
    offered, submitted, accepted = (sum(int(str(row[place])) for row in minutes) for place in (2, 3, 4))
    assert offered == submitted == accepted == 60


def test_it_shares_a_world_with_no_other_client() -> None:
    scenario = scenario_of(codes=[RING, {"code": OTHER}], clients=[REFERENCE], campaigns=[campaign()])
    with pytest.raises(ScenarioError, match="the reference client for every code"):
        run(scenario, "events")
