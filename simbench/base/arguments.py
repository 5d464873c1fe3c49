"""Checks arguments of public functions against their annotations at the call, with errors like those of a file.

Only arguments whose annotation consists of the kinds below are checked; each function checks its others itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import signature
from numbers import Integral, Real
from os import PathLike
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

from simbench.base.errors import BadInput

P = ParamSpec("P")
R = TypeVar("R")


class Kind(NamedTuple):
    """The values an annotation accepts: their description, their types, or the name of a class not imported here."""

    words: str
    types: tuple[type, ...] = ()
    name: str = ""


KINDS: Final = {
    "int": Kind("a whole number", (Integral,)),  # numpy's too
    "float": Kind("a number", (Real,)),
    "bool": Kind("True or False", (bool,)),
    "str": Kind("a text", (str,)),
    "Path": Kind("a path", (PathLike,)),
    "None": Kind("", (type(None),)),
    "Sequence[str]": Kind("a list of texts", (Sequence,)),
    "tuple[str, ...]": Kind("a list of texts", (Sequence,)),
    "Mapping[str, Any]": Kind("a dictionary", (Mapping,)),
    "Mapping[str, str]": Kind("a dictionary of texts", (Mapping,)),
    "Mapping[str, int]": Kind("short codes with their rates", (Mapping,)),
    "Contract": Kind("a contract", name="Contract"),
    "Scenario": Kind("a scenario", name="Scenario"),
    "Settings": Kind("", name="Scenario"),
}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a function so that an argument of the wrong type raises BadInput, which names the argument."""
    shape = signature(function)
    annotated = {name: str(one.annotation).split(" | ") for name, one in shape.parameters.items()}
    kinds = {
        name: tuple(KINDS[part] for part in parts)
        for name, parts in annotated.items()
        if all(part in KINDS for part in parts)
    }

    @wraps(function)
    def called(*arguments: P.args, **named: P.kwargs) -> R:
        for name, value in shape.bind(*arguments, **named).arguments.items():
            if name in kinds and not any(_is(value, kind) for kind in kinds[name]):
                expected = " or ".join(dict.fromkeys(kind.words for kind in kinds[name] if kind.words))
                raise BadInput(name, f"is {value!r:.60}", expected)
        return function(*arguments, **named)

    return called


def _is(value: Any, kind: Kind) -> bool:
    if isinstance(value, bool) and bool not in kind.types:  # Python counts bool as int
        return False
    return isinstance(value, kind.types) or kind.name in {one.__name__ for one in type(value).__mro__}
