"""Errors with names of Python arguments instead of command options; place, problem and expectation are the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from simbench.base.arguments import checked
from simbench.base.errors import BadInput
from simbench.base.tracebacks import ends_here

P = ParamSpec("P")
R = TypeVar("R")

# Options whose Python argument has another name.
ARGUMENTS: Final = {"from": "start", "to": "end", "map": "mapping", "forecast": "forecast_until", "mix": "mixes"}
_OPTION: Final = re.compile(r"(?<![\w-])--([a-z][a-z-]*)(?: ([A-Z][\w/:-]*))?")  # with its value, if it is one word


@contextmanager
def python_words() -> Iterator[None]:
    """Name arguments instead of options in every BadInput that leaves the block."""
    try:
        yield
    except BadInput as problem:
        parts = [_OPTION.sub(_argument, part) for part in (problem.place, problem.problem, problem.expected)]
        if parts == [problem.place, problem.problem, problem.expected]:
            raise
        raise type(problem)(*parts) from None


def in_python_words(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function: errors are those of `python_words`, and its arguments are checked."""
    function = checked(function)

    @ends_here
    @wraps(function)
    def called(*arguments: P.args, **named: P.kwargs) -> R:
        with python_words():
            return function(*arguments, **named)

    return called


def path_in(given: Path | str | None) -> Path | None:
    """Return a path given as text or path; None for None."""
    return None if given is None else Path(given)


def _argument(found: re.Match[str]) -> str:
    name = ARGUMENTS.get(found[1], found[1].replace("-", "_"))
    return f'{name}="{found[2]}"' if found[2] else name
