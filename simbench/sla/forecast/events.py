"""Futures computed event by event, each judged by the functions of the rules.

Slower than `futures`. For distributions whose outages are total only when they coincide (AMB-14).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from simbench.base.units import HOUR_US
from simbench.contract import Contract
from simbench.ledger.incidents import Incident
from simbench.simulation.incidents import Drawn, drawn
from simbench.sla.availability import rolling, turning_points, year_of
from simbench.sla.classification import Service, counted
from simbench.sla.forecast.futures import NEVER, Found, Task
from simbench.sla.forecast.known import period_of
from simbench.sla.restoration import joined


def chunk_of_events(task: Task, laws: Sequence[Drawn], contract: Contract, first: int, last: int) -> Found:
    """Draw and judge the futures `first` to `last`, one after the other."""
    down, late, shares = [], [], []
    for number in range(first, last):
        service = _future(task, laws, contract, number)
        year = year_of(service, contract)
        points = np.union1d(turning_points(year), task.known.now + task.dates)
        since = task.known.now if year.windows.calendar else year.period.known_from
        seen = rolling(year, points[points > since])
        broken = seen.beyond(year.windows.length_at(seen.at), "V1", year.allowed)
        down.append(int(seen.at[broken][0]) - task.known.now if broken.any() else NEVER)
        late.append(_late(service, contract, task.known.now))
        shares.append(rolling(year, task.known.now + task.grid).availability("V1"))
    return Found(np.array(down), np.array(late), np.array(shares, dtype=np.float32))


def _future(task: Task, laws: Sequence[Drawn], contract: Contract, number: int) -> Service:
    known = task.known
    coming: list[Incident] = []
    for law in laws:
        coming += drawn(replace(law, name=f"{law.name}\x1e{number}"), task.seed, known.now, task.until)
    incidents = [one.incident for one in known.counted]
    return Service(period_of(known, task.until), counted([*incidents, *coming], contract))


def _late(service: Service, contract: Contract, now: int) -> int:
    limit = contract.terms.quality.restoration_h.value * HOUR_US
    late = [
        one.incident.start + limit - now
        for one in joined(service.counted)
        if one.incident.start >= now and one.incident.end is not None and one.incident.lasted(now) > limit
    ]
    return min(late, default=NEVER)
