"""Accounting records a second that a real FreeRADIUS accepts without loss, and the share that our sender reaches.

The server runs on one core, senders on the other. The ceiling is a generator that signs beforehand, verifies nothing
and keeps no journal. `python -m tools.bench.radius` runs it alone.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Final, cast

import uvloop

from simbench.base.errors import MissingTool
from simbench.bench.sut.child_process import find_program
from simbench.dialup.radius.detail import read_detail
from simbench.dialup.radius.journal import Journal, read_journal
from simbench.dialup.radius.packets import encode, sign
from simbench.dialup.radius.plan import Planned, schedule
from simbench.dialup.radius.reconcile import reconcile
from simbench.dialup.radius.sender import WINDOW, Sender, Server
from tests.dialup.radius.scenes import some_calls
from tests.real.freeradius import SECRET, FreeRadius

SERVER_CPU, SENDER_CPU = 0, min(1, (os.cpu_count() or 1) - 1)
CALLS: Final = 30_000
PORTS: Final = 2


class Blast(asyncio.DatagramProtocol):
    """One source port: its packets in order, each when an answer has made room for it."""

    def __init__(self, packets: list[bytes], done: asyncio.Future[None]) -> None:
        self.packets, self.done, self.next, self.answered = packets, done, 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
        for _ in range(WINDOW):
            self._send()

    def _send(self) -> None:
        if self.next < len(self.packets):
            self.transport.sendto(self.packets[self.next])
            self.next += 1

    def datagram_received(self, _data: bytes, _addr: object) -> None:
        self.answered += 1
        self._send()
        if self.answered == len(self.packets):
            self.done.set_result(None)


def radius() -> list[tuple[str, bool]]:
    """Print the rate and compare it with the gate; do nothing without FreeRADIUS."""
    try:
        find_program("freeradius", "freeradius")
    except MissingTool as error:
        print(f"accounting: skipped: {error}")
        return []
    plan = list(schedule(some_calls(CALLS)))
    allowed = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as folder:
        os.sched_setaffinity(0, {SENDER_CPU})
        try:
            ceiling = _ceiling(Path(folder) / "ceiling", plan)
            return _ours(Path(folder) / "ours", plan, ceiling)
        finally:
            os.sched_setaffinity(0, allowed)


def _server(folder: Path) -> FreeRadius:
    return FreeRadius(folder, prefix=("taskset", "-c", str(SERVER_CPU)))


def _ceiling(folder: Path, plan: list[Planned]) -> float:
    packets = [sign(encode(each.record), n // PORTS & 0xFF, SECRET) for n, each in enumerate(plan)]

    async def run(port: int) -> float:
        loop, blasts = asyncio.get_running_loop(), []
        start = time.perf_counter()
        for n in range(PORTS):
            done: asyncio.Future[None] = loop.create_future()
            transport, _ = await loop.create_datagram_endpoint(
                lambda n=n, done=done: Blast(packets[n::PORTS], done),  # type: ignore[misc]  # bound now
                remote_addr=("127.0.0.1", port),
            )
            blasts.append((done, transport))
        await asyncio.wait_for(asyncio.gather(*(done for done, _ in blasts)), 60)
        elapsed = time.perf_counter() - start
        for _, transport in blasts:
            transport.close()
        return len(packets) / elapsed

    with _server(folder) as server:
        return uvloop.run(run(server.port))


def _ours(folder: Path, plan: list[Planned], ceiling: float) -> list[tuple[str, bool]]:
    with _server(folder) as server, Journal(folder / "journal.jsonl") as journal:
        sender = Sender(Server("127.0.0.1", server.port, SECRET, ports=PORTS), journal)
        start, cpu = time.perf_counter(), time.process_time()
        uvloop.run(sender.run(plan))
        elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    start = time.perf_counter()
    found = reconcile(read_journal(folder / "journal.jsonl"), read_detail(server.detail))
    judged_s = time.perf_counter() - start
    rate = len(plan) / elapsed
    print(
        f"accounting to FreeRADIUS: {rate:,.0f} records/s, {rate / ceiling:.2f} of the ceiling {ceiling:,.0f}/s; "
        f"{sender.retransmitted} retransmissions, {sender.given_up} lost, sender's core {cpu / elapsed:.2f} busy; "
        f"{found.counts['records kept']:,} records reconciled at {found.counts['records kept'] / judged_s:,.0f}/s"
    )
    return [
        ("accounting without loss", not sender.given_up and not sender.retransmitted),
        ("every record kept once", found.counts["records kept"] == len(plan) and not found.differences),
    ]


if __name__ == "__main__":
    radius()
