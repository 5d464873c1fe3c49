"""Facts about a server whose disk is full: it goes on, says so, and writes what it kept once there is room."""

from __future__ import annotations

import asyncio
import resource
import signal
from pathlib import Path

import pytest

from simbench.ledger import open_run
from tests import harness
from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer
from tests.survive.limits import Patient, committed, limit, scenario, session

pytestmark = pytest.mark.slow


FULL = 4096  # no file may grow beyond this: to a program what a full disk is
MANY = 3_000
RESULT_S = 20.0


async def submits(peer: LivePeer, first: int, count: int) -> set[str]:
    """Have that many accepted, a window at a time; whom they are to."""
    told: set[str] = set()
    for start in range(first, first + count, 50):
        numbers = range(start, min(start + 50, first + count))
        for number in numbers:
            peer.send(harness.submit(number % 100, OAdC="36150", AdC=f"3371{number:07d}", NRq="", NT=""))
        for _ in numbers:
            frame = await peer.frame()
            assert frame.data[0] == "A"
            told.add(frame.data[2].partition(":")[0])
    return told


def accepted(folder: Path) -> set[str]:
    return {row["recipient"] for row in open_run(folder).centre.to_pylist() if row["kind"] == "accepted"}


def test_what_could_not_be_written_is_told_once_and_written_when_there_is_room(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    async def script(server: Served) -> set[str]:
        peer = await session(server.port)
        told = await submits(peer, 0, 200)
        limit(server, resource.RLIMIT_FSIZE, FULL)
        told |= await submits(peer, 200, MANY)  # it goes on answering
        await asyncio.to_thread(first_line, server, "cannot be written")
        limit(server, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        told |= await submits(peer, 200 + MANY, 200)
        await peer.close()
        return told

    with Patient(scenario(tmp_path), "--port", "0", "-o", folder) as server:
        told = asyncio.run(script(server))
        status, said = server.end(signal.SIGTERM)
    assert (status, "Traceback" in said) == (0, False), said
    assert len(told) == MANY + 400
    assert told == accepted(folder)
    assert open_run(folder).info.closed


def test_a_server_that_ends_while_the_disk_is_full_says_what_it_lost(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    async def script(server: Served) -> set[str]:
        peer = await session(server.port)
        told = await submits(peer, 0, 200)
        await asyncio.to_thread(committed, folder)
        limit(server, resource.RLIMIT_FSIZE, FULL)
        await submits(peer, 200, MANY)
        await peer.close()
        return told

    with Patient(scenario(tmp_path), "--port", "0", "-o", folder) as server:
        asyncio.run(script(server))
        status, said = server.end(signal.SIGTERM)
    assert status == 3
    assert "cannot be written" in said
    assert "Traceback" not in said
    run = open_run(folder)  # what was written before can be read
    assert not run.info.closed


def test_durable_acknowledges_nothing_that_the_disk_has_no_room_for(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    async def script(server: Served) -> set[str]:
        peer = await session(server.port)
        told = await submits(peer, 0, 100)
        limit(server, resource.RLIMIT_FSIZE, FULL)
        for number in range(100, 150):
            peer.send(harness.submit(number % 100, OAdC="36150", AdC=f"3371{number:07d}", NRq="", NT=""))
        await asyncio.to_thread(first_line, server, "cannot be written")
        assert await peer.hears_nothing()
        limit(server, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        for _ in range(100, 150):
            told.add((await peer.frame()).data[2].partition(":")[0])
        server.process.kill()
        await peer.end()
        await peer.close()
        return told

    with Patient(scenario(tmp_path, durable=True), "--port", "0", "-o", folder) as server:
        told = asyncio.run(script(server))
        server.process.wait()
    assert len(told) == 150
    assert told <= accepted(folder)


def first_line(server: Served, wanted: str) -> None:
    assert server.process.stderr is not None
    line = server.process.stderr.readline()
    assert wanted in line, line


@pytest.fixture(autouse=True)
def _limits_can_be_set() -> None:
    if not hasattr(resource, "prlimit"):  # pragma: no cover - Linux has it
        pytest.skip("limits of another process cannot be set here")
