"""An external client is served and the run is judged: the trace is compared with the obligations of each party."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fake_smsc.server.outage import Mode
from simbench.capture.pcap import write_pcapng
from simbench.ledger import open_run
from tests.cli import served_clients
from tests.cli.child import DEADLINE_S, SIMBENCH, Ended, Served
from tests.ports import lasting_port
from tests.survive.limits import api_of

pytestmark = pytest.mark.slow

AT_TIER, ACCEPTED, GRANTED = "rate.backlog-at-tier", "recipients.accepted", "rate.tier-granted"
PACE, BACK = "sessions.reconnect-pace", "outage.comes-back"
CODES = '[[codes]]\ncode = "36010"\nrate_per_s = 10\n'
Client = Callable[[int], None]


class Judge:
    """Serves a scenario to a client and gives the findings on its run, by purpose."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys, self.run = folder, capsys, folder / "run"

    def serve(self, client: Client, *, limit: str = "monitor", more: str = "") -> dict[str, Any]:
        with Served(self._scenario(limit, more), "--port", "0", "-o", self.run) as served:
            client(served.port)
            served.end(signal.SIGINT)
        return self.judge(self.run)

    def cut_off(
        self, client: Client, mode: Mode, for_s: float, *, speed: int = 1, rest_s: float = 0.0
    ) -> dict[str, Any]:
        """Serve with an outage once the client has its results, and `rest_s` platform seconds afterwards."""
        scenario = self._scenario(more=f"[server]\nspeed = {speed}\n")
        options = ("--port", str(lasting_port()), "--api", "0", "-o", self.run)
        with Served(scenario, *options) as served, api_of(served) as api, ThreadPoolExecutor(1) as thread:
            running = thread.submit(client, served.port)
            while not api.wait(served_clients.BEFORE, 60).reached:  # it waits no longer at once
                assert not running.done()
            api.outage(mode, for_s=for_s)
            running.result()
            time.sleep(rest_s / speed)
            served.end(signal.SIGINT)
        return self.judge(self.run)

    def _scenario(self, limit: str = "monitor", more: str = "") -> Path:
        path = self.folder / "scenario.toml"
        path.write_text(f'name = "served"\n[[codes]]\ncode = "36010"\nlimit = "{limit}"\n{more}', "utf-8")
        return path

    def judge(self, *arguments: str | Path) -> dict[str, Any]:
        ended = Ended(self.capsys, "judge", *arguments, "--json")
        return {one["purpose"]: one for one in json.loads(ended.out)["findings"]}


@pytest.fixture
def judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Judge:
    return Judge(tmp_path, capsys)


def accused(found: dict[str, Any]) -> dict[str, str]:
    """Purposes that fail or are weak, and who is blamed."""
    return {name: one["blame"] for name, one in found.items() if one["outcome"] in {"fail", "weak"}}


@pytest.mark.parametrize("limit", ["nack", "monitor", "delay"])
def test_a_client_at_three_times_its_tier_is_convicted_and_nobody_else(judge: Judge, limit: str) -> None:
    found = judge.serve(served_clients.over_tier, limit=limit)
    assert accused(found) == {AT_TIER: "client"}
    assert found[ACCEPTED]["outcome"] == "pass"
    if limit == "nack":  # what was refused was not granted
        assert found[GRANTED]["measured"] < 15


def test_a_capture_of_it_has_the_same_findings(judge: Judge) -> None:
    judge.serve(served_clients.over_tier)
    capture, codes = judge.folder / "taken.pcapng", judge.folder / "codes.toml"
    write_pcapng(open_run(judge.run), capture)
    codes.write_text(CODES, "utf-8")
    assert accused(judge.judge(capture, "--campaigns", codes)) == {AT_TIER: "client"}


