"""Reads the marker `simbench` of a test, and purposes given by their node ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from simbench.base.errors import SimbenchError

if TYPE_CHECKING:
    from fake_smsc import FakeSmsc

ROOT: Final = "simbench"  # first part of the node id of a purpose
KEYS: Final = ("codes", "contract", "limit", "latency_ms", "scenario", "exercise", "faults", "subscribers")
MARKER: Final = (
    "simbench(codes, contract, limit, latency_ms, scenario, exercise, faults, subscribers): the SMSC of the fixtures. "
    'codes: short codes with their rates, {"36010": 10} (messages/s, tiers of the contract); contract: a name or a '
    'file; limit: above the rate "delay", "nack", "discard", "close" or "monitor"; latency_ms: the median time from '
    "acceptance to delivery; scenario: a name or a file, instead of codes; exercise: one of `simbench list`, whose "
    "codes, clock and settings of the client hold, with --sut; faults: wire faults with their parameters, "
    '{"late-result": {"delay_s": 2}}; subscribers: numbers with what is changed about them, '
    '{"0639980001": {"attached": False}}. A marker of the module or class holds where the test has none of its own for '
    "the same key."
)


class Marked(NamedTuple):
    """The contents of a test's markers: arguments of the SMSC, and actions after its start."""

    arguments: dict[str, Any]
    faults: Mapping[str, Mapping[str, Any]]
    subscribers: Mapping[str, Mapping[str, Any]]

    def apply(self, smsc: FakeSmsc) -> None:
        """Start the faults and change the subscribers. Raises BadInput for unknown ones."""
        for name, parameters in self.faults.items():
            smsc.fault(name, **parameters)
        for number, changes in self.subscribers.items():
            smsc.subscriber(number, **changes)


def marked(request: pytest.FixtureRequest) -> Marked:
    """Read the markers `simbench` of a test; contradictions fail the test."""
    found: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers(ROOT))):  # the test's own comes last
        if marker.args or (unknown := marker.kwargs.keys() - set(KEYS)):
            wrong = repr(marker.args[0]) if marker.args else ", ".join(sorted(unknown))
            _refuse(f"marker simbench: {wrong:.60} is not a key; expected {', '.join(KEYS)}, as keywords")
        found |= marker.kwargs
    for whole in ("scenario", "exercise"):
        if whole in found and (beside := {"codes", "limit", "scenario"} - {whole} & found.keys()):
            keys = ", ".join(sorted(beside))
            _refuse(f"marker simbench: {keys} beside {whole}, which has its own; expected one of them")
    tables = [found.pop(name, {}) for name in ("faults", "subscribers")]
    for name, table in zip(("faults", "subscribers"), tables, strict=True):
        if not isinstance(table, Mapping) or not all(isinstance(one, Mapping) for one in table.values()):
            _refuse(f"marker simbench: {name} is {table!r:.60}; expected a dictionary of dictionaries")
    return Marked(found, *tables)


@contextmanager
def fail_in_one_line() -> Iterator[None]:
    """Let a user's mistake, or a client that does not start, fail the test with its message and without a traceback."""
    try:
        yield
    except SimbenchError as error:
        raise pytest.fail.Exception(f"simbench: {error}", pytrace=False) from None


def _refuse(problem: str) -> None:
    pytest.fail(problem, pytrace=False)


def taken_nodes(config: pytest.Config) -> list[str]:
    """Return the node ids of purposes among the arguments, without `simbench::`; pytest finds the others in files."""
    taken = [arg for arg in config.args if _is_ours(arg)]
    if taken:
        config.args[:] = [arg for arg in config.args if arg not in taken]
    return [arg.partition("::")[2] for arg in taken]


def wants_purposes(config: pytest.Config, nodes: list[str]) -> bool:
    """Tell whether purposes are collected: if some are named, or if no file or test is named instead."""
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return bool(nodes) or not named or any((config.invocation_params.dir / arg).is_dir() for arg in config.args)


def _is_ours(arg: str) -> bool:
    """Tell whether an argument is the node id of a purpose, as pytest prints it in the root or in a subfolder."""
    place, colons, _ = arg.partition("::")
    return bool(colons) and Path(place).name == ROOT
