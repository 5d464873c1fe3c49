"""A machine's clock is moved while a server runs: the platform's clock continues unchanged."""

from __future__ import annotations

import asyncio
import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest

from simbench.bench.sut import faketime
from simbench.bench.sut.protocol import ClockGiven
from simbench.ledger import open_run
from tests import harness
from tests.cli.child import Served
from tests.survive.limits import Patient, scenario, session

pytestmark = pytest.mark.slow


FAR_US = 1_800_000_000  # half the smallest move; no run of this test takes so long


@pytest.mark.real
@pytest.mark.skipif(faketime.library() is None, reason="libfaketime is not installed")
@pytest.mark.parametrize("move", ["-3600", "+86400"])
def test_the_platform_does_not_notice_that_the_machine_s_clock_was_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move: str
) -> None:
    folder, started = tmp_path / "run", time.time_ns() // 1000
    for name, value in faketime.environment(tmp_path, ClockGiven(started, time.monotonic_ns())).items():
        monkeypatch.setenv(name, value)

    async def moved() -> None:
        """Move the machine's clock, and wait until the library has looked."""
        now = time.time_ns() // 1000 + int(move) * 1_000_000
        faketime.move(tmp_path, ClockGiven(now, time.monotonic_ns()))
        await asyncio.sleep(faketime.CACHE_S)

    async def script(server: Served) -> None:
        peer = await session(server.port)
        for number in range(20):
            if number == 10:
                await moved()
            peer.send(harness.submit(number, OAdC="36150", AdC=f"3371{number:07d}", NRq="", NT=""))
            assert (await peer.frame()).data[0] == "A"
        await peer.close()

    with Patient(scenario(tmp_path), "--port", "0", "-o", folder) as server:
        asyncio.run(script(server))
        status, errors = server.end(signal.SIGTERM)
    assert status == 0, errors
    run = open_run(folder)
    moved_us = (run.info.times.wall_ended - run.info.times.wall_started) - int(move) * 1_000_000
    assert abs(moved_us) < FAR_US  # the machine's clock did move
    instants = run.wire["at"].to_pylist()
    assert all(0 <= later - earlier < FAR_US for earlier, later in pairwise(instants))
