from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from simbench.base.errors import Trouble
from simbench.planning.sweep import JOURNAL, RESULT, sweep
from simbench.planning.worker_pool import DaskPool
from tests.planning.test_sweep import prepared, swept

ROOT = Path(__file__).parents[2]
DASK = [sys.executable, "-m", "distributed.cli.dask_scheduler"], [sys.executable, "-m", "distributed.cli.dask_worker"]


class Cluster:
    """A scheduler and two workers, each a process ended by its id."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._stack, self._folder = stack, folder
        self._pids: dict[str, int] = {}
        log = self.start([*DASK[0], "--port", "0", "--host", "127.0.0.1", "--no-dashboard"], "scheduler")
        self.scheduler = self._pids["scheduler"]
        self.address = self._said(log, r"(tcp://127\.0\.0\.1:\d+)")
        self.workers = [self.worker(name) for name in ("a", "b")]

    def worker(self, name: str) -> int:
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self._folder / name)]
        log = self.start([*DASK[1], self.address, *options], name)
        self._said(log, "Registered to:")
        return self._pids[name]

    def start(self, command: list[str], name: str) -> Path:
        log = self._folder / f"{name}.log"
        process = subprocess.Popen(command, env=self._environment, stdout=log.open("wb"), stderr=subprocess.STDOUT)
        self._pids[name] = process.pid
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return log

    @staticmethod
    def _said(log: Path, pattern: str) -> str:
        until = time.monotonic() + 300
        while not (found := re.search(pattern, log.read_text(errors="replace"))):
            assert time.monotonic() < until, log.read_text(errors="replace")
            time.sleep(0.02)
        return found[0]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    with ExitStack() as stack:
        yield Cluster(stack, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Dask's own, about sockets of a worker that was killed
def test_a_cluster_of_two_gives_the_same_octets_even_when_a_worker_is_killed(cluster: Cluster, tmp_path: Path) -> None:
    study = prepared(replications=60, block=60)
    here = swept(study, tmp_path / "here")
    pool = DaskPool(study, cluster.address)
    killed: list[float] = []

    def progress(share: float) -> None:
        if not killed:
            os.kill(cluster.workers[0], signal.SIGKILL)
            killed.append(share)

    try:
        sweep(study, tmp_path / "there", pool, progress)
    finally:
        pool.close()
    assert killed
    assert killed[0] < 1, "killed in the middle"
    assert (tmp_path / "there" / RESULT).read_bytes() == here


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_a_worker_killed_between_two_blocks_holds_nothing_up(cluster: Cluster, tmp_path: Path) -> None:
    study = prepared(replications=40, block=20)
    pool, killed = DaskPool(study, cluster.address), list[float]()

    def progress(share: float) -> None:
        if share == 1 and not killed:
            os.kill(cluster.workers[0], signal.SIGKILL)
            killed.append(share)

    with ThreadPoolExecutor(1) as apart, closing(pool):
        running = apart.submit(sweep, study, tmp_path / "there", pool, progress)
        try:
            assert len(running.result(300)) == 120
        except TimeoutError:
            os.kill(cluster.scheduler, signal.SIGKILL)  # else it would be waited for without end
            raise


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_a_cluster_that_goes_away_is_reported_and_what_is_done_is_kept(
    cluster: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study = prepared(replications=60, block=60)
    with (
        closing(DaskPool(study, cluster.address)) as pool,
        pytest.raises(Trouble, match="the cluster was lost") as reported,
    ):
        sweep(study, tmp_path / "cut", pool, lambda _: os.kill(cluster.scheduler, signal.SIGKILL))
    assert "\n" not in str(reported.value)
    assert not [one for one in caplog.records if one.exc_info], "and no traceback of Dask's"
    assert len((tmp_path / "cut" / JOURNAL).read_bytes().splitlines()) > 1
    assert swept(study, tmp_path / "cut") == swept(study, tmp_path / "whole")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_no_scheduler_there_is_reported_shortly_and_once(address: str) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(Trouble, match="expected a Dask scheduler there"):
        DaskPool(prepared(), address, answer_s=0.5)
    gc.collect()  # what a half-made client says when it is thrown away would be an error here
