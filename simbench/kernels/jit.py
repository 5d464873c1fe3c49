"""Kernels: loops over arrays, compiled by numba at their first call.

Importing a kernel does not load numba. A kernel may call other kernels and the plain scalar functions of any package
named `kernels`; those are compiled with it, so that the live centre with one message and a bulk run with a hundred
million use one definition. With `NUMBA_DISABLE_JIT=1`, and without the extra `fast`, every kernel runs as plain Python:
the results are equal, at about a hundredth of the speed.
"""

from __future__ import annotations

import ctypes
import functools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Generic, ParamSpec, TypeVar

from simbench.base import units
from simbench.kernels.code_cache import private_folder

P = ParamSpec("P")
R = TypeVar("R")

KERNELS = "kernels"  # name of every package of kernels
ROOT = Path(__file__).parents[1]
FEW = 20_000  # up to this many values, plain Python takes less time than loading a kernel
COMPILER = "libllvmlite"
_DONTNEED = 4  # MADV_DONTNEED of Linux
_ARENA_MAX = -8  # M_ARENA_MAX of glibc
JUDGED = "fake_smsc"  # the other package with kernels


class Kernel(Generic[P, R]):
    """A function and its compiled form, made at the first call and cached on disk for later processes."""

    def __init__(
        self, function: Callable[P, R], *, beside: bool = False, lean: bool = False, whole: bool = False
    ) -> None:
        self.plain, self._beside, self._lean, self._whole = function, beside, lean, whole
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the compiled form."""
        return self.compiled(*args, **kwargs)

    @functools.cached_property
    def compiled(self) -> Callable[P, R]:
        """The compiled form, for hot Python loops without this wrapper's cost."""
        made: Callable[P, R] = compiled(self.plain, beside=self._beside, lean=self._lean, whole=self._whole)
        return made

    def at_scale(self, size: int) -> Callable[P, R]:
        """Return the compiled form, or the function itself for few values, for which loading would take longer."""
        return self.compiled if size >= FEW else self.plain


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Make a function over numbers and arrays a kernel. It may use what numba supports, without keyword defaults."""
    return Kernel(function)


def kernel_beside(function: Callable[P, R]) -> Kernel[P, R]:
    """Make a kernel for a thread beside an event loop: it releases the interpreter lock while it runs.

    Kernels of the loop itself keep the lock, because getting it back may take milliseconds.
    """
    return Kernel(function, beside=True)


def kernel_lean(function: Callable[P, R]) -> Kernel[P, R]:
    """Make a kernel of a function that creates no arrays, directly or in the functions it calls: see `compiled`."""
    return Kernel(function, lean=True)


def kernel_whole(function: Callable[P, R]) -> Kernel[P, R]:
    """Make a kernel like `kernel_lean`, with every called function inlined.
    Passing tuples of arrays to a function costs more than most of these functions.
    """
    return Kernel(function, lean=True, whole=True)


@functools.cache
def compiled(
    function: Callable[..., Any], *, beside: bool = False, lean: bool = False, whole: bool = False, inner: bool = False
) -> Any:
    """Compile a scalar function of a package of kernels, together with those it calls.

    Pass integers beyond 63 bits, and draws made of them, as `numpy.uint64`. `beside`: see `kernel_beside`. `lean`: the
    function and those it calls create no arrays, so references to arguments need not be counted, which would cost more
    than many functions. `whole`: see `kernel_whole`; `inner`: the function is to be inlined.
    """
    numba = _numba()
    if numba is None:
        return _without_compiler(function)
    assert isinstance(function, FunctionType)
    globals_ = dict(function.__globals__)
    for name in function.__code__.co_names:
        value = globals_.get(name)
        if isinstance(value, Kernel):
            globals_[name] = value.compiled
        elif isinstance(value, FunctionType) and KERNELS in value.__module__.split("."):
            globals_[name] = compiled(value, lean=lean, whole=whole, inner=whole)
    twin = FunctionType(function.__code__, globals_, function.__name__, function.__defaults__, function.__closure__)
    twin.__qualname__, twin.__module__ = function.__qualname__, function.__module__
    options = {**({"_nrt": False} if lean else {}), **({"forceinline": True} if inner else {})}
    return numba.njit(twin, cache=bool(numba.config.CACHE_DIR), nogil=beside, **options)


def _without_compiler(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function itself, with 64-bit overflow warnings disabled as in compiled code."""
    import numpy as np  # noqa: PLC0415 - slow to load, for who only imports kernels

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(over="ignore"):
            return function(*args, **kwargs)

    return plain


def is_installed() -> bool:
    """Return whether a compiler is installed, without loading it."""
    return find_spec("numba") is not None


def compiles() -> bool:
    """Return whether kernels are compiled in this process."""
    numba = _numba()
    return numba is not None and not numba.config.DISABLE_JIT


@functools.cache
def _numba() -> ModuleType | None:
    """Return the compiler, with a cache folder named after the source code, if any; None if it is not installed.

    numba's own cache checks only the file of one function and would keep a loop after a function it calls has changed.
    """
    try:
        import numba  # noqa: PLC0415 - slower to load than `serve` may take to start
    except ImportError:
        return None
    # numba reads settings from the working directory, also later; in somebody else's run they would name its cache.
    settings = vars(numba.config)
    settings["_config_fname"] = os.devnull
    settings["reload_config"]()
    if not os.environ.get("NUMBA_CACHE_DIR"):
        with suppress(OSError):
            settings["CACHE_DIR"] = str(cache_folder())
    return numba


def cache_folder() -> Path:
    """Return the folder of the code compiled from these sources, private to the user. Raises OSError without one.

    numba finds compiled code again by path and date of its source, so these count as well.
    """
    sources = blake2b(digest_size=8)
    # Functions and constants that a kernel uses are compiled into it, so all files count.
    packages = [root.glob(f"**/{KERNELS}/*.py") for root in (ROOT, ROOT.with_name(JUDGED))]
    for path in (*sorted(path for package in packages for path in package), Path(units.__file__)):
        sources.update(f"{path} {path.stat().st_mtime_ns}\n".encode() + path.read_bytes())
    return private_folder(f"kernels-{sources.hexdigest()}")


def release_compiler() -> None:
    """Release the memory pages of the compiler's own code, 60 MB on Linux.

    A later compilation reads them from the file again; code loaded from the cache does not need them.
    """
    with suppress(OSError, AttributeError):
        system = ctypes.CDLL(None)
        for start, end in _clean_mappings(Path("/proc/self/smaps").read_text(), COMPILER):
            system.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)
    give_back()


def give_back() -> None:
    """Return freed memory to the system, if the C library can."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0))


def share_heaps() -> None:
    """Let all threads share two heaps, if the C library can: a heap keeps memory freed in it. Call this first."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def _clean_mappings(smaps: str, name: str) -> Iterator[tuple[int, int]]:
    """Yield the mappings of files of a name that were not written to (a loader writes addresses into some)."""
    for part in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", smaps):
        head, *lines = part.splitlines()
        sizes = dict(line.split()[:2] for line in lines if line.endswith("kB"))
        if name in head and sizes.get("Anonymous:") == sizes.get("Private_Dirty:") == "0":
            start, end = head.split()[0].split("-")
            yield int(start, 16), int(end, 16)
