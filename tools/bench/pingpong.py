"""Window 1: send one submit, wait for ETX, send the next. Prints round trips a second."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
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


class User(Player):
    """One session that sends ten messages a second."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.times = 0.0, list[float]()

    def data_received(self, data: bytes) -> None:
        del data
        self.times.append(time.perf_counter() - self.begun)


async def ordinary(port: int, seconds: float) -> float:
    """The median time (us) until the result of a message, of a user who sends ten a second."""
    user = User()
    await asyncio.get_running_loop().create_connection(lambda: user, "127.0.0.1", port)
    for number in range(round(10 * seconds)):
        await asyncio.sleep(0.1)
        user.begun = time.perf_counter()
        user.transport.write(user.frames[number])
    await asyncio.sleep(0.1)
    return statistics.median(user.times[1:]) * 1e6  # the first is the login's


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
    how = ordinary if sys.argv[4:] == ["ordinary"] else play
    print(uvloop.run(how(int(sys.argv[1]), float(sys.argv[2]))))
