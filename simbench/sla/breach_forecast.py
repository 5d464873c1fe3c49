"""Probability of a breach in the months to come, estimated by replications.

A replication draws future outages from distributions and measures them, with the past ones, exactly as the rules do.
Replication n is the same for any number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from statistics import NormalDist, fmean, pstdev

import msgspec
import numpy as np
from msgspec.structs import replace

from simbench.base.calendar import civil, from_civil
from simbench.base.errors import BadInput
from simbench.base.text import count
from simbench.base.toml_files import read_toml
from simbench.base.units import HOUR_US
from simbench.contract import Contract
from simbench.ledger.incidents import Incident, Period
from simbench.simulation.incidents import Drawn, Law, drawn
from simbench.sla.availability import rolling, turning_points, year_of
from simbench.sla.classification import Service, counted

CONFIDENCE = 0.95
CHUNK = 50  # replications a worker takes at a time
LEAST_OUTAGES = 2  # to fit a distribution to
SAME_LENGTH = 0.001  # standard deviation of the logarithm below which all outages lasted the same
Progress = Callable[[int, int], object]


class Laws(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Distributions of the outages to come: a TOML file with [[drawn]], or fitted to the past."""

    drawn: tuple[Drawn, ...]


class Date(msgspec.Struct, frozen=True):
    """Replications with a breach by one date (us), and the confidence band of its probability."""

    at: int
    replications: int
    availability_broken: int
    availability_band: tuple[float, float]
    restoration_broken: int
    restoration_band: tuple[float, float]


class Forecast(msgspec.Struct, frozen=True):
    """The probabilities by date, the distributions they rest on, and the confidence of the bands."""

    laws: tuple[Drawn, ...]
    dates: tuple[Date, ...]
    confidence: float = CONFIDENCE


class _Task(msgspec.Struct, frozen=True):
    """Everything a worker process needs."""

    service: Service
    contract: Contract
    laws: tuple[Drawn, ...]
    dates: tuple[int, ...]
    seed: int


def read_laws(path: Path) -> tuple[Drawn, ...]:
    """Read a file of distributions. Raises BadInput."""
    laws = read_toml(path, Laws, BadInput).drawn
    if not laws:
        raise BadInput(str(path), "has no distribution", "[[drawn]] with name, between and lasting")
    return laws


def fitted(service: Service) -> tuple[Drawn, ...]:
    """Distributions fitted to the total, unplanned outages known: exponential gaps, log-normal lengths.

    Raises BadInput for fewer than two outages.
    """
    outages = [one.incident for one in service.counted if one.counted_as == "unplanned"]
    hours = [(one.end - one.start) / HOUR_US for one in outages if one.end is not None]
    if len(hours) < LEAST_OUTAGES:
        raise BadInput(
            "--forecast",
            f"{count(len(hours), 'outage')}, too few to fit",
            "at least 2, or a file of distributions (--laws)",
        )
    up_h = (service.period.end - service.period.known_from) / HOUR_US - sum(hours)
    sigma = min(10.0, pstdev([math.log(one) for one in hours]))
    between = Law(min(1e6, max(0.1, up_h / len(hours))))
    mean_h = min(1e6, max(0.1, fmean(hours)))
    # Outages that all lasted the same are not fitted: half of those drawn would be longer than any was.
    lasting = Law(mean_h, "lognormal", sigma=sigma) if sigma > SAME_LENGTH else Law(mean_h, "fixed")
    return (Drawn("as before", between, lasting),)


def month_ends(start: int, until: int) -> tuple[int, ...]:
    """The first instant of each month (Paris) after `start` and before `until`, then `until` itself."""
    found: list[int] = []
    at = civil(start)
    year, month = at.year, at.month
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        instant = from_civil(
            at.replace(year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        )
        if instant >= until:
            return (*found, until)
        found.append(instant)


def forecast(  # noqa: PLR0913 - what is known, what is assumed, and how it is run
    service: Service, contract: Contract, laws: Sequence[Drawn], dates: Sequence[int], replications: int, seed: int = 1,
    *, workers: int = 1, progress: Progress | None = None,
) -> Forecast:  # fmt: skip
    """Probability that availability or a restoration is broken between the period's end and each date.

    The result is the same for any number of workers. The bands are Wilson's.
    """
    task = _Task(service, contract, tuple(laws), tuple(sorted(dates)), seed)
    chunks = [(first, min(first + CHUNK, replications)) for first in range(0, replications, CHUNK)]
    broken = np.zeros((2, len(dates)), dtype=np.int64)
    for done, found in enumerate(_run(task, chunks, workers), 1):
        broken += found
        if progress is not None:
            progress(min(done * CHUNK, replications), replications)
    return Forecast(
        tuple(laws),
        tuple(
            Date(at, replications, down, wilson(down, replications), late, wilson(late, replications))
            for at, down, late in zip(task.dates, *broken.tolist(), strict=True)
        ),
    )


def wilson(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a share (1927)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = successes / trials, z * z / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / trials + weight / (4 * trials))
    return max(0.0, middle - half), min(1.0, middle + half)


def _run(
    task: _Task, chunks: Sequence[tuple[int, int]], workers: int
) -> Iterable[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    if workers <= 1:
        yield from (_chunk(task, chunk) for chunk in chunks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_chunk, [task] * len(chunks), chunks)


def _chunk(task: _Task, chunk: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The number of replications of a chunk with a breach of availability, and of restoration, by each date."""
    broken = np.zeros((2, len(task.dates)), dtype=np.int64)
    for number in range(*chunk):
        down_at, late_at = _replication(task, number)
        for place, at in enumerate((down_at, late_at)):
            if at is not None:
                broken[place] += np.array(task.dates) >= at
    return broken


def _replication(task: _Task, number: int) -> tuple[int | None, int | None]:
    """The first breach of availability and of restoration after now, None for none."""
    past, now, until = task.service, task.service.period.end, task.dates[-1]
    coming = [
        incident
        for law in task.laws
        for incident in drawn(replace(law, name=f"{law.name}\x1e{number}"), task.seed, now, until)
    ]
    known = [replace(one.incident, end=now) if one.incident.end is None else one.incident for one in past.counted]
    service = Service(Period(now, until, past.period.known_from), counted([*known, *coming], task.contract))
    return _first_down(service, task.contract), _first_late(coming, task.contract)


def _first_down(service: Service, contract: Contract) -> int | None:
    year = year_of(service, contract)
    seen = rolling(year, turning_points(year))
    allowed = 1 - Fraction(str(contract.terms.quality.availability.value))
    lengths = np.where(seen.full, seen.length, year.windows.length_at(seen.at)).astype(object)
    broken = seen.unplanned.astype(object) * allowed.denominator > lengths * allowed.numerator
    places = np.flatnonzero(broken.astype(np.bool_))
    return int(seen.at[places[0]]) if len(places) else None


def _first_late(coming: Sequence[Incident], contract: Contract) -> int | None:
    limit = contract.terms.quality.restoration_h.value * HOUR_US
    late = [one.start + limit for one in coming if (one.end or 0) - one.start > limit and one.attributed_to == "orange"]
    return min(late, default=None)
