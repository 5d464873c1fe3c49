"""The events of a world as rows of the ledger; both engines write the same."""

from __future__ import annotations

from msgspec.structs import replace

from simbench.ledger.events import ForecastGiven, NumbersPorted, TierSet, row_of
from simbench.ledger.incidents import Incident, Period, incident_rows, period_row
from simbench.ledger.rows import Row
from simbench.simulation.incidents import incidents as incidents_of
from simbench.simulation.plan import World
from simbench.simulation.scenario import moment


def event_rows(world: World) -> list[Row]:
    """Return the rows of table "events" by instant: period, incidents, tiers, portings, forecasts.

    Incidents before the period are included, because availability over twelve months needs them.
    """
    scenario = world.scenario
    known = scenario.history.known_from
    period = Period(
        world.start, world.end, moment(known, world.calendar, "history.known_from") if known else world.start
    )
    known_incidents = [*_history(world, period.known_from), *world.incidents]
    incidents: list[Row] = [
        row for incident in known_incidents for row in incident_rows(incident) if _at(row) < world.end
    ]
    rows: list[Row] = []
    for code in world.codes:
        for at, limit in world.tiers(code):
            rows.append(row_of(at, TierSet(code, limit.rate_per_s)))
    rows += [
        row_of(moment(wave.at, world.calendar, "portings"), NumbersPorted(wave.share)) for wave in scenario.portings
    ]
    for one in scenario.forecasts:
        rows.append(row_of(moment(one.at, world.calendar, "forecasts"), ForecastGiven(one.code, one.per_month)))
    rows = incidents + [row for row in rows if world.start <= _at(row) < world.end]
    return [period_row(period), *sorted(rows, key=lambda row: (_at(row), str(row[1]), str(row[2])))]


def _history(world: World, known_from: int) -> list[Incident]:
    """Return scripted incidents that ended before the period; random ones are drawn only within the period."""
    if known_from >= world.start:
        return []
    config = replace(world.scenario.incidents, drawn=())
    past = incidents_of(config, world.scenario.seed, (known_from, world.start), world.contract)
    return [one for one in past if one.end is not None and one.end <= world.start]


def _at(row: Row) -> int:
    assert isinstance(row[0], int)
    return row[0]
