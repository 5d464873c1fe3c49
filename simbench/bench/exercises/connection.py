"""Exercises on sessions, recipients, originators, throughput and outages.

Durations are in platform seconds. Recipients come from the fictional blocks of the numbering plan.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain, cycle, zip_longest

from msgspec.structs import replace

from simbench.bench.exercises.codes import EVERY_TIER
from simbench.bench.exercises.exercise import Setup, exercise
from simbench.bench.exercises.tester import Bench
from simbench.client.messages import Outgoing
from simbench.numbering.plan import NumberingPlan
from simbench.numbering.subscribers import Subscriber

OBSERVED_S = 30  # after this time a client one percent too fast is 300 ms early, six times the tolerance
OUTAGE_S = 45
SHORT_OUTAGE_S = 10
# Three segments each: by characters, by the extension table's septets, and in UCS-2.
LONG = (
    "Votre commande est prete, vous pouvez venir la chercher des demain. " * 6,
    "Un article a 5 €, deux a 9 €, dix a 40 € ! " * 9,
    "Fête des mères, tout est prêt : à bientôt ! " * 4,
)
FAST = Setup(speed=8)  # without a rate to measure, clocks run fast if the client's can


def recipients_of_each_kind(plan: NumberingPlan) -> dict[str, Subscriber]:
    """Return one recipient of each kind in the plan."""
    home, away = plan.home, (*plan.away, "other")
    found = {
        "malformed": Subscriber(plan.short(), "malformed", attached=True),
        "fixed": Subscriber(plan.fixed(1234), "fixed", attached=True),
        "overseas": Subscriber(plan.one("overseas"), "overseas", attached=True),
        "foreign": Subscriber(plan.one("foreign"), "foreign", attached=True),
        "other operator": Subscriber(plan.elsewhere(1), "other-operator", away[0], attached=True),
        "ported out": Subscriber(plan.own(900_001), "ported-out", away[min(1, len(away) - 1)], attached=True),
        "machine": Subscriber(plan.one("machine"), "m2m", home, attached=True),
        "unknown": Subscriber(plan.own(900_009), "unknown", attached=True),
        "absent to the end": Subscriber(plan.own(900_002), home, home),
        "absent, then back": Subscriber(plan.own(900_003), home, home),
        "roaming": Subscriber(plan.own(900_004), home, home, attached=True, roaming=True),
    }
    return {name: one for name, one in found.items() if one.msisdn}


@exercise(
    "A connection: login, a few messages each way, then a period without traffic",
    (
        "sessions.well-formed",
        "sessions.login-first",
        "sessions.keepalive",
        "sessions.answers-notifications",
        "sessions.violations",
        "submits.violations",
        "sessions.sessions-last",
    ),
    ("first",),
    seconds=85,
    setup=FAST,
)
async def session(bench: Bench) -> None:
    """Messages and notifications first, then silence for longer than a keepalive may take."""
    await bench.ask_all(bench.message("first") for _ in range(30))  # some octets before the login is answered
    await bench.connected(["first"])
    bench.control.mo(bench.plan.writer(12), bench.code("first"), "Bonjour")
    await bench.received(bench.asked, bench.patience_s)
    await bench.reported(30)
    await bench.pause(bench.contract.terms.session.keepalive_expected_s.value + 10)


@exercise(
    "Every kind of recipient, among ordinary ones",
    (
        "recipients.served-recipients",
        "recipients.final-refusals",
        "recipients.accepted",
        "recipients.other-operators-share",
    ),
    ("third", "machines"),
    seconds=135,
    setup=FAST,
)
async def mixed_recipients(bench: Bench) -> None:
    """Malformed, fixed, overseas, foreign, other operator, ported, machine, unknown, absent, and roaming."""
    kinds = recipients_of_each_kind(bench.plan)
    for subscriber in kinds.values():
        bench.control.put(subscriber)
    await bench.connected(bench.rates)
    ordinary = [bench.message("third") for _ in range(200)]
    special = [bench.message("third", recipient=one.msisdn) for one in kinds.values()]
    if bench.has("machines") and "machine" in kinds:
        special.append(bench.message("machines", recipient=kinds["machine"].msisdn))
    expiring = kinds["absent to the end"].msisdn
    mixed = list(_interleaved(ordinary, special))
    await bench.ask_all(replace(ask, validity_s=60) if ask.recipient == expiring else ask for ask in mixed)
    await bench.received(len(ordinary), bench.patience_s)
    await bench.pause(10)
    bench.control.attach(kinds["absent, then back"].msisdn)
    # A validity ends on a whole minute, so the expiring message may stay valid for up to two.
    await bench.reported(120)
    await bench.pause(2)


@exercise(
    "Messages from other originators than the short code are requested",
    (
        "sender.short-code-only",
        "sender.forbidden-requests",
        "sender.no-subscriber-number",
        "sender.allotted-codes",
        "sender.originator-in-service",
    ),
    ("first", "second"),
    seconds=15,
    setup=FAST,
)
async def originators(bench: Bench) -> None:
    """Ordinary messages, then forbidden ones: a suffix, another party's code, a name, a subscriber's number."""
    await bench.connected(["first", "second"])
    await bench.ask_all(bench.message("first") for _ in range(10))
    await bench.received(10, bench.patience_s)
    first, numbering = bench.code("first"), bench.contract.terms.numbering
    last = "9" * (numbering.code_digits.value - len(numbering.first_for("marketing")))
    others = numbering.first_for("marketing") + last  # an unassigned code of the range
    await bench.ask_all(
        bench.message("first", oadc=oadc) for oadc in (f"{first}1", others, "MARQUE", bench.plan.writer(77))
    )
    await bench.pause(5)
    await bench.reported(30)


@exercise(
    "Results are late, because the SMSC enforces a lower rate than the client was given",
    ("sessions.window", "submits.trn-discipline", "submits.trn-in-order"),
    ("third",),
    seconds=40,
    setup=FAST,
)
async def late_results(bench: Bench) -> None:
    """The client's window fills: it must wait for results and keep transaction numbers distinct."""
    await bench.connected(["third"])
    bench.control.limit(bench.code("third"), bench.contract.terms.throughput.default_per_s.value, "delay")
    await bench.ask_all(bench.message("third") for _ in range(200))
    await bench.received(bench.asked, bench.patience_s)
    await bench.reported(30)


