"""Executors of independent pieces of work: processes of this machine, any executor of Python, or a Dask cluster.

The results do not depend on the executor: every piece is a pure function of its arguments, and the order is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, as_completed
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from simbench.base.errors import BadInput, SimbenchError, Trouble
from simbench.base.extras import need
from simbench.base.progress import Progress, silent
from simbench.base.worker_processes import WorkerProcesses, cores

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
R = TypeVar("R")

Where = Executor | int | str | Any | None
"""None: this process, and once enough work waits for it one more for each further core; a number of processes, 1 for
this one; an executor of `concurrent.futures`; a Dask client, or the address of a scheduler."""
EXPECTED = "a number of processes, an executor, a Dask client or the address of a scheduler"
ANSWER_S = 10.0


def spread(
    function: Callable[[T], R], items: Sequence[T], where: Where = None, progress: Progress = silent
) -> list[R]:  # fmt: skip
    """Return the result of a module's function for each item, in order.

    Raises the function's exceptions; BadInput for an unknown executor; Trouble if workers or a cluster are lost.
    """
    check_executor(where)
    found: dict[int, R] = {}
    with one_line(where), closing(_done(function, items, where)) as done:
        for number, (place, result) in enumerate(done, 1):
            found[place] = result
            progress(number / len(items), f"{number} of {len(items)}")
    return [found[place] for place in range(len(items))]


def _done(function: Callable[[T], R], items: Sequence[T], where: Where) -> Generator[tuple[int, R], None, None]:
    """The place and the result of each item, as they come; what is started here ends with it."""
    if isinstance(where, WorkerProcesses):  # shared
        yield from where.do([(function, one) for one in items])
        return
    if where is None or isinstance(where, int):
        with closing(local_processes(function, 1 if len(items) < 2 else where)) as workers:
            yield from workers.do(items)
        return
    if isinstance(where, Executor):
        futures = {where.submit(function, one): place for place, one in enumerate(items)}
        try:
            for future in as_completed(list(futures)):
                yield futures[future], future.result()
        finally:
            for future in futures:
                future.cancel()
        return
    from distributed import as_completed as as_dask_completed  # noqa: PLC0415 - an optional extra

    with dask_client(where) as client:  # a cluster forgets what nobody waits for
        keys = {client.submit(function, one, pure=False): place for place, one in enumerate(items)}
        for future in as_dask_completed(list(keys)):
            yield keys[future], future.result()


@contextmanager
def shared(where: Where) -> Iterator[Where]:
    """Yield an executor for several calls of `spread` in the block, whose processes start once."""
    if where is None or isinstance(where, int):
        processes: WorkerProcesses[Any, Any] = local_processes(_applied, where)
        with closing(processes) as workers:
            yield workers
    elif isinstance(where, str):
        with dask_client(where) as client:
            yield client
    else:
        yield where


def _applied(piece: tuple[Callable[[T], R], T]) -> R:
    function, one = piece
    return function(one)


def local_processes(function: Callable[[T], R], where: int | None) -> WorkerProcesses[T, R]:
    """The workers of this machine for a number of processes, None: as many as are worth it."""
    if where is None or where == 1:
        return WorkerProcesses(function, (cores() if where is None else where) - 1, here=True)
    return WorkerProcesses(function, where)


@contextmanager
def one_line(where: Where, place: str = "executor", hint: str = "") -> Iterator[None]:
    """Convert errors of workers and of a cluster to one line, without the traceback of another process.

    `hint` is appended to the error of a lost cluster.
    """
    try:
        yield
    except SimbenchError as problem:
        raise problem from None
    except BrokenExecutor:
        raise lost() from None
    except Exception as problem:
        if on_this_machine(where) or not _of_a_cluster(problem):
            raise
        if type(problem).__name__ == "KilledWorker":
            raise lost() from None
        address = where if isinstance(where, str) else getattr(where, "scheduler").address  # noqa: B009 - a client
        raise Trouble(f"{place} {address}: the cluster was lost ({type(problem).__name__}){hint}") from None


def _of_a_cluster(problem: Exception) -> bool:
    """Tell whether an error is Dask's own (its network errors have no number) and not one of the work."""
    if isinstance(problem, CancelledError | TimeoutError | ConnectionError):
        return True
    return type(problem).__module__.startswith("distributed.") or (isinstance(problem, OSError) and not problem.errno)


def on_this_machine(where: Where) -> bool:
    """Tell whether the workers share this machine's disk."""
    return where is None or isinstance(where, int | Executor | WorkerProcesses)


def check_executor(where: Where, place: str = "executor") -> None:
    """Raise BadInput for an invalid executor."""
    if isinstance(where, bool):
        raise BadInput(place, "is a bool", EXPECTED)
    if isinstance(where, int) and where < 1:
        raise BadInput(place, f"is {where}", EXPECTED)
    if isinstance(where, str):
        if "://" not in where:
            raise BadInput(place, f"is {where!r:.60}", "an address such as tcp://127.0.0.1:8786")
    elif not on_this_machine(where) and type(where).__module__.partition(".")[0] not in {"distributed", "dask"}:
        raise BadInput(place, f"is a {type(where).__name__}", EXPECTED)


@contextmanager
def dask_client(where: Any) -> Iterator[Client]:
    """Yield the given Dask client, or one for the scheduler at an address, which is closed after the block.

    Raises BadInput without the extra `cluster`, Trouble if no scheduler answers.
    """
    if not isinstance(where, str):
        yield where
        return
    client = connected(where)
    try:
        yield client
    finally:
        client.close()


def connected(address: str, place: str = "executor", answer_s: float = 0.0) -> Client:
    """Return a client of the Dask scheduler at an address. Raises Trouble if none answers."""
    need("cluster", place)
    import logging  # noqa: PLC0415 - as below

    from distributed import Client  # noqa: PLC0415 - an optional extra

    for name in ("distributed.client", "distributed.utils"):
        # A lost cluster is reported once, as an error line instead of tracebacks.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    client = Client.__new__(Client)
    try:
        client.__init__(address, timeout=answer_s or ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as problem:
        client.status = "closed"  # otherwise it waits and warns when it is garbage-collected
        text = str(problem).splitlines()[0] if str(problem) else "no answer"
        raise Trouble(f"{place} {address}: {text}; expected a Dask scheduler there") from None
    return client


def lost() -> Trouble:
    """The error of somebody else's worker processes that died."""
    return Trouble(
        "worker processes died; they lack memory, or the script calls this at import: there, call it below "
        'if __name__ == "__main__":'
    )
