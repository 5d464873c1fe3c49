"""A live SMSC on a free loopback port, and peers on real sockets that keep every octet."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any, Literal

import msgspec

from fake_smsc.scenario import CodeConfig, DeliveryConfig, Scenario, ServerConfig
from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.live import LiveSmsc
from fake_smsc.server.network import Network
from simbench.contract import Contract, load_contract
from simbench.ledger import AnyLedger, MemoryLedger
from simbench.ucp.frame import Frame, Framer, WireError, encode
from tests import harness
from tests.ports import lasting_port

DEADLINE_S = 120.0  # guards against hanging; says nothing about speed
QUIET_S = 0.05  # how long nothing may come where nothing is to come; never a limit on what must come
CODES = (CodeConfig(code="36010"), CodeConfig(code="36020"))
SOON = DeliveryConfig(latency_median_ms=1)
SLOW_CLOCK = ServerConfig(port=0, speed=0.001)  # what is held for a second stays held while a test looks


@cache
def contract() -> Contract:
    return load_contract()


class LivePeer:
    """One real connection; `sent` and `got` are all octets sent and received."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._framer = Framer()
        self._frames: list[Frame] = []
        self.sent, self.got = bytearray(), bytearray()

    @property
    def port(self) -> int:
        """Its own port, which identifies it in the ledger."""
        port: int = self._writer.get_extra_info("sockname")[1]
        return port

    def send(self, octets: bytes) -> None:
        """Send octets."""
        self.sent += octets
        self._writer.write(octets)

    async def frame(self) -> Frame:
        """The next frame received within the deadline."""
        async with asyncio.timeout(DEADLINE_S):
            while not self._frames:
                octets = await self._reader.read(65_536)
                assert octets, "the connection has ended"
                self._take(octets)
        return self._frames.pop(0)

    async def frames(self, count: int) -> list[Frame]:
        """The next frames, that many."""
        return [await self.frame() for _ in range(count)]

    async def login(self, account: str = "36010", password: str = "secret") -> Frame:
        """Request a session and return the result."""
        self.send(harness.login(account, password))
        return await self.frame()

    async def submit(self, trn: int = 1, **fields: str) -> Frame:
        """Submit and return the next frame."""
        self.send(harness.submit(trn, **fields))
        return await self.frame()

    def acknowledge(self, notice: Frame) -> None:
        """Answer a 52 or 53."""
        self.send(encode(notice.trn, "R", notice.ot, "A///"))

    async def hears_nothing(self) -> bool:
        """Return whether nothing is received for some time, including the end."""
        try:
            async with asyncio.timeout(QUIET_S):
                octets = await self._reader.read(65_536)
        except TimeoutError:
            return not self._frames
        except ConnectionResetError:
            return False
        self._take(octets)
        return False

    async def end(self) -> Literal["fin", "rst"]:
        """Return how the connection ends, within the deadline; earlier octets are kept."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                while octets := await self._reader.read(65_536):
                    self._take(octets)
            except ConnectionResetError:
                self._take(bytes(self._reader._buffer))  # type: ignore[attr-defined]  # what came before the reset
                return "rst"
        return "fin"

    def kept(self) -> list[Frame]:
        """Frames received but not yet taken."""
        frames, self._frames = self._frames, []
        return frames

    async def drain(self) -> None:
        """Wait until the system takes more octets."""
        async with asyncio.timeout(DEADLINE_S):
            await self._writer.drain()

    def abort(self) -> None:
        """Reset the connection: octets not sent are discarded."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        with suppress(ConnectionError, ssl.SSLError):  # a TLS peer may still be sending when it reads of the close
            await self._writer.wait_closed()

    def _take(self, octets: bytes) -> None:
        self.got += octets
        for item in self._framer.feed(octets):
            assert not isinstance(item, WireError), item
            self._frames.append(item)


async def dial(port: int, own: str = "127.0.0.1", own_port: int = 0) -> LivePeer:
    """Connect to a port of this machine, from a separate address. Raises ConnectionRefusedError without a listener."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(own, own_port))
    if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
        # TCP connects a socket to itself if it was bound, by chance, to the port that nobody listens on.
        writer.transport.abort()
        raise ConnectionRefusedError(f"only this socket has port {port}")
    return LivePeer(reader, writer)


class Site:
    """One SMSC being served, and the peers that connect to it."""

    def __init__(self, smsc: LiveSmsc) -> None:
        self.smsc, self.server, self.control, self.ledger = smsc, smsc.server, smsc.control, smsc.ledger
        self._peers: list[LivePeer] = []

    async def connect(self) -> LivePeer:
        """Connect. Raises ConnectionRefusedError without a listener."""
        peer = await dial(self.server.port)
        self._peers.append(peer)
        return peer

    async def session(self, account: str = "36010") -> LivePeer:
        """Connect and open a session of an account."""
        peer = await self.connect()
        assert (await peer.login(account)).data[0] == "A"
        return peer

    async def close(self) -> None:
        """End every connection from the peers' side."""
        for peer in self._peers:
            peer.abort()
            await peer.close()

    def rows(self, table: str, kind: str) -> list[tuple[Any, ...]]:
        """Rows of `events` or `centre` of one kind, of `wire` of one direction, of `timing_error` of one place."""
        at = {"wire": 2, "timing_error": 3}.get(table, 1)
        return [row for row in getattr(self.ledger, table) if row[at] == kind]

    def lateness(self) -> list[int]:
        """Every recorded lateness (us)."""
        return [row[2] for place in ("loop", "timer") for row in self.rows("timing_error", place)]

    def number_of(self, peer: LivePeer) -> int:
        """The number of a peer's connection in the ledger; 0 while the server has not accepted it.

        The latest connection from the port is the peer's: a port may be used again once a connection is reset.
        """
        opened = reversed(self.rows("wire", "open"))
        return next((row[1] for row in opened if f", {peer.port})".encode() in row[3]), 0)

    def reason_of_closing(self, peer: LivePeer) -> str:
        """Why a connection ended, from the ledger; "" while it is open."""
        number = self.number_of(peer)
        return next((row[3].decode() for row in self.rows("wire", "close") if row[1] == number), "")

    async def until(self, condition: Callable[[], bool]) -> bool:
        """Wait until the condition holds on the server; False if the deadline comes first."""
        return await self.control.wait_until(condition, DEADLINE_S)


@asynccontextmanager
async def serving(
    *codes: CodeConfig,
    server: ServerConfig | None = None,
    clock: PlatformClock | None = None,
    network: Network | None = None,
    ledger: AnyLedger | None = None,
    **more: Any,
) -> AsyncIterator[Site]:
    """Serve a scenario from memory; by default two codes at 10/s whose messages are delivered at once."""
    server = server or ServerConfig(port=0)
    if server.port == 0 and server.host == "127.0.0.1":
        server = msgspec.structs.replace(
            server, port=lasting_port()
        )  # an outage closes the listener and opens it again
    scenario = Scenario(codes=codes or CODES, server=server, **{"delivery": SOON, **more})
    async with LiveSmsc(scenario, contract(), ledger or MemoryLedger(), clock=clock, network=network) as smsc:
        site = Site(smsc)
        try:
            yield site
        finally:
            await site.close()
