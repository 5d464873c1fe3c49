"""The named systems under test: built-in ones, and those of other packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from simbench.base.entry_points import loaded, place_of, shipped
from simbench.base.errors import BadInput
from simbench.base.version import __version__
from simbench.base.worker_processes import python_module
from simbench.bench.sut import kannel
from simbench.bench.sut.command import Command
from simbench.bench.sut.protocol import CLAIMS, Capabilities, SystemUnderTest

GROUP: Final = "simbench.suts"
"""Entry points of packages with clients: each is a function or class that makes one."""
PARTS: Final = ("name", "version", "capabilities", "start", "send", "stop")
EVERYTHING = Capabilities(**dict.fromkeys(CLAIMS, True), clock="speed")


class KnownSut(msgspec.Struct, frozen=True):
    """A named system under test, and whether its programs are installed."""

    description: str
    installed: bool


class _Entry(msgspec.Struct, frozen=True):
    description: str
    installed: Callable[[], bool]
    make: Callable[[tuple[str, ...]], SystemUnderTest]


def reference(faults: tuple[str, ...] = ()) -> Command:
    """The reference client as a separate program, with these named faults."""
    return Command(
        python_module("simbench.client"),
        name=f"reference with {', '.join(faults)}" if faults else "reference",
        version=__version__,
        capabilities=EVERYTHING,
        faults=faults,
        clock="lines",
    )


def _kannel(faults: tuple[str, ...]) -> kannel.Kannel:
    _refuse("kannel", faults)
    return kannel.Kannel()


def _refuse(name: str, faults: tuple[str, ...]) -> None:
    if faults:
        problem, expected = f"no fault named {', '.join(faults)}", "no faults: it cannot be changed"
        raise BadInput(f"system under test {name}", problem, expected)


_KNOWN = {
    "reference": _Entry("the bench's own client, over the line protocol", lambda: True, reference),
    "kannel": _Entry("Kannel 1.4, the open WAP and SMS gateway, over EMI", kannel.installed, _kannel),
}


def checked_maker(make: object, place: str) -> Callable[[], SystemUnderTest]:
    """Return a function or class that makes systems under test. Raises BadInput with that place for anything else."""
    if not callable(make):
        problem = f"is a {type(make).__name__}"
        raise BadInput(place, problem, "a name, a description, or a function or class that makes a client")
    try:
        made = make()
    except TypeError as problem:
        raise BadInput(place, f"cannot be called without arguments: {problem}", "a function or class") from None
    if lacking := [name for name in PARTS if not hasattr(made, name)]:
        raise BadInput(place, f"makes a {type(made).__name__} without {', '.join(lacking)}", "a SystemUnderTest")
    return make


def make_sut(name: str, faults: tuple[str, ...] = ()) -> SystemUnderTest:
    """Return the system under test of that name, not started. Raises BadInput for an unknown name or faults."""
    entry = _KNOWN.get(name)
    if entry is not None:
        return entry.make(faults)
    other = shipped(GROUP).get(name)
    if other is None:
        raise BadInput("system under test", f"{name!r} is not known", f"one of {', '.join(known_names())}")
    _refuse(name, faults)
    return checked_maker(loaded(other), f"{place_of(other)}: {GROUP} {name}")()


def known_suts() -> dict[str, KnownSut]:
    """Return every name that `make_sut` knows; a client that cannot be loaded has the reason."""
    known = {name: KnownSut(entry.description, entry.installed()) for name, entry in _KNOWN.items()}
    for name, entry in shipped(GROUP).items():
        try:
            description = (loaded(entry).__doc__ or "").strip().partition("\n")[0]
        except BadInput as problem:
            known.setdefault(name, KnownSut(str(problem), installed=False))
        else:
            known.setdefault(name, KnownSut(f"{description} ({place_of(entry)})".strip(), installed=True))
    return known


def known_names() -> tuple[str, ...]:
    """Return the names that `make_sut` knows, built-in ones first, without loading other packages."""
    return tuple(dict.fromkeys((*_KNOWN, *shipped(GROUP))))
