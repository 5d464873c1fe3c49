"""The meter: when the n-th operation of a short code conforms to its rate. Keeps no ring; the caller does.

With `d[n]` the conforming instant of the n-th operation and `a[n]` its arrival, `d[n] = max(a[n], d[n-r] + 1 s)`:
at most r operations in any sliding second, exact in whole microseconds for every tier (OPS-ACH-04, reading AMB-05).
"""

from __future__ import annotations

SECOND_US = 1_000_000
LONG_AGO = -(1 << 60)  # before any instant: what an unused place of a ring holds


def conforming(arrival: int, rth_before: int) -> int:
    """The earliest conforming instant of an operation, given the conforming instant r operations earlier (both us)."""
    return max(arrival, rth_before + SECOND_US)
