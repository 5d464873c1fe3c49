"""Worker processes: results by their places, errors as they were, deaths, and nothing left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from pickle import PicklingError

import pytest

from simbench.base import worker_processes as module
from simbench.base.errors import BadInput, Trouble
from simbench.base.worker_processes import WorkerProcesses, in_order, python_module

LONG_S = 120.0  # guards against hanging; says nothing about speed


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    until = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Whether a process exists, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def squared(number: int) -> tuple[int, int]:
    """A piece of work, and the process that did it."""
    return number * number, os.getpid()


def meets(folder: Path, name: str) -> int:
    """A piece that ends once another one is being done at the same time."""
    (folder / name).touch()
    wait_until(lambda: len(list(folder.iterdir())) == 2)
    return os.getpid()


def dies_once(mark: Path, number: int) -> int:
    """A piece that takes the first process to do it with it."""
    if number == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def dies(_: int) -> None:
    """A piece that takes every process with it."""
    os.kill(os.getpid(), signal.SIGKILL)


def goes_wrong(number: int) -> int:
    """Pieces that go wrong, each in a way of its own."""
    if number == 0:
        raise BadInput("piece", "is wrong", "a right one")
    if number == 1:
        raise OSError(5, "as the system says it")
    if number == 2:
        raise ValueError(lambda: None)  # which cannot travel
    if number == 3:
        raise TwoWords("first", "second")
    return number


class TwoWords(Exception):
    """An error that pickle writes and cannot read back: its class takes two arguments and keeps one."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def exits(times: Path, status: int) -> None:
    """A piece that ends the program, and counts how often it is done."""
    with times.open("a") as file:
        file.write("x")
    sys.exit(status)


def sleeps(seconds: float) -> float:
    """A piece that takes its time."""
    time.sleep(seconds)
    return seconds


@pytest.mark.parametrize("count", [1, 2, 3])
def test_results_come_with_their_places_from_other_processes(count: int) -> None:
    with closing(WorkerProcesses(squared, count)) as workers:
        found = dict(workers.do(range(7)))
        assert [found[place][0] for place in range(7)] == [0, 1, 4, 9, 16, 25, 36]
        pids = {pid for _, pid in found.values()}
        assert os.getpid() not in pids
        assert pids <= set(workers.pids())
        assert dict(workers.do([9])) == {0: (81, workers.pids()[0])}, "the same process goes on"
    assert not any(is_alive(pid) for pid in workers.pids())


def test_without_enough_work_all_of_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    monkeypatch.setattr(module, "WORTH_S", float("inf"))
    with closing(WorkerProcesses(squared, 2, here=True)) as workers:
        found = dict(workers.do(range(50)))
        assert {pid for _, pid in found.values()} == {os.getpid()}
        assert workers.pids() == [0, 0]


def test_on_a_busy_machine_all_of_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    monkeypatch.setattr(module, "WORTH_S", 0.0)
    monkeypatch.setattr(os, "getloadavg", lambda: (100.0 * module.cores(), 0.0, 0.0))
    with closing(WorkerProcesses(squared, 2, here=True)) as workers:
        assert {pid for _, pid in dict(workers.do(range(50))).values()} == {os.getpid()}


def test_once_work_waits_another_process_takes_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "is_busy", lambda: False)
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    monkeypatch.setattr(module, "WORTH_S", 0.0)
    with closing(WorkerProcesses(partial(meets, tmp_path), 1, here=True)) as workers:
        assert set(dict(workers.do(["one", "two"])).values()) == {os.getpid(), workers.pids()[0]}


def test_a_process_that_was_killed_is_replaced_and_its_piece_repeated(tmp_path: Path) -> None:
    with closing(WorkerProcesses(partial(dies_once, tmp_path / "mark"), 1)) as workers:
        assert dict(workers.do([0, 1, 2])) == {0: 0, 1: 1, 2: 2}


def test_a_piece_that_keeps_killing_is_one_line() -> None:
    with (
        closing(WorkerProcesses(dies, 1)) as workers,
        pytest.raises(Trouble, match=r"^worker processes died; they lack"),
    ):
        list(workers.do([0]))


