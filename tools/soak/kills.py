"""`python -m tools.soak.kills`: a server under load is killed again and again, with `durable` and without.

With `durable` nothing that was acknowledged may be missing in the ledger. Without, only what was acknowledged shortly
before the kill may; the tool prints how many messages, and over how many milliseconds. With `--flood` strangers flood
the server all the while. Exit status 1 when an acknowledged message of `durable` is missing, a table has a gap, or a
message is missing before one that is there.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from simbench.ledger import open_run
from tests import harness
from tests.fake_smsc.live import LivePeer
from tests.survive.limits import Patient, scenario, session
from tools.attack.flood import FLOODS

WINDOW = 50
SOONEST_S, LATEST_S = 0.05, 1.5  # after the login
TABLES = ("wire", "events", "centre")


class Killed(NamedTuple):
    """One kill: acknowledged messages, how many of them are missing, and the age of the oldest missing one (ms)."""

    acknowledged: int
    missing: int
    since_ms: float
    whole: bool


async def load(server: Patient, after_s: float) -> tuple[dict[str, float], float]:
    """Keep the window full until the server is killed; return the time of each acknowledgement and of the kill."""
    peer = await session(server.port)
    acknowledged: dict[str, float] = {}
    loop, killed_at = asyncio.get_running_loop(), 0.0

    def kill() -> None:
        nonlocal killed_at
        killed_at = time.monotonic()
        server.process.kill()

    loop.call_later(after_s, kill)
    try:
        for number in range(WINDOW):
            peer.send(_submit(number, number))
        asked = WINDOW
        while True:
            frame = await peer.frame()
            acknowledged[frame.data[2].partition(":")[0]] = time.monotonic()
            peer.send(_submit(int(frame.trn), asked))
            asked += 1
    except (AssertionError, ConnectionError):  # the connection has ended
        pass
    for frame in peer.kept():
        acknowledged[frame.data[2].partition(":")[0]] = killed_at
    await _close(peer)
    return acknowledged, killed_at


async def _close(peer: LivePeer) -> None:
    peer.abort()
    await peer.close()


def _submit(trn: int, number: int) -> bytes:
    return harness.submit(trn, OAdC="36150", AdC=f"3371{number:07d}", NRq="", NT="")


@contextmanager
def flooded(port: int, kind: str) -> Iterator[None]:
    """Strangers that flood a port with one kind of octets until the end; "": none."""
    if not kind:
        yield
        return
    command = [sys.executable, "-m", "tools.attack.flood", str(port), kind, "100000", "1000000", "30"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as flood:
        try:
            yield
        finally:
            flood.kill()


def kill_once(folder: Path, *, durable: bool, after_s: float, flood: str = "") -> Killed:
    """Serve, load, kill, and compare the ledger with what was acknowledged."""
    with Patient(scenario(folder, durable=durable), "--port", "0", "-o", folder / "run") as server:
        with flooded(server.port, flood):
            acknowledged, killed_at = asyncio.run(load(server, after_s))
        server.process.wait()
    run = open_run(folder / "run", lambda _: None)
    there = {row["recipient"] for row in run.centre.to_pylist() if row["kind"] == "accepted"}
    kept = [recipient in there for recipient in acknowledged]
    numbered = all(run.table(name)["n"].to_pylist() == list(range(run.table(name).num_rows)) for name in TABLES)
    lost = [at for (_, at), has in zip(acknowledged.items(), kept, strict=True) if not has]
    since_ms = (killed_at - min(lost)) * 1000 if lost else 0.0
    return Killed(len(kept), len(lost), since_ms, numbered and kept == sorted(kept, reverse=True))


def main() -> None:
    """Kill the server the given number of times, with and without `durable` in turns."""
    parser = argparse.ArgumentParser(description="Kill a server under load, with durable and without.")
    parser.add_argument("--count", type=int, default=100, help="kills of each kind (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills (default 1)")
    parser.add_argument("--flood", action="store_true", help="beside strangers' floods, of each kind in turns")
    options = parser.parse_args()
    chance, seen = random.Random(options.seed), {True: list[Killed](), False: list[Killed]()}
    for number in range(options.count):
        for durable, kills in seen.items():
            with tempfile.TemporaryDirectory() as folder:
                after_s = chance.uniform(SOONEST_S, LATEST_S)
                flood = list(FLOODS)[number % len(FLOODS)] if options.flood else ""
                kills.append(kill_once(Path(folder), durable=durable, after_s=after_s, flood=flood))
        if (number + 1) % 10 == 0:
            print(f"{number + 1} of {options.count}", flush=True)
    wrong = 0
    beside = " beside floods" if options.flood else ""
    for durable, kills in seen.items():
        missing = [each.missing for each in kills]
        print(
            f"{'durable' if durable else 'not durable'}{beside}: {len(kills)} kills, "
            f"{sum(each.acknowledged for each in kills):,} acknowledged, {sum(missing):,} missing "
            f"(at most {max(missing)} of one kill, acknowledged at most {max(each.since_ms for each in kills):.0f} ms "
            f"before it), {sum(not each.whole for each in kills)} ledgers with a gap"
        )
        wrong += sum(not each.whole for each in kills) + (sum(missing) if durable else 0)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
