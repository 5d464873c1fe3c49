"""The optional extras of the package, and the error for a command whose extra is missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final

from simbench.base.errors import BadInput

PACKAGE: Final = "telecom-simbench"
# Modules that show whether an extra is installed; pyproject.toml has the requirements of each.
EXTRAS: Final = {
    "fast": ("numba", "uvloop"),
    "plan": ("scipy", "numba"),
    "http": ("aiohttp",),
    "console": ("fastapi", "uvicorn", "httpx", "prometheus_client"),
    "cluster": ("dask", "distributed"),
    "esp": ("cryptography",),
    "xlsx": ("openpyxl",),
    "pandas": ("pandas",),
    "polars": ("polars",),
}


def missing(extra: str) -> tuple[str, ...]:
    """Return the modules of an extra that are not installed."""
    return tuple(name for name in EXTRAS[extra] if find_spec(name) is None)


def need(extra: str, place: str) -> None:
    """Raise BadInput, with the install command, unless the extra `place` needs is installed."""
    if lacking := missing(extra):
        verb = "is" if len(lacking) == 1 else "are"
        what = f"needs the extra `{extra}`, of which {', '.join(lacking)} {verb} not installed"
        raise BadInput(place, what, f"pip install '{PACKAGE}[{extra}]'")


class _Absent:
    """A finder that does not find one module."""

    def __init__(self, module: str) -> None:
        self._module = module

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002 - as any finder's
        """Raise ModuleNotFoundError for the module, and leave others to the other finders."""
        if name == self._module:
            raise ModuleNotFoundError(name, name=name)


@contextmanager
def without(module: str) -> Iterator[None]:
    """Act as if an optional module were not installed, unless it is loaded already.

    Arrow loads pandas with the first list it converts: 40 MB in a process that makes no data frame.
    """
    finder = _Absent(module)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
