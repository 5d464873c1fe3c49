"""Faults of whole connections: unanswered logins and alerts, connections that vanish, break, stall or never open.

A fault that ends a connection records `drop` in its event, so that losses caused by it are attributed to nobody.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import ClassVar

from fake_smsc.faults.fault import Fault, FrameFault, Hit, Piece, read
from simbench.base.units import SECOND_US
from simbench.ucp.frame import Frame, encode


class LoginFault(Fault):
    """Base of login faults: the platform never sees the login."""

    before_login = True

    def hear(self, number: int, frames: list[bytes]) -> list[bytes]:
        """Swallow the logins that are hit."""
        passed: list[bytes] = []
        for octets in frames:
            frame = read(octets)
            if frame is None or not self._meets(frame) or not self.strikes():
                passed.append(octets)
            else:
                self.record(number, "O/60", trn=frame.trn)
                server, ec = self.injector.server, self.text_of("ec") if "ec" in self.parameters else ""
                server.gateway.swallowed_login(number, frame, server.clock.now(), f"fault {self.config.name}", ec)
                self.meet(number, frame)
        return passed

    def _meets(self, frame: Frame) -> bool:
        account = self.injector.server.gateway.centre.accounts.get(frame.data[0]) if frame.data else None
        right = not self.config.code or (account is not None and self.config.code in account.codes)
        return (frame.kind, frame.ot) == ("O", "60") and right

    def meet(self, number: int, frame: Frame) -> None:
        """React to a swallowed login."""


class LoginRefused(LoginFault):
    """Refuses a login with error code `ec`."""

    parameters: ClassVar = {"ec": "07"}

    def meet(self, number: int, frame: Frame) -> None:
        """Refuse it."""
        self.injector.answer(self, number, encode(frame.trn, "R", "60", f"N/{self.text_of('ec')}//"))


class LoginUnanswered(LoginFault):
    """Never answers a login."""


class AlertUnanswered(FrameFault):
    """Never answers an alert (31), which clients use as a keepalive."""

    kind, ot = "R", "31"

    def changed(self, hit: Hit) -> list[Piece]:
        """Write nothing."""
        del hit
        return []


class LineFault(Fault):
    """Base of faults that hit a connection once `after` frames have been written on it."""

    parameters: ClassVar = {"after": 5}
    drop = ""

    def begun(self) -> None:
        """Start counting frames."""
        self._written: Counter[int] = Counter()
        self._spared: set[int] = set()

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """Let `after` frames pass, then hit the connection if it is selected."""
        room = int(self.number_of("after")) - self._written[number]
        self._written[number] += len(pieces)
        if number in self._spared or room >= len(pieces):
            return pieces
        if room < 0:  # already hit
            return []
        if not self.strikes():
            self._spared.add(number)
            return pieces
        self.record(number, self.config.name, drop=self.drop)
        self.injector.later(0, partial(self.happen, number))
        self._written[number] = int(self.number_of("after")) + 1
        return pieces[:room] + self.last(pieces[room])

    def last(self, piece: Piece) -> list[Piece]:
        """Return what is still written of the frame at which the fault hits."""
        del piece
        return []

    def happen(self, number: int) -> None:
        """End the connection."""
        self.injector.server.end(number, self.config.name, abruptly=self.drop == "rst")


class HangUp(LineFault):
    """Closes a connection (FIN) after `after` frames; the frames that follow are not written."""

    drop = "fin"


class Reset(LineFault):
    """Resets a connection (RST) after `after` frames."""

    drop = "rst"


class CutOff(LineFault):
    """Writes half of a frame after `after` others and closes the connection (FIN)."""

    drop = "fin"

    def last(self, piece: Piece) -> list[Piece]:
        """Return the first half of the frame."""
        return [Piece(piece.octets[: len(piece.octets) // 2])]


class HalfOpen(LineFault):
    """Vanishes from a connection after `after` frames: stops reading and writing, without closing it."""

    drop = "silent"

    def happen(self, number: int) -> None:
        """End the session without notifying the peer."""
        if number in self.injector.server.connections:
            self.injector.vanish(number)

    def ended(self) -> None:
        """Reset the connections when the server is back, as it no longer knows them."""
        for number in sorted(self.injector.gone):
            self.injector.server.end(number, "vanished before", abruptly=True)


class SlowRead(Fault):
    """Reads no faster than `octets_per_s`, so that the client's output piles up."""

    parameters: ClassVar = {"octets_per_s": 200}

    def arrived(self, number: int, octets: int) -> None:
        """Pause reading for the time these octets take."""
        connection = self.injector.server.connections[number]
        if connection.transport.is_closing() or not self.strikes():
            return
        self.record(number, "read", octets=octets)
        connection.transport.pause_reading()
        self.injector.later(round(octets * SECOND_US / self.number_of("octets_per_s")), partial(self._resume, number))

    def _resume(self, number: int) -> None:
        connection, line = self.injector.server.connections.get(number), self.injector.server.gateway.lines.get(number)
        if connection is not None and line is not None and not line.mute and not connection.transport.is_closing():
            connection.transport.resume_reading()


class ConnectionFault(Fault):
    """Base of faults of new connections."""

    drop = "fin"

    def connected(self, number: int) -> None:
        """End the connection at once if it is selected."""
        if self.strikes():
            self.record(number, "connected", drop=self.drop)
            self.injector.server.end(number, self.config.name, abruptly=self.drop == "rst")


class AcceptClose(ConnectionFault):
    """Accepts a connection and closes it at once (FIN)."""


class AcceptReset(ConnectionFault):
    """Accepts a connection and resets it at once (RST)."""

    drop = "rst"
