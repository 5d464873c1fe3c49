"""The workers of a study: processes on this machine, or an existing Dask cluster.

If a worker dies, another repeats its current chunk; nothing else is repeated or lost.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, as_completed
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol

from simbench.base.errors import BadInput, SimbenchError, Trouble
from simbench.planning.executors import Where, check_executor, connected, lost, one_line, processes
from simbench.planning.runs import Key, Result, run_chunk
from simbench.planning.study import Prepared

MOST_DEATHS = 3
AHEAD = 2  # chunks assigned to a worker, so that it need not wait while results are stored
Chunk = tuple[Key, ...]


class WorkerPool(Protocol):
    """Runs chunks in any order."""

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """Yield the results of each chunk as it finishes."""

    def close(self) -> None:
        """Release the workers."""


class LocalPool:
    """Processes of this machine, each with its own pipe."""

    def __init__(self, prepared: Prepared, workers: int) -> None:
        self._prepared, self._context = prepared, get_context("spawn")
        self._workers = [self._hired() for _ in range(workers)]

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """See WorkerPool. Raises Trouble if a chunk repeatedly kills its workers."""
        waiting, deaths = deque(chunks), Counter[Chunk]()
        at_hand: dict[Connection, deque[Chunk]] = {}
        while waiting or at_hand:
            self._hand_out(waiting, at_hand)
            for ready in wait(list(at_hand)):
                assert isinstance(ready, Connection)
                chunks_of = at_hand[ready]
                try:
                    answer = ready.recv()
                except (EOFError, OSError):
                    deaths[chunks_of[0]] += 1
                    if deaths[chunks_of[0]] > MOST_DEATHS:
                        raise Trouble(f"run {chunks_of[0][0]} of the study: {lost()}") from None
                    waiting.extendleft(reversed(at_hand.pop(ready)))
                    self._replace(ready)
                    continue
                if isinstance(answer, str):
                    raise BadInput("study", answer)
                chunks_of.popleft()
                if not chunks_of:
                    del at_hand[ready]
                self._hand_out(waiting, at_hand)
                yield answer

    def _hand_out(self, waiting: deque[Chunk], at_hand: dict[Connection, deque[Chunk]]) -> None:
        """Assign chunks to the workers: one to each before a second to any."""
        for most in range(1, AHEAD + 1):
            for pipe, _ in self._workers:
                while waiting and len(at_hand.get(pipe, ())) < most:
                    chunk = waiting.popleft()
                    at_hand.setdefault(pipe, deque()).append(chunk)
                    try:
                        pipe.send(chunk)
                    except OSError:  # the worker is dead; the waiting loop detects this
                        break

    def pids(self) -> list[int]:
        """Return the process ids."""
        return [process.pid or 0 for _, process in self._workers]

    def close(self) -> None:
        """As WorkerPool."""
        for pipe, process in self._workers:
            pipe.close()
            process.terminate()
            process.join()

    def _hired(self) -> tuple[Connection, SpawnProcess]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=work, args=(theirs, self._prepared), daemon=True)
        process.start()
        theirs.close()
        return ours, process

    def _replace(self, pipe: Connection) -> None:
        place = next(at for at, (one, _) in enumerate(self._workers) if one is pipe)
        pipe.close()
        self._workers[place][1].join()
        self._workers[place] = self._hired()


def work(pipe: Connection, prepared: Prepared) -> None:
    """Run a local worker: receive chunks and send results or errors, until the pipe ends."""
    while True:
        try:
            chunk = pipe.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return
        try:
            pipe.send(run_chunk(prepared, chunk))
        except SimbenchError as problem:
            pipe.send(str(problem))
        except (OSError, KeyboardInterrupt):
            return


class DaskPool:
    """An existing Dask cluster; its workers must have this version of simbench installed."""

    def __init__(self, prepared: Prepared, where: Any, place: str = "executor", answer_s: float = 0.0) -> None:
        """`where`: the address of its scheduler, or a client, which stays open; `place` names it in errors."""
        self._own, self._where, self._place = isinstance(where, str), where, place
        self._client = connected(where, place, answer_s) if self._own else where
        self._prepared = prepared

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """See WorkerPool: the scheduler gives a dead worker's chunks to others. Raises Trouble if it is lost."""
        from distributed import as_completed  # noqa: PLC0415 - as above

        # The study is sent with every chunk: data distributed in advance would be lost with its worker.
        with one_line(self._where, self._place, "; with the same folder the sweep continues"):
            futures = [
                self._client.submit(run_chunk, self._prepared, chunk, pure=False, retries=MOST_DEATHS)
                for chunk in chunks
            ]
            for future in as_completed(futures, loop=self._client.loop):
                yield future.result()
                future.release()

    def close(self) -> None:
        """See WorkerPool; the cluster keeps running."""
        if self._own:
            self._client.close()


class ExecutorPool:
    """An existing executor of `concurrent.futures`."""

    def __init__(self, prepared: Prepared, executor: Executor) -> None:
        self._prepared, self._executor = prepared, executor

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """See WorkerPool. Raises Trouble if the executor's workers die."""
        with one_line(self._executor):
            for future in as_completed([self._executor.submit(run_chunk, self._prepared, one) for one in chunks]):
                yield future.result()

    def close(self) -> None:
        """See WorkerPool; the executor keeps running."""


def pool_of(prepared: Prepared, where: Where = None, place: str = "executor") -> WorkerPool:
    """Return the workers for an argument `executor`. Raises BadInput, which names the place, for an invalid one."""
    check_executor(where, place)
    if where is None or isinstance(where, int):
        return LocalPool(prepared, processes(where))
    if isinstance(where, Executor):
        return ExecutorPool(prepared, where)
    return DaskPool(prepared, where, place)
