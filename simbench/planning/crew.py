"""Who does the runs of a study: processes of this machine, or a Dask cluster that exists. Decides on no run.

A worker that dies costs what it was doing, which another does again; nothing else is repeated or lost.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Protocol

from simbench.errors import BadInput, SimbenchError, Trouble
from simbench.planning.runs import Key, Result, run_chunk
from simbench.planning.study import Prepared

MOST_DEATHS = 3
ANSWER_S = 10
Chunk = tuple[Key, ...]


class Crew(Protocol):
    """Does chunks in any order."""

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """The results of each chunk, as they come."""

    def close(self) -> None:
        """Let the workers go."""


class LocalCrew:
    """So many processes of this machine, each with a pipe of its own."""

    def __init__(self, prepared: Prepared, workers: int) -> None:
        self._prepared, self._context = prepared, get_context("spawn")
        self._workers = [self._hired() for _ in range(workers)]

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """As Crew. Raises Trouble when a chunk keeps killing its workers."""
        waiting, deaths = deque(chunks), Counter[Chunk]()
        busy: dict[Connection, Chunk] = {}
        pipe: Connection
        while waiting or busy:
            for pipe, _ in self._workers:
                if waiting and pipe not in busy:
                    busy[pipe] = waiting.popleft()
                    try:
                        pipe.send(busy[pipe])
                    except OSError:  # it is dead, which the wait below finds out
                        continue
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                pipe = ready
                chunk = busy.pop(pipe)
                try:
                    answer = pipe.recv()
                except (EOFError, OSError):
                    deaths[chunk] += 1
                    if deaths[chunk] > MOST_DEATHS:
                        raise Trouble(f"workers die over run {chunk[0]} of the study (memory?)") from None
                    waiting.appendleft(chunk)
                    self._replace(pipe)
                    continue
                if isinstance(answer, str):
                    raise BadInput("study", answer)
                yield answer

    def pids(self) -> list[int]:
        """The processes' numbers."""
        return [process.pid or 0 for _, process in self._workers]

    def close(self) -> None:
        """As Crew."""
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
    """A local worker: a chunk in, its results or what was wrong out, until the pipe ends."""
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


class DaskCrew:
    """A Dask cluster somebody else keeps; its workers must have this version of simbench installed."""

    def __init__(self, prepared: Prepared, address: str, answer_s: float = ANSWER_S) -> None:
        try:
            from distributed import Client  # noqa: PLC0415 - an optional extra
        except ImportError:
            raise BadInput(
                f"--dask {address}", "dask is not installed", "pip install 'telecom-simbench[cluster]'"
            ) from None
        try:
            self._client = Client(address, timeout=answer_s, set_as_default=False)
        except (OSError, ValueError) as problem:
            text = str(problem).splitlines()[0] if str(problem) else "no answer"
            raise Trouble(f"--dask {address}: {text}; expected a Dask scheduler there") from None
        self._prepared = prepared

    def do(self, chunks: Iterable[Chunk]) -> Iterator[list[Result]]:
        """As Crew: the scheduler gives a dead worker's chunks to the others."""
        from distributed import as_completed  # noqa: PLC0415 - as above

        shared = self._client.scatter(self._prepared, broadcast=True, hash=False)
        futures = [self._client.submit(run_chunk, shared, chunk, pure=False, retries=MOST_DEATHS) for chunk in chunks]
        for future in as_completed(futures, loop=self._client.loop):
            yield future.result()
            future.release()

    def close(self) -> None:
        """As Crew; the cluster stays."""
        self._client.close()
