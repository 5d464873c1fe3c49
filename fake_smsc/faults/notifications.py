"""Faults of operations the SMSC originates: notifications, messages from subscribers, unexpected operations.

Additional operations pass through the gateway where they need a window slot. Results are held back, never changed.
"""

from __future__ import annotations

from typing import ClassVar

from fake_smsc.faults.fault import Fault, FrameFault, Hit, KeepingFault, Piece, read
from fake_smsc.faults.results import ReorderedResults, body_of, numbered
from simbench.base.units import SECOND_US
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, encode

NOTIFICATION = "53"
SENDER = 99  # of the operator's fictional subscribers: sender of unsolicited messages


class NotificationFault(FrameFault):
    """Base of faults of a notification."""

    kind = "O"
    ot = NOTIFICATION


class EarlyNotification(KeepingFault):
    """Holds the result of a submit back until its notification has been written, `delay_s` at most."""

    parameters: ClassVar = {"delay_s": 30.0}
    kind, ot = "R", "51"

    def meets(self, frame: Frame) -> bool:
        """Positive results with recipient and SCTS."""
        return super().meets(frame) and frame.data[0] == "A" and ":" in frame.data[-1]

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """Write the held-back result after its notification."""
        passed: list[Piece] = []
        for piece in pieces:
            passed += super().write(number, [piece])
            frame = read(piece.octets)
            if frame is not None and (frame.kind, frame.ot) == ("O", NOTIFICATION):
                passed += self.released(number, (self.plan.key(frame.data[At.OADC]), frame.data[At.SCTS]))
        return passed

    def changed(self, hit: Hit) -> list[Piece]:
        """Write nothing yet."""
        address, _, stamp = hit.frame.data[-1].rpartition(":")
        self.keep(hit.number, hit.piece, (self.plan.key(address), stamp))
        return []


class LateNotification(NotificationFault):
    """Writes a notification `delay_s` late."""

    parameters: ClassVar = {"delay_s": 5.0}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the same frame, later."""
        return [hit.later(self.number_of("delay_s"))]


class DoubleNotification(NotificationFault):
    """Writes a notification twice under the same TRN, the second time `delay_s` later."""

    parameters: ClassVar = {"delay_s": 0.0}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the same frame twice."""
        return [hit.piece, hit.later(self.number_of("delay_s"))]


class LostNotification(NotificationFault):
    """Never writes a notification, and treats it as acknowledged."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Write nothing, and acknowledge it to the gateway."""
        self.injector.tell_gateway(hit.number, encode(hit.frame.trn, "R", NOTIFICATION, "A///"))
        return []


class WrongStamp(NotificationFault):
    """Writes a notification with a time stamp (SCTS) one year later than that of the result."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame with another SCTS (DDMMYY...)."""
        stamp = hit.frame.data[At.SCTS]
        fields = hit.frame.data[:]
        fields[At.SCTS] = f"{stamp[:4]}{(int(stamp[4:6]) + 1) % 100:02d}{stamp[6:]}"
        return [hit.again(encode(hit.frame.trn, "O", NOTIFICATION, body_of(fields)))]


class ReorderedNotifications(ReorderedResults):
    """Holds a notification back until the next one has overtaken it, `delay_s` at most."""

    kind, ot = "O", NOTIFICATION


class ShortNotification(NotificationFault):
    """Omits the last field of a notification."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame with 32 fields."""
        return [hit.again(encode(hit.frame.trn, "O", NOTIFICATION, body_of(hit.frame.data[:-1])))]


class MoFlood(Fault):
    """Sends `per_s` messages per second from a subscriber to the code, or to every code in turn."""

    parameters: ClassVar = {"per_s": 20.0}

    def begun(self) -> None:
        """Start the ticks."""
        self._sent = 0
        self._tick()

    def _tick(self) -> None:
        if not self.injector.is_active(self):
            return
        codes = [self.config.code] if self.config.code else sorted(self.injector.server.gateway.centre.limiters)
        if self.strikes():
            code = codes[self._sent % len(codes)]
            self._sent += 1
            self.record(-1, "mo", code=code)
            self.injector.originate(self.plan.writer(SENDER), code, f"Message {self._sent}")
        self.injector.later(round(SECOND_US / self.number_of("per_s")), self._tick)


class MoAtFullWindow(KeepingFault):
    """Holds results back until the client's window is full, `delay_s` at most, then writes an MO before them."""

    parameters: ClassVar = {"delay_s": 2.0}
    kind, ot = "R", "51"

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """Write the held-back results after an MO."""
        passed: list[Piece] = []
        for piece in pieces:
            passed += super().write(number, [piece])
            frame = read(piece.octets)
            if frame is not None and (frame.kind, frame.ot) == ("O", "52"):
                passed += self.released(number)
        return passed

    def changed(self, hit: Hit) -> list[Piece]:
        """Write nothing before the MO."""
        self.keep(hit.number, hit.piece)
        line = self.injector.server.gateway.lines[hit.number]
        if self.kept(hit.number) + len(line.session.peer.outstanding) == line.session.peer.size:
            code = self.config.code or self.injector.codes_of(hit.number)[0]
            self.injector.later(0, lambda: self.injector.originate(self.plan.writer(SENDER), code, "Bonjour"))
        return []


class OddOperation(FrameFault):
    """Base of faults that add an operation the client does not expect after a frame."""

    unexpected = ("", "")

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame and one more operation."""
        ot, body = self.unexpected
        return [hit.piece, hit.again(encode(numbered(hit.frame.trn), "O", ot, body))]


class UnknownOperation(OddOperation):
    """Sends an undocumented operation 59 after a frame."""

    unexpected = ("59", "/" * (At.RES5 + 1))


class AlertToClient(OddOperation):
    """Sends an alert (31) to the client after a frame, as a few platforms do."""

    unexpected = ("31", "36010/0539/")
