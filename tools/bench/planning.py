"""Speed of plans and sweeps: a plan for a year, a thousand campaign days, and the gain of a second core."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec

from simbench.contract import load_contract
from simbench.planning.advise import advise
from simbench.planning.code_plan import code_plan_of
from simbench.planning.evaluate import evaluate
from simbench.planning.loads import Group, replications
from simbench.planning.study import Prepared, Study, prepare
from simbench.planning.sweep import chunks
from simbench.planning.worker_pool import DaskPool, LocalPool, WorkerPool
from simbench.simulation.scenario import WorldScenario
from tests.planning.plans import OUTAGES, flow, plan_of, sending

Gates = list[tuple[str, bool]]
FEW, TURNS, MANY, MESSAGES = 96, 7, 1000, 500_000  # short turns: the speed of a machine drifts by a third in a minute


class Spent(NamedTuple):
    """Elapsed seconds, and processor seconds of the workers."""

    wall_s: float
    processor_s: float


def planning() -> Gates:
    """Every gate of planning."""
    return [*advisor(), *sweeps()]


def advisor() -> Gates:
    """A year of campaigns on every jour ouvrable: twenty code plans in a hundred replications, and the complete
    plan.
    """
    plan = plan_of(
        period={"from": "2026-03", "months": 12}, replications=100, probability=0.8, outages=OUTAGES,
        sendings=[sending(volume=100_000, every="jour-ouvrable")], flows=[flow(per_day=20_000, within_min=240)],
    )  # fmt: skip
    groups, futures = [Group(plan, prefix) for prefix in plan.groups], replications(plan)
    began, used = time.perf_counter(), time.process_time()
    for number in range(20):
        evaluate(groups, futures, code_plan_of({"36": [{10: 2 + number}] * 12}))
    screening_s, screened_s = time.perf_counter() - began, time.process_time() - used
    began, used = time.perf_counter(), time.process_time()
    advice = advise(plan)
    advice_s, advised_s = time.perf_counter() - began, time.process_time() - used
    messages = advice.confirmation.messages
    print(
        f"advisor: 20 mixes x 100 replications of a year screened in {screening_s:.1f} s ({screened_s:.1f} s of "
        f"processor); advice {advice_s:.1f} s ({advised_s:.1f} s) "
        f"with {len(advice.candidates)} candidates and {messages / 1e6:.1f} M messages one by one"
    )
    return [("20 mixes x 100 replications under 60 s", screening_s < 60), ("advice under 60 s", advice_s < 60)]


def sweeps() -> Gates:
    """A thousand campaign days of half a million messages, by one and two processes and on Dask, in turns."""
    study = _study(MANY)
    with ExitStack() as stack:
        one, two = _local(study, 1, stack), _local(study, 2, stack)
        local = _compared(study, one, two)
        many = _done(study, two, MANY)
        # Not before: a cluster that does nothing takes a seventh of a core from the others.
        dask = DaskPool(study, _cluster(stack))
        stack.callback(dask.close)
        cluster = _compared(study, one, dask)
    print(
        f"sweep: {MANY} days of {MESSAGES:,} messages in {many.wall_s:.1f} s by 2 processes, {many.processor_s:.1f} s "
        f"of processor; efficiency, median of {TURNS} turns: two {local:.2f}, Dask {cluster:.2f} "
        f"(load {os.getloadavg()[0]:.1f})"
    )
    return [
        ("1,000 campaign days under 60 s", many.wall_s < 60),
        ("2 processes at least 0.85", local >= 0.85),
        ("2 Dask workers at least 0.75", cluster >= 0.75),
    ]


def _compared(study: Prepared, one: WorkerPool, two: WorkerPool) -> float:
    """The efficiency of two workers by elapsed time, in turns with one worker."""
    for pool in (one, two):  # at first every worker loads and compiles
        _done(study, pool, 8)
    found = []
    for turn in range(TURNS):
        took = {pool: _done(study, pool, FEW).wall_s for pool in ((one, two) if turn % 2 else (two, one))}
        found.append(took[one] / took[two] / 2)
    return median(found)


def _study(replications: int) -> Prepared:
    day: dict[str, Any] = {
        "period": {"from": "2026-10-01", "to": "2026-10-02"},
        "codes": [{"code": "36050", "rate_per_s": 50, "request_id": "R"}],
        "campaigns": [{"name": "c", "code": "36050", "start": "2026-10-01T08:00", "volume": MESSAGES}],
        "incidents": OUTAGES,
    }
    parameters = [{"key": "codes.0.rate_per_s", "values": [50]}]
    given = {"scenario": "day", "parameters": parameters, "replications": replications, "block": replications}
    return prepare(msgspec.convert(given, Study), msgspec.convert(day, WorldScenario), load_contract())


def _local(study: Prepared, workers: int, stack: ExitStack) -> WorkerPool:
    pool = LocalPool(study, workers)
    stack.callback(pool.close)
    return pool


def _done(study: Prepared, pool: WorkerPool, runs: int) -> Spent:
    """The time of this many runs, distributed as by a sweep."""
    given = chunks(study, [(0, n) for n in range(runs)])
    began, before = time.perf_counter(), _processor_s()
    assert sum(len(results) for results in pool.do(given)) == runs
    return Spent(time.perf_counter() - began, _processor_s() - before)


def _processor_s() -> float:
    """Processor time of every process started from here, and of those they started (proc(5))."""
    found, waiting = 0, [os.getpid()]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").iterdir():
            for child in (task / "children").read_text().split():
                waiting.append(int(child))
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
                found += int(fields[11]) + int(fields[12])
    return found / os.sysconf("SC_CLK_TCK")


def _cluster(stack: ExitStack) -> str:
    """A scheduler and two workers under nannies, as a cluster has them by default; its address."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    file = Path(folder) / "scheduler.json"
    options = ["--scheduler-file", str(file), "--no-dashboard"]
    _start(stack, ["distributed.cli.dask_scheduler", "--port", "0", "--host", "127.0.0.1", *options])
    while not file.exists():
        time.sleep(0.05)
    for name in ("a", "b"):
        own = ["--nthreads", "1", "--local-directory", str(Path(folder) / name)]
        _start(stack, ["distributed.cli.dask_worker", *own, *options])
    return str(msgspec.json.decode(file.read_bytes())["address"])


def _start(stack: ExitStack, command: list[str]) -> None:
    process = subprocess.Popen([sys.executable, "-m", *command], stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)


if __name__ == "__main__":
    print(planning())
