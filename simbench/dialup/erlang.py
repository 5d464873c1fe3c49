"""Erlang's loss formula: blocking from load and ports, ports from load and grade, redials included.

Loads are in erlangs (the mean number of calls in progress if none were lost). A. K. Erlang 1917; the extended formula
adds the share of blocked calls that is dialled again to the load.
"""

from __future__ import annotations

import math

from simbench.base.errors import BadInput

MOST_PORTS = 1_000_000
GRADES = (0.01, 0.02, 0.05)
"""Usual grades of service: P.01, P.02, P.05."""


def erlang_b(erlangs: float, ports: int) -> float:
    """Return the blocking of a pool of ports: B(n) = a B(n-1) / (n + a B(n-1)). Raises BadInput for invalid numbers."""
    _check(erlangs)
    if not 0 <= ports <= MOST_PORTS:
        raise BadInput("ports", f"is {ports}", f"0 to {MOST_PORTS:,}")
    blocking = 1.0
    for n in range(1, ports + 1):
        blocking = erlangs * blocking / (n + erlangs * blocking)
    return blocking


def blocking_of(erlangs: float, most_ports: int) -> list[float]:
    """Give the blocking of 0, 1, ... `most_ports` ports."""
    _check(erlangs)
    found = [1.0]
    for n in range(1, most_ports + 1):
        found.append(erlangs * found[-1] / (n + erlangs * found[-1]))
    return found


def ports_for(erlangs: float, grade: float) -> int:
    """Return the smallest number of ports that block at most `grade` of the calls.

    Raises BadInput for an invalid share.
    """
    _check(erlangs)
    if not 0 < grade < 1:
        raise BadInput("grade of service", f"is {grade}", "a share between 0 and 1, such as 0.01")
    blocking, ports = 1.0, 0
    while blocking > grade and erlangs:
        ports += 1
        blocking = erlangs * blocking / (ports + erlangs * blocking)
        if ports > MOST_PORTS:
            raise BadInput("erlangs", f"is {erlangs}", f"a load that {MOST_PORTS:,} ports carry")
    return ports


def extended_b(erlangs: float, ports: int, persistence: float) -> tuple[float, float]:
    """Give blocking per attempt and the load with redials, when blocked users dial again with this probability.

    Solves a = a0 + a * B(a) * persistence by bisection; redials count as new Poisson calls, as in the formula.
    """
    if not 0 <= persistence < 1:
        raise BadInput("persistence", f"is {persistence}", "a share from 0 to below 1")
    low, high = erlangs, erlangs / (1 - persistence)
    for _ in range(80):
        middle = (low + high) / 2
        if erlangs + middle * erlang_b(middle, ports) * persistence > middle:
            low = middle
        else:
            high = middle
    return erlang_b(high, ports), high


def extended_ports_for(erlangs: float, grade: float, persistence: float) -> int:
    """Give the fewest ports that block at most `grade` of the attempts, redials included."""
    low, high = 0, ports_for(erlangs, grade)
    while extended_b(erlangs, high, persistence)[0] > grade:
        low, high = high, min(MOST_PORTS, high + max(1, high // 8))
    while high - low > 1:
        middle = (low + high) // 2
        if extended_b(erlangs, middle, persistence)[0] > grade:
            low = middle
        else:
            high = middle
    return high


def busy_hour_erlangs(minutes: float, share: float, days: int = 30) -> float:
    """Return the busy-hour load of a month's minutes, with this share of a day's load in its busiest hour."""
    if not 0 < share <= 1:
        raise BadInput("busy-hour share", f"is {share}", "above 0, at most 1")
    return minutes / days * share / 60


def _check(erlangs: float) -> None:
    if not (math.isfinite(erlangs) and erlangs >= 0):
        raise BadInput("erlangs", f"is {erlangs}", "a number from 0 on")
