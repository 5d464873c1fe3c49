"""The port on which the server listens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import uvloop

from fake_smsc.scenario import Scenario, ServerConfig
from fake_smsc.server import network
from fake_smsc.server.live import LiveSmsc
from simbench.base.errors import PortInUse, Trouble
from simbench.ledger import MemoryLedger
from tests.fake_smsc.live import DEADLINE_S, contract, dial, serving
from tests.ports import lasting_port


def test_a_port_in_use_is_one_line_that_names_it() -> None:
    async def script() -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(PortInUse) as caught:
                async with serving(server=ServerConfig(port=port)):
                    pass
        line = str(caught.value)
        assert line.startswith(f"port {port} on 127.0.0.1: ")
        assert line.endswith("; choose another port")
        assert "\n" not in line

    asyncio.run(script())


@pytest.mark.parametrize(
    ("clients", "lasting"),
    [
        ("32768\t60999\n", range(20_000, 32_768)),
        ("25000 65535", range(20_000, 25_000)),
        ("40000 60999", range(20_000, 32_768)),
        ("1024 65535", network.LASTING),  # clients may get any port
        (None, network.LASTING),  # another system than Linux
    ],
)
def test_a_free_port_is_none_that_a_client_may_get_while_an_outage_closes_it(
    clients: str | None, lasting: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "ports"
    if clients is not None:
        given.write_text(clients, "ascii")
    monkeypatch.setattr(network, "CLIENTS_PORTS", given)

    async def script() -> None:
        async with LiveSmsc(Scenario(server=ServerConfig(port=0)), contract(), MemoryLedger()) as smsc:
            assert smsc.server.port in lasting

    asyncio.run(script())


def test_servers_that_start_together_share_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where most ports are taken, each tries until it has one of its own."""
    monkeypatch.setattr(network, "LASTING", network.LASTING[: network.TRIES])

    async def script() -> None:
        async with AsyncExitStack() as stack:
            sites = [LiveSmsc(Scenario(server=ServerConfig(port=0)), contract(), MemoryLedger()) for _ in range(10)]
            await asyncio.gather(*map(stack.enter_async_context, sites))
            assert len({site.server.port for site in sites}) == len(sites)

    asyncio.run(script())


def test_with_no_such_port_free_the_system_gives_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            monkeypatch.setattr(network, "_lasting_ports", lambda: [port] * network.TRIES)
            async with LiveSmsc(Scenario(server=ServerConfig(port=0)), contract(), MemoryLedger()) as smsc:
                assert smsc.server.port != port

    asyncio.run(script())


def test_two_servers_do_not_share_a_port() -> None:
    async def script() -> None:
        async with serving() as one:
            with pytest.raises(PortInUse):
                async with serving(server=ServerConfig(port=one.server.port)):
                    pass
            assert await one.session()

    asyncio.run(script())


def test_an_address_of_another_machine_is_refused_in_one_line() -> None:
    async def script() -> None:
        with pytest.raises(Trouble, match=r"cannot listen on 192\.0\.2\.1, port 0: ") as caught:
            async with serving(server=ServerConfig(host="192.0.2.1", port=0)):
                pass
        assert "\n" not in str(caught.value)

    asyncio.run(script())


def test_a_server_that_stopped_leaves_its_port_free() -> None:
    async def script() -> None:
        async with serving() as site:
            port = site.server.port
            await site.session()
        async with serving(server=ServerConfig(port=port)) as again:
            assert again.server.port == port
            assert await again.session()

    asyncio.run(script())


@pytest.mark.parametrize("turns", range(6))
def test_a_connection_that_comes_while_the_server_stops_is_closed(turns: int) -> None:
    """The loop makes a connection over several turns; the server may be stopped in any of them."""

    async def script() -> bytes:
        async with serving() as site:
            peer = socket.create_connection(("127.0.0.1", site.server.port))
            for _ in range(turns):
                await asyncio.sleep(0)
        for _ in range(6):
            await asyncio.sleep(0)
        with peer:
            peer.settimeout(DEADLINE_S)
            try:
                return peer.recv(1)
            except ConnectionResetError:
                return b""

    assert asyncio.run(script()) == b""


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_closed_port_refuses_before_the_loop_turns(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def script() -> None:
        async with serving(server=ServerConfig(port=lasting_port())) as site:
            site.server.close_listener()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", site.server.port))

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(script())


def test_a_socket_bound_to_a_closed_port_is_no_connection() -> None:
    async def script() -> None:
        port = lasting_port()
        with pytest.raises(ConnectionRefusedError, match=f"only this socket has port {port}"):
            await dial(port, own_port=port)

    asyncio.run(script())
