"""A scenario file served in virtual time, and peers in memory that record every arrival with its time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar, cast

from fake_smsc.scenario import read_scenario
from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.live import LiveSmsc
from simbench.bench.runner.virtual_loop import MemoryNetwork, VirtualLoop
from simbench.contract.load import contract_beside
from simbench.ledger import MemoryLedger
from simbench.ucp.frame import Frame, Framer, WireError, encode
from tests import harness
from tests.paris import MONDAY

T = TypeVar("T")


def in_virtual_time(script: Coroutine[Any, Any, T]) -> T:
    """Run a script on a loop whose time moves from timer to timer."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(script)


def virtual_clock(speed: float = 1.0) -> PlatformClock:
    """A clock that follows the running virtual loop, from Monday ten o'clock."""
    return PlatformClock(MONDAY, speed, asyncio.get_running_loop().time)


class VirtualPeer(asyncio.Protocol):
    """One connection in memory: frames with the second of their arrival, and how and when it was lost."""

    def __init__(self) -> None:
        self._framer = Framer()
        self._loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport
        self.got: list[tuple[float, Frame]] = []
        self.lost: tuple[float, Exception | None] | None = None
        self.react: Callable[[Frame], None] = lambda _: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for item in self._framer.feed(data):
            assert not isinstance(item, WireError), item
            self.got.append((self._loop.time(), item))
            if item.kind == "O":
                self.transport.write(encode(item.trn, "R", item.ot, "A///"))
            self.react(item)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = (self._loop.time(), exc)

    def submit(self, trn: int, **fields: str) -> None:
        """Send an operation 51."""
        self.transport.write(harness.submit(trn, **fields))

    def of(self, kind: str, ot: str) -> list[tuple[float, Frame]]:
        """Return the received frames of one kind ("O" or "R") and operation."""
        return [(at, frame) for at, frame in self.got if (frame.kind, frame.ot) == (kind, ot)]


class Stage:
    """The scenario being served, and its virtual seconds."""

    def __init__(self, smsc: LiveSmsc, network: MemoryNetwork) -> None:
        self.smsc, self.control, self._network = smsc, smsc.control, network

    async def at(self, second: float) -> None:
        """Let time pass up to a second after the start."""
        await asyncio.sleep(max(0.0, second - asyncio.get_running_loop().time()))

    async def connect(self) -> VirtualPeer:
        """Connect. Raises ConnectionRefusedError without a listener."""
        peer = VirtualPeer()
        await self._network.connect(lambda: peer, "", self.smsc.server.port)
        return peer

    async def session(self, account: str) -> VirtualPeer:
        """Connect and log in; the caller checks the result."""
        peer = await self.connect()
        peer.transport.write(harness.login(account))
        await asyncio.sleep(0.01)
        return peer

    def rows(self, kind: str) -> list[tuple[Any, ...]]:
        """Rows of one kind in the table `centre`."""
        return [row for row in cast(MemoryLedger, self.smsc.ledger).centre if row[1] == kind]


def perform(path: Path, script: Callable[[Stage], Awaitable[None]]) -> None:
    """Serve a scenario file, from Monday ten o'clock, while the script runs."""

    async def run() -> None:
        scenario, network = read_scenario(path), MemoryNetwork()
        clock, contract = virtual_clock(scenario.server.speed), contract_beside(scenario.contract, path)
        async with LiveSmsc(
            scenario, contract, MemoryLedger(), clock=clock, network=network, place=path.parent
        ) as smsc:
            await script(Stage(smsc, network))

    in_virtual_time(run())
