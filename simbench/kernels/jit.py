"""Kernels: loops over arrays, compiled by numba when they are first called. Decides nothing itself.

Importing a kernel loads no numba. A kernel may call other kernels and the plain scalar functions of this package: those
are compiled with it, so that one definition serves the live centre with one message and a bulk run with a hundred
million. `NUMBA_DISABLE_JIT=1` runs every kernel as plain Python.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from tempfile import gettempdir
from types import FunctionType, ModuleType
from typing import Any, Generic, ParamSpec, TypeVar

from simbench.base import units

P = ParamSpec("P")
R = TypeVar("R")

PACKAGE = "simbench.kernels"
FOLDER = Path(__file__).parent


class Kernel(Generic[P, R]):
    """A function and its compiled form, which is made at the first call and kept on disk for the next process."""

    def __init__(self, function: Callable[P, R]) -> None:
        self.plain = function
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the compiled form."""
        return self.compiled(*args, **kwargs)

    @functools.cached_property
    def compiled(self) -> Callable[P, R]:
        """The form that numba made: to be called in a hot loop of Python, without this wrapper's cost."""
        made: Callable[P, R] = compiled(self.plain)
        return made


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Make a function over numbers and arrays a kernel. It may use what numba knows, and no keyword defaults."""
    return Kernel(function)


@functools.cache
def compiled(function: Callable[..., Any]) -> Any:
    """A scalar function of this package, compiled together with those it calls.

    Give whole numbers beyond 63 bits, and the draws made of them, as `numpy.uint64`.
    """
    numba = _numba()
    assert isinstance(function, FunctionType)
    globals_ = dict(function.__globals__)
    for name in function.__code__.co_names:
        value = globals_.get(name)
        if isinstance(value, Kernel):
            globals_[name] = value.compiled
        elif isinstance(value, FunctionType) and value.__module__.startswith(PACKAGE):
            globals_[name] = compiled(value)
    twin = FunctionType(function.__code__, globals_, function.__name__, function.__defaults__, function.__closure__)
    twin.__qualname__, twin.__module__ = function.__qualname__, function.__module__
    return numba.njit(twin, cache=True)


@functools.cache
def _numba() -> ModuleType:
    """The compiler, told where to keep what it makes: a folder that names the source it was made from.

    Its own rule looks at the file of one function only, and would keep a loop after the function it calls was changed.
    """
    import numba  # noqa: PLC0415 - takes longer to load than `serve` may take to start

    if not os.environ.get("NUMBA_CACHE_DIR"):
        vars(numba.config)["CACHE_DIR"] = str(_cache_folder())
    return numba


def _cache_folder() -> Path:
    sources = blake2b(digest_size=8)
    for path in (*sorted(FOLDER.glob("*.py")), Path(units.__file__)):  # what a loop reads is compiled into it
        sources.update(path.read_bytes())
    name = f"kernels-{sources.hexdigest()}"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "simbench" / name
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(gettempdir()) / f"simbench-{os.getuid()}" / name
    return home if os.access(home, os.W_OK) else Path(gettempdir()) / f"simbench-{os.getuid()}" / name
