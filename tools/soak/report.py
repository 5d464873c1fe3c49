"""The figures of a soak test, and whether they pass."""

from __future__ import annotations

from typing import NamedTuple

from tools.soak.load import Counts


class Wanted(NamedTuple):
    """Minimum of accepted messages, and how many of them are warm-up (0: those of the first tenth of the time)."""

    messages: int
    warm: int = 0
    grown: float = 0.05  # less than this share


class Sample(NamedTuple):
    """Seconds since the start, octets of memory, messages accepted so far."""

    at_s: float
    rss: int
    accepted: int


class Memory(NamedTuple):
    """Octets: the maximum during warm-up, and the median of the last tenth of the rest."""

    warm: int
    last: int

    @property
    def grown(self) -> float:
        """Growth as a share."""
        return self.last / self.warm - 1


def memory(samples: list[Sample], warm: int) -> Memory:
    """The memory a server needed. Its caches must be full when it is warm."""
    tenth = max(1, len(samples) // 10)
    early = [sample for sample in samples if sample.accepted <= warm] if warm else samples[:tenth]
    late = samples[len(early) :] or samples
    last = sorted(sample.rss for sample in late[-max(1, len(late) // 4 if warm else tenth) :])
    return Memory(max(sample.rss for sample in early or samples[:1]), last[len(last) // 2])


def tenth(number: int, samples: list[Sample], wanted: Wanted) -> str:
    """Memory at the end of a tenth of the time, and whether it is flat since the server was warm."""
    found, now = memory(samples, wanted.warm), samples[-1]
    flat = "flat" if found.grown < wanted.grown else "not flat"
    judged = f"{found.grown:+.1%} since warm: {flat} within {wanted.grown:.0%}" if number > 1 else "warm from here on"
    return f"tenth {number}: {now.accepted:,} accepted, {now.rss / 1e6:.0f} MB, {judged}"


def verdict(samples: list[Sample], counts: Counts, wanted: Wanted, status: int) -> int:
    """Print the figures; return 0 if they pass."""
    found, peak = memory(samples, wanted.warm), max(sample.rss for sample in samples)
    while_warm = f"{wanted.warm:,} messages" if wanted.warm else "tenth"
    print(f"{samples[-1].at_s:.0f} s: {counts.accepted:,} accepted, {counts.refused:,} refused, "
          f"{counts.notified:,} notified, {counts.cuts} connections cut, {counts.calls} made")  # fmt: skip
    print(f"memory: {found.warm / 1e6:.0f} MB at most in the first {while_warm}, {found.last / 1e6:.0f} MB in the end, "
          f"{found.grown:+.1%} (less than {wanted.grown:.0%} wanted), {peak / 1e6:.0f} MB at most")  # fmt: skip
    print(f"messages: {counts.accepted:,} of {wanted.messages:,} wanted; server ended with status {status}")
    return 0 if found.grown < wanted.grown and counts.accepted >= wanted.messages and status == 0 else 1
