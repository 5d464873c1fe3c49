"""An external Kannel, used through sendsms and its dlr-url."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlencode

import pytest

from simbench.bench.exercises.exercise import Exercise
from simbench.bench.exercises.tester import Bench
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.run_exercise import Conducted, RunEnvironment, run_exercise, run_info
from simbench.bench.runner.selection import select
from simbench.bench.sut.child_process import Child, listens
from simbench.bench.sut.description import Description, sut_description
from simbench.bench.sut.kannel_config import USER, Ports, configuration
from simbench.bench.sut.protocol import AccountGiven, Capabilities, Target
from simbench.contract import load_contract
from simbench.ledger import MemoryLedger
from tests.ports import lasting_port
from tests.real.conftest import require

pytestmark = pytest.mark.real
assert select()  # enters every rule
ACCOUNT = AccountGiven("36010", "acc36010", "secret", 10)
WAIT_S = 120.0  # guards against hanging; says nothing about speed
PURPOSES = ("sessions.well-formed", "sessions.login-first", "sender.short-code-only")


def three_messages(started: asyncio.Event, ledger: MemoryLedger) -> Exercise:
    """Three messages after both boxes have started, until Kannel has reported all of them as delivered."""

    async def script(bench: Bench) -> None:
        await bench.connected(["acc36010"])
        await started.wait()
        for _ in range(3):
            await bench.ask(bench.message("36010", text="Déjà prêt, 100 %"))
        assert await bench.received(3, WAIT_S)
        assert await bench.reported(WAIT_S)
        async with asyncio.timeout(WAIT_S):
            while sum(row[1] == "delivered" for row in ledger.stimuli) < 3:  # noqa: ASYNC110 - no event of a callback
                await asyncio.sleep(0.05)

    return Exercise("three", "Three messages", PURPOSES, {"36010": 10}, script, 30)


async def run(folder: Path) -> Conducted:
    ports = set[int]()
    while len(ports) < 5:
        ports.add(lasting_port())
    port, admin, smsbox, sendsms, unused = ports
    query = urlencode({"username": USER, "password": "pw", "charset": "utf-8", "dlr-mask": 31})
    places = "&smsc={code}&from={oadc}&to={to}&text={text}&coding={coding}&dlr-url={callback}"
    url = f"http://127.0.0.1:{sendsms}/cgi-bin/sendsms?{query}{places}"
    sut = sut_description(Description("http", url=url, port=port, accounts=(ACCOUNT,)))
    started, ledger = asyncio.Event(), MemoryLedger()
    three = three_messages(started, ledger)
    ledger.info = run_info(three, load_contract(), 1, "kannel")
    config = folder / "kannel.conf"
    (folder / "spool").mkdir()
    target = Target("127.0.0.1", port, (ACCOUNT,), 10, folder)
    config.write_text(configuration(target, Ports(admin, smsbox, sendsms, unused), "pw"), "ascii")
    boxes: list[Child] = []
    try:
        exercise = asyncio.create_task(run_exercise(three, sut, load_contract(), ledger, RunEnvironment(folder)))
        for program, listened in (("bearerbox", smsbox), ("smsbox", sendsms)):
            path = require(program, package="kannel")
            boxes.append(await Child.start(program, [path, "-v", "1", str(config)], folder / f"{program}.log", {}))
            await listens(listened, boxes, WAIT_S)
        started.set()
        return await exercise
    finally:
        for box in reversed(boxes):
            await box.end(3)


def test_a_kannel_that_runs_already_gets_requests_and_is_judged(tmp_path: Path) -> None:
    require("bearerbox", package="kannel")
    conducted = asyncio.run(run(tmp_path))
    assert conducted.trouble == ""
    kinds = [row["kind"] for row in conducted.run.stimuli.to_pylist()]
    assert (kinds.count("send"), kinds.count("queued"), kinds.count("delivered")) == (3, 3, 3)
    found = judge_exercise(conducted, PURPOSES, load_contract(), Capabilities())
    assert {finding.outcome for finding in found} == {"pass"}
