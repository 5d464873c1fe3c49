"""`durable = true`: every acknowledged message is on disk, for any end of the server."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from fake_smsc.scenario import ServerConfig
from simbench.ledger import MemoryLedger, open_run
from simbench.ucp.operations import decode
from tests import harness
from tests.cli.child import Served
from tests.fake_smsc.live import dial, serving

DURABLE = ServerConfig(port=0, durable=True)
ENOUGH = 400
PLAIN = {"NRq": "", "NT": ""}
SCENARIO = """
[server]
durable = true
[[codes]]
code = "36150"
rate_per_s = 150
request_id = "demo"
limit = "monitor"
window = 50
"""


class SlowDisk(MemoryLedger):
    """A ledger that commits on command."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[Callable[[], object]] = []
        self.at_once = True

    def durable_after(
        self, callback: Callable[[], object], call_soon: Callable[[Callable[[], object]], object]
    ) -> None:
        if self.at_once:
            call_soon(callback)
        else:
            self._waiting.append(callback)

    def commit(self) -> None:
        for callback in self._waiting:
            callback()
        self._waiting.clear()


def test_a_result_is_sent_only_when_its_rows_are_committed() -> None:
    async def script() -> None:
        disk = SlowDisk()
        async with serving(server=DURABLE, ledger=disk) as site:
            peer = await site.session()
            disk.at_once = False
            peer.send(harness.submit(1, **PLAIN))
            assert await site.until(lambda: site.control.answered() == 1)
            assert await peer.hears_nothing()
            disk.commit()
            assert (await peer.frame()).data[0] == "A"

    asyncio.run(script())


def test_an_outage_discards_results_that_were_not_sent() -> None:
    async def script() -> None:
        disk = SlowDisk()
        async with serving(server=DURABLE, ledger=disk) as site:
            peer = await site.session()
            disk.at_once = False
            peer.send(harness.submit(1, **PLAIN))
            assert await site.until(lambda: site.control.answered() == 1)
            await site.control.outage("deaf-results")
            disk.commit()
            assert await peer.hears_nothing()

    asyncio.run(script())


def test_the_last_result_is_sent_before_the_connection_is_closed() -> None:
    async def script() -> None:
        async with serving(server=DURABLE) as site:
            peer = await site.connect()
            for _ in range(3):
                assert (await peer.login(password="wrong")).data[0] == "N"
            assert await peer.end() == "fin"

    asyncio.run(script())


def test_every_submit_acknowledged_before_kill_9_is_in_the_ledger(tmp_path: Path) -> None:
    path, folder = tmp_path / "durable.toml", tmp_path / "run"
    path.write_text(SCENARIO)

    async def until_killed(server: Served) -> set[str]:
        peer = await dial(server.port)
        assert (await peer.login("36150")).data[0] == "A"
        reported: set[str] = set()
        for submitted in range(50):
            peer.send(harness.submit(submitted, OAdC="36150", AdC=f"3371{submitted:07d}", **PLAIN))
        while len(reported) < ENOUGH:
            result = await peer.frame()
            reported.add(decode(result)["SM"].partition(":")[0])
            submitted += 1
            peer.send(harness.submit(int(result.trn), OAdC="36150", AdC=f"3371{submitted:07d}", **PLAIN))
        server.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, server.process.pid, os.WSTOPPED | os.WNOWAIT)  # noqa: ASYNC222 - it stops at once
        submitted += 1  # one that it does not read: the kill comes in the middle
        peer.send(harness.submit(int(result.trn), OAdC="36150", AdC=f"3371{submitted:07d}", **PLAIN))
        server.process.send_signal(signal.SIGKILL)
        await peer.end()
        reported |= {decode(result)["SM"].partition(":")[0] for result in peer.kept()}
        assert len(reported) <= submitted
        await peer.close()
        return reported

    with Served(path, "--port", "0", "-o", folder) as server:
        reported = asyncio.run(until_killed(server))
        assert server.process.wait() == -signal.SIGKILL
    run = open_run(folder)
    assert not run.info.closed
    accepted = {row["recipient"] for row in run.centre.to_pylist() if row["kind"] == "accepted"}
    assert reported <= accepted
    read = b"".join(row["octets"] for row in run.wire.to_pylist() if row["direction"] == "in")
    assert all(f"/{recipient}/".encode() in read for recipient in reported)
