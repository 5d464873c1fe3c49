"""Counts the objects that a server keeps after messages, notifications and disconnections in virtual time.

The result does not depend on the machine: the same load leaves the same objects.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import NamedTuple, cast

from fake_smsc.scenario import CodeConfig, DeliveryConfig, Scenario
from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.live import LiveSmsc
from simbench.bench.runner.virtual_loop import MemoryNetwork, VirtualLoop
from simbench.contract import load_contract
from simbench.ledger import Ledger, RunInfo
from simbench.ucp.frame import encode
from tests import harness
from tests.fake_smsc.live import contract

CODES = ("36010", "36020")
RECIPIENTS = 500  # the same in every round: data on a recipient are kept once
ACKS = {b"%02d" % trn: encode(trn, "R", "53", "A///") for trn in range(100)}
_CACHED = type(lru_cache(lambda: None))
ROUND = 600  # messages, half of them with a notification


class Census(NamedTuple):
    """Objects alive in this process, and the octets they hold."""

    objects: int
    octets: int
    types: Counter[str]


def census() -> Census:
    """Count each object reachable from the garbage collector's list once; bounded caches are emptied first."""
    gc.collect()
    for one in gc.get_objects():
        if isinstance(one, _CACHED) and one.cache_parameters()["maxsize"] is not None:
            one.cache_clear()
    gc.collect()
    seen: set[int] = set()
    types: Counter[str] = Counter()
    octets, todo = 0, gc.get_objects()
    skip = {id(seen), id(types), id(todo)}
    while todo:
        one = todo.pop()
        if id(one) in seen or id(one) in skip or isinstance(one, FrameType):
            continue
        seen.add(id(one))
        types[type(one).__name__] += 1
        octets += sys.getsizeof(one)
        if not isinstance(one, ModuleType | type | FunctionType | str | bytes | int):
            todo += gc.get_referents(one)
    return Census(len(seen), octets, types)


class Peer(asyncio.Protocol):
    """A client that submits the given frames within its window and acknowledges notifications."""

    def __init__(self, code: str) -> None:
        self.code, self.rest, self.accepted, self.notified = code, b"", 0, 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(harness.login(self.code))

    def data_received(self, data: bytes) -> None:
        *whole, self.rest = (self.rest + data).split(b"\x03")
        for frame in whole:
            if frame[10:16] == b"R/51/A":
                self.accepted += 1
            elif frame[10:14] == b"O/53":
                self.notified += 1
                self.transport.write(ACKS[frame[1:3]])


def frames(code: str) -> list[bytes]:
    """A window of submits to each recipient in turn; every other one requests a notification."""
    return [
        harness.submit(
            number % 100, OAdC=code, AdC=f"337100{number:05d}", **({} if number % 2 else {"NRq": "", "NT": ""})
        )
        for number in range(RECIPIENTS)
    ]


class Load:
    """A server with its ledger on disk, and rounds of load on it."""

    def __init__(self, smsc: LiveSmsc, network: MemoryNetwork) -> None:
        self.smsc, self._network = smsc, network
        self._frames = {code: frames(code) for code in CODES}
        self.accepted = self.notified = self.cuts = 0

    async def round(self) -> None:
        """Carry the messages of a round over sessions that are then closed, in a different way for each code."""
        peers = [Peer(code) for code in CODES]
        for peer in peers:
            await self._network.connect(lambda peer=peer: peer, "", self.smsc.server.port)  # type: ignore[misc] # the loop's value
        await asyncio.sleep(1)
        for at in range(0, ROUND // len(CODES), 100):
            for peer in peers:
                place = at % RECIPIENTS
                peer.transport.write(b"".join(self._frames[peer.code][place : place + 100]))
            await asyncio.sleep(2)
            if self.smsc.ledger.backlog > 5_000:
                self.smsc.ledger.flush()
        await asyncio.sleep(20)
        for number, session in enumerate(self.smsc.control.sessions()):
            self.smsc.control.drop(session.number, abruptly=bool(number % 2))
        await asyncio.sleep(5)
        self.smsc.ledger.flush()
        self.accepted += sum(peer.accepted for peer in peers)
        self.notified += sum(peer.notified for peer in peers)
        self.cuts += len(peers)


class Kept(NamedTuple):
    """The load between two counts, and its remains: objects of the types that grew, octets, and those types."""

    messages: int
    notified: int
    cuts: int
    objects: int
    octets: int
    types: list[tuple[str, int]]
    waiting: int  # rows not on disk, notifications waiting, connections


def kept(folder: Path, warm: int, rounds: int) -> Kept:
    """Carry `warm` rounds, take a census, carry `rounds` more, and take another."""

    async def run() -> Kept:
        loop = asyncio.get_running_loop()
        network, clock = (
            MemoryNetwork(),
            PlatformClock(load_contract().calendar.instant(2026, 3, 2, 10, 0, 0), 1.0, loop.time),
        )
        codes = tuple(CodeConfig(code=code, limit="monitor", window=100) for code in CODES)
        scenario = Scenario(codes=codes, delivery=DeliveryConfig(latency_median_ms=500))
        ledger = Ledger.create(folder, RunInfo(run="kept"), daily=False)
        async with LiveSmsc(scenario, contract(), ledger, clock=clock, network=network) as smsc:
            load = Load(smsc, network)
            for _ in range(warm):
                await load.round()
            first, accepted, notified, cuts = census(), load.accepted, load.notified, load.cuts
            for _ in range(rounds):
                await load.round()
            last = census()
            grown = Counter(last.types)
            grown.subtract(first.types)
            lines = len(smsc.server.connections) + len(smsc.server.gateway.lines)
            waiting = ledger.backlog + smsc.control.unacknowledged() + lines
            more = sum((+grown).values())  # a decrease of one type must not hide the growth of another
            return Kept(
                load.accepted - accepted, load.notified - notified, load.cuts - cuts, more,
                last.octets - first.octets, grown.most_common(8), waiting,
            )  # fmt: skip

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


def main() -> None:
    """`python -m tools.soak.kept FOLDER`: print the remains of 16 rounds as JSON."""
    print(json.dumps(kept(Path(sys.argv[1]), warm=8, rounds=16)._asdict()))


if __name__ == "__main__":
    main()
