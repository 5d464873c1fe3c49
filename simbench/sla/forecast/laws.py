"""Sources of future outages: distributions fitted to the past with their uncertainty, or given in a file.

A fitted source has one pair of parameters per draw from their posterior under Jeffreys' priors. The rate of failures is
Gamma(n + 1/2, hours of service); the logarithms of the durations are normal with unknown mean and variance.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.errors import BadInput
from simbench.base.text import count
from simbench.base.toml_files import read_toml
from simbench.base.units import HOUR_US
from simbench.contract import Contract
from simbench.ledger.incidents import Incident
from simbench.simulation.incidents import QUANTILES, Drawn, Law, table_of
from simbench.sla.classification import PLATFORM_OF_SEVERAL, Class, counted
from simbench.sla.forecast.known import LEAST_OUTAGES, Sample

Floats = NDArray[np.float64]
LONGEST_US = 1e14  # about three years: no outage is drawn longer
UNCERTAINTY = 0.95


class Laws(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Distributions of future outages: a TOML file with [[drawn]]."""

    drawn: tuple[Drawn, ...]


class Basis(msgspec.Struct, frozen=True):
    """The fitted distributions, in hours: the number of outages, the hours of service, the mean time between failures
    and the median duration, the latter two each with the band of its uncertainty.
    """  # fmt: skip

    outages: int
    up_h: float
    between_h: float
    between_band: tuple[float, float]
    median_h: float
    median_band: tuple[float, float]


class Fitted(msgspec.Struct, frozen=True, eq=False):
    """A source with one value of each parameter per draw: mean interval (us), mean and sd of log duration (us)."""

    counted_as: Class
    between_us: Floats
    log_mean: Floats
    log_sd: Floats

    def between(self, chance: np.random.Generator, draws: NDArray[np.int64], columns: int) -> Floats:
        """Times until the next failure (us), a row for each draw named."""
        return chance.standard_exponential((len(draws), columns)) * self.between_us[draws, None]

    def lasting(self, chance: np.random.Generator, draws: NDArray[np.int64], columns: int) -> Floats:
        """Return durations (us), a row for each draw named."""
        spread = self.log_sd[draws, None] * chance.standard_normal((len(draws), columns))
        return np.exp(np.minimum(self.log_mean[draws, None] + spread, np.log(LONGEST_US)))

    @property
    def shortest_mean_us(self) -> float:
        """Return the shortest mean time between failures of all draws."""
        return float(self.between_us.min())


class Given(msgspec.Struct, frozen=True, eq=False):
    """A source with distributions from a file, by the quantiles that the simulation draws from."""

    counted_as: Class
    between_table: Floats
    lasting_table: Floats

    def between(self, chance: np.random.Generator, draws: NDArray[np.int64], columns: int) -> Floats:
        """Times until the next failure (us), a row for each draw named."""
        return _quantiles(self.between_table, chance, len(draws), columns)

    def lasting(self, chance: np.random.Generator, draws: NDArray[np.int64], columns: int) -> Floats:
        """Return durations (us), a row for each draw named."""
        return _quantiles(self.lasting_table, chance, len(draws), columns)

    @property
    def shortest_mean_us(self) -> float:
        """Return the mean time between failures."""
        return float(self.between_table.mean())


Source = Fitted | Given


def _quantiles(table: Floats, chance: np.random.Generator, rows: int, columns: int) -> Floats:
    return np.interp(chance.random((rows, columns)) * (QUANTILES - 1), np.arange(QUANTILES), table)


def read_laws(path: Path) -> tuple[Drawn, ...]:
    """Read a file of distributions. Raises BadInput."""
    laws = read_toml(path, Laws, BadInput).drawn
    if not laws:
        raise BadInput(str(path), "has no distribution", "[[drawn]] with name, between and lasting")
    return laws


def fitted(known: Sample, draws: int, chance: np.random.Generator) -> tuple[Fitted, Basis]:
    """Draw parameters from their posterior, one of each per draw, and return their basis as well.

    Raises BadInput for fewer than two ended outages.
    """
    if len(known.hours) < LEAST_OUTAGES:
        few = f"{count(len(known.hours), 'outage')} ended before the forecast, too few to fit"
        raise BadInput("--forecast", few, "at least 2, or a file of distributions (--laws)")
    size, logs = len(known.hours), np.array(known.logs)
    shape, up_us = known.outages + 0.5, max(known.up_h, 1e-6) * HOUR_US
    between = up_us / chance.gamma(shape, size=draws)
    if known.same:  # half of the durations drawn around it would be longer than any recorded one
        log_mean, log_sd = np.full(draws, logs.max()), np.zeros(draws)
    else:
        log_sd = logs.std(ddof=1) * np.sqrt((size - 1) / chance.chisquare(size - 1, draws))
        log_mean = logs.mean() + log_sd / np.sqrt(size) * chance.standard_normal(draws)
    source = Fitted(known.counted_as, between, log_mean + np.log(HOUR_US), log_sd)
    basis = Basis(
        known.outages, known.up_h, known.up_h / max(1, known.outages), _band(between / HOUR_US),
        float(np.exp(logs.max() if known.same else logs.mean())),
        _band(np.exp(np.minimum(log_mean, np.log(LONGEST_US / HOUR_US)))),
    )  # fmt: skip
    return source, basis


def given(laws: tuple[Drawn, ...], contract: Contract) -> tuple[Given, ...]:
    """Return the sources of a file, each with the class of its incidents; some may count as nothing."""
    found = []
    for law in laws:
        incident = Incident(
            law.name, 0, 1, law.scope, law.share, law.subject, attributed_to=law.attributed_to
        )  # fmt: skip
        (one,) = counted([incident], contract)
        found.append(Given(one.counted_as, _table(law.between), _table(law.lasting)))
    return tuple(found)


def several_platforms(laws: tuple[Drawn, ...]) -> bool:
    """Tell whether outages of these sources are total when they coincide."""
    return any(law.subject.startswith(PLATFORM_OF_SEVERAL) for law in laws)


def _table(law: Law) -> Floats:
    return np.array(table_of(law), dtype=np.float64)


def _band(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - UNCERTAINTY) / 2, (1 + UNCERTAINTY) / 2]).tolist()
    return low, high
