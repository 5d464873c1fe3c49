"""A piece of evidence with the decoded frames before and after it on its connection, each with both times."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simbench.base.calendar import Calendar
from simbench.base.units import SECOND_US
from simbench.bench.report.model import ExerciseRun
from simbench.finding import Evidence, Finding
from simbench.reporting.evidence import Exhibit, exhibit
from simbench.reporting.format import moment
from simbench.trace.rows import FrameSeen
from simbench.ucp.explain import heading
from simbench.ucp.frame import Frame, Framer
from simbench.ucp.masking import masked_text

BESIDE: Final = 2  # number of frames before and after
WAYS: Final = {"in": "client → SMSC", "out": "SMSC → client"}


@dataclass(frozen=True)
class Neighbour:
    """A frame of the connection: seconds since the exercise began, civil time, direction, name; `is_it`: evidence."""

    seconds: str
    when: str
    way: str
    what: str
    is_it: bool = False


@dataclass(frozen=True)
class Piece:
    """One piece of evidence with the frames around it, or, without frames, the seconds since the exercise began."""

    exhibit: Exhibit
    seconds: str = ""
    neighbours: tuple[Neighbour, ...] = ()


class Surroundings:
    """The frames of each exercise by connection, read when first needed."""

    def __init__(self, exercises: Sequence[ExerciseRun], mask: bool, calendar: Calendar) -> None:
        self._runs = {run.name: run for run in exercises}
        self._mask = mask
        self._calendar = calendar
        self._lines: dict[tuple[str, int], Sequence[FrameSeen]] = {}

    def piece(self, evidence: Evidence, finding: Finding) -> Piece:
        """Return a piece of evidence, with the frames around it if it has a frame and its exercise is known."""
        shown = exhibit(evidence, self._mask, self._calendar)
        run = self._runs.get(evidence.exercise or finding.exercise)
        if run is None or not evidence.start:
            return Piece(shown)
        neighbours = self._neighbours(run, evidence) if evidence.frame else ()
        # An interval may begin before the exercise, so its seconds are shown only if no frame has its own.
        return Piece(shown, "" if neighbours else _since(run, evidence.start), neighbours)

    def _neighbours(self, run: ExerciseRun, evidence: Evidence) -> tuple[Neighbour, ...]:
        key = run.name, evidence.session
        if key not in self._lines:
            frames = run.trace.frames
            self._lines[key] = frames.where(frames.session == evidence.session).rows()
        rows = self._lines[key]
        # A frame that was too early has the second before it as its interval.
        for at in dict.fromkeys((evidence.start, evidence.end)):
            first = bisect_left(rows, at, key=lambda row: row.at)
            for place in range(first, len(rows)):
                if rows[place].at != at:
                    break
                if rows[place].frame.hex().upper().startswith(evidence.frame):
                    around = range(max(0, place - BESIDE), min(len(rows), place + BESIDE + 1))
                    return tuple(self._neighbour(run, rows[each], each == place) for each in around)
        return ()

    def _neighbour(self, run: ExerciseRun, row: FrameSeen, is_it: bool) -> Neighbour:
        item = next(iter(Framer(max(len(row.frame), 1)).feed(row.frame)), None)
        what = heading(item) if isinstance(item, Frame) else row.problem or "not a valid frame"
        shown = masked_text(what) if self._mask else what
        return Neighbour(
            _since(run, row.at), moment(row.at, self._calendar), WAYS.get(row.direction, row.direction), shown, is_it
        )


def _since(run: ExerciseRun, at: int) -> str:
    return f"{(at - run.started) / SECOND_US:+.6f} s"
