"""A live SMSC on a free loopback port, and a peer on a real socket that keeps every octet. Judges nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Literal, Self

from fake_smsc.live import LiveSmsc
from simbench.contract import Contract, load_contract
from simbench.ledger import MemoryLedger
from simbench.scenario import CodeConfig, DeliveryConfig, Scenario, ServerConfig
from simbench.ucp.frame import Frame, Framer, WireError, encode
from tests import harness

DEADLINE_S = 10.0  # by which anything that is to happen has happened
QUIET_S = 0.05  # how long nothing may come where nothing is to come
CODES = (CodeConfig(code="36010"), CodeConfig(code="36020"))
SOON = DeliveryConfig(latency_median_ms=1)


@cache
def contract() -> Contract:
    return load_contract()


@asynccontextmanager
async def serving(*codes: CodeConfig, server: ServerConfig | None = None, **more: Any) -> AsyncIterator[LiveSmsc]:
    """A scenario being served from memory; by default two codes at 10/s, their messages delivered at once."""
    scenario = Scenario(
        codes=codes or CODES, server=server or ServerConfig(port=0), **{"delivery": SOON, **more}
    )
    async with LiveSmsc(scenario, contract(), MemoryLedger()) as smsc:
        yield smsc


class LivePeer:
    """One real connection; `sent` and `got` are what went through it, octet by octet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._framer = Framer()
        self._frames: list[Frame] = []
        self.sent, self.got = bytearray(), bytearray()

    @classmethod
    async def connect(cls, smsc: LiveSmsc) -> Self:
        """Connect. Raises ConnectionRefusedError where nobody listens."""
        return cls(*await asyncio.open_connection("127.0.0.1", smsc.server.port))

    @classmethod
    async def logged_in(cls, smsc: LiveSmsc, account: str = "36010") -> Self:
        """Connect and open the session of an account."""
        peer = await cls.connect(smsc)
        assert (await peer.login(account)).data[0] == "A"
        return peer

    @property
    def port(self) -> int:
        """Its own port, by which the ledger knows it."""
        port: int = self._writer.get_extra_info("sockname")[1]
        return port

    def send(self, octets: bytes) -> None:
        """Send octets."""
        self.sent += octets
        self._writer.write(octets)

    async def frame(self) -> Frame:
        """The next frame that comes, within the deadline."""
        async with asyncio.timeout(DEADLINE_S):
            while not self._frames:
                octets = await self._reader.read(65_536)
                assert octets, "the connection has ended"
                self._take(octets)
        return self._frames.pop(0)

    async def frames(self, count: int) -> list[Frame]:
        """The next so many frames."""
        return [await self.frame() for _ in range(count)]

    async def login(self, account: str = "36010", password: str = "secret") -> Frame:
        """Ask for a session; the result."""
        self.send(harness.login(account, password))
        return await self.frame()

    async def submit(self, trn: int = 1, **fields: str) -> Frame:
        """Submit and return what comes next."""
        self.send(harness.submit(trn, **fields))
        return await self.frame()

    def acknowledge(self, notice: Frame) -> None:
        """Answer a 52 or 53."""
        self.send(encode(notice.trn, "R", notice.ot, "A///"))

    async def hears_nothing(self) -> bool:
        """Whether nothing comes for a while, not even the end."""
        try:
            async with asyncio.timeout(QUIET_S):
                octets = await self._reader.read(65_536)
        except TimeoutError:
            return not self._frames
        self._take(octets)
        return False

    async def end(self) -> Literal["fin", "rst"]:
        """How the connection ends, within the deadline; what comes before is kept."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                while octets := await self._reader.read(65_536):
                    self._take(octets)
            except ConnectionResetError:
                return "rst"
        return "fin"

    async def drain(self) -> None:
        """Wait until the system takes more octets."""
        async with asyncio.timeout(DEADLINE_S):
            await self._writer.drain()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    def _take(self, octets: bytes) -> None:
        self.got += octets
        for item in self._framer.feed(octets):
            assert not isinstance(item, WireError), item
            self._frames.append(item)


def rows(smsc: LiveSmsc, table: str, kind: str) -> list[tuple[Any, ...]]:
    """Rows of `story` or `centre` of one kind, or of `wire` of one direction."""
    at = 2 if table == "wire" else 1
    return [row for row in getattr(smsc.ledger, table) if row[at] == kind]


def session_of(smsc: LiveSmsc, peer: LivePeer) -> int:
    """The number under which the ledger files a peer's connection."""
    found = [row[1] for row in rows(smsc, "wire", "open") if str(peer.port).encode() in row[3]]
    assert len(found) == 1
    return int(found[0])


def reason_of_closing(smsc: LiveSmsc, session: int) -> str:
    """Why a connection ended, as the ledger says; "" while it has not."""
    return next((row[3].decode() for row in rows(smsc, "wire", "close") if row[1] == session), "")
