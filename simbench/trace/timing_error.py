"""The clocks of a run: the timing error of the bench or of a capture, and the end of the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from simbench.base.units import SECOND_US
from simbench.ledger.capture_events import ClockDoubted, ConnectionCaptured
from simbench.ledger.events import At, ClockStepped
from simbench.ledger.info import RunInfo
from simbench.trace.rows import Late, Lateness

LOOP: Final = "loop"
NEXT_TURN_US: Final = 10_000  # two turns of the loop are consecutive if at most this lies between them
STARTUP_US: Final = 30 * SECOND_US  # most time between the start of the process and its first row


def stretches(recorded: Sequence[Late], more: Iterable[Late] = ()) -> Lateness:
    """Return the intervals in which instants may be wrong: recorded delays, `more`, and pairs of late turns.

    A turn of the loop that is delayed between two sockets reads from the second one octets that arrived before the turn
    began. Such a read may be as late as two consecutive turns together.
    """
    rows = [*more, *recorded]
    turns = sorted((row for row in recorded if row.place == LOOP), key=lambda row: row.started)
    for one, other in pairwise(turns):
        rest = other.started - one.ended
        if 0 <= rest <= NEXT_TURN_US:
            rows.append(Late(one.started, other.ended, one.size_us + rest + other.size_us))
    return Lateness(rows)


def ended_at(info: RunInfo, first: int, events: Iterable[At]) -> int:
    """Return the end of the run by the machine's clock, 0 if unknown or if the run used another clock."""
    own = 0 < info.times.wall_started <= first <= info.times.wall_started + STARTUP_US
    return info.times.wall_ended if own and not any(isinstance(event, ClockStepped) for _, event in events) else 0


def of_a_capture(events: Iterable[At], span: tuple[int, int]) -> list[Late]:
    """Return the intervals in which a capture's time stamps may be wrong.

    A step of the clock counts at its instant; missing or coarse time stamps, and contradictions to TCP, count
    everywhere.
    """
    rows = []
    for at, event in events:
        match event:
            case ClockDoubted(defect="step"):
                rows.append(Late(at, at, event.off_us))
            case ClockDoubted(off_us=off_us) | ConnectionCaptured(moved_us=off_us) if off_us:
                rows.append(Late(*span, off_us))
    return rows
