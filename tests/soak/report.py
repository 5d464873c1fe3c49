"""The figures of a soak, and whether it was one. Starts nothing."""

from __future__ import annotations

from typing import NamedTuple

from tests.soak.load import Counts

GROWTH_MAX = 0.05


class Wanted(NamedTuple):
    """Messages accepted at least; octets of growth at most, 0 for the share that a long soak is held to."""

    messages: int
    grown: int = 0


class Sample(NamedTuple):
    """Seconds since the start, octets of memory, messages accepted so far."""

    at_s: float
    rss: int
    accepted: int


def growth(samples: list[Sample]) -> float:
    """Memory of the last tenth (median) over the most there was in the first tenth, less one."""
    tenth = max(1, len(samples) // 10)
    last = sorted(sample.rss for sample in samples[-tenth:])
    return last[len(last) // 2] / max(sample.rss for sample in samples[:tenth]) - 1


def verdict(samples: list[Sample], counts: Counts, wanted: Wanted, status: int) -> int:
    """Print the figures; 0 when all is as it should be."""
    peak = max(sample.rss for sample in samples)
    grown = growth(samples)
    print(f"{samples[-1].at_s:.0f} s: {counts.accepted:,} accepted, {counts.refused:,} refused, "
          f"{counts.notified:,} notified, {counts.cuts} connections cut, {counts.calls} made")  # fmt: skip
    print(
        f"memory: {peak / 1e6:.0f} MB at most, {grown:+.1%} since the first tenth (less than {GROWTH_MAX:.0%} wanted)"
    )
    print(f"messages: {counts.accepted:,} of {wanted.messages:,} wanted; server ended with status {status}")
    first = max(sample.rss for sample in samples[: max(1, len(samples) // 10)])
    bounded = peak - first < wanted.grown if wanted.grown else grown < GROWTH_MAX
    return 0 if bounded and counts.accepted >= wanted.messages and status == 0 else 1
