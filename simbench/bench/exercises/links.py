"""Exercises on connections over time: idle accounts, repeated reconnections, a full window, turns of the second.

Durations are in platform seconds.
"""

from __future__ import annotations

import asyncio
from typing import Final

from simbench.base.units import SECOND_US
from simbench.bench.exercises.exercise import Setup, exercise
from simbench.bench.exercises.marketing_hours import clock_at
from simbench.bench.exercises.tester import Bench

FAST: Final = Setup(speed=8)
RETURNS: Final = 3
LATE_SHARE: Final = 0.3  # of the results, each a second late: enough to fill the window
TURNS_S: Final = (1, 1, 60)  # two turns of a second, then one of a minute
BEFORE_S: Final = 0.3  # the first half of the messages of a turn is requested so many seconds before it


@exercise(
    "Several accounts are quiet for longer than a keepalive may take, then again after their connections were closed",
    ("sessions.keepalive-on-each",),
    ("first", "second", "third"),
    seconds=150,
    setup=FAST,
)
async def quiet_accounts(bench: Bench) -> None:
    """Send a message on each account, pause, close every connection, and pause again."""
    quiet_s = bench.contract.terms.session.keepalive_expected_s.value + 5
    await bench.connected(bench.rates)
    await bench.ask_all(bench.message(code) for code in bench.rates)
    await bench.received(bench.asked, bench.patience_s)
    await bench.reported(30)
    await bench.pause(quiet_s)
    _close_all(bench)
    await bench.back(bench.rates)
    await bench.pause(quiet_s)


@exercise(
    "The platform closes the connections three times under a backlog, while part of the results is a second late",
    ("sessions.window-after-return", "submits.trn-after-return", "rate.after-each-return"),
    ("first", "third"),
    seconds=35,
    alone=True,
)
async def returns(bench: Bench) -> None:
    """Close connections with a full window, so that the next one begins with unanswered messages."""
    await bench.connected(bench.rates)
    bench.control.fault("late-result", share=LATE_SHARE, delay_s=1)
    await bench.ask_all(bench.message(code) for code, rate in bench.rates.items() for _ in range(rate * 10))
    for _ in range(RETURNS):
        await bench.pause(2)
        _close_all(bench)
        await bench.pause(0.5)
        await bench.back(bench.rates)
    await bench.pause(2)
    bench.control.clear("late-result")
    await bench.received(bench.asked, bench.patience_s)


def _close_all(bench: Bench) -> None:
    for session in bench.control.sessions():
        bench.control.drop(session.number)


@exercise(
    "No submit is answered until the client's window is full; then the platform answers again",
    ("sessions.window-freed",),
    ("first",),
    seconds=100,
    setup=FAST,
)
async def full_window(bench: Bench) -> None:
    """The client's result timer determines when it continues."""
    await bench.connected(["first"])
    bench.control.fault("no-result")
    size = bench.contract.terms.session.window.value
    await bench.ask_all(bench.message("first") for _ in range(2 * size + 5))
    await bench.pause(5)
    bench.control.clear("no-result")
    await bench.received(3 * size + 5, bench.patience_s)  # the withheld answers count as well
    await bench.pause(2)


@exercise(
    "Messages are requested shortly before the turn of a second, and as many right after it; one turn is a minute's",
    ("rate.turn-of-the-second",),
    ("first", "second"),
    seconds=22,
    alone=True,
    setup=Setup(clock="daytime", moment=clock_at(10, 59, 44)),
)
async def turns(bench: Bench) -> None:
    """Each turn offers two seconds' worth of each rate within less than half a second.

    Where the client's clock cannot be moved, the minute's turn may be a minute away.
    """
    await bench.connected(bench.rates)
    for period_s in TURNS_S:
        await _until_before_turn(bench, period_s)
        for _ in range(2):
            await asyncio.gather(
                *(bench.ask_all(bench.message(code) for _ in range(rate)) for code, rate in bench.rates.items())
            )
            await bench.pause((SECOND_US - bench.control.now() % SECOND_US) / SECOND_US)
        await bench.received(bench.asked, bench.patience_s)
        await bench.pause(1)


async def _until_before_turn(bench: Bench, period_s: int) -> None:
    """Wait for the last part of a second or minute of the platform's clock."""
    period_us = period_s * SECOND_US
    left_us = period_us - bench.control.now() % period_us - round(BEFORE_S * SECOND_US)
    await bench.pause((left_us % period_us) / SECOND_US)
