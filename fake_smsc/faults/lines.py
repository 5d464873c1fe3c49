"""Faults of whole connections: logins and alerts not answered, lines that vanish, break, crawl or never open.

A fault that ends a line says so in the story under `drop`, so that nobody is blamed for what the end took along.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import ClassVar

from fake_smsc.faults.fault import Fault, FrameFault, Hit, Piece, read
from simbench.base.units import SECOND_US
from simbench.ucp.frame import Frame, encode


class LoginFault(Fault):
    """Any fault of a login, which the platform never sees."""

    before_login = True

    def hear(self, number: int, frames: list[bytes]) -> list[bytes]:
        """Swallow the logins that are hit."""
        passed: list[bytes] = []
        for octets in frames:
            frame = read(octets)
            if frame is None or not self._meets(frame) or not self.strikes():
                passed.append(octets)
            else:
                self.tell(number, "O/60", trn=frame.trn)
                self.meet(number, frame)
        return passed

    def _meets(self, frame: Frame) -> bool:
        account = self.injector.server.gateway.centre.accounts.get(frame.data[0]) if frame.data else None
        right = not self.config.code or (account is not None and self.config.code in account.codes)
        return (frame.kind, frame.ot) == ("O", "60") and right

    def meet(self, number: int, frame: Frame) -> None:
        """What becomes of the login."""


class LoginRefused(LoginFault):
    """Refuses a login with error code `ec`."""

    parameters: ClassVar = {"ec": "07"}

    def meet(self, number: int, frame: Frame) -> None:
        """A refusal."""
        self.injector.answer(self, number, encode(frame.trn, "R", "60", f"N/{self.text_of('ec')}//"))


class LoginUnanswered(LoginFault):
    """Never answers a login."""


class AlertUnanswered(FrameFault):
    """Never answers an alert (31), which clients keep the line alive with."""

    kind, ot = "R", "31"

    def changed(self, hit: Hit) -> list[Piece]:
        """Nothing."""
        del hit
        return []


class LineFault(Fault):
    """Any fault that happens to a line once `after` frames have been written on it."""

    parameters: ClassVar = {"after": 5}
    drop = ""

    def begun(self) -> None:
        """Count from now."""
        self._written: Counter[int] = Counter()
        self._spared: set[int] = set()

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """Let `after` frames pass; at the next one it happens, if it is to happen to this line at all."""
        room = int(self.number_of("after")) - self._written[number]
        self._written[number] += len(pieces)
        if number in self._spared or room >= len(pieces):
            return pieces
        if room < 0:  # it has happened
            return []
        if not self.strikes():
            self._spared.add(number)
            return pieces
        self.tell(number, self.config.name, drop=self.drop)
        self.injector.later(0, partial(self.happen, number))
        self._written[number] = int(self.number_of("after")) + 1
        return pieces[:room] + self.last(pieces[room])

    def last(self, piece: Piece) -> list[Piece]:
        """What is still written of the frame at which it happens."""
        del piece
        return []

    def happen(self, number: int) -> None:
        """End the line."""
        self.injector.server.end(number, self.config.name, abruptly=self.drop == "rst")


class HangUp(LineFault):
    """Ends a connection in good order (FIN) after `after` frames; what was to follow is not written."""

    drop = "fin"


class Reset(LineFault):
    """Resets a connection (RST) after `after` frames."""

    drop = "rst"


class CutOff(LineFault):
    """Writes half of a frame after `after` others and ends the connection (FIN)."""

    drop = "fin"

    def last(self, piece: Piece) -> list[Piece]:
        """Its first half."""
        return [Piece(piece.octets[: len(piece.octets) // 2])]


class HalfOpen(LineFault):
    """Vanishes from a connection after `after` frames: reads and writes nothing more, and ends it in no way."""

    drop = "silent"

    def happen(self, number: int) -> None:
        """The session ends, and the peer is not told."""
        if number in self.injector.server.connections:
            self.injector.vanish(number)

    def ended(self) -> None:
        """Back from nowhere, the machine knows nothing of those connections and resets them."""
        for number in sorted(self.injector.gone):
            self.injector.server.end(number, "vanished before", abruptly=True)


class SlowRead(Fault):
    """Reads no faster than `octets_per_s`; what the client writes piles up on its way."""

    parameters: ClassVar = {"octets_per_s": 200}

    def arrived(self, number: int, octets: int) -> None:
        """Read on when these have had their time."""
        connection = self.injector.server.connections[number]
        if connection.transport.is_closing() or not self.strikes():
            return
        self.tell(number, "read", octets=octets)
        connection.transport.pause_reading()
        self.injector.later(round(octets * SECOND_US / self.number_of("octets_per_s")), partial(self._resume, number))

    def _resume(self, number: int) -> None:
        connection, line = self.injector.server.connections.get(number), self.injector.server.gateway.lines.get(number)
        if connection is not None and line is not None and not line.mute and not connection.transport.is_closing():
            connection.transport.resume_reading()


class ConnectionFault(Fault):
    """Any fault of a connection as it is made."""

    drop = "fin"

    def connected(self, number: int) -> None:
        """End it at once, if it is hit."""
        if self.strikes():
            self.tell(number, "connected", drop=self.drop)
            self.injector.server.end(number, self.config.name, abruptly=self.drop == "rst")


class AcceptClose(ConnectionFault):
    """Accepts a connection and ends it at once (FIN)."""


class AcceptReset(ConnectionFault):
    """Accepts a connection and resets it at once (RST)."""

    drop = "rst"
