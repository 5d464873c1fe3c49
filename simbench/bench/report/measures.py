"""Aggregates for figures: rates in bins, sliding peaks, waits, backlog.

Instants and durations are int64 arrays in microseconds; instants are sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.units import SECOND_US
from simbench.ledger.stimuli import Request
from simbench.trace.rows import Submits
from simbench.trace.trace import Outage, Trace

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_BINS: Final = 240  # as many as a figure can show; longer runs get wider bins
GIVEN_UP: Final = frozenset({"withheld", "refused"})  # reports of a client that it will not send a message
WIDTHS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800)


class Bins(NamedTuple):
    """Equal bins of time from `start` on: `width_s` seconds each, `size` of them."""

    start: int
    width_s: int
    size: int

    @property
    def edges(self) -> Ints:
        """The bounds of the bins: size + 1 instants."""
        return self.start + np.arange(self.size + 1, dtype=np.int64) * (self.width_s * SECOND_US)

    def of(self, at: Ints) -> Ints:
        """Return the bin of each instant; an instant outside counts to the nearest bin."""
        return np.clip((at - self.start) // (self.width_s * SECOND_US), 0, self.size - 1)


def ints(column: NDArray[Any]) -> Ints:
    """Return a column of a view as integers, even if an empty one has another type."""
    return np.asarray(column, dtype=np.int64)


def bins_over(start: int, end: int) -> Bins:
    """Return bins of whole seconds from `start` that cover `end`, as narrow as MOST_BINS allows."""
    span_s = max(end - start, 0) / SECOND_US
    width_s = next((width for width in WIDTHS_S if span_s < width * MOST_BINS), int(span_s) // MOST_BINS + 1)
    return Bins(start, width_s, int(span_s // width_s) + 1)


def rate_in(bins: Bins, at: Ints, weights: Ints | None = None) -> Floats:
    """Return the mean rate per second in each bin."""
    counted = np.bincount(bins.of(at), weights=weights, minlength=bins.size) if len(at) else np.zeros(bins.size)
    return counted / bins.width_s


def within_window(at: Ints, weights: Ints) -> Ints:
    """Return for each event the weight in the second that ends with it; an event exactly one second back is outside."""
    total: Ints = np.concatenate([np.zeros(1, np.int64), np.cumsum(weights)])
    # Events at the same instant count together, so the window of each includes the last of them.
    until, before = np.searchsorted(at, at, "right"), np.searchsorted(at, at - SECOND_US, "right")
    return np.subtract(total[until], total[before])


def peak_in(bins: Bins, at: Ints, sliding: Ints) -> Ints:
    """Return the maximum of `sliding` over the events of each bin, 0 without events."""
    peaks = np.zeros(bins.size, np.int64)
    np.maximum.at(peaks, bins.of(at), sliding)
    return peaks


def overlap(start: int, end: int, outages: Sequence[Outage]) -> int:
    """Return the part of an interval within total outages (us); outages do not overlap."""
    return sum(max(min(end, ends) - max(start, begins), 0) for begins, ends, scope, _ in outages if scope == "total")


class Pace(msgspec.Struct, frozen=True):
    """The rate at which one code was used: `mean` per second without outages, `peak` in any one second."""

    mean: float
    peak: int


def pace(at: Ints, weights: Ints, outages: Sequence[Outage]) -> Pace:
    """Return the pace of at least one submit. Mean: all after the first, over the time from first to last."""
    lasting = int(at[-1] - at[0]) - overlap(int(at[0]), int(at[-1]), outages)
    mean = float(weights[1:].sum()) / (lasting / SECOND_US) if lasting > 0 else 0.0
    return Pace(mean, int(within_window(at, weights).max()))


def result_waits(submits: Submits) -> Ints:
    """Return the time from each submit to its result, for answered submits only."""
    answered = submits.where(ints(submits.result_at) >= 0)
    return ints(answered.result_at) - ints(answered.at)


def notice_waits(trace: Trace) -> Ints:
    """Return the time from each positive result to the message's first final notification, by recipient and SCTS."""
    notified_at: dict[tuple[str, str], int] = {}
    for notice in trace.notifications.rows():
        if notice.outcome != 1:
            notified_at.setdefault((notice.recipient, notice.scts), notice.at)
    waits = [
        notified_at[submit.recipient, submit.scts] - submit.result_at
        for submit in trace.submits.rows()
        if submit.ack == "A" and (submit.recipient, submit.scts) in notified_at
    ]
    return np.array(waits, dtype=np.int64)


def settled_first(trace: Trace) -> Ints:
    """Return when each requested message was first accepted or reported as given up, sorted; resending counts once."""
    asked = {one.token for one in trace.requests}
    instants = [(submit.result_at, submit.token) for submit in trace.submits.rows() if submit.ack == "A"]
    instants += [(report.at, report.token) for report in trace.reports if report.kind in GIVEN_UP]
    first: dict[str, int] = {}
    for at, token in sorted(instants):
        if token in asked:
            first.setdefault(token, at)
    return np.sort(np.array(list(first.values()), dtype=np.int64))


def sends(trace: Trace) -> list[Request]:
    """Return the messages requested from the client, each token once, in order."""
    first: dict[str, Request] = {}
    for one in trace.requests:
        first.setdefault(one.token, one)
    return list(first.values())


def cumulative(instants: Ints, grid: Ints) -> Ints:
    """Count the sorted instants that have passed at each point of the grid."""
    return np.searchsorted(instants, grid, "right").astype(np.int64)


def grid_over(start: int, end: int) -> Ints:
    """Return evenly spaced instants over an interval, both ends included."""
    return np.unique(np.linspace(start, max(end, start), 480).astype(np.int64))
