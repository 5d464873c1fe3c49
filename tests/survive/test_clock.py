"""Facts about a machine whose clock is moved while a server runs: the platform's clock goes on as it was."""

from __future__ import annotations

import asyncio
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from simbench.ledger import open_run
from tests import harness
from tests.cli.child import Served
from tests.survive.limits import scenario, session

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
FAR_US = 60_000_000  # less than any of the moves


@pytest.mark.real
@pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")
@pytest.mark.xfail(
    reason="under libfaketime the ledger's thread gets EINVAL and writes nothing; whose fault is not known yet"
)
@pytest.mark.parametrize("move", ["-3600", "+86400"])
def test_the_platform_does_not_notice_that_the_machine_s_clock_was_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move: str
) -> None:
    offset, folder = tmp_path / "offset", tmp_path / "run"
    offset.write_text("+0")
    monkeypatch.setenv("LD_PRELOAD", str(LIBRARIES[0]))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")

    async def script(server: Served) -> None:
        peer = await session(server.port)
        for number in range(20):
            if number == 10:
                offset.write_text(move)
            peer.send(harness.submit(number, OAdC="36150", AdC=f"3371{number:07d}", NRq="", NT=""))
            assert (await peer.frame()).data[0] == "A"
        await peer.close()

    with Served(scenario(tmp_path), "--port", "0", "-o", folder) as server:
        asyncio.run(script(server))
        status, said = server.end(signal.SIGTERM)
    assert status == 0, said
    run = open_run(folder)
    moved_us = (run.info.wall_ended - run.info.wall_started) - int(move) * 1_000_000
    assert abs(moved_us) < FAR_US  # the machine's clock did move
    instants = run.wire["at"].to_pylist()
    assert all(0 <= later - earlier < FAR_US for earlier, later in pairwise(instants))
