"""The pytest entry point: the options of `pytest --sut ...`. It stays inactive without `--sut`.

Everything else is in `simbench.bench.pytest.plugin`, which is registered only then.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

FIXTURES = ("smsc", "sut", "ledger", "clock")
SHORT = "simbench_short_names"


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
    config.addinivalue_line("markers", "simbench(codes, ...): short codes with their rates for the simbench_ fixtures")
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
