"""The meters: when the n-th operation of a short code conforms to its rate r. Keeps no state; the caller does.

With `d[n]` the conforming instant of the n-th operation and `a[n]` its arrival (OPS-ACH-04, the readings of AMB-05):

* sliding: `d[n] = max(a[n], d[n-r] + 1 s)`, at most r in any second wherever it starts; `all_operations` is the same
  over everything the client sends;
* mean_10s: `d[n] = max(a[n], d[n-10r] + 10 s)`, at most 10 r in any ten seconds;
* tumbling: `d[n] = max(a[n], the whole second after d[n-r])`, at most r in each second of the clock;
* bucket: r deep, refilled with r a second: at most 2 r in a second.

All are exact in whole microseconds, for every tier.
"""

from __future__ import annotations

from simbench.base.units import SECOND_US

LONG_AGO = -(1 << 60)  # before any instant: what an unused place of a ring holds


def conforming(arrival: int, rth_before: int) -> int:
    """The earliest conforming instant of an operation, given the conforming instant r operations earlier (both us)."""
    return max(arrival, rth_before + SECOND_US)


def conforming_within(arrival: int, before: int, window_us: int) -> int:
    """The same over a longer window: `before` conformed as many operations earlier as the window may hold."""
    return max(arrival, before + window_us)


def conforming_tumbling(arrival: int, rth_before: int) -> int:
    """The same where seconds begin with the clock's: the r-th before fills its own second."""
    return max(arrival, (rth_before // SECOND_US + 1) * SECOND_US)


def conforming_bucket(arrival: int, full_at: int, rate: int) -> int:
    """The earliest instant the bucket holds a whole operation. `full_at` is in 1/r us: when it were full again."""
    return max(arrival, -(((rate - 1) * SECOND_US - full_at) // rate))


def bucket_after(conforms: int, full_at: int, rate: int) -> int:
    """When the bucket were full again (1/r us), once an operation took its share of it at an instant (us)."""
    return max(full_at, conforms * rate) + SECOND_US
