"""The systems under test with a built-in name."""

from __future__ import annotations

import sys
from collections.abc import Callable

import msgspec

from simbench import __version__
from simbench.base.errors import BadInput
from simbench.bench.sut import kannel
from simbench.bench.sut.command import Command
from simbench.bench.sut.protocol import Capabilities, SystemUnderTest

EVERYTHING = Capabilities(
    limits_rate=True,
    qualifies_recipients=True,
    keeps_oadc=True,
    keeps_stop_list=True,
    keeps_quiet_hours=True,
    keeps_consent=True,
    keeps_ranges=True,
    checks_content=True,
    names_stop=True,
    keeps_daily_limit=True,
    keeps_validity=True,
    heeds_notices=True,
    reports_outcomes=True,
    clock="speed",
)


class KnownSut(msgspec.Struct, frozen=True):
    """A named system under test, and whether this machine has its programs."""

    description: str
    installed: bool


class _Entry(msgspec.Struct, frozen=True):
    description: str
    installed: Callable[[], bool]
    make: Callable[[tuple[str, ...]], SystemUnderTest]


def reference(faults: tuple[str, ...] = ()) -> Command:
    """The reference client as a separate program, with these named faults."""
    return Command(
        [sys.executable, "-m", "simbench.client"],
        name=f"reference with {', '.join(faults)}" if faults else "reference",
        version=__version__,
        capabilities=EVERYTHING,
        faults=faults,
        clock="lines",
    )


def _kannel(faults: tuple[str, ...]) -> kannel.Kannel:
    if faults:
        raise BadInput("system under test kannel", f"no fault named {', '.join(faults)}", "none: it is as it is")
    return kannel.Kannel()


_KNOWN = {
    "reference": _Entry("the bench's own client, over the line protocol", lambda: True, reference),
    "kannel": _Entry("Kannel 1.4, the open WAP and SMS gateway, over EMI", kannel.installed, _kannel),
}


def make_sut(name: str, faults: tuple[str, ...] = ()) -> SystemUnderTest:
    """The system under test of that name, not started. Raises BadInput for an unknown one, or one without faults."""
    entry = _KNOWN.get(name)
    if entry is None:
        raise BadInput("system under test", f"{name!r} is not known", f"one of {', '.join(_KNOWN)}")
    return entry.make(faults)


def known_suts() -> dict[str, KnownSut]:
    """Every name `make_sut` knows."""
    return {name: KnownSut(entry.description, entry.installed()) for name, entry in _KNOWN.items()}
