"""The workers of a study: processes on this machine, or an existing Dask cluster.

If a worker dies, another repeats its current chunk; nothing else is repeated or lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, as_completed
from functools import partial
from typing import Any, Protocol

from simbench.base.worker_processes import MOST_DEATHS
from simbench.planning.executors import Where, check_executor, connected, local_processes, one_line
from simbench.planning.runs import Key, Result, run_chunk
from simbench.planning.study import Prepared

Chunk = tuple[Key, ...]


class WorkerPool(Protocol):
    """Runs chunks in any order."""

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """Yield the results of each chunk as it finishes."""

    def close(self) -> None:
        """Release the workers."""


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
        return LocalPool(prepared, where)
    if isinstance(where, Executor):
        return ExecutorPool(prepared, where)
    return DaskPool(prepared, where, place)
