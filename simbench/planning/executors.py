"""Executors of independent pieces of work: processes of this machine, any executor of Python, or a Dask cluster.

The results do not depend on the executor: every piece is a pure function of its arguments, and the order is kept.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, TypeVar

from simbench.base.errors import BadInput, SimbenchError, Trouble
from simbench.base.extras import need
from simbench.base.progress import Progress, silent

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
R = TypeVar("R")

Where = Executor | int | str | Any | None
"""None: a process a core; a number of processes, 1 for this one; an executor of `concurrent.futures`; a Dask client, or
the address of a scheduler."""
EXPECTED = "a number of processes, an executor, a Dask client or the address of a scheduler"
ANSWER_S = 10.0


def spread(
    function: Callable[[T], R], items: Sequence[T], where: Where = None, progress: Progress = silent
) -> list[R]:  # fmt: skip
    """Return the result of a module's function for each item, in order.

    Raises the function's exceptions; BadInput for an unknown executor; Trouble if workers or a cluster are lost.
    """
    check_executor(where)
    if where == 1 or (len(items) < 2 and on_this_machine(where) and not isinstance(where, Executor)):
        here: list[R] = []
        for number, one in enumerate(items, 1):
            here.append(function(one))
            progress(number / len(items), f"{number} of {len(items)}")
        return here
    found: dict[int, R] = {}
    with opened(where, len(items)) as (submit, completed):
        futures = {submit(function, one): place for place, one in enumerate(items)}
        try:
            for number, future in enumerate(completed(list(futures)), 1):
                found[futures[future]] = future.result()
                progress(number / len(items), f"{number} of {len(items)}")
        except BaseException:
            for future in futures if on_this_machine(where) else ():  # a cluster drops results that nothing waits for
                future.cancel()
            raise
    return [found[place] for place in range(len(items))]


@contextmanager
def opened(where: Where, pieces: int) -> Iterator[tuple[Callable[..., Any], Callable[[list[Any]], Iterator[Any]]]]:
    """Yield functions to submit a piece and to get finished pieces; workers started here end with the block."""
    with one_line(where), ExitStack() as stack:
        if where is None or isinstance(where, int):
            pool = ProcessPoolExecutor(min(pieces, processes(where)), mp_context=get_context("spawn"))
            yield stack.enter_context(pool).submit, as_completed
        elif isinstance(where, Executor):
            yield where.submit, as_completed
        else:
            from distributed import as_completed as as_dask_completed  # noqa: PLC0415 - an optional extra

            client = stack.enter_context(dask_client(where))
            yield lambda *work: client.submit(*work, pure=False), as_dask_completed


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
    return where is None or isinstance(where, int | Executor)


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


def processes(asked: int | None) -> int:
    """Return the number of processes to start. Raises BadInput if none can be started."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        problem = "worker processes cannot start while the script itself is being imported by one"
        raise BadInput("executor", problem, 'the call below `if __name__ == "__main__":`')
    return asked or os.cpu_count() or 1


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
    """Return the error for worker processes that died."""
    return Trouble(
        "worker processes died; they lack memory, or the script calls this at import: there, call it below "
        'if __name__ == "__main__":'
    )
