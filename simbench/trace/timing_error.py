"""The clocks of a run: how far an instant may be off, of the bench or of a capture; and when the run was ended."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from simbench.base.units import SECOND_US
from simbench.ledger.info import RunInfo
from simbench.trace.view import View, view_of

LOOP: Final = "loop"
NEXT_TURN_US: Final = 10_000  # a turn of the loop that was expected no later than this after another followed it
STARTUP_US: Final = 30 * SECOND_US  # between the start of the process and its first row
LATE: Final = ("started", "ended", "size_us")


def stretches(grain: View, more: Sequence[tuple[int, int, int]] = ()) -> View:
    """Where the bench was late (LATE, us), out of a ledger's grain: every row, and two late turns of its loop in a row.

    `more` are further stretches of the same form.

    A turn that is held up between two of its sockets reads from the second what came before the turn began, so such
    a reading may be as late as both turns together.
    """
    rows = [*more, *((row.started, row.ended, row.size_us) for row in grain.rows())]
    turns = sorted((row for row in grain.rows() if row.place == LOOP), key=lambda row: row.started)
    for one, other in pairwise(turns):
        rest = other.started - one.ended
        if 0 <= rest <= NEXT_TURN_US:
            rows.append((one.started, other.ended, one.size_us + rest + other.size_us))
    return view_of(LATE, rows)


def ended_at(info: RunInfo, first: int, events: View) -> int:
    """When the run was ended by the machine's clock, where that is its own as well; 0 where that cannot be told."""
    own = 0 < info.wall_started <= first <= info.wall_started + STARTUP_US
    moved = len(events) > 0 and bool((events.kind == "clock").any())
    return info.wall_ended if own and not moved else 0


def of_a_capture(events: View, span: tuple[int, int]) -> list[tuple[int, int, int]]:
    """The same out of what a capture told of its stamps: (started, ended, us).

    A clock's step counts where it is, missing and coarse stamps everywhere, and what contradicts TCP on its connection.
    """
    rows = []
    for row in events.rows():
        if row.kind != "capture":
            continue
        off_us = row.detail.get("off_us") or row.detail.get("moved_us") or 0
        if row.detail["what"] == "clock" and row.detail["kind"] == "step":
            rows.append((row.at, row.at, off_us))
        elif row.detail["what"] in {"clock", "connection"} and off_us:
            rows.append((*span, off_us))
    return rows
