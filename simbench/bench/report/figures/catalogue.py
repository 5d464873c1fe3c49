"""The pictures of a report, exercise by exercise. Draws only what the data support, and says what it left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simbench.bench.report.figures import endurance, latency, outage, rates, results, throttle
from simbench.bench.report.figures.context import Group, Scene, scenes
from simbench.bench.report.model import Judgement
from simbench.reporting import style
from simbench.reporting.figure import Drawing

__all__ = ["Album", "Chapter", "Drawing", "Group", "draw_all"]

BUDGET_OCTETS = 2_000_000  # what pictures may take of a page that must stay below 3 MB


@dataclass(frozen=True)
class Kind:
    """A kind of picture, and the note when no exercise supports it ("": none)."""

    draw: Callable[[Scene], Group | None]
    absent: str


KINDS = (
    Kind(endurance.draw, ""),
    Kind(rates.draw, "Submits per second against the tier: no exercise on rates had a submit."),
    Kind(outage.draw, "Outage timeline: no exercise had an outage."),
    Kind(latency.draw, f"Waiting times: no exercise had {latency.FEWEST} results or notifications."),
    Kind(throttle.draw, "Offered against acknowledged: no code was used while the platform delayed its answers."),
    Kind(results.draw, "Results by error code: no submit was refused."),
)


@dataclass(frozen=True)
class Chapter:
    """The pictures of one exercise."""

    name: str
    title: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Album:
    """All pictures of a run, and a note for each kind that was not drawn."""

    chapters: tuple[Chapter, ...]
    absent: tuple[str, ...]


def draw_all(judgement: Judgement, budget_octets: int = BUDGET_OCTETS) -> Album:
    """Draw every kind of picture for every exercise that supports it, until the budget is spent."""
    codes = {code for exercise in judgement.exercises for code in exercise.trace.limits}
    chapters, drawn, left_out = [], set(), 0
    with style.look():
        for scene in scenes(judgement, style.colours_of(sorted(codes))):
            groups = []
            for kind in KINDS:
                group = kind.draw(scene)
                if group is None:
                    continue
                drawn.add(kind)
                budget_octets -= sum(len(drawing.svg) for drawing in group.drawings)
                if budget_octets < 0:
                    left_out += 1
                else:
                    groups.append(group)
            if groups:
                chapters.append(Chapter(scene.exercise.name, scene.exercise.title, tuple(groups)))
    return Album(tuple(chapters), _absent(drawn, left_out))


def _absent(drawn: set[Kind], left_out: int) -> tuple[str, ...]:
    notes: Sequence[str] = [kind.absent for kind in KINDS if kind not in drawn and kind.absent]
    more = f"{left_out} further groups of pictures are left out to keep the page small; their data are in the ledgers."
    return (*notes, *([more] if left_out else []))
