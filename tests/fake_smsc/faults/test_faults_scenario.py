"""The scenario of faults does what its comments say."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from fake_smsc.scenario import read_scenario
from fake_smsc.server.live import LiveSmsc
from simbench.bench.runner.virtual_loop import MemoryNetwork
from simbench.ledger import MemoryLedger
from simbench.ucp.frame import Frame, WireError
from tests import harness
from tests.fake_smsc.faults.test_faults_wire import Probe
from tests.fake_smsc.live import contract
from tests.fake_smsc.virtual import in_virtual_time, virtual_clock

(PATH,) = (Path(__file__).parents[3] / "scenarios").glob("05_faults.toml")
Session = Callable[[str], Awaitable[Probe]]


def perform(script: Callable[[Session], Awaitable[None]]) -> None:
    """Serve the scenario while the script runs; the script gets a function that opens sessions."""

    async def run() -> None:
        network, clock = MemoryNetwork(), virtual_clock()
        async with LiveSmsc(read_scenario(PATH), contract(), MemoryLedger(), clock=clock, network=network) as smsc:

            async def session(account: str) -> Probe:
                probe = Probe()
                await network.connect(lambda: probe, "", smsc.server.port)
                probe.transport.write(harness.login(account))
                await asyncio.sleep(0.1)
                return probe

            await script(session)

    in_virtual_time(run())


async def at(second: float) -> None:
    await asyncio.sleep(second - asyncio.get_running_loop().time())


def waits(probe: Probe, since: float) -> list[float]:
    """Return the delays (s) of results of submits sent after that second."""
    found = [
        (t, item.trn) for t, item in probe.items if isinstance(item, Frame) and (item.kind, item.ot) == ("R", "51")
    ]
    return [round(t - probe.left[trn], 2) for t, trn in found if probe.left[trn] >= since]


def submit(probe: Probe, trn: int, code: str) -> None:
    probe.left[f"{trn:02d}"] = asyncio.get_running_loop().time()
    probe.transport.write(harness.submit(trn, AdC=f"33710000{trn:03d}", OAdC=code))


def test_only_results_of_one_code_are_late() -> None:
    async def script(session: Session) -> None:
        one, two = await session("36010"), await session("36020")
        for trn, second in enumerate((9, 11, 29, 31)):
            await at(second)
            submit(one, trn, "36010")
            submit(two, trn, "36020")
        await at(40)
        assert waits(one, 0) == [0, 5, 0, 5]
        assert waits(two, 0) == [0, 0, 0, 0]

    perform(script)


def test_results_are_overtaken_amid_noise_and_none_is_missing() -> None:
    async def script(session: Session) -> None:
        one = await session("36010")
        await at(42)
        for trn in range(1, 11):
            submit(one, trn, "36010")
        await at(59)
        order = [item.trn for _, item in one.items if isinstance(item, Frame) and item.kind == "R" and item.ot == "51"]
        assert order != sorted(order)
        assert sorted(order) == [f"{trn:02d}" for trn in range(1, 11)]
        noise = [item for _, item in one.items if isinstance(item, WireError)]
        assert 0 < len(noise) < len(one.items) / 2
        assert {item.name for item in noise} == {"garbage"}

    perform(script)


def test_notifications_come_twice() -> None:
    async def script(session: Session) -> None:
        one = await session("36010")
        await at(71)
        submit(one, 1, "36010")
        await at(89)
        assert list(Counter(item.octets for _, item in one.items if item.octets[10:14] == b"O/53").values()) == [2]

    perform(script)


def test_a_connection_is_silent_and_reset_a_minute_after_the_fault_began() -> None:
    async def script(session: Session) -> None:
        one, two = await session("36010"), await session("36020")
        for trn in range(10, 100, 10):  # nobody is idle
            await at(trn)
            submit(one, trn, "36010")
            submit(two, trn, "36020")
        await at(101)
        heard = len(one.items)
        for trn in range(1, 6):
            submit(one, trn, "36010")
        await at(159)
        assert len(one.items) == heard + 2
        assert one.lost == []
        await at(161)
        assert isinstance(one.lost[0], ConnectionResetError)
        assert two.lost == []

    perform(script)


def test_logins_are_refused_for_ten_seconds() -> None:
    async def script(session: Session) -> None:
        answers = []
        for second in (169, 171, 179, 181):
            await at(second)
            answers.append([item.octets[15:16] for _, item in (await session("36010")).items])
        assert answers[1:] == [[b"N"], [b"N"], [b"A"]]
        assert [item.octets[15:16] for _, item in (await session("36020")).items] == [b"A"]

    perform(script)
