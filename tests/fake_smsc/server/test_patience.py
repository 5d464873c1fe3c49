"""Peers that send nothing or read nothing: how long the server keeps them, and at what cost."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import cast

import pytest

from fake_smsc.scenario import CodeConfig, Scenario
from fake_smsc.server.live import LiveSmsc
from fake_smsc.server.server import UNREAD_OCTETS
from simbench.bench.runner.virtual_loop import MemoryNetwork
from simbench.ledger import MemoryLedger
from simbench.ucp.frame import encode
from simbench.ucp.operations import build
from tests import harness
from tests.fake_smsc.live import Site, contract, serving
from tests.fake_smsc.virtual import in_virtual_time, virtual_clock

KEEPALIVE = build("31", "O", "02", AdC="36010", PID="0539")
BURST = encode(1, "O", "99", "") * 2000  # each answered at greater length than it was asked
SILENT_PEERS = 1000


async def never_reading(site: Site) -> socket.socket:
    """A connection that reads nothing, with small buffers in the system."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.setblocking(False)
    await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", site.server.port))
    return peer


async def log_in(site: Site, peer: socket.socket, number: int) -> None:
    """Open a session and read nothing; connections without a login are closed sooner."""
    await asyncio.get_running_loop().sock_sendall(peer, harness.login())
    assert await site.until(lambda: any(view.number == number and view.account for view in site.control.sessions()))


def test_a_client_that_never_reads_is_closed_before_it_uses_much_memory() -> None:
    async def script() -> None:
        async with serving() as site:
            bystander = await site.session()
            with await never_reading(site) as deaf, suppress(ConnectionError):
                await log_in(site, deaf, 2)
                served = site.server.connections[2].transport.get_extra_info("socket")
                served.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
                async with asyncio.timeout(300):
                    while True:
                        await asyncio.get_running_loop().sock_sendall(deaf, BURST)
            assert await site.until(lambda: len(site.control.sessions()) == 1)
            (closed,) = site.rows("wire", "close")
            assert closed[3] == b"server: peer reads nothing"
            written = sum(len(row[3]) for row in site.rows("wire", "out") if row[1] == 2)
            assert UNREAD_OCTETS < written < 2 * UNREAD_OCTETS
            assert (await bystander.submit(1)).data[0] == "A"

    asyncio.run(script())


def test_closing_does_not_wait_for_ever_for_a_client_that_does_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fake_smsc.server.server.LINGER_S", 0.05)

    async def script() -> None:
        async with serving() as site:
            with await never_reading(site) as deaf:
                await log_in(site, deaf, 1)
                transport = site.server.connections[1].transport
                while not transport.get_write_buffer_size():
                    await asyncio.get_running_loop().sock_sendall(deaf, BURST)
                    await asyncio.sleep(0)
                site.control.drop(1)
                assert await site.until(lambda: not site.control.sessions())

    asyncio.run(script())


class VirtualPeer(asyncio.Protocol):
    """A peer in memory that records what it received and when it was disconnected (virtual s)."""

    def __init__(self) -> None:
        self.got = b""
        self.lost_at = 0.0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.got += data

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.lost_at = asyncio.get_running_loop().time()


def test_a_thousand_silent_connections_are_closed_in_time_while_others_are_served() -> None:
    async def script() -> None:
        network, clock = MemoryNetwork(), virtual_clock()
        scenario, ledger = Scenario(codes=(CodeConfig(code="36010"),)), MemoryLedger()
        async with LiveSmsc(scenario, contract(), ledger, clock=clock, network=network) as smsc:
            served = VirtualPeer()
            await network.connect(lambda: served, "", smsc.server.port)
            served.transport.write(harness.login())
            silent = [VirtualPeer() for _ in range(SILENT_PEERS)]
            began = asyncio.get_running_loop().time()
            await asyncio.gather(*(network.connect(lambda p=peer: p, "", smsc.server.port) for peer in silent))  # type: ignore[misc]  # binds the loop's value
            assert len(smsc.control.sessions()) == SILENT_PEERS + 1
            for second in range(40):
                served.transport.write(harness.submit(second, AdC=f"337100000{second:02d}", NRq="", NT=""))
                await smsc.control.pause(1)
            login_s = contract().terms.session.login_timer_s.value
            assert all(login_s <= peer.lost_at - began <= login_s + 0.1 for peer in silent)
            assert not any(peer.got for peer in silent)
            reasons = {row[3] for row in ledger.wire if row[2] == "close"}
            assert reasons == {b"server: no login in time"}
            assert served.got.count(b"/R/51/A/") == 40
            assert len(smsc.control.sessions()) == 1

    in_virtual_time(script())


def test_a_session_that_keeps_alive_is_kept_and_one_that_does_not_is_closed_as_idle() -> None:
    async def script() -> None:
        async with serving() as site:
            alive, idle = await site.session(), await site.session()
            for _ in range(3):
                site.control.step(55)
                alive.send(KEEPALIVE)
                assert (await alive.frame()).ot == "31"
            assert await idle.end() == "fin"
            assert site.reason_of_closing(idle) == "server: idle"
            assert len(site.control.sessions()) == 1

    asyncio.run(script())
