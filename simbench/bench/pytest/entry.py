"""The pytest entry point: fixtures, the marker `simbench`, and the options of `pytest --sut ...`.

A fixture loads the SMSC when a test requests it. The judging of a client is in `simbench.bench.pytest.plugin`, which
is registered only with `--sut`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from simbench.base.errors import BadInput
from simbench.base.tracebacks import ends_here
from simbench.bench.pytest.left_out import LeftOut, leave_out
from simbench.bench.pytest.marker import MARKER, ROOT, fail_in_one_line, marked, taken_nodes

if TYPE_CHECKING:
    from fake_smsc import FakeSmsc
    from simbench.bench.pytest.fixtures import Client, Clock, Smsc
    from simbench.trace.trace import Trace

SHORT: Final = "simbench_short_names"
PLUGIN: Final = "simbench-session"
NO_CLIENT: Final = "needs a client under test: pytest --sut NAME"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of a client's own test session."""
    group = parser.getgroup("simbench", "conformance of an SMS client (simbench)")
    option = group.addoption
    option("--sut", default="", metavar="NAME", help="client under test: a name of `simbench list`, or a .toml file")
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
    """Register marker and short names, and the purposes if there is a client to test."""
    config.addinivalue_line("markers", MARKER)
    config.pluginmanager.register(LeftOut(), "simbench-left-out")
    if config.getini(SHORT):
        from simbench.bench.pytest import short_names  # noqa: PLC0415 - only if the ini file enables them

        config.pluginmanager.register(short_names, "simbench-short-names")
    nodes = taken_nodes(config)
    if not config.getoption("--sut"):
        if nodes:
            raise pytest.UsageError(f"{ROOT}::{nodes[0]}: {NO_CLIENT}")
        return
    from simbench.bench.pytest.plugin import session_of  # noqa: PLC0415 - without --sut nothing is loaded

    config.pluginmanager.register(session_of(config, nodes), PLUGIN)


# The SMSC alone --------------------------------------------------------------------------------------------------


@pytest.fixture
def fake_smsc_factory() -> Iterator[Callable[..., FakeSmsc]]:
    """Return a function that starts a fake SMSC with the arguments of `fake_smsc.FakeSmsc`.

    All of them are stopped with the test. Raises BadInput for arguments without a valid scenario, Trouble for a port in
    use.
    """
    from fake_smsc import FakeSmsc  # noqa: PLC0415 - loaded when a test requests it

    with ExitStack() as stack:

        @ends_here
        def make(*arguments: Any, **named: Any) -> FakeSmsc:
            return stack.enter_context(FakeSmsc(*arguments, **named))

        yield make


@pytest.fixture
def fake_smsc(request: pytest.FixtureRequest, fake_smsc_factory: Callable[..., FakeSmsc]) -> FakeSmsc:
    """A running `fake_smsc.FakeSmsc` on a free port of 127.0.0.1; the marker `simbench` configures it.

    >>> @pytest.mark.simbench(codes={"36010": 20}, limit="nack", faults={"late-result": {"delay_s": 2}})
    ... def test_my_client(fake_smsc):
    ...     start_my_client(fake_smsc.host, fake_smsc.port)
    ...     fake_smsc.wait_for("session")
    """
    given = marked(request)
    with fail_in_one_line():
        if "exercise" in given.arguments:
            raise BadInput("marker simbench", "exercise is for a client under test", "the fixture simbench_smsc")
        smsc = fake_smsc_factory(**given.arguments)
        given.apply(smsc)
    return smsc


# With a client under test ----------------------------------------------------------------------------------------


@pytest.fixture
def simbench_smsc(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Smsc]:
    """The SMSC for the client under test, a `FakeSmsc` with the client's accounts; no client is connected yet.

    The marker `simbench` configures it. Without `--sut` the test is skipped, and pytest ends with status 3.
    """
    session = request.config.pluginmanager.get_plugin(PLUGIN)
    if session is None:
        leave_out(request, NO_CLIENT)
    from simbench.bench.pytest.fixtures import Smsc  # noqa: PLC0415 - as above

    given = marked(request)
    with ExitStack() as stack:
        with fail_in_one_line():
            smsc = stack.enter_context(Smsc(session.plan, tmp_path / "client", **given.arguments))
            given.apply(smsc)
        yield smsc


@pytest.fixture
def simbench_sut(simbench_smsc: Smsc) -> Iterator[Client]:
    """The client under test, started against `simbench_smsc`: `send`, `wait_for`, `reports`, `stop`.

    It is stopped after the test. A client that cannot start is an error of the test.
    """
    from simbench.bench.pytest.fixtures import Client  # noqa: PLC0415 - as above

    with ExitStack() as stack:
        with fail_in_one_line():
            client = stack.enter_context(Client(simbench_smsc))
        yield client


@pytest.fixture
def simbench_ledger(simbench_smsc: Smsc) -> Callable[[], Trace]:
    """Return a function for the trace so far: `.submits`, `.notifications`, `.mo`, `.sessions`, `.frames`, …"""
    return simbench_smsc.trace


@pytest.fixture
def simbench_clock(simbench_smsc: Smsc) -> Clock:
    """The clock of SMSC and client (us, UTC): `now`, and `step_to` a civil time if the client's clock can be moved."""
    from simbench.bench.pytest.fixtures import Clock  # noqa: PLC0415 - as above

    return Clock(simbench_smsc)
