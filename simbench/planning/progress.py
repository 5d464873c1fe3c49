"""Progress through phases that are weighed by how long each is expected to take."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Progress = Callable[[float], object]
"""Takes the share done, 0 to 1."""
ALMOST = 0.999


class Phases:
    """Phases in their order, each with its expected cost in any unit; what is reported never goes back."""

    def __init__(self, report: Progress, costs: Mapping[str, float]) -> None:
        self._report, self._costs, self._last = report, dict(costs), 0.0

    def phase(self, name: str) -> Progress:
        """Progress within a phase, 0 to 1, as progress of the whole."""
        names = list(self._costs)
        before = sum(self._costs[one] for one in names[: names.index(name)])
        total = max(1e-9, sum(self._costs.values()))

        def report(share: float) -> None:
            done = (before + self._costs[name] * min(1.0, max(0.0, share))) / total
            self._last = max(self._last, min(ALMOST, done))
            self._report(self._last)

        return report

    def expect(self, name: str, cost: float) -> None:
        """A phase turns out to cost more or less than was expected."""
        self._costs[name] = cost


def steps(phase: Progress, total: int) -> Callable[[], None]:
    """A step of so many within a phase; more steps than that are no progress."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        phase(done / max(1, total))

    return step
