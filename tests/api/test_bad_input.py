"""Bad input to the public functions: place, value and expectation, at the call, and nothing left running."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

import simbench
from fake_smsc import FakeSmsc, Scenario
from simbench import dialup, roaming
from simbench.base.arguments import checked
from simbench.base.errors import BadInput

LONG_S = 300.0  # guards against hanging; says nothing about speed
CODES = {"36010": 10}
MSISDN = "0639980001"
Call = Callable[[Path], object]
# Calls below are wrong on purpose: type checkers look at them through `Any`.
sb, smsc, scenario = cast(Any, simbench), cast(Any, FakeSmsc), cast(Any, Scenario)


def running(call: Callable[[Any], Any]) -> Any:
    """A call to an SMSC that runs."""
    with FakeSmsc(codes=CODES) as one:
        return call(one)


def client(call: Callable[[Any], Any]) -> Any:
    """A call to a client that runs."""
    with FakeSmsc(codes=CODES) as platform, simbench.Client(platform.address, "36010", rate_per_s=10) as one:
        return call(one)


CALLS: dict[str, tuple[Call, str]] = {
    "simulate: missing": (lambda _: sb.simulate("no/such"), r"no/such: no such file; expected one of 01_first"),
    "simulate: type": (lambda _: sb.simulate(3), "world: is a int; expected a World, a file, or the name"),
    "simulate: file": (lambda t: sb.simulate(t / "bad.toml"), "bad.toml: not valid TOML"),
    "simulate: none": (lambda _: sb.simulate("year/01_quiet_day", replications=0), "replications: is 0; expected 1"),
    "simulate: text": (lambda _: sb.simulate("year/01_quiet_day", replications="3"), "replications: is '3'; expecte"),
    "simulate: executor": (
        lambda _: sb.simulate("year/01_quiet_day", replications=2, executor=3.5), "executor: is a float; expected a n"
    ),
    "judge: missing": (lambda _: sb.judge("none.pcap"), "none.pcap: No such file or directory; expected a file or"),
    "judge: type": (lambda _: sb.judge(5), "record: is a int; expected a run, a file or folder, or a DataFrame"),
    "judge: text": (lambda t: sb.judge(t / "x.csv"), 'x.csv: no column "start"; expected one for start'),
    "judge: folder": (sb.judge, "run.json: No such file or directory; expected the folder of a run"),
    "judge: contract": (lambda t: sb.judge(t / "x.csv", contract=5), "contract: is 5; expected a contract or a path"),
    "open_run: missing": (lambda _: sb.open_run("none"), "none: no such folder; expected the folder of a run"),
    "open_run: type": (lambda _: sb.open_run(4), "folder: is 4; expected a path or a text"),
    "read_session: empty": (sb.read_session, "findings.json: No such file or directory; expected a findi"),
    "conform: unknown": (lambda _: sb.conform("nobody"), "'nobody' is not known; expected one of reference, kannel"),
    "conform: type": (lambda _: sb.conform(3), "sut: is a int; expected a name, a description, or a function or class"),
    "conform: class": (lambda _: sb.conform(dict), "sut: makes a dict without name, version, capabilities"),
    "conform: only": (lambda _: sb.conform("reference", only="none"), "only none: no clause, purpose or exercise"),
    "conform: only's type": (lambda _: sb.conform("reference", only=3), "only: is 3; expected a list of texts or a"),
    "conform: jobs": (lambda _: sb.conform("reference", jobs=0), "jobs: is 0; expected 1 to 64"),
    "conform: seed": (lambda _: sb.conform("reference", seed="a"), "seed: is 'a'; expected a whole number"),
    "conform: faults": (lambda _: sb.conform("reference", faults=["none"]), "fault none: the reference client has n"),
    "conform: folder": (
        lambda t: sb.conform("reference", only="refusals", folder=t / "x.csv"), "x.csv: Not a directory; expected a f"
    ),
    "conform: baseline": (lambda t: sb.conform("reference", baseline=t / "bad.toml"), "bad.toml: not valid TOML"),
    "conform: soak": (lambda _: sb.conform("reference", soak="x"), "soak x: is not a valid duration; expected 20s to"),
    "report: type": (lambda _: sb.report(3), "thing: is a int; expected a run, findings, a session, a plan"),
    "report: missing": (lambda _: sb.report("none"), "none: no such folder; expected the folder of a run"),
    "report: language": (lambda _: sb.report("none", language="de"), "language: is 'de'; expected one of en, fr"),
    "report: form": (lambda _: sb.report("none", form="x"), "form: is 'x'; expected an installed package"),
    "plan: missing": (lambda _: sb.plan("none.toml"), "none.toml: no such file; expected one of 01_first, "),
    "plan: key": (lambda _: sb.plan({"x": 1}), "campaign: x: unknown key; expected one of period"),
    "what_if: missing": (lambda _: sb.what_if("none"), "run none: is not there; expected a run in a folder"),
    "sweep: type": (lambda _: sb.sweep(3), "study: is 3; expected a path or a text or a dictionary"),
    "bill: acts": (lambda _: sb.bill("none.csv", "none.toml"), "none.toml: no such file; expected a TOML file"),
    "load_contract: unknown": (lambda _: sb.load_contract("none"), 'contract "none": no such built-in contract'),
    "load_contract: type": (lambda _: sb.load_contract(3), "name_or_path: is 3; expected a text or a path"),
    "Client: address": (lambda _: sb.Client("nowhere", "36010"), "address: is 'nowhere'; expected HOST:PORT"),
    "Client: code": (lambda _: sb.Client("127.0.0.1:1", 36010), "code: is 36010; expected a text"),
    "Client: rate": (lambda _: sb.Client("127.0.0.1:1", "36010", rate_per_s=-1), "rate_per_s: is -1; expected 1 or"),
    "Client: fault": (lambda _: sb.Client("127.0.0.1:1", "36010", faults=("x",)), "faults: 'x' is not a fault of"),
    "FakeSmsc: rate": (lambda _: smsc({"36010": "x"}), r'codes\[0\]\.rate_per_s: is "x"; expected a whole number'),
    "FakeSmsc: list": (lambda _: smsc(["36010"]), r"codes: is \['36010'\]; expected short codes with their rates"),
    "FakeSmsc: number": (lambda _: smsc({36010: 10}), r"codes\[0\]\.code: is 36010; expected a text"),
    "FakeSmsc: contract": (lambda _: smsc(contract=3), "contract: is 3; expected a contract or a text"),
    "FakeSmsc: scenario": (lambda _: smsc(scenario="none"), "none: no such file; expected one of 01_first"),
    "FakeSmsc: limit": (lambda _: smsc(limit="what"), "limit: is 'what'; expected one of monitor, delay"),
    "FakeSmsc: port": (lambda _: smsc(CODES, port=99_999), "port: is 99999; expected 0 to 65535"),
    "FakeSmsc: folder": (lambda t: smsc(CODES, folder=t / "x.csv").__enter__(), "x.csv: Not a directory; expected a f"),
    "Scenario: empty": (lambda _: scenario({}), "codes: is empty; expected one short code or more"),
    "Scenario: list": (lambda _: scenario(["36010"]), "codes: has '36010'; expected short codes with their rates"),
    "Scenario: key": (lambda _: scenario(CODES, nonsense=3), "nonsense: unknown key; expected one of name"),
    "World: rate": (
        lambda _: sb.World(("2026-01-01", "2026-02-01"), {"36010": 11}), r"codes\[0\]\.rate_per_s: is 11; expected on"
    ),
    "World: period": (lambda _: sb.World(3, CODES), "period: is 3; expected two times"),
    "simulate: engine": (lambda _: sb.simulate("year/01_quiet_day", engine="fast"), "engine: is 'fast'; expected one"),
    "simulate: progress": (
        lambda _: sb.simulate("year/01_quiet_day", progress="yes"), "progress: is 'yes'; expected a function or True"
    ),
    "Run.save: again": (
        lambda t: [sb.simulate("year/01_quiet_day").save(t / "run") for _ in range(2)], "run: holds a ledger already"
    ),
    "judge: nothing": (lambda _: sb.judge([]), "record: is an empty list; expected a run, a file or folder"),
    "judge: in a list": (lambda t: sb.judge([t / "x.csv", 5]), "record: is a int; expected a run, a file or folder"),
    "judge: time": (lambda t: sb.judge(t / "x.csv", start=2025), "start: is 2025; expected a date, a datetime, or a"),
    "Report.save: type": (
        lambda _: sb.report(sb.simulate("year/01_quiet_day")).save(3), "folder: is 3; expected a path or a text"
    ),
    "plan: language": (lambda _: sb.plan("plan/02_small", language="de"), "language: is 'de'; expected one of en, fr"),
    "plan: mixes": (lambda _: sb.plan("plan/02_small", mixes="36010=10"), "mixes: is '36010=10'; expected a list of"),
    "bill: language": (lambda _: sb.bill("none.csv", {}, language="de"), "language: is 'de'; expected one of en, fr"),
    "what_if: late": (lambda _: sb.what_if("none", late_min=-1), "late_min: is -1; expected 0 minutes or more"),
    "Contract: reading": (
        lambda _: sb.load_contract().read_as("rate-meter", "none"), "orange_ops_2016: rate-meter: no reading `none`"
    ),
    "FakeSmsc: before": (lambda _: smsc(CODES).address, "FakeSmsc: is not running; expected a call inside its `with"),
    "FakeSmsc: after": (lambda _: running(lambda one: one).messages(), "FakeSmsc: is not running; expected a call"),
    "FakeSmsc: twice": (lambda _: running(lambda one: one.__enter__()), "FakeSmsc: is running already; expected one"),
    "FakeSmsc: scope": (lambda _: running(lambda one: one.outage(scope="36099")), "outage of 36099: no such code or"),
    "FakeSmsc: mode": (lambda _: running(lambda one: one.outage("off")), "mode: is 'off'; expected one of cut, reset"),
    "FakeSmsc: awaited": (lambda _: running(lambda one: one.wait_for("sessions")), "what: is 'sessions'; expected per"),
    "FakeSmsc: timeout": (lambda _: running(lambda one: one.wait_for("idle", timeout_s="1")), "timeout_s: is '1'; exp"),
    "FakeSmsc: fault": (lambda _: running(lambda one: one.fault("nope")), 'fault.name: "nope" is not a fault; expect'),
    "FakeSmsc: fault's key": (
        lambda _: running(lambda one: one.fault("late-result", delay=1)), "fault: delay: unknown key; expected perhaps"
    ),
    "FakeSmsc: clear": (lambda _: running(lambda one: one.clear("late-results")), "name: is 'late-results'; expected"),
    "FakeSmsc: sender": (lambda _: running(lambda one: one.mo("Anna", "36010", "x")), "sender: is 'Anna'; expected a"),
    "FakeSmsc: sender's type": (lambda _: running(lambda one: one.mo(639980001, "36010", "x")), "sender: is 639980001"),
    "FakeSmsc: mo's code": (lambda _: running(lambda one: one.mo(MSISDN, "36099", "x")), "short code 36099: no accou"),
    "FakeSmsc: attached": (
        lambda _: running(lambda one: one.subscriber(MSISDN, attached="no")), "attached: is 'no'; expected True or Fal"
    ),
    "FakeSmsc: standing": (
        lambda _: running(lambda one: one.subscriber(MSISDN, standing="x")), "standing: is 'x'; expected one of ora"
    ),
    "FakeSmsc: operator": (
        lambda _: running(lambda one: one.subscriber(MSISDN, operator=3)), "operator: is 3; expected a text"
    ),
    "FakeSmsc: limit's mode": (lambda _: running(lambda one: one.limit("36010", 10, "x")), "mode: is 'x'; expected"),
    "FakeSmsc: limit's code": (lambda _: running(lambda one: one.limit("36099", 10)), "short code 36099: not in servi"),
    "FakeSmsc: step": (lambda _: running(lambda one: one.clock.step("5")), "seconds: is '5'; expected a number"),
    "FakeSmsc: drop": (lambda _: running(lambda one: one.drop("1")), "session: is '1'; expected a whole number"),
    "FakeSmsc: recipient": (lambda _: running(lambda one: one.messages(recipient=5)), "recipient: is 5; expected a te"),
    "Client: validity": (lambda _: client(lambda one: one.send(MSISDN, "x", validity_s=0)), "validity_s: is 0; expec"),
    "Client: state": (lambda _: client(lambda one: one.wait_for("m1", "done")), "state: is 'done'; expected one of q"),
    "Client: outside": (lambda _: sb.Client("127.0.0.1:1", "36010").send(MSISDN, "x"), "Client: is not running; expec"),
    "Client: twice": (lambda _: client(lambda one: one.__enter__()), "Client: is running already; expected one block"),
    "dialup: missing": (lambda _: dialup.simulate("none"), "none: no such file; expected one of 01_first, "),
    "dialup: type": (lambda _: cast(Any, dialup).simulate(3), "scenario: is 3; expected a path or a text or a dicti"),
    "roaming: type": (lambda _: cast(Any, roaming).simulate(3), "scenario: is 3; expected a path or a text"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_argument_is_one_line_with_place_value_and_expectation(name: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("a = [")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    before = set(threading.enumerate())
    call, expected = CALLS[name]
    with pytest.raises(BadInput, match=expected) as refused:
        call(tmp_path)
    assert "\n" not in str(refused.value)
    assert refused.value.expected or "not valid TOML" in str(refused.value)
    assert not re.search(r"(?<!\w)--[a-z]", str(refused.value)), "arguments are not named like options"
    assert set(threading.enumerate()) <= before


def test_every_public_function_is_in_the_table() -> None:
    functions = {name for name in simbench.__all__ if callable(getattr(simbench, name))
                 and not isinstance(getattr(simbench, name), type)}  # fmt: skip
    assert functions <= {name.partition(":")[0] for name in CALLS}


def test_arguments_of_other_annotations_are_left_to_the_function() -> None:
    @checked
    def function(number: int, anything: Callable[[], int] | int, share: float = 0.0, folder: Path | None = None) -> int:
        return number

    assert function(3, 4, 1) == 3
    for arguments, place in (
        (("3", 4), "number"),
        ((True, 4), "number"),
        ((3, 4, "x"), "share"),
        ((3, 4, 0, 5), "folder"),
    ):
        with pytest.raises(BadInput, match=f"^{place}: is "):
            cast(Any, function)(*arguments)
    with pytest.raises(TypeError, match="missing"):
        cast(Any, function)(3)


INTERRUPTED = """
import os, signal, threading, simbench
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background may ignore it
from simbench.bench.sut.command import Command
start, pids = Command.start, []
async def started(self, *arguments):
    await start(self, *arguments)
    pids.append(self.child.process.pid)
    os.kill(os.getpid(), signal.SIGINT)
Command.start = started
try:
    simbench.conform("reference", only="refusals")
except KeyboardInterrupt:
    left = [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
    print(len(pids), left, sorted(one.name for one in threading.enumerate()))
"""


def test_an_interrupted_session_leaves_no_client_no_thread_and_no_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        capture_output=True,
        text=True,
        timeout=LONG_S,
        env=environment,
        check=False,
    )
    assert done.stdout == "1 [] ['MainThread']\n", done.stdout + done.stderr
    assert not list(tmp_path.glob("simbench-*"))
