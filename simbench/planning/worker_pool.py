"""The workers of a study: processes on this machine, or an existing Dask cluster.

When a worker dies, another repeats what it was doing; nothing else is repeated or lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, as_completed
from functools import partial
from typing import Any, Protocol

from simbench.planning.executors import Where, check_executor, connected, local_processes, one_line
from simbench.planning.runs import Key, Result, run_chunk
from simbench.planning.study import Prepared

MOST_DEATHS = 3
Chunk = tuple[Key, ...]


class WorkerPool(Protocol):
    """Does chunks in any order."""

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """The results of each chunk, as they come."""

    def close(self) -> None:
        """Let the workers go."""


class LocalPool:
    """Processes of this machine: so many, or with None as many as are worth it."""

    def __init__(self, prepared: Prepared, workers: int | None) -> None:
        self._workers = local_processes(partial(run_chunk, prepared), workers)

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """As WorkerPool. Raises Trouble when a chunk keeps killing its worker."""
        for _, results in self._workers.do(chunks):
            yield results

    def pids(self) -> list[int]:
        """The numbers of the processes beside this one; 0 for one that has not started."""
        return self._workers.pids()

    def close(self) -> None:
        """As WorkerPool."""
        self._workers.close()


class DaskPool:
    """A Dask cluster somebody else keeps; its workers must have this version of simbench installed."""

    def __init__(self, prepared: Prepared, where: Any, place: str = "executor", answer_s: float = 0.0) -> None:
        """`where`: the address of its scheduler, or a client, which stays open; `place` names it in errors."""
        self._own, self._where, self._place = isinstance(where, str), where, place
        self._client = connected(where, place, answer_s) if self._own else where
        self._prepared = prepared

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """As WorkerPool: the scheduler gives a dead worker's chunks to others. Raises Trouble if it is lost."""
        from distributed import as_completed  # noqa: PLC0415 - as above

        # The study goes with every chunk: what is spread over the workers beforehand dies with them, or waits for one.
        with one_line(self._where, self._place, "; with the same folder the sweep goes on"):
            futures = [
                self._client.submit(run_chunk, self._prepared, chunk, pure=False, retries=MOST_DEATHS)
                for chunk in chunks
            ]
            for future in as_completed(futures, loop=self._client.loop):
                yield future.result()
                future.release()

    def close(self) -> None:
        """As WorkerPool; the cluster stays."""
        if self._own:
            self._client.close()


class ExecutorPool:
    """An executor of `concurrent.futures` that somebody else keeps."""

    def __init__(self, prepared: Prepared, executor: Executor) -> None:
        self._prepared, self._executor = prepared, executor

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """As WorkerPool. Raises Trouble when the executor's workers die."""
        with one_line(self._executor):
            for future in as_completed([self._executor.submit(run_chunk, self._prepared, one) for one in chunks]):
                yield future.result()

    def close(self) -> None:
        """As WorkerPool; the executor stays."""


def pool_of(prepared: Prepared, where: Where = None, place: str = "executor") -> WorkerPool:
    """The workers for what an argument `executor` may be. Raises BadInput, which names the place, for anything else."""
    check_executor(where, place)
    if where is None or isinstance(where, int):
        return LocalPool(prepared, where)
    if isinstance(where, Executor):
        return ExecutorPool(prepared, where)
    return DaskPool(prepared, where, place)