def test_a_client_that_is_only_watched_is_held_to_its_tier(judge: Judge, tmp_path: Path) -> None:
    port = lasting_port()
    account = '[[accounts]]\ncode = "36010"\naccount = "36010"\npassword = "secret"\nrate_per_s = 10\n'
    described = tmp_path / "sut.toml"
    described.write_text(f'kind = "external"\nport = {port}\nwatch_s = 8\n{account}', "utf-8")
    arguments = ("conform", "--sut", described, "--only", "watched", "-o", tmp_path / "session")
    with subprocess.Popen([*SIMBENCH, *map(str, arguments)], stderr=subprocess.PIPE, text=True) as conform:
        assert conform.stderr is not None
        assert any("login 36010" in line for line in conform.stderr)
        served_clients.over_tier_until_the_end(port)  # hence no slow machine sends too little, or too long
        conform.communicate(timeout=DEADLINE_S)
    found = json.loads((tmp_path / "session" / "findings.json").read_text("utf-8"))["findings"]
    assert {one["purpose"]: one["blame"] for one in found if one["outcome"] == "fail"} == {AT_TIER: "client"}
    assert conform.returncode == 1


def test_a_client_below_its_tier_with_slow_answers_accuses_nobody(judge: Judge) -> None:
    found = judge.serve(served_clients.slow_answers, more='[[faults]]\nname = "late-result"\ndelay_s = 0.12\n')
    assert accused(found) == {}


def test_a_platform_that_accepts_nothing_grants_nothing(judge: Judge) -> None:
    found = judge.serve(served_clients.over_tier, more='[[faults]]\nname = "nack"\nec = "04"\n')
    assert (found[GRANTED]["outcome"], found[GRANTED]["measured"]) == ("fail", 0)
    assert accused(found)[AT_TIER] == "client"


def test_refusals_of_an_empty_originator_and_before_a_login_are_right(judge: Judge) -> None:
    found = judge.serve(served_clients.empty_originator)
    blamed = accused(found)
    assert set(blamed.values()) == {"client"}
    assert {"sessions.login-first", "submits.violations"} <= set(blamed)
    assert found["sender.short-code-only"]["summary"].endswith("; 1 broken originator not counted")
    assert not [purpose for purpose in blamed if purpose.startswith("sender.")]  # one cause, one finding


@pytest.mark.parametrize("mode", ["reset", "cut"])
def test_attempts_on_a_closed_port_leave_the_pace_open(judge: Judge, mode: Mode) -> None:
    found = judge.cut_off(served_clients.storm, mode, 600)
    assert found[PACE]["outcome"] == "inconclusive"
    assert "while the server's port was closed" in found[PACE]["summary"]


def test_a_client_that_never_comes_back_is_watched_until_the_server_ends(judge: Judge) -> None:
    found = judge.cut_off(served_clients.leaves, "reset", 3, speed=60, rest_s=240)
    assert (found[BACK]["outcome"], found[BACK]["blame"]) == ("fail", "client")


def test_a_message_sent_again_on_another_connection_is_shown_in_doubt(judge: Judge) -> None:
    found = judge.serve(served_clients.sends_twice)["outage.no-duplicates"]
    assert (found["outcome"], len(found["evidence"])) == ("inconclusive", 1)


def test_another_protocol_is_a_violation_of_its_connection(judge: Judge) -> None:
    found = judge.serve(served_clients.wrong_protocol)
    assert set(accused(found).values()) == {"client"}
    assert "sessions.violations" in accused(found)


# What is given beside a run ---------------------------------------------------------------------------------------


def test_requests_of_a_part_sharpen_and_blind_nothing(judge: Judge) -> None:
    judge.serve(served_clients.over_tier)
    requests = judge.folder / "asked.csv"
    lines = [f"2020-01-01T00:00:0{n}Z,36010,3363998{n:04d},Bonjour {n}" for n in range(5)]
    requests.write_text("\n".join(["at,code,recipient,text", *lines]), "utf-8")
    reported = Ended(judge.capsys, "judge", judge.run, "--requests", requests, "--json")
    answer = json.loads(reported.out)
    found = {one["purpose"]: one for one in answer["findings"]}
    assert (found[AT_TIER]["outcome"], found[AT_TIER]["blame"]) == ("fail", "client")
    assert answer["run"]["without_request"] == 120  # the requests are of years before


@pytest.mark.parametrize("option", ["--keys", "--port", "--laws"])
def test_an_option_that_a_run_cannot_use_is_refused(judge: Judge, option: str) -> None:
    judge.serve(served_clients.empty_originator)
    ended = Ended(judge.capsys, "judge", judge.run, option, "1")
    assert ended.status == 2
    assert ended.err.startswith(f"simbench: {option}: ")
