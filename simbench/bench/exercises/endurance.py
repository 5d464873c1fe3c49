"""The endurance exercise: mixed load for a given time, one disconnection per hour, samples of memory and backlog.

A run of less than four hours has four disconnections.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from simbench.base.errors import BadInput
from simbench.bench.exercises.exercise import Chosen, Exercise, Script
from simbench.bench.exercises.tester import Bench
from simbench.bench.sut.process_tree import tree_rss_kib
from simbench.bench.sut.protocol import pids_of
from simbench.contract import Contract
from simbench.ledger.events import ClientSampled
from simbench.rules.rule import load, standing

HOUR_S: Final = 3600
CUTS: Final = 4  # disconnections of a run shorter than as many hours
LOAD: Final = 0.5  # share of each tier: after a disconnection the client needs the same time to catch up
NAMES: Final = ("first", "third")
SAMPLES: Final = 720  # samples of a run; at most four a second
LONGEST_CUT_S: Final = 30
SHORTEST_S: Final = 20
REPLY: Final = "Bonjour"
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": HOUR_S, "d": 24 * HOUR_S}


def duration_s(text: str) -> int:
    """Convert "90", "90s", "10m", "8h" or "2d" to seconds. Raises BadInput."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd]?)", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not SHORTEST_S <= seconds <= 30 * _UNITS["d"]:
        raise BadInput(f"--soak {text}", "is not a valid duration", f"{SHORTEST_S}s to 30d, as in 90s, 10m or 8h")
    return seconds


def soak(seconds: int, contract: Contract) -> Chosen:
    """Return the exercise of an endurance run, and its purposes under the contract."""
    every_s = min(HOUR_S, seconds / CUTS)
    title = f"Endurance: {LOAD:.0%} of two tiers for {seconds} s, all connections cut every {every_s:.0f} s"
    purposes = (*(one for one in load("soak") if contract.clause_of(one)), *standing(contract))
    exercise = Exercise("soak", title, purposes, {}, _script(seconds, every_s), seconds + 30.0, alone=True, names=NAMES)
    return {"soak": (exercise, purposes)}


def _script(seconds: int, every_s: float) -> Script:
    async def script(bench: Bench) -> None:
        await bench.connected(bench.rates)
        sampling = asyncio.ensure_future(_sample(bench, max(0.25, seconds / SAMPLES)))
        try:
            await asyncio.gather(
                *(
                    bench.ask_paced(code, rate * LOAD, round(rate * LOAD * seconds))
                    for code, rate in bench.rates.items()
                ),
                _cut(bench, seconds, every_s),
                _replies(bench, seconds),
            )
        finally:
            sampling.cancel()
        await bench.received(bench.asked, bench.patience_s)
        await bench.reported(30)

    return script


async def _cut(bench: Bench, seconds: int, every_s: float) -> None:
    """End every connection in the middle of each interval, and accept none for a tenth of it."""
    down_s = min(LONGEST_CUT_S, every_s / 10)
    for _ in range(int(seconds // every_s)):
        await bench.pause(every_s / 2)
        await bench.control.outage("cut", for_s=down_s)
        await bench.pause(down_s)
        await bench.control.restore()
        await bench.pause(every_s / 2 - down_s)


async def _replies(bench: Bench, seconds: int) -> None:
    """Users write at intervals, to each code in turn, sometimes while the client is disconnected."""
    codes = list(bench.rates)
    for number in range(seconds // 5):
        await bench.pause(5)
        bench.control.mo(bench.plan.writer(12), codes[number % len(codes)], REPLY)


async def _sample(bench: Bench, every_s: float) -> None:
    while True:
        answered = bench.control.answered()
        memory_kib = sum(map(tree_rss_kib, pids_of(bench.sut)))
        bench.record(ClientSampled(memory_kib, bench.asked - answered, answered))
        await bench.pause(every_s)
