"""Exercises on outages: every mode, one code only, announced maintenance, validity. The platform recovers in each."""

from __future__ import annotations

import asyncio

from fake_smsc.scenario import Mode
from simbench.base.units import SECOND_US
from simbench.bench.exercises.exercise import Script, Setup, exercise
from simbench.bench.exercises.tester import Bench
from simbench.rules.client.continuity import MODES

FAST, FASTER = Setup(speed=8), Setup(speed=12)
TRAFFIC_PER_S = 2
DOWN_S = dict.fromkeys(MODES, 70) | {"cut": 20, "reset": 20}  # without any result the client waits for its result timer


async def _traffic(bench: Bench, seconds: int) -> None:
    await asyncio.gather(*(bench.ask_paced(code, TRAFFIC_PER_S, TRAFFIC_PER_S * seconds) for code in bench.rates))


async def _all_back(bench: Bench) -> None:
    """Wait until every account is connected or overdue, then until every submit is answered."""
    await bench.back(bench.rates)
    await bench.received(bench.asked, bench.patience_s)
    await bench.reported(30)


def _outage(mode: Mode, how: str) -> Script:
    async def script(bench: Bench) -> None:
        await bench.connected(bench.rates)
        down_s = DOWN_S[mode]
        asking = asyncio.ensure_future(_traffic(bench, 10 + down_s))
        await bench.pause(5)
        await bench.control.outage(mode, for_s=down_s)
        await bench.pause(down_s)
        await bench.control.restore()
        await asking
        await _all_back(bench)

    script.__name__ = f"outage_{mode.replace('-', '_')}"
    entered = exercise(
        f"An outage {how}", (f"outage.after-{mode}",), ("first",), seconds=DOWN_S[mode] + 50, setup=FASTER
    )
    return entered(script)


for _mode, _how in MODES.items():
    _outage(_mode, _how)  # type: ignore[arg-type]  # the keys are modes


@exercise(
    "One code is out of service for twenty seconds, the others keep working",
    ("outage.partial-outage",),
    ("first", "second", "third"),
    seconds=60,
    setup=FAST,
)
async def partial_outage(bench: Bench) -> None:
    """Close the code's connections and every new one."""
    await bench.connected(bench.rates)
    asking = asyncio.ensure_future(_traffic(bench, 35))
    await bench.pause(5)
    await bench.control.outage("accept-close", bench.code("first"), for_s=20)
    await bench.pause(20)
    await bench.control.restore()
    await asking
    await _all_back(bench)


@exercise(
    "A maintenance is announced, takes place and ends",
    ("outage.announced-maintenance",),
    ("first", "third"),
    seconds=80,
    setup=FAST,
)
async def maintenance(bench: Bench) -> None:
    """Keep traffic running; the platform accepts no connection during the maintenance."""
    await bench.connected(bench.rates)
    asking = asyncio.ensure_future(_traffic(bench, 60))
    start = bench.control.now() + 15 * SECOND_US
    await bench.announce(start, start + 30 * SECOND_US)
    await bench.pause((start - bench.control.now()) / SECOND_US)
    await bench.control.outage("accept-close", planned=True, for_s=30)
    await bench.pause((start + 30 * SECOND_US - bench.control.now()) / SECOND_US)
    await bench.control.restore()
    await asking
    await _all_back(bench)


@exercise(
    "Messages with a validity of one and of ten minutes, across an outage",
    ("validity.validity-kept",),
    ("first",),
    seconds=140,
    setup=FAST,
)
async def validity(bench: Bench) -> None:
    """Half of the validity periods have ended when the platform returns."""
    await bench.connected(["first"])
    await bench.ask_all(bench.message("first", validity_s=600) for _ in range(5))
    await bench.received(5, bench.patience_s)
    await bench.control.outage("accept-close", for_s=75)
    await bench.ask_all(bench.message("first", validity_s=valid_s) for valid_s in (60, 600) * 5)
    await bench.pause(75)
    await bench.control.restore()
    await bench.back(["first"])
    await bench.received(10, bench.patience_s)
    await bench.pause(2)
