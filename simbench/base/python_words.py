"""Errors in the words of Python: the same place, problem and expectation as of a command, without its dashes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from simbench.base.arguments import checked
from simbench.base.errors import BadInput

P = ParamSpec("P")
R = TypeVar("R")

# Options whose argument in Python has another name.
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
    """The function with the errors of `python_words`, and its arguments checked."""
    function = checked(function)

    @wraps(function)
    def called(*arguments: P.args, **named: P.kwargs) -> R:
        with python_words():
            return function(*arguments, **named)

    return called


def path_in(given: Path | str | None) -> Path | None:
    """A path given as text or path; None stays None."""
    return None if given is None else Path(given)


def _argument(found: re.Match[str]) -> str:
    name = ARGUMENTS.get(found[1], found[1].replace("-", "_"))
    return f'{name}="{found[2]}"' if found[2] else name