async def _backlog(bench: Bench, seconds: int) -> None:
    """Create a backlog on every code at once, then wait until all of it is answered."""
    await bench.connected(bench.rates)
    asks = _side_by_side(bench, {code: rate * (seconds + 1) for code, rate in bench.rates.items()})
    await bench.ask_all(asks)
    await bench.received(bench.asked, seconds + bench.patience_s)


@exercise(
    "A code per tier, half a minute of backlog; the SMSC only monitors",
    ("rate.backlog-at-tier", "rate.several-codes", "rate.uses-its-tier"),
    (EVERY_TIER,),
    seconds=OBSERVED_S + 5,
    alone=True,
)
async def backlog_monitored(bench: Bench) -> None:
    """The client's own mechanism must keep it within its tiers."""
    await _backlog(bench, OBSERVED_S)


@exercise(
    "A code per tier, a minute of backlog; the SMSC delays early submits",
    ("rate.tier-granted",),
    (EVERY_TIER,),
    seconds=65,
    limit="delay",
    alone=True,
)
async def backlog_delayed(bench: Bench) -> None:
    """Each code offers its rate for as long as the contract says, while the SMSC enforces it."""
    await _backlog(bench, bench.contract.terms.quality.rate_floor_offer_s.value)


@exercise(
    "Messages arrive one by one at two to five times the tier",
    ("rate.one-by-one",),
    (EVERY_TIER,),
    seconds=25,
    alone=True,
)
async def one_by_one(bench: Bench) -> None:
    """Twenty seconds' worth of each tier, in a half to a fifth of the time it needs."""
    await bench.connected(bench.rates)
    arriving = zip(bench.rates.items(), cycle((2, 3, 4, 5)), strict=False)
    await asyncio.gather(*(bench.ask_paced(code, rate * factor, rate * 20) for (code, rate), factor in arriving))
    await bench.received(bench.asked, bench.patience_s)


@exercise(
    "Texts of three segments, ten seconds of backlog",
    ("rate.long-messages",),
    ("first", "third"),
    seconds=15,
    alone=True,
)
async def long_messages(bench: Bench) -> None:
    """Each segment of a message is an operation and counts."""
    await bench.connected(bench.rates)
    asks = [
        bench.message(code, text=LONG[number % len(LONG)])
        for code, rate in bench.rates.items()
        for number in range(rate * 10 // 3)
    ]
    await bench.ask_all(asks)
    await bench.received(3 * len(asks), bench.patience_s)


@exercise(
    "The platform is down for 45 s and returns, under traffic",
    (
        "outage.comes-back",
        "outage.nothing-lost",
        "outage.no-duplicates",
        "sessions.reconnect-pace",
    ),
    ("first", "third"),
    seconds=115,
    setup=FAST,
)
async def total_outage(bench: Bench) -> None:
    """Request messages before, during and after the outage, in which connections end at once."""
    await bench.connected(bench.rates)
    asking = [asyncio.ensure_future(bench.ask_paced(code, 5, (10 + OUTAGE_S + 5) * 5)) for code in bench.rates]
    await bench.pause(10)
    await bench.control.outage("accept-close", for_s=OUTAGE_S)
    await bench.pause(OUTAGE_S)
    await bench.control.restore()
    await asyncio.gather(*asking)
    # Connections during the outage ended at once, so the client's own back-off determines its return.
    await bench.received(bench.asked, bench.patience_s)
    await bench.reported(30)


@exercise(
    "The platform is down for ten seconds and returns to a client with a backlog",
    ("rate.after-reconnection",),
    ("first", "third"),
    seconds=45,
    alone=True,
)
async def return_at_tier(bench: Bench) -> None:
    """The backlog takes the client ten seconds and more at its tier."""
    await bench.connected(bench.rates)
    await bench.ask_all(_side_by_side(bench, {code: 5 * rate for code, rate in bench.rates.items()}))
    await bench.pause(5)
    await bench.control.outage("accept-close", for_s=SHORT_OUTAGE_S)
    await bench.ask_all(_side_by_side(bench, {code: 12 * rate for code, rate in bench.rates.items()}))
    await bench.pause(SHORT_OUTAGE_S)
    await bench.control.restore()
    await bench.received(bench.asked, bench.patience_s)


def _side_by_side(bench: Bench, counts: dict[str, int]) -> Iterator[Outgoing]:
    """Yield messages of several codes in proportion, so that all backlogs end at the same time."""
    steps = min(counts.values())
    for _ in range(steps):
        for code, count in counts.items():
            for _ in range(count // steps):
                yield bench.message(code)


def _interleaved(many: list[Outgoing], few: list[Outgoing]) -> Iterator[Outgoing]:
    stride = len(many) // len(few)
    for group, one in zip_longest((many[at : at + stride] for at in range(0, len(many), stride)), few, fillvalue=None):
        yield from chain(group or [], [one] if one is not None else [])
