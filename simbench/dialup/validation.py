"""Validation: separates valid calls from other rows, with a reason.

A row is set aside for the first applicable reason, in the order of the checks here; every row is either a call or set
aside. Reasons are those of `calls.REASONS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simbench.base.calendar import Calendar
from simbench.base.units import SECOND_US
from simbench.dialup.calls import I64, Calls, SetAside
from simbench.dialup.grid import Grid
from simbench.dialup.kernels.ports import overlapping
from simbench.dialup.kernels.row_checks import FARTHEST, MISSING, WRONG, weigh_times
from simbench.dialup.kernels.text_keys import number_texts, seen_before
from simbench.dialup.offer import Offer

MOST_SHOWN = 1000  # rows kept per reason; all are counted

Bits = NDArray[np.bool_]


@dataclass
class RejectedRows:
    """Rows set aside: their number and claimed time by reason, and the first rows of each reason."""

    counts: Counter[str] = field(default_factory=Counter)
    claimed_us: int = 0
    rows: list[SetAside] = field(default_factory=list)

    def add(self, row: SetAside) -> None:
        """Set one row aside."""
        self.counts[row.reason] += 1
        self.claimed_us += max(0, row.duration_us)
        if self.counts[row.reason] <= MOST_SHOWN:
            self.rows.append(row)

    def add_all(self, reason: str, rows: Iterable[SetAside], count: int, claimed_us: int) -> None:
        """Set many rows aside for one reason; only as many of `rows` are read as are shown."""
        shown = MOST_SHOWN - self.counts[reason]
        self.rows += [row for _, row in zip(range(max(0, shown)), rows, strict=False)]
        self.counts[reason] += count
        self.claimed_us += claimed_us

    @property
    def total(self) -> int:
        """The number of rows set aside."""
        return self.counts.total()


@dataclass(frozen=True)
class Ends:
    """The times in rows (us): MISSING if a row has none, an empty column if no row has any."""

    start_us: I64
    end_us: I64
    duration_us: I64
    line: I64


def durations_of(ends: Ends, aside: RejectedRows, calendar: Calendar, readable: Bits | None = None) -> tuple[Bits, I64]:
    """Tell which rows have a start and a duration that agrees with their end, and give the durations.

    Rows that are not `readable` have been set aside before. A duration may differ from the distance between start and
    end by less than a second: some sources round it.
    """
    reasons, lasting = weigh_times(ends.start_us, ends.end_us, ends.duration_us, SECOND_US)
    sound = reasons == 0 if readable is None else readable & (reasons == 0)
    if not sound.all():
        for number, reason in enumerate(WRONG[1:], 1):
            wrong = reasons == number if readable is None else readable & (reasons == number)
            _set_aside(reason, wrong, aside, ends.line, lasting, _times(ends, calendar))
    return sound, lasting


def vet(
    calls: Calls, grid: Grid, offer: Offer, aside: RejectedRows, slack_us: int = 0, *, distinct: bool = False
) -> Calls:
    """Keep the calls that can be billed within the months of a grid, sorted by start; set the others aside.

    A call that begins before or ends after the months is kept: its time is divided when it is counted. `slack_us` is
    the allowed overlap of consecutive calls on a port because of the source's rounding; durations in whole seconds are
    assumed to be rounded. `distinct`: repeated session names are known to be different sessions.
    """
    calendar = offer.calendar
    longest = offer.terms.records.longest_s * SECOND_US
    calls = _keep(calls, "negative", calls.duration_us < 0, aside, calendar)
    calls = _keep(calls, "huge", calls.duration_us > longest, aside, calendar)
    before = (calls.start_us < grid.first_us) & (calls.end_us <= grid.first_us)
    calls = _keep(calls, "outside-month", before | (calls.start_us >= grid.last_us), aside, calendar)
    if not distinct:
        calls = _keep(calls, "duplicate", _repeated(calls), aside, calendar)
    if np.any(calls.start_us[1:] < calls.start_us[:-1]):
        calls = calls.take(np.argsort(calls.start_us, kind="stable"))
    ports, count = _ports(calls)
    free_us = released_us(calls, slack_us)
    return _keep(calls, "overlap", overlapping(calls.start_us, free_us, ports, count), aside, calendar)


def released_us(calls: Calls, slack_us: int = 0) -> I64:
    """Return when each call's port is certainly free: its end, less the possible rounding of the source."""
    rounded = np.where(calls.duration_us % SECOND_US == 0, SECOND_US - 1, 0)
    free: I64 = np.maximum(calls.end_us - np.maximum(rounded, slack_us), calls.start_us)
    return free


