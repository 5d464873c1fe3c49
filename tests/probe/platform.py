"""Our own server in virtual time under a probe: correct, with a wire fault, or with a planted fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any, TypeVar

from fake_smsc.scenario import CodeConfig, DeliveryConfig, Scenario, ServerConfig
from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.live import LiveSmsc
from simbench.bench.runner.virtual_loop import MemoryNetwork, VirtualLoop
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.ledger import MemoryLedger, Run
from simbench.probe import Target, judge_probe, run_probe
from tests.paris import instant

MONDAY = instant(2026, 3, 2, 10, 0, 0)
RECIPIENTS = tuple(f"3363998{number:04d}" for number in range(1000, 1100))
T = TypeVar("T")
Tamper = Callable[[LiveSmsc], object]


def probed(tamper: Tamper = lambda _: None, rate: int = 10, **more: Any) -> tuple[dict[str, Finding], Run]:
    """The findings by purpose, and the wire as the probe kept it; the last of `times`, one right after another."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_probe(loop, tamper, rate, more))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.close()


async def _probe(loop: VirtualLoop, tamper: Tamper, rate: int, more: dict[str, Any]) -> tuple[dict[str, Finding], Run]:
    network, contract, clock = MemoryNetwork(), load_contract(), PlatformClock(MONDAY, 1.0, loop.time)
    port, times = more.pop("port", 5000), more.pop("times", 1)
    scenario = Scenario(
        codes=more.pop("codes", (CodeConfig(code="36010", rate_per_s=rate),)),
        server=ServerConfig(port=5000),
        delivery=DeliveryConfig(latency_median_ms=more.pop("latency_ms", 1_000)),
        **more,
    )
    async with LiveSmsc(scenario, contract, MemoryLedger(), clock=clock, network=network) as smsc:
        tamper(smsc)
        target = Target("127.0.0.1", port, "36010", "secret", "36010", 10, RECIPIENTS, 10)
        for _ in range(times):
            ours = MemoryLedger()
            seen = await run_probe(target, contract, network.connect, clock.now, ours.wire, lambda _: None)
    return {one.purpose: one for one in judge_probe(seen)}, ours.snapshot()


class WiredLoop(VirtualLoop):
    """A virtual loop whose connections lead into a network in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.network = MemoryNetwork()

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **_more: Any) -> Any:
        """Connect to a server of the network. Raises ConnectionRefusedError without one."""
        await self.network.connect(protocol_factory, host, port)


def run_served(main: Coroutine[Any, Any, T]) -> T:
    """Run a command's work in virtual time, with our platform on port 5000; stands in for `event_loop.run`."""
    loop = WiredLoop()

    async def run() -> T:
        scenario = Scenario(codes=(CodeConfig(code="36010", rate_per_s=10),), server=ServerConfig(port=5000))
        clock = PlatformClock(time.time_ns() // 1000, 1.0, loop.time)
        async with LiveSmsc(scenario, load_contract(), MemoryLedger(), clock=clock, network=loop.network):
            return await main

    return loop.run_to_the_end(run())


@lru_cache(maxsize=1)
def sound() -> dict[str, Finding]:
    """Nothing is wrong with the platform."""
    return probed()[0]


@lru_cache(maxsize=64)
def with_fault(name: str) -> dict[str, Finding]:
    """A wire fault from the beginning on."""
    return probed(lambda smsc: smsc.control.fault(name))[0]
