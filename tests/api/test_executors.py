"""Equal results for every executor: this process, threads, processes, a Dask cluster."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import simbench
from simbench.base.errors import BadInput, LedgerError, NothingRead, PortInUse, Trouble
from simbench.base.progress import Progress
from simbench.bench.sut.protocol import SutFailed
from simbench.planning.executors import spread
from simbench.tables.instants import NoZone
from tests.planning.plans import sending

CAMPAIGN = {"news": {"name": "news", "code": "36010", "start": "2026-03-02T09:00", "volume": 3000}}
OUTAGES = {"start": ["2025-03-04T10:00Z"], "end": ["2025-03-04T19:00Z"], "scope": ["total"], "planned": ["no"]}
Where = Callable[[], AbstractContextManager[Any]]


def world() -> simbench.World:
    return simbench.World(
        ("2026-03-02", "2026-03-03"),
        {"36010": 10},
        campaigns=[CAMPAIGN["news"]],
        incidents={"drawn": [{"name": "cuts", "between": {"mean_h": 6}, "lasting": {"mean_h": 0.5}}]},
    )


def simulated(executor: Any, progress: Progress | bool = False) -> list[Any]:
    runs = simbench.simulate(world(), replications=3, executor=executor, progress=progress)
    assert len({run.seed for run in runs}) == 3
    return [(run.seed, run.engine, *(run.table(name).arrow for name in run.tables)) for run in runs]


def swept(executor: Any, progress: Progress | bool = False) -> list[Any]:
    study = {"parameters": [{"key": "codes.0.rate_per_s", "values": [10, 20]}], "replications": 3, "block": 3}
    found = simbench.sweep(study, world=world(), executor=executor, progress=progress)
    assert len(found.runs) == 6
    return [found.points.arrow, found.runs.arrow]


def planned(executor: Any, progress: Progress | bool = False) -> list[Any]:
    campaign = {
        "name": "small", "period": {"from": "2026-03", "months": 1}, "sendings": [sending(volume=40_000)],
        "replications": 10,
    }  # fmt: skip
    found = simbench.plan(campaign, executor=executor, progress=progress)
    return [repr(found), *(table.arrow for table in found.tables.values())]


def judged(executor: Any, progress: Progress | bool = False) -> list[Any]:
    table = simbench.Frame.of(OUTAGES, "tickets")
    found = simbench.judge(
        [table, table], start="2025-01-01T00:00Z", end="2026-01-01T00:00Z", executor=executor, progress=progress
    )
    assert [one["sla.restoration"].outcome for one in found] == ["fail", "fail"]
    return [(each.facts, list(each)) for each in found]


WORK: dict[str, Callable[..., list[Any]]] = {"simulate": simulated, "sweep": swept, "plan": planned, "judge": judged}


@pytest.fixture(scope="module")
def here() -> Callable[[str], list[Any]]:
    """The result of each function in this process, computed once."""
    known: dict[str, list[Any]] = {}

    def of(name: str) -> list[Any]:
        return known.setdefault(name, WORK[name](1))

    return of


@contextmanager
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as one,
        distributed.Client(one) as client,
    ):
        yield client


PLACES: dict[str, Where] = {
    "threads": lambda: ThreadPoolExecutor(2),
    "two processes": lambda: nullcontext(2),
    "as many processes as are worth it": lambda: nullcontext(None),
    "an executor's processes": lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", WORK)
def test_results_are_equal_in_threads_and_in_processes(here: Callable[[str], list[Any]], name: str, place: str) -> None:
    with PLACES[place]() as executor:
        assert WORK[name](executor) == here(name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Dask's own
def test_results_are_equal_on_a_cluster_by_client_and_by_address(here: Callable[[str], list[Any]]) -> None:
    with cluster() as client:
        for name, work in WORK.items():
            assert work(client) == here(name), name
            assert work(client.scheduler.address) == here(name), name


# What goes wrong ---------------------------------------------------------------------------------------------------


def refuses(number: int) -> int:
    """A piece of work with a wrong input."""
    raise BadInput(f"piece {number}", "is wrong", "a right one")


def no_zone(_: int) -> int:
    """The same with an error of a class below."""
    raise NoZone("noon", "2026-03-02T12:00")


def dies(_: int) -> int:
    """A piece of work that takes its process with it, as the kernel does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


