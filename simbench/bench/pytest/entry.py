"""The pytest entry point: the fixtures `fake_smsc` and `fake_smsc_factory`, and the options of `pytest --sut ...`.

A fixture loads the SMSC when a test asks for it. What judges a client is in `simbench.bench.pytest.plugin`, which is
registered only with `--sut`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fake_smsc import FakeSmsc

FIXTURES = ("smsc", "sut", "ledger", "clock")
SHORT = "simbench_short_names"
MARKER = (
    "simbench(codes, contract, limit, scenario, faults, subscribers): the SMSC of the fixtures: short codes with their "
    "rates (messages/s), contract, answer above the rate, scenario; wire faults by name with their parameters; "
    "numbers with what is changed about them"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of a client's own test session."""
    group = parser.getgroup("simbench", "conformance of an SMS client (simbench)")
    option = group.addoption
    option("--sut", default="", metavar="NAME", help="client under test: reference, kannel, command, or a .toml file")
    option("--sut-program", default="", metavar="COMMAND", help="with --sut command: the program and its flags")
    option("--sut-capabilities", type=Path, metavar="FILE", help="capabilities the client claims (TOML)")
    option("--sut-only", action="append", default=[], metavar="CLAUSE", help="clause, chapter, purpose, exercise; none")
    option("--sut-contract", default="", metavar="FILE", help="contract by name, or an overlay file")
    option("--sut-seed", type=int, default=1, metavar="N", help="random seed")
    option("--sut-baseline", type=Path, metavar="FILE", help="known deviations (TOML)")
    option("--sut-strict", action="store_true", help="weak and inconclusive count as failures")
    option("--sut-output", type=Path, metavar="FOLDER", help="new folder for ledgers, findings and report")
    parser.addini(SHORT, "also offer the fixtures as smsc, sut, ledger and clock", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin if there is a client to test."""
    config.addinivalue_line("markers", MARKER)
    if not config.getoption("--sut"):
        return
    if config.getoption("dist", "no") == "load":  # purposes share exercises, so one worker has them all
        config.option.dist = "loadgroup"
    from simbench.bench.pytest.plugin import door  # noqa: PLC0415 - inert means that nothing is loaded

    for plugin in door(config, config.getini(SHORT)):
        config.pluginmanager.register(plugin)


def _asleep(name: str) -> Any:
    @pytest.fixture(name=f"simbench_{name}")
    def fixture() -> None:
        pytest.skip("needs a client under test: --sut")

    return fixture


# Without --sut, a test that asks for one of these is skipped; with it, other fixtures of the same names come first.
simbench_smsc, simbench_sut, simbench_ledger, simbench_clock = map(_asleep, FIXTURES)


@pytest.fixture
def fake_smsc_factory() -> Iterator[Callable[..., FakeSmsc]]:
    """Call it with the arguments of `FakeSmsc` for a running SMSC; all of them end with the test."""
    from fake_smsc import FakeSmsc  # noqa: PLC0415 - loaded when a test asks for it

    with ExitStack() as stack:

        def make(*arguments: Any, **named: Any) -> FakeSmsc:
            return stack.enter_context(FakeSmsc(*arguments, **named))

        yield make


@pytest.fixture
def fake_smsc(request: pytest.FixtureRequest, fake_smsc_factory: Callable[..., FakeSmsc]) -> FakeSmsc:
    """A running fake SMSC on a free port of 127.0.0.1; the marker `simbench` says what it is like.

    >>> @pytest.mark.simbench(codes={"36010": 20}, limit="nack", faults={"late-result": {"delay_s": 2}})
    ... def test_my_client(fake_smsc):
    ...     start_my_client(fake_smsc.host, fake_smsc.port)
    ...     fake_smsc.wait_for("session")
    """
    marker = request.node.get_closest_marker("simbench")
    named = dict(marker.kwargs) if marker else {}
    faults, subscribers = named.pop("faults", {}), named.pop("subscribers", {})
    smsc = fake_smsc_factory(**named)
    for name, parameters in faults.items():
        smsc.fault(name, **parameters)
    for number, changes in subscribers.items():
        smsc.subscriber(number, **changes)
    return smsc
