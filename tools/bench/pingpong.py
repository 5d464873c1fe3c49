"""Window 1: send one submit, wait for ETX, send the next. Prints round trips a second."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import cast

import uvloop

from tests.harness import login
from tools.bench.load import encoded


class Player(asyncio.Protocol):
    """One session with one unanswered frame."""

    def __init__(self) -> None:
        self.frames = encoded("36010", 0, 10_000, notify=False)
        self.trips = 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(login("36010"))

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\x03"):
            self.trips += 1
            self.transport.write(self.frames[self.trips % len(self.frames)])


async def play(port: int, seconds: float) -> float:
    """Round trips a second, the first tenth of them not counted."""
    player = Player()
    await asyncio.get_running_loop().create_connection(lambda: player, "127.0.0.1", port)
    await asyncio.sleep(seconds / 10)
    before = player.trips
    await asyncio.sleep(seconds)
    return (player.trips - before) / seconds


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[3])})
    print(uvloop.run(play(int(sys.argv[1]), float(sys.argv[2]))))
