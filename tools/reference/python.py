"""The page of the Python interface, drawn from signatures and docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from types import ModuleType
from typing import Any, Final, Literal, get_args, get_origin

import msgspec

import fake_smsc
import simbench
import simbench.dialup
import simbench.roaming
from tools.reference.keys import table

WIDTH: Final = 88
LINK: Final = r"[\2](../\1/\2.md)"
WORD: Final = re.compile(r"\b[A-Z]\w+")
MADE: Final = {"Client", "FakeSmsc", "Findings", "Frame", "Scenario", "World"}  # the others are results, or have fields
MODULES: Final[tuple[tuple[ModuleType, str], ...]] = (
    (simbench, "Everything the commands do. Nothing is loaded before it is used."),
    (simbench.dialup, "Dial-up minutes: `from simbench import dialup`."),
    (simbench.roaming, "Fair use abroad: `from simbench import roaming`."),
    (fake_smsc, "The fake SMSC alone: `from fake_smsc import FakeSmsc`."),
)
HEAD: Final = """\
# Python

This page is written by `python -m tools.reference --write`.

What the commands do, as functions with typed results. The examples run as they stand here, after
`from simbench import *` in a checkout; the notebooks are longer:
[a client test in ten lines](../notebooks/client_test.ipynb), [which tier to buy](../notebooks/which_tier.ipynb),
[two million messages a month](../notebooks/two_campaigns.ipynb),
[a year against the SLA](../notebooks/year_sla.ipynb), [a dial-up month](../notebooks/dialup_month.ipynb).

* Wrong input raises `BadInput` at the call, with place, value and expectation; an unknown name in a result raises
  `KeyError` or `ValueError`.
* Tables are `Frame`: Arrow, or DataFrames with the extras `pandas` and `polars`. Instants are timestamps in UTC.
* `executor=` is None (this process, and one more for each further core once enough work waits to be worth its
  start), a number of processes (1: this one), an executor of `concurrent.futures`, a Dask client, or the address of a
  scheduler; results are the same on any. Processes that simbench starts do not import your script, so that the call
  needs no `if __name__ == "__main__":` around it.
* `progress=True` shows a line in a terminal, or below the cell of a notebook; a function is called with the share
  done (from 0 to 1, or None) and what is being done.
* `contract=` is a `Contract`, the name of a built-in one, or a file.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for module, sentence in MODULES:
        parts.append(f"## `{module.__name__}`\n\n{sentence}\n")
        for name in sorted(module.__all__, key=str.lower):
            thing = getattr(module, name)
            if not isinstance(thing, ModuleType) and (module is simbench or name not in simbench.__all__):
                parts += _thing(module.__name__, name, thing)
    return "\n".join(parts)


def _thing(module: str, name: str, thing: Any) -> Iterator[str]:
    """Sections for a function, or for a class and its members."""
    yield f"### `{module}.{name}`\n"
    if not inspect.isclass(thing):
        yield f"{_code(name, thing)}\n{_words(thing)}"
        return
    if name in MADE:
        yield _code(name, thing)
    yield _words(thing)
    if issubclass(thing, msgspec.Struct):
        yield _fields(thing)
    for member, found in members_of(thing):
        if isinstance(found, property | cached_property):
            getter = found.fget if isinstance(found, property) else found.func
            yield f"#### `{name}.{member}`\n\n`{_type(inspect.signature(getter).return_annotation)}` {_words(getter)}"  # type: ignore[arg-type]
        else:
            yield f"#### `{name}.{member}`\n\n{_code(member, found)}\n{_words(found)}"


def members_of(thing: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties of a class and of the project's classes that it extends, by name."""
    found: dict[str, Any] = {}
    for base in reversed(thing.__mro__):
        if base.__module__.partition(".")[0] in {"simbench", "fake_smsc"}:
            found |= {name: member for name, member in vars(base).items() if not name.startswith("_")}
    for name, member in sorted(found.items()):
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if inspect.isfunction(plain) or isinstance(plain, property | cached_property):
            yield name, plain


def _code(name: str, thing: Any) -> str:
    """A signature as a block: on one line, or an argument a line."""
    signature = inspect.signature(thing)
    parts, star = [], False
    for one in signature.parameters.values():
        if one.name in {"self", "cls"}:
            continue
        if one.kind is one.KEYWORD_ONLY and not star:
            parts.append("*")
        star = star or one.kind in {one.KEYWORD_ONLY, one.VAR_POSITIONAL}
        parts.append(WORD.sub(lambda found: _choices(found[0], thing), _argument(one)))
    back = "" if inspect.isclass(thing) else f" -> {_type(signature.return_annotation)}"
    start = f"{'async ' if inspect.iscoroutinefunction(thing) else ''}{name}("
    whole = f"{start}{', '.join(parts)}){back}"
    if len(whole) > WIDTH:
        whole = "\n".join([start, *(f"    {one}," for one in parts), f"){back}"])
    return f"```python\n{whole}\n```\n"


def _choices(name: str, thing: Any) -> str:
    """A name in a signature; one that stands for some words, as those words."""
    plain = inspect.unwrap(vars(thing)["__init__"] if inspect.isclass(thing) else thing)
    value = plain.__globals__.get(name)
    return " | ".join(map(repr, get_args(value))) if get_origin(value) is Literal else name


def _argument(one: inspect.Parameter) -> str:
    stars = "**" if one.kind is one.VAR_KEYWORD else "*" if one.kind is one.VAR_POSITIONAL else ""
    kind = "" if one.annotation is one.empty else f": {_type(one.annotation)}"
    return f"{stars}{one.name}{kind}" + ("" if one.default is one.empty else f" = {one.default!r}")


def _type(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return re.sub(r"^'(.*)'$", r"\1", text)


def _fields(struct: type[msgspec.Struct]) -> str:
    rows = []
    for field in msgspec.structs.fields(struct):
        default = (
            "" if field.required else f"`{field.default!r}`" if field.default is not msgspec.NODEFAULT else "empty"
        )
        rows.append((f"`{field.name}`", f"`{_annotation(struct, field.name)}`", default))
    return table(("field", "type", "default"), rows)


def _annotation(struct: type[msgspec.Struct], name: str) -> str:
    return next(_type(known[name]) for base in struct.__mro__ if name in (known := inspect.get_annotations(base)))


def _words(thing: object) -> str:
    """A docstring as Markdown: paragraphs, and its examples as blocks."""
    text = re.sub(r"docs/(reference|guides)/(\w+)\.md", LINK, inspect.getdoc(thing) or "")
    parts = re.split(r"\n\n+", text)
    examples = (f"```pycon\n{part}\n```" if part.startswith(">>>") else part.replace("\n", " ") for part in parts)
    return "\n\n".join(examples) + "\n"
