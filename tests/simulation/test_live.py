"""The live server gives every accepted message the draws that a world gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simbench.simulation.bulk import BulkSmsc
from simbench.simulation.kernels.delivery import deliveries
from simbench.simulation.kernels.layout import NEVER, OUTCOME, PART, Sent
from simbench.simulation.plan import plan
from tests.fake_smsc.virtual import Stage, perform
from tests.paris import MONDAY
from tests.simulation.worlds import campaign, scenario_of

LIVE = """
seed = 11
[subscribers]
preset = "etsi-2006"
share_ported_out = 0.05
[[codes]]
code = "36010"
"""
AN_HOUR_S = 3600
KINDS = ("accepted", "buffered", "delivered", "undelivered")
CODE = {"code": "36010"}


def test_a_live_message_ends_as_in_the_kernels(tmp_path: Path) -> None:
    path = tmp_path / "live.toml"
    path.write_text(LIVE)
    rows: list[Any] = []

    async def script(stage: Stage) -> None:
        peer = await stage.session("36010")
        for second in range(12):
            await stage.at(second + 1)
            for number in range(10):
                peer.submit(number, OAdC="36010", AdC=f"3371{1_000_000 + 997 * (10 * second + number)}")
        await stage.at(AN_HOUR_S)
        rows.extend(row for kind in KINDS for row in stage.rows(kind))

    perform(path, script)
    accepted = sorted(row for row in rows if row[1] == "accepted")
    assert len(accepted) == 120
    found = outcomes_of(np.array([row[0] for row in accepted]), accepted)
    reported = {(row[5], row[1]): (row[0], row[7]) for row in rows}
    assert len(reported) > 240
    for row, outcome in zip(accepted, found, strict=True):
        kind = "delivered" if outcome.reason == 0 else "undelivered"
        assert reported.pop((row[5], "accepted"))
        if outcome.end_at != NEVER:
            assert reported.pop((row[5], kind)) == (outcome.end_at, outcome.reason)
        if outcome.buffered_at != NEVER:
            assert reported.pop((row[5], "buffered")) == (outcome.buffered_at, outcome.buffered_reason)
    assert not reported


def outcomes_of(instants: Any, accepted: list[Any]) -> Any:
    """Return the kernels' results for messages accepted at these instants, in a world of the same seed."""
    subscribers = {"count": 1000, "preset": "etsi-2006", "share_ported_out": 0.05}
    scenario = scenario_of(seed=11, codes=[CODE], campaigns=[campaign(code="36010")], subscribers=subscribers)
    smsc, size = BulkSmsc(plan(scenario), "36010"), len(accepted)
    # A live message's number is made of what it is and names no stream; all ask for the default validity.
    anything = np.zeros(1 << 15, np.int64)
    tables = smsc.tables._replace(validity_us=anything, queue=anything)
    sent = Sent(np.arange(size), instants, instants, np.zeros(size, np.int64))
    entities, recipients = (np.array([int(row[place]) for row in accepted]) for place in (5, 4))
    found, end = np.empty(size, OUTCOME), MONDAY + AN_HOUR_S * 1_000_000
    last_parts, codes = np.full(1, -1, PART), np.zeros(size, np.int16)
    deliveries(sent, entities, recipients, codes, tables, smsc.admission, last_parts, end, found)
    return found