def _keep(calls: Calls, reason: str, wrong: Bits, aside: RejectedRows, calendar: Calendar) -> Calls:
    if not wrong.any():
        return calls

    def excerpt(place: int) -> str:
        return (
            f"start {moment(int(calls.start_us[place]), calendar)}, {_seconds(int(calls.duration_us[place]))}, "
            f"port {calls.port[place]} of {calls.nas_of(place) or '?'}, session {calls.session_of(place) or '?'}"
        )

    _set_aside(reason, wrong, aside, calls.line, calls.duration_us, excerpt)
    return calls.take(~wrong)


def moment(us: int, calendar: Calendar) -> str:
    """Write an instant with its zone; as a number if it is outside the calendar."""
    try:
        return calendar.civil(us).isoformat(" ")
    except (OverflowError, ValueError):
        return f"{us} us"


def _seconds(us: int) -> str:
    return f"{us // SECOND_US} s" if us % SECOND_US == 0 else f"{us / SECOND_US:.6f} s"


def _repeated(calls: Calls) -> Bits:
    """Mark rows whose session of the same access server occurred before; rows without a session are not marked."""
    repeated = np.zeros(len(calls), np.bool_)
    if calls.session is None or not len(calls):
        return repeated
    _, offsets, octets = calls.session.buffers()
    begins = calls.session.offset
    edges = np.frombuffer(offsets, np.int32)[begins : begins + len(calls) + 1].astype(np.int64)
    text = np.frombuffer(octets, np.uint8) if octets else np.zeros(0, np.uint8)
    numbers = number_texts(edges, text, calls.nas.astype(np.int64))
    again = seen_before(numbers, max(10, (2 * len(numbers)).bit_length()))
    if not again.any():  # the usual case of a valid file, after a fraction of a second
        return repeated
    twice = np.unique(numbers[again])
    seen: set[tuple[int, str]] = set()
    for place in np.flatnonzero(np.isin(numbers, twice)).tolist():
        name = (int(calls.nas[place]), calls.session_of(place))
        repeated[place] = bool(name[1]) and name in seen
        seen.add(name)
    return repeated


def _ports(calls: Calls) -> tuple[I64, int]:
    """Number the ports of all access servers, -1 for calls that name none."""
    if not len(calls):
        return np.zeros(0, np.int64), 0
    width = int(calls.port.max()) + 1
    servers = len(calls.nas_names) + 1
    if width * servers <= 4 * len(calls) + 1_000_000:
        ports = calls.nas.astype(np.int64)
        ports += 1
        ports *= width
        ports += calls.port
        if calls.port.min() < 0:
            ports[calls.port < 0] = -1
        return ports, width * servers
    _, ports = np.unique((calls.nas.astype(np.int64) << 32) + calls.port, return_inverse=True)
    return np.where(calls.port < 0, -1, ports), len(calls)


def _times(ends: Ends, calendar: Calendar) -> Callable[[int], str]:
    def excerpt(place: int) -> str:
        times = []
        for name in ("start_us", "end_us", "duration_us"):
            column = getattr(ends, name)
            if len(column) and column[place] != MISSING:
                value = int(column[place])
                times.append(
                    f"duration {_seconds(value)}" if name == "duration_us" else f"{name[:-3]} {moment(value, calendar)}"
                )
        return ", ".join(times)

    return excerpt


def _set_aside(
    reason: str, wrong: Bits, aside: RejectedRows, line: I64, claimed: I64, excerpt: Callable[[int], str]
) -> None:
    places = np.flatnonzero(wrong)
    if not len(places):
        return
    rows = (SetAside(int(line[place]), reason, excerpt(place), int(claimed[place])) for place in places.tolist())
    sums = np.clip(claimed[places], 0, FARTHEST >> 30)  # claims beyond years are limited
    aside.add_all(reason, rows, len(places), int(sums.sum()))