def test_errors_are_those_of_the_function() -> None:
    def work_on(piece: int) -> None:
        with closing(WorkerProcesses(goes_wrong, 1)) as workers:
            list(workers.do([piece]))

    with pytest.raises(BadInput, match=r"^piece: is wrong; expected a right one$") as seen:
        work_on(0)
    assert not getattr(seen.value, "__notes__", [])
    with pytest.raises(OSError, match="as the system says it") as strange:
        work_on(1)
    assert "in goes_wrong" in strange.value.__notes__[0]
    with pytest.raises(RuntimeError, match="ValueError: <function") as stays:
        work_on(2)
    with pytest.raises(RuntimeError, match=r"^TwoWords: first second") as unread:
        work_on(3)
    for seen_there in (stays, unread):
        assert "in goes_wrong" in seen_there.value.__notes__[0]


def test_a_piece_that_exits_is_done_once_and_exits_here(tmp_path: Path) -> None:
    with closing(WorkerProcesses(partial(exits, tmp_path / "times"), 1)) as workers:
        with pytest.raises(SystemExit) as seen:
            list(workers.do([5]))
        assert seen.value.code == 5
    assert (tmp_path / "times").read_text() == "x"


@pytest.mark.parametrize("leaves", ["after an error", "before the end"])
def test_ended_processes_report_why_they_stopped(leaves: str) -> None:
    with closing(WorkerProcesses(goes_wrong, 1)) as workers:
        if leaves == "after an error":
            with pytest.raises(BadInput):
                list(workers.do([0]))
        else:
            results = workers.do([7, 8])
            assert next(results) == (0, 7)
            results.close()
        with pytest.raises(Trouble, match=r"^the worker processes were ended by an error or before all"):
            list(workers.do([9]))


def test_a_function_that_cannot_travel_is_an_error_at_once() -> None:
    local: Callable[[int], int] = lambda number: number  # noqa: E731 - which has no name in a module
    with closing(WorkerProcesses(local, 1)) as workers, pytest.raises((AttributeError, PicklingError), match="pickle"):
        list(workers.do([1]))
    assert workers.pids() == [0]


@pytest.mark.parametrize("leaves", ["closes the results", "closes the workers"])
def test_whoever_leaves_in_the_middle_leaves_no_process(leaves: str) -> None:
    workers = WorkerProcesses(sleeps, 2)
    results = workers.do([0.0, 600.0, 600.0])
    assert next(results) == (0, 0.0)
    wait_until(lambda: all(workers.pids()))
    if leaves == "closes the results":
        results.close()
    workers.close()
    assert not any(is_alive(pid) for pid in workers.pids())


def test_an_interrupt_of_the_terminal_ends_every_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import signal, threading, time\n"
        "from contextlib import closing\n"
        "from simbench.base.worker_processes import WorkerProcesses\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background may ignore it\n"
        "def say():\n"
        "    while not all(workers.pids()): time.sleep(0.01)\n"
        "    print(*workers.pids(), flush=True)\n"
        "with closing(WorkerProcesses(time.sleep, 2)) as workers:\n"
        "    threading.Thread(target=say, daemon=True).start()\n"
        "    list(workers.do([600, 600]))\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stdout is not None
        pids = [int(one) for one in run.stdout.readline().split()]
        os.killpg(run.pid, signal.SIGINT)
        _, errors = run.communicate(timeout=LONG_S)
    assert errors.count("Traceback") == 1, errors
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert len(pids) == 2
    assert not any(is_alive(pid) for pid in pids)


def test_results_are_put_in_order_as_soon_as_they_can_be() -> None:
    texts: list[str] = []

    def come() -> Iterator[tuple[int, str]]:
        for place, name in ((2, "c"), (0, "a"), (1, "b"), (3, "d")):
            texts.append(name)
            yield place, name

    for one in in_order(come()):
        texts.append(one.upper())  # noqa: PERF401 - the order is the point
    assert "".join(texts) == "caAbBCdD"


def test_a_module_is_not_taken_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("simbench.py", "runpy.py", "msgspec.py"):
        (tmp_path / name).write_text("print('somebody else')\n")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "caller_module.py").write_text("import sys, msgspec\nprint(__name__, sys.argv[1:])\n")
    monkeypatch.syspath_prepend(str(tmp_path / "own"))
    done = subprocess.run(python_module("caller_module"), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "__main__ []\n"), done.stderr
