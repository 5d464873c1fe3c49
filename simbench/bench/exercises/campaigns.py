"""Exercises on campaigns: content, consent, opt-outs, ranges, sender names, ported numbers.

Each exercise mixes permitted and forbidden requests. Recipients come from the fictional blocks of the numbering plan.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from msgspec.structs import replace

from simbench.base.units import HOUR_US
from simbench.bench.exercises.exercise import Setup, exercise
from simbench.bench.exercises.marketing_hours import a_morning, clock_at, daytime, probe
from simbench.bench.exercises.tester import Bench
from simbench.numbering.plan import NumberingPlan
from simbench.numbering.subscribers import Subscriber

DAYTIME = Setup(clock="daytime", moment=a_morning)
CALM_S = 2  # from the last message to an opt-out that reaches an idle client
SPELLINGS = ("STOP", "stop", " Stop ", "STOP {code}", "Stop.", "STOP SMS", "s.t.o.p", "«Stop» merci")
GOOD_NAMES = ("MARQUE", "Marque75", "A1234567890", "GRANDEMARQU", "7SUR7")
BAD_NAMES = (
    "MARQUE LUXE",
    "M-75",
    "MARQUE_75",
    "GRANDEMARQUE",
    "MARQUEDELUXE2026",
    "2026",
    "CAFÉ",
    "MÉTÉO",
)


@exercise(
    "A campaign: consent, brand, STOP, free services, one message a day",
    (
        "marketing.opted-in-only",
        "marketing.brand-named",
        "marketing.stop-mention",
        "marketing.second-segment",
        "marketing.free-service",
        "marketing.solicitation",
        "marketing.once-a-day",
    ),
    ("third",),
    seconds=15,
    setup=DAYTIME,
)
async def campaign(bench: Bench) -> None:
    """Request ten permitted messages, and two of each kind of forbidden request."""
    code, full = "third", "Soldes chez MARQUE: " + "tout doit partir " * 8
    await bench.connected([code])
    good = [bench.marketing(code) for _ in range(10)]
    once = good[0].recipient
    asks = [
        *good,
        *(bench.marketing(code, text=full[:145]) for _ in range(3)),
        *(bench.marketing(code, traits=("optout-told",)) for _ in range(2)),
        *(bench.marketing(code, opted_in=False) for _ in range(2)),
        *(bench.marketing(code, text="Soldes des demain") for _ in range(2)),
        *(bench.marketing(code, text="MARQUE, service gratuit") for _ in range(2)),
        *(bench.marketing(code, text="MARQUE, service gratuit", traits=("all-free",)) for _ in range(2)),
        *(bench.marketing(code, once) for _ in range(2)),
        bench.marketing(code, once, text="Soldes chez RIVALE", brand="RIVALE"),
    ]
    await bench.ask_all(asks)
    await bench.settled()
    await bench.pause(3)


@exercise(
    "Users opt out in every spelling, while the client is busy, and on one of a brand's codes; a day later",
    (
        "opt-out.every-spelling",
        "opt-out.while-busy",
        "opt-out.every-code",
        "ranges.session-over",
    ),
    ("first", "second", "reply"),
    seconds=70,
    setup=Setup(clock="moved", moment=clock_at(10, 59, 55), speed=8),
)
async def opt_outs(bench: Bench) -> None:
    """Send a first message to every user; request a second one for each when grace and sessions have ended."""
    await bench.connected(bench.rates)
    quiet, busy, others = ([bench.subscriber() for _ in range(n)] for n in (len(SPELLINGS), 4, 4))
    here = [bench.marketing("first", who) for who in (*quiet, *others)]
    there = [bench.marketing("second", who) for who in (*busy, *others[:2])]
    await bench.ask_all([*here, *there])
    await probe(bench, 8)
    await bench.settled()
    await bench.pause(CALM_S)  # at a low rate the last messages were sent just now
    for who, text in zip(quiet, SPELLINGS, strict=True):
        bench.control.mo(who, bench.code("first"), text.format(code=bench.code("first")))
    if bench.has("reply"):
        bench.control.mo(others[0], bench.code("reply"), "Bonjour")
    await bench.pause(3)
    await bench.ask_all(bench.message("second") for _ in range(80))
    for who in busy:
        bench.control.mo(who, bench.code("second"), "STOP")
        await bench.pause(0.5)
    await bench.settled()
    await bench.step_to(_when_all_has_ended(bench))
    await probe(bench, 5)
    again = [bench.marketing("first", who) for who in (*quiet, *others)]
    again += [bench.marketing("second", who) for who in (*busy, *quiet[:2])]
    late = [bench.message("reply", others[0])] if bench.has("reply") else []
    await bench.ask_all([*again, *late])
    await bench.pause(5)


def _when_all_has_ended(bench: Bench) -> datetime:
    """Return a time within the hours, later than the grace after an opt-out and the session after a message."""
    contract, terms = bench.contract, bench.contract.terms.marketing
    ended = bench.control.now() + max(terms.stop_grace_h.value, terms.reply_session_h.value) * HOUR_US
    first = contract.calendar.civil(ended).date()
    days = (first + timedelta(days=more) for more in count())
    moments = (daytime(contract, day, hours=12, minutes=29, seconds=57) for day in days)
    instants = ((moment, contract.calendar.from_civil(moment)) for moment in moments)
    return next(moment for moment, at in instants if at > ended and contract.may_send("marketing", at))


@exercise(
    "Permitted and forbidden messages are requested on each range of short codes",
    (
        "ranges.begun-by-user",
        "ranges.marketing-range",
        "ranges.presence-range",
        "ranges.web2sms-range",
        "ranges.machines-only",
    ),
    ("reply", "presence", "first", "interpersonal", "machines"),
    seconds=15,
    setup=DAYTIME,
)
async def ranges(bench: Bench) -> None:
    """Request messages on one range after the other."""
    await bench.connected(bench.rates)
    machine = bench.plan.one("machine")
    if machine:
        bench.control.put(Subscriber(machine, "m2m", bench.plan.home, attached=True))
    user = bench.subscriber()
    proper, improper = [], []
    if bench.has("reply"):
        bench.control.mo(user, bench.code("reply"), "Combien ?")
        await bench.pause(1)
        proper.append(bench.message("reply", user))
        improper.append(bench.message("reply"))
    if bench.has("presence"):
        proper.append(bench.marketing("presence", traits=("presence",)))
        improper.append(bench.marketing("presence"))
    proper.append(bench.marketing("first"))
    if bench.has("interpersonal"):
        proper.append(bench.message("interpersonal", traffic_class="web2sms"))
        improper += [bench.marketing("interpersonal"), bench.message("first", traffic_class="web2sms")]
    if bench.has("machines") and machine:
        proper.append(bench.message("machines", machine))
        improper += [bench.marketing("machines", machine), bench.message("machines")]
    await bench.ask_all([*proper, *improper])
    await bench.settled()
    await bench.pause(3)


@exercise(
    "Sender names, on a code with the option and on one without",
    ("sender.sender-names", "sender.names-as-requested"),
    ("first", "second"),
    seconds=10,
    setup=Setup(oadc_option=("second",)),
)
async def sender_names(bench: Bench) -> None:
    """Request valid names, invalid names, and valid names on a code without the option."""
    await bench.connected(bench.rates)
    good = [bench.message("second", oadc=name) for name in GOOD_NAMES]
    bad = [bench.message("second", oadc=name) for name in (*BAD_NAMES, bench.plan.writer(77))]
    bad.append(bench.message("first", oadc="MARQUE"))
    await bench.ask_all([*good, *bad, bench.message("first")])
    await bench.settled()
    await bench.pause(3)


def ported_numbers(plan: NumberingPlan) -> tuple[tuple[str, str, str], ...]:
    """Return one number ported away from the operator and one ported to it: number, operator, day."""
    away = (*plan.away, "other")
    since = "2020-01-06"
    return (plan.own(900_001), away[min(1, len(away) - 1)], since), (plan.elsewhere(1), plan.home, since)


@exercise(
    "Numbers ported away from the operator and to it, according to the client's portability data",
    ("recipients.ported-numbers",),
    ("third",),
    seconds=10,
    setup=Setup(ported=ported_numbers),
)
async def ported(bench: Bench) -> None:
    """Request messages to both kinds among ordinary numbers; the platform has the same data as the file."""
    plan = bench.plan
    (away, operator, _), (here, home, _) = ported_numbers(plan)
    bench.control.put(Subscriber(away, "ported-out", operator))
    bench.control.put(Subscriber(here, home, home, attached=True))
    await bench.connected(["third"])
    asks = [bench.message("third") for _ in range(10)]
    asks += [replace(bench.message("third"), recipient=number) for number in (away, here, away)]
    await bench.ask_all(asks)
    await bench.settled()
    await bench.pause(2)
