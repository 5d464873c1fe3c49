"""Exercises on campaigns: content, consent, opt-outs, ranges, sender names, ported numbers.

Each mixes permitted and forbidden requests. Recipients come from the fictional blocks of the numbering plan.
"""

from __future__ import annotations

from msgspec.structs import replace

from simbench.bench.exercises.exercise import Setup, exercise
from simbench.bench.exercises.marketing_hours import probe
from simbench.bench.exercises.tester import Bench
from simbench.numbering.subscribers import Subscriber

DAYTIME = Setup(clock="daytime")
SPELLINGS = ("STOP", "stop", " Stop ", "STOP 36010", "Stop.", "STOP SMS", "s.t.o.p", "«Stop» merci")
MACHINE = "337000000900001"
AWAY, HERE = "33710900001", "33720000001"  # in a block of Orange, and in one of another operator


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
    {"36050": 50},
    seconds=15,
    setup=DAYTIME,
)
async def campaign(bench: Bench) -> None:
    """Ten permitted messages, and two of each kind of forbidden request."""
    code, full = "36050", "Soldes chez MARQUE: " + "tout doit partir " * 8
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
    await bench.received(len(good) + 5, bench.patience_s)
    await bench.pause(3)


@exercise(
    "Users opt out in every spelling, while the client is busy, and on one of a brand's codes; a day later",
    (
        "opt-out.every-spelling",
        "opt-out.while-busy",
        "opt-out.every-code",
        "ranges.session-over",
    ),
    {"36010": 10, "36020": 20, "34001": 10},
    seconds=70,
    setup=Setup(clock="moved", epoch="2026-03-03T10:59:55", speed=8),
)
async def opt_outs(bench: Bench) -> None:
    """A first message to every user; a day after the opt-outs, a second one is requested for each."""
    await bench.connected(bench.rates)
    quiet, busy, others = ([bench.subscriber() for _ in range(n)] for n in (len(SPELLINGS), 4, 4))
    here = [bench.marketing("36010", who) for who in (*quiet, *others)]
    there = [bench.marketing("36020", who) for who in (*busy, *others[:2])]
    await bench.ask_all([*here, *there])
    await probe(bench, 8)
    await bench.received(bench.asked, bench.patience_s)
    for who, text in zip(quiet, SPELLINGS, strict=True):
        bench.control.mo(who, "36010", text)
    bench.control.mo(others[0], "34001", "Bonjour")
    await bench.pause(3)
    await bench.ask_all(bench.message("36020") for _ in range(80))
    for who in busy:
        bench.control.mo(who, "36020", "STOP")
        await bench.pause(0.5)
    await bench.received(bench.asked, bench.patience_s)
    await bench.step_to(2026, 3, 4, 12, 29, 57)
    await probe(bench, 5)
    again = [bench.marketing("36010", who) for who in (*quiet, *others)]
    again += [bench.marketing("36020", who) for who in (*busy, *quiet[:2])]
    await bench.ask_all([*again, bench.message("34001", others[0])])
    await bench.pause(5)


@exercise(
    "Permitted and forbidden messages are requested on each range of short codes",
    (
        "ranges.begun-by-user",
        "ranges.marketing-range",
        "ranges.presence-range",
        "ranges.web2sms-range",
        "ranges.machines-only",
    ),
    {"34001": 10, "35001": 10, "36010": 10, "37001": 10, "38001": 10},
    seconds=15,
    setup=DAYTIME,
)
async def ranges(bench: Bench) -> None:
    """One range after the other."""
    await bench.connected(bench.rates)
    bench.control.put(Subscriber(MACHINE, "m2m", "orange", attached=True))
    user = bench.subscriber()
    bench.control.mo(user, "34001", "Combien ?")
    await bench.pause(1)
    proper = [
        bench.message("34001", user),
        bench.marketing("35001", traits=("presence",)),
        bench.marketing("36010"),
        bench.message("37001", traffic_class="web2sms"),
        bench.message("38001", MACHINE),
    ]
    improper = [
        bench.message("34001"),
        bench.marketing("35001"),
        bench.marketing("37001"),
        bench.marketing("38001", MACHINE),
        bench.message("36010", traffic_class="web2sms"),
        bench.message("38001"),
    ]
    await bench.ask_all([*proper, *improper])
    await bench.received(len(proper), bench.patience_s)
    await bench.pause(3)


@exercise(
    "Sender names, on a code with the option and on one without",
    ("sender.sender-names",),
    {"36010": 10, "36020": 20},
    seconds=10,
    setup=Setup(oadc_option=("36020",)),
)
async def sender_names(bench: Bench) -> None:
    """Valid names, invalid names, and valid names on a code without the option."""
    await bench.connected(bench.rates)
    good = [bench.message("36020", oadc=name) for name in ("MARQUE", "Marque75", "A1234567890")]
    bad = [bench.message("36020", oadc=name) for name in ("MARQUE LUXE", "M-75", "MARQUE_75", "33639980077")]
    bad.append(bench.message("36010", oadc="MARQUE"))
    await bench.ask_all([*good, *bad, bench.message("36010")])
    await bench.received(len(good) + 1, bench.patience_s)
    await bench.pause(3)


@exercise(
    "Numbers ported away from Orange and to it, according to the client's portability data",
    ("recipients.ported-numbers",),
    {"36050": 50},
    seconds=10,
    setup=Setup(ported=((AWAY, "bouygues", "2020-01-06"), (HERE, "orange", "2020-01-06"))),
)
async def ported(bench: Bench) -> None:
    """Both kinds among ordinary numbers; the platform has the same data as the file."""
    bench.control.put(Subscriber(AWAY, "ported-out", "bouygues"))
    bench.control.put(Subscriber(HERE, "orange", "orange", attached=True))
    await bench.connected(["36050"])
    asks = [bench.message("36050") for _ in range(10)]
    asks += [replace(bench.message("36050"), recipient=number) for number in (AWAY, HERE, AWAY)]
    await bench.ask_all(asks)
    await bench.received(11, bench.patience_s)
    await bench.pause(2)
