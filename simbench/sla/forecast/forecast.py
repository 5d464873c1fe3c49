"""The forecast: futures drawn from the data known at an instant, counted by date, with both kinds of uncertainty.

The band of a probability comes from the parameters, which are uncertain with few outages. The noise comes from the
number of futures drawn; more futures reduce it. The result is the same for any number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import NormalDist

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.calendar import Calendar
from simbench.base.units import HOUR_US
from simbench.contract import Contract
from simbench.ledger.incidents import Period
from simbench.simulation.incidents import Drawn
from simbench.sla.availability import allowed_of, rolling, turning_points, year_of
from simbench.sla.classification import Service
from simbench.sla.forecast.events import chunk_of_events
from simbench.sla.forecast.futures import CHUNK, Found, Task, chunk
from simbench.sla.forecast.known import LEAST_OUTAGES, Known, known_at, lost_of, sample
from simbench.sla.forecast.laws import Basis, Source, fitted, given, several_platforms
from simbench.sla.restoration import outages_of
from simbench.sla.rolling_window import Instants, month_starts

CONFIDENCE = 0.95
MOST_EACH = 20  # futures drawn with the same parameters
GRID = 60  # instants of the fan
FAN = (0.025, 0.25, 0.5, 0.75, 0.975)
FANNED = 20_000  # the maximum number of futures in the fan
Progress = Callable[[int, int], object]


class Chance(msgspec.Struct, frozen=True):
    """A probability, its band from the uncertain parameters (None: they are given), and the sampling noise."""

    share: float
    band: tuple[float, float] | None
    noise: tuple[float, float]


class ForecastDate(msgspec.Struct, frozen=True):
    """The probabilities of a breach between the forecast's instant and a date (us).

    `was_down`, `was_late`: whether there was one, if the record reaches the date.
    """

    at: int
    availability: Chance
    restoration: Chance
    was_down: bool | None = None
    was_late: bool | None = None


class Fan(msgspec.Struct, frozen=True):
    """Quantiles (`FAN`) of the availability at instants (us), and the actual one, if the record reaches them."""

    at: tuple[int, ...]
    quantiles: tuple[tuple[float, ...], ...]
    was: tuple[float | None, ...]


class Forecast(msgspec.Struct, frozen=True):
    """Probabilities by date, the fan of availability, and their basis: a fit, or the distributions of a file.

    `target` and `limit_h`: the required availability and the limit on restoration. `below_already`: availability is
    too low at the forecast's instant. `formula` is the contract's; under V3 and V4 the forecast uses V1, and its
    probabilities of a breach are lower bounds, because availability by V1 is never below these.
    """

    as_of: int
    replications: int
    target: float
    limit_h: int
    dates: tuple[ForecastDate, ...]
    fan: Fan
    basis: Basis | None
    laws: tuple[Drawn, ...] = ()
    confidence: float = CONFIDENCE
    below_already: bool = False
    formula: str = "V1"


def month_ends(start: int, until: int, calendar: Calendar) -> tuple[int, ...]:
    """Return the first instant of each month after `start` and before `until`, then `until` itself."""
    return (*(at for at in month_starts(calendar, start, until) if at > start), until)


def forecast(  # noqa: PLR0913 - what is known, what is assumed, and how it is run
    service: Service, contract: Contract, dates: Sequence[int], replications: int, seed: int = 1, *,
    as_of: int | None = None, laws: tuple[Drawn, ...] = (), workers: int = 1, progress: Progress | None = None,
) -> Forecast:  # fmt: skip
    """Return the probability of a breach of availability or restoration between an instant and each date.

    `as_of` (default: the period's end): only incidents that began before it are used. Without `laws` distributions are
    fitted to the known outages; raises BadInput if these are too few.
    """
    now, dates = service.period.end if as_of is None else as_of, tuple(sorted(dates))
    known = known_at(service, contract, now, dates[-1])
    each = max(1, min(MOST_EACH, round(math.sqrt(replications) / 2)))
    basis: Basis | None = None
    sources: tuple[Source, ...]
    if laws:
        lost = lost_of(contract)
        sources, each = tuple(one for one in given(laws, contract) if one.counted_as in lost), replications
    else:
        chance = np.random.Generator(np.random.Philox(key=[seed % (1 << 64), 0]))
        draws = -(-replications // each)
        source, basis = fitted(sample(service, now), draws, chance)
        sources = (source,)
        planned = sample(service, now, "planned")
        if "planned" in lost_of(contract) and len(planned.hours) >= LEAST_OUTAGES:
            sources = (source, fitted(planned, draws, chance)[0])
    task = Task(
        known, sources, dates[-1], np.array(dates, dtype=np.int64) - now, _grid(now, dates[-1]), allowed_of(contract),
        contract.terms.quality.restoration_h.value * HOUR_US, seed, each,
    )  # fmt: skip
    events = laws if several_platforms(laws) and contract.reading("several-platforms") == "all_down" else ()
    found = _run(task, contract, replications, events, workers, progress)
    was = _Outcome(service, contract, known)
    return Forecast(
        now, replications, contract.terms.quality.availability.value, contract.terms.quality.restoration_h.value,
        tuple(
            ForecastDate(
                at, _chance(found.down_at <= at - now, each), _chance(found.late_at <= at - now, each), was.down(at),
                was.late(at),
            )
            for at in dates
        ),
        _fan(task, found, was), basis, laws, below_already=bool((found.down_at == 0).all()),
        formula=contract.terms.quality.availability_formula.value,
    )  # fmt: skip


def wilson(successes: float, trials: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return Wilson's score interval of a share (1927)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = successes / trials, z * z / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / trials + weight / (4 * trials))
    return max(0.0, middle - half), min(1.0, middle + half)


def _grid(now: int, until: int) -> Instants:
    return np.unique(np.linspace(0, until - now, GRID).astype(np.int64))


def _run(
    task: Task, contract: Contract, replications: int, events: tuple[Drawn, ...], workers: int,
    progress: Progress | None,
) -> Found:  # fmt: skip
    chunks = [(first, min(first + CHUNK, replications)) for first in range(0, replications, CHUNK)]

    def found_in(span: tuple[int, int]) -> Found:
        found = chunk_of_events(task, events, contract, *span) if events else chunk(task, *span)
        return found if span[0] < FANNED else msgspec.structs.replace(found, shares=found.shares[:0])

    found: list[Found] = []
    with ThreadPoolExecutor(max(1, min(workers, len(chunks)))) as pool:  # numpy releases the lock
        for one in pool.map(found_in, chunks):
            found.append(one)
            if progress is not None:
                progress(min(len(found) * CHUNK, replications), replications)
    return Found(*(np.concatenate([getattr(one, name) for one in found]) for name in Found.__struct_fields__))


def _chance(broken: NDArray[np.bool_], each: int) -> Chance:
    """Return a probability with its band over the draws of parameters; `each` futures share one draw.

    Each draw has few futures, so their shares spread more than the probabilities do. The band is narrowed by the part
    of the spread that sampling adds.
    """
    share = float(broken.mean())
    starts = np.arange(0, len(broken), each)
    sizes = np.diff(np.append(starts, len(broken)))
    shares = np.add.reduceat(broken.astype(np.float64), starts) / sizes
    if len(shares) == 1:
        return Chance(share, None, wilson(int(broken.sum()), len(broken)))
    spread = float(shares.var())
    added = share * (1 - share) - spread  # within a draw, on average
    added = max(0.0, added / max(1, each - 1)) if each > 1 else 0.0
    kept = math.sqrt(max(0.0, 1 - added / spread)) if spread > 0 else 0.0
    low, high = np.quantile(share + kept * (shares - share), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    error = spread / len(shares)  # of the mean, as draws are independent
    trials = share * (1 - share) / error if error > 0 else float(len(broken))
    noise = wilson(share * trials, trials)
    return Chance(share, (max(0.0, min(low, share)), min(1.0, max(high, share))), noise)


def _all_known(service: Service) -> Period:
    """Return the period with its history: a forecast of the past may end before the period begins."""
    since = min(service.period.known_from, service.period.start)
    return Period(since, service.period.end, since)


class _Outcome:
    """The events after the forecast's instant, as far as the record reaches."""

    def __init__(self, service: Service, contract: Contract, known: Known) -> None:
        self._now, self._end = known.now, service.period.end
        service = msgspec.structs.replace(service, period=_all_known(service))
        self._year = year_of(service, contract)
        points = turning_points(self._year)
        seen = rolling(self._year, points[points > known.now])
        self._formula = "V2" if "planned" in lost_of(contract) else "V1"
        self._down = seen.at[seen.beyond(self._year.windows.length_at(seen.at), self._formula, self._year.allowed)]
        limit = contract.terms.quality.restoration_h.value * HOUR_US
        self._late = [
            one.incident.start + limit for one in outages_of(service)
            if one.incident.start >= known.now and one.incident.lasted(self._end) > limit
        ]  # fmt: skip

    def down(self, at: int) -> bool | None:
        """Tell whether availability was too low by a date."""
        return bool((self._down <= at).any()) if at <= self._end else None

    def late(self, at: int) -> bool | None:
        """Tell whether a restoration came too late by a date."""
        return any(late <= at for late in self._late) if at <= self._end else None

    def shares(self, at: Instants) -> list[float | None]:
        """Return the availability at instants."""
        reached = (at <= self._end) & (at > self._year.period.known_from)
        shares = iter(rolling(self._year, at[reached]).availability(self._formula).tolist())
        return [next(shares) if one else None for one in reached.tolist()]


def _fan(task: Task, found: Found, was: _Outcome) -> Fan:
    at = task.known.now + task.grid
    quantiles = np.quantile(found.shares.astype(np.float64), FAN, axis=0)
    return Fan(tuple(at.tolist()), tuple(tuple(row) for row in quantiles.tolist()), tuple(was.shares(at)))
