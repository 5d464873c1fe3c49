"""Real clients that are served and then judged: the reference client under every meter, and Kannel over its tier."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fake_smsc.scenario import CodeConfig, DeliveryConfig, Scenario, ServerConfig
from fake_smsc.server.live import LiveSmsc
from simbench.bench.sut.kannel import Kannel
from simbench.bench.sut.protocol import AccountGiven, Target
from simbench.capture.pcap import write_pcapng
from simbench.client import lines
from simbench.client.messages import Outgoing
from simbench.contract import load_contract
from simbench.ledger import Ledger, RunInfo, open_run
from tests.bench.sut.listener import Listener
from tests.cli.child import DEADLINE_S, Served, simbench
from tests.real.conftest import require

CODE, USER = "36010", "33639980001"
AT_TIER, GRANTED, ACCEPTED = "rate.backlog-at-tier", "rate.tier-granted", "recipients.accepted"


def judged(*arguments: str | Path) -> dict[str, Any]:
    """Findings of `simbench judge` by purpose, in a process of its own: nothing else has loaded a rule."""
    ended = simbench("judge", *arguments, "--json")
    return {one["purpose"]: one for one in json.loads(ended.stdout)["findings"]}


def accused(found: dict[str, Any]) -> dict[str, str]:
    return {name: one["blame"] for name, one in found.items() if one["outcome"] in {"fail", "weak"}}


def reference(port: int, messages: int) -> None:
    """The reference client with a backlog, until it has heard of every message."""
    account = {"code": CODE, "account": CODE, "password": "secret", "rate_per_s": 10}
    environment = {
        **os.environ, "SIMBENCH_HOST": "127.0.0.1", "SIMBENCH_PORT": str(port),
        "SIMBENCH_ACCOUNTS": json.dumps([account]),
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "simbench.client"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        for number in range(messages):
            client.stdin.write(lines.write(Outgoing(f"n{number}", CODE, f"3363998{number:04d}", f"Bonjour {number}")))
        client.stdin.flush()
        delivered, until = 0, time.monotonic() + DEADLINE_S
        while delivered < messages:
            assert time.monotonic() < until, f"{delivered} of {messages} delivered"
            delivered += json.loads(client.stdout.readline()).get("event") == "delivered"
        client.stdin.write(lines.write(lines.Stop()))
        client.stdin.close()
        client.wait(DEADLINE_S)


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["monitor", "delay", "nack", "discard", "close"])
def test_the_reference_client_and_the_platform_are_accused_of_nothing_under_any_meter(
    limit: str, tmp_path: Path
) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(f'name = "served"\n[[codes]]\ncode = "{CODE}"\nlimit = "{limit}"\n', "utf-8")
    with Served(scenario, "--port", "0", "-o", tmp_path / "run") as served:
        reference(served.port, 60)
        served.end(signal.SIGINT)
    found = judged(tmp_path / "run")
    assert accused(found) == {}
    assert {found[name]["outcome"] for name in (AT_TIER, ACCEPTED)} == {"pass"}


@pytest.mark.real
def test_kannel_over_its_tier_is_convicted_by_run_and_capture_and_nobody_else_is_blamed(tmp_path: Path) -> None:
    """Kannel is set to 50 a second for a code that has 10."""
    require("bearerbox", package="kannel")
    require("smsbox", package="kannel")
    codes = (CodeConfig(code=CODE, rate_per_s=10, limit="monitor"),)
    scenario = Scenario(codes=codes, server=ServerConfig(port=0), delivery=DeliveryConfig(latency_median_ms=50))
    run, sent = tmp_path / "run", 150

    async def serve() -> None:
        listener, kannel = Listener(), Kannel()
        ledger = Ledger.create(run, RunInfo("run"))
        async with LiveSmsc(scenario, load_contract(), ledger) as smsc:
            try:
                account = AccountGiven(CODE, CODE, "secret", 50)
                await kannel.start(Target("127.0.0.1", smsc.server.port, (account,), 10, tmp_path), listener)
                assert await smsc.control.wait_for_session(CODE, DEADLINE_S)
                for number in range(sent):
                    mark = f"#{number:05d}"
                    await kannel.send(Outgoing(mark, CODE, f"3363998{number:04d}", f"Bonjour {mark}"))
                await listener.hears("accepted", sent)
            finally:
                await kannel.stop()
        ledger.close()

    asyncio.run(serve())
    found = judged(run)
    assert (found[AT_TIER]["outcome"], found[AT_TIER]["blame"]) == ("fail", "client"), found[AT_TIER]["summary"]
    assert set(accused(found).values()) == {"client"}
    capture, known = tmp_path / "taken.pcapng", tmp_path / "codes.toml"
    write_pcapng(open_run(run), capture)
    known.write_text(f'[[codes]]\ncode = "{CODE}"\nrate_per_s = 10\n', "utf-8")
    taken = judged(capture, "--campaigns", known)
    assert (taken[AT_TIER]["outcome"], taken[AT_TIER]["blame"]) == ("fail", "client")
    assert set(accused(taken).values()) == {"client"}
