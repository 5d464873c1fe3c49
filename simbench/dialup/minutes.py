"""Minutes of calls by hour, month and tariff period.

Sums are exact: whole microseconds, or whole begun units under a reading of the offer (NRV-AMB-02).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.dialup.calls import I64, Calls
from simbench.dialup.grid import Grid
from simbench.dialup.kernels.minutes import over_hours
from simbench.dialup.offer import Offer

UNITS: Final = {"exact": 1, "second": SECOND_US, "minute": MINUTE_US}
"""Microseconds of a counted unit, by reading."""

LENGTH_EDGES_S: Final = np.unique(np.round(np.geomspace(1, 43_200, 61)).astype(np.int64))
"""Edges of the classes of session durations, in seconds; the last class is open."""


class Month(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The traffic of one month: calls begun in it, minutes rounded down, and microseconds by period."""

    month: str
    calls: int
    peak_calls: int
    peak_us: int
    off_peak_us: int

    @property
    def minutes(self) -> int:
        """The whole minutes of the month, for which the share is paid."""
        return (self.peak_us + self.off_peak_us) // MINUTE_US

    @property
    def peak_minutes(self) -> int:
        """The whole peak minutes."""
        return self.peak_us // MINUTE_US

    @property
    def off_peak_minutes(self) -> int:
        """The whole off-peak minutes: the month's whole minutes less the peak minutes."""
        return self.minutes - self.peak_minutes


@dataclass(frozen=True)
class Laid:
    """Calls distributed over a grid: units of `unit_us` by hour, charged units of `charged_unit_us`, calls begun."""

    grid: Grid
    unit_us: int
    counted: I64
    late: I64
    begun: I64
    charged_unit_us: int
    charged: I64

    def erlangs(self) -> NDArray[np.float64]:
        """Mean number of calls in progress in each hour."""
        return self.counted * self.unit_us / HOUR_US

    def plus(self, other: Laid) -> Laid:
        """Add other calls on the same grid."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in ("counted", "late", "begun", "charged")}
        return replace(self, **sums)


def lay(calls: Calls, grid: Grid, offer: Offer) -> Laid:
    """Distribute carried calls over the hours of a grid; parts outside are left out."""
    unit_us = UNITS[offer.reading("minute-count")]
    charged_unit_us = UNITS[offer.reading("retail-unit")]
    units = np.array([unit_us, charged_unit_us])
    laid = over_hours(calls.start_us, calls.duration_us, grid.first_hour, grid.month, grid.credit_us, units)
    counted, late, begun, charged = laid
    return Laid(grid, unit_us, counted, late, begun, charged_unit_us, charged)


def length_counts(calls: Calls) -> I64:
    """Return the number of calls in each class of durations."""
    classes = np.searchsorted(LENGTH_EDGES_S * SECOND_US, calls.duration_us, side="right") - 1
    return np.bincount(np.maximum(classes, 0), minlength=len(LENGTH_EDGES_S))


def by_month(laid: Laid, offer: Offer) -> tuple[Month, ...]:
    """Sum the hours of each month; NRV-AMB-03 determines the treatment of calls at its end."""
    grid, counted = laid.grid, laid.counted
    moved = offer.reading("month-of-call") == "start"
    months = []
    for place, name in enumerate(grid.months):
        own = grid.month == place
        after = grid.month == (place + 1 if place + 1 < len(grid.months) else -1)
        sums = []
        for period in (grid.peak, ~grid.peak):
            total = int(counted[own & period].sum())
            if moved:
                total += int(laid.late[after & period].sum()) - int(laid.late[own & period].sum())
            sums.append(total * laid.unit_us)
        begun, at_peak = int(laid.begun[own].sum()), int(laid.begun[own & grid.peak].sum())
        months.append(Month(name, begun, at_peak, *sums))
    return tuple(months)
