"""Runs a world into a ledger; both engines and any number of workers produce the same ledger."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Literal

from simbench.base.errors import ScenarioError
from simbench.base.extras import missing, need
from simbench.base.worker_processes import WorkerProcesses, in_order
from simbench.ledger import AnyLedger
from simbench.simulation.bulk import BulkSmsc, not_carried
from simbench.simulation.bulk_code import CodeRun
from simbench.simulation.columns import MinuteColumns, RowColumns
from simbench.simulation.demand import Source
from simbench.simulation.event_driven import Detail, Progress, run_events
from simbench.simulation.ground_truth import event_rows
from simbench.simulation.plan import World
from simbench.simulation.reference_client import ReferenceDrive

if TYPE_CHECKING:
    import pyarrow as pa

Way = Literal["auto", "bulk", "events"]


def run_world(
    world: World, ledger: AnyLedger, detail: Detail, way: Way = "auto", workers: int = 1,
    progress: Progress = lambda _: None,
) -> Literal["bulk", "events"]:  # fmt: skip
    """Run a world into a ledger and return the engine used. "auto": the vectorised one if it supports the world.

    Raises ScenarioError for "bulk" with a world it does not support, BadInput for "bulk" without the extra `fast`.
    """
    reasons = not_carried(world)
    if way == "bulk" and reasons:
        raise ScenarioError("way", f"the vectorised engine does not support {', '.join(reasons)}", "--way events")
    if way == "bulk":
        need("fast", "--way bulk")
    if way == "events" or reasons or (way == "auto" and missing("fast")):
        if any(world.client(code).kind == "reference" for code in world.codes):
            ReferenceDrive(world, ledger, progress, by_minute=detail == "minute").run()
        else:
            run_events(world, ledger, detail, progress)
        return "events"
    ledger.events.extend(event_rows(world))
    if detail == "minute":
        _minutes(world, ledger, workers, progress)
    else:
        some = _counting(world, progress)
        for code in world.codes:
            smsc = BulkSmsc(world, code)
            output = RowColumns(world, code, smsc.tables, lambda table: ledger.write_table("centre", table))
            CodeRun(world, code, smsc, output, some).run()
    progress(1.0)
    return "bulk"


def minutes_of(world: World, code: str, progress: Callable[[int], None] = lambda _: None) -> pa.Table:
    """Return the minutes of one code, computed by the vectorised engine."""
    smsc = BulkSmsc(world, code)
    output = MinuteColumns(world, code, smsc.tables)
    CodeRun(world, code, smsc, output, progress).run()
    return output.table()


def _minutes(world: World, ledger: AnyLedger, workers: int, progress: Progress) -> None:
    codes = len(world.codes)
    if min(workers, codes) <= 1:
        some = _counting(world, progress)
        for code in world.codes:
            ledger.write_table("minute", minutes_of(world, code, some))
        return
    with closing(WorkerProcesses(partial(minutes_of, world), min(workers, codes))) as processes:
        for number, table in enumerate(in_order(processes.do(world.codes)), 1):
            ledger.write_table("minute", table)
            progress(min(0.999, number / codes))


def _counting(world: World, progress: Progress) -> Callable[[int], None]:
    """Return the function to call with every number of messages done; it reports the share of all."""
    done, volume = 0, max(1.0, sum(Source(world, code).volume() for code in world.codes))

    def some(messages: int) -> None:
        nonlocal done
        done += messages
        progress(min(0.999, done / volume))

    return some
