"""Watches a growing table of tickets or log: current budget and forecast with warnings, incidents kept in a ledger.

Every look reads the complete file, so that a corrected ticket is judged as corrected. The ledger keeps the first
version of each incident and of its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from simbench.base.errors import BadInput
from simbench.base.units import HOUR_US, SECOND_US
from simbench.contract import Contract
from simbench.ledger import Ledger, RunInfo, open_run
from simbench.ledger.events import Restored, events_in, row_of
from simbench.ledger.incidents import Incident, Period, incident_rows, incidents_of
from simbench.sla.availability import budget, rolling, year_of
from simbench.sla.classification import Service, counted
from simbench.sla.forecast import forecast
from simbench.sla.forecast.known import LEAST_OUTAGES, sample
from simbench.sla.imports.sources import Source

LEDGER: Final = "ledger"
METRICS: Final = "metrics.prom"
REPLICATIONS: Final = 2000


class Thresholds(msgspec.Struct, frozen=True):
    """Thresholds of warnings: the share of the budget left, and the probability of a breach within some time (us)."""

    budget_below: float = 0.25
    chance_above: float = 0.5
    ahead_us: int = 90 * 24 * HOUR_US


class Standing(msgspec.Struct, frozen=True):
    """State of the service at an instant (us): hours of budget, availability, outages, probability of a breach.

    `chance` is None with fewer than two ended outages.
    """

    at: int
    allowed_h: float
    left_h: float
    availability: float
    outages: int
    open_outages: int
    chance: float | None

    def crossed(self, thresholds: Thresholds) -> dict[str, str]:
        """Return the crossed thresholds by name, each with its warning."""
        found = {}
        share = self.left_h / self.allowed_h if self.allowed_h else 0.0
        if share < thresholds.budget_below:
            found["budget"] = (
                f"budget: {self.left_h:.2f} h of {self.allowed_h:.2f} h left ({share:.0%}), "
                f"below {thresholds.budget_below:.0%}"
            )
        if self.chance is not None and self.chance > thresholds.chance_above:
            days = thresholds.ahead_us // (24 * HOUR_US)
            found["chance"] = (
                f"forecast: availability falls below its target within {days} days with probability {self.chance:.0%}, "
                f"above {thresholds.chance_above:.0%}"
            )
        return found


def standing(incidents: tuple[Incident, ...], contract: Contract, now: int, known_from: int, ahead_us: int) -> Standing:
    """Return the state of a service at `now`, by the incidents that began earlier."""
    service = Service(Period(known_from, now, known_from), counted([o for o in incidents if o.start < now], contract))
    year, at = year_of(service, contract), np.array([now])
    allowed, spent = budget(year, at)
    known = sample(service, now)
    chance = None
    if len(known.hours) >= LEAST_OUTAGES:
        chance = forecast(service, contract, (now + ahead_us,), REPLICATIONS).dates[-1].availability.share
    return Standing(
        now, float(allowed[0]), float(allowed[0] - spent[0]), float(rolling(year, at).availability(year.formula)[0]),
        known.outages, sum(one.incident.end is None for one in service.of("unplanned")), chance,
    )  # fmt: skip


class Watch:
    """A ledger to which incidents are appended as they are seen, and the thresholds crossed at the last look.

    Raises LedgerError if the folder cannot be written or another watch writes it.
    """

    def __init__(self, folder: Path, contract: Contract, thresholds: Thresholds) -> None:
        self.folder, self.contract, self.thresholds = folder, contract, thresholds
        self.crossed: frozenset[str] = frozenset()
        place = folder / LEDGER
        self._seen: dict[str, Incident] = {}
        if (place / "run.json").is_file():
            self._seen = {one.ticket: one for one in incidents_of(events_in(open_run(place).events))}
            self._ledger = Ledger.resume(place)
        else:
            info = RunInfo("watch", contract=contract.name, contract_digest=contract.digest)
            self._ledger = Ledger.create(place, info, daily=False)

    def look(self, source: Source, now: int) -> tuple[Standing, list[str]]:
        """Record new incidents; return the state of the service and the lines to print (thresholds crossed)."""
        lines = list(self._append(source.incidents, now))
        found = standing(source.incidents, self.contract, now, source.period.known_from, self.thresholds.ahead_us)
        crossed = found.crossed(self.thresholds)
        when = self.contract.calendar.civil(now).isoformat(timespec="seconds")
        lines += [f"{when} {line}" for name, line in crossed.items() if name not in self.crossed]
        lines += [f"{when} {name}: back within its threshold" for name in sorted(self.crossed - crossed.keys())]
        self.crossed = frozenset(crossed)
        return found, lines

    def _append(self, incidents: tuple[Incident, ...], now: int) -> Iterator[str]:
        """Write new incidents and new ends; return a line for each ticket that differs from its written version."""
        for one in incidents:
            before = self._seen.get(one.ticket)
            if one.start > now or one == before:
                continue
            self._seen[one.ticket] = one
            if before is None:
                for row in incident_rows(one):
                    self._ledger.events.append(row)
            elif before.end is None and one.end is not None and msgspec.structs.replace(before, end=one.end) == one:
                begun = incident_rows(one)[0]
                self._ledger.events.append(row_of(one.end, Restored(str(begun[2]), ticket=one.ticket)))
            else:
                yield f"ticket {one.ticket} has changed since it was recorded; its current version is judged"
        self._ledger.flush()

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()


def metrics(found: Standing, crossed: frozenset[str]) -> str:
    """Return the figures in the text format of Prometheus, for a collector of text files."""
    values = {
        "budget_allowed_hours": ("Hours of down time allowed in a complete window.", found.allowed_h),
        "budget_left_hours": ("Hours of the allowed down time that are left.", found.left_h),
        "availability_ratio": ("Availability over the window that ends now.", found.availability),
        "outages": ("Number of total, unplanned outages.", found.outages),
        "open_outages": ("Number of total, unplanned outages that are still open.", found.open_outages),
        "breach_probability": ("Probability that availability falls below its target.", found.chance),
        "thresholds_crossed": ("Thresholds crossed.", len(crossed)),
        "looked_at_seconds": ("Time at which these figures were computed.", found.at / SECOND_US),
    }
    lines = []
    for name, (meaning, value) in values.items():
        if value is not None:
            lines += [f"# HELP simbench_sla_{name} {meaning}", f"# TYPE simbench_sla_{name} gauge"]
            lines.append(f"simbench_sla_{name} {value:.10g}")
    return "\n".join(lines) + "\n"


def share_of(text: str, option: str) -> float:
    """A share written as 0.25 or 25 %. Raises BadInput."""
    plain = text.strip().removesuffix("%").strip()
    try:
        value = float(plain) / (100 if "%" in text else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise BadInput(option, f"is {text!r}", "a share such as 0.25 or 25%")
    return value
