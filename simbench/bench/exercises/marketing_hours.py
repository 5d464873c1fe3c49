"""Exercises on time of day: the client's clock is moved to the edges of the marketing hours and to days without them.

The clocks step to within ten seconds of an edge and pass it at speed 1; between edges both run fast if they can. After
each step ordinary messages show the client's clock, which the verdict needs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import count
from typing import Final, Literal

from simbench.bench.exercises.exercise import Setup, exercise
from simbench.bench.exercises.tester import Bench
from simbench.contract import Contract
from simbench.ledger.events import ClientCalibrated

CODE: Final = ("first",)
WAIT_S = 4
HOUR_MIN = 60
Moment = Callable[[Contract], datetime]


def _at(day: date, **clock: int) -> datetime:
    return datetime.combine(day, datetime.min.time()) + timedelta(**clock)


def a_tuesday(contract: Contract) -> date:
    """Return the first Tuesday from March 2026 on with marketing on that day and the next."""
    return _first(contract, date(2026, 3, 3), (0, 1))


def a_saturday(contract: Contract) -> date:
    """Return the first Saturday from March 2026 on with marketing on the following Monday."""
    return _first(contract, date(2026, 3, 7), (2,))


def _first(contract: Contract, first: date, sending: tuple[int, ...]) -> date:
    days = (first + timedelta(days=more) for more in count(0, 7))
    return next(
        day for day in days if all(contract.is_sending_day("marketing", day + timedelta(days=more)) for more in sending)
    )


def clock_at(hours: int, minutes: int = 0, seconds: int = 0) -> Moment:
    """Return that time of a weekday with marketing, or a later hour if marketing begins later."""
    return lambda contract: daytime(contract, a_tuesday(contract), hours=hours, minutes=minutes, seconds=seconds)


def daytime(contract: Contract, day: date, **clock: int) -> datetime:
    """Return that time of a day, moved by whole hours until it is within the marketing hours."""
    opens, closes = (_at(day, minutes=_edge(contract, which)) for which in ("opens", "closes"))
    first = _at(day, **clock)
    later = (first + timedelta(hours=more) for more in range(24))
    return next((at for at in later if opens <= at <= closes - timedelta(minutes=HOUR_MIN / 2)), first)


def a_morning(contract: Contract) -> datetime:
    """Return ten o'clock of the first Monday of March 2026, or an hour of another day with marketing."""
    monday = date(2026, 3, 2)
    at = daytime(contract, monday, hours=10)
    return at if contract.may_send("marketing", contract.calendar.from_civil(at)) else clock_at(10)(contract)


def _edge(contract: Contract, which: Literal["opens", "closes"]) -> int:
    """Return the minute of the day at which marketing begins or ends; midnight to midnight if the contract has none."""
    hours = contract.terms.hours.get("marketing")
    if hours is None:
        return 0 if which == "opens" else 24 * HOUR_MIN
    return hours.opens_min if which == "opens" else hours.closes_min


def edge(which: Literal["opens", "closes"], **before: int) -> Moment:
    """Return a time so long before the marketing hours begin or end, on a weekday with marketing."""
    return lambda contract: _at(a_tuesday(contract), minutes=_edge(contract, which)) - timedelta(**before)


def holidays_of(contract: Contract) -> list[date]:
    """Return the public holidays, without Sundays, of the first year with the fewest holidays on a Sunday."""

    def of(year: int) -> list[date]:
        return sorted(contract.calendar.holidays_of(year))

    year = min(range(2025, 2032), key=lambda one: (sum(day.weekday() == 6 for day in of(one)), one))
    return [day for day in of(year) if day.weekday() != 6]


def clock_changes(contract: Contract) -> dict[str, date]:
    """Return the days of 2025 on which clocks go forward ("summer") and back ("winter"), if they do."""
    calendar, found = contract.calendar, {}
    for more in range(1, 366):
        day = date(2025, 1, 1) + timedelta(days=more)
        noons = (calendar.from_civil(_at(one, hours=12)) for one in (day - timedelta(1), day))
        before, after = (calendar.summer_shift(noon) for noon in noons)
        if before != after:
            found["summer" if after > before else "winter"] = day
    return found


async def probe(bench: Bench, seconds: int = 8) -> None:
    """Request one message per second that shows the client's clock."""
    for _ in range(seconds):
        await bench.ask(bench.probe("first"))
        await bench.pause(1)


async def tempt(bench: Bench, count: int = 2) -> None:
    """Request marketing that is valid, except possibly for its hour."""
    await bench.ask_all(bench.marketing("first") for _ in range(count))


@exercise(
    "The client's clock is moved: messages across a minute, then two keepalives",
    ("hours.clock",),
    CODE,
    seconds=17,
    setup=Setup(clock="moved", moment=clock_at(10, 59, 57), keepalive_s=WAIT_S),
)
async def calibration(bench: Bench) -> None:
    """Validity periods show the client's time to the second; alerts show the speed of its timers."""
    await bench.connected(CODE)
    await probe(bench, 6)
    bench.record(ClientCalibrated(WAIT_S))
    await bench.pause(2 * WAIT_S + 2)


