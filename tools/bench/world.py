"""Speed of simulations: kernels against one SimPy process a message, whole runs with both engines, rows, and a year."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import simpy

from simbench.kernels.chance import draw_with, quantile
from simbench.kernels.delivery_outcome import failure, wait
from simbench.kernels.presence import back_at
from simbench.ledger import Ledger, MemoryLedger, RunInfo, open_run
from simbench.simulation.bulk import A_SPAN, BulkSmsc, Sender
from simbench.simulation.demand import Source, spans
from simbench.simulation.plan import World, plan
from simbench.simulation.run import run_world
from simbench.simulation.scenario import WorldScenario

CODE, MESSAGES, BY_SIMPY = "36050", 1_000_000, 30_000
Gates = list[tuple[str, bool]]


def world() -> Gates:
    """Every gate of simulations."""
    return [*kernels(), *ways(), *rows(), *year()]


def scenario_of(messages: int, subscribers: int, **more: Any) -> World:
    """A sending at 50 a second in the legal hours, with an outage."""
    given = {
        "period": {"from": "2026-03-02", "to": "2026-03-09"},
        "codes": [{"code": CODE, "rate_per_s": 50, "request_id": "R"}],
        "subscribers": {"count": subscribers},
        "campaigns": [{"name": "c", "code": CODE, "start": "2026-03-02T08:00", "volume": messages, "spread_min": 335}],
        "incidents": {"scripted": [{"at": "2026-03-02T09:00", "for_h": 1}]},
        **more,
    }
    return plan(msgspec.convert(given, WorldScenario))


def kernels() -> Gates:
    """Meter, presence and delivery over columns, compared with a SimPy process for each message."""
    rates = {count: MESSAGES / _best(lambda n=count: _pass(scenario_of(MESSAGES, n))) for count in (10**6, 10**7)}  # type: ignore[misc]  # mypy infers no lambda with a default
    simpy_rate = BY_SIMPY / _best(lambda: _by_simpy(scenario_of(BY_SIMPY, 10**6)), 1)
    ratio = rates[10**6] / simpy_rate
    print(
        f"world kernels: {rates[10**6] / 1e6:.1f} M messages/s with 1 M subscribers, {rates[10**7] / 1e6:.1f} M with "
        f"10 M; one SimPy process a message {simpy_rate:,.0f}/s; ratio {ratio:,.0f}"
    )
    return [
        ("world kernels 150 times SimPy", ratio >= 150),
        ("20 M messages/s with 1 M subscribers", rates[10**6] >= 20e6),
        ("6 M messages/s with 10 M subscribers", rates[10**7] >= 6e6),
    ]


def _best(work: Callable[[], float], times: int = 4) -> float:
    return min(work() for _ in range(times))


def _pass(world: World) -> float:
    """Processor seconds for all messages from spool to end."""
    source, sender, smsc = Source(world, CODE), Sender(world, CODE), BulkSmsc(world, CODE)
    asked = [(end, source.between(start, end)) for start, end in spans(world, A_SPAN, 24 * source.volume())]
    start = time.process_time()
    for end, demand in asked:
        for batch in sender.send(demand, end):
            smsc.process(batch)
    return time.process_time() - start


def _by_simpy(world: World) -> float:
    """Processor seconds for the same messages, one process each."""
    demand = Source(world, CODE).between(world.start, world.end)[0]
    tables = BulkSmsc(world, CODE).tables
    ring, place = [0] * 50, [0]
    law, settings = world.law, world.settings.delivery
    latency, retry_schedules, bounds, kinds = (
        settings.latency_us,
        settings.retry_schedules(),
        settings.bounds(),
        settings.kinds(),
    )
    keys = int(tables.latency_key), int(tables.failure_key), int(tables.presence_key)
    env = simpy.Environment(initial_time=world.start)

    def message(at: int, entity: int, recipient: int) -> Generator[simpy.Event, Any, None]:
        yield env.timeout(at - env.now)
        due = max(at, ring[place[0] % 50] + 1_000_000)
        ring[place[0] % 50], place[0] = due, place[0] + 1
        yield env.timeout(due - env.now)
        expires = due + world.settings.validity_default_us
        yield env.timeout(quantile(latency, draw_with(keys[0], entity)))
        tries = 0
        while env.now < expires:
            tries += 1
            now = int(env.now)
            next_at = min(now + wait(retry_schedules[0], tries), expires)
            back = back_at(keys[2], recipient, now, next_at, law.chances, law.lengths)
            met = failure(keys[1], entity, tries, bounds) if back <= now else -1
            if back <= now and (met < 0 or kinds[met] < 0):
                return
            yield env.timeout(
                (min(next_at, back) if back > now else now + wait(retry_schedules[kinds[met]], tries)) - now
            )

    for row in zip(demand.at.tolist(), demand.entity.tolist(), demand.recipient.tolist(), strict=True):
        env.process(message(*row))
    start = time.process_time()
    env.run()
    return time.process_time() - start


def ways() -> Gates:
    """A million messages with both engines, by minute."""
    world = scenario_of(MESSAGES, 10**6)
    spent, found = {}, {}
    for way in ("bulk", "bulk", "events"):
        ledger = MemoryLedger()
        start = time.process_time()
        run_world(world, ledger, "minute", way)
        spent[way], found[way] = time.process_time() - start, sorted(map(str, ledger.minute))
    ratio, equal = spent["events"] / spent["bulk"], found["bulk"] == found["events"]
    print(
        f"world by minute, {MESSAGES:,} messages: events {spent['events']:.1f} s, bulk {spent['bulk']:.2f} s, "
        f"ratio {ratio:.0f}, ledgers {'equal' if equal else 'DIFFERENT'}"
    )
    return [("bulk 50 times event by event", ratio >= 50), ("equal minute ledgers of a million messages", equal)]


def rows() -> Gates:
    """Full rows to disk, packed, compared with DuckDB and the same Arrow table; processor time of all threads."""
    world = scenario_of(MESSAGES, 10**6)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        ledger = Ledger.create(Path(folder) / "run", RunInfo(run="bench"), daily=False)
        run_world(world, ledger, "rows", "bulk")
        ledger.close()
        ours = time.process_time() - start
        table = open_run(Path(folder) / "run").centre
        start = time.process_time()
        with duckdb.connect(str(Path(folder) / "alone.duckdb"), config={"threads": 1}) as alone:
            alone.register("given", table)
            alone.execute("create table centre as select * from given")
        theirs = time.process_time() - start
    share = theirs / ours
    print(
        f"world with rows: {len(table):,} rows, {len(table) / ours / 1e6:.2f} M rows/s of processor time; DuckDB from "
        f"Arrow {len(table) / theirs / 1e6:.2f} M rows/s; share {share:.2f}"
    )
    return [("rows at 0.9 of DuckDB from Arrow", share >= 0.9)]


def year() -> Gates:
    """Ten codes at 50 a second for a year, 300 million messages, by minute."""
    text = Path(__file__).with_name("year.toml").read_text()
    for number in range(10):
        code = f"3605{number}"
        text += f'\n[[codes]]\ncode = "{code}"\nrate_per_s = 50\nrequest_id = "R"\n'
        text += f'\n[[campaigns]]\nname = "c{number}"\ncode = "{code}"\nvolume = 95_000\nevery = "jour-ouvrable"\n'
        text += f'start = "2026-01-02T08:00"\n\n[[flows]]\nname = "f{number}"\ncode = "{code}"\nper_day = 3500\n'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "year.toml"
        path.write_text(text)
        command = [sys.executable, "-c", "from simbench.cli.main import main; main()", "run", str(path), "--json"]
        command += ["-o", str(Path(folder) / "run"), "--workers", "2"]
        start = time.perf_counter()
        summary = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        seconds = time.perf_counter() - start
    offered = sum(each["offered"] for each in summary["codes"].values())
    print(f"world, a year: {offered:,} messages in {seconds:.0f} s, at most {summary['peak_megabytes']:,} MB")
    return [("the year under 60 s", seconds < 60), ("the year under 4 GB", summary["peak_megabytes"] < 4000)]


if __name__ == "__main__":
    missed = [name for name, passed in world() if not passed]
    print("gates missed: " + (", ".join(missed) or "none"))
