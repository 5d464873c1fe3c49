"""A small RADIUS accounting server with configurable behaviour, and runs of the sender."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterable
from hashlib import md5
from pathlib import Path
from typing import cast

from simbench.dialup.radius.journal import Journal, RecordedRun, read_journal
from simbench.dialup.radius.packets import RESPONSE, SHORTEST
from simbench.dialup.radius.plan import Planned
from simbench.dialup.radius.sender import Sender, Server

SECRET = b"testing123"
DEADLINE_S = 300.0
Answer = Callable[[int, bytes], Iterable[bytes]]  # number of the datagram from 0, and it: what is sent back


def respond(request: bytes, secret: bytes, attributes: bytes = b"") -> bytes:
    """The Accounting-Response to a request."""
    header = struct.pack("!BBH", RESPONSE, request[1], SHORTEST + len(attributes))
    digest = md5(header + request[4:20] + attributes + secret, usedforsecurity=False).digest()
    return header + digest + attributes


def always(_number: int, request: bytes) -> list[bytes]:
    return [respond(request, SECRET)]


class Peer(asyncio.DatagramProtocol):
    """Keeps every datagram and answers as it was set to."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.heard: list[tuple[int, bytes]] = []  # source port, octets
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append((addr[1], data))
        for each in self._answer(len(self.heard) - 1, data):
            self.transport.sendto(each, addr)


def sent_to(
    folder: Path, planned: Iterable[Planned], answer: Answer = always, **options: float
) -> tuple[RecordedRun, Peer, Sender]:
    """Everything that comes of sending these records to such a server."""

    async def run() -> tuple[Peer, Sender]:
        loop = asyncio.get_running_loop()
        transport, peer = await loop.create_datagram_endpoint(lambda: Peer(answer), local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        patience = {"first_s": 60.0, "longest_s": 60.0, **options}  # nothing is repeated because the machine is busy
        server = Server("127.0.0.1", port, SECRET, **patience)  # type: ignore[arg-type]  # named options
        try:
            with Journal(folder / "journal.jsonl") as journal:
                sender = Sender(server, journal)
                await asyncio.wait_for(sender.run(planned), DEADLINE_S)
        finally:
            transport.close()
        return peer, sender

    peer, sender = asyncio.run(run())
    return read_journal(folder / "journal.jsonl"), peer, sender
