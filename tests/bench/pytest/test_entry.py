"""pytest in another repository: inactive without --sut; with it, purposes are collected besides its own tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simbench.bench.pytest.marker import KEYS

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
    assert simbench_smsc.wait_for_session("36010", 300)
    sent = [simbench_sut.send("33639980001", "Bonjour"), simbench_sut.send("33639980002", "Bonjour")]
    assert simbench_smsc.wait_for_answers(2, 300)
    assert simbench_sut.wait_for("accepted", 2, 300)
    submits = simbench_ledger().submits
    assert sorted(submits.token) == sorted(ask.token for ask in sent)
    before = simbench_clock.now()
    simbench_clock.step_to(2026, 3, 2, 14, 0, 0)
    assert simbench_clock.now() > before + 3 * 3600 * 1_000_000

def test_a_message_back(simbench_smsc, simbench_sut):
    assert simbench_smsc.wait_for_session("36010", 300)
    simbench_smsc.mo("33639980003", "36010", "STOP")
    assert simbench_sut.wait_for("mo", 1, 300)
    assert simbench_sut.reports[-1].detail == "STOP"
    assert simbench_smsc.api.mo("33639980003", "36010", "AGAIN", wait_s=60).acknowledged
    assert [text.text for text in simbench_smsc.api.texts("0639980003")] == ["STOP", "AGAIN"]
"""
MARKED = """
import pytest

@pytest.mark.simbench(
    codes={"6120": 0}, limit="nack", contract="demo_telecom", faults={"late-result": {"delay_s": 0.1}},
    subscribers={"520000001": {"attached": False}},
)
def test_marked(simbench_smsc):
    assert list(simbench_smsc.accounts) == ["6120"]
    assert simbench_smsc.contract.name == "demo_telecom"
    assert [one.limit for one in simbench_smsc.live.scenario.codes] == ["nack"]
    assert simbench_smsc.clear() == 1
    assert not simbench_smsc.subscriber("520000001").attached

@pytest.mark.simbench(contract="demo_telecom")
def test_contract_alone(simbench_smsc):
    assert simbench_smsc.accounts

@pytest.mark.simbench(scenario="01_first")
def test_scenario(simbench_smsc):
    assert simbench_smsc.live.scenario.name == "first"
"""
SHORT = "def test_short(smsc, sut, ledger, clock):\n    assert smsc.wait_for_session('36010', 300)\n"
FIXTURES = ("simbench_smsc", "simbench_sut", "simbench_ledger", "simbench_clock")
XDIST = ("-p", "xdist", "-n", "2")
INI = "[pytest]\nfilterwarnings = error\n"


class Repository:
    """The repository of a client, in which the bench is installed as a plugin by its entry point."""

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

@pytest.mark.simbench(code={"36010": 10})
def test_misspelt(fake_smsc):
    pass

@pytest.mark.simbench(scenario="01_first", limit="nack")
def test_both(fake_smsc):
    pass

@pytest.mark.simbench(codes={"36020": 20})
class TestClass:
    @pytest.mark.simbench(faults={"accept-reset": {}})
    def test_of_a_class(self, fake_smsc):
        assert list(fake_smsc.accounts) == ["36020"]
        assert fake_smsc.clear() == 1
"""


def test_a_fake_smsc_needs_no_option_and_takes_its_marker(theirs: Repository) -> None:
    (theirs.folder / "test_fake.py").write_text(FAKE)
    done = theirs.pytest("-q", "--strict-markers", "-p", "no:randomly")
    assert "4 passed, 3 errors" in done.stdout
    assert "simbench: Scenario: codes[0].rate_per_s: 11; expected one of the tiers" in done.stdout
    assert "marker simbench: code is not a key; expected codes, contract" in done.stdout
    assert "marker simbench: limit beside scenario" in done.stdout
    assert "Traceback" not in done.stdout
    assert "handling of the above" not in done.stdout


FAILING = """
import pytest
from simbench import Client

def test_waits(fake_smsc):
    fake_smsc.wait_for("session", timeout_s=0.01)

def test_condition(fake_smsc):
    fake_smsc.wait_for(lambda: fake_smsc.messages()[0].text == "Bonjour")

def test_bad_input(fake_smsc):
    fake_smsc.outage("asleep")

def test_too_late(fake_smsc):
    fake_smsc.clock.step(-1)

def test_port(fake_smsc, fake_smsc_factory):
    fake_smsc_factory(port=fake_smsc.port)

def test_client(fake_smsc):
    with Client(fake_smsc.address, "36010", password="wrong") as client:
        client.wait_for(client.send("0639980001", "Bonjour"), timeout_s=0.01)

def test_no_such_finding(fake_smsc):
    fake_smsc.judge()["sessions.nonsense"]
