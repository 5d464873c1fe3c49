"""The base of the client's named faults, and all faults by name.

A fault is a subclass that overrides one or two of the core's decisions; several combine by inheritance.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar, Final, Self
from weakref import WeakSet

from msgspec.structs import replace

from simbench.client.compliance import StopList
from simbench.client.core import Core
from simbench.client.messages import LinkConfig
from simbench.client.pacing import Pacing

EVERY: Final = 10  # faults of single frames corrupt one in this many
STORM_US: Final = 50_000
FAULTS: Final[dict[str, type[Core]]] = {}


class Fault(Core):
    """The core with one error, entered under the name `fault`.

    `without` is a duty that it does not have, `settings` are values that replace those of its configuration.
    """

    _without: ClassVar[str] = ""
    _settings: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, fault: str = "", without: str = "", **settings: Any) -> None:
        super().__init_subclass__()
        cls._without, cls._settings = without, settings
        if fault:
            FAULTS[fault] = cls

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        combined = [kind for kind in type(self).__mro__ if issubclass(kind, Fault)]
        for kind in combined:
            config = replace(config, **kind._settings)
        super().__init__(config, stops)
        self._occasions: Counter[type[Core]] = Counter()
        if (duties := self._outbox.compliance.duties) is not None:
            for duty in {kind._without for kind in combined} - {""}:
                del duties.bind[duty]

    def _tenth(self, kind: type[Core]) -> bool:
        """Count an occasion of a fault, and return whether it occurs this time."""
        self._occasions[kind] += 1
        return self._occasions[kind] % EVERY == 0

    def _used_trn(self, trn: str) -> str:
        """Return the TRN of another operation that is still unanswered, or this one if there is none."""
        return next((used for used in reversed(self._session.own.outstanding) if used != trn), trn)


class FaultOfLinks(Fault):
    """A fault that concerns the other links of the client."""

    _all: ClassVar[WeakSet[FaultOfLinks]] = WeakSet()

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._shared = stops  # all links of one client share a list of opt-outs
        self._all.add(self)

    def _kin(self) -> list[Self]:
        """Return all links of this client."""
        return [one for one in self._all if one._shared is self._shared and isinstance(one, type(self))]


class Unpaced(Pacing):
    """No ring: everything may be sent at once."""

    def earliest(self, now: int) -> int:
        """Return `now`."""
        return now
