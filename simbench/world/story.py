"""The story of a world: what the bench makes happen, as rows of the ledger. The same for both ways; decides nothing."""

from __future__ import annotations

import json

from simbench.incident import Period, period_row, to_story
from simbench.ledger.rows import Row
from simbench.world.config import moment
from simbench.world.plan import World


def story_of(world: World) -> list[Row]:
    """The rows of table "story" within the period, by instant: period, incidents, tiers, portings, forecasts."""
    scenario = world.scenario
    known = scenario.history.known_from
    period = Period(world.start, world.end, moment(known, "history.known_from") if known else world.start)
    rows: list[Row] = [row for incident in world.incidents for row in to_story(incident)]
    for code in world.codes:
        for at, limit in world.tiers(code):
            rows.append((at, "tier", code, None, json.dumps({"rate_per_s": limit.rate_per_s})))
    rows += [
        (moment(wave.at, "portings"), "ported", "subscribers", None, json.dumps({"share": wave.share}))
        for wave in scenario.portings
    ]
    for one in scenario.forecasts:
        told = json.dumps({"per_month": one.per_month})
        rows.append((moment(one.at, "forecasts"), "forecast", one.code, None, told))
    rows = [row for row in rows if world.start <= _at(row) < world.end]
    return [period_row(period), *sorted(rows, key=lambda row: (_at(row), str(row[1]), str(row[2])))]


def _at(row: Row) -> int:
    assert isinstance(row[0], int)
    return row[0]