"""
SENTENCES = (
    "TimeoutError: 1 session not reached within 0.01 s: 0 messages answered",
    "IndexError: list index out of range",
    "BadInput: mode: is 'asleep'; expected one of cut, reset,",
    "NotPossible: step: is -1 s; expected 0 or more: the clock only goes forward",
    "address already in use; choose another port",
    "TimeoutError: message m1: queued, not final",
    "KeyError: 'no finding of sessions.nonsense;",
)


def test_a_failing_test_ends_at_its_own_line(theirs: Repository) -> None:
    (theirs.folder / "test_failing.py").write_text(FAILING)
    done = theirs.pytest("-q", "-p", "no:randomly")
    assert "7 failed" in done.stdout
    places = re.findall(r"^(\S+\.py):\d+: ", done.stdout, re.MULTILINE)
    assert set(places) == {"test_failing.py"}, done.stdout
    assert all(sentence in done.stdout for sentence in SENTENCES), done.stdout


def test_the_plugin_is_inert_without_a_client(theirs: Repository) -> None:
    (theirs.folder / "test_own.py").write_text(OWN)
    (theirs.folder / "test_fixtures.py").write_text(WITH_FIXTURES)
    assert theirs.pytest("test_own.py").returncode == 0
    for workers in ((), XDIST):
        ended = theirs.pytest("-rs", *workers)
        assert "1 passed, 2 skipped" in ended.stdout
        assert "simbench: 2 tests did not run: needs a client under test: pytest --sut NAME" in ended.stdout
        assert ended.returncode == 3, "what did not run is no success"


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
    arguments = (*XDIST, "--sut", "reference", "--sut-only", "originators", "--sut-output", "out")
    ended = theirs.pytest(*arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(list(theirs.folder.glob("out/*/runs/originators"))) == 1


@pytest.mark.parametrize("workers", [(), XDIST])
def test_a_client_of_which_nothing_can_be_reported_is_no_success(theirs: Repository, workers: tuple[str, ...]) -> None:
    (theirs.folder / "test_own.py").write_text("def test_of_their_own():\n    pass\n")
    (theirs.folder / "broken.py").write_text("raise SystemExit('no configuration')")
    program = ("--sut", "command", "--sut-program", f"{sys.executable} broken.py")
    ended = theirs.pytest(*workers, *program, "--sut-only", "OPS-PRE-08")
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert "simbench: exit status 3: 1 inconclusive" in ended.stdout
    assert theirs.pytest(*workers, *program, "--sut-only", "OPS-PRE-08", "-k", "own").returncode == 0


@pytest.mark.parametrize("arguments", [("--sut", "nobody"), ("--sut", "reference", "--sut-only", "X")])
def test_invalid_options_are_a_usage_error(theirs: Repository, arguments: tuple[str, ...]) -> None:
    ended = theirs.pytest(*arguments)
    assert ended.returncode == 4
    assert "simbench: " in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture
def faulty(theirs: Repository) -> tuple[str, ...]:
    """A client that resends messages that were finally refused, and the purposes of one exercise."""
    (theirs.folder / "client.py").write_text(
        "import os, sys\nos.environ['SIMBENCH_FAULT'] = 'retries-final-nack'\n"
        "from simbench.client.__main__ import main\nsys.exit(main())\n"
    )
    (theirs.folder / "faulty.toml").write_text(
        f'kind = "command"\nname = "faulty"\nprogram = "{sys.executable} client.py"\nclock = "lines"\n'
        '[capabilities]\nlimits_rate = true\nreports_outcomes = true\nclock = "speed"\n'
    )
    (theirs.folder / "test_own.py").write_text("def test_of_their_own():\n    pass\n")
    return "--sut", "faulty.toml", "--sut-only", "refusals"


def test_the_marker_acts_on_the_smsc_of_a_client_under_test(theirs: Repository) -> None:
    (theirs.folder / "test_marked.py").write_text(MARKED)
    ended = theirs.pytest("--sut", "reference", "--sut-only", "none")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "3 passed" in ended.stdout


@pytest.mark.parametrize("workers", [(), XDIST])
def test_a_failing_purpose_names_expectation_measurement_and_evidence(
    theirs: Repository, faulty: tuple[str, ...], workers: tuple[str, ...]
) -> None:
    ended = theirs.pytest(*workers, *faulty, "--junitxml=j.xml", "-v")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "FAILED simbench::submits.given-up - Failed: fail: 10 of 10 refused" in ended.stdout
    for label in ("Expected: The client gives up", "Seen: 10 of 10 refused", "Why: ", "51 submit short message"):
        assert label in ended.stdout
    assert re.search(r"^    Msg +[0-9A-F]+… message: 'Votre commande", ended.stdout, re.MULTILINE)
    place = re.search(r"Evidence: (\S+)", ended.stdout)
    assert place is not None
    assert {"finding.json", "evidence.pcapng"} <= {one.name for one in Path(place[1]).iterdir()}
    cases = {one.get("name"): one for one in ElementTree.parse(theirs.folder / "j.xml").getroot().iter("testcase")}  # noqa: S314 - we made it
    assert cases["submits.given-up"].get("classname") == "simbench"
    assert [one.tag for one in cases["submits.given-up"]] == ["properties", "failure"]
    assert [one.tag for one in cases["submits.tried-again"]] == ["properties"]


def test_a_session_that_ends_at_its_first_failure_is_written(theirs: Repository, faulty: tuple[str, ...]) -> None:
    ended = theirs.pytest(*faulty, "--sut-only", "originators", "-x", "--sut-output", "out")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert (theirs.folder / "out" / "evidence" / "submits.given-up" / "finding.json").exists()
    judged = json.loads((theirs.folder / "out" / "findings.json").read_text())["findings"]
    assert "submits.given-up" in {one["purpose"] for one in judged}
    assert (theirs.folder / "out" / "report.html").exists()


def test_purposes_are_counted_and_selected_like_tests(theirs: Repository, faulty: tuple[str, ...]) -> None:
    listed = theirs.pytest(*faulty, "--collect-only", "-q").stdout
    purposes = [line for line in listed.splitlines() if line.startswith("simbench::")]
    assert len(purposes) == 5
    assert "6 tests collected" in listed
    assert (
        "collected 6 items / 5 deselected / 1 selected" in theirs.pytest(*faulty, "--collect-only", "-k", "own").stdout
    )
    by_clause = theirs.pytest(*faulty, "--collect-only", "-k", "OPS-PRO-06").stdout
    assert "collected 6 items / 5 deselected / 1 selected" in by_clause
    for workers in ((), XDIST):
        again = theirs.pytest(*workers, *faulty, "-v", purposes[2])
        assert (again.returncode, "1 passed" in again.stdout) == (0, True), again.stdout + again.stderr
        assert purposes[2] in again.stdout, "as it was given"
    own = theirs.pytest(*faulty, "--collect-only", "-q", "test_own.py").stdout
    assert own.startswith("test_own.py::test_of_their_own\n\n1 test collected")
    wrong = theirs.pytest(*faulty, "simbench::submits.given")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (4, 2)
    assert (
        "simbench::submits.given: is not a purpose of this session; expected perhaps `submits.given-up`" in wrong.stderr
    )
    assert "simbench::x: needs a client under test" in theirs.pytest("simbench::x").stderr


def test_fixtures_and_marker_are_documented(theirs: Repository) -> None:
    documented = theirs.pytest("--fixtures", "-o", "simbench_short_names=true").stdout
    for name in ("fake_smsc", "fake_smsc_factory", *FIXTURES, "smsc", "sut", "ledger", "clock"):
        assert re.search(rf"^{name} -- .*\n    \w", documented, re.MULTILINE), name
    markers = theirs.pytest("--markers").stdout
    assert f"@pytest.mark.simbench({', '.join(KEYS)}): " in markers
    assert all(f" {key}: " in markers for key in KEYS)


def test_a_client_that_cannot_start_is_one_line(theirs: Repository) -> None:
    (theirs.folder / "broken.py").write_text("raise SystemExit('no configuration')")
    (theirs.folder / "test_own.py").write_text("def test_own(simbench_sut):\n    pass\n")
    program = ("--sut", "command", "--sut-program", f"{sys.executable} broken.py", "--sut-only", "none")
    ended = theirs.pytest(*program)
    assert ended.returncode == 1
    assert "\nsimbench: broken.py ended with status 1; its log ends: no configuration\n" in ended.stdout
    assert "Traceback" not in ended.stdout


@pytest.mark.parametrize("workers", [(), XDIST])
def test_an_exercise_that_breaks_is_an_error_and_no_failure(
    theirs: Repository, faulty: tuple[str, ...], workers: tuple[str, ...]
) -> None:
    (theirs.folder / "conftest.py").write_text(
        "from simbench.bench.sut.command import Command\n"
        "async def start(self, *a):\n"
        "    raise KeyError('no such thing')\n"
        "Command.start = start\n"
    )
    ended = theirs.pytest(*workers, *faulty, "-v", "--junitxml=j.xml")
    assert ended.returncode == 3, ended.stdout + ended.stderr
    cases = list(ElementTree.parse(theirs.folder / "j.xml").getroot().iter("testcase"))  # noqa: S314 - we made it
    broken = [one for one in cases if one.find("error") is not None]
    assert (len(cases), len(broken)) == (6, 5)
    assert all(one.find("failure") is None for one in cases)
    assert all("the exercise broke" in str(one.findtext("error")) for one in broken)
    assert re.search(
        r"^simbench::submits.given-up ERROR|ERROR.* simbench::submits.given-up", ended.stdout, re.MULTILINE
    )
    assert "error: the exercise broke: KeyError: 'no such thing' (conftest.py, line 3)" in ended.stdout
    assert "1 passed, 5 errors" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_an_interrupt_leaves_no_client(theirs: Repository, faulty: tuple[str, ...]) -> None:
    (theirs.folder / "conftest.py").write_text(
        "import _thread\nfrom simbench.bench.sut.command import Command\n"
        "start = Command.start\n"
        "async def started(self, *a):\n"
        "    await start(self, *a)\n"
        "    with open('children', 'a') as kept:\n"
        "        print('CHILD', self.child.process.pid, file=kept)\n"
        "    _thread.interrupt_main()\n"
        "Command.start = started\n"
    )
    ended = theirs.pytest(*faulty)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    children = [int(line.split()[1]) for line in (theirs.folder / "children").read_text().splitlines()]
    assert children
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
