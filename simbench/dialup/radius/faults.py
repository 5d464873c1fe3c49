"""Faults of access servers, each with a name and seeded; reconciliation finds them again.

The affected call, record or access server is a function of seed and name, so the same calls have the same faults.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np

from simbench.base.errors import BadInput
from simbench.base.toml_files import choice
from simbench.base.units import SECOND_US
from simbench.dialup.calls import Call, Calls
from simbench.dialup.radius.plan import UNNAMED_NAS, Fault, Planned, planned_at
from simbench.dialup.radius.record import BOOTS, Record
from simbench.kernels.chance import draw, entity_of, share

SHARE_PPM: Final = 50_000  # share of the affected sessions, if a fault affects some of them
SKEW_S: Final = 300
LATE_US: Final = SECOND_US  # delay of an out-of-order Start after its Stop


class _OfSomeSessions(Fault):
    """A fault that affects a share of the sessions."""

    def __init__(self, share_ppm: int = SHARE_PPM) -> None:
        self._share_ppm, self._seed, self._purpose = share_ppm, 0, entity_of("fault", self.name)

    def prepare(self, _calls: Calls, seed: int) -> None:
        """Keep the seed."""
        self._seed = seed

    def strikes(self, record: Record) -> bool:
        """Tell whether this session is affected."""
        if record.status in BOOTS:
            return False
        return share(self._seed, entity_of(record.nas, record.session), self._purpose, self._share_ppm)


class LostStop(_OfSomeSessions):
    """The Stop of some sessions is never sent."""

    name = "lost-stop"

    def alter(self, planned: Planned) -> Sequence[Planned]:
        """Withhold it."""
        if planned.record.status == "Stop" and not planned.withheld and self.strikes(planned.record):
            return (planned.struck(self.name, withheld=self.name),)
        return (planned,)


class Duplicates(_OfSomeSessions):
    """Every record of some sessions is sent twice, as requests of their own."""

    name = "duplicates"

    def alter(self, planned: Planned) -> Sequence[Planned]:
        """Send it again."""
        if planned.withheld or not self.strikes(planned.record):
            return (planned,)
        return planned, planned.struck(self.name, copy=planned.copy + 1)


class OutOfOrder(_OfSomeSessions):
    """The Start of some sessions is sent a second after their Stop."""

    name = "out-of-order"

    def __init__(self, share_ppm: int = SHARE_PPM) -> None:
        super().__init__(share_ppm)
        self._ends: dict[tuple[str, str], int] = {}

    def prepare(self, calls: Calls, seed: int) -> None:
        """Find the ends of the affected sessions."""
        super().prepare(calls, seed)
        for call in calls.rows():
            nas = call.nas or UNNAMED_NAS
            if share(seed, entity_of(nas, call.session), self._purpose, self._share_ppm):
                self._ends[nas, call.session] = call.start_us + call.duration_us

    def alter(self, planned: Planned) -> Sequence[Planned]:
        """Delay the Start."""
        record = planned.record
        end = self._ends.get((record.nas, record.session), -1) if record.status == "Start" else -1
        if end < 0:
            return (planned,)
        return (planned.struck(self.name, due_us=end + LATE_US),)


class NasReboot(Fault):
    """Every access server restarts once: its sessions end without a Stop, then it states Accounting-On."""

    name = "nas-reboot"

    def __init__(self) -> None:
        self._instants: dict[str, int] = {}

    def prepare(self, calls: Calls, seed: int) -> None:
        """Choose for each access server the middle of one of its calls."""
        for code in {int(code) for code in calls.nas}:
            nas = calls.nas_names[code] if code >= 0 else UNNAMED_NAS
            places = np.flatnonzero(calls.nas == code)
            struck = places[draw(seed, entity_of(nas), entity_of("fault", self.name)) % len(places)]
            self._instants[nas] = int(calls.start_us[struck] + calls.duration_us[struck] // 2)

    def cut(self, call: Call) -> int:
        """Return when the call's access server restarts."""
        return self._instants[call.nas or UNNAMED_NAS]

    def boots(self) -> Sequence[Planned]:
        """Return the Accounting-On of each access server."""
        return [
            planned_at(at, Record("Accounting-On", nas, event_us=at)).struck(self.name)
            for nas, at in self._instants.items()
        ]


class ClockSkew(Fault):
    """The clock of one access server is five minutes ahead."""

    name = "clock-skew"

    def __init__(self, skew_s: int = SKEW_S) -> None:
        self._skew_us, self._nas = skew_s * SECOND_US, ""

    def prepare(self, calls: Calls, seed: int) -> None:
        """Choose the access server."""
        names = sorted({calls.nas_of(place) or UNNAMED_NAS for place in range(len(calls))})
        self._nas = names[draw(seed, 0, entity_of("fault", self.name)) % len(names)] if names else ""

    def alter(self, planned: Planned) -> Sequence[Planned]:
        """Set the times of its records by its wrong clock."""
        record = planned.record
        if record.nas != self._nas:
            return (planned,)
        ahead = msgspec.structs.replace(record, event_us=record.event_us + self._skew_us)
        return (planned.struck(self.name, record=ahead),)


FAULTS: Final[dict[str, type[Fault]]] = {
    fault.name: fault for fault in (LostStop, Duplicates, OutOfOrder, NasReboot, ClockSkew)
}


def faults_of(names: Iterable[str]) -> list[Fault]:
    """Return the faults with these names. Raises BadInput."""
    for name in names:
        if name not in FAULTS:
            raise BadInput(f"--fault {name}", "is not a fault", choice(name, FAULTS))
    return [FAULTS[name]() for name in names]
