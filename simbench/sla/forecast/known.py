"""A service as known at an instant: its outages until then, merged as in the rules."""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec.structs import replace

from simbench.base.units import HOUR_US
from simbench.contract import Contract
from simbench.ledger.incidents import Incident, Period
from simbench.sla.availability import YEAR_AHEAD, windows_of
from simbench.sla.classification import Class, Counted, Service
from simbench.sla.restoration import joined
from simbench.sla.rolling_window import Downtime, Instants, Windows, downtime_of

LEAST_OUTAGES = 2  # to fit a distribution to
SAME_LENGTH = 0.001  # standard deviation of the logarithm below which all outages lasted the same


class Known(msgspec.Struct, frozen=True, eq=False):
    """A service as known at `now` (us): its down time until then, and the windows of the following time."""

    now: int
    known_from: int
    counted: tuple[Counted, ...]
    downtime: Downtime
    windows: Windows

    def lost(self, at: Instants) -> Instants:
        """Return the down time (us) that availability counts before instants in any order, none of it after `now`."""
        at = np.minimum(at, self.now)
        place = np.searchsorted(self.downtime.edges, at, side="right") - 1
        found: Instants = self.downtime.unplanned_sum[place] + self.downtime.unplanned[place] * (
            at - self.downtime.edges[place]
        )
        return found


class Sample(msgspec.Struct, frozen=True):
    """Outages of one class before an instant: how many began, hours between them, and hours of each ended one."""

    counted_as: Class
    outages: int
    up_h: float
    hours: tuple[float, ...]

    @property
    def logs(self) -> tuple[float, ...]:
        """Logarithms of the durations in hours."""
        return tuple(np.log(self.hours).tolist())

    @property
    def same(self) -> bool:
        """Whether all durations are equal, so that a spread cannot be fitted."""
        return float(np.std(self.logs)) < SAME_LENGTH


def known_at(service: Service, contract: Contract, now: int, until: int) -> Known:
    """Return the service with the incidents that began before `now`; open ones are assumed to end then."""
    counted = tuple(
        replace(one, incident=_ended(one.incident, now)) for one in service.counted if one.incident.start < now
    )
    down = tuple(
        replace(one, counted_as="unplanned") if one.counted_as in lost_of(contract) else one for one in counted
    )
    since = min(service.period.known_from, now)
    ahead = windows_of(contract, Period(now, until, since), until + YEAR_AHEAD)
    return Known(now, since, counted, downtime_of(down, now), ahead)


def lost_of(contract: Contract) -> tuple[Class, ...]:
    """Return the classes whose time a forecast counts as lost: planned outages as well if the contract uses V2.

    V3 and V4 are forecast as V1, whose availability is never below theirs; the forecast then says that its probability
    is a lower bound.
    """
    return ("unplanned", "planned") if contract.terms.quality.availability_formula.value == "V2" else ("unplanned",)


def sample(service: Service, now: int, counted_as: Class = "unplanned") -> Sample:
    """Return the total outages of a class that began before `now`; one still open at `now` has no duration."""
    whole = joined([one for one in service.counted if one.incident.start < now], counted_as)
    ended = [one.incident for one in whole if one.incident.end is not None and one.incident.end <= now]
    hours = tuple((one.end - one.start) / HOUR_US for one in ended if one.end is not None)
    down = sum(min(one.incident.end or now, now) - one.incident.start for one in whole)
    return Sample(counted_as, len(whole), max(0, now - service.period.known_from - down) / HOUR_US, hours)


def period_of(known: Known, until: int) -> Period:
    """Return the period of the forecast, with the known history."""
    return Period(known.now, until, known.known_from)


def _ended(incident: Incident, now: int) -> Incident:
    return replace(incident, end=now) if incident.end is None or incident.end > now else incident
