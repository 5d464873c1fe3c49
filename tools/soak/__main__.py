"""`make soak`: a served process under long mixed load, with a disconnection every few minutes; memory must not grow.

Prints a line every few seconds and the figures at the end. Exit status 1 if memory grew or too few were accepted.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import uvloop

from tests.cli.child import SIMBENCH
from tools.soak.load import FRAMES, Client, Counts
from tools.soak.report import Sample, Wanted, memory, tenth, verdict

CODES = tuple(f"3601{number}" for number in range(10))
CUT_S = 3.0  # duration of a disconnection
TENTHS = 10
MARGIN = 1.01  # factor of the rate, so that all messages are sent within the time
CUTS = ("reset", "cut", "accept-close")
LOOK_S = 0.1  # interval of memory samples: merging the log takes less than half a second
SOON = "[delivery]\nlatency_median_ms = 500\n"
CODE = """
[[codes]]
code = "{code}"
rate_per_s = 150
request_id = "soak"
window = 100
limit = "monitor"
"""
OUTAGE = """
[[outages]]
at_s = {at}
for_s = {for_s}
mode = "{mode}"
"""


def scenario(seconds: float, cut_every_s: float) -> str:
    """A scenario with ten codes whose rates are only monitored, and the cuts."""
    instants = [cut_every_s * (number + 1) for number in range(int(seconds / cut_every_s))]
    outages = (OUTAGE.format(at=at, for_s=CUT_S, mode=CUTS[number % len(CUTS)]) for number, at in enumerate(instants))
    return "".join([SOON, *(CODE.format(code=code) for code in CODES), *outages])


class Plan(NamedTuple):
    """The duration, the longest extension while messages are missing, the interval of disconnections, the number of
    different messages per client, and the messages per second of all clients (0: as fast as they can)."""

    seconds: float
    patience_s: float
    cut_every_s: float
    frames: int
    rate_per_s: float

    def over(self, elapsed_s: float, missing: int) -> bool:
        """Tell whether the load may end after this time, with this many messages still missing."""
        return elapsed_s >= self.seconds + (self.patience_s if missing > 0 else 0)


async def soak(plan: Plan, wanted: Wanted, folder: Path) -> int:
    """Run the soak test; return the exit status."""
    path = folder / "soak.toml"
    path.write_text(scenario(plan.seconds + plan.patience_s, plan.cut_every_s))
    server = await asyncio.create_subprocess_exec(
        *SIMBENCH, "serve", str(path), "--port", "0", "-o", str(folder / "run"), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    port = 0
    async for line in server.stdout:
        if b"listening on" in line:
            port = int(line.split(b"127.0.0.1:")[1].split()[0])
        if b"Ctrl-C" in line:
            break
    counts = Counts()
    clients = [
        Client(code, number, counts, plan.frames, plan.rate_per_s / len(CODES)) for number, code in enumerate(CODES)
    ]
    tasks = [asyncio.create_task(client.run(port)) for client in clients]
    try:
        samples = await watched(server.pid, counts, plan, wanted)
    finally:
        for client in clients:
            client.sending = False
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if server.returncode is None:
            server.terminate()
        status = await server.wait()
    return verdict(samples, counts, wanted, status)


def rss_of(pid: int) -> int:
    """Memory of a process in octets."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def watched(pid: int, counts: Counts, plan: Plan, wanted: Wanted) -> list[Sample]:
    """Take samples and print progress until the load ends."""
    samples: list[Sample] = []
    started, told_s = time.monotonic(), max(2.0, plan.seconds / 50)
    told_at, tenths = 0.0, 0
    while not plan.over(elapsed := time.monotonic() - started, wanted.messages - counts.accepted):
        await asyncio.sleep(LOOK_S)
        rss = rss_of(pid)
        samples.append(Sample(elapsed, rss, counts.accepted))
        if elapsed >= (tenths + 1) * plan.seconds / TENTHS:
            tenths += 1
            print(tenth(tenths, samples, wanted), flush=True)
        if elapsed - told_at >= told_s:
            told_at = elapsed
            print(
                f"{elapsed:6.0f} s  {counts.accepted:>10,} accepted  {counts.notified:>10,} notified  "
                f"{counts.cuts:>4} cuts  {rss / 1e6:6.0f} MB  ({memory(samples, wanted.warm).grown:+.1%} since warm)",
                file=sys.stderr,
                flush=True,
            )
    return samples


def main() -> None:
    """`python -m tools.soak`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument(
        "--patience", type=float, default=0.0, metavar="SECONDS", help="more, while messages are missing"
    )
    parser.add_argument("--cut-every", type=float, default=180.0, metavar="SECONDS")
    parser.add_argument("--messages", type=int, default=20_000_000, help="how many must be accepted")
    parser.add_argument(
        "--rate",
        type=float,
        metavar="PER_S",
        help="messages a second (default: those wanted, evenly; 0: any number)",
    )
    parser.add_argument("--warm", type=int, default=0, metavar="MESSAGES", help="else the first tenth of the time")
    parser.add_argument("--grown", type=float, default=0.05, help="bound of growth, as a share")
    parser.add_argument("--frames", type=int, default=FRAMES, help="different messages each client has")
    options = parser.parse_args()
    rate = options.rate if options.rate is not None else options.messages / options.seconds * MARGIN
    plan = Plan(options.seconds, options.patience, options.cut_every, options.frames, rate)
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(uvloop.run(soak(plan, Wanted(options.messages, options.warm, options.grown), Path(folder))))


if __name__ == "__main__":
    main()
