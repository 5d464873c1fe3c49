"""A server in a separate process, and ordinary clients during an attack, whose waiting times are measured."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from tests import harness
from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer, dial
from tests.survive.limits import rss

SCENARIO = """
[server]
failed_logins_per_min = {guesses}
[delivery]
latency_median_ms = 1
[[codes]]
code = "36010"
sessions = 20
[[codes]]
code = "36020"
[[codes]]
code = "36150"
sessions = 20
rate_per_s = 150
request_id = "demo"
limit = "monitor"
"""
CLIENTS = 4
OWNER = "127.0.1.1"  # not in the attackers' block, whose wrong tokens are counted
SETTLE_S = 5.0  # while the server loads its fast path
PAUSE_S = 0.02  # between an answer and the next submit


class Server(Served):
    """A server that is attacked."""

    deadline_s = 3600.0


@contextmanager
def served(*options: str | Path, guesses: int = 0) -> Iterator[Server]:
    """Run a server with its API, a log and three accounts; its ledger is deleted at the end."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "attacked.toml"
        path.write_text(SCENARIO.format(guesses=guesses))
        more = ("--api", "0", "--log", Path(place) / "log", *options)
        with Server(path, "--port", "0", "-o", Path(place) / "run", *more) as server:
            yield server


def busy_ms(server: Server) -> float:
    """Return the run time of the serving thread so far; other waits of a client are caused by the machine."""
    pid = server.process.pid
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6


class Seen:
    """Observations of ordinary clients: waiting times of their submits (ms), by the clock and as the server's own work
    until the answer; the server's memory (octets); and the answers to the owner of the API."""

    HEADS = (
        "submits", "p50 ms", "p99 ms", "most ms", "work p99", "work most", "logins", "slowest", "grown MB", "MB",
        "owner", "slowest",
    )  # fmt: skip

    def __init__(self) -> None:
        self.waits_ms: list[float] = []
        self.work_ms: list[float] = []
        self.memory = self.resident = 0  # by how much it grew, and all of it
        self.logins_ms: list[float] = []
        self.owner_ms: list[float] = []  # of answers with status 200
        self.owner_asked = 0

    @property
    def work_p99_ms(self) -> float:
        """Return the server's own work within which 99 of 100 submits were answered (ms)."""
        return float(np.quantile(np.array(self.work_ms or [0.0]), 0.99))

    def figures(self) -> tuple[str, ...]:
        """Return the cells below HEADS; the server's own work is in ms as well; the owner's answers as a share."""
        waits, work = np.array(self.waits_ms or [0.0]), np.array(self.work_ms or [0.0])
        return (
            str(len(self.waits_ms)),
            *(f"{each:.1f}" for each in (np.quantile(waits, 0.5), np.quantile(waits, 0.99), waits.max())),
            *(f"{each:.1f}" for each in (self.work_p99_ms, work.max())),
            *(str(len(self.logins_ms)), f"{max(self.logins_ms, default=0):.0f}"),
            *(f"{each / 1e6:.0f}" for each in (self.memory, self.resident)),
            *(f"{len(self.owner_ms)}/{self.owner_asked}", f"{max(self.owner_ms, default=0):.0f}"),
        )


async def _owned(port: int, token: str) -> bool:
    """Tell whether the owner of the API, at a separate address, gets an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(OWNER, 0))
    head = f"GET /api/v1/platform HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
    writer.write(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
    try:
        return (await reader.read()).startswith(b"HTTP/1.1 200")
    finally:
        writer.close()


async def beside(
    server: Server, attack: Callable[[], Awaitable[Any]], api: int = 0, token: str = ""
) -> tuple[Seen, Any]:
    """Run an attack with ordinary clients and the owner of the API at a port; return observations and result."""
    seen, over = Seen(), asyncio.Event()
    peers = [await dial(server.port) for _ in range(CLIENTS)]
    for peer in peers:
        assert (await peer.login("36150")).data[0] == "A"

    async def client(peer: LivePeer, number: int) -> None:
        trn = 0
        while not over.is_set():
            trn = (trn + 1) % 100
            began, busy = time.monotonic(), busy_ms(server)
            await peer.submit(trn, OAdC="36150", AdC=f"3371{number}0000{trn:02d}", NRq="", NT="")
            seen.waits_ms.append((time.monotonic() - began) * 1000)
            seen.work_ms.append(busy_ms(server) - busy)
            seen.resident = max(seen.resident, rss(server))
            seen.memory = seen.resident - before
            await asyncio.sleep(PAUSE_S)

    async def newcomer() -> None:
        while not over.is_set():
            began = time.monotonic()
            peer = await dial(server.port)
            if (await peer.login("36010")).data[0] == "A":
                seen.logins_ms.append((time.monotonic() - began) * 1000)
            await peer.close()
            await asyncio.sleep(0.2)

    async def owner() -> None:
        while not over.is_set():
            began = time.monotonic()
            seen.owner_asked += 1
            with suppress(OSError):
                if await _owned(api, token):
                    seen.owner_ms.append((time.monotonic() - began) * 1000)
            await asyncio.sleep(0.1)

    await asyncio.sleep(SETTLE_S)
    before = rss(server)
    tasks = [asyncio.create_task(client(peer, number)) for number, peer in enumerate(peers)]
    tasks.append(asyncio.create_task(newcomer()))
    if api:
        assert await _owned(api, token), "its block is known from now on"
        tasks.append(asyncio.create_task(owner()))
    try:
        result = await attack()
    finally:
        over.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        for peer in peers:
            await peer.close()
    return seen, result


async def child(*arguments: object) -> Any:
    """Run a module of this package in a process of its own; return the JSON it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return json.loads(said.splitlines()[-1])


__all__ = ["Seen", "beside", "child", "harness", "served"]
