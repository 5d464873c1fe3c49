"""The optional extras of the package, and the error for a command whose extra is missing."""

from __future__ import annotations

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
