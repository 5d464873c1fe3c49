"""pytest in somebody else's repository: inert without --sut; with it, purposes stand beside their own tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[3]
OWN = """
def test_of_their_own():
    import sys
    assert "simbench.bench.runner.session" not in sys.modules
"""
WITH_FIXTURES = """
import pytest

@pytest.mark.simbench(codes={"36010": 10})
def test_two_messages(simbench_smsc, simbench_sut, simbench_ledger, simbench_clock):
    assert simbench_smsc.wait_for_session("36010")
    sent = [simbench_sut.send("33639980001", "Bonjour"), simbench_sut.send("33639980002", "Bonjour")]
    assert simbench_smsc.wait_for_answers(2)
    assert simbench_sut.wait_for("accepted", 2)
    submits = simbench_ledger().submits
    assert sorted(submits.token) == sorted(ask.token for ask in sent)
    before = simbench_clock.now()
    simbench_clock.step_to(2026, 3, 2, 14, 0, 0)
    assert simbench_clock.now() > before + 3 * 3600 * 1_000_000

def test_a_message_back(simbench_smsc, simbench_sut):
    assert simbench_smsc.wait_for_session("36010")
    simbench_smsc.mo("33639980003", "36010", "STOP")
    assert simbench_sut.wait_for("mo")
    assert simbench_sut.reports[-1].detail == "STOP"
    assert simbench_smsc.api.mo("33639980003", "36010", "AGAIN", wait_s=10).acknowledged
    assert [text.text for text in simbench_smsc.api.texts("0639980003")] == ["STOP", "AGAIN"]
"""
SHORT = "def test_short(smsc, sut, ledger, clock):\n    assert smsc.wait_for_session('36010')\n"
INI = "[pytest]\nfilterwarnings = error\n"


class Repository:
    """A repository of a client's own, into which the bench is installed as a plugin by its entry point."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "theirs"
        self.folder.mkdir()
        (self.folder / "pytest.ini").write_text(INI)
        entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]["simbench"]
        installed = folder / "site" / "simbench_here-0.dist-info"
        installed.mkdir(parents=True)
        (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: simbench-here\nVersion: 0\n")
        (installed / "entry_points.txt").write_text(f"[pytest11]\nsimbench = {entry}\n")
        self._path = f"{installed.parent}:{ROOT}"

    def pytest(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=self.folder, env={**environment, "PYTHONPATH": self._path}, capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip


@pytest.fixture
def theirs(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


FAKE = """
import socket
import pytest

@pytest.mark.simbench(
    codes={"36010": 10}, limit="nack", faults={"accept-reset": {}}, subscribers={"0639980001": {"attached": False}}
)
def test_marked(fake_smsc):
    assert list(fake_smsc.accounts) == ["36010"]
    assert not fake_smsc.subscriber("0639980001").attached
    assert fake_smsc.clear("accept-reset") == 1

def test_plain(fake_smsc):
    with socket.create_connection((fake_smsc.host, fake_smsc.port), timeout=60):
        fake_smsc.wait_for(lambda: bool(fake_smsc.live.control.sessions()), timeout_s=60)

def test_two(fake_smsc_factory):
    one, two = fake_smsc_factory({"36010": 10}), fake_smsc_factory({"36020": 20})
    assert one.port != two.port

@pytest.mark.simbench(codes={"36010": 11})
def test_wrong(fake_smsc):
    pass
"""


def test_a_fake_smsc_needs_no_option_and_takes_its_marker(theirs: Repository) -> None:
    (theirs.folder / "test_fake.py").write_text(FAKE)
    done = theirs.pytest("-q", "--strict-markers", "-p", "no:randomly")
    assert "3 passed, 1 error" in done.stdout
    assert "rate_per_s" in done.stdout
    assert "one of the tiers" in done.stdout


def test_the_plugin_is_inert_without_a_client(theirs: Repository) -> None:
    (theirs.folder / "test_own.py").write_text(OWN)
    (theirs.folder / "test_fixtures.py").write_text(WITH_FIXTURES)
    ended = theirs.pytest("-rs")
    assert ended.returncode == 0, ended.stdout
    assert "1 passed, 2 skipped" in ended.stdout
    assert "needs a client under test: --sut" in ended.stdout


def test_purposes_are_items_with_clause_purpose_and_outcome_in_junit(theirs: Repository) -> None:
    (theirs.folder / "test_own.py").write_text("def test_of_their_own():\n    pass\n")
    ended = theirs.pytest("--sut", "reference", "--sut-only", "originators", "--junitxml=j.xml", "--sut-output", "out")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    cases = list(ElementTree.parse(theirs.folder / "j.xml").getroot().iter("testcase"))  # noqa: S314 - we made it
    properties = {
        case.get("name"): {one.get("name"): one.get("value") for one in case.iter("property")} for case in cases
    }
    assert properties["test_of_their_own"] == {}
    forbidden = properties["sender.forbidden-requests"]
    assert forbidden["clause"] == "OPS-DEO-06"
    assert (forbidden["purpose"], forbidden["outcome"]) == ("sender.forbidden-requests", "pass")
    findings = json.loads((theirs.folder / "out" / "findings.json").read_text())["findings"]
    assert len(findings) == len(cases) - 1
    assert (theirs.folder / "out" / "report.html").exists()


def test_fixtures_drive_the_client_from_their_own_tests_by_long_or_short_names(theirs: Repository) -> None:
    (theirs.folder / "test_fixtures.py").write_text(WITH_FIXTURES)
    (theirs.folder / "test_short.py").write_text(SHORT)
    (theirs.folder / "pytest.ini").write_text(INI + "simbench_short_names = true\n")
    ended = theirs.pytest("--sut", "reference", "--sut-only", "none")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "3 passed" in ended.stdout


def test_two_workers_share_one_run_of_each_exercise(theirs: Repository) -> None:
    arguments = ("-p", "xdist", "-n", "2", "--sut", "reference", "--sut-only", "originators", "--sut-output", "out")
    ended = theirs.pytest(*arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(list(theirs.folder.glob("out/*/runs/originators"))) == 1


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")])
def test_a_client_of_which_nothing_can_be_reported_is_no_success(theirs: Repository, workers: tuple[str, ...]) -> None:
    (theirs.folder / "test_own.py").write_text("def test_of_their_own():\n    pass\n")
    (theirs.folder / "broken.py").write_text("raise SystemExit('no configuration')")
    program = ("--sut", "command", "--sut-program", f"{sys.executable} broken.py")
    ended = theirs.pytest(*workers, *program, "--sut-only", "OPS-PRE-08")
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert "simbench: exit status 3: 1 inconclusive" in ended.stdout
    assert theirs.pytest(*workers, *program, "--sut-only", "OPS-PRE-08", "-k", "own").returncode == 0


@pytest.mark.parametrize("arguments", [("--sut", "nobody"), ("--sut", "reference", "--sut-only", "X")])
def test_what_cannot_be_meant_is_a_usage_error(theirs: Repository, arguments: tuple[str, ...]) -> None:
    ended = theirs.pytest(*arguments)
    assert ended.returncode == 4
    assert "simbench: " in ended.stderr
    assert "Traceback" not in ended.stderr
