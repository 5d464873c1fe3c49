"""Invented runs as ledgers: five codes at their tiers, an outage, delayed answers."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable
from itertools import count

from simbench.base.units import SECOND_US
from simbench.bench.report import ExerciseRun
from simbench.ledger import MemoryLedger
from simbench.ledger.rows import Row
from simbench.trace.trace import Trace
from simbench.ucp.frame import encode
from simbench.ucp.notifications import notification_body
from simbench.ucp.operations import build
from tests.paris import instant, scts_text

START = instant(2016, 10, 3, 10, 0, 0)
TIERS = {"36010": 10, "36020": 20, "36050": 50, "36100": 100, "36150": 150}
FIRST = 33639980000


Sender = tuple[int, str]  # session and short code


class Simulation:
    """A ledger that a test fills with what an SMSC would have recorded."""

    def __init__(self, seed: int = 1) -> None:
        self.ledger = MemoryLedger()
        self.dice = random.Random(seed)
        self._sessions = count(1)
        self._marks = count(1)
        self._recipients = count()
        self._trns: defaultdict[int, count[int]] = defaultdict(count)
        self._wire: list[Row] = []

    def event(self, at: int, kind: str, subject: str, until: int | None = None, **detail: object) -> None:
        self.ledger.events.append((at, kind, subject, until, json.dumps(detail)))

    def limit(self, code: str, rate: int, mode: str = "monitor") -> None:
        self.event(START, "limit", code, rate_per_s=rate, mode=mode, account=code)

    def wire(self, at: int, session: int, direction: str, octets: bytes) -> None:
        self._wire.append((at, session, direction, octets))

    def login(self, code: str, at: int, ack: bool = True) -> int:
        session = next(self._sessions)
        self.wire(at, session, "open", b"192.0.2.7:40000")
        asked = build("60", "O", 0, OAdC=code, OTON="6", ONPI="5", STYP="1", PWD=b"secret".hex(), VERS="0100")
        self.wire(at + 1000, session, "in", asked)
        if ack:
            self.wire(at + 2000, session, "out", build("60", "R", 0, SM=""))
        return session

    def close(self, session: int, at: int, reason: str) -> None:
        self.wire(at, session, "close", reason.encode())

    def ask(self, code: str, at: int, text: str = "hello") -> tuple[str, str, str]:
        """One message requested from the client: its token, recipient and text."""
        mark = f"#{next(self._marks):05d}"
        recipient = str(FIRST + next(self._recipients) % 10_000)
        text = f"{text} {mark}"
        self.ledger.stimuli.append((at, "send", mark, code, recipient, text, "transactional", "", True, ""))
        return mark, recipient, text

    def submit(self, sender: Sender, at: int, asked: tuple[str, str, str], wait: int = -1, ec: str = "") -> int:
        """Record one message on the wire; return the instant of its result, -1 without one (`wait` -2)."""
        session, code = sender
        _, recipient, text = asked
        trn = next(self._trns[session]) % 100
        frame = build(
            "51", "O", trn, AdC=recipient, OAdC=code, NRq="1", NT="3", MT="3", Msg=text.encode().hex().upper()
        )
        self.wire(at, session, "in", frame)
        if wait == -2:
            return -1
        result_at = at + (wait if wait >= 0 else int(8000 * self.dice.lognormvariate(0, 0.5)))
        if ec:
            self.wire(result_at, session, "out", build("51", "R", trn, EC=ec, SM=""))
            return result_at
        scts = scts_text(result_at)
        self.wire(result_at, session, "out", build("51", "R", trn, SM=f"{recipient}:{scts}"))
        return result_at

    def notify(self, sender: Sender, recipient: str, result_at: int) -> None:
        """The notification of one accepted message, some seconds after its result, answered at once."""
        session, code = sender
        trn = next(self._trns[-session]) % 100
        at = result_at + int(4 * SECOND_US * self.dice.lognormvariate(0, 0.6))
        body = notification_body(code, recipient, scts_text(result_at), 0, 0, scts_text(at))
        self.wire(at, session, "out", encode(trn, "O", "53", body))
        self.wire(at + 3000, session, "in", build("53", "R", trn, SM=""))

    def trace(self) -> Trace:
        self.ledger.wire = sorted(self._wire, key=lambda row: row[0])  # type: ignore[arg-type,return-value,assignment]  # rows hold objects
        self.ledger.stimuli.sort(key=lambda row: row[0])  # type: ignore[arg-type,return-value]  # as above
        return Trace(self.ledger.snapshot())


def at_tier(seconds: int = 60, above: dict[str, int] | None = None) -> Trace:
    """Five codes that send at their tiers for that duration; `above` names faster codes with their rates."""
    world = Simulation()
    for code, tier in TIERS.items():
        world.limit(code, tier)
        session = world.login(code, START + SECOND_US // 2)
        rate = (above or {}).get(code, tier)
        for number in range(rate * seconds):
            at = START + SECOND_US + number * SECOND_US // rate + world.dice.randrange(3000)
            asked = world.ask(code, START)
            ec = "04" if number % 211 == 7 else "06" if number % 997 == 3 else ""
            result_at = world.submit((session, code), at, asked, -2 if number % 1999 == 11 else -1, ec)
            if result_at >= 0 and not ec:
                world.notify((session, code), asked[1], result_at)
    return world.trace()


def outage(down_s: int = 15, mode: str = "accept-close", back: bool = True) -> Trace:
    """One code with 15 requests a second; the platform is down from second 20 on; reconnections every 4 s."""
    world, code, tier = Simulation(2), "36020", 20
    world.limit(code, tier)
    begin, end = START + 20 * SECOND_US, START + (20 + down_s) * SECOND_US
    world.event(begin, "outage", "total", end, mode=mode)
    world.event(end, "restored", "total", mode=mode)
    waiting = [
        (START + SECOND_US + n * SECOND_US // 15, world.ask(code, START + SECOND_US + n * SECOND_US // 15))
        for n in range(900)
    ]
    session = world.login(code, START + SECOND_US // 2)
    world.close(session, begin, "smsc: outage")
    tried = begin + 4 * SECOND_US
    while tried < end:
        attempt = world.login(code, tried, ack=False)
        world.close(attempt, tried + 2000, "smsc: outage")
        tried += 4 * SECOND_US
    if back:
        session_after = world.login(code, tried)
    free = START
    for asked_at, asked in waiting:
        at = max(asked_at, free)
        if begin - 20_000 <= at and (not back or at < tried + 5000):
            at = tried + 5000
        if at > begin and not back:
            break
        free = at + SECOND_US // tier
        world.submit((session if at < begin else session_after, code), at, asked)
    return world.trace()


def delayed(seconds: int = 30) -> Trace:
    """A code at 20/s gets 24 requests/s: answers come at the tier, later and later; the last fifth is slower."""
    world, code, tier = Simulation(3), "36020", 20
    world.limit(code, tier, "delay")
    session = world.login(code, START)
    answered, at = START, START + SECOND_US
    for number in range(24 * seconds):
        at += SECOND_US // 24 if number < 20 * seconds else SECOND_US // 12
        answered = max(answered + SECOND_US // tier, at + 5000)
        world.submit((session, code), at, world.ask(code, at), answered - at)
    return world.trace()


def exercise(name: str, title: str, make: Callable[[], Trace]) -> ExerciseRun:
    return ExerciseRun(name, title, make(), START)
