"""One run of a study: a world in the vectorised engine, its minutes and its measures."""

from __future__ import annotations

import ctypes
import functools

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.units import HOUR_US, MINUTE_US
from simbench.planning.study import MEASURES, Prepared, StudyError
from simbench.simulation.bulk import Batch, BulkSmsc, not_carried
from simbench.simulation.bulk_code import CodeRun
from simbench.simulation.columns import MinuteColumns
from simbench.simulation.demand import Source
from simbench.simulation.kernels.delivery import DeliveryTables
from simbench.simulation.kernels.layout import LOST
from simbench.simulation.plan import World, plan

COUNTS = ("offered", "accepted", "refused", "delivered", "undelivered", "expired")
TRIM, MMAP, KEPT_OCTETS = -1, -3, 32 << 20  # mallopt's names of its thresholds
Integers = NDArray[np.int64]
Key = tuple[int, int]
"""Point and replication."""


class Counted(MinuteColumns):
    """The minutes of a code, and the number of its late messages.

    Messages requested less than `late_us` before the end are left out, because their lateness is unknown.
    """

    def __init__(self, world: World, code: str, tables: DeliveryTables, first: int, late_us: int) -> None:
        super().__init__(world, code, tables)
        self._span, self._late_us = (first, world.end - late_us), late_us
        self.late = 0

    def offered(self, at: Integers) -> None:
        """Count requests; each counts as late until it leaves in time."""
        super().offered(at)
        self.late += int(self._counts_for(at).sum())

    def batch(self, batch: Batch) -> None:
        """Count the messages that left; those lost with a connection are sent again."""
        super().batch(batch)
        in_time = (batch.sent.sent_at - batch.at <= self._late_us) & (batch.sent.decided != LOST)
        self.late -= int((in_time & self._counts_for(batch.at)).sum())

    def _counts_for(self, at: Integers) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (at >= self._span[0]) & (at <= self._span[1])
        return found


class Result(msgspec.Struct, frozen=True, array_like=True):
    """A run's measures, in the order of MEASURES."""

    point: int
    replication: int
    measures: tuple[float, ...]


def run_chunk(prepared: Prepared, keys: tuple[Key, ...]) -> list[Result]:
    """Run several keys one after another. Raises StudyError for a world that the vectorised engine does not support."""
    keep_memory()
    return [Result(*key, measured(prepared, *key)) for key in keys]


def measured(prepared: Prepared, point: int, replication: int) -> tuple[float, ...]:
    """Return the measures of one run, from the end of the warm-up on."""
    world = plan(prepared.world(point, replication), prepared.contract, "study")
    if reasons := not_carried(world):
        raise StudyError(
            "scenario", f"the vectorised engine does not support {'; '.join(reasons)}", "a world without them"
        )
    first = world.start + round(prepared.study.warm_up_h * HOUR_US)
    minutes = max(1, (world.end - first) // MINUTE_US)
    sums, backlog, last, late = np.zeros(len(COUNTS)), np.zeros(minutes), first, 0
    late_us = round(prepared.study.late_min * MINUTE_US)
    for code in world.codes:
        smsc = BulkSmsc(world, code)
        counted = Counted(world, code, smsc.tables, first, late_us)
        CodeRun(world, code, smsc, counted, lambda _: None).run()
        late += counted.late
        table = counted.table()
        at = table.column("at").to_numpy()
        which = at >= first
        at = at[which]
        sums += [table.column(name).to_numpy()[which].sum() for name in COUNTS]
        places = (at - first) // MINUTE_US
        backlog[places] += table.column("backlog").to_numpy()[which]
        submitted = at[table.column("submitted").to_numpy()[which] > 0]
        last = max(last, int(submitted[-1]) + MINUTE_US if len(submitted) else first)
    found = dict(zip(COUNTS, sums.tolist(), strict=True))
    found |= {
        "backlog_max": float(backlog.max()), "backlog_mean": float(backlog.mean()),
        "busy_min": float((backlog > 0).sum()), "last_sent_min": (last - first) / MINUTE_US,
        "delivered_share": found["delivered"] / found["offered"] if found["offered"] else 1.0, "late": float(late),
    }  # fmt: skip
    return tuple(found[name] for name in MEASURES)


def volume(prepared: Prepared, point: int) -> float:
    """Return the approximate number of messages of a run of a point."""
    world = plan(prepared.world(point, 0), prepared.contract, "study")
    return sum(Source(world, code).volume() for code in world.codes)


@functools.cache
def keep_memory() -> None:
    """Make the allocator keep freed memory: a worker that returns it at once is slower than one process."""
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(MMAP, KEPT_OCTETS)
        libc.mallopt(TRIM, 8 * KEPT_OCTETS)
    except (OSError, AttributeError):  # only glibc has these thresholds
        return
