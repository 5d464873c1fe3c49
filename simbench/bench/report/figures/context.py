"""The input and output of every figure: the scene, the time axis, and drawings with their captions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from matplotlib.axes import Axes

from simbench.base.units import SECOND_US
from simbench.bench.report.measures import Ints
from simbench.bench.report.model import ExerciseRun, Judgement
from simbench.contract import Contract
from simbench.finding import Finding
from simbench.reporting.figure import Drawing


@dataclass(frozen=True)
class Group:
    """Figures of one kind and one exercise under a common conclusion; `wide` ones take the page's width."""

    heading: str
    drawings: tuple[Drawing, ...]
    note: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Scene:
    """One exercise to draw, with the contract and colours of the page."""

    exercise: ExerciseRun
    contract: Contract
    findings: tuple[Finding, ...]
    colours: dict[str, str] = field(default_factory=dict)

    @property
    def started(self) -> int:
        """The instant at which time axes begin."""
        return self.exercise.started


def scenes(judgement: Judgement, colours: dict[str, str]) -> list[Scene]:
    """Return one scene per exercise, each with its own findings."""
    return [
        Scene(
            exercise,
            judgement.contract,
            tuple(finding for finding in judgement.findings if finding.exercise == exercise.name),
            colours,
        )
        for exercise in judgement.exercises
    ]


class TimeAxis(NamedTuple):
    """Time since the exercise began, in a unit suitable for its duration."""

    started: int
    unit_us: int
    unit: str

    def of(self, instants: Ints) -> list[float]:
        """Convert instants to values on this axis."""
        return ((instants - self.started) / self.unit_us).tolist()  # type: ignore[no-any-return]  # numpy says Any

    def at(self, instant: int) -> float:
        """Convert one instant to a value on this axis."""
        return (instant - self.started) / self.unit_us

    def label(self, axes: Axes) -> None:
        """Label the axis."""
        axes.set_xlabel(f"time since the exercise began ({self.unit})")


def time_axis(started: int, end: int) -> TimeAxis:
    """Return an axis in seconds up to a quarter of an hour, in minutes up to five hours, otherwise in hours."""
    span_s = (end - started) / SECOND_US
    size_s, unit = (1, "s") if span_s <= 900 else (60, "min") if span_s <= 18_000 else (3600, "h")
    return TimeAxis(started, size_s * SECOND_US, unit)
