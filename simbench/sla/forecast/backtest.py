"""Back test of the forecast: made at the start of each past month from the data known then, and compared."""

from __future__ import annotations

import msgspec

from simbench.base.calendar import Calendar
from simbench.base.errors import BadInput
from simbench.contract import Contract
from simbench.sla.classification import Service
from simbench.sla.forecast.forecast import FAN, Forecast, forecast, month_ends, wilson
from simbench.sla.forecast.known import LEAST_OUTAGES, sample

MONTHS = 3  # ahead
BINS = 5  # of probability
INNER, OUTER = (1, 3), (0, 4)  # indices in FAN of the bounds that contain half, and 95 %


class Tried(msgspec.Struct, frozen=True):
    """One past forecast (us): the probability of a breach by `until`, whether one occurred, and the actual availability
    with its forecast quantiles. `below_already`: availability was already too low when the forecast was made, so there
    was nothing to forecast.
    """  # fmt: skip

    as_of: int
    until: int
    outages: int
    share: float
    broke: bool
    was: float
    quantiles: tuple[float, ...]
    below_already: bool = False

    def within(self, bounds: tuple[int, int]) -> bool:
        """Tell whether the actual availability lay between two of the quantiles."""
        return self.quantiles[bounds[0]] <= self.was <= self.quantiles[bounds[1]]


class Bin(msgspec.Struct, frozen=True):
    """Past forecasts of similar probability: their number, the mean probability, the number of breaches that occurred,
    and the 95 % interval of the share of breaches (Wilson).
    """  # fmt: skip

    tries: int
    foreseen: float
    happened: int
    band: tuple[float, float]


class BackTest(msgspec.Struct, frozen=True):
    """Past forecasts over `months` months, and how well they were calibrated.

    `brier`: mean squared difference of probability and outcome; 0.25 if every forecast says one half. `foreseen`: sum
    of the probabilities. These and `happened` leave out the dates at which availability was already too low. `in_half`
    and `in_most`: the number of availabilities within the bounds that should contain 50 % and 95 % of them.
    """

    months: int
    tried: tuple[Tried, ...]
    brier: float
    foreseen: float
    happened: int
    in_half: int
    in_most: int

    @property
    def open_tries(self) -> tuple[Tried, ...]:
        """The forecasts made while availability was not yet too low."""
        return tuple(one for one in self.tried if not one.below_already)

    def bins(self, size: int = BINS) -> tuple[Bin, ...]:
        """The reliability of the open forecasts, grouped by similar probability."""
        found = []
        for place in range(size):
            own = [one for one in self.open_tries if min(size - 1, int(one.share * size)) == place]
            if own:
                happened = sum(one.broke for one in own)
                mean = sum(one.share for one in own) / len(own)
                found.append(Bin(len(own), mean, happened, wilson(happened, len(own))))
        return tuple(found)


def back_test(
    service: Service, contract: Contract, replications: int, seed: int = 1, *, months: int = MONTHS
) -> BackTest:
    """Forecast from the start of each past month whose next months are recorded, and compare.

    Raises BadInput if no month has two outages before it and enough of the record after it.
    """
    tried = []
    period = service.period
    for as_of in month_ends(min(period.known_from, period.start), period.end, contract.calendar):
        until = _later(as_of, months, contract.calendar)
        known = sample(service, as_of)
        if until > period.end or len(known.hours) < LEAST_OUTAGES:
            continue
        tried.append(_tried(forecast(service, contract, (until,), replications, seed, as_of=as_of), known.outages))
    if not tried:
        raise BadInput(
            "--back-test", "the record is too short",
            f"two outages and then {months} months of record",
        )  # fmt: skip
    scored = [one for one in tried if not one.below_already]
    return BackTest(
        months, tuple(tried), sum((one.share - one.broke) ** 2 for one in scored) / max(1, len(scored)),
        sum(one.share for one in scored), sum(one.broke for one in scored), sum(one.within(INNER) for one in tried),
        sum(one.within(OUTER) for one in tried),
    )  # fmt: skip


def _tried(made: Forecast, outages: int) -> Tried:
    date, quantiles = made.dates[-1], tuple(row[-1] for row in made.fan.quantiles)
    was = made.fan.was[-1]
    assert len(quantiles) == len(FAN)
    assert was is not None
    assert date.was_down is not None
    return Tried(
        made.as_of, date.at, outages, date.availability.share, date.was_down, was, quantiles, made.below_already
    )


def _later(at: int, months: int, calendar: Calendar) -> int:
    then = calendar.civil(at)
    return calendar.month_of(then.year, then.month + months)[0]
