"""A scripted UCP peer: takes logins, alerts and submits, and keeps what it heard.

It stands in for an SMSC where a test looks at one client on the wire and wants every octet in its own hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

import msgspec

from simbench.ucp import content, notifications
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, Framer, encode

FIRST_SCTS = datetime(2016, 10, 3, 8, 0, 0)


class Heard(msgspec.Struct, frozen=True):
    """A frame that came in, on which connection, `at` seconds on the monotonic clock."""

    at: float
    session: int
    frame: Frame


class Peer:
    """One listening peer. `refuse` gives the EC for a submit, "" to accept, None to leave it unanswered."""

    def __init__(self, refuse: Callable[[Frame], str | None] = lambda _: "") -> None:
        self.refuse = refuse
        self.heard: list[Heard] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Event()
        self._trn = 0
        self._stamps = 0

    async def __aenter__(self) -> Peer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self.writers:
            writer.close()
        await self._server.wait_closed()

    def operations(self, ot: str) -> list[Heard]:
        """The operations of this type that came in, in order."""
        return [heard for heard in self.heard if heard.frame.kind == "O" and heard.frame.ot == ot]

    def results(self, ot: str) -> list[Heard]:
        """The results of this type that came in, in order."""
        return [heard for heard in self.heard if heard.frame.kind == "R" and heard.frame.ot == ot]

    async def until(self, condition: Callable[[], bool], wait_s: float = 300.0) -> None:
        """Return once it holds, looking at every frame that comes. Raises TimeoutError."""
        async with asyncio.timeout(wait_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def notify(self, submit: Frame, scts: str, outcome: int, reason: int = 0) -> None:
        """Send the 53 about a submit that was accepted under `scts`."""
        adc, oadc = submit.data[At.ADC], submit.data[At.OADC]
        self._send("53", notifications.notification_body(oadc, adc, scts, outcome, reason, scts))

    def deliver(self, sender: str, code: str, text: str) -> None:
        """Send the 52, or the 52s, that carry a text from a subscriber."""
        for part in content.compose(text, ref=7):
            self._send("52", notifications.deliver_body(code, sender, self._stamp(), part))

    def hang_up(self) -> None:
        """Break the newest connection off."""
        self.writers[-1].transport.abort()

    def _send(self, ot: str, body: str) -> None:
        self.writers[-1].write(encode(self._trn, "O", ot, body))
        self._trn = (self._trn + 1) % 100

    def _stamp(self) -> str:
        """A time stamp of its own for each message, which alone distinguishes notifications."""
        self._stamps += 1
        return (FIRST_SCTS + timedelta(seconds=self._stamps)).strftime("%d%m%y%H%M%S")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session, framer = len(self.writers), Framer()
        self.writers.append(writer)
        try:
            while octets := await reader.read(65536):
                for item in framer.feed(octets):
                    assert isinstance(item, Frame), f"{item}"
                    self.heard.append(Heard(monotonic(), session, item))
                    if item.kind == "O":
                        writer.write(self._answer(item))
                self._changed.set()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _answer(self, frame: Frame) -> bytes:
        if frame.ot != "51":
            return encode(frame.trn, "R", frame.ot, "A//")
        code = self.refuse(frame)
        if code is None:
            return b""
        if code:
            return encode(frame.trn, "R", "51", f"N/{code}/refused/")
        return encode(frame.trn, "R", "51", f"A//{frame.data[At.ADC]}:{self._stamp()}/")
