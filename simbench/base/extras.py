"""What is installed on request: the extras of the package, and the line that says which one a command lacks."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from simbench.base.errors import BadInput

PACKAGE: Final = "telecom-simbench"
# The modules that tell whether an extra is there; each extra stands in pyproject.toml with its requirements.
EXTRAS: Final = {
    "fast": ("numba",),
    "plan": ("scipy", "numba"),
    "console": ("fastapi", "uvicorn", "nicegui", "httpx", "prometheus_client"),
    "cluster": ("dask", "distributed"),
    "esp": ("cryptography",),
    "xlsx": ("openpyxl",),
}


def missing(extra: str) -> tuple[str, ...]:
    """The modules of an extra that are not installed."""
    return tuple(name for name in EXTRAS[extra] if find_spec(name) is None)


def need(extra: str, place: str) -> None:
    """Raise BadInput, with the command that installs it, unless what `place` needs is installed."""
    if lacking := missing(extra):
        verb = "is" if len(lacking) == 1 else "are"
        what = f"needs the extra `{extra}`, of which {', '.join(lacking)} {verb} not installed"
        raise BadInput(place, what, f"pip install '{PACKAGE}[{extra}]'")
