"""Exercises on time of day: the client's clock is moved to the edges of the marketing hours and to days without them.

The clocks step to within ten seconds of an edge and cross it at speed 1; in between both run fast where they can. After
each step ordinary messages show the client's clock, which the verdict needs.
"""

from __future__ import annotations

from simbench.bench.exercises.exercise import Setup, exercise
from simbench.bench.exercises.tester import Bench
from simbench.ledger.events import ClientCalibrated

CODE = {"36010": 10}
WAIT_S = 4
YEAR = 2025  # none of its holidays is a Sunday, so each is tested
HOLIDAYS = (
    (1, 1), (4, 21), (5, 1), (5, 8), (5, 29), (6, 9), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25),
)  # fmt: skip


async def probe(bench: Bench, seconds: int = 8) -> None:
    """One message a second that shows the client's clock."""
    for _ in range(seconds):
        await bench.ask(bench.probe("36010"))
        await bench.pause(1)


async def tempt(bench: Bench, count: int = 2) -> None:
    """Marketing that is valid except perhaps for its hour."""
    await bench.ask_all(bench.marketing("36010") for _ in range(count))


@exercise(
    "The client's clock is moved: messages across a minute, then two keepalives",
    ("hours.clock",),
    CODE,
    seconds=17,
    setup=Setup(clock="moved", epoch="2026-03-03T10:59:57", keepalive_s=WAIT_S),
)
async def calibration(bench: Bench) -> None:
    """Validity periods show its time to the second, alerts how it waits."""
    await bench.connected(CODE)
    await probe(bench, 6)
    bench.record(ClientCalibrated(WAIT_S))
    await bench.pause(2 * WAIT_S + 2)


@exercise(
    "Marketing is requested before 8 o'clock and must wait",
    ("hours.morning-edge",),
    CODE,
    seconds=20,
    setup=Setup(clock="moved", epoch="2026-03-03T07:59:50"),
)
async def morning_edge(bench: Bench) -> None:
    """Crossed at speed 1: requests before the hour must wait until it."""
    await bench.connected(CODE)
    await tempt(bench, 3)
    await bench.until(2026, 3, 3, 7, 59, 55)
    await probe(bench, 10)
    await bench.pause(1)


@exercise(
    "Marketing is requested before and after 22 o'clock",
    ("hours.evening-edge",),
    CODE,
    seconds=20,
    setup=Setup(clock="moved", epoch="2026-03-03T21:59:50"),
)
async def evening_edge(bench: Bench) -> None:
    """Crossed at speed 1, one message a second."""
    await bench.connected(CODE)
    await bench.until(2026, 3, 3, 21, 59, 54)
    for _ in range(12):
        await bench.ask(bench.probe("36010"))
        await tempt(bench, 1)
        await bench.pause(1)


@exercise(
    "Marketing on a Saturday, a Sunday and the Monday after",
    ("hours.sundays",),
    CODE,
    seconds=45,
    setup=Setup(clock="moved", epoch="2026-03-07T11:59:55", speed=8),
)
async def sundays(bench: Bench) -> None:
    """Requests of Saturday are sent, those of Sunday must wait."""
    await bench.connected(CODE)
    await tempt(bench)
    await probe(bench)
    for hour in (8, 15, 21):
        await bench.step_to(2026, 3, 8, hour, 29, 58)
        await tempt(bench)
        await probe(bench, 5)
    await bench.step_to(2026, 3, 9, 10)
    await probe(bench, 3)


@exercise(
    "Marketing at noon of the eleven holidays, and on the last day of the year",
    ("hours.holidays",),
    CODE,
    seconds=90,
    setup=Setup(clock="moved", epoch=f"{YEAR}-01-01T11:59:56", speed=8),
)
async def holidays(bench: Bench) -> None:
    """A year without a holiday on a Sunday; the clock goes from one to the next."""
    await bench.connected(CODE)
    for month, day in HOLIDAYS:
        if (month, day) != HOLIDAYS[0]:
            await bench.step_to(YEAR, month, day, 11, 59, 58)
        await tempt(bench, 1)
        await probe(bench, 5)
    await bench.step_to(YEAR, 12, 31, 12)
    await tempt(bench)
    await probe(bench, 3)


def _change(name: str, purpose: str, month: int, day: int) -> None:
    async def script(bench: Bench) -> None:
        await bench.connected(CODE)
        await tempt(bench, 1)
        await probe(bench, 3)
        for hour in (6, 21):
            await bench.step_to(YEAR, month, day + 1, hour, 59, 57)
            await tempt(bench, 1)
            await probe(bench, 4)
            await tempt(bench, 1)
            await probe(bench, 2)

    script.__name__ = name
    setup = Setup(clock="moved", epoch=f"{YEAR}-{month:02d}-{day:02d}T07:59:58")
    exercise(f"Marketing around the change to {purpose}", (f"hours.{purpose}",), CODE, seconds=20, setup=setup)(script)


# The Sunday itself, then the next working day at the hours an unchanged clock would keep.
_change("summer_time", "summer-time", 3, 30)
_change("winter_time", "winter-time", 10, 26)


@exercise(
    "Marketing to a phone that is off when the hours end and on again in the night",
    ("hours.delivered-in-hours",),
    CODE,
    seconds=60,
    setup=Setup(clock="moved", epoch="2026-03-03T21:58:55", speed=8),
)
async def night_delivery(bench: Bench) -> None:
    """The validity of the message decides whether it is delivered at half past ten in the evening."""
    await bench.connected(CODE)
    absent = bench.subscriber()
    bench.control.detach(absent)
    await bench.ask(bench.marketing("36010", absent))
    await probe(bench)
    await bench.step_to(2026, 3, 3, 21, 59, 57)
    await probe(bench, 5)  # expired messages are notified here
    await bench.step_to(2026, 3, 3, 22, 29, 57)
    await probe(bench, 5)
    bench.control.attach(absent)
    await bench.reported(60)
    await bench.pause(2)
