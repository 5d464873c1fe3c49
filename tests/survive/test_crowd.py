"""A real server without free descriptors, flooded, or with a peer that does not read: other clients are served."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from fake_smsc.server.server import UNREAD_OCTETS
from simbench.ledger import open_run
from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer, dial
from tests.survive.crowd import DEAF, EACH, RATE_PER_S, SESSIONS, TOO_FAST, deaf_peers, flood, served
from tests.survive.limits import Patient, descriptors, limit, scenario, session

pytestmark = pytest.mark.slow

SPARE = 12  # descriptors the server may still take
CALLERS = 60


def test_out_of_descriptors_those_connected_are_served_and_others_again_when_there_is_room(tmp_path: Path) -> None:
    async def script(server: Served) -> None:
        known = await session(server.port)
        await served(known, 0)
        limit(server, resource.RLIMIT_NOFILE, descriptors(server) + SPARE)
        callers = []
        for _ in range(CALLERS):
            with suppress(ConnectionError):
                callers.append(socket.create_connection(("127.0.0.1", server.port)))
        for number in range(1, 60):
            await served(known, number)
        assert len(callers) > SPARE
        for caller in callers:
            caller.close()
        fresh = await until_let_in(server.port)
        await served(fresh, 1, "36020")
        for peer in (known, fresh):
            await peer.close()

    folder = tmp_path / "run"
    with Patient(scenario(tmp_path), "--port", "0", "-o", folder) as server:
        asyncio.run(script(server))
        limit(server, resource.RLIMIT_NOFILE, resource.RLIM_INFINITY)
        status, errors = server.end(signal.SIGTERM)
    assert (status, "Traceback" in errors) == (0, False), errors
    assert open_run(folder).info.closed


async def until_let_in(port: int) -> LivePeer:
    """Try until the server has room again."""
    while True:
        peer = await dial(port)
        with suppress(AssertionError, ConnectionError, TimeoutError):
            assert (await peer.login("36020")).data[0] == "A"
            return peer
        peer.abort()
        await peer.close()


def test_two_hundred_sessions_far_above_their_tier_get_their_tier_and_harm_nobody(tmp_path: Path) -> None:
    path = tmp_path / "fast.toml"
    path.write_text(TOO_FAST)
    with Patient(path, "--port", "0", "-o", tmp_path / "run") as server:
        seen = asyncio.run(flood(server))
    passed = seen.verdicts.count("A")
    assert len(seen.verdicts) == SESSIONS * EACH  # every one is answered
    assert set(seen.verdicts) == {"A", "N04"}
    assert 0 < passed <= RATE_PER_S * (seen.elapsed_s + 1)


def test_peers_that_read_nothing_are_cut_off_with_a_bounded_number_of_octets_unread(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Patient(scenario(tmp_path), "--port", "0", "-o", folder) as server:
        asyncio.run(deaf_peers(server, folder))
        server.end(signal.SIGTERM)
    rows = open_run(folder).wire.to_pylist()
    deaf = {row["session"] for row in rows if row["octets"] == b"server: too much before a login"}
    assert len(deaf) == DEAF
    system = int(Path("/proc/sys/net/ipv4/tcp_wmem").read_text().split()[2])  # what a socket may hold at most
    for number in deaf:
        written = sum(len(row["octets"]) for row in rows if (row["session"], row["direction"]) == (number, "out"))
        assert written < 2 * UNREAD_OCTETS + system
