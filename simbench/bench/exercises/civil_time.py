"""The exercise on civil time: validity periods in winter and summer, and across both changes of the clocks."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from simbench.base.units import HOUR_US, SECOND_US
from simbench.bench.exercises.exercise import Setup, exercise
from simbench.bench.exercises.marketing_hours import a_tuesday, clock_changes
from simbench.bench.exercises.tester import Bench
from simbench.bench.sut.protocol import moves_clock
from simbench.contract import Contract

SHORT_S, LONG_S = 4 * HOUR_US // SECOND_US, 8 * HOUR_US // SECOND_US
BEFORE, AFTER = {"hours": -1}, {"hours": 12}  # of the midnight that begins the day of a change


def _begins(contract: Contract) -> datetime:
    """Return noon of the day before the first change of a year, or of a weekday if clocks never change."""
    days = sorted(clock_changes(contract).values()) or [a_tuesday(contract)]
    return _midnight(days[0]) - timedelta(hours=12)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())


@exercise(
    "Messages with a validity of hours, in winter, in summer, and across both changes of the clocks",
    ("validity.civil-time",),
    ("first",),
    seconds=35,
    setup=Setup(clock="daytime", moment=_begins),
)
async def civil_time(bench: Bench) -> None:
    """Request messages before and after each change; if the client's clock cannot be moved, only today."""
    await bench.connected(["first"])
    await _ask(bench, SHORT_S)
    if not moves_clock(bench.sut.capabilities):
        return
    for day in sorted(clock_changes(bench.contract).values()):
        await bench.step_to(_midnight(day) + timedelta(**BEFORE))
        await _ask(bench, LONG_S)  # ends hours after the change
        await bench.step_to(_midnight(day) + timedelta(**AFTER))
        await _ask(bench, SHORT_S)


async def _ask(bench: Bench, validity_s: int) -> None:
    for _ in range(2):
        await bench.ask(bench.message("first", validity_s=validity_s))
        await bench.pause(0.5)
    await bench.received(bench.asked, bench.patience_s)
