"""Progress through phases weighted by their expected duration."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Progress = Callable[[float], object]
"""Called with the share done, 0 to 1."""
ALMOST = 0.999


class Phases:
    """Phases in order, each with its expected cost in any unit; the reported progress never decreases."""

    def __init__(self, report: Progress, costs: Mapping[str, float]) -> None:
        self._report, self._costs, self._last = report, dict(costs), 0.0

    def phase(self, name: str) -> Progress:
        """Return a function for the progress within a phase, 0 to 1."""
        names = list(self._costs)
        before = sum(self._costs[one] for one in names[: names.index(name)])
        total = max(1e-9, sum(self._costs.values()))

        def report(share: float) -> None:
            done = (before + self._costs[name] * min(1.0, max(0.0, share))) / total
            self._last = max(self._last, min(ALMOST, done))
            self._report(self._last)

        return report

    def expect(self, name: str, cost: float) -> None:
        """Change the expected cost of a phase."""
        self._costs[name] = cost


def steps(phase: Progress, total: int) -> Callable[[], None]:
    """Return a function to call for each step of a phase; steps beyond the total are ignored."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        phase(done / max(1, total))

    return step
