"""The clocks of a run: how far an instant may be off, of the bench or of a capture; and when the run was ended."""

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
NEXT_TURN_US: Final = 10_000  # a turn of the loop that was expected no later than this after another followed it
STARTUP_US: Final = 30 * SECOND_US  # between the start of the process and its first row


def stretches(recorded: Sequence[Late], more: Iterable[Late] = ()) -> Lateness:
    """Where instants may be off: every recorded lateness, and two late turns of the bench's loop in a row.

    `more` are further stretches.

    A turn that is held up between two of its sockets reads from the second what came before the turn began, so such
    a reading may be as late as both turns together.
    """
    rows = [*more, *recorded]
    turns = sorted((row for row in recorded if row.place == LOOP), key=lambda row: row.started)
    for one, other in pairwise(turns):
        rest = other.started - one.ended
        if 0 <= rest <= NEXT_TURN_US:
            rows.append(Late(one.started, other.ended, one.size_us + rest + other.size_us))
    return Lateness(rows)


def ended_at(info: RunInfo, first: int, events: Iterable[At]) -> int:
    """When the run was ended by the machine's clock, where that is its own as well; 0 if that is unknown."""
    own = 0 < info.times.wall_started <= first <= info.times.wall_started + STARTUP_US
    return info.times.wall_ended if own and not any(isinstance(event, ClockStepped) for _, event in events) else 0


def of_a_capture(events: Iterable[At], span: tuple[int, int]) -> list[Late]:
    """How far a capture's time stamps may be off.

    A clock's step counts where it is, missing and coarse stamps everywhere, and what contradicts TCP everywhere too.
    """
    rows = []
    for at, event in events:
        match event:
            case ClockDoubted(defect="step"):
                rows.append(Late(at, at, event.off_us))
            case ClockDoubted(off_us=off_us) | ConnectionCaptured(moved_us=off_us) if off_us:
                rows.append(Late(*span, off_us))
    return rows
