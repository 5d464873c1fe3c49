"""The rate meters: the instant at which the n-th operation of a short code conforms to its rate r.

With `d[n]` the conforming instant of the n-th operation and `a[n]` its arrival (OPS-ACH-04, the readings of AMB-05):

* sliding: `d[n] = max(a[n], d[n-r] + 1 s)`, at most r in any interval of a second; `all_operations` is the same
  over all operations of the client;
* mean_10s: `d[n] = max(a[n], d[n-10r] + 10 s)`, at most 10 r in any ten seconds;
* tumbling: `d[n] = max(a[n], the whole second after d[n-r])`, at most r in each second of the clock;
* bucket: r deep, refilled with r a second: at most 2 r in a second.

All are exact in whole microseconds, for every tier.
"""

from __future__ import annotations

from simbench.base.units import SECOND_US

LONG_AGO = -(1 << 60)  # before any instant: initial content of a ring


def conforming(arrival: int, rth_before: int) -> int:
    """Return the earliest conforming instant of an operation, given that of r operations earlier (both us)."""
    return max(arrival, rth_before + SECOND_US)


def conforming_within(arrival: int, before: int, window_us: int) -> int:
    """Do the same as `conforming` over a longer window; `before` is the instant a full window of operations earlier."""
    return max(arrival, before + window_us)


def conforming_tumbling(arrival: int, rth_before: int) -> int:
    """Do the same as `conforming` with seconds of the clock: the r-th operation before fills its second."""
    return max(arrival, (rth_before // SECOND_US + 1) * SECOND_US)


def conforming_bucket(arrival: int, full_at: int, rate: int) -> int:
    """Return the earliest instant at which the bucket holds one operation.

    `full_at` (1/r us): when it would be full.
    """
    return max(arrival, -(((rate - 1) * SECOND_US - full_at) // rate))


def bucket_after(conforms: int, full_at: int, rate: int) -> int:
    """Return when the bucket would be full again (1/r us) after an operation at an instant (us)."""
    return max(full_at, conforms * rate) + SECOND_US
