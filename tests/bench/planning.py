"""How fast plans and sweeps are: the advisor on a year, a thousand campaign days, and what a second core brings."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from simbench.contract import load_contract
from simbench.planning.advise import advise, evaluate
from simbench.planning.crew import Crew, DaskCrew, LocalCrew
from simbench.planning.loads import Group, replications
from simbench.planning.mix import mix_of
from simbench.planning.study import Prepared, Study, prepare
from simbench.world.config import WorldScenario
from tests.planning.plans import OUTAGES, flow, plan_of, sending

Gates = list[tuple[str, bool]]
FEW, MANY, MESSAGES = 60, 1000, 500_000


def planning() -> Gates:
    """Every gate of planning."""
    return [*advisor(), *sweeps()]


def advisor() -> Gates:
    """A year of campaigns on every jour ouvrable, twenty mixes in a hundred replications; and the whole advice."""
    plan = plan_of(
        period={"from": "2026-03", "months": 12}, replications=100, probability=0.8, outages=OUTAGES,
        sendings=[sending(volume=100_000, every="jour-ouvrable")], flows=[flow(per_day=20_000, within_min=240)],
    )  # fmt: skip
    groups, futures = [Group(plan, prefix) for prefix in plan.groups], replications(plan)
    began = time.perf_counter()
    for number in range(20):
        evaluate(groups, futures, mix_of({"36": [{10: 2 + number}] * 12}))
    screening_s = time.perf_counter() - began
    began = time.perf_counter()
    advice = advise(plan)
    advice_s = time.perf_counter() - began
    messages = sum(one.messages for one in advice.confirmed)
    print(
        f"advisor: 20 mixes x 100 replications of a year screened in {screening_s:.1f} s; advice {advice_s:.1f} s "
        f"with {len(advice.candidates)} candidates and {messages / 1e6:.1f} M messages one by one"
    )
    return [("20 mixes x 100 replications under 60 s", screening_s < 60), ("advice under 60 s", advice_s < 60)]


def sweeps() -> Gates:
    """A thousand campaign days of half a million messages, by one and two processes and on Dask."""
    study = _study(MANY)
    with ExitStack() as stack:
        one_s, two_s = (_timed(study, _local(study, workers, stack), FEW) for workers in (1, 2))
        address = _cluster(stack)
        dask = DaskCrew(study, address)
        stack.callback(dask.close)
        dask_s = _timed(study, dask, FEW)
        many_s = _timed(study, _local(study, 2, stack), MANY)
    local, cluster = one_s / two_s / 2, one_s / dask_s / 2
    print(
        f"sweep: {MANY} days of {MESSAGES:,} messages in {many_s:.1f} s by 2 processes; one: "
        f"{FEW * MESSAGES / one_s / 1e6:.1f} M messages/s; efficiency of 2 {local:.2f}, on Dask {cluster:.2f} "
        f"(load {os.getloadavg()[0]:.1f})"
    )
    return [
        ("1,000 campaign days under 60 s", many_s < 60),
        ("2 processes at least 0.85", local >= 0.85),
        ("2 Dask workers at least 0.75", cluster >= 0.75),
    ]


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


def _local(study: Prepared, workers: int, stack: ExitStack) -> Crew:
    crew = LocalCrew(study, workers)
    stack.callback(crew.close)
    return crew


def _timed(study: Prepared, crew: Crew, runs: int) -> float:
    """Seconds for so many runs, with every worker warm."""
    for _ in crew.do([((0, n),) for n in range(6)]):
        pass
    began = time.perf_counter()
    done = sum(len(results) for results in crew.do([tuple((0, n + k) for k in range(4)) for n in range(0, runs, 4)]))
    assert done == runs
    return time.perf_counter() - began


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
