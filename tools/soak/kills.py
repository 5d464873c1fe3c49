"""`python -m tools.soak.kills`: a server under load is killed again and again, with `durable` and without, and resumed.

With `durable` no acknowledged message may be missing in the ledger. Without it, only messages acknowledged shortly
before the kill may be missing; the tool prints their number and the time span in milliseconds. After the kill the run
is resumed, and the client repeats messages without a result: those that the server had accepted are then accepted
twice, and the tool counts them. With `--flood` connections without a login flood the server at the same time. Exit
status 1 if an acknowledged message of `durable` is missing, a table has a gap, a message is missing before a present
one, or a message was acknowledged twice, or accepted twice although its client did not send it again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from simbench.ledger import open_run
from tests import harness
from tests.survive.limits import Patient, scenario, session
from tools.attack.flood import FLOODS

WINDOW = 50
SOONEST_S, LATEST_S = 0.05, 1.5  # after the login
TABLES = ("wire", "events", "centre")


class Killed(NamedTuple):
    """One kill: acknowledged messages, the number missing, and the age of the oldest missing one (ms); the numbers of
    messages sent again afterwards and accepted twice; `faults` are forbidden results."""

    acknowledged: int
    missing: int
    since_ms: float
    again: int
    doubled: int
    faults: tuple[str, ...] = ()


class Sender:
    """A client that keeps its window full; `acknowledged` has the times of acknowledgement by recipient."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, list[float]] = {}
        self.submitted = 0
        self.killed_at = 0.0

    async def until_killed(self, server: Patient, after_s: float) -> None:
        """Send until the server is killed, so many seconds after the login."""
        peer = await session(server.port)
        loop = asyncio.get_running_loop()

        def kill() -> None:
            self.killed_at = time.monotonic()
            server.process.kill()

        loop.call_later(after_s, kill)
        try:
            for number in range(WINDOW):
                peer.send(_submit(number, number))
            self.submitted = WINDOW
            while True:
                frame = await peer.frame()
                self._note(frame.data[2], time.monotonic())
                peer.send(_submit(int(frame.trn), self.submitted))
                self.submitted += 1
        except (AssertionError, ConnectionError):  # the connection has ended
            pass
        for frame in peer.kept():
            self._note(frame.data[2], self.killed_at)
        peer.abort()
        await peer.close()

    async def again(self, server: Patient) -> int:
        """Send again all messages without a result; return their number."""
        unanswered = [number for number in range(self.submitted) if recipient(number) not in self.acknowledged]
        peer = await session(server.port)
        for trn, number in enumerate(unanswered):
            peer.send(_submit(trn % WINDOW, number))
            self._note((await peer.frame()).data[2], time.monotonic())
        await peer.close()
        return len(unanswered)

    def _note(self, result: str, at: float) -> None:
        self.acknowledged.setdefault(result.partition(":")[0], []).append(at)


def recipient(number: int) -> str:
    """The recipient of a message."""
    return f"3371{number:07d}"


def _submit(trn: int, number: int) -> bytes:
    return harness.submit(trn, OAdC="36150", AdC=recipient(number), NRq="", NT="")


