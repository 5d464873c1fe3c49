"""Where independent pieces of work are done: processes of this machine, any executor of Python, or a Dask cluster.

The results do not depend on where: every piece is a pure function of its arguments, and results keep the order.
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
    """The result of a function for each item, in their order; the function is one of a module.

    Raises what the function raises; BadInput for an unknown executor; Trouble where workers or a cluster are lost.
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
            for future in futures if on_this_machine(where) else ():  # a cluster forgets what nobody waits for
                future.cancel()
            raise
    return [found[place] for place in range(len(items))]


@contextmanager
def opened(where: Where, pieces: int) -> Iterator[tuple[Callable[..., Any], Callable[[list[Any]], Iterator[Any]]]]:
    """How to submit a piece and how to get pieces as they are done; what was started here ends with the block."""
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
    """Errors of workers and of a cluster as one line: those of the work without the traceback of another process.

    `hint` ends the line of a cluster that was lost.
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
    """Whether an error is one of Dask itself, whose errors of the network have no number, and not one of the work."""
    if isinstance(problem, CancelledError | TimeoutError | ConnectionError):
        return True
    return type(problem).__module__.startswith("distributed.") or (isinstance(problem, OSError) and not problem.errno)


def on_this_machine(where: Where) -> bool:
    """Whether the workers share this machine's disk."""
    return where is None or isinstance(where, int | Executor)


def check_executor(where: Where, place: str = "executor") -> None:
    """Raise BadInput for what is no executor."""
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
    """How many processes there are to be. Raises BadInput where none can be started."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        problem = "worker processes cannot start while the script itself is being imported by one"
        raise BadInput("executor", problem, 'the call below `if __name__ == "__main__":`')
    return asked or os.cpu_count() or 1


@contextmanager
def dask_client(where: Any) -> Iterator[Client]:
    """A Dask client given, or one of the scheduler at an address, which is closed after the block.

    Raises BadInput without the extra `cluster`, Trouble where no scheduler answers.
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
    """A client of the Dask scheduler at an address. Raises Trouble where none answers."""
    need("cluster", place)
    import logging  # noqa: PLC0415 - as below

    from distributed import Client  # noqa: PLC0415 - an optional extra

    for name in ("distributed.client", "distributed.utils"):
        # A lost cluster is reported once, by us, instead of as tracebacks.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    client = Client.__new__(Client)
    try:
        client.__init__(address, timeout=answer_s or ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as problem:
        client.status = "closed"  # else it waits for its end, and complains, when it is thrown away
        text = str(problem).splitlines()[0] if str(problem) else "no answer"
        raise Trouble(f"{place} {address}: {text}; expected a Dask scheduler there") from None
    return client


def lost() -> Trouble:
    """The error of worker processes that died."""
    return Trouble(
        "worker processes died; they lack memory, or the script calls this at import: there, call it below "
        'if __name__ == "__main__":'
    )
