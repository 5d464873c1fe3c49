"""Several measurements of one purpose as one: the outcome is the worst, and so is the figure."""

from __future__ import annotations

import pytest

from simbench.finding import Outcome
from simbench.rulebook import Verdict, worst


def verdict(outcome: Outcome, measured: float | None, limit: float | None = 60) -> Verdict:
    return Verdict(outcome, f"{outcome} {measured}", measured, limit, "s")


@pytest.mark.parametrize(
    ("judged", "measured"),
    [
        ([verdict("fail", 65), verdict("fail", 90), verdict("fail", 61)], 90),  # the furthest beyond the limit
        ([verdict("pass", 2), verdict("pass", 59), verdict("pass", 30)], 59),  # the nearest to it
        ([verdict("weak", 4, 50), verdict("weak", 40, 50)], 4),  # a floor: the furthest below
        ([verdict("pass", 99), verdict("fail", 61)], 61),  # only those that have the worst outcome
        ([verdict("fail", 5, 0), verdict("fail", 9, 0)], 9),
    ],
)
def test_the_figure_is_that_of_the_worst(judged: list[Verdict], measured: float) -> None:
    found = worst(judged)
    assert found.measured == measured
    assert found.summary.startswith(f"{found.outcome} {measured}")
