"""The figures of a report, by exercise: those that belong to its findings and that the data support."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simbench.bench.report.causes import OPEN
from simbench.bench.report.evidence_folders import exercises_of
from simbench.bench.report.figures import endurance, latency, outage, rates, results, throttle
from simbench.bench.report.figures.context import Group, Scene, scenes
from simbench.bench.report.model import Judgement
from simbench.reporting import style
from simbench.reporting.figure import Drawing

__all__ = ["Album", "Chapter", "Drawing", "Group", "draw_all"]

VIOLATIONS = "violations"
BUDGET_OCTETS = 2_000_000  # maximum size of the figures in a page that must stay below 3 MB


@dataclass(frozen=True)
class Kind:
    """A kind of picture, and the topics of purposes that it belongs to; "violations" are those of the protocol."""

    draw: Callable[[Scene], Group | None]
    topics: frozenset[str]


KINDS = (
    Kind(endurance.draw, frozenset({"soak"})),
    Kind(rates.draw, frozenset({"rate"})),
    Kind(outage.draw, frozenset({"outage", "validity", "sessions"})),
    Kind(latency.draw, frozenset({"sessions", "submits", "notifications", "mo"})),
    Kind(throttle.draw, frozenset({"rate", "sessions"})),
    Kind(results.draw, frozenset({"submits", VIOLATIONS, "recipients", "sender", "texts", "reports"})),
)


@dataclass(frozen=True)
class Chapter:
    """The figures of one exercise."""

    name: str
    title: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Album:
    """The figures that belong to the findings of a run, and the number of groups left out to keep the page small."""

    chapters: tuple[Chapter, ...]
    left_out: int = 0


def draw_all(judgement: Judgement, budget_octets: int = BUDGET_OCTETS, *, of_findings: bool = False) -> Album:
    """Draw every kind of figure for every exercise that supports it, within the budget of octets.

    With `of_findings` only those of findings that did not pass, or of all findings if all passed.
    """
    codes = {code for exercise in judgement.exercises for code in exercise.trace.limits}
    open_ = [one for one in judgement.findings if one.outcome in OPEN]
    shown = open_ or [one for one in judgement.findings if one.outcome == "pass"]
    chapters, left_out = [], 0
    with style.look():
        for scene in scenes(judgement, style.colours_of(sorted(codes))):
            groups = []
            topics = {_topic(one.purpose) for one in shown if scene.exercise.name in exercises_of(one)}
            for kind in KINDS:
                group = kind.draw(scene) if kind.topics & topics or not of_findings else None
                if group is None:
                    continue
                budget_octets -= sum(len(drawing.svg) for drawing in group.drawings)
                if budget_octets < 0:
                    left_out += 1
                else:
                    groups.append(group)
            if groups:
                chapters.append(Chapter(scene.exercise.name, scene.exercise.title, tuple(groups)))
    return Album(tuple(chapters), left_out)


def _topic(purpose: str) -> str:
    """The topic of a purpose; for protocol violations always "violations"."""
    topic, _, slug = purpose.partition(".")
    return slug if slug == VIOLATIONS else topic
