"""`make bench`: speed of the bench as ratios within one run, with absolute figures to compare on the same machine only.

The server runs on one core, the load generator on the other; the generator's own ceiling is measured first.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np

from fake_smsc.core.limiter import Limiter
from fake_smsc.core.records import Limit
from simbench.base.units import SECOND_US
from simbench.contract import load_contract
from simbench.rules.client.throughput import police
from simbench.ucp.frame import Framer, encode
from tools.bench.api import api
from tools.bench.billing import billing
from tools.bench.dialup import dialup
from tools.bench.judging import judging
from tools.bench.load import encoded
from tools.bench.planning import planning
from tools.bench.radius import radius
from tools.bench.report import report
from tools.bench.roaming import roaming
from tools.bench.sla import sla
from tools.bench.small import codec_commands, kannel, ledger_made
from tools.bench.stages import STAGES, stages
from tools.bench.world import world

SERVER_CPU, LOAD_CPU = 0, min(1, (os.cpu_count() or 1) - 1)
SESSIONS, WINDOW, LOAD_S = 4, 100, 8.0


def main() -> None:
    """Run every benchmark and print it."""
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("versions: " + ", ".join(f"{name} {version(name)}" for name in ("uvloop", "duckdb", "pyarrow", "msgspec")))
    parts = (
        start_up,
        codec_commands,
        ledger_made,
        codec,
        live,
        window_of_one,
        stage_table,
        meter,
        api,
        world,
        planning,
        judging,
        billing,
        sla,
        report,
        dialup,
        radius,
        roaming,
        kannel,
    )
    failed = [name for part in parts for name, passed in part() if not passed]
    print("gates missed: " + (", ".join(failed) or "none"))
    sys.exit(1 if failed else 0)


def start_up() -> list[tuple[str, bool]]:
    """Time to `--help`, and to the banner of `serve`."""
    simbench = str(Path(sys.executable).parent / "simbench")
    help_s = statistics.median(_timed([simbench, "--help"]) for _ in range(5))
    ready_s = statistics.median(_serve_ready(simbench) for _ in range(5))
    python_s = statistics.median(_timed([sys.executable, "-c", "pass"]) for _ in range(5))
    print(
        f"start: --help {help_s:.2f} s, serve ready {ready_s:.2f} s (bare interpreter {python_s:.2f} s; medians of 5)"
    )
    return [("--help under 0.4 s", help_s < 0.4), ("serve ready under 1 s", ready_s < 1.0)]


def live() -> list[tuple[str, bool]]:
    """Submits answered a second of the server's processor time with all features, rate monitored; beside others."""
    ceiling = _beside("tools.bench.sink")
    naive = _beside("tools.bench.naive")
    print(f"load generator's ceiling: {ceiling['submits_per_s']:,.0f} submits/s against a server that does nothing")
    print(f"naive server on asyncio's streams, same frames: {_rates(naive)}")
    plain, notified, odd = _served(notify=False), _served(notify=True), _served(notify=False, odd=10)
    crowd = _served(notify=False, kind="crowd", accounts=[f"3601{n % 5}" for n in range(200)], window=10)
    rate = naive["submits_per_processor_s"]
    named = {"no notification": plain, "notified": notified, "one in ten odd": odd, "200 connections, window 10": crowd}
    for name, figures in named.items():
        times = figures["submits_per_processor_s"] / rate
        print(
            f"live, {name}: {_rates(figures)}, {times:.1f} times the naive server; in all "
            f"{figures['answered']:,.0f} answered, {figures['notified']:,.0f} notified; connection with fewest results "
            f"to one with most: {figures['fewest_to_most']:.2f}; {figures['most_mb']:.0f} MB at most"
        )
    return [
        ("350 MB while it serves", max(figures["most_mb"] for figures in named.values()) <= 350),
        ("400,000/s of processor time", plain["submits_per_processor_s"] >= 400_000),
        ("4.5 times the naive server", plain["submits_per_processor_s"] >= 4.5 * rate),
        ("200,000/s of processor time, notified and acknowledged", notified["submits_per_processor_s"] >= 200_000),
        ("2 times the naive server, notified and acknowledged", notified["submits_per_processor_s"] >= 2 * rate),
        ("nothing lost", notified["notified"] == notified["answered"]),
        ("100,000/s of processor time, one in ten odd", odd["submits_per_processor_s"] >= 100_000),
        ("150,000/s of processor time, 200 connections", crowd["submits_per_processor_s"] >= 150_000),
        ("200 connections served alike", crowd["fewest_to_most"] >= 0.9),
    ]


def _rates(figures: dict[str, float]) -> str:
    per_s, of_processor = figures["submits_per_s"], figures["submits_per_processor_s"]
    return f"{per_s:,.0f} submits/s, {of_processor:,.0f} a second of its processor time"


def window_of_one() -> list[tuple[str, bool]]:
    """Round trips with one unanswered submit, as a share of a plain echo's; in turns, under the same conditions."""
    shares = []
    with (
        _started("tools.bench.sink", str(SERVER_CPU), "echo") as echo,
        tempfile.TemporaryDirectory() as folder,
        _started("tools.bench.server", folder, cpu=SERVER_CPU) as server,
    ):
        for _ in range(5):
            bare, ours = _trips(echo[0]), _trips(server[0])
            shares.append(ours / bare)
    share = statistics.median(shares)
    print(
        f"window 1: {share:.2f} of a bare echo's round trips ({min(shares):.2f} to {max(shares):.2f} in 5 turns), "
        f"last {ours:,.0f}/s of {bare:,.0f}/s"
    )
    with tempfile.TemporaryDirectory() as folder, _started("tools.bench.server", folder, cpu=SERVER_CPU) as (port, _):
        median_us = _trips(port, 5.0, "ordinary")
    print(f"ten messages a second: result after {median_us:,.0f} us at the median")
    return [("window 1 at 0.85 of an echo", share >= 0.85), ("a message in 300 us", median_us < 300)]


