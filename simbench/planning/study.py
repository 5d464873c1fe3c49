"""A study file: a world, the parameters that vary, the measures, and the stopping rule.

A run is a point (values of the parameters) and a replication; replication n has the same seed at every point, so that
points are compared under the same events (common random numbers).
"""

from __future__ import annotations

import math
from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from simbench.base.errors import BadInput
from simbench.base.text import count
from simbench.base.toml_files import Frozen, choice, read_toml, shown
from simbench.base.units import HOUR_US
from simbench.contract import Contract
from simbench.contract.load import contract_beside
from simbench.kernels.chance import draw, entity_of
from simbench.simulation.scenario import WorldScenario, check_world, moment, read_world

Value = int | float | str
MEASURES = (
    "offered", "accepted", "refused", "delivered", "undelivered", "expired", "backlog_max", "backlog_mean", "busy_min",
    "last_sent_min", "delivered_share", "late",
)  # fmt: skip
COUNTED = frozenset({"offered", "accepted", "refused", "delivered", "undelivered", "expired", "backlog_max", "late"})
"""Measures that are counts of messages."""
MOST_POINTS, MOST_RUNS = 100_000, 10_000_000
SEED, SAMPLE = entity_of("study", "replication"), entity_of("study", "sample")


class StudyError(BadInput):
    """A study file is invalid."""


class Parameter(Frozen, rename={"low": "from", "high": "to"}, frozen=True):
    """One value of the scenario that varies: `key` is its place, as "codes.0.rate_per_s".

    Either `values` or `from` and `to`. All combinations of the `values` of all parameters are simulated, each with
    `samples` points drawn from the ranges. `whole` rounds drawn numbers; `log` draws them evenly on a logarithmic
    scale.
    """

    key: str
    values: tuple[Value, ...] = ()
    low: float | None = None
    high: float | None = None
    whole: bool = False
    log: bool = False


class Stop(Frozen, frozen=True):
    """Ends a point early: the confidence interval of `measure` is narrow enough.

    `half_width` is half the width of that interval as a share of its mean. Without this table every point has all its
    replications.
    """

    measure: Literal[MEASURES]  # type: ignore[valid-type]  # the words of a tuple
    half_width: Annotated[float, msgspec.Meta(gt=0, le=1)]


class Study(Frozen, frozen=True):
    """A study: a scenario is simulated at many points, several times at each.

    `scenario` is the file of a simulation, relative to this file. `replications`: the most runs of a point, in blocks
    of `block`; after each block the rule in `stop` is checked at the level `confidence`. `samples`: points drawn where
    parameters have ranges (0 without ranges). `seed` determines all draws.

    The first `warm_up_h` hours are not measured. A message is late if it has not left `late_min` minutes after its
    request.

    `name` appears in reports.
    """

    scenario: str
    parameters: tuple[Parameter, ...]
    name: str = "study"
    seed: Annotated[int, msgspec.Meta(ge=0, le=(1 << 62))] = 1
    replications: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 20
    block: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 20
    samples: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0
    warm_up_h: Annotated[float, msgspec.Meta(ge=0, le=100_000)] = 0.0
    late_min: Annotated[float, msgspec.Meta(ge=0, le=100_000)] = 10.0
    confidence: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.95
    stop: Stop | None = None


class Prepared(msgspec.Struct, frozen=True):
    """A study with its world and contract, its points in order, and its digest."""

    study: Study
    scenario: WorldScenario
    contract: Contract
    points: tuple[tuple[Value, ...], ...]
    digest: str

    def seed(self, replication: int) -> int:
        """Return the seed of one replication, the same at every point."""
        return seed_of(self.study.seed, replication)

    def world(self, point: int, replication: int) -> WorldScenario:
        """Return the scenario of one run."""
        values = zip((one.key for one in self.study.parameters), self.points[point], strict=True)
        return _changed(self.scenario, {**dict(values), "seed": self.seed(replication)})


def seed_of(seed: int, replication: int) -> int:
    """Return the seed of a replication, derived from the seed of the study."""
    return draw(seed, replication, SEED) & ((1 << 62) - 1)


def read_study(path: Path) -> Prepared:
    """Read and check a study. Raises StudyError or ScenarioError, one line."""
    study = read_toml(path, Study, StudyError)
    scenario = read_world(path.parent / study.scenario)
    return prepare(study, scenario, contract_beside(scenario.contract, path.parent / study.scenario), str(path))


