"""Tracebacks of public functions: an expected error ends at the caller's line, an error of a callback in the callback.

pytest and IPython leave out frames with a local variable `__tracebackhide__`; Python itself shows them.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from pathlib import Path
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar, cast

from simbench.base.errors import SimbenchError

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGES: Final = Path(__file__).resolve().parents[2]
LIBRARIES: Final = (
    str(_PACKAGES / "simbench") + os.sep,
    str(_PACKAGES / "fake_smsc") + os.sep,
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    "<frozen ",
)


def ends_here(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a public function: its errors are passed on without the frames inside it, see `shortened`."""
    if iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*arguments: P.args, **named: P.kwargs) -> Any:
            __tracebackhide__ = True
            try:
                return await function(*arguments, **named)
            except Exception as error:
                shortened(error)
                raise

        return cast("Callable[P, R]", awaited)

    @wraps(function)
    def called(*arguments: P.args, **named: P.kwargs) -> R:
        __tracebackhide__ = True
        try:
            return function(*arguments, **named)
        except Exception as error:
            shortened(error)
            raise

    return called


def shortened(error: BaseException) -> None:
    """Cut the traceback of an error that leaves a public function.

    An error with frames of a caller's callback keeps those from the callback on. An expected one keeps none, and hides
    its cause, which its message states. Any other one is a fault of simbench and keeps all, as a report of it needs
    them.
    """
    trace = error.__traceback__
    while trace is not None and _is_library(trace):
        trace = trace.tb_next
    if trace is None and not isinstance(error, SimbenchError | TimeoutError):
        return
    error.__traceback__ = trace
    if trace is None:
        error.__cause__, error.__suppress_context__ = None, True


def _is_library(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(LIBRARIES)
