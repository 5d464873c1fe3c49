"""The client's own probes: the instant of each and whether it was answered.

In a ledger they are rows of `stimuli`, because the client reports them, of kind "probe-ok" or "probe-lost".
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.ledger.stimuli import ANSWERED, LOST
from simbench.rules.rule import Case
from simbench.sla.rolling_window import Instants

MOST_APART = 3  # in usual intervals between probes: a longer gap was not watched


class Probes(msgspec.Struct, frozen=True, eq=False):
    """Probes by time: `at` (us, int64) and whether each was answered."""

    at: Instants
    ok: NDArray[np.bool_]

    def between(self, start: int, end: int) -> tuple[int, int]:
        """Count the probes sent in [start, end), and those of them that were answered."""
        first, last = np.searchsorted(self.at, [start, end], side="left")
        return int(last - first), int(self.ok[first:last].sum())

    def silences(self) -> Iterator[tuple[int, int | None, int]]:
        """Runs of unanswered probes: the instants of the first one and the next answer (None: none), the number."""
        change = np.flatnonzero(np.diff(np.concatenate(([True], self.ok)).astype(np.int8)))
        for start, end in zip(change[::2].tolist(), [*change[1::2].tolist(), len(self.at)], strict=False):
            yield int(self.at[start]), int(self.at[end]) if end < len(self.at) else None, end - start

    def stretches(self) -> list[tuple[int, int]]:
        """The watched time: from each probe to the next, if it follows within `MOST_APART` usual intervals."""
        if not len(self.at):
            return []
        every = self.every_us
        reached = np.append(self.at[1:], self.at[-1] + every)
        apart = np.flatnonzero(reached[:-1] - self.at[:-1] > MOST_APART * every)
        firsts, lasts = np.append(0, apart + 1), np.append(apart, len(self.at) - 1)
        ends = np.minimum(reached[lasts], self.at[lasts] + every)
        return list(zip(self.at[firsts].tolist(), ends.tolist(), strict=True))

    def covered(self, start: int, end: int) -> float:
        """Return the share of [start, end) that the client watched."""
        watched = sum(max(0, min(last, end) - max(first, start)) for first, last in self.stretches())
        return watched / max(1, end - start)

    @property
    def every_us(self) -> int:
        """The usual time between two probes (us); 0 with fewer than two probes."""
        return int(np.median(np.diff(self.at))) if len(self.at) > 1 else 0


def probes_of(case: Case) -> Probes:
    """Return the probes of a ledger, by time."""
    stimuli = case.trace.run.stimuli
    if not stimuli.num_rows:
        return Probes(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_))
    kind = stimuli["kind"].to_numpy(zero_copy_only=False)
    chosen = (kind == ANSWERED) | (kind == LOST)
    return Probes(stimuli["at"].to_numpy()[chosen], (kind == ANSWERED)[chosen])
