"""How late the bench itself was, out of the rows its server wrote of every lateness. Judges nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from simbench.verdict.view import View, view_of

LOOP: Final = "loop"
NEXT_TURN_US: Final = 10_000  # a turn of the loop that was expected no later than this after another followed it
LATE: Final = ("started", "ended", "size_us")


def stretches(grain: View) -> View:
    """Where the bench was late (LATE, us), out of a ledger's grain: every row, and two late turns of its loop in a row.

    A turn that is held up between two of its sockets reads from the second what came before the turn began, so such
    a reading may be as late as both turns together.
    """
    rows = [(row.started, row.ended, row.size_us) for row in grain.rows()]
    turns = sorted((row for row in grain.rows() if row.place == LOOP), key=lambda row: row.started)
    for one, other in pairwise(turns):
        rest = other.started - one.ended
        if 0 <= rest <= NEXT_TURN_US:
            rows.append((one.started, other.ended, one.size_us + rest + other.size_us))
    return view_of(LATE, rows)
