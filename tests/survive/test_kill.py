"""A server under load that is killed without a word: what its ledger holds, and what it lacks."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simbench.ledger import open_run
from tests import harness
from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer
from tests.survive.limits import Patient, scenario, session

pytestmark = pytest.mark.slow


WINDOW = 50
LOOK_S = 0.01
Acknowledged = dict[str, None]  # recipients of the messages accepted, in the order of their results


async def load_until_killed(server: Served, enough: Callable[[Acknowledged], bool]) -> Acknowledged:
    """Keep the window full until the server is gone, killed as soon as there is enough; what was acknowledged."""
    peer = await session(server.port)
    reported: Acknowledged = {}
    killer = asyncio.create_task(kill(server, lambda: enough(reported)))
    asked = WINDOW - 1
    try:
        for number in range(WINDOW):
            peer.send(submit(number, number))
        while True:
            frame = await peer.frame()
            asked += 1
            note(reported, frame.data)
            peer.send(submit(int(frame.trn), asked))
    except (AssertionError, ConnectionError):  # the connection has ended
        await killer
    for frame in peer.kept():
        note(reported, frame.data)
    await close(peer)
    return reported


async def kill(server: Served, enough: Callable[[], bool]) -> None:
    while not enough():  # noqa: ASYNC110 - another process's files tell no event
        await asyncio.sleep(LOOK_S)
    server.process.kill()


def submit(trn: int, number: int) -> bytes:
    return harness.submit(trn, OAdC="36150", AdC=f"3371{number:07d}", NRq="", NT="")


def note(reported: Acknowledged, data: list[str]) -> None:
    assert data[0] == "A", data
    reported[data[2].partition(":")[0]] = None


async def close(peer: LivePeer) -> None:
    peer.abort()
    await peer.close()


def accepted(folder: Path) -> set[str]:
    run = open_run(folder)
    assert not run.info.closed
    for table in ("wire", "events", "centre"):
        rows = run.table(table)
        assert rows["n"].to_pylist() == list(range(rows.num_rows))
    return {row["recipient"] for row in run.centre.to_pylist() if row["kind"] == "accepted"}


def test_killed_under_load_only_what_came_after_the_last_batch_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def batches() -> bool:
        """Tell whether several batches were written."""
        return sum(path.stat().st_size for path in folder.glob("centre-*.arrows")) > 500_000

    with Patient(scenario(tmp_path), "--port", "0", "-o", folder) as server:
        reported = asyncio.run(load_until_killed(server, lambda reported: batches() and len(reported) > 2_000))
        assert server.process.wait() == -signal.SIGKILL
    there = accepted(folder)
    kept = [recipient in there for recipient in reported]
    assert kept[0]
    assert kept == sorted(kept, reverse=True)  # nothing is missing before the last that is there
    print(f"acknowledged {len(reported)}, missing the last {kept.count(False)}")  # noqa: T201 - its figures


@pytest.mark.parametrize("seed", range(4))
def test_durable_loses_nothing_acknowledged_whenever_it_is_killed(tmp_path: Path, seed: int) -> None:
    folder, after_s = tmp_path / "run", random.Random(seed).uniform(0.05, 1.2)
    with Patient(scenario(tmp_path, durable=True), "--port", "0", "-o", folder) as server:
        until = time.monotonic() + after_s
        reported = asyncio.run(load_until_killed(server, lambda _: time.monotonic() > until))
        assert server.process.wait() == -signal.SIGKILL
    assert set(reported) <= accepted(folder)
    print(f"killed after {after_s:.2f} s: acknowledged {len(reported)}")  # noqa: T201 - its figures
