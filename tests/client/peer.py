"""A core and a scripted SMSC joined in virtual time. It records the exchange."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TypeVar

from simbench.base.units import NEVER, SECOND_US
from simbench.client import messages as m
from simbench.client.core import Core
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, Framer, WireError, encode
from tests.paris import instant, scts_text

MONDAY_10H = instant(2026, 6, 15, 10)  # a jour ouvrable, within the hours of marketing
CODE = "36010"
PASSWORD = "s3cret"
CONFIG = m.LinkConfig(CODE, PASSWORD, CODE, rate_per_s=10, ethics=False)
E = TypeVar("E")
Reply = Callable[[Frame], "bytes | None"]


def recipient(number: int) -> str:
    return f"3363998{number:04d}"


def message(number: int, **changes: object) -> m.Outgoing:
    return m.Outgoing(f"m{number}", CODE, recipient(number), f"texte {number}", **changes)  # type: ignore[arg-type]  # by name


def result(asked: Frame, body: str) -> bytes:
    return encode(asked.trn, "R", asked.ot, body)


def operation_5x(ot: str, trn: str = "00", **fields: str) -> bytes:
    values = [""] * 33
    for name, value in fields.items():
        values[getattr(At, name.upper())] = value
    return encode(trn, "O", ot, "".join(value + "/" for value in values))


def notification(to: str, scts: str, status: str = "0", reason: str = "000", trn: str = "00") -> bytes:
    return operation_5x("53", trn, adc=CODE, oadc=to, scts=scts, dst=status, rsn=reason, dscts=scts, mt="3")


def mobile(sender: str, text: str, trn: str = "00") -> bytes:
    return operation_5x(
        "52", trn, adc=CODE, oadc=sender, scts="150626100000", mt="3", msg=text.encode("ascii").hex().upper()
    )


class Smsc:
    """Answers as a friendly SMSC: every submit accepted, each with a time stamp of its own."""

    def __init__(self) -> None:
        self._stamp = MONDAY_10H

    def __call__(self, asked: Frame) -> bytes | None:
        if asked.kind == "R":
            return None
        if asked.ot != "51":
            return result(asked, "A/0000/" if asked.ot == "31" else "A//")
        self._stamp += SECOND_US
        return result(asked, f"A//{asked.data[0]}:{scts_text(self._stamp)}/")


class Wire:
    """One core, its scripted peer (`reply`), and the virtual time between them. `up`: connections can be made."""

    def __init__(self, core: Core, reply: Reply | None = None, start: int = MONDAY_10H, latency_us: int = 0) -> None:
        self.core, self.reply, self.now, self.latency_us = core, reply or Smsc(), start, latency_us
        self.up = True
        self.dials: list[int] = []
        self.written: list[tuple[int, Frame | WireError]] = []
        self.happened: list[tuple[int, m.Event]] = []
        self.most_outstanding = 0
        self._framer = Framer()
        self._coming: list[tuple[int, int, bytes]] = []
        self._order = 0

    def run(self, seconds: float) -> Wire:
        until = self.now + round(seconds * SECOND_US)
        while True:
            self.core.advance(self.now)
            self._drain()
            due = min(self.core.next_deadline(), self._coming[0][0] if self._coming else NEVER)
            assert due > self.now or self._coming, "the core asks to be called again at once"
            if due > until:
                self.now = until
                return self
            self.now = max(self.now, due)
            while self._coming and self._coming[0][0] <= self.now:
                self.core.received(heappop(self._coming)[2], self.now)
                self._drain()

    def submit(self, *asked: m.Outgoing) -> Wire:
        for one in asked:
            self.core.submit(one, self.now)
        self._drain()
        return self

    def say(self, octets: bytes) -> Wire:
        self.core.received(octets, self.now)
        self._drain()
        return self

    def cut(self, up: bool = True) -> Wire:
        self.up = up
        self._coming.clear()
        self.core.lost(self.now)
        self._drain()
        return self

    def _drain(self) -> None:
        happened = self.core.events()
        self.happened += [(self.now, event) for event in happened]
        for item in self._framer.feed(self.core.octets_to_send()):
            self.written.append((self.now, item))
            answer = self.reply(item) if isinstance(item, Frame) else None
            if answer is not None:
                self._order += 1
                heappush(self._coming, (self.now + self.latency_us, self._order, answer))
        self.most_outstanding = max(self.most_outstanding, self.core.outstanding)
        for event in happened:
            if isinstance(event, m.Close):
                self._coming.clear()
            elif isinstance(event, m.Connect):
                self.dials.append(self.now)
                self._framer = Framer()
                if self.up:
                    self.core.connected(self.now)
                else:
                    self.core.lost(self.now)
                self._drain()

    def frames(self, ot: str, kind: str = "O") -> list[Frame]:
        return [item for _, item in self.written if isinstance(item, Frame) and (item.ot, item.kind) == (ot, kind)]

    def times(self, ot: str) -> list[int]:
        return [at for at, item in self.written if item.ot == ot and item.kind == "O"]

    def errors(self) -> list[str]:
        return [item.name for _, item in self.written if isinstance(item, WireError)]

    def events(self, kind: type[E]) -> list[E]:
        return [event for _, event in self.happened if isinstance(event, kind)]


def logged_in(config: m.LinkConfig = CONFIG, **how: object) -> Wire:
    return Wire(Core(config), **how).run(0.001)  # type: ignore[arg-type]  # by name
