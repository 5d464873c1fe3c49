"""Processes of this machine that do pieces of work.

They never import the caller's script, as those of `multiprocessing` do: a script needs no `if __name__ == "__main__":`,
and a notebook or a program from standard input works like one. So functions and pieces must come from modules.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, Pipe
from queue import SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from simbench.base.errors import SimbenchError, Trouble

T = TypeVar("T")
R = TypeVar("R")

MOST_DEATHS = 3  # of workers, over one piece
LOOK_S = 0.3  # how often a thread looks whether another process is worth its start
BUSY = 1.5  # processes for each core; work of our own that has just ended counts as one
WORTH_S = 2.0  # of work that waits; a process starts in about one second
_ENDED = "the worker processes were ended by an error or before all their results were taken; start new ones"
_BEGIN = (
    "import sys; from multiprocessing.connection import Connection; "
    "pipe = Connection(int(sys.argv[1])); sys.path[:] = pipe.recv(); "
    "from simbench.base.worker_processes import work; work(pipe)"
)
_RUN = (
    "import runpy, sys; _, module, *sys.path[:] = sys.argv; del sys.argv[1:]; "
    "runpy.run_module(module, None, '__main__', True)"
)


def python_module(module: str) -> list[str]:
    """Return the command that runs a module as `python -m` does, found where this process finds it.

    `python -m` itself would take every module from the working directory first, which may be somebody else's folder.
    """
    return [sys.executable, "-P", "-c", _RUN, module, *sys.path]


def cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_busy() -> bool:
    """Whether others use this machine so much that a further process would only slow this one down."""
    return os.getloadavg()[0] > BUSY * cores()


class WorkerProcess:
    """A process that calls functions. It starts with its first piece, and again when it has died."""

    def __init__(self) -> None:
        self._lock, self._stopped = threading.Lock(), False
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int:
        """The number of the process; 0 before its start."""
        return self._process.pid if self._process is not None else 0

    def call(self, function: Callable[[T], R], piece: T) -> R:
        """The function's result. Raises what it raises, and Trouble when the piece keeps killing the process."""
        octets = pickle.dumps((function, piece))
        for _ in range(1 + MOST_DEATHS):
            try:
                pipe = self._started()
                pipe.send_bytes(octets)
                answer = pipe.recv_bytes()
            except (EOFError, OSError):
                self.close()
                continue
            result, error = pickle.loads(answer)  # noqa: S301 - of a process of our own
            if error is not None:
                raise error
            return result  # type: ignore[no-any-return]  # as the function gave it
        raise Trouble("worker processes died; they lack memory")

    def stop(self) -> None:
        """End the process, whatever it does, for good; who waits for it gets a Trouble."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.terminate()

    def close(self) -> None:
        """Wait for the process's end; nobody may be waiting for a result."""
        with self._lock:
            if self._pipe is not None:
                self._pipe.close()
                self._pipe = None
            if self._process is not None:
                self._process.wait()

    def _started(self) -> Connection:
        with self._lock:
            if self._stopped:
                raise Trouble(_ENDED)
            if self._pipe is None:
                self._pipe, theirs = Pipe()
                handle = theirs.fileno()
                command = [sys.executable, "-P", "-c", _BEGIN, str(handle)]
                with _deaf():
                    self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[handle])  # noqa: S603
                theirs.close()
                self._pipe.send(sys.path)
            return self._pipe


