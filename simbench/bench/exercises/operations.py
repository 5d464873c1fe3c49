"""Exercises on single operations: refusals, late results, logins, suspension, notifications, MO messages."""

from __future__ import annotations

from simbench.bench.exercises.codes import REFUSING
from simbench.bench.exercises.exercise import Setup, exercise
from simbench.bench.exercises.tester import Bench
from simbench.rules.client.refusals import DUTIES

FAST = Setup(speed=8)
REFUSALS = {f"{REFUSING}{ec}": ec for ec in DUTIES}  # one short code for each error code
WAYS = {
    "first": "early-notification",
    "second": "double-notification",
    "third": "late-notification",
    "fourth": "lost-notification",
}


@exercise(
    "Each short code refuses its first messages with its own error code for a few seconds",
    ("submits.given-up", "submits.tried-again", "reports.as-on-the-wire"),
    tuple(REFUSALS),
    seconds=40,
    setup=FAST,
)
async def refusals(bench: Bench) -> None:
    """Show which messages the client sends again within half a minute, or two if one of a temporary code is missing."""
    await bench.connected(REFUSALS)
    for name, ec in REFUSALS.items():
        bench.control.fault("nack", code=bench.code(name), ec=ec)
    await bench.ask_all(bench.message(name) for name in REFUSALS)
    await bench.pause(6)
    bench.control.clear("nack")
    await bench.pause(30)
    await bench.received(list(DUTIES.values()).count("try again"), 90)  # answers without those of the fault


@exercise(
    "Every second result is twenty seconds late",
    ("submits.late-results",),
    ("first",),
    seconds=70,
    setup=FAST,
)
async def delayed_results(bench: Bench) -> None:
    """Delay results by less than the result timer, so the client must wait."""
    await bench.connected(["first"])
    bench.control.fault("late-result", share=0.5, delay_s=20)
    await bench.ask_all(bench.message("first") for _ in range(20))
    await bench.received(bench.asked, bench.patience_s)
    await bench.pause(25)


@exercise(
    "Logins are refused for twenty seconds; one account has a wrong password throughout",
    ("sessions.every-account", "sessions.refused-pace", "sessions.stranger-refused"),
    ("first", "second"),
    seconds=70,
    setup=Setup(speed=8, wrong_password=("second",)),
)
async def login_refused(bench: Bench) -> None:
    """The client's own back-off determines when the first account logs in; the second never does."""
    bench.control.fault("login-refused", code=bench.code("first"), for_s=20)
    await bench.pause(1)
    for session in bench.control.sessions():  # a client that logged in before the fault logs in again
        bench.control.drop(session.number)
    await bench.ask_all(bench.message(code) for code in bench.rates for _ in range(5))
    await bench.pause(65)


@exercise(
    "An account is suspended under traffic",
    ("sessions.suspended",),
    ("first",),
    seconds=30,
    setup=FAST,
)
async def suspension(bench: Bench) -> None:
    """Refuse submits, and the login after the connection was closed."""
    await bench.connected(["first"])
    await bench.ask_all(bench.message("first") for _ in range(10))
    await bench.received(10, bench.patience_s)
    bench.control.suspend(bench.account("first"))
    await bench.ask_all(bench.message("first") for _ in range(5))
    await bench.received(15, bench.patience_s)
    for session in bench.control.sessions():
        bench.control.drop(session.number)
    await bench.pause(15)


@exercise(
    "Notifications arrive before their results, twice, late, or never",
    tuple(f"notifications.{slug}-notifications" for slug in ("early", "doubled", "late", "lost")),
    tuple(WAYS),
    seconds=50,
    setup=FAST,
)
async def notifications(bench: Bench) -> None:
    """Use one code for each kind of notification; the rule compares the client's reports with the wire."""
    await bench.connected(WAYS)
    for one, name in WAYS.items():
        late = {"late-notification": {"delay_s": 15}, "double-notification": {"delay_s": 5}}
        bench.control.fault(name, code=bench.code(one), **late.get(name, {}))
    await bench.ask_all(bench.message(code) for code in WAYS for _ in range(10))
    await bench.received(bench.asked, bench.patience_s)
    await bench.reported(30)
    await bench.pause(25)


@exercise(
    "Users write while the client is busy",
    ("mo.mo-delivered", "mo.mo-passed-on"),
    ("reply", "first"),
    seconds=25,
    setup=FAST,
)
async def busy(bench: Bench) -> None:
    """Create a backlog on one code and send MO messages to both, some while the client's window is full."""
    await bench.connected(bench.rates)
    bench.control.fault("mo-at-full-window", code=bench.code("first"), delay_s=1, share=0.3)
    await bench.ask_all(bench.message("first") for _ in range(100))
    codes = list(bench.rates)
    for number in range(20):
        bench.control.mo(bench.plan.writer(number), codes[number % len(codes)], f"Bonjour {number}")
        await bench.pause(0.3)
    await bench.received(bench.asked, bench.patience_s)
    await bench.reported(30)
