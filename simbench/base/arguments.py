"""Checks arguments of public functions against their annotations at the call, with errors like those of a file.

Only arguments whose annotation consists of the kinds below are checked; each function checks its others itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from inspect import iscoroutinefunction, signature
from numbers import Integral, Real
from os import PathLike
from typing import Any, Final, Literal, NamedTuple, ParamSpec, TypeVar, cast, get_args, get_origin

from simbench.base.errors import BadInput, WrongCall
from simbench.base.tracebacks import ends_here

P = ParamSpec("P")
R = TypeVar("R")


class Kind(NamedTuple):
    """The values that an annotation accepts.

    `words` describes them. They are instances of `types`, instances of a class called `name` (which this room does not
    import), or one of `values`.
    """

    words: str
    types: tuple[type, ...] = ()
    name: str = ""
    values: tuple[str, ...] = ()


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
    "Callable": Kind("a function", (Callable,)),  # type: ignore[arg-type]  # an abstract class
    "Progress": Kind("a function", (Callable,)),  # type: ignore[arg-type]  # as above
}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function; it raises BadInput that names the argument where one has the wrong type, or is no word it knows.

    The traceback of its errors ends at the caller's line, see `ends_here`.
    """
    shape = signature(function)
    annotated = {name: str(one.annotation).split(" | ") for name, one in shape.parameters.items()}

    @cache  # at the first call: by then every name of an annotation is known
    def kinds_of(name: str) -> tuple[Kind, ...]:
        found = [_kind(part, function.__globals__) for part in annotated.get(name, ())]
        known = tuple(one for one in found if one is not None)
        return known if len(known) == len(found) else ()

    def given(*arguments: P.args, **named: P.kwargs) -> Mapping[str, Any]:
        try:
            return shape.bind(*arguments, **named).arguments
        except TypeError as error:
            name = function.__qualname__.removesuffix(".__init__")
            raise WrongCall(name, str(error), ", ".join(name for name in shape.parameters if name != "self")) from None

    work = cast("Callable[P, R]", ends_here(function)) if iscoroutinefunction(function) else function

    @ends_here
    @wraps(function)
    def called(*arguments: P.args, **named: P.kwargs) -> R:
        for name, value in given(*arguments, **named).items():
            kinds = kinds_of(name)
            if kinds and not any(_is(value, kind) for kind in kinds):
                expected = " or ".join(dict.fromkeys(filter(None, (_expected(value, kind) for kind in kinds))))
                raise BadInput(name, f"is {value!r:.60}", expected)
        return work(*arguments, **named)

    return called


def _kind(part: str, names: Mapping[str, Any]) -> Kind | None:
    """Return the values that a part of an annotation accepts; None if unknown here."""
    if part in KINDS:
        return KINDS[part]
    found = names.get(part)
    if get_origin(found) is Literal:
        return Kind("", values=get_args(found))
    return KINDS["Callable"] if part.startswith("Callable[") else None


def _is(value: Any, kind: Kind) -> bool:
    if isinstance(value, bool) and bool not in kind.types:  # Python counts bool as int
        return False
    if kind.values:
        return isinstance(value, str) and value in kind.values
    return isinstance(value, kind.types) or kind.name in {one.__name__ for one in type(value).__mro__}


def _expected(value: object, kind: Kind) -> str:
    from simbench.base.toml_files import choice  # noqa: PLC0415 - of mistakes only

    return choice(str(value), kind.values) if kind.values else kind.words