class WorkerProcesses(Generic[T, R]):
    """So many processes that call one function.

    With `here` this process is a worker, too, and the others start only once enough work waits to be worth it. An error
    ends the processes, and so does a caller that leaves the results of `do` early: later calls of `do` raise Trouble.
    """

    def __init__(self, function: Callable[[T], R], count: int, *, here: bool = False) -> None:
        self._function, self._here = function, here
        self._processes = [WorkerProcess() for _ in range(count)]
        self._threads: list[threading.Thread] = []

    def pids(self) -> list[int]:
        """The numbers of the processes beside this one; 0 for one that has not started."""
        return [one.pid for one in self._processes]

    def do(self, pieces: Iterable[T]) -> Generator[tuple[int, R], None, None]:
        """The place and the result of each piece, as they come.

        Raises what the function raises, its SystemExit too, and Trouble when a piece keeps killing its process, or when
        the processes were ended. An error that cannot travel between processes becomes a RuntimeError with its text.
        """
        work = _Work(self._function, pieces, now=not self._here)
        processes = self._processes[: work.pieces]
        self._threads = [threading.Thread(target=work.off, args=(one,), daemon=True) for one in processes]
        try:
            for thread in self._threads:
                thread.start()
            if self._here:
                yield from work.here()
            yield from work.answers(wait=True)
        except BaseException:
            self._stop()
            raise
        finally:
            work.end()
            self._join()

    def close(self) -> None:
        """End the processes."""
        self._stop()
        self._join()
        for one in self._processes:
            one.close()

    def _stop(self) -> None:
        for one in self._processes:
            one.stop()

    def _join(self) -> None:
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._threads = []


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started in the block never see an interrupt: who waits for them takes it, and ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def in_order(found: Iterable[tuple[int, R]]) -> Iterator[R]:
    """Results in the order of their places, each as soon as those before it are there."""
    early: dict[int, R] = {}
    following = 0
    for place, result in found:
        early[place] = result
        while following in early:
            yield early.pop(following)
            following += 1


class _Answer(NamedTuple):
    place: int
    result: Any
    error: BaseException | None = None


class _Work(Generic[T, R]):
    """Pieces that wait, and answers that nobody has taken. `now`: other processes begin at once."""

    def __init__(self, function: Callable[[T], R], pieces: Iterable[T], *, now: bool) -> None:
        self._function, self._now = function, now
        self._waiting = deque(enumerate(pieces))
        self.pieces = self._open = len(self._waiting)
        self._answers: SimpleQueue[_Answer] = SimpleQueue()
        self._began, self._ended = time.monotonic(), threading.Event()

    def here(self) -> Iterator[tuple[int, R]]:
        """Do pieces in this process, until none waits; and give what others have done meanwhile."""
        while self._waiting:
            place, piece = self._waiting.popleft()
            result = self._function(piece)
            self._open -= 1
            yield place, result
            yield from self.answers()

    def answers(self, *, wait: bool = False) -> Iterator[tuple[int, R]]:
        """Yield the results that other processes have given so far; with `wait`, wait for all of them."""
        while self._open and (wait or not self._answers.empty()):
            answer = self._answers.get()
            if answer.error is not None:
                raise answer.error
            self._open -= 1
            yield answer.place, answer.result

    def off(self, worker: WorkerProcess) -> None:
        """Have a process do pieces until none waits. Runs in a thread of its own."""
        while not (self._now or worker.pid or self._is_worth_it()):
            if self._ended.wait(LOOK_S):
                return
        while True:
            try:
                place, piece = self._waiting.popleft()
            except IndexError:
                return
            try:
                self._answers.put(_Answer(place, worker.call(self._function, piece)))
            except BaseException as error:  # for who waits for it
                self._answers.put(_Answer(place, None, error))
                return

    def end(self) -> None:
        """Begin no further piece."""
        self._waiting.clear()
        self._ended.set()

    def _is_worth_it(self) -> bool:
        if is_busy():
            return False
        spent, done = time.monotonic() - self._began, self.pieces - self._open
        return spent * len(self._waiting) > WORTH_S * max(done, 0.5)


def work(pipe: Connection) -> None:
    """Run a worker process until the pipe ends."""
    try:
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))
    except (EOFError, OSError):
        return


def _answer(octets: bytes) -> bytes:
    try:
        function, piece = pickle.loads(octets)  # noqa: S301 - of the process that started this one
        return pickle.dumps((function(piece), None))
    except BaseException as error:  # for who waits for it
        if not isinstance(error, SimbenchError):
            error.add_note(f"In a worker process:\n{traceback.format_exc()}")
        return _travelling(error)


def _travelling(error: BaseException) -> bytes:
    """Return the answer with an error; a RuntimeError with its name, text and notes replaces one that cannot travel."""
    try:
        octets = pickle.dumps((None, error))
        pickle.loads(octets)  # noqa: S301 - our own; its class may take other arguments than it keeps
    except Exception:
        stands_for = RuntimeError(f"{type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", ()):
            stands_for.add_note(note)
        return pickle.dumps((None, stands_for))
    return octets
