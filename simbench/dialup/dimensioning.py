"""Dimensioning: ports for a grade of service, and the revenue of one more port under the progressive share."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.dialup.demand import profile
from simbench.dialup.erlang import GRADES, blocking_of, busy_hour_erlangs, extended_ports_for, ports_for
from simbench.dialup.grid import grid_of
from simbench.dialup.offer import Offer

STEPS = 40


class Grade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ports for one grade of service in the busy hour, without and with redials."""

    grade: float
    ports: int
    ports_with_redials: int
    minutes: int
    share_ff: Decimal
    next_port_minutes: int
    next_port_ff: Decimal


class Dimensioned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ports for an offered load: the busy hour's erlangs and the requested grades."""

    minutes: int
    busy_hour_share: float
    erlangs: float
    persistence: float
    grades: tuple[Grade, ...]


def dimension(
    minutes: int, offer: Offer, month: str, busy_share: float = 0.0, grades: Sequence[float] = GRADES, tariff: str = ""
) -> Dimensioned:
    """Dimension a pool for a month's offered minutes; `busy_share` 0: the busiest hour of the offer's own profile.

    The marginal revenue of a port is the share for the minutes of all hours of the month with one more port, less the
    share for the minutes without it.
    """
    loads = hourly_erlangs(minutes, offer, month)
    days = len(loads) / 24
    share = busy_share or busiest_share(loads)
    erlangs = busy_hour_erlangs(minutes, share, 30) if busy_share else minutes * share / days / 60
    persistence = float(offer.terms.redial.persistence.value)
    ports = [ports_for(erlangs, grade) for grade in grades]
    carried = carried_minutes(loads, [n + more for n in ports for more in (0, 1)])
    found = []
    for place, grade in enumerate(grades):
        before, after = (int(carried[2 * place + more]) for more in (0, 1))
        found.append(
            Grade(
                grade=grade,
                ports=ports[place],
                ports_with_redials=extended_ports_for(erlangs, grade, persistence),
                minutes=before,
                share_ff=offer.share_ff(before, tariff),
                next_port_minutes=after - before,
                next_port_ff=offer.share_ff(after, tariff) - offer.share_ff(before, tariff),
            )
        )
    return Dimensioned(minutes, round(share, 4), round(erlangs, 3), persistence, tuple(found))


def hourly_erlangs(minutes: float, offer: Offer, month: str) -> NDArray[np.float64]:
    """Return the offered load of each hour of a month by the offer's profile."""
    weights, _ = profile(grid_of((month,), offer), 0, offer)
    by_hour = weights.reshape(-1, 2).sum(axis=1)
    load: NDArray[np.float64] = minutes / 60 * by_hour / by_hour.sum()
    return load


def busiest_share(loads: NDArray[np.float64]) -> float:
    """Return the share of an average day's load in its busiest hour, over the whole month."""
    by_hour = loads[: len(loads) // 24 * 24].reshape(-1, 24).sum(axis=0)
    return float(by_hour.max() / by_hour.sum())


def carried_minutes(loads: NDArray[np.float64], ports: Sequence[int]) -> NDArray[np.float64]:
    """Return the minutes carried by pools of these sizes, with each hour as a system in equilibrium (Erlang B)."""
    distinct, times = np.unique(np.round(loads, 6), return_counts=True)
    carried = np.zeros(len(ports))
    for load, count in zip(distinct.tolist(), times.tolist(), strict=True):
        blocking = blocking_of(load, max(ports))
        carried += [load * (1 - blocking[n]) * 60 * count for n in ports]
    return carried


def curve(minutes: int, offer: Offer, month: str, tariff: str = "") -> list[tuple[int, float, Decimal, Decimal]]:
    """Return (ports, blocking of the busy hour, share, marginal share of a port) from few to more than enough ports."""
    loads = hourly_erlangs(minutes, offer, month)
    erlangs = busiest_share(loads) * loads.sum() / (len(loads) / 24)
    most = ports_for(erlangs, GRADES[0] / 10)
    sizes = sorted({round(most * (0.5 + 0.6 * step / STEPS)) for step in range(STEPS + 1)})
    carried = carried_minutes(loads, [size + more for size in sizes for more in (0, 1)])
    blocking = blocking_of(erlangs, sizes[-1])
    rows = []
    for place, size in enumerate(sizes):
        one, other = (offer.share_ff(int(carried[2 * place + more]), tariff) for more in (0, 1))
        rows.append((size, blocking[size], one, other - one))
    return rows