def prepare(study: Study, scenario: WorldScenario, contract: Contract, place: str = "study") -> Prepared:
    """Check a study against its world and compute its points. Raises StudyError."""
    if not study.parameters:
        raise StudyError(f"{place}: parameters", "no parameter varies", "at least one [[parameters]] table")
    keys = [one.key for one in study.parameters]
    ranges = 0
    for index, one in enumerate(study.parameters):
        where = f"{place}: parameters[{index}]"
        if one.key in keys[:index] or one.key == "seed":
            problem = "is set by the study" if one.key == "seed" else "appears twice"
            raise StudyError(f"{where}.key", f"{shown(one.key)} {problem}", "a key of the scenario, once")
        if bool(one.values) == (one.low is not None or one.high is not None):
            raise StudyError(where, f"{one.key} has {'both' if one.values else 'neither'}", "values, or from and to")
        if not one.values:
            ranges += 1
            if one.low is None or one.high is None or one.low >= one.high or (one.log and one.low <= 0):
                raise StudyError(
                    f"{where}.to",
                    f"{one.low} to {one.high} is not a range",
                    "`from` less than `to`, and above 0 with `log`",
                )
    if bool(ranges) != bool(study.samples):
        problem = f"{count(study.samples, 'sample')} with {count(ranges, 'range')}"
        raise StudyError(f"{place}: samples", problem, "samples where a parameter has from and to, else none")
    _check_size(study, place)
    points = _points(study)
    text = msgspec.json.encode((study, scenario, contract.digest))
    prepared = Prepared(study, scenario, contract, points, blake2b(text, digest_size=8).hexdigest())
    for number in range(len(points)):
        try:
            world = prepared.world(number, 0)
            check_world(world, contract, place)
            begins, ends = (
                moment(text, contract.calendar, "period") for text in (world.period.start, world.period.end)
            )
            hours = (ends - begins) / HOUR_US
            if study.warm_up_h >= hours:
                raise StudyError("warm_up_h", f"is {study.warm_up_h:g}", f"less than the {hours:g} h of the scenario")
        except BadInput as problem:
            raise StudyError(f"{place}: point {dict(zip(keys, points[number], strict=True))}", str(problem)) from None
    return prepared


def _check_size(study: Study, place: str) -> None:
    """Check that a study has not too many points or runs. Raises StudyError."""
    points = math.prod(max(1, len(one.values)) for one in study.parameters) * max(1, study.samples)
    runs = points * study.replications
    if points > MOST_POINTS or runs > MOST_RUNS:
        problem = f"{points:,} points of {study.replications:,} replications are {runs:,} runs"
        expected = f"at most {MOST_POINTS:,} points and {MOST_RUNS:,} runs"
        raise StudyError(f"{place}: parameters", problem, expected)


def _points(study: Study) -> tuple[tuple[Value, ...], ...]:
    """Return the grid of all values, each of its points with every sample of the ranges."""
    grid = list(product(*(one.values or (None,) for one in study.parameters)))
    found: list[tuple[Value, ...]] = []
    for values in grid:
        for sample in range(max(1, study.samples)):
            point: list[Value] = []
            for one, value in zip(study.parameters, values, strict=True):
                point.append(_sampled(study, one, sample) if value is None else value)
            found.append(tuple(point))
    return tuple(found)


def _sampled(study: Study, one: Parameter, sample: int) -> Value:
    assert one.low is not None
    assert one.high is not None
    share = (draw(study.seed, entity_of(one.key) + sample, SAMPLE) >> 11) / (1 << 53)
    if one.log:
        value = one.low * math.exp(share * math.log(one.high / one.low))
    else:
        value = one.low + share * (one.high - one.low)
    return round(value) if one.whole else value


def _changed(scenario: WorldScenario, values: dict[str, Value]) -> WorldScenario:
    """Return the scenario with the values at some keys changed. Raises StudyError."""
    table = msgspec.json.decode(msgspec.json.encode(scenario))  # to_builtins would keep tuples
    for key, value in values.items():
        *way, last = key.split(".")
        at: Any = table
        for step in way:
            at = _inside(at, step, key)
        _inside(at, last, key)
        if isinstance(at, list):
            at[int(last)] = value
        else:
            at[last] = value
    try:
        return msgspec.convert(table, WorldScenario, strict=True)
    except msgspec.ValidationError as problem:
        raise StudyError("parameters", f"{dict(values)!r:.120}", str(problem)) from None


def _inside(table: Any, step: str, key: str) -> Any:
    if isinstance(table, list):
        if not step.isdigit() or int(step) >= len(table):
            raise StudyError(f"parameters: {key}", f"{step!r} is not an index of a list of length {len(table)}", "0 on")
        return table[int(step)]
    if not isinstance(table, dict) or step not in table:
        names = sorted(table) if isinstance(table, dict) else []
        raise StudyError(f"parameters: {key}", f"no such key {step!r}", choice(step, names) if names else "a table")
    return table[step]
