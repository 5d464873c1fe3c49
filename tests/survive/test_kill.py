"""Facts about a server under load that is killed without a word: what its ledger holds, and what it lacks."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from pathlib import Path

import pytest

from simbench.ledger import open_run
from simbench.ledger.flusher import PERIOD_S
from tests import harness
from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer
from tests.survive.limits import scenario, session

WINDOW = 50
SLACK_S = 1.0  # what a round of the ledger may take on a busy machine, beyond its period
Told = dict[str, float]  # recipient to when the client was told that its message is accepted


async def load_until_killed(server: Served, after_s: float) -> tuple[Told, float]:
    """Keep the window full until the server is gone; what was acknowledged, and when it was killed."""
    peer = await session(server.port)
    told: Told = {}
    killer = asyncio.get_running_loop().call_later(after_s, server.process.kill)
    asked = 0
    try:
        for asked in range(WINDOW):
            peer.send(submit(asked, asked))
        while True:
            frame = await peer.frame()
            asked += 1
            note(told, frame.data)
            peer.send(submit(int(frame.trn), asked))
    except (AssertionError, ConnectionError):  # the connection has ended
        killed_at = time.monotonic()
    finally:
        killer.cancel()
    for frame in peer.kept():
        note(told, frame.data)
    await close(peer)
    return told, killed_at


def submit(trn: int, number: int) -> bytes:
    return harness.submit(trn, OAdC="36150", AdC=f"3371{number:07d}", NRq="", NT="")


def note(told: Told, data: list[str]) -> None:
    assert data[0] == "A", data
    told[data[2].partition(":")[0]] = time.monotonic()


async def close(peer: LivePeer) -> None:
    peer.abort()
    await peer.close()


def accepted(folder: Path) -> set[str]:
    run = open_run(folder)
    assert not run.info.closed
    for table in ("wire", "story", "centre"):
        rows = run.table(table)
        assert rows["n"].to_pylist() == list(range(rows.num_rows))
    return {row["recipient"] for row in run.centre.to_pylist() if row["kind"] == "accepted"}


def test_killed_under_load_only_the_last_batch_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Served(scenario(tmp_path), "--port", "0", "-o", folder) as server:
        told, killed_at = asyncio.run(load_until_killed(server, 2.5))
        assert server.process.wait() == -signal.SIGKILL
    there = accepted(folder)
    missing = [at for recipient, at in told.items() if recipient not in there]
    assert len(told) > 2_000
    oldest_s = killed_at - min(missing, default=killed_at)
    assert oldest_s < PERIOD_S + SLACK_S
    print(f"acknowledged {len(told)}, missing {len(missing)}, the oldest {oldest_s * 1000:.0f} ms before the end")  # noqa: T201 - its figures


@pytest.mark.parametrize("seed", range(4))
def test_durable_loses_nothing_acknowledged_whenever_it_is_killed(tmp_path: Path, seed: int) -> None:
    folder, after_s = tmp_path / "run", random.Random(seed).uniform(0.05, 1.2)
    with Served(scenario(tmp_path, durable=True), "--port", "0", "-o", folder) as server:
        told, _ = asyncio.run(load_until_killed(server, after_s))
        assert server.process.wait() == -signal.SIGKILL
    assert set(told) <= accepted(folder)
    print(f"killed after {after_s:.2f} s: acknowledged {len(told)}")  # noqa: T201 - its figures
