"""Faults of what the SMSC sends by itself: notifications, messages from subscribers, operations nobody asked for.

What it sends in addition goes through the gateway where a place of the window is needed. Touches no result but to
hold it back.
"""

from __future__ import annotations

from typing import ClassVar

from fake_smsc.faults.fault import Fault, FrameFault, Hit, KeepingFault, Piece, read
from fake_smsc.faults.results import ReorderedResults, body_of, numbered
from simbench.base.units import SECOND_US
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, encode

NOTIFICATION = "53"
SENDER = "33639980099"  # of the fictional range: whoever sends what nobody asked for


class NotificationFault(FrameFault):
    """Any fault of a notification."""

    kind = "O"
    ot = NOTIFICATION


def _key(address: str, stamp: str) -> tuple[str, str]:
    return address[-9:], stamp


class EarlyNotification(KeepingFault):
    """Keeps the result of a submit back until its notification has been written, at most `delay_s`."""

    parameters: ClassVar = {"delay_s": 30.0}
    kind, ot = "R", "51"

    def meets(self, frame: Frame) -> bool:
        """Positive results that name recipient and time stamp."""
        return super().meets(frame) and frame.data[0] == "A" and ":" in frame.data[-1]

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """A notification takes the result it belongs to along."""
        passed: list[Piece] = []
        for piece in pieces:
            passed += super().write(number, [piece])
            frame = read(piece.octets)
            if frame is not None and (frame.kind, frame.ot) == ("O", NOTIFICATION):
                passed += self.released(number, _key(frame.data[At.OADC], frame.data[At.SCTS]))
        return passed

    def changed(self, hit: Hit) -> list[Piece]:
        """Nothing yet."""
        address, _, stamp = hit.frame.data[-1].rpartition(":")
        self.keep(hit.number, hit.piece, _key(address, stamp))
        return []


class LateNotification(NotificationFault):
    """Writes a notification `delay_s` late."""

    parameters: ClassVar = {"delay_s": 5.0}

    def changed(self, hit: Hit) -> list[Piece]:
        """The same, later."""
        return [hit.later(self.number_of("delay_s"))]


class DoubleNotification(NotificationFault):
    """Writes a notification twice under the same TRN, the second time `delay_s` later."""

    parameters: ClassVar = {"delay_s": 0.0}

    def changed(self, hit: Hit) -> list[Piece]:
        """Twice the same."""
        return [hit.piece, hit.later(self.number_of("delay_s"))]


class LostNotification(NotificationFault):
    """Never writes a notification and takes it for acknowledged."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Nothing; the gateway believes it was."""
        self.injector.tell_gateway(hit.number, encode(hit.frame.trn, "R", NOTIFICATION, "A///"))
        return []


class WrongStamp(NotificationFault):
    """Names a time stamp (SCTS) in a notification that is one year later than the result's."""

    def changed(self, hit: Hit) -> list[Piece]:
        """The same with another stamp; DDMMYY leads it."""
        stamp = hit.frame.data[At.SCTS]
        fields = hit.frame.data[:]
        fields[At.SCTS] = f"{stamp[:4]}{(int(stamp[4:6]) + 1) % 100:02d}{stamp[6:]}"
        return [hit.again(encode(hit.frame.trn, "O", NOTIFICATION, body_of(fields)))]


class ReorderedNotifications(ReorderedResults):
    """Keeps a notification back until the next one has overtaken it, at most `delay_s`."""

    kind, ot = "O", NOTIFICATION


class ShortNotification(NotificationFault):
    """Leaves the last field out of a notification."""

    def changed(self, hit: Hit) -> list[Piece]:
        """The same with 32 fields."""
        return [hit.again(encode(hit.frame.trn, "O", NOTIFICATION, body_of(hit.frame.data[:-1])))]


class MoFlood(Fault):
    """Lets a subscriber send `per_s` messages a second to the code, or to every code in turn."""

    parameters: ClassVar = {"per_s": 20.0}

    def begun(self) -> None:
        """Begin to tick."""
        self._sent = 0
        self._tick()

    def _tick(self) -> None:
        if not self.injector.is_active(self):
            return
        codes = [self.config.code] if self.config.code else sorted(self.injector.server.gateway.centre.limiters)
        if self.strikes():
            code = codes[self._sent % len(codes)]
            self._sent += 1
            self.tell(-1, "mo", code=code)
            self.injector.originate(SENDER, code, f"Message {self._sent}")
        self.injector.later(round(SECOND_US / self.number_of("per_s")), self._tick)


class MoAtFullWindow(KeepingFault):
    """Keeps results back until the client's window is full, at most `delay_s`, then writes an MO before them."""

    parameters: ClassVar = {"delay_s": 2.0}
    kind, ot = "R", "51"

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """An MO takes all that is kept along."""
        passed: list[Piece] = []
        for piece in pieces:
            passed += super().write(number, [piece])
            frame = read(piece.octets)
            if frame is not None and (frame.kind, frame.ot) == ("O", "52"):
                passed += self.released(number)
        return passed

    def changed(self, hit: Hit) -> list[Piece]:
        """Nothing before the MO."""
        self.keep(hit.number, hit.piece)
        line = self.injector.server.gateway.lines[hit.number]
        if self.kept(hit.number) + len(line.session.peer.outstanding) == line.session.peer.size:
            code = self.config.code or self.injector.codes_of(hit.number)[0]
            self.injector.later(0, lambda: self.injector.originate(SENDER, code, "Bonjour"))
        return []


class OddOperation(FrameFault):
    """Any operation of the SMSC that the client did not expect, beside a frame of its own."""

    unexpected = ("", "")

    def changed(self, hit: Hit) -> list[Piece]:
        """One operation more."""
        ot, body = self.unexpected
        return [hit.piece, hit.again(encode(numbered(hit.frame.trn), "O", ot, body))]


class UnknownOperation(OddOperation):
    """Sends an operation 59, which no document describes, behind a frame."""

    unexpected = ("59", "/" * (At.RES5 + 1))


class AlertToClient(OddOperation):
    """Sends an alert (31) to the client behind a frame, as a few platforms do."""

    unexpected = ("31", "36010/0539/")
