from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fake_smsc.scenario import CodeConfig, DeliveryConfig, Scenario, ServerConfig
from fake_smsc.server.live import LiveSmsc
from simbench.bench.sut.kannel import Kannel
from simbench.bench.sut.protocol import AccountGiven, Target
from simbench.client.messages import Outgoing
from simbench.contract import load_contract
from simbench.ledger import MemoryLedger
from tests.bench.sut.listener import Listener
from tests.cli.child import DEADLINE_S
from tests.real.conftest import require

pytestmark = pytest.mark.real

CODE, SUBSCRIBER = "36050", "33710000001"


def test_kannel_and_our_smsc_understand_each_other_both_ways(tmp_path: Path) -> None:
    require("bearerbox", package="kannel")
    require("smsbox", package="kannel")
    codes = (CodeConfig(code=CODE, rate_per_s=50),)
    scenario = Scenario(codes=codes, server=ServerConfig(port=0), delivery=DeliveryConfig(latency_median_ms=50))

    async def run() -> Listener:
        listener, kannel = Listener(), Kannel()
        async with LiveSmsc(scenario, load_contract(), MemoryLedger()) as smsc:
            account = AccountGiven(CODE, CODE, codes[0].password, 50)
            try:
                await kannel.start(Target("127.0.0.1", smsc.server.port, (account,), 10, tmp_path), listener)
                assert await smsc.control.wait_for_session(CODE, DEADLINE_S)
                for number in range(3):
                    await kannel.send(Outgoing(f"#0000{number}", CODE, SUBSCRIBER, f"Bonjour #0000{number}"))
                await listener.hears("accepted", 3)
                delivered = await listener.hears("delivered", 3)
                assert {report.token for report in delivered} == {"#00000", "#00001", "#00002"}
                smsc.control.mo(SUBSCRIBER, CODE, "STOP")
                (mo,) = await listener.hears("mo")
                assert (mo.subscriber[-9:], mo.code, mo.detail) == (SUBSCRIBER[-9:], CODE, "STOP")
            finally:
                await kannel.stop()
        return listener

    listener = asyncio.run(run())
    # Kannel calls back for each of them on its own, in any order.
    assert sorted(report.token for report in listener.of("accepted")) == ["#00000", "#00001", "#00002"]
    assert not listener.of("refused")
