"""Traffic an auditor is given: a run of our own server as a capture, marketing scenes, and what is planted in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from simbench.base.units import DAY_US, HOUR_US, SECOND_US
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.capture.pcap import write_pcapng
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.ledger import MemoryLedger, Run
from simbench.ledger.rows import Row
from simbench.ucp.content import compose
from simbench.ucp.operations import build
from tests.paris import instant

MONDAY = instant(2026, 3, 2, 10, 0, 0)
USER = "33639980001"
TEXT = "MARQUE: soldes. STOP 36010"


@lru_cache(maxsize=4)
def run_of(exercise: str) -> Run:
    """An exercise with the reference client in virtual time."""
    import simbench.bench.runner.selection  # noqa: F401 - enters the exercises

    return conduct_in_memory(EXERCISES[exercise], load_contract()).run


def captured(exercise: str, folder: Path) -> Path:
    """Its wire as a capture."""
    path = folder / f"{exercise}.pcapng"
    path.unlink(missing_ok=True)
    write_pcapng(run_of(exercise), path)
    return path


class Sent:
    """Marketing over one session: rows of wire and asked, each message accepted."""

    def __init__(self) -> None:
        login = build("60", "O", 0, OAdC="36010", OTON="6", ONPI="5", STYP="1", PWD="736563726574", VERS="0100")
        self.wire: list[Row] = [
            (MONDAY - SECOND_US, 1, "open", b"192.0.2.1:4000"),
            (MONDAY - SECOND_US, 1, "in", login),
            (MONDAY - SECOND_US + 1, 1, "out", build("60", "R", 0)),
        ]
        self.messages: list[tuple[int, str, str, str, bool]] = []
        self.deferred: dict[int, str] = {}

    def marketing(
        self, at: int = MONDAY, text: str = TEXT, to: str = USER, code: str = "36010", *, agreed: bool = True
    ) -> Sent:
        self.messages.append((at, text, to, code, agreed))
        return self

    def until(self, ddt: str) -> Sent:
        """Defer the latest message to a civil time (DDMMYYHHmm)."""
        self.deferred[self.messages[-1][0]] = ddt
        return self

    def opt_out(self, at: int, text: str = "Stop !") -> Sent:
        notice = build(
            "52", "O", 7, AdC="36010", OAdC=USER, SCTS="020326100000", MT="3", Msg=text.encode().hex().upper()
        )
        self.wire += [(at, 1, "out", notice), (at + 1, 1, "in", build("52", "R", 7))]
        return self

    def run(self) -> Run:
        ledger, places = MemoryLedger(), 0
        for number, (at, text, to, code, agreed) in enumerate(sorted(self.messages), 1):
            first = places
            for part in compose(text):
                fields = {"MT": part.mt, "Msg": part.msg, "NB": part.nb, "XSer": part.xser}
                if at in self.deferred:
                    fields |= {"DD": "1", "DDT": self.deferred[at]}
                kept = {name: value for name, value in fields.items() if value}
                self.wire.append((at, 1, "in", build("51", "O", places, AdC=to, OAdC=code, **kept)))
                self.wire.append((at + 1, 1, "out", build("51", "R", places, SM=f"{to}:020326100000")))
                places += 1
            detail = json.dumps({"places": [*range(first, places)]})
            row = (at, "send", f"message {number}", code, to, text, "marketing", "MARQUE", agreed, detail)
            ledger.stimuli.append(row)
        ledger.wire.extend(sorted(self.wire, key=lambda row: int(str(row[0]))))
        return ledger.snapshot()


def in_order(rows: Iterable[Finding]) -> dict[str, Finding]:
    return {one.purpose: one for one in rows}


def sound() -> Sent:
    """Nothing is wrong with it: two users, two days, one in two segments, one opt-out."""
    sent = Sent().marketing().marketing(MONDAY + DAY_US, "MARQUE " + "x" * 170 + " STOP 36010")
    return sent.marketing(MONDAY + HOUR_US, to="33639980002").opt_out(MONDAY + 26 * HOUR_US)


# Each makes the rule that names it fail (or be weak, where its limit is an assumption or a recommendation).
PLANTED: dict[str, Callable[[], Sent]] = {
    "night-marketing": lambda: sound().marketing(MONDAY + 14 * HOUR_US, to="33639980003"),
    "marketing-without-consent": lambda: sound().marketing(MONDAY + 2 * HOUR_US, to="33639980003", agreed=False),
    "marketing-on-machine-codes": lambda: sound().marketing(MONDAY + 2 * HOUR_US, to="33639980003", code="38001"),
    "marketing-without-stop": lambda: sound().marketing(MONDAY + 2 * HOUR_US, "MARQUE: soldes", "33639980003"),
    "marketing-twice-a-day": lambda: sound().marketing(MONDAY + 2 * HOUR_US),
    "marketing-after-stop": lambda: sound().marketing(MONDAY + 74 * HOUR_US),
}
SEGMENTS: Sequence[str] = ("clear-from-client-planted", "clear-from-smsc-planted")
