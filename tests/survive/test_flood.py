"""Octets that come faster than a ledger takes them: it lives on, and what was accepted is in it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from simbench.ledger import open_run
from simbench.ucp.frame import encode
from tests import harness
from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer
from tests.survive.limits import Patient, scenario, session

pytestmark = pytest.mark.slow

LONG = encode(1, "O", "51", "/".join(["3" * 3_800, *[""] * 32]))  # some 3.9 kB, and refused
FRAMES, AT_ONCE = 18_000, 50  # 70 MB, more than the 64 MB that once ended a ledger
AFTERWARDS = 500


async def flood(port: int) -> int:
    """Send long frames as fast as they are answered; return their number."""
    peer = await session(port)
    answered = 0
    for _ in range(FRAMES // AT_ONCE):
        peer.send(LONG * AT_ONCE)
        for _ in range(AT_ONCE):
            assert (await peer.frame()).data[0] == "N"
            answered += 1
    await peer.close()
    return answered


async def submits(peer: LivePeer, count: int) -> set[str]:
    """Submit that many messages one by one; return their recipients."""
    there = set()
    for number in range(count):
        peer.send(harness.submit(number % 100, OAdC="36020", AdC=f"3371{number:07d}", NRq="", NT=""))
        there.add((await peer.frame()).data[2].partition(":")[0])
    return there


@pytest.mark.parametrize("durable", [False, True])
def test_after_a_flood_of_long_frames_the_ledger_takes_what_others_send(tmp_path: Path, durable: bool) -> None:
    folder = tmp_path / "run"

    async def script(server: Served) -> set[str]:
        assert await flood(server.port) == FRAMES
        peer = await session(server.port, "36020")
        there = await submits(peer, AFTERWARDS)
        await peer.close()
        return there

    with Patient(scenario(tmp_path, durable=durable), "--port", "0", "-o", folder) as server:
        there = asyncio.run(script(server))
        status, errors = server.end(signal.SIGTERM)
    assert (status, "cannot be written" in errors) == (0, False), errors
    run = open_run(folder)
    assert len(there) == AFTERWARDS
    assert there == {row["recipient"] for row in run.centre.to_pylist() if row["kind"] == "accepted"}
    came = sum(
        len(octets)
        for octets, way in zip(*(run.wire[name].to_pylist() for name in ("octets", "direction")), strict=True)
        if way == "in"
    )
    assert came > FRAMES * len(LONG)
