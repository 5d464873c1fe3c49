"""Crowds that beset a served process, and what they saw."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from simbench.ucp.frame import encode
from tests import harness
from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer
from tests.survive.limits import committed, rss, session

SESSIONS, EACH, RATE_PER_S = 200, 20, 10
TOO_FAST = """
[[codes]]
code = "36010"
sessions = 200
limit = "nack"
window = 100
[[codes]]
code = "36020"
"""
BURST = encode(1, "O", "99", "") * 2000  # each answered at greater length than it was asked
BYSTANDERS = 8  # submits of another client during a flood
DEAF = 3


class Flood(NamedTuple):
    """The result of a flood: verdicts of its submits, its duration (s), memory (octets)."""

    verdicts: list[str]
    elapsed_s: float
    grown: int


async def served(peer: LivePeer, number: int, code: str = "36150") -> None:
    """One submit of a bystander, which must be accepted."""
    peer.send(harness.submit(number % 100, OAdC=code, AdC=f"3371{number:07d}", NRq="", NT=""))
    assert (await peer.frame()).data[0] == "A"


async def flood(server: Served) -> Flood:
    """Two hundred sessions that submit far above their tier, all at once, and a bystander."""
    bystander = await session(server.port, "36020")
    crowd = [await session(server.port, "36010") for _ in range(SESSIONS)]
    before, started = rss(server), time.monotonic()
    tasks = [asyncio.ensure_future(_flooding(peer, 1000 * number)) for number, peer in enumerate(crowd)]
    for number in range(BYSTANDERS):
        await served(bystander, 9_000_000 + number, "36020")
    verdicts = [verdict for task in tasks for verdict in await task]
    seen = Flood(verdicts, time.monotonic() - started, rss(server) - before)
    for peer in (bystander, *crowd):
        await peer.close()
    return seen


async def _flooding(peer: LivePeer, first: int) -> list[str]:
    """One session's submits; the verdicts it got."""
    for number in range(first, first + EACH):
        peer.send(harness.submit(number % 100, OAdC="36010", AdC=f"3371{number:07d}", NRq="", NT=""))
    return [frame.data[0] + frame.data[1] for frame in await peer.frames(EACH)]


async def deaf_peers(server: Served, folder: Path) -> int:
    """Peers that send and read nothing until they are cut off, one after the other; by how much memory grew at most."""
    loop, known = asyncio.get_running_loop(), await session(server.port)
    await served(known, DEAF)  # the first message loads what serving needs
    await asyncio.to_thread(committed, folder)
    before = most = rss(server)
    deaf = []
    for _ in range(DEAF):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.setblocking(False)
        await loop.sock_connect(one, ("127.0.0.1", server.port))
        deaf.append(one)
    for number, one in enumerate(deaf):
        with suppress(ConnectionError):
            while True:
                await loop.sock_sendall(one, BURST)
                most = max(most, rss(server))
        await served(known, number)
        one.close()
    await known.close()
    return most - before
