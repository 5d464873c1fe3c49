"""Faults of the results of submits: late, missing, repeated, misnumbered, refused, or wrong."""

from __future__ import annotations

from typing import ClassVar

from fake_smsc.faults.fault import Fault, FrameFault, Hit, KeepingFault, Piece, read, sealed
from simbench.base.units import SECOND_US
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, encode

FURTHER = 50  # distance of a wrong TRN from the right one: beyond usual windows, so that it hits no open operation
SUBMIT = "51"


def numbered(trn: str) -> str:
    """Return a TRN the peer is not using."""
    return f"{(int(trn) + FURTHER) % 100:02d}"


def body_of(fields: list[str]) -> str:
    """Return the data part made of these fields."""
    return "".join(field + "/" for field in fields)


class ResultFault(FrameFault):
    """Base of faults of the result of a submit."""

    kind = "R"
    ot = SUBMIT


class PositiveFault(ResultFault):
    """Base of faults of positive results only."""

    def meets(self, frame: Frame) -> bool:
        """Positive results, `A/MVP/SM`."""
        return super().meets(frame) and len(frame.data) == 3 and frame.data[0] == "A"


class LateResult(ResultFault):
    """Answers a submit `delay_s` late."""

    parameters: ClassVar = {"delay_s": 5.0}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the same frame, later."""
        return [hit.later(self.number_of("delay_s"))]


class NoResult(ResultFault):
    """Accepts or refuses a submit and never answers it."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Write nothing."""
        del hit
        return []


class DoubleResult(ResultFault):
    """Answers a submit twice under the same TRN, the second time `delay_s` later."""

    parameters: ClassVar = {"delay_s": 0.0}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the same frame twice."""
        return [hit.piece, hit.later(self.number_of("delay_s"))]


class ReorderedResults(KeepingFault):
    """Holds the result of a submit back until the next one has overtaken it, `delay_s` at most."""

    parameters: ClassVar = {"delay_s": 1.0}
    kind, ot = "R", SUBMIT

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """Write held-back frames after the next frame of the kind."""
        passed: list[Piece] = []
        for piece in pieces:
            frame = read(piece.octets)
            if frame is not None and self.meets(frame) and self.kept(number):
                passed += [piece, *self.released(number)]
            else:
                passed += super().write(number, [piece])
        return passed

    def changed(self, hit: Hit) -> list[Piece]:
        """Write nothing yet."""
        self.keep(hit.number, hit.piece)
        return []


class WrongTrn(ResultFault):
    """Answers a submit with a TRN 50 higher, which the client is not using."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame with another TRN."""
        return [hit.again(encode(numbered(hit.frame.trn), "R", SUBMIT, body_of(hit.frame.data)))]


class WrongOt(ResultFault):
    """Answers a submit with operation type 52."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame with another operation type."""
        return [hit.again(encode(hit.frame.trn, "R", "52", body_of(hit.frame.data)))]


class NackThoughStored(PositiveFault):
    """Accepts a message but answers its submit with error code `ec`."""

    parameters: ClassVar = {"ec": "04"}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return a refusal."""
        return [hit.again(encode(hit.frame.trn, "R", SUBMIT, f"N/{self.text_of('ec')}//"))]


class ResultWithoutStamp(PositiveFault):
    """Omits recipient and time stamp from a positive result, so that its notification matches nothing."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the result with an empty SM."""
        return [hit.again(encode(hit.frame.trn, "R", SUBMIT, f"A/{hit.frame.data[1]}//"))]


class ShortResult(PositiveFault):
    """Omits the empty second field of a positive result, leaving two fields instead of three."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the result without its MVP."""
        return [hit.again(encode(hit.frame.trn, "R", SUBMIT, f"A/{hit.frame.data[2]}/"))]


class StrayResult(ResultFault):
    """Adds a positive result with a TRN of no open submit."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame and one more result."""
        return [hit.piece, hit.again(encode(numbered(hit.frame.trn), "R", SUBMIT, "A///"))]


class SubmitFault(Fault):
    """Base of faults that answer a submit instead of the platform, which never sees it."""

    def hear(self, number: int, frames: list[bytes]) -> list[bytes]:
        """Swallow and answer the submits that are hit, on connections with a login."""
        passed: list[bytes] = []
        for octets in frames:
            frame = read(octets)
            submits = frame is not None and (frame.kind, frame.ot) == ("O", SUBMIT) and self.injector.codes_of(number)
            if frame is None or not submits or not self.strikes():
                passed.append(octets)
                continue
            self.record(number, "O/51", trn=frame.trn)
            self.injector.answer(self, number, sealed(frame.trn, "R", SUBMIT, self.reply(frame).encode()))
        return passed

    def reply(self, frame: Frame) -> str:
        """Return the data part of the answer."""
        raise NotImplementedError


class Nack(SubmitFault):
    """Refuses a submit with error code `ec`; the platform does not get the message."""

    parameters: ClassVar = {"ec": "04"}

    def reply(self, frame: Frame) -> str:
        """Return a refusal."""
        del frame
        return f"N/{self.text_of('ec')}//"


class NackWithoutEc(SubmitFault):
    """Refuses a submit with an empty error code; the platform does not get the message."""

    def reply(self, frame: Frame) -> str:
        """Return a refusal without an error code."""
        del frame
        return "N///"


class AckThoughLost(SubmitFault):
    """Answers a submit positively and drops the message."""

    def reply(self, frame: Frame) -> str:
        """Return a positive result with the present SCTS."""
        server = self.injector.server
        return f"A//{frame.data[At.ADC]}:{server.gateway.times.stamp(server.clock.now() // SECOND_US)}/"