def codec() -> list[tuple[str, bool]]:
    """A submit read, checksum and fields, and its result written: pairs a second of processor time, the best of 5."""
    frames = encoded("36010", 0, 10_000, notify=True)
    chunks = [b"".join(frames[at : at + 100]) for at in range(0, len(frames), 100)]
    best = 0.0
    for _ in range(5):
        framer, start = Framer(), time.thread_time()
        for chunk in chunks:
            for item in framer.feed(chunk):
                assert len(item.data) == 33  # type: ignore[union-attr] # all are sound
                encode(item.trn, "R", item.ot, "A//33710000000:221126120000/")
        best = max(best, len(frames) / (time.thread_time() - start))
    print(f"codec: {best:,.0f} pairs/s of a submit of {len(frames[0])} octets decoded and its result encoded")
    return [("250,000 pairs/s", best >= 250_000)]


def stage_table() -> list[tuple[str, bool]]:
    """Microseconds of processor a message spends in each stage."""
    plain, notified = stages(notify=False), stages(notify=True)
    print(f"  {'stage (us a message)':<22}{'no notification':>17}{'notified':>11}")
    for stage in STAGES:
        print(f"  {stage:<22}{plain.get(stage, 0):>17.2f}{notified.get(stage, 0):>11.2f}")
    print(f"  {'in all':<22}{sum(plain.values()):>17.2f}{sum(notified.values()):>11.2f}")
    return []


def meter() -> list[tuple[str, bool]]:
    """The meter's rate over a minute of backlog, and the pacing that passes or fails it."""
    tiers = load_contract().terms.throughput.rates
    passed = True
    for rate in tiers:
        limiter = Limiter(Limit(rate, "delay", max_hold_us=100 * SECOND_US))
        due = [limiter.offer(0, 1) for _ in range(60 * rate)]
        granted = (len(due) - rate) * SECOND_US / (due[-1] - due[rate - 1])
        exact = sum(not police(*_paced(rate, seed, 1.0), rate, 50_000).early for seed in range(20))
        fast = bool(police(*_paced(rate, 0, 1.01), rate, 50_000).early)
        burst = bool(police(*_burst(rate), rate, 50_000).early)
        print(
            f"meter at {rate}/s: {granted:.4f}/s granted over 60 s; exact pacing passes {exact} of 20; "
            f"1 % too fast {'fails' if fast else 'passes'}; r + 2 in a burst {'fails' if burst else 'passes'}"
        )
        passed &= abs(granted / rate - 1) <= 0.001 and exact == 20 and fast and burst
    return [("meter", passed)]


def _paced(rate: int, seed: int, speed: float) -> tuple[np.ndarray, np.ndarray]:
    """A minute of pacing with a network's jitter of up to 20 ms."""
    jitter = np.random.default_rng(seed).integers(0, 20_000, 60 * rate)
    at = np.sort((np.arange(60 * rate) * SECOND_US / (rate * speed)).astype(np.int64) + jitter)
    return at, np.ones(len(at), dtype=np.int64)


def _burst(rate: int) -> tuple[np.ndarray, np.ndarray]:
    """A minute of exact pacing with r + 2 operations in one burst, the last ones 200 ms early."""
    at = (np.arange(60 * rate) * SECOND_US / rate).astype(np.int64)
    at[rate * 30 : rate * 31 + 2] = at[rate * 31 + 2] - 200_000
    at = np.sort(at)
    return at, np.ones(len(at), dtype=np.int64)


@contextmanager
def _started(module: str, *arguments: str, cpu: int | None = None) -> Iterator[tuple[int, int]]:
    """Start a server in a separate process and yield its port and process; pass its final output on."""
    pinned = [] if cpu is None else ["taskset", "-c", str(cpu)]
    command = [*pinned, sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline().split()[1]), server.pid
        finally:
            server.terminate()
            print(server.stdout.read().rstrip(), end="\n" if cpu is not None else "")


def _beside(module: str) -> dict[str, float]:
    with _started(module, str(SERVER_CPU)) as (port, process):
        return _load(port, process, notify=False, seconds=3.0)


def _served(
    *, notify: bool, odd: int = 0, kind: str = "", accounts: list[str] | None = None, window: int = WINDOW
) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory() as folder,
        _started("tools.bench.server", folder, kind, cpu=SERVER_CPU) as (port, process),
    ):
        return _load(port, process, notify=notify, seconds=LOAD_S, odd=odd, accounts=accounts, window=window)


def _trips(port: int, seconds: float = 1.0, how: str = "") -> float:
    command = [sys.executable, "-m", "tools.bench.pingpong", str(port), str(seconds), str(LOAD_CPU), *how.split()]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _load(  # noqa: PLR0913 - one argument each of the load's
    port: int, process: int, *, notify: bool, seconds: float, odd: int = 0, accounts: list[str] | None = None,
    window: int = WINDOW,
) -> dict[str, float]:  # fmt: skip
    logins = ",".join(accounts or [f"3601{number}" for number in range(SESSIONS)])
    flag = "1" if notify else "0"
    arguments = [str(port), logins, str(window), str(seconds), flag, str(LOAD_CPU), "0", str(process), str(odd)]
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.load", *arguments], capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def _timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def _serve_ready(simbench: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [simbench, "serve", "--port", "0", "-o", str(Path(folder) / "run")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            assert server.stdout is not None
            server.stdout.readline()
            ready = time.perf_counter() - start
            server.terminate()
        return ready


if __name__ == "__main__":
    main()