@contextmanager
def flooded(port: int, kind: str) -> Iterator[None]:
    """Flood a port with one kind of octets from now until the end; "": no flood."""
    if not kind:
        yield
        return
    command = [sys.executable, "-m", "tools.attack.flood", str(port), kind, "100000", "1000000", "30"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as flood:
        try:
            assert flood.stdout is not None
            assert flood.stdout.readline(), "the flood begins"
            yield
        finally:
            flood.kill()


def accepted(folder: Path) -> tuple[Counter[str], bool]:
    """Return how often the message of each recipient was accepted, and whether all rows are numbered consecutively."""
    run = open_run(folder, lambda _: None)
    rows = run.centre.select(["kind", "recipient"]).to_pylist()
    whole = all(run.table(name)["n"].to_pylist() == list(range(run.table(name).num_rows)) for name in TABLES)
    return Counter(row["recipient"] for row in rows if row["kind"] == "accepted"), whole


def kill_once(folder: Path, *, durable: bool, after_s: float, flood: str = "") -> Killed:
    """Serve, load, kill, compare the ledger with the acknowledged messages; resume, send again, compare again."""
    sender, run = Sender(), folder / "run"
    with Patient(scenario(folder, durable=durable), "--port", "0", "-o", run) as server:
        with flooded(server.port, flood):
            asyncio.run(sender.until_killed(server, after_s))
        server.process.wait()
    before, whole = accepted(run)
    known = {who: times[0] for who, times in sender.acknowledged.items()}
    kept = [who in before for who in known]
    lost = [at for who, at in known.items() if who not in before]
    with Patient("--resume", run, "--port", "0") as server:
        again = asyncio.run(sender.again(server))
        server.end(signal.SIGTERM)
    after, still_whole = accepted(run)
    sent_again = {recipient(number) for number in range(sender.submitted)} - set(known)
    doubled = {who for who, times in after.items() if times > 1}
    faults = {
        "a table has a gap": not (whole and still_whole),
        "a message is missing before one that is there": kept != sorted(kept, reverse=True),
        "a message was acknowledged twice": any(len(times) > 1 for times in sender.acknowledged.values()),
        "a message was accepted twice though sent once": bool(doubled - sent_again),
        "a message is missing after it was sent again": bool(sent_again - set(after)),
        "an acknowledged message is missing under durable": durable and bool(lost),
    }
    since_ms = (sender.killed_at - min(lost)) * 1000 if lost else 0.0
    wrong = tuple(name for name, is_so in faults.items() if is_so)
    return Killed(len(known), len(lost), since_ms, again, len(doubled), wrong)


def summary(kills: list[Killed]) -> str:
    """The figures of kills of one kind."""
    missing, doubled = [each.missing for each in kills], [each.doubled for each in kills]
    since_ms = max(each.since_ms for each in kills)
    return (
        f"{len(kills)} kills, {sum(each.acknowledged for each in kills):,} acknowledged, {sum(missing):,} missing "
        f"(at most {max(missing)} of one kill, acknowledged at most {since_ms:.0f} ms before it); "
        f"{sum(each.again for each in kills):,} sent again, {sum(doubled):,} accepted twice "
        f"(at most {max(doubled)} of one kill); {sum(bool(each.faults) for each in kills)} kills with a fault"
    )


def main() -> None:
    """Kill the server the given number of times, with and without `durable` in turns."""
    parser = argparse.ArgumentParser(description="Kill a server under load, with durable and without.")
    parser.add_argument("--count", type=int, default=100, help="kills of each kind (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills (default 1)")
    parser.add_argument("--flood", action="store_true", help="beside strangers' floods, of each kind in turns")
    options = parser.parse_args()
    chance, seen = random.Random(options.seed), {True: list[Killed](), False: list[Killed]()}

    def report() -> None:
        beside = " beside floods" if options.flood else ""
        for durable, kills in seen.items():
            print(f"{'durable' if durable else 'not durable'}{beside}: {summary(kills)}", flush=True)

    for number in range(options.count):
        for durable, kills in seen.items():
            with tempfile.TemporaryDirectory() as folder:
                after_s = chance.uniform(SOONEST_S, LATEST_S)
                flood = list(FLOODS)[number % len(FLOODS)] if options.flood else ""
                kills.append(kill_once(Path(folder), durable=durable, after_s=after_s, flood=flood))
                if kills[-1].faults:
                    print(f"kill {number + 1}, {durable=}: {', '.join(kills[-1].faults)}", flush=True)
        if (number + 1) % 10 == 0 and number + 1 < options.count:
            print(f"{number + 1} of {options.count}, load {os.getloadavg()[0]:.1f}", flush=True)
            report()
    report()
    sys.exit(1 if any(kill.faults for kills in seen.values() for kill in kills) else 0)


if __name__ == "__main__":
    main()