ERRORS = (
    BadInput("place", "problem", "expectation"),
    LedgerError("place", "problem"),
    NothingRead("nothing"),
    PortInUse("port"),
    SutFailed("client", "trouble"),
    NoZone("place", "text"),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda one: type(one).__name__)
def test_every_error_survives_the_way_from_another_process(error: Exception) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize("place", PLACES)
def test_an_error_in_a_worker_is_the_error_of_the_call_without_the_worker_s_own_traceback(place: str) -> None:
    with (
        PLACES[place]() as executor,
        pytest.raises(BadInput, match=r"^piece 1: is wrong; expected a right one$") as seen,
    ):
        spread(refuses, [1, 1, 1], executor)
    assert seen.value.__cause__ is None
    with PLACES[place]() as executor, pytest.raises(NoZone):
        spread(no_zone, [1, 1], executor)


UNGUARDED = """
import sys
print("the script runs", file=sys.stderr)
import simbench

study = {"parameters": [{"key": "codes.0.rate_per_s", "values": [10, 20]}], "replications": 2, "block": 2}
found = simbench.sweep(study, world="year/01_quiet_day", executor=2)
runs = simbench.simulate("year/01_quiet_day", replications=2, executor=2)
print(found, len(runs))
"""


@pytest.mark.parametrize("given", ["a file", "standard input"])
def test_a_script_needs_no_guard_and_is_not_run_again(given: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(UNGUARDED)
    command = [sys.executable, "script.py" if given == "a file" else "-"]
    done = subprocess.run(command, input=UNGUARDED, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "<Sweep study: 2 points, 4 runs> 2\n"
    assert done.stderr == "the script runs\n"


@pytest.mark.parametrize("place", ["two processes", "an executor's processes"])
def test_workers_that_die_are_one_line(place: str) -> None:
    with PLACES[place]() as executor, pytest.raises(Trouble, match=r"^worker processes died; they lack memory") as seen:
        spread(dies, [1, 2, 3], executor)
    assert "\n" not in str(seen.value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Dask's own
def test_errors_and_deaths_on_a_cluster_are_one_line_too(caplog: pytest.LogCaptureFixture) -> None:
    with cluster() as client:
        for where in (client, client.scheduler.address):
            with pytest.raises(BadInput, match=r"^piece 1: is wrong; expected a right one$"):
                spread(refuses, [1, 1, 1], where)
        with pytest.raises(Trouble, match="worker processes died") as seen:
            spread(dies, [1], client)
        assert "\n" not in str(seen.value)


@pytest.mark.parametrize(
    ("executor", "problem"),
    [
        (0, "executor: is 0; expected a number of processes, an executor, a Dask client or the address of a scheduler"),
        (-2, "executor: is -2; expected a number of processes"),
        (True, "executor: is a bool; expected a number of processes"),
        (2.5, "executor: is a float; expected a number of processes"),
        ("two", "executor: is 'two'; expected an address such as tcp://127.0.0.1:8786"),
        (object(), "executor: is a object; expected a number of processes"),
    ],
)
@pytest.mark.parametrize("name", WORK)
def test_what_is_no_executor_is_refused(name: str, executor: Any, problem: str) -> None:
    with pytest.raises(BadInput) as seen:
        WORK[name](executor)
    assert str(seen.value).startswith(problem)


@pytest.mark.parametrize("name", WORK)
def test_an_address_where_nobody_answers_is_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("simbench.planning.executors.ANSWER_S", 0.5)
    with pytest.raises(Trouble, match=r"^executor tcp://127\.0\.0\.1:9: .*; expected a Dask scheduler there$") as seen:
        WORK[name]("tcp://127.0.0.1:9")
    assert "\n" not in str(seen.value)


# Progress ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", [None, 1, 2])
@pytest.mark.parametrize("name", WORK)
def test_progress_grows_to_the_whole(name: str, executor: int | None) -> None:
    shares: list[float] = []

    def show(share: float | None, doing: str) -> None:
        assert isinstance(doing, str)
        if share is not None:
            shares.append(share)

    WORK[name](executor, show)
    assert shares == sorted(shares)
    assert len(set(shares)) >= 2
    assert shares[-1] == 1