@exercise(
    "Marketing is requested before the hours begin and must wait",
    ("hours.morning-edge",),
    CODE,
    seconds=20,
    setup=Setup(clock="moved", moment=edge("opens", seconds=10)),
)
async def morning_edge(bench: Bench) -> None:
    """Pass the edge at speed 1: messages requested before the hour must wait for it."""
    await bench.connected(CODE)
    await tempt(bench, 3)
    await bench.until(edge("opens", seconds=5)(bench.contract))
    await probe(bench, 10)
    await bench.pause(1)


@exercise(
    "Marketing is requested before and after the hours end",
    ("hours.evening-edge",),
    CODE,
    seconds=20,
    setup=Setup(clock="moved", moment=edge("closes", seconds=10)),
)
async def evening_edge(bench: Bench) -> None:
    """Pass the edge at speed 1, one message per second."""
    await bench.connected(CODE)
    await bench.until(edge("closes", seconds=6)(bench.contract))
    for _ in range(12):
        await bench.ask(bench.probe("first"))
        await tempt(bench, 1)
        await bench.pause(1)


@exercise(
    "Marketing on a Saturday, a Sunday and the Monday after",
    ("hours.sundays",),
    CODE,
    seconds=45,
    setup=Setup(clock="moved", moment=lambda c: daytime(c, a_saturday(c), hours=11, minutes=59, seconds=55), speed=8),
)
async def sundays(bench: Bench) -> None:
    """Messages requested on Saturday are sent; those requested on Sunday must wait."""
    await bench.connected(CODE)
    sunday = bench.today() + timedelta(days=1)
    await tempt(bench)
    await probe(bench)
    opens, closes = (_edge(bench.contract, which) for which in ("opens", "closes"))
    for minute in (opens, (opens + closes) // 2, closes - HOUR_MIN):
        await bench.step_to(sunday + timedelta(minutes=minute + 29, seconds=58))
        await tempt(bench)
        await probe(bench, 5)
    await bench.step_to(daytime(bench.contract, (sunday + timedelta(days=1)).date(), hours=10))
    await probe(bench, 3)


@exercise(
    "Marketing at noon of the public holidays, and on the last day of the year",
    ("hours.holidays",),
    CODE,
    seconds=90,
    setup=Setup(
        clock="moved", moment=lambda c: daytime(c, holidays_of(c)[0], hours=11, minutes=59, seconds=56), speed=8
    ),
)
async def holidays(bench: Bench) -> None:
    """Step the clock from one holiday to the next, in a year without a holiday on a Sunday."""
    await bench.connected(CODE)
    days = holidays_of(bench.contract)
    for day in days:
        if day != days[0]:
            await bench.step_to(daytime(bench.contract, day, hours=11, minutes=59, seconds=58))
        await tempt(bench, 1)
        await probe(bench, 5)
    sending = (date(days[-1].year, 12, 31) + timedelta(days=more) for more in count())
    last = next(day for day in sending if day > days[-1] and bench.contract.is_sending_day("marketing", day))
    await bench.step_to(daytime(bench.contract, last, hours=12))
    await tempt(bench)
    await probe(bench, 3)


def _change(season: str) -> None:
    def moment(contract: Contract) -> datetime:
        day = clock_changes(contract).get(season) or a_tuesday(contract)
        return _at(day, minutes=_edge(contract, "opens")) - timedelta(seconds=2)

    async def script(bench: Bench) -> None:
        await bench.connected(CODE)
        day = bench.today()
        await tempt(bench, 1)
        await probe(bench, 3)
        later = (day + timedelta(days=more) for more in count(1))
        working = next(one for one in later if bench.contract.is_sending_day("marketing", one.date()))
        for minute in (_edge(bench.contract, "opens") - HOUR_MIN, _edge(bench.contract, "closes")):
            await bench.step_to(working + timedelta(minutes=minute, seconds=-3))
            await tempt(bench, 1)
            await probe(bench, 4)
            await tempt(bench, 1)
            await probe(bench, 2)

    script.__name__ = f"{season}_time"
    setup = Setup(clock="moved", moment=moment)
    purposes = (f"hours.{season}-time",)
    exercise(f"Marketing around the change to {season}-time", purposes, CODE, seconds=20, setup=setup)(script)


# On the Sunday itself, then on the next working day at the hours of an unchanged clock.
_change("summer")
_change("winter")


@exercise(
    "Marketing to a phone that is off when the hours end and on again in the night",
    ("hours.delivered-in-hours",),
    CODE,
    seconds=60,
    setup=Setup(clock="moved", moment=edge("closes", minutes=1, seconds=5), speed=8),
)
async def night_delivery(bench: Bench) -> None:
    """The validity period of the message determines whether it is delivered half an hour after the end."""
    await bench.connected(CODE)
    absent, closes = bench.subscriber(), edge("closes")(bench.contract)
    bench.control.detach(absent)
    await bench.ask(bench.marketing("first", absent))
    await probe(bench)
    await bench.step_to(closes - timedelta(seconds=3))
    await probe(bench, 5)  # expired messages are notified here
    await bench.step_to(closes + timedelta(minutes=29, seconds=57))
    await probe(bench, 5)
    bench.control.attach(absent)
    await bench.reported(60)
    await bench.pause(2)
