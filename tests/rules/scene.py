"""Small ledgers written by hand: events, requests, reads and writes, at times in seconds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from simbench.base.units import SECOND_US
from simbench.contract import Contract, load_contract
from simbench.finding import Finding
from simbench.ledger import MemoryLedger
from simbench.ledger.stimuli import Reported, ReportKind, Request, Stimulus, Unrequested, stimulus_row
from simbench.rules.rule import Case, judge
from simbench.trace.trace import Trace
from simbench.ucp.content import compose
from simbench.ucp.fields import At
from simbench.ucp.frame import encode
from simbench.ucp.notifications import deliver_body, notification_body
from simbench.ucp.operations import build
from tests.paris import instant, scts_text

Chunk = tuple[str, bytes]  # direction, octets
START = instant(2026, 3, 2, 10, 0, 0)
CODE = "36010"
RECIPIENT = "33710000001"
STAMP = "020326100000"


def us(seconds: float) -> int:
    """The instant so many seconds after START."""
    return START + round(seconds * SECOND_US)


class Scene:
    """A ledger being written by hand. Every instant is in seconds after START; sessions are numbers."""

    def __init__(self, code: str = CODE, rate: int = 10, mode: str = "monitor") -> None:
        self.ledger = MemoryLedger()
        self.event(0, "limit", code, rate_per_s=rate, mode=mode, account=code)

    # Events and the bench --------------------------------------------------------------------------------------

    def event(self, at: float, kind: str, subject: str, **detail: object) -> Scene:
        self.ledger.events.append((us(at), kind, subject, None, json.dumps(detail)))
        return self

    def outage(self, start: float, end: float, mode: str = "accept-close") -> Scene:
        return self.event(start, "outage", "total", mode=mode).event(end, "restored", "total", mode=mode)

    def drop(self, at: float, session: int = 1) -> Scene:
        return self.event(at, "fault", f"session:{session}", drop="fin")

    def requested(self, at: float, token: str, oadc: str = "", kind: str = "send", code: str = CODE) -> Scene:
        return self.stimulus(
            (Request if kind == "send" else Unrequested)(
                us(at), token, code, RECIPIENT, f"Bonjour {token}", opted_in=True, oadc=oadc
            )
        )

    def reported(self, at: float, kind: ReportKind, token: str) -> Scene:
        return self.stimulus(Reported(us(at), kind, token, CODE, RECIPIENT))

    def stimulus(self, stimulus: Stimulus) -> Scene:
        self.ledger.stimuli.append(stimulus_row(stimulus))
        return self

    def late(self, start: float, end: float, ms: float) -> Scene:
        """The bench itself was late."""
        self.ledger.timing_error.append((us(start), us(end), round(ms * 1000), "loop"))
        return self

    # The wire --------------------------------------------------------------------------------------------------

    def wire(self, at: float, direction: str, octets: bytes, session: int = 1) -> Scene:
        self.ledger.wire.append((us(at), session, direction, octets))
        return self

    def opened(self, at: float, session: int = 1) -> Scene:
        return self.wire(at, "open", b"192.0.2.7:40000", session)

    def closed(self, at: float, session: int = 1) -> Scene:
        return self.wire(at, "close", b"peer: closed", session)

    def login(self, at: float, session: int = 1, answer: str = "A//", account: str = CODE) -> Scene:
        """A connection made and logged in within two milliseconds."""
        self.opened(at, session).wire(at + 0.001, "in", login(account), session)
        return self.wire(at + 0.002, "out", encode("00", "R", "60", answer), session)

    def submit(
        self, at: float, trn: int, token: str = "", answer: float | None = 0.001, session: int = 1, **fields: str
    ) -> Scene:
        """A 51 and its positive result `answer` seconds later (None: no result)."""
        self.wire(at, "in", submit(trn, token, **fields), session)
        return self if answer is None else self.result(at + answer, trn, session)

    def result(self, at: float, trn: int, session: int = 1, body: str = f"A//{RECIPIENT}:{STAMP}/") -> Scene:
        return self.wire(at, "out", encode(trn, "R", "51", body), session)

    # Judging ---------------------------------------------------------------------------------------------------

    def trace(self) -> Trace:
        for rows in (self.ledger.wire, self.ledger.events, self.ledger.stimuli):
            rows.sort(key=lambda row: int(str(row[0])))
        return Trace(self.ledger.snapshot())

    def judged(self, purpose: str, contract: Contract | None = None) -> Finding:
        return judge(purpose, Case(self.trace(), contract or load_contract()), "by-hand")


def login(account: str = CODE, trn: int = 0) -> bytes:
    return build("60", "O", trn, OAdC=account, OTON="6", ONPI="5", STYP="1", PWD=b"secret".hex().upper(), VERS="0100")


def alert(trn: int) -> bytes:
    return build("31", "O", trn, AdC=CODE, PID="0539")


def submit(trn: int, token: str = "", **fields: str) -> bytes:
    """A 51 with the token in its text."""
    part = compose(f"Bonjour {token}")[0]
    values = {"AdC": RECIPIENT, "OAdC": CODE, "NRq": "1", "NT": "3", "MT": part.mt, "Msg": part.msg}
    return build("51", "O", trn, **{**values, **fields})


def notice(trn: int, outcome: Literal[0, 1, 2] = 0, at: float = 0) -> bytes:
    """A 53 on the message to RECIPIENT stamped STAMP."""
    return encode(trn, "O", "53", notification_body(CODE, RECIPIENT, STAMP, outcome, 0, scts_text(us(at))))


def mo(trn: int, text: str = "STOP") -> bytes:
    return encode(trn, "O", "52", deliver_body(CODE, RECIPIENT, STAMP, compose(text)[0]))


def accepted(trn: int) -> bytes:
    return encode(trn, "R", "51", f"A//{RECIPIENT}:{STAMP}/")


def fields(**filled: str) -> list[str]:
    """The data fields of a 5x operation."""
    data = [""] * 33
    for name, value in filled.items():
        data[getattr(At, name)] = value
    return data


def trace_of(chunks: list[Chunk], opened: bool = True) -> Trace:
    """One connection, a chunk every ten milliseconds."""
    scene = Scene()
    if opened:
        scene.opened(0.5)
    for number, (direction, octets) in enumerate(chunks):
        scene.wire(1 + number / 100, direction, octets)
    return scene.trace()


def signed(folder: Path, *terms: str) -> Contract:
    """The contract with these assumed terms confirmed as they stand."""
    known = load_contract().terms.by_name()
    text = 'extends = "orange_ops_2016"\ntitle = "Signed"\n'
    for name in terms:
        text += f'[terms.{name}]\nvalue = {json.dumps(known[name].value)}\nstatus = "contract"\n'
    path = folder / "signed.toml"
    path.write_text(text, encoding="utf-8")
    return load_contract(path)


def paced(rate: float, count: int, start: float = 1.0) -> Iterable[float]:
    """Instants of an even pace."""
    return (start + number / rate for number in range(count))
